"""Stacks of directions, known by their structure where that saves work on all their rows.

A stack stands for an array with a new first axis, which `whole` makes. Its rows may be the unit
vectors of a shape, or stand along the last axis of an array, and may be meant times a factor: what
a linear operation does to every row alike is then done to the factor, once. The zeros of unit
vectors are exact: they stay zeros beside infinities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.node import Node
from ..dag.op import value_of
from ..ops.reduce import axes_of
from ..ops.shape import swap


class Stack:
    """Rows of one shape: those of `base` (None: the unit vectors), each times `factor` (None: 1).

    The rows stand along the first axis of the base, and of one that is `turned` along the second,
    its last. The factor broadcasts to a row.
    """

    __slots__ = ("_whole", "base", "dtype", "factor", "rows", "shape", "turned")

    def __init__(
        self, base: Any, shape: tuple[int, ...], rows: int, dtype: Any, factor: Any = None,
        turned: bool = False,
    ) -> None:  # fmt: skip
        self.base = base
        self.shape = shape
        self.rows = rows
        self.dtype = dtype
        self.factor = factor
        self.turned = turned
        self._whole: Any = None

    @property
    def whole(self) -> Any:
        """The stack as an array, made once."""
        if self._whole is None:
            made = self._units() if self.base is None else self.scaled()
            made = swap(made) if self.turned else made
            self._whole = made if np.result_type(made) == self.dtype else made.astype(self.dtype)
        return self._whole

    def scaled(self) -> Any:
        """The base times the factor, turned if it is."""
        if self.factor is None:
            return self.base
        return self.base * (column(self.factor) if self.turned else self.factor)

    def full_factor(self) -> Any:
        """The factor, of the shape of a row."""
        if self.factor is None:
            return np.ones(self.shape, self.dtype)
        return np.broadcast_to(self.factor, self.shape)

    def _units(self) -> Any:
        if self.factor is None:
            rows = np.eye(self.rows, dtype=self.dtype)
        elif self.rows == 1:
            rows = self.full_factor()
        else:
            rows = np.diag(np.ravel(self.full_factor()))
        return np.reshape(rows, (self.rows, *self.shape))

    def times(self, factor: Any) -> Stack:
        """The same rows with another factor."""
        return Stack(self.base, self.shape, self.rows, self.dtype, factor, self.turned)

    def has_base_of(self, other: Stack) -> bool:
        """Tell whether two stacks differ by their factors alone."""
        return (self.base is other.base and self.shape == other.shape
                and self.turned == other.turned)  # fmt: skip


def units(like: Any) -> Stack:
    """All unit vectors of the shape of an array or number."""
    return Stack(None, np.shape(like), int(np.size(like)), np.result_type(like))


def column(x: Any) -> Any:
    """Make what broadcasts along the last axis of a row do so along the first of turned ones."""
    return x[:, None] if np.ndim(x) else x


# -- rules: (node, its operands, some of them stacks) -> the stack; None: it takes the array -------

Rule = Callable[[Node, list[Any]], Stack | None]


def structured(node: Node, operands: list[Any], as_columns: bool) -> Stack | None:
    """Run an operation on stacks without making their arrays, if it can be.

    as_columns: the rows are wanted as columns in the end, so what is turned may stay so.
    """
    stacks = [x for x in operands if type(x) is Stack]
    first = stacks[0]
    if any(np.result_type(node.value) != s.dtype for s in stacks) or first.dtype.kind not in "fc":
        return None
    rule = LINEAR.get(node.op.name)
    alike = all(s.shape == np.shape(node.value) for s in stacks)
    found = rule(node, operands) if rule is not None and alike else None
    if found is None and node.op.name in RESHAPING:
        found = RESHAPING[node.op.name](node, operands)
    if found is None and as_columns and node.op.name == "matmul":
        return _turned_product(node, operands)
    if found is None and node.op.elementwise and alike and all(s.turned for s in stacks):
        return _turned(node, operands)
    return found


def _same(node: Node, operands: list[Any]) -> Stack | None:
    (stack,) = operands
    return stack  # type: ignore[no-any-return]


def _one(factor: Any) -> Any:
    return 1.0 if factor is None else factor


def _product(node: Node, operands: list[Any]) -> Stack | None:
    x, y = operands
    if type(x) is type(y):
        return None
    stack, other = (x, y) if type(x) is Stack else (y, x)
    known = stack.factor
    if known is None and np.result_type(other).kind in "fc":
        return stack.times(other)
    return stack.times(_one(known) * other)


def _quotient(node: Node, operands: list[Any]) -> Stack | None:
    x, y = operands
    if type(y) is Stack or (x.factor is None and x.base is not None):
        return None
    return x.times(np.divide(_one(x.factor), y))  # type: ignore[no-any-return]


def _negative(node: Node, operands: list[Any]) -> Stack | None:
    (stack,) = operands
    return stack.times(-_one(stack.factor))  # type: ignore[no-any-return]


def _sum_of_two(node: Node, operands: list[Any]) -> Stack | None:
    x, y = operands
    if type(x) is not type(y) or not x.has_base_of(y):
        return None
    return x.times(node.op(_one(x.factor), _one(y.factor)))  # type: ignore[no-any-return]


def _choice(node: Node, operands: list[Any]) -> Stack | None:
    """Choose between factors; beside zeros of unit vectors alone, as 0 times infinity is none."""
    condition, *choices = operands
    stacks = [x for x in choices if type(x) is Stack]
    if not stacks or type(condition) is Stack or not stacks[0].has_base_of(stacks[-1]):
        return None
    if len(stacks) < 2 and (stacks[0].base is not None or not any(map(_is_zero, choices))):
        return None
    one = stacks[0].dtype.type(1)
    factors = [(one if x.factor is None else x.factor) if type(x) is Stack else 0 for x in choices]
    return stacks[0].times(np.where(condition, *factors))


def _is_zero(value: Any) -> bool:
    return type(value) in (int, float) and value == 0


def _turned(node: Node, operands: list[Any]) -> Stack:
    """Run an elementwise operation on turned bases."""
    first = next(x for x in operands if type(x) is Stack)
    given = [x.scaled() if type(x) is Stack else column(x) for x in operands]
    return Stack(node.op(*given, **node.attrs), first.shape, first.rows, first.dtype, turned=True)


def _reshape(node: Node, operands: list[Any]) -> Stack | None:
    stack = operands[0]
    if stack.base is not None or node.attrs.get("order", "C") != "C":
        return None
    shape = np.shape(node.value)
    factor = stack.factor
    if np.ndim(factor):  # None has no axes either
        factor = np.reshape(stack.full_factor(), shape)
    return Stack(None, shape, stack.rows, stack.dtype, factor)


def _sum(node: Node, operands: list[Any]) -> Stack | None:
    """Sum all elements of each unit vector: there is one."""
    stack = operands[0]
    axes = axes_of(node.attrs["axis"], len(stack.shape))
    if stack.base is not None or len(axes) != len(stack.shape):
        return None
    shape = np.shape(node.value)
    sums = np.reshape(stack.full_factor(), (stack.rows, *shape))
    return Stack(sums, shape, stack.rows, stack.dtype)


def _matmul(node: Node, operands: list[Any]) -> Stack | None:
    """Multiply unit vectors, which gives rows or columns of the matrix."""
    a, b = operands
    if type(a) is type(b):
        return None
    stack, matrix = (a, b) if type(a) is Stack else (b, a)
    if stack.base is not None or len(stack.shape) != 1 or np.ndim(matrix) > 2:
        return None
    turned = stack is b and np.ndim(matrix) == 2
    if turned and _is_transposed(matrix):
        turned, matrix = False, swap(matrix)
    factor = stack.factor
    if factor is not None:
        along = factor if turned or np.ndim(matrix) == 1 else column(factor)
        matrix = matrix * along
    return Stack(matrix, np.shape(node.value), stack.rows, stack.dtype, turned=turned)


def _is_transposed(matrix: Any) -> bool:
    flags = value_of(matrix).flags
    return bool(flags.f_contiguous and not flags.c_contiguous)


def _turned_product(node: Node, operands: list[Any]) -> Stack | None:
    """Multiply columns by a matrix from the left."""
    matrix, stack = operands
    if type(stack) is not Stack or not stack.turned or np.ndim(matrix) != 2:
        return None
    product = np.matmul(matrix, stack.scaled())
    return Stack(product, np.shape(node.value), stack.rows, stack.dtype, turned=True)


RESHAPING: dict[str, Rule] = {
    "reshape": _reshape, "ravel": _reshape, "sum": _sum, "matmul": _matmul,
}  # fmt: skip
# Of stacks whose rows have the shape of the result.
LINEAR: dict[str, Rule] = {
    "identity": _same, "checkpoint": _same, "recomputed": _same, "convert": _same,
    "multiply": _product, "divide": _quotient, "negative": _negative, "positive": _same,
    "add": _sum_of_two, "subtract": _sum_of_two, "where": _choice,
}  # fmt: skip
