"""Elementwise ops: NumPy's ufuncs, where, clip, and conversions.

A rule gets (g, out, *inputs) and may return anything that broadcasts to its input's shape.
Python numbers come here too: rules divide with np.divide and the like, which never raise.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..dag.op import COMPOSITES, Op, is_traced, op

LN2 = 0.6931471805599453
LN10 = 2.302585092994046


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


def _ties(g: Any, x: Any, y: Any, wins: Any) -> Any:
    """Give the whole cotangent where an operand wins and half of it where the two are equal."""
    return np.where(x == y, 0.5 * g, np.where(wins, g, 0))


def _power_base(g: Any, out: Any, x: Any, y: Any) -> Any:
    if isinstance(y, (int, float)) and not is_traced(y):
        if y == 0:
            return g * 0.0
        if y == 1 or y == 2:
            return g if y == 1 else g * (2.0 * x)
        return g * (y * np.power(x, y - 1))
    return g * y * np.power(x, np.where(y == 0, 1.0, y - 1.0))


# -- arithmetic ---------------------------------------------------------------------------------

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
floor_divide = elementwise(
    np.floor_divide, None, symbol="//", operator=operator.floordiv, scalar="{0} // {1}"
)
remainder = elementwise(
    np.remainder,
    [lambda g, out, x, y: g, lambda g, out, x, y: -g * np.floor(np.divide(x, y))],
    symbol="%", operator=operator.mod, scalar="{0} % {1}",
)  # fmt: skip
fmod = elementwise(
    np.fmod, [lambda g, out, x, y: g, lambda g, out, x, y: -g * np.trunc(np.divide(x, y))]
)
power = elementwise(
    np.power,
    [
        _power_base,
        lambda g, out, x, y: g * out * np.log(np.where(x == 0, 1.0, x)),
    ],
    symbol="**", operator=operator.pow, scalar="{0} ** {1}",
)  # fmt: skip
negative = elementwise(
    np.negative, [lambda g, out, x: -g], symbol="-", operator=operator.neg, scalar="-{0}"
)
positive = elementwise(np.positive, [lambda g, out, x: g], symbol="+", operator=operator.pos)
reciprocal = elementwise(np.reciprocal, [lambda g, out, x: -g * (out * out)], scalar="1 / {0}")
square = elementwise(np.square, [lambda g, out, x: g * (2.0 * x)], scalar="{0} * {0}")
absolute = elementwise(
    np.absolute, [lambda g, out, x: g * np.sign(x)], operator=abs, scalar="abs({0})"
)
fabs = elementwise(np.fabs, [lambda g, out, x: g * np.sign(x)], scalar="abs({0})")
sign = elementwise(np.sign, None)

# -- exponentials and roots ---------------------------------------------------------------------

exp = elementwise(np.exp, [lambda g, out, x: g * out], scalar="exp({0})")
exp2 = elementwise(np.exp2, [lambda g, out, x: g * (out * LN2)])
expm1 = elementwise(np.expm1, [lambda g, out, x: g * (out + 1.0)], scalar="expm1({0})")
log = elementwise(np.log, [lambda g, out, x: np.divide(g, x)], scalar="log({0})")
log2 = elementwise(np.log2, [lambda g, out, x: np.divide(g, x * LN2)])
log10 = elementwise(np.log10, [lambda g, out, x: np.divide(g, x * LN10)])
log1p = elementwise(np.log1p, [lambda g, out, x: np.divide(g, x + 1.0)], scalar="log1p({0})")
sqrt = elementwise(np.sqrt, [lambda g, out, x: np.divide(0.5 * g, out)], scalar="sqrt({0})")
cbrt = elementwise(np.cbrt, [lambda g, out, x: np.divide(g, 3.0 * (out * out))])
# The square root inside a norm or standard deviation: its derivative at 0 is taken as 0.
root = op(
    "root", np.sqrt, elementwise=True, out=True, path="np.sqrt", scalar="sqrt({0})",
    vjp=[lambda g, out, x: np.where(out == 0, 0, np.divide(0.5 * g, np.where(out == 0, 1, out)))],
)  # fmt: skip
logaddexp = elementwise(
    np.logaddexp,
    [lambda g, out, x, y: g * np.exp(x - out), lambda g, out, x, y: g * np.exp(y - out)],
)
logaddexp2 = elementwise(
    np.logaddexp2,
    [lambda g, out, x, y: g * np.exp2(x - out), lambda g, out, x, y: g * np.exp2(y - out)],
)

# -- trigonometry -------------------------------------------------------------------------------

sin = elementwise(np.sin, [lambda g, out, x: g * np.cos(x)], scalar="sin({0})")
cos = elementwise(np.cos, [lambda g, out, x: -g * np.sin(x)], scalar="cos({0})")
tan = elementwise(np.tan, [lambda g, out, x: g * (1.0 + out * out)])
arcsin = elementwise(np.arcsin, [lambda g, out, x: np.divide(g, np.sqrt(1.0 - x * x))])
arccos = elementwise(np.arccos, [lambda g, out, x: np.divide(-g, np.sqrt(1.0 - x * x))])
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
arccosh = elementwise(np.arccosh, [lambda g, out, x: np.divide(g, np.sqrt(x * x - 1.0))])
arctanh = elementwise(np.arctanh, [lambda g, out, x: np.divide(g, 1.0 - x * x)])
deg2rad = elementwise(np.deg2rad, [lambda g, out, x: g * (np.pi / 180.0)])
radians = elementwise(np.radians, [lambda g, out, x: g * (np.pi / 180.0)])
rad2deg = elementwise(np.rad2deg, [lambda g, out, x: g * (180.0 / np.pi)])
degrees = elementwise(np.degrees, [lambda g, out, x: g * (180.0 / np.pi)])

# -- choices ------------------------------------------------------------------------------------

maximum = elementwise(
    np.maximum,
    [
        lambda g, out, x, y: _ties(g, x, y, x == out),
        lambda g, out, x, y: _ties(g, x, y, y == out),
    ],
)
minimum = elementwise(np.minimum, maximum.vjp)
fmax = elementwise(np.fmax, maximum.vjp)
fmin = elementwise(np.fmin, maximum.vjp)
copysign = elementwise(
    np.copysign, [lambda g, out, x, y: g * np.copysign(1.0, x) * np.copysign(1.0, y), None]
)
heaviside = elementwise(
    np.heaviside, [None, lambda g, out, x, at_zero: np.where(x == 0, g, 0)]
)
nextafter = elementwise(np.nextafter, [lambda g, out, x, towards: g, None])
where = elementwise(
    np.where,
    [None, lambda g, out, c, x, y: np.where(c, g, 0), lambda g, out, c, x, y: np.where(c, 0, g)],
    bind=lambda condition, x, y: ((condition, x, y), {}),
)


def _inside(x: Any, low: Any, high: Any) -> Any:
    if low is None:
        return x <= high
    return x >= low if high is None else (x >= low) & (x <= high)


def _bind_clip(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Any:
    return (a, min if a_min is None else a_min, max if a_max is None else a_max), {}


clip = elementwise(
    np.clip,
    [
        lambda g, out, x, low, high: np.where(_inside(x, low, high), g, 0),
        lambda g, out, x, low, high: np.where(x < low, g, 0),
        lambda g, out, x, low, high: np.where(x > high, g, 0),
    ],
    bind=_bind_clip,
)

# -- without a gradient -------------------------------------------------------------------------

_PYTHON: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (np.less, "<", operator.lt), (np.less_equal, "<=", operator.le),
    (np.greater, ">", operator.gt), (np.greater_equal, ">=", operator.ge),
    (np.equal, "==", operator.eq), (np.not_equal, "!=", operator.ne),
    (np.bitwise_and, "&", operator.and_), (np.bitwise_or, "|", operator.or_),
    (np.bitwise_xor, "^", operator.xor), (np.left_shift, "<<", operator.lshift),
    (np.right_shift, ">>", operator.rshift),
)  # fmt: skip
for _function, _symbol, _operator in _PYTHON:
    elementwise(
        _function, None, symbol=_symbol, operator=_operator, scalar=f"{{0}} {_symbol} {{1}}"
    )
elementwise(np.invert, None, symbol="~", operator=operator.invert)
for _function in (
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isnan, np.isinf, np.isfinite,
    np.signbit, np.floor, np.ceil, np.rint, np.trunc, np.spacing,
):  # fmt: skip
    elementwise(_function, None)
_round = elementwise(
    np.round, None, bind=lambda a, decimals=0: ((a,), {"decimals": decimals})
)
COMPOSITES[np.around] = lambda a, decimals=0: _round(a, decimals=decimals)

# -- conversions --------------------------------------------------------------------------------


def _convert(value: Any, *, cls: type) -> Any:
    if cls is np.ndarray:
        return np.array(value)
    if isinstance(value, np.ndarray):
        value = value.reshape(())[()]
    return cls(value)


def _astype_rule(g: Any, out: Any, x: Any, dtype: Any) -> Any:
    return g  # the engine gives a cotangent its input's dtype


# To another kind of number: a float, a NumPy scalar, or (np.ndarray) a 0-d array.
convert = op("convert", _convert, vjp=[lambda g, out, x, cls: g])
astype = op(
    "astype", lambda x, *, dtype: x.astype(dtype), vjp=[_astype_rule], elementwise=True
)
if hasattr(np, "astype"):  # NumPy 2.1
    COMPOSITES[np.astype] = lambda x, dtype, /, *, copy=True: x.astype(dtype, copy=copy)
copy = op(
    "copy", lambda x, *, order="K": np.copy(x, order=order), vjp=[lambda g, out, x, order="K": g],
    stands_for=(np.copy,), elementwise=True,
    bind=lambda a, order="K", subok=False: ((a,), {"order": order}),
)  # fmt: skip
# A detached Python number, as ndarray.item gives it.
item = op("item", lambda x: x.item(), vjp=None)


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

    return Op(
        f"{base.name}_where", run, vjp=rule, variadic=True, elementwise=True, path=base.path
    )
