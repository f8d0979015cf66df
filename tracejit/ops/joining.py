"""Joining arrays to one, and splitting one into parts.

All joins come down to `concatenate`, whose parts compiled code computes in the memory of the
whole. Parts of a split array are slices of it, which share its memory.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..dag.op import BY_NAME, composite, op
from .arrays import as_array
from .conversions import cast
from .shape import along, axis_of, with_axes


def _concatenate_rule(g: Any, out: Any, position: int, inputs: list[Any], axis: int) -> Any:
    axis = axis % np.ndim(inputs[0])
    start = sum(np.shape(x)[axis] for x in inputs[:position])
    stop = start + np.shape(inputs[position])[axis]
    return g[along(axis, slice(start, stop))]


concatenate = op(
    "concatenate", lambda *arrays, axis=0: np.concatenate(arrays, axis=axis), variadic=True,
    vjp=_concatenate_rule, out=True, path="np.concatenate",
)  # fmt: skip


@composite(np.concatenate)
def _concatenate(
    arrays: Any, /, axis: Any = 0, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    return join([as_array(a) for a in arrays], axis, dtype, casting)


def join(arrays: list[Any], axis: Any, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays along an axis; None: their elements."""
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    if dtype is not None:
        arrays = [_cast(a, np.dtype(dtype), casting) for a in arrays]
    axis = operator.index(axis)
    ndim = arrays[0].ndim if arrays else 0
    return concatenate(*arrays, axis=axis % ndim if -ndim <= axis < ndim else axis)


def _cast(a: Any, dtype: Any, casting: Any) -> Any:
    if not np.can_cast(a.dtype, dtype, casting):
        raise TypeError(f"Cannot cast array data from {a.dtype!r} to {dtype!r} by {casting!r}")
    return cast(a, dtype)


@composite(np.stack)
def stack(arrays: Any, axis: Any = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join equal shapes along a new axis."""
    made = [as_array(a) for a in arrays]
    if not made:
        raise ValueError("need at least one array to stack")
    if len({a.shape for a in made}) > 1:
        raise ValueError("all input arrays must have the same shape")
    place = axis_of(axis, made[0].ndim + 1)
    return join([np.expand_dims(a, place) for a in made], place, dtype, casting)


@composite(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join rows."""
    return join([with_axes(as_array(a), 2) for a in tup], 0, dtype, casting)


@composite(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join along the second axis, or vectors along their only one."""
    arrays = [with_axes(as_array(a), 1) for a in tup]
    return join(arrays, 0 if arrays and arrays[0].ndim == 1 else 1, dtype, casting)


@composite(np.dstack)
def dstack(tup: Any) -> Any:
    """Join along the third axis."""
    return join([with_axes(as_array(a), 3) for a in tup], 2)


@composite(np.column_stack)
def column_stack(tup: Any) -> Any:
    """Join vectors as columns, and matrices."""
    arrays = [as_array(a) for a in tup]
    return join([np.reshape(a, (-1, 1)) if a.ndim < 2 else a for a in arrays], 1)


@composite(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """Join values to an array."""
    return join([as_array(arr), as_array(values)], axis)


@composite(np.block)
def block(arrays: Any) -> Any:
    """Join nested lists of blocks: the innermost along the last axis."""
    depth = _depth(arrays)
    leaves = list(_leaves(arrays))
    ndim = max(depth, *(leaf.ndim for leaf in leaves))

    def joined(part: Any, level: int) -> Any:
        if level == 0:
            leaf = next(blocks)
            return np.reshape(leaf, (1,) * (ndim - leaf.ndim) + leaf.shape)
        return join([joined(p, level - 1) for p in part], ndim - level)

    blocks = iter(leaves)
    return joined(arrays, depth) if depth else BY_NAME["copy"](leaves[0])


def _depth(arrays: Any) -> int:
    """Count how deep lists are nested, which must be the same everywhere."""
    if isinstance(arrays, tuple):
        raise TypeError("np.block takes lists and arrays, no tuples")
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(part) for part in arrays}
    if not depths:
        raise ValueError("List at arrays cannot be empty")
    if len(depths) > 1:
        raise ValueError(f"List depths are mismatched: they are {sorted(depths)}")
    return 1 + depths.pop()


def _leaves(arrays: Any) -> Any:
    if isinstance(arrays, list):
        for part in arrays:
            yield from _leaves(part)
    else:
        yield as_array(arrays)


# -- splitting ----------------------------------------------------------------------------------


@composite(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    """Split into parts, some of which may be longer by one."""
    ary = as_array(ary)
    place = axis_of(axis, ary.ndim)
    length = ary.shape[place]
    if np.ndim(indices_or_sections):
        inner = [operator.index(i) for i in indices_or_sections]
    else:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        part, longer = divmod(length, count)
        inner = [i * part + min(i, longer) for i in range(1, count)]
    return [ary[along(place, slice(*ends))] for ends in pairwise([0, *inner, length])]


@composite(np.split)
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    """Split into parts of equal lengths, or at the given places."""
    if not np.ndim(indices_or_sections) and np.shape(ary)[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


def _split_along(axis: int, least: int) -> Callable[..., Any]:
    def split_along(ary: Any, indices_or_sections: Any) -> Any:
        ndim = np.ndim(ary)
        if ndim < least:
            raise ValueError(f"only works on arrays of {least} or more dimensions")
        return split(ary, indices_or_sections, min(axis, ndim - 1))

    return split_along


for _function, _axis, _least in ((np.vsplit, 0, 2), (np.hsplit, 1, 1), (np.dsplit, 2, 3)):
    composite(_function)(_split_along(_axis, _least))


def unstack(x: Any, /, *, axis: Any = 0) -> Any:
    """Split along an axis into parts that do not have it."""
    if np.ndim(x) == 0:
        raise ValueError("Input array must be at least 1-d.")
    place = axis_of(axis, np.ndim(x))
    return tuple(x[along(place, i)] for i in range(np.shape(x)[place]))


if hasattr(np, "unstack"):  # NumPy 2.1
    composite(np.unstack)(unstack)

# -- taking elements in an order that is known --------------------------------------------------

FEW = 4  # as many slices are read one by one; more elements that are chosen are gathered


def pick(x: Any, places: Any, axis: int) -> Any:
    """Make a new array of the elements at plain places along an axis, in slices where it can."""
    slices = _slices(places.tolist())
    if len(slices) > FEW:
        return x[along(axis, places)]
    whole = [slice(0, x.shape[axis])]
    parts = [x[along(axis, s)] if [s] != whole else x for s in slices]
    return concatenate(*parts, axis=axis) if parts else BY_NAME["copy"](x[along(axis, slice(0))])


def _slices(places: list[int]) -> list[slice]:
    """Write places as slices, each up or down by a step that does not change."""
    found: list[slice] = []
    at = 0
    while at < len(places):
        end = at + 1
        step = places[end] - places[at] if end < len(places) else 1
        while step and end < len(places) and places[end] - places[end - 1] == step:
            end += 1
        step = step if end - at > 1 else 1
        stop = places[end - 1] + (1 if step > 0 else -1)
        found.append(slice(places[at], None if stop < 0 else stop, None if step == 1 else step))
        at = end
    return found
