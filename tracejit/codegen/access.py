"""Where a value lies that is read through views: chains of views as index arithmetic.

A view (transpose, basic index, axes of length 1 put in or left out, broadcast) is never made in
a loop kernel: its reader's index is taken back through the view to an index of the array below.
An index is one `Step` per axis: offset + stride * loop variable.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..dag.node import Node
from ..dag.op import HOLE


class Step(NamedTuple):
    """An index along one axis; `loop` is the number of a loop, None for a fixed place."""

    loop: int | None
    stride: int = 1
    offset: int = 0


FIRST = Step(None)
Axes = tuple[int | None, ...]  # for each axis of a value the loop that runs along it, or None


def viewed(node: Any) -> Node | None:
    """Give what a node views if loops can read through it, else None."""
    if type(node) is not Node or not node.op.views or node.spec.is_python:
        return None
    source = node.inputs[0]
    if type(source) is not Node or not source.spec.is_array:
        return None
    name = node.op.name
    if name in ("transpose", "identity", "recomputed", "broadcast_to"):
        return source
    if name in ("reshape", "ravel"):
        long = [n for n in source.spec.shape if n != 1]
        return source if long == [n for n in node.spec.shape if n != 1] else None
    return source if name == "index" and _is_readable(node.attrs["key"]) else None


def _is_readable(key: Any) -> bool:
    """Tell whether a basic index is made of integers, slices, None and an ellipsis."""
    parts = key if type(key) is tuple else (key,)
    return all(
        part is None or part is Ellipsis or type(part) in (int, slice) for part in parts
    ) and HOLE not in parts


def root_of(value: Any) -> Any:
    """Follow views down to what they view."""
    below = viewed(value)
    while below is not None:
        value, below = below, viewed(below)
    return value


def is_block(key: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether a key selects neighbouring elements along each axis."""
    return _is_readable(key) and all(
        type(part) is not slice or part.indices(n)[2] == 1
        for part, n in zip(_without_new(key, shape), shape, strict=True)
    )


def _without_new(key: Any, shape: tuple[int, ...]) -> list[Any]:
    return [part for part in parts_of(key, len(shape)) if part is not None]


def is_sliced(value: Any) -> bool:
    """Tell whether a value views an array by an index."""
    below = viewed(value)
    while below is not None:
        if value.op.name == "index":
            return True
        value, below = below, viewed(below)
    return False


def is_run_of_rows(value: Node) -> bool:
    """Tell whether a value is a row of an array, or rows that follow one another in it."""
    if value.op.name != "index" or not value.spec.is_array:
        return False
    key = value.attrs["key"]
    return type(key) is int or (type(key) is slice and key.step in (None, 1))


def parts_of(key: Any, ndim: int) -> list[Any]:
    """Write a basic index out: one part per axis, and None for new ones."""
    parts = list(key) if type(key) is tuple else [key]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    missing = [slice(None)] * (ndim - taken)
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        return [*parts[:at], *missing, *parts[at + 1 :]]
    return [*parts, *missing]


def take_back(node: Node, index: tuple[Step, ...]) -> tuple[Any, tuple[Step, ...]]:
    """Turn an index of a node into the same place in what it views."""
    source = viewed(node)
    while source is not None:
        index = _through(node, source, index)
        node, source = source, viewed(source)
    return node, index


def _through(node: Node, source: Node, index: tuple[Step, ...]) -> tuple[Step, ...]:
    name, shape = node.op.name, source.spec.shape
    if name == "transpose":
        axes = node.attrs["axes"]
        return tuple(index[axes.index(i)] for i in range(len(shape)))
    if name == "broadcast_to":
        return aligned(shape, index)
    if name in ("reshape", "ravel"):
        long = (s for s, n in zip(index, node.spec.shape, strict=True) if n != 1)
        return tuple(FIRST if n == 1 else next(long) for n in shape)
    if name == "index":
        return _through_index(node.attrs["key"], shape, index)
    return index


def _through_index(
    key: Any, shape: tuple[int, ...], index: tuple[Step, ...]
) -> tuple[Step, ...]:
    steps, rest, axis = [], iter(index), 0
    for part in parts_of(key, len(shape)):
        if part is None:
            next(rest)
            continue
        length = shape[axis]
        axis += 1
        if type(part) is slice:
            start, _, stride = part.indices(length)
            step = next(rest)
            steps.append(Step(step.loop, step.stride * stride, start + stride * step.offset))
        else:
            steps.append(Step(None, 1, part % length))
    return tuple(steps)


def axes_through(value: Any, axes: dict[Node, Axes]) -> Axes | None:
    """Give the axes of a value that views one whose axes are known; None: it cannot be followed."""
    if value in axes:
        return axes[value]
    source = viewed(value)
    below = None if source is None else axes_through(source, axes)
    if source is None or below is None:
        return None
    name, shape = value.op.name, value.spec.shape
    if name == "transpose":
        return tuple(below[i] for i in value.attrs["axes"])
    if name == "broadcast_to":
        return (None,) * (len(shape) - len(below)) + below
    if name in ("reshape", "ravel"):
        long = (a for a, n in zip(below, source.spec.shape, strict=True) if n != 1)
        return tuple(None if n == 1 else next(long) for n in shape)
    if name == "index":
        return _axes_of_index(value.attrs["key"], below, source.spec.shape)
    return below


def _axes_of_index(key: Any, below: Axes, shape: tuple[int, ...]) -> Axes | None:
    found: list[int | None] = []
    axis = 0
    for part in parts_of(key, len(shape)):
        if part is None:
            found.append(None)
            continue
        whole = type(part) is slice and part.indices(shape[axis]) == (0, shape[axis], 1)
        if not whole and below[axis] is not None:
            return None
        if type(part) is slice:
            found.append(below[axis])
        axis += 1
    return tuple(found)


def aligned(value_shape: tuple[int, ...], index: tuple[Step, ...]) -> tuple[Step, ...]:
    """Broadcast: the index of an operand of this shape for a result's index."""
    own = index[len(index) - len(value_shape) :]
    return tuple(FIRST if n == 1 else step for n, step in zip(value_shape, own, strict=True))
