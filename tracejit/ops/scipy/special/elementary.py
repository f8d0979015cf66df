"""Elementary functions of scipy.special, integrals, elliptic and hypergeometric functions.

Removable singularities of a derivative are written with hypergeometric functions, which are right
there to every order. Parameters without a formula for their derivative are refused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ....dag.op import BY_NAME, MISSING, Op, composite, op
from ...conversions import is_complex
from ...elementwise import LN10
from .declare import ufunc

DEGREE = math.pi / 180.0


def _hyp1f1_slope(g: Any, a: Any, b: Any, x: Any) -> Any:
    return g * np.divide(a, b) * special.hyp1f1(a + 1.0, b + 1.0, x)


def _hyp2f1_slope(g: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
    return g * np.divide(a * b, c) * special.hyp2f1(a + 1.0, b + 1.0, c + 1.0, x)


ufunc(special.hyp0f1, [MISSING, lambda g, out, v, z: np.divide(g, v) * special.hyp0f1(v + 1.0, z)])
ufunc(
    special.hyp1f1,
    [MISSING, MISSING, lambda g, out, a, b, x: _hyp1f1_slope(g, a, b, x)],
)
ufunc(
    special.hyp2f1,
    [MISSING, MISSING, MISSING, lambda g, out, a, b, c, x: _hyp2f1_slope(g, a, b, c, x)],
)

# -- powers and logarithms -----------------------------------------------------------------------

for _function in (special.exp2, special.expm1, special.log1p, special.cbrt):
    ufunc(_function, BY_NAME[_function.__name__].vjp)
ufunc(special.exp10, [lambda g, out, x: g * (out * LN10)])
ufunc(special.exprel, [lambda g, out, x: g * 0.5 * special.hyp1f1(2.0, 3.0, x)])
ufunc(
    special.powm1,
    [
        lambda g, out, x, y: g * y * np.power(x, np.where(y == 0, 1.0, y - 1.0)),
        lambda g, out, x, y: g * (out + 1.0) * np.log(np.where(x == 0, 1.0, x)),
    ],
)


def _box_cox(g: Any, logarithm: Any, power: Any) -> Any:
    """The derivative by the power of (exp(power * logarithm) - 1) / power."""
    return g * logarithm * logarithm * 0.5 * special.hyp1f1(2.0, 3.0, power * logarithm)


ufunc(
    special.boxcox,
    [
        lambda g, out, x, power: g * np.power(x, power - 1.0),
        lambda g, out, x, power: _box_cox(g, np.log(x), power),
    ],
)
ufunc(
    special.boxcox1p,
    [
        lambda g, out, x, power: g * np.power(1.0 + x, power - 1.0),
        lambda g, out, x, power: _box_cox(g, np.log1p(x), power),
    ],
)
ufunc(special.inv_boxcox, [lambda g, out, y, power: g * np.power(out, 1.0 - power), MISSING])
ufunc(
    special.inv_boxcox1p, [lambda g, out, y, power: g * np.power(1.0 + out, 1.0 - power), MISSING]
)
ufunc(special.wrightomega, [lambda g, out, z: g * np.divide(out, 1.0 + out)])
# Only W is in the rule, so that it is right at 0, too.
op(
    "special.lambertw", special.lambertw, stands_for=(special.lambertw,), elementwise=True,
    vjp=[lambda g, out, z, **_: np.divide(g * np.exp(-out), 1.0 + out)],
    bind=lambda z, k=0, tol=1e-8: ((z,), {"k": k, "tol": tol}),
)  # fmt: skip
if hasattr(special, "softplus"):  # SciPy 1.17
    composite(special.softplus)(lambda x: np.logaddexp(0.0, x))

# -- of degrees ----------------------------------------------------------------------------------

ufunc(special.sindg, [lambda g, out, x: g * (special.cosdg(x) * DEGREE)])
ufunc(special.cosdg, [lambda g, out, x: -g * (special.sindg(x) * DEGREE)])
ufunc(special.tandg, [lambda g, out, x: g * ((1.0 + out * out) * DEGREE)])
ufunc(special.cotdg, [lambda g, out, x: -g * ((1.0 + out * out) * DEGREE)])
ufunc(special.cosm1, [lambda g, out, x: -g * np.sin(x)])
ufunc(special.round, None)

# -- integrals -----------------------------------------------------------------------------------

ufunc(special.expi, [lambda g, out, x: np.divide(g * np.exp(x), x)])
ufunc(special.exp1, [lambda g, out, x: np.divide(-g * np.exp(-x), x)])
ufunc(special.expn, [None, lambda g, out, n, x: -g * _expn_below(n, x)])
ufunc(special.spence, [lambda g, out, z: g * _spence_slope(z)])
ufunc(special.ellipk, [lambda g, out, m: g * (math.pi / 8.0) * special.hyp2f1(1.5, 1.5, 2.0, m)])
ufunc(
    special.ellipkm1,
    [lambda g, out, p: -g * _ellipk_slope(out, p)],
)
ufunc(special.ellipe, [lambda g, out, m: -g * (math.pi / 8.0) * special.hyp2f1(0.5, 1.5, 2.0, m)])
ufunc(
    special.ellipkinc,
    [
        lambda g, out, phi, m: np.divide(g, np.sqrt(1.0 - m * np.square(np.sin(phi)))),
        MISSING,
    ],
)
ufunc(
    special.ellipeinc,
    [lambda g, out, phi, m: g * np.sqrt(1.0 - m * np.square(np.sin(phi))), MISSING],
)


def _spence_slope(z: Any) -> Any:
    if is_complex(z):  # SciPy's hypergeometric function is wrong in parts of the plane
        return np.where(z == 1, -1, np.divide(np.log(z), np.where(z == 1, 1, 1 - z)))
    near = np.abs(z - 1.0) < 0.5
    y = np.where(near, z, 1.0)
    quotient = np.divide(np.log(np.where(near, 1.0, z)), np.where(near, 1.0, 1.0 - z))
    return np.where(near, -special.hyp2f1(1.0, 1.0, 2.0, 1.0 - y), quotient)


def _ellipk_slope(k: Any, p: Any) -> Any:
    """The derivative of the complete elliptic integral by m = 1 - p (DLMF 19.4.1)."""
    low = p < 0.5  # where m in the denominator does no harm
    q = np.where(low, p, 0.5)
    quotient = np.divide(np.divide(special.ellipe(1.0 - q), q) - k, 2.0 * (1.0 - q))
    return np.where(
        low, quotient, (math.pi / 8.0) * special.hyp2f1(1.5, 1.5, 2.0, 1.0 - np.where(low, 1.0, p))
    )


def _expn_below(n: Any, x: Any) -> Any:
    """The exponential integral of order n - 1."""
    first = np.divide(np.exp(-x) * (x + 1.0), x * x)  # of order -1
    return np.where(np.equal(n, 0), first, special.expn(np.maximum(n, 1) - 1, x))


# -- with several results ------------------------------------------------------------------------


def _several(function: np.ufunc, *slopes: Any) -> Op:
    """Declare a function by the derivatives of its results: (out, *inputs) -> derivative."""

    def rule(g: Any, out: Any, *inputs: Any) -> Any:
        parts = (
            c * slope(out, *inputs) for c, slope in zip(g, slopes, strict=True) if c is not None
        )
        return sum(parts, 0.0)

    return op(
        f"special.{function.__name__}", function, stands_for=(function,), several=function.nout,
        vjp=[rule, MISSING][: function.nin],
    )  # fmt: skip


_several(
    special.airy,
    lambda out, z: out[1], lambda out, z: z * out[0],
    lambda out, z: out[3], lambda out, z: z * out[2],
)  # fmt: skip
_several(
    special.fresnel,
    lambda out, z: np.sin(0.5 * math.pi * z * z), lambda out, z: np.cos(0.5 * math.pi * z * z),
)  # fmt: skip
_several(
    special.sici,
    lambda out, x: special.hyp0f1(1.5, -0.25 * x * x), lambda out, x: np.divide(np.cos(x), x),
)  # fmt: skip
_several(
    special.shichi,
    lambda out, x: special.hyp0f1(1.5, 0.25 * x * x), lambda out, x: np.divide(np.cosh(x), x),
)  # fmt: skip
