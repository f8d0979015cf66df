"""Functions of scipy.special that probabilities are computed with: errors, logistics, entropies.

The rules are exact where a naive formula cancels or overflows; conventions: 0 log 0 has the
derivative 0, and so has what is constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ...conversions import is_complex
from .declare import ufunc

SQRT_PI = math.sqrt(math.pi)
SQRT_HALF = math.sqrt(0.5)
SQRT_2PI = math.sqrt(2.0 * math.pi)

# -- error functions and the normal distribution -------------------------------------------------


def _rest(x: Any, product: Any, sign: float) -> Any:
    """1 - product, a product that tends to 1; far out by its expansion (DLMF 7.12)."""
    if is_complex(x):
        return 1.0 - product
    far = (x > 50.0) | (sign * x < -50.0)
    h = np.divide(0.5 * sign, np.square(np.where(far, x, 50.0)))
    return np.where(far, -h * (1.0 + h * (3.0 + h * (15.0 + 105.0 * h))), 1.0 - product)


ufunc(special.erf, [lambda g, out, x: g * (2.0 / SQRT_PI) * np.exp(-x * x)])
ufunc(special.erfc, [lambda g, out, x: -g * (2.0 / SQRT_PI) * np.exp(-x * x)])
ufunc(special.erfcx, [lambda g, out, x: g * (-2.0 / SQRT_PI) * _rest(x, SQRT_PI * x * out, -1.0)])
ufunc(special.erfi, [lambda g, out, x: g * (2.0 / SQRT_PI) * np.exp(x * x)])
ufunc(special.dawsn, [lambda g, out, x: g * _rest(x, 2.0 * x * out, 1.0)])
ufunc(special.wofz, [lambda g, out, z: g * (2j / SQRT_PI - 2.0 * z * out)])
ufunc(special.erfinv, [lambda g, out, x: g * (0.5 * SQRT_PI) * np.exp(out * out)])
ufunc(special.erfcinv, [lambda g, out, x: -g * (0.5 * SQRT_PI) * np.exp(out * out)])
ufunc(special.ndtr, [lambda g, out, x: g * np.exp(-0.5 * x * x) / SQRT_2PI])


def _hazard(out: Any, x: Any) -> Any:
    """The density over the integral, without the quotient of two tiny numbers or of overflow."""
    if is_complex(x):
        return np.divide(2.0 / SQRT_2PI, special.erfcx(x * -SQRT_HALF))
    above = x > 0.0
    below = np.divide(2.0 / SQRT_2PI, special.erfcx(np.where(above, 0.0, x) * -SQRT_HALF))
    return np.where(above, np.exp(-0.5 * x * x - out) / SQRT_2PI, below)


ufunc(special.log_ndtr, [lambda g, out, x: g * _hazard(out, x)])
ufunc(special.ndtri, [lambda g, out, p: g * SQRT_2PI * np.exp(0.5 * out * out)])
ufunc(
    special.ndtri_exp,
    [lambda g, out, y: g * (0.5 * SQRT_2PI) * special.erfcx(out * -SQRT_HALF)],
)
ufunc(
    special.owens_t,
    [
        lambda g, out, h, a: (
            g * np.exp(-0.5 * h * h) * special.erf(a * h * SQRT_HALF) / (-2.0 * SQRT_2PI)
        ),
        lambda g, out, h, a: (
            g * np.exp(-0.5 * h * h * (1.0 + a * a)) / (2.0 * math.pi * (1.0 + a * a))
        ),
    ],
)

# -- logistics -----------------------------------------------------------------------------------

ufunc(special.expit, [lambda g, out, x: g * out * (1.0 - out)])
ufunc(special.log_expit, [lambda g, out, x: g * special.expit(-x)])
ufunc(special.logit, [lambda g, out, x: np.divide(g, x * (1.0 - x))])

# -- entropies -----------------------------------------------------------------------------------


def _logarithm(x: Any, y: Any) -> Any:
    """Give y where x log(y) has a derivative by its factors, and 1 where it is taken as 0."""
    if is_complex(x) or is_complex(y):
        return np.where((x == 0) & (y == 0), 1, y)
    return np.where((x == 0) & (y <= 0), 1, y)


def _shifted(x: Any, y: Any) -> Any:
    """Give y where x log(1 + y) has a derivative by its factors, and 0 where it is taken as 0."""
    if is_complex(x) or is_complex(y):
        return np.where((x == 0) & (y == -1), 0, y)
    return np.where((x == 0) & (y <= -1), 0, y)


def _of_ratio(slope: Callable[[Any], Any]) -> Callable[..., Any]:
    """A rule from x / y, where x log(x / y) is not constant."""

    def rule(g: Any, out: Any, x: Any, y: Any) -> Any:
        constant = (x < 0) | (y <= 0)
        ratio = np.divide(np.where(constant, 1, x), np.where(constant, 1, y))
        return np.where(constant, 0, g * slope(ratio))

    return rule


ufunc(
    special.xlogy,
    [
        lambda g, out, x, y: g * np.log(_logarithm(x, y)),
        lambda g, out, x, y: g * np.divide(x, _logarithm(x, y)),
    ],
)
ufunc(
    special.xlog1py,
    [
        lambda g, out, x, y: g * np.log1p(_shifted(x, y)),
        lambda g, out, x, y: g * np.divide(x, 1.0 + _shifted(x, y)),
    ],
)
ufunc(
    special.entr,
    [lambda g, out, x: np.where(x < 0, 0, -g * (np.log(np.where(x < 0, 1, x)) + 1.0))],
)
ufunc(special.rel_entr, [_of_ratio(lambda r: np.log(r) + 1.0), _of_ratio(lambda r: -r)])
ufunc(special.kl_div, [_of_ratio(np.log), _of_ratio(lambda r: 1.0 - r)])
ufunc(
    special.huber,
    [
        lambda g, out, d, r: g * np.maximum(np.abs(r) - d, 0.0),
        lambda g, out, d, r: g * np.clip(r, -d, d),
    ],
)
ufunc(
    special.pseudo_huber,
    [
        lambda g, out, d, r: (
            g * np.divide(2.0 * out - np.divide(r * r, np.hypot(1.0, np.divide(r, d))), d)
        ),
        lambda g, out, d, r: np.divide(g * r, np.hypot(1.0, np.divide(r, d))),
    ],
)
