"""Python's own functions of numbers: the module math, int() and round().

They take and give Python numbers and raise where Python does. Their gradient rules are those of the
NumPy functions of the same meaning.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.op import BY_NAME, Op, op

# math's names of what NumPy has too, and NumPy's where it calls it differently.
_LIKE_NUMPY = {
    "sin": "", "cos": "", "tan": "", "sinh": "", "cosh": "", "tanh": "", "exp": "", "exp2": "",
    "expm1": "", "log": "", "log2": "", "log10": "", "log1p": "", "sqrt": "", "cbrt": "",
    "fabs": "", "fmod": "", "copysign": "", "degrees": "", "radians": "",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "pow": "power",
}  # fmt: skip
_WITHOUT_GRADIENT = ("floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "isclose")

BY_MATH: dict[Any, Op] = {}  # function of math -> the op that stands for it


def _number(name: str, vjp: Any, **fields: Any) -> None:
    function = getattr(math, name, None)
    if function is not None:  # cbrt and exp2 are new in Python 3.11
        BY_MATH[function] = op(f"math.{name}", function, vjp=vjp, path=f"math.{name}", **fields)


def _hypot_rule(g: Any, out: Any, position: int, values: Any) -> Any:
    return g * np.divide(values[position], np.where(out == 0, 1.0, out))


def _sum(*values: Any) -> float:
    return math.fsum(values)


for _name, _numpy in _LIKE_NUMPY.items():
    _number(_name, BY_NAME[_numpy or _name].vjp)
for _name in _WITHOUT_GRADIENT:
    _number(_name, None)
_number("remainder", [lambda g, out, x, y: g, lambda g, out, x, y: -g * np.rint(np.divide(x, y))])
_number("hypot", _hypot_rule, variadic=True)
BY_MATH[math.fsum] = op(
    "math.fsum", _sum, vjp=lambda g, out, position, values: g, variadic=True
)


# -- the error and gamma functions --------------------------------------------------------------


def polygamma(x: float, order: int) -> float:
    """The derivative of that order of digamma, by recurrence to where the series is exact.

    Abramowitz and Stegun, 6.4.6 and 6.4.11 (6.3.18 for order 0).
    """
    import math

    x, total = float(x), 0.0
    sign = -1.0 if order % 2 else 1.0
    count = float(math.factorial(order))
    while x < 15.0 + order:
        if x == math.floor(x) <= 0.0:
            return math.nan
        total -= sign * count / x ** (order + 1)
        x += 1.0
    tail = math.log(x) if order == 0 else -sign * math.factorial(order - 1) / x**order
    tail -= sign * count / (2.0 * x ** (order + 1))
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
    for k, number in enumerate(bernoulli, 1):
        factor = math.factorial(2 * k + order - 1) / math.factorial(2 * k)
        tail -= sign * number * factor / x ** (2 * k + order)
    return total + tail


def _polygamma_rule(g: Any, out: Any, x: Any, order: int) -> Any:
    return g * psi(x, order=order + 1)


psi = op("polygamma", polygamma, vjp=[_polygamma_rule])
_SLOPE = 2.0 / math.sqrt(math.pi)
_number("erf", [lambda g, out, x: g * (_SLOPE * np.exp(-x * x))])
_number("erfc", [lambda g, out, x: g * (-_SLOPE * np.exp(-x * x))])
_number("gamma", [lambda g, out, x: g * (out * psi(x, order=0))])
_number("lgamma", [lambda g, out, x: g * psi(x, order=0)])


# -- builtins -----------------------------------------------------------------------------------

to_int = op("int", int, vjp=None, path="int")
to_round: Callable[..., Any] = op("round_number", builtins.round, vjp=None, path="round")
