"""What an op does to one element, as Python text that Numba gives NumPy's result and dtype.

Numba has no weak Python numbers: constants and run-time numbers are written in the dtype that
NumPy computes in, and what Numba would widen is cast back. `form_of` gives None for what has
no such form; that node is left to NumPy.
"""

from __future__ import annotations

import ast
import copy
from functools import lru_cache
from typing import Any

import numpy as np

from ..dag.node import Node
from . import syntax as s

KNOWN = {np.dtype(name) for name in ("f8", "f4", "b1", "i8", "i4")}
FLOATS = {np.dtype("f8"), np.dtype("f4")}

# Of floats: {a}, {b}, {c} are the operands in the dtype of the result.
_OF_FLOATS = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "divide": "a / b",
    "negative": "-a", "positive": "a", "reciprocal": "one / a", "square": "a * a",
    "absolute": "abs(a)", "fabs": "abs(a)", "copy": "a", "astype": "a", "full": "a",
    "sign": "one if a > zero else -one if a < zero else zero if a == zero else a",
    "maximum": "a if a > b or a != a else b", "minimum": "a if a < b or a != a else b",
    "fmax": "a if a > b or b != b else b", "fmin": "a if a < b or b != b else b",
    "floor": "np.floor(a)", "ceil": "np.ceil(a)", "trunc": "np.trunc(a)", "rint": "np.rint(a)",
    "deg2rad": "a * degree", "radians": "a * degree", "rad2deg": "a * radian",
    "degrees": "a * radian", "fix": "np.trunc(a)",
    "heaviside": "zero if a < zero else one if a > zero else b if a == zero else a",
    "exponential_share": "one / (one + exp(zero if a == b else b - a))",
    "special.erf": "erf(a)", "special.exp2": "exp2(a)", "special.expm1": "expm1(a)",
    "special.log1p": "log1p(a)", "special.cbrt": "cbrt(a)",
    "special.expit": "one / (one + exp(-a))",
    "special.log_expit": "(a if a < zero else zero) - log1p(exp(-abs(a)))",
    "special.xlogy": "zero if a == zero and b == b else a * log(b)",
    "special.entr": "-a * log(a) if a > zero or a != a else a if a == zero else -inf",
}  # fmt: skip
_OF_INTEGERS = {
    "add": "a + b", "subtract": "a - b", "multiply": "a * b", "negative": "-a", "square": "a * a",
    "copy": "a", "full": "a", "positive": "a", "bitwise_and": "a & b", "bitwise_or": "a | b",
    "bitwise_xor": "a ^ b", "invert": "~a", "maximum": "a if a > b else b",
    "minimum": "a if a < b else b",
}  # fmt: skip
# Of operands in their common dtype, with a bool as the result.
_TESTS = {
    "less": "a < b", "less_equal": "a <= b", "greater": "a > b", "greater_equal": "a >= b",
    "equal": "a == b", "not_equal": "a != b", "isnan": "a != a", "isinf": "abs(a) == inf",
    "isfinite": "abs(a) < inf", "isposinf": "a == inf", "isneginf": "a == -inf",
    "logical_not": "a == 0", "logical_and": "a != 0 and b != 0",
    "logical_or": "a != 0 or b != 0", "logical_xor": "(a != 0) != (b != 0)",
}  # fmt: skip
_OF_INFINITIES = ("isinf", "isfinite", "isposinf", "isneginf")
_OF_BOOLS = {
    "bitwise_and": "a and b", "bitwise_or": "a or b", "bitwise_xor": "a != b", "invert": "not a",
    "logical_and": "a and b", "logical_or": "a or b", "logical_xor": "a != b",
    "logical_not": "not a", "copy": "a", "full": "a", "equal": "a == b", "not_equal": "a != b",
}  # fmt: skip
# What stands for a number in these forms.
NUMBERS = {"one": 1, "zero": 0, "degree": np.pi / 180.0, "radian": 180.0 / np.pi}
# Functions of vecmath.py, by the op's name; the rest is NumPy's, one element at a time.
_VECTOR = {"root": "sqrt", "power": "pow"}
_SCALAR_FUNCTIONS = {
    "exp", "expm1", "log", "log1p", "tanh", "sqrt", "root", "sin", "cos", "erf", "log2", "log10",
    "exp2", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh",
    "arctan2", "hypot", "copysign", "cbrt", "fmod", "remainder", "floor_divide", "logaddexp",
}  # fmt: skip
_POWERS = {2: "a * a", 3: "a * a * a", 4: "(a * a) * (a * a)", 1: "a", -1: "one / a",
           0.5: "sqrt(a)", -2: "one / (a * a)"}  # fmt: skip
# By which of the bounds there are.
_CLIPS = {
    (True, True): "a if a != a else b + c if b != b or c != c else c if b > c or a > c "
                  "else b if a < b else a",
    (True, False): "a if a > b or a != a else b",
    (False, True): "a if a < c or a != a else c",
}  # fmt: skip
_FINITE = "a if abs(a) < inf else zero if a != a else large if a > zero else -large"


def dtype_of(value: Any) -> np.dtype[Any] | None:
    """Give the dtype of a node or constant; None: a Python number, which takes that of others."""
    if type(value) is Node:
        return value.spec.dtype
    dtype = getattr(value, "dtype", None)
    return dtype if isinstance(dtype, np.dtype) else None


def is_number(value: Any) -> bool:
    """Tell whether a value without a dtype can be written in any float dtype."""
    if type(value) is Node:
        return value.spec.cls is float
    return type(value) in (float, int, bool) and not (
        type(value) is int and abs(value) > 2**53
    )


@lru_cache(maxsize=512)
def _template(text: str) -> ast.expr:
    parsed = ast.parse(text, mode="eval").body
    return parsed


class _Fill(ast.NodeTransformer):
    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)


def fill(text: str, **values: ast.expr) -> ast.expr:
    """Write an expression with others in the places of its names."""
    filled: ast.expr = _Fill(values).visit(copy.deepcopy(_template(text)))
    return filled


def computes_in(node: Node) -> np.dtype[Any] | None:
    """Say in which dtype an elementwise node's operands are taken; None: unknown to loops."""
    out = node.spec.dtype
    inputs = [i for i in node.inputs if i is not None]
    known = [dtype_of(i) for i in inputs]
    if out not in KNOWN or any(d is not None and d not in KNOWN for d in known):
        return None
    if any(d is None and not is_number(i) for d, i in zip(known, inputs, strict=True)):
        return None
    if out != np.dtype("b1"):
        return out
    typed = [d for d in known if d is not None]
    if not typed:
        return None
    common = np.result_type(*typed)
    if any(type(i) is not bool and d is None for d, i in zip(known, inputs, strict=True)):
        weak = [i for d, i in zip(known, inputs, strict=True) if d is None]
        integral = all(type(i) is int for i in weak)
        if common == np.dtype("b1") or (common not in FLOATS and not integral):
            common = np.result_type(common, np.dtype("i8") if integral else np.dtype("f8"))
    return common if common in KNOWN else None


def form_of(node: Node) -> str | None:
    """Give the text of what the op does to elements `a`, `b`, `c`, or None."""
    name, out = node.op.name, node.spec.dtype
    within = computes_in(node)
    if within is None or out is None:
        return None
    if name == "where":
        return "b if a else c" if dtype_of(node.inputs[0]) == np.dtype("b1") else None
    if name in ("copy", "astype", "full", "zeros"):
        return _conversion(node, out)
    if out == np.dtype("b1"):
        table = _OF_BOOLS if within == np.dtype("b1") else _TESTS
        if name in _OF_INFINITIES and within not in FLOATS:
            return None
        return table.get(name)
    if any(dtype_of(i) == np.dtype("i8") and out == np.dtype("f4") for i in node.inputs):
        return None
    if out not in FLOATS:
        same = all(dtype_of(i) in (out, None) for i in node.inputs)
        form = _OF_INTEGERS.get(name) if same else None
        return f"np.int32({form})" if form and out == np.dtype("i4") else form  # Numba widens it
    if name in ("power", "float_power"):
        return _power(node)
    if name == "clip":
        return _CLIPS.get((node.inputs[1] is not None, node.inputs[2] is not None))
    if name == "nan_to_num":
        return _FINITE if node.attrs == {"nan": 0.0} else None
    if name == "round":
        return "np.rint(a)" if node.attrs == {"decimals": 0} else None
    if name in _SCALAR_FUNCTIONS:
        few = "a, b" if len(node.inputs) == 2 else "a"
        return f"{_VECTOR.get(name, name)}({few})"
    return _OF_FLOATS.get(name)


def _conversion(node: Node, out: np.dtype[Any]) -> str | None:
    if node.op.name == "zeros":
        return "zero" if out in FLOATS else "0" if out.kind == "i" else "False"
    source = dtype_of(node.inputs[0])
    if node.op.name == "copy" or source == out:
        return "a"
    to_float = out in FLOATS and (source is None or source in KNOWN)
    return "a" if to_float else None


def _power(node: Node) -> str:
    exponent = node.inputs[1]
    if type(exponent) in (int, float) and exponent in _POWERS:
        return _POWERS[exponent]
    return "power(a, b)"


def number(value: Any, dtype: np.dtype[Any]) -> ast.expr:
    """Write a number in a dtype."""
    if dtype == np.dtype("b1"):
        return s.literal(bool(value))
    if dtype == np.dtype("f8"):
        return s.literal(float(value))
    if dtype == np.dtype("i8"):
        return s.literal(int(value))
    return s.call(f"np.{dtype.name}", s.literal(dtype.type(value).item()))


def cast(value: ast.expr, given: np.dtype[Any] | None, wanted: np.dtype[Any]) -> ast.expr:
    """Convert an element; `given` None is a Python number at run time."""
    if given == wanted or (given is None and wanted == np.dtype("f8")):
        return value
    return s.call(f"np.{'bool_' if wanted == np.dtype('b1') else wanted.name}", value)


class _Functions(ast.NodeTransformer):
    """Names the function of a dtype, and notes it."""

    def __init__(self, dtype: np.dtype[Any], used: set[str]) -> None:
        self.dtype = dtype
        self.used = used

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in CALLED:
            name = f"{_VECTOR.get(node.func.id, node.func.id)}_{self.dtype.str[1:]}"
            self.used.add(name)
            node.func = ast.Name(name, ast.Load())
        return node


CALLED = {*_SCALAR_FUNCTIONS, "power"}


def with_functions(value: ast.expr, dtype: np.dtype[Any], used: set[str]) -> ast.expr:
    """Call the functions of a dtype: `exp(x)` becomes `exp_f4(x)`."""
    written: ast.expr = _Functions(dtype, used).visit(value)
    return written
