"""What a node in a loop reads: the same value, one of this loop, a row of a stack, a number.

Operands of one place of a repeated stretch enter, one an iteration; leave what they have in common.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ..loop import spec_of_operand
from ..node import Node, Spec
from ..op import exact
from ..periods import Numbers, Trace, without_numbers

SMALL = 1 << 16  # bytes of values that are stacked for a loop at every call


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """The same node or constant in every iteration."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Inner:
    """A node of the body, `lag` iterations ago; `before`: what was read in the first ones."""

    place: int
    lag: int
    before: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Constants."""

    values: list[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A node of an earlier loop, at iteration `first`, `first + step`, ... of that.

    like: one of these nodes.
    """

    loop: Found
    place: int
    first: int
    step: int
    like: Node


@dataclass(frozen=True, slots=True, eq=False)
class Sliced:
    """Rows of an array: one integer of an index goes up or down by one.

    array: the node that is indexed. key: the index; `place`: where in it the integer stands, which
    is `first` and goes by `step`; `axis`: where in the result a slice would leave an axis.
    length: of the array's axis. long: it is the slice from the integer to the next one.
    """

    array: Node
    key: Any
    place: int
    first: int
    step: int
    axis: int
    length: int
    long: bool


@dataclass(frozen=True, slots=True, eq=False)
class Stacked:
    """Some other nodes."""

    nodes: list[Node]


@dataclass(frozen=True, slots=True, eq=False)
class Viewed:
    """A view of what another column reads; `numbers`: what its index varies by, or None."""

    node: Node
    viewed: Relation
    numbers: Any


Relation = Fixed | Inner | Table | Rows | Stacked | Viewed


@dataclass(slots=True, eq=False)
class Found:
    """A loop: where it begins, its period, its iterations, and what its nodes read.

    columns: of each place, what its inputs are. numbers: by place, the integers of its index, a
    row each, where they change. before: by place, what is carried into the first iteration.
    invariant: the places that give the same in each iteration.
    """

    start: int
    period: int
    count: int
    columns: list[list[Relation]] = field(default_factory=list)
    numbers: dict[int, Any] = field(default_factory=dict)
    before: dict[int, Any] = field(default_factory=dict)
    invariant: set[int] = field(default_factory=set)

    @property
    def stop(self) -> int:
        """The number of the first node behind it."""
        return self.start + self.period * self.count


def similar(old: Node, new: Node, trace: Trace) -> bool:
    """Tell whether two nodes do the same, except that the first may read constants."""
    if old.op is not new.op or old.op.effect or old.backward != new.backward:
        return False
    if old.spec != new.spec or old.spec.layout != new.spec.layout:
        return False
    if len(old.inputs) != len(new.inputs) or old.where != new.where:
        return False
    if repr(without_numbers(old.attrs)) != repr(without_numbers(new.attrs)):
        return False
    return all(
        type(a) is type(b) or (isinstance(a, (int, float, np.floating)) and type(b) is Node)
        for a, b in zip(trace.inputs(old), trace.inputs(new), strict=True)
    )


def table_of(values: list[Any]) -> Relation | None:
    """Make a table of constants that are of one type."""
    like = values[0]
    if not hasattr(like, "dtype") and type(like) not in (int, float, bool, complex):
        same = all(v is like or v == like for v in values)
        return Fixed(like) if same else None
    if all(v is like or exact(v) == exact(like) for v in values):
        return Fixed(like)
    if isinstance(like, np.ndarray):
        same = all(v.shape == like.shape and v.dtype == like.dtype for v in values)
        return Table(values) if same and like.nbytes * len(values) <= SMALL else None
    if type(like) is int and max(map(abs, values)) >= 1 << 62:
        return None
    return Table(values)


def fitted(value: Any, spec: Spec, reader: Node) -> Any:
    """Give an initial value the type that the later ones have, where the reader does so, too."""
    if spec_of_operand(value) == spec:
        return value
    if type(value) not in (int, float) or not reader.op.elementwise or reader.spec != spec:
        return None
    if spec.cls is float:
        return float(value)
    if spec.dtype is None or spec.dtype.kind != "f" or spec.nbytes > SMALL:
        return None
    others = [i.spec for i in reader.operands]
    if not any(other.dtype == spec.dtype for other in others):
        return None
    number = spec.dtype.type(value)
    if float(number) != value:  # NaN, too
        return None
    return np.full(spec.shape, number) if spec.is_array else number


def varying(node: Any, read: Relation, rows: list[Numbers]) -> Any:
    """Say how the integers in an index vary: as rows of an array, else by a table, or None."""
    columns = list(zip(*rows, strict=True))
    varies = [number for number, column in enumerate(columns) if len(set(column)) > 1]
    if node.op.name == "index" and type(read) is Fixed and type(read.value) is Node:
        sliced = _sliced(read.value, node.attrs["key"], columns, varies)
        if sliced is not None:
            return sliced
    key = node.attrs["key"]
    kinds: list[type] = []
    for part in key if type(key) is tuple else (key,):
        kinds += [slice, slice] if type(part) is slice else [int] if type(part) is int else []
    return rows if all(kinds[number] is int for number in varies) else None


def _sliced(array: Node, key: Any, columns: list[Any], varies: list[int]) -> Sliced | None:
    """Find the rows of an array that an index reads one after the other."""
    number = axis = result = 0
    parts = key if type(key) is tuple else (key,)
    wanted = varies[0]
    for place, part in enumerate(parts):
        if part is Ellipsis:
            skipped = len(array.spec.shape) - sum(type(p) in (int, slice) for p in parts)
            axis, result = axis + skipped, result + skipped
        elif type(part) is slice:
            if number == wanted:
                starts, stops = columns[number], columns[number + 1]
                one = len(varies) == 2 and None not in (*starts, *stops) and part.step is None
                if not one or any(b - a != 1 or a < 0 for a, b in zip(starts, stops, strict=True)):
                    return None
                return _stepped(array, key, place, starts, axis, result, True)
            number, axis, result = number + 2, axis + 1, result + 1
        elif type(part) is int:
            if number == wanted:
                if len(varies) > 1:
                    return None
                return _stepped(array, key, place, columns[number], axis, result, False)
            number, axis = number + 1, axis + 1
        elif part is None:
            result += 1
        else:
            return None
    return None


def _stepped(
    array: Node, key: Any, place: int, numbers: Any, axis: int, result: int, long: bool
) -> Sliced | None:
    length = array.spec.shape[axis]
    rows = [number + length if number < 0 else number for number in numbers]
    step = rows[1] - rows[0]
    if abs(step) != 1 or any(b - a != step for a, b in pairwise(rows)):
        return None
    return Sliced(array, key, place, rows[0], step, result, length, long)


def with_number(attrs: dict[str, Any], sliced: Sliced, time: int) -> dict[str, Any] | None:
    """Give the attributes of an index that reads the row for a further iteration, if it exists."""
    number = sliced.first + sliced.step * time
    parts = list(sliced.key) if type(sliced.key) is tuple else [sliced.key]
    if not 0 <= number < sliced.length:
        return None
    parts[sliced.place] = slice(number, number + 1) if sliced.long else number
    return {**attrs, "key": tuple(parts) if type(sliced.key) is tuple else parts[0]}


def identity(value: Any) -> Any:
    """A key for a node or constant."""
    return id(value) if type(value) is Node else (type(value), exact(value))
