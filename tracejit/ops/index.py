"""Indexing: reading, its transpose, and writing as a new value.

An index is kept as a template, in which HOLE stands for each array or traced integer; those are
inputs of the op. All forms of NumPy's indexing are covered by the same four ops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import HOLE, Op, op, value_of
from .complexes import imag_part, join_parts, real_part
from .conversions import copy
from .shape import inverse


def fill(key: Any, arrays: tuple[Any, ...]) -> Any:
    """Put the arrays back into an index template."""
    if key is HOLE:
        return arrays[0]
    if type(key) is not tuple or not arrays:
        return key
    rest = iter(arrays)
    return tuple(next(rest) if part is HOLE else part for part in key)


def is_basic(key: Any) -> bool:
    """Tell whether an index selects each element at most once (no arrays in it)."""
    return key is not HOLE and (type(key) is not tuple or HOLE not in key)


def _index(x: Any, *arrays: Any, key: Any) -> Any:
    return x[fill(key, arrays)]


def _unindex(g: Any, *arrays: Any, key: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, np.result_type(g))
    if is_basic(key):
        out[key] = g
    else:
        np.add.at(out, fill(key, arrays), g)
    return out


def _set(x: Any, value: Any, *arrays: Any, key: Any) -> Any:
    x[fill(key, arrays)] = value
    return x


def _add(x: Any, value: Any, *arrays: Any, key: Any) -> Any:
    if is_basic(key):
        x[key] += value
    else:
        np.add.at(x, fill(key, arrays), value)
    return x


def like_it(x: Any) -> Any:
    """Copy an array with the same strides: on them it depends whether a reshape is a view."""
    if x.flags.forc or not x.flags.writeable:  # what is broadcast has no memory of its own
        return np.array(x, order="K")
    ends = [(n - 1) * stride for n, stride in zip(x.shape, x.strides, strict=True)]
    below = -sum(end for end in ends if end < 0)
    memory = np.empty(below + sum(end for end in ends if end > 0) + x.itemsize, np.uint8)
    copy: Any = np.ndarray(x.shape, x.dtype, memory, below, x.strides)
    copy[...] = x
    return copy


def _index_set(x: Any, value: Any, *arrays: Any, key: Any) -> Any:
    return _set(like_it(x), value, *arrays, key=key)


def _index_add(x: Any, value: Any, *arrays: Any, key: Any) -> Any:
    return _add(like_it(x), value, *arrays, key=key)


def _last_writer(*arrays: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Where an index names an element twice, the later write counts: True for those that count."""
    numbers = np.zeros(shape, np.intp)
    where = fill(key, arrays)
    mine = np.arange(numbers[where].size).reshape(numbers[where].shape)
    numbers[where] = mine
    return numbers[where] == mine


def _read_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    x, *arrays = values
    return None if position else unindex(g, *arrays, key=key, shape=x.shape)


def _unindex_rule(g: Any, out: Any, position: int, values: list[Any], key: Any, shape: Any) -> Any:
    return None if position else index(g, *values[1:], key=key)


def _set_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    _, _, *arrays = values
    if position == 0:
        return index_set(g, 0.0, *arrays, key=key)
    if position > 1:
        return None
    read = index(g, *arrays, key=key)
    plain = value_of(read)
    if isinstance(plain, np.ndarray) and plain.base is not None:
        read = copy(read)  # the next rule overwrites what this is a view of
    if is_basic(key) or all(np.result_type(a).kind == "b" for a in arrays):
        return read  # a mask, too, selects each element once
    counts = last_writer(*arrays, key=key, shape=out.shape)
    if type(counts) is np.ndarray and counts.all():  # constant, and names no element twice
        return read
    return np.where(counts, read, 0)


def _own_set_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    if position == 0:
        return index_set.reuse(g, 0.0, *values[2:], key=key)
    return _set_rule(g, out, position, values, key)


def _add_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    if position > 1:
        return None
    return g if position == 0 else index(g, *values[2:], key=key)


index_set = op(
    "index_set", _index_set, variadic=True, vjp=_set_rule, own_vjp=_own_set_rule, in_place=_set
)
index_add = op("index_add", _index_add, variadic=True, vjp=_add_rule, in_place=_add)
index = op("index", _index, variadic=True, vjp=_read_rule, views=True, adds=index_add)
unindex = op("unindex", _unindex, variadic=True, vjp=_unindex_rule)
last_writer = op("last_writer", _last_writer, vjp=None)

# Where something holds: the shape of the result depends on values.
flatnonzero = op("flatnonzero", np.flatnonzero, vjp=None, path="np.flatnonzero")
argwhere = op("argwhere", np.argwhere, vjp=None, path="np.argwhere")


def add_along_axis(g: Any, indices: Any, *, shape: tuple[int, ...], axis: int) -> Any:
    """Add into zeros, at indices along an axis: the transpose of np.take_along_axis."""
    out = np.zeros(shape, np.result_type(g))
    lines = np.moveaxis(out, axis, 0)
    others = np.indices(lines.shape[1:], sparse=True)
    np.add.at(lines, (np.moveaxis(indices, axis, 0), *others), np.moveaxis(g, axis, 0))
    return out


def _take_along_rule(g: Any, out: Any, x: Any, indices: Any, axis: int) -> Any:
    return add_along(g, indices, shape=np.shape(x), axis=axis)


take_along_axis = op(
    "take_along_axis", np.take_along_axis, stands_for=(np.take_along_axis,),
    vjp=[_take_along_rule, None], raises=True,
)  # fmt: skip
add_along = op(
    "add_along_axis", add_along_axis,
    vjp=[lambda g, out, x, i, shape, axis: take_along_axis(g, i, axis=axis), None],
)  # fmt: skip


def flat_index(*indices: Any, dims: tuple[int, ...], mode: Any, order: str) -> Any:
    """np.ravel_multi_index of single arrays."""
    return np.ravel_multi_index(indices, dims, mode=mode, order=order)  # type: ignore[call-overload]


def multi_index(indices: Any, *, shape: tuple[int, ...], order: str) -> Any:
    """The rows of np.unravel_index as one array."""
    return np.array(np.unravel_index(indices, shape, order=order))  # type: ignore[call-overload]


flat_places = op("flat_index", flat_index, vjp=None, raises=True)
places_of = op("multi_index", multi_index, vjp=None, raises=True)


def unview(
    viewing: Op, base: Any, new: Any, rest: tuple[Any, ...], attrs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], Any]:
    """Say what to write where in the array that a view views: (value, holes, key)."""
    if viewing is index:
        return new, rest, attrs["key"]
    if viewing.name == "transpose":
        return np.transpose(new, inverse(attrs["axes"])), (), Ellipsis
    if viewing is real_part:
        return join_parts(new, np.imag(base)), (), Ellipsis
    if viewing is imag_part:
        return join_parts(np.real(base), new), (), Ellipsis
    if viewing.name == "einsum_diagonal":
        labels, _, found = attrs["subscripts"].partition("->")
        places = dict(zip(found, np.ix_(*map(np.arange, new.shape)), strict=True))
        return new, tuple(places[label] for label in labels), (HOLE,) * len(labels)
    return np.reshape(new, base.shape, order=attrs.get("order", "C")), (), Ellipsis
