"""Elementwise ops: NumPy's smooth ufuncs, and how an op is declared that works element by element.

A rule gets (g, out, *inputs) and may return anything that broadcasts to its input's shape.
Python numbers come here too: rules divide with np.divide and the like, which never raise.
Cotangents of complex values are du/dx - i du/dy, so holomorphic rules need no conjugate.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..dag.op import Op, is_traced, op
from .conversions import is_complex

LN2 = 0.6931471805599453
LN10 = 2.302585092994046

POSITIVE = (0.21, 2.9)
INSIDE = (-0.91, 0.83)  # where sine and hyperbolic tangent lie


def elementwise(function: Any, vjp: Any, **fields: Any) -> Op:
    """Declare an op that works element by element, with broadcasting."""
    return op(
        function.__name__,
        function,
        stands_for=(function,),
        vjp=vjp,
        elementwise=True,
        out=isinstance(function, np.ufunc) or function is np.clip,
        **fields,
    )


# -- arithmetic ---------------------------------------------------------------------------------


def _power_base(g: Any, out: Any, x: Any, y: Any) -> Any:
    if isinstance(y, (int, float)) and not is_traced(y):
        if y == 0:
            return g * 0.0
        if y == 1 or y == 2:
            return g if y == 1 else g * (2.0 * x)
        return g * (y * np.power(x, y - 1))
    if not is_traced(y) and np.all(y):
        return g * y * np.power(x, y - 1.0)
    return g * y * np.power(x, np.where((x == 0) & (y == 0), 1.0, y - 1.0))


def _power_exponent(g: Any, out: Any, x: Any, y: Any) -> Any:
    base = np.where(x == 0, 1.0, x)
    if is_complex(out) and not is_complex(x):
        base = base + 0j  # of a negative number, too, the logarithm is wanted
    return g * out * np.log(base)


add = elementwise(
    np.add, [lambda g, out, x, y: g, lambda g, out, x, y: g],
    symbol="+", operator=operator.add, scalar="{0} + {1}",
)  # fmt: skip
subtract = elementwise(
    np.subtract, [lambda g, out, x, y: g, lambda g, out, x, y: -g],
    symbol="-", operator=operator.sub, scalar="{0} - {1}",
)  # fmt: skip
multiply = elementwise(
    np.multiply, [lambda g, out, x, y: g * y, lambda g, out, x, y: g * x],
    symbol="*", operator=operator.mul, scalar="{0} * {1}",
)  # fmt: skip
divide = elementwise(
    np.divide,
    [lambda g, out, x, y: np.divide(g, y), lambda g, out, x, y: -np.divide(g * out, y)],
    symbol="/", operator=operator.truediv, scalar="{0} / {1}",
)  # fmt: skip
remainder = elementwise(
    np.remainder,
    [lambda g, out, x, y: g, lambda g, out, x, y: -g * np.floor_divide(x, y)],
    symbol="%", operator=operator.mod, scalar="{0} % {1}", domain=((-2.77, 2.13), (3.1, 4.3)),
)  # fmt: skip
fmod = elementwise(
    np.fmod,
    [lambda g, out, x, y: g, lambda g, out, x, y: -g * np.rint(np.divide(x - out, y))],
    domain=((-6.77, 6.13), (3.3, 3.9)),
)
power = elementwise(
    np.power, [_power_base, _power_exponent],
    symbol="**", operator=operator.pow, scalar="{0} ** {1}", domain=(POSITIVE, (-1.93, 1.67)),
)  # fmt: skip
float_power = elementwise(np.float_power, power.vjp, domain=power.domain)
negative = elementwise(
    np.negative, [lambda g, out, x: -g], symbol="-", operator=operator.neg, scalar="-{0}"
)
positive = elementwise(np.positive, [lambda g, out, x: g], symbol="+", operator=operator.pos)
reciprocal = elementwise(
    np.reciprocal, [lambda g, out, x: -g * (out * out)], scalar="1 / {0}", domain=POSITIVE
)
square = elementwise(np.square, [lambda g, out, x: g * (2.0 * x)], scalar="{0} * {0}")

# -- exponentials and roots ---------------------------------------------------------------------


def _exponential_share(x: Any, y: Any) -> Any:
    tied = np.equal(x, y)  # infinities, too
    with np.errstate(over="ignore", invalid="ignore"):
        return 1.0 / (1.0 + np.exp(np.where(tied, 0, np.subtract(y, x))))


exp = elementwise(np.exp, [lambda g, out, x: g * out], scalar="exp({0})")
exp2 = elementwise(np.exp2, [lambda g, out, x: g * (out * LN2)])
expm1 = elementwise(np.expm1, [lambda g, out, x: g * (out + 1.0)], scalar="expm1({0})")
log = elementwise(np.log, [lambda g, out, x: np.divide(g, x)], scalar="log({0})", domain=POSITIVE)
log2 = elementwise(np.log2, [lambda g, out, x: np.divide(g, x * LN2)], domain=POSITIVE)
log10 = elementwise(np.log10, [lambda g, out, x: np.divide(g, x * LN10)], domain=POSITIVE)
log1p = elementwise(
    np.log1p, [lambda g, out, x: np.divide(g, x + 1.0)], scalar="log1p({0})", domain=(-0.7, 2.0)
)
sqrt = elementwise(
    np.sqrt, [lambda g, out, x: np.divide(0.5 * g, out)], scalar="sqrt({0})", domain=POSITIVE
)
cbrt = elementwise(np.cbrt, [lambda g, out, x: np.divide(g, 3.0 * (out * out))], domain=POSITIVE)
# The square root inside a norm or standard deviation: its derivative at 0 is taken as 0.
root = op(
    "root", np.sqrt, elementwise=True, out=True, path="np.sqrt", scalar="sqrt({0})",
    vjp=[lambda g, out, x: np.where(out == 0, 0, np.divide(0.5 * g, np.where(out == 0, 1, out)))],
)  # fmt: skip
# The share of e**x in e**x + e**y. Its own derivatives are made of it, so that those of logaddexp
# have no case apart where they would be wrong: at equal operands, say.
exponential_share: Op = op(
    "exponential_share", _exponential_share, elementwise=True,
    vjp=[
        lambda g, out, x, y: g * (out * exponential_share(y, x)),
        lambda g, out, x, y: -g * (out * exponential_share(y, x)),
    ],
)  # fmt: skip
logaddexp = elementwise(
    np.logaddexp,
    [
        lambda g, out, x, y: g * exponential_share(x, y),
        lambda g, out, x, y: g * exponential_share(y, x),
    ],
)
logaddexp2 = elementwise(
    np.logaddexp2,
    [
        lambda g, out, x, y: g * exponential_share(x * LN2, y * LN2),
        lambda g, out, x, y: g * exponential_share(y * LN2, x * LN2),
    ],
)

# -- trigonometry -------------------------------------------------------------------------------


def _arccosh_rule(g: Any, out: Any, x: Any) -> Any:
    if is_complex(x):  # the root of the product has another branch where the real part is negative
        return np.divide(g, np.sqrt(x - 1.0) * np.sqrt(x + 1.0))
    return np.divide(g, np.sqrt(x * x - 1.0))


sin = elementwise(np.sin, [lambda g, out, x: g * np.cos(x)], scalar="sin({0})")
cos = elementwise(np.cos, [lambda g, out, x: -g * np.sin(x)], scalar="cos({0})")
tan = elementwise(np.tan, [lambda g, out, x: g * (1.0 + out * out)], domain=(-1.1, 1.2))
arcsin = elementwise(
    np.arcsin, [lambda g, out, x: np.divide(g, np.sqrt(1.0 - x * x))], domain=INSIDE
)
arccos = elementwise(
    np.arccos, [lambda g, out, x: np.divide(-g, np.sqrt(1.0 - x * x))], domain=INSIDE
)
arctan = elementwise(np.arctan, [lambda g, out, x: np.divide(g, 1.0 + x * x)])
arctan2 = elementwise(
    np.arctan2,
    [
        lambda g, out, y, x: g * np.divide(x, x * x + y * y),
        lambda g, out, y, x: -g * np.divide(y, x * x + y * y),
    ],
)
hypot = elementwise(
    np.hypot,
    [
        lambda g, out, x, y: g * np.divide(x, np.where(out == 0, 1, out)),
        lambda g, out, x, y: g * np.divide(y, np.where(out == 0, 1, out)),
    ],
)
sinh = elementwise(np.sinh, [lambda g, out, x: g * np.cosh(x)])
cosh = elementwise(np.cosh, [lambda g, out, x: g * np.sinh(x)])
tanh = elementwise(np.tanh, [lambda g, out, x: g * (1.0 - out * out)], scalar="tanh({0})")
arcsinh = elementwise(np.arcsinh, [lambda g, out, x: np.divide(g, np.sqrt(x * x + 1.0))])
arccosh = elementwise(np.arccosh, [_arccosh_rule], domain=(1.2, 3.1))
arctanh = elementwise(np.arctanh, [lambda g, out, x: np.divide(g, 1.0 - x * x)], domain=INSIDE)
deg2rad = elementwise(np.deg2rad, [lambda g, out, x: g * (np.pi / 180.0)])
radians = elementwise(np.radians, [lambda g, out, x: g * (np.pi / 180.0)])
rad2deg = elementwise(np.rad2deg, [lambda g, out, x: g * (180.0 / np.pi)])
degrees = elementwise(np.degrees, [lambda g, out, x: g * (180.0 / np.pi)])


@lru_cache(maxsize=256)
def masked(base: Op) -> Op:
    """The op for a ufunc call with `where=`: (*inputs, mask, out) -> out, written where mask holds.

    Masked-out elements give no cotangent, whatever the rule would make of them.
    """

    def run(*args: Any) -> Any:
        *inputs, mask, out = args
        return base.fn(*inputs, out=out.copy(order="K"), where=mask, casting="same_kind")

    def rule(g: Any, out: Any, position: int, values: list[Any]) -> Any:
        *inputs, mask, _ = values
        if position == len(inputs):
            return None
        if position > len(inputs):
            return np.where(mask, 0, g)
        inner: Callable[..., Any] | None = base.rule(position)
        if inner is None:
            return g * 0.0
        return np.where(mask, inner(np.where(mask, g, 0), out, *inputs), 0)

    return Op(f"{base.name}_where", run, vjp=rule, variadic=True, elementwise=True, path=base.path)
