"""Bessel and Hankel functions of scipy.special, by their argument.

The derivatives are sums of neighbours in order (NIST Digital Library of Mathematical Functions,
10.6 and 10.29); those by the order are no elementary functions and are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ....dag.op import MISSING
from ...conversions import is_complex
from .declare import ufunc


def _of_order(function: Any, before: float, after: float, scaled: Any = None) -> None:
    """Declare f(v, z) with f' = before f(v - 1) + after f(v + 1), plus what a scale gives."""

    def rule(g: Any, out: Any, v: Any, z: Any) -> Any:
        # An unsigned order has none below 0.
        c = g * (before * function(v - 1.0, z) + after * function(v + 1.0, z))
        return c if scaled is None else c + scaled(g, out, z)

    ufunc(function, [MISSING, rule])


def _by_real_part(g: Any, out: Any, z: Any) -> Any:
    """What the scale exp(-abs(real(z))) adds."""
    if not is_complex(z):
        return -g * out * np.sign(z)
    return -np.real(g * out) * np.sign(np.real(z))


def _by_imaginary_part(g: Any, out: Any, z: Any) -> Any:
    """What the scale exp(-abs(imag(z))) adds."""
    if not is_complex(z):
        return g * 0.0
    return 1j * np.real(g * out) * np.sign(np.imag(z))


_of_order(special.jv, 0.5, -0.5)
_of_order(special.yv, 0.5, -0.5)
_of_order(special.yn, 0.5, -0.5)
_of_order(special.iv, 0.5, 0.5)
_of_order(special.kv, -0.5, -0.5)
_of_order(special.hankel1, 0.5, -0.5)
_of_order(special.hankel2, 0.5, -0.5)
_of_order(special.jve, 0.5, -0.5, _by_imaginary_part)
_of_order(special.yve, 0.5, -0.5, _by_imaginary_part)
_of_order(special.ive, 0.5, 0.5, _by_real_part)
_of_order(special.kve, -0.5, -0.5, lambda g, out, z: g * out)
_of_order(special.hankel1e, 0.5, -0.5, lambda g, out, z: -1j * g * out)
_of_order(special.hankel2e, 0.5, -0.5, lambda g, out, z: 1j * g * out)
ufunc(
    special.kn,
    [MISSING, lambda g, out, n, x: -0.5 * g * (special.kv(n - 1.0, x) + special.kv(n + 1.0, x))],
)

_ZERO_AND_ONE: dict[Any, Callable[..., Any]] = {
    special.j0: lambda out, x: -special.j1(x),
    special.j1: lambda out, x: 0.5 * (special.j0(x) - special.jv(2, x)),
    special.y0: lambda out, x: -special.y1(x),
    special.y1: lambda out, x: 0.5 * (special.y0(x) - special.yn(2, x)),
    special.i0: lambda out, x: special.i1(x),
    special.i1: lambda out, x: 0.5 * (special.i0(x) + special.iv(2, x)),
    special.k0: lambda out, x: -special.k1(x),
    special.k1: lambda out, x: -0.5 * (special.k0(x) + special.kn(2, x)),
    special.i0e: lambda out, x: special.i1e(x) - np.sign(x) * out,
    special.i1e: lambda out, x: 0.5 * (special.i0e(x) + special.ive(2, x)) - np.sign(x) * out,
    special.k0e: lambda out, x: out - special.k1e(x),
    special.k1e: lambda out, x: out - 0.5 * (special.k0e(x) + special.kve(2, x)),
}


def _by_argument(slope: Callable[..., Any]) -> Callable[..., Any]:
    return lambda g, out, x: g * slope(out, x)


for _function, _slope in _ZERO_AND_ONE.items():
    ufunc(_function, [_by_argument(_slope)])
