"""Constants in emitted code: literals, names bound in the prelude, or keyword arguments.

Small and regular arrays are written out once, in the prelude. What has no short text, a large
array or an object, is handed to the main function: `extras` holds it by name.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ..dag.node import dtype_name, is_uniform
from . import syntax as s
from .names import Names

_NUMBER_WORDS = {0.5: "half", 1.0: "one", 2.0: "two"}
LITERAL_LIMIT = 64  # elements of a constant array that is written out, bytes of a text of bytes


class Constants:
    """The constants of one module.

    bound: what the prelude binds, by name. arrays: those among the constants. dtypes: those that
    are read by their short names.
    """

    def __init__(self, names: Names, extras: dict[str, Any]) -> None:
        self.bound: dict[str, ast.expr] = {}
        self.dtypes: dict[str, np.dtype[Any]] = {}
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        self.extras = extras
        self._names = names
        self._known: dict[Any, str] = {}

    def write(self, value: Any) -> ast.expr:
        """Write a constant where it is read."""
        if isinstance(value, np.ndarray):
            return s.name(self.array(value))
        if isinstance(value, np.generic):
            return s.call(f"np.{_scalar_name(type(value))}", s.literal(value.item()))
        self.note_dtype(value)
        if type(value) is not bytes or len(value) <= LITERAL_LIMIT:
            try:
                return s.literal(value)
            except TypeError:
                pass
        return s.name(self._extra(value, value if type(value) is bytes else id(value)))

    def number(self, value: float, dtype: np.dtype[Any]) -> ast.expr | None:
        """Name a common number that is kept as a 0-d array, or give None."""
        word = _NUMBER_WORDS.get(value)
        if word is None:
            return None
        key = (word, dtype.str)
        if key not in self._known:
            name = self._known[key] = self._names.take(word)
            self.note_dtype(dtype)
            self.bound[name] = s.call("np.array", s.literal(value), s.literal(dtype))
        return s.name(self._known[key])

    def array(self, value: np.ndarray[Any, Any]) -> str:
        """Name an array: of the prelude where it can be written, else a keyword argument."""
        key = (value.shape, value.dtype.str, value.tobytes())
        if key not in self._known:
            expression = self.array_expression(value)
            if expression is None:
                self._extra(value, key)
            else:
                name = self._known[key] = self._names.take("const", numbered=True)
                self.bound[name] = expression
            self.arrays[self._known[key]] = value
        return self._known[key]

    def array_expression(self, value: np.ndarray[Any, Any]) -> ast.expr | None:
        """Write an array out, where it is uniform, a range, an identity, a triangle, or small."""
        dtype, shape = s.literal(value.dtype), s.literal(value.shape)
        self.note_dtype(value.dtype)
        if is_uniform(value):
            if not any(value.flat[:1].tobytes()):
                return s.call("np.zeros", shape, dtype)
            return s.call("np.full", shape, s.literal(value.flat[0].item()), dtype)
        makers = (("np.arange", np.arange), ("np.eye", np.eye)) if value.ndim else ()
        for path, make in makers:
            if value.shape == (len(value),) * (1 + (make is np.eye)) and value.dtype.kind != "b":
                same = make(len(value), dtype=value.dtype)
                if value.tobytes() == same.tobytes():
                    return s.call(path, s.literal(len(value)), dtype=dtype)
        if value.size <= LITERAL_LIMIT:
            return s.call("np.array", _nested(value.tolist()), dtype)
        return _triangle(value)

    def note_dtype(self, dtype: Any) -> None:
        """Have the prelude bind a dtype's short name."""
        if isinstance(dtype, np.dtype) and dtype.isnative:
            self.dtypes[dtype_name(dtype)] = dtype

    def _extra(self, value: Any, key: Any) -> str:
        if key not in self._known:
            name = self._known[key] = self._names.take("const", numbered=True)
            self.extras[name] = value
        return self._known[key]


def _triangle(value: np.ndarray[Any, Any]) -> ast.expr | None:
    """Write a square matrix of ones in a triangle, with ones or halves on its diagonal."""
    n, dtype = len(value), value.dtype
    if value.shape != (n, n) or dtype.kind not in "fb":
        return None
    kind, size = s.literal(dtype), s.literal(n)
    ones = s.call("np.ones", s.literal(value.shape), kind)
    halves = ast.BinOp(s.call("np.eye", size, dtype=kind), ast.Div(), s.literal(2.0))
    for triangle, expression in (
        (np.tri(n), s.call("np.tri", size, dtype=kind)),
        (np.tri(n).T, s.call("np.triu", ones)),
    ):
        if np.array_equal(value, triangle):
            return expression
        if dtype.kind == "f" and np.array_equal(value, triangle - np.eye(n) / 2.0):
            return ast.BinOp(expression, ast.Sub(), halves)
    return None


def _scalar_name(cls: type) -> str:
    return "bool_" if cls is np.bool_ else cls.__name__


def _nested(value: Any) -> ast.expr:
    if isinstance(value, list):
        return ast.List([_nested(v) for v in value], ast.Load())
    return s.literal(value)
