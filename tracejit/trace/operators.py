"""The operators of tracers, each a thin word for an op.

Python numbers keep Python's arithmetic: for two of them the operator itself is run and recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.op import BY_FUNCTION, BY_NAME, Op
from . import dispatch
from .tracer import Tracer

_DUNDERS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv",
    "floor_divide": "floordiv", "remainder": "mod", "power": "pow", "matmul": "matmul",
    "bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor",
    "left_shift": "lshift", "right_shift": "rshift",
}  # fmt: skip
_COMPARISONS = {
    "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "equal": "eq", "not_equal": "ne",
}  # fmt: skip
_UNARY = {"negative": "neg", "positive": "pos", "absolute": "abs", "invert": "invert"}
_OPERANDS = (int, float, complex, bool, np.generic, np.ndarray)
_FAST_POWERS = {2: BY_FUNCTION[np.square], 0.5: BY_FUNCTION[np.sqrt]}


def _foreign(tracer: Tracer, other: Any) -> bool:
    """Tell whether an operand is for its own type to handle: a list times a Python number, say."""
    return not isinstance(other, _OPERANDS) and (
        not isinstance(other, (list, tuple)) or not hasattr(tracer.node.value, "dtype")
    )


def _binary(op: Op) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    run = op.operator

    def forward(self: Tracer, other: Any) -> Any:
        if type(other) is not Tracer and _foreign(self, other):
            return NotImplemented
        return self.recorder.record(op, (self, other), {}, run)

    def reflected(self: Tracer, other: Any) -> Any:
        if _foreign(self, other):
            return NotImplemented
        return self.recorder.record(op, (other, self), {}, run)

    def in_place(self: Tracer, other: Any) -> Any:
        if type(self.node.value) is not np.ndarray or not self.recorder.open:
            return NotImplemented
        return dispatch.store(self, forward(self, other))

    return forward, reflected, in_place


def _power(self: Tracer, exponent: Any, modulo: Any = None) -> Any:
    if modulo is not None:
        numbers = dispatch.plain((exponent, modulo))
        return pow(self._leave("pow() with a modulus", keeps_gradient=True), *numbers)
    value = self.node.value
    if type(value) is np.ndarray and type(exponent) in (int, float):
        op = _FAST_POWERS.get(exponent)  # as ndarray.__pow__ does
        if op is not None and (value.dtype.kind == "f" or exponent == 2):
            return self.recorder.record(op, (self,), {})
    return _typed(_general_power(self, exponent), value, exponent)


def _rpower(self: Tracer, base: Any) -> Any:
    return _typed(_general_rpower(self, base), base, self)


def _typed(power: Any, base: Any, exponent: Any) -> Any:
    """Guard the type of a power of Python numbers where it depends on their values."""
    if type(power) is Tracer and not hasattr(power.node.value, "dtype"):
        settled = (
            type(exponent) is int and (exponent >= 0 or type(base) is float)
        ) or (type(exponent) is float and exponent.is_integer())
        if not settled:
            power.recorder.guard(power.node, "type", type(power.node.value))
    return power


def _unary(op: Op) -> Callable[[Tracer], Any]:
    run = op.operator
    return lambda self: self.recorder.record(op, (self,), {}, run)


for _name, _dunder in {**_DUNDERS, **_COMPARISONS}.items():
    _forward, _reflected, _in_place = _binary(BY_NAME[_name])
    setattr(Tracer, f"__{_dunder}__", _forward)
    if _name in _DUNDERS:
        setattr(Tracer, f"__r{_dunder}__", _reflected)
        setattr(Tracer, f"__i{_dunder}__", _in_place)
for _name, _dunder in _UNARY.items():
    setattr(Tracer, f"__{_dunder}__", _unary(BY_NAME[_name]))
_general_power = Tracer.__dict__["__pow__"]
_general_rpower = Tracer.__dict__["__rpow__"]
setattr(Tracer, "__pow__", _power)  # noqa: B010  (mypy knows of no such method)
setattr(Tracer, "__rpow__", _rpower)  # noqa: B010


def _divmod(left: Any, right: Any) -> Any:
    return left // right, left % right


for _dunder, _pair in (("divmod", _divmod), ("rdivmod", lambda self, other: _divmod(other, self))):
    setattr(Tracer, f"__{_dunder}__", _pair)
