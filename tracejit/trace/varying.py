"""Sets, repeats, insertions and deletions: how many elements there are may depend on values.

Where it does, the shape that was found is noted, because what follows holds for that shape only.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import composite, is_traced, op
from ..ops import sorting
from ..ops.arrays import as_array
from ..ops.conversions import cast
from ..ops.joining import join, pick
from ..ops.repeating import repeat, repeat_each
from ..ops.shape import along, axis_if_any, axis_of
from . import dispatch

# -- sets ---------------------------------------------------------------------------------------


def _noted(found: Any) -> Any:
    dispatch.note_shape(found)
    return found


@composite(np.unique)
def _unique(
    ar: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False,
    axis: Any = None, *, equal_nan: Any = True, **options: Any,
) -> Any:  # fmt: skip
    ar = as_array(ar)
    if axis is not None:
        axis = axis_of(axis, ar.ndim)
        options.update({"axis": axis} if ar.ndim > 1 else {})
    if not equal_nan:
        options["equal_nan"] = False
    values = _noted(sorting.unique(ar, **options))  # first, as the others' lengths are its own
    if not (return_index or return_inverse or return_counts):
        return values
    _, *others = sorting.unique_parts(ar, **options)
    wanted = (return_index, return_inverse, return_counts)
    return values, *(part for part, asked in zip(others, wanted, strict=True) if asked)


@composite(np.unique_values)
def _unique_values(x: Any) -> Any:
    return _noted(sorting.unique_values(as_array(x)))


def _unique_results(function: Any, **wanted: bool) -> None:
    """Declare a function of the array API standard, whose results have names."""
    named: Any = type(function(np.zeros(0)))
    composite(function)(lambda x: named(*_unique(x, **wanted, equal_nan=False)))


_unique_results(np.unique_all, return_index=True, return_inverse=True, return_counts=True)
_unique_results(np.unique_counts, return_counts=True)
_unique_results(np.unique_inverse, return_inverse=True)


@composite(np.intersect1d)
def _intersect1d(
    ar1: Any, ar2: Any, assume_unique: Any = False, return_indices: Any = False
) -> Any:
    options = {"assume_unique": True} if assume_unique else {}
    a, b = as_array(ar1), as_array(ar2)
    found = _noted(sorting.intersect1d(a, b, **options))
    if not return_indices:
        return found
    _, *places = sorting.intersection(a, b, **options)  # whose lengths are noted by now
    return found, *places


@composite(np.setdiff1d)
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: Any = False) -> Any:
    options = {"assume_unique": True} if assume_unique else {}
    return _noted(sorting.setdiff1d(as_array(ar1), as_array(ar2), **options))


@composite(np.union1d)
def _union1d(ar1: Any, ar2: Any) -> Any:
    return _unique(join([as_array(ar1), as_array(ar2)], None))


@composite(np.setxor1d)
def _setxor1d(ar1: Any, ar2: Any, assume_unique: Any = False) -> Any:
    a, b = (_setdiff1d(*pair, assume_unique) for pair in ((ar1, ar2), (ar2, ar1)))
    return np.sort(join([a, b], 0))


# -- elements that are repeated, inserted, deleted ----------------------------------------------


@composite(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    a = as_array(a)
    axis = axis_if_any(a, axis)
    if np.size(repeats) == 1:
        count = operator.index(repeats if np.ndim(repeats) == 0 else np.ravel(repeats)[0])
        where = {} if axis is None else {"axis": axis_of(axis, a.ndim)}
        return repeat(a, repeats=count, **where)
    if axis is None:
        a, axis = np.ravel(a), 0
    return _noted(repeat_each(a, as_array(repeats), axis=axis_of(axis, a.ndim)))


def _insertion(obj: Any, *, length: int, count: int) -> Any:
    return np.insert(np.arange(length), obj, length + np.arange(count))


def _left_over(obj: Any, *, length: int) -> Any:
    return np.delete(np.arange(length), obj)


# Which elements stand where after an insertion, counted through; which are left after a deletion.
insertion = op("insertion", _insertion, vjp=None, raises=True)
left_over = op("left_over", _left_over, vjp=None, raises=True)


def _on_axis(arr: Any, axis: Any) -> tuple[Any, int]:
    arr = as_array(arr)
    if axis is None:
        return np.ravel(arr), 0
    return arr, axis_of(axis, arr.ndim)


def _given_places(obj: Any, length: int) -> Any:
    """Make a slice or sequence of places an array; an empty list counts as integers."""
    if isinstance(obj, slice):
        return np.arange(*obj.indices(length))
    places = as_array(obj)
    return places if places.size or isinstance(obj, np.ndarray) else places.astype(np.intp)


@composite(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    arr, axis = _on_axis(arr, axis)
    length = arr.shape[axis]
    places = _given_places(obj, length)
    if places.dtype.kind == "b":
        places = np.flatnonzero(places)
    values = as_array(values)
    count = places.size
    if count == 1:
        ndim = arr.ndim
        values = np.reshape(values, (1,) * (ndim - values.ndim) + values.shape)
        if places.ndim == 0:
            values = np.moveaxis(values, 0, axis)
        count = values.shape[axis]
    shape = (*arr.shape[:axis], count, *arr.shape[axis + 1 :])
    values = np.broadcast_to(values, shape)
    values = cast(values, arr.dtype)
    if places.size == 1:
        start = operator.index(np.ravel(places)[0])
        np.insert(np.zeros(length), start, 0.0)  # which raises where it is out of bounds
        start = start + length if start < 0 else start
        head, tail = (arr[along(axis, part)] for part in (slice(start), slice(start, None)))
        return join([head, values, tail], axis)
    both = join([arr, values], axis)
    order = insertion(places, length=length, count=count)
    return both[along(axis, order)] if is_traced(order) else pick(both, order, axis)


@composite(np.delete)
def _delete(arr: Any, obj: Any, axis: Any = None) -> Any:
    arr, axis = _on_axis(arr, axis)
    length = arr.shape[axis]
    places = obj if isinstance(obj, slice) else _given_places(obj, length)
    left = left_over(places, length=length)
    return arr[along(axis, _noted(left))] if is_traced(left) else pick(arr, left, axis)


def _bounds(x: Any, *, trim: str) -> Any:
    places = np.argwhere(x)
    if not len(places):
        return np.zeros((2, x.ndim), np.intp)
    start = places.min(axis=0) if "f" in trim else np.zeros(x.ndim, np.intp)
    return np.stack([start, places.max(axis=0) + 1 if "b" in trim else np.array(x.shape)])


# Where along each axis what is left without zeros in front or at the back begins and ends.
bounds = op("bounds", _bounds, vjp=None)


@composite(np.trim_zeros)
def _trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    trim = trim.lower()
    if trim not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    x = as_array(filt)
    given = range(x.ndim) if axis is None else axis if np.ndim(axis) else (axis,)
    axes = {axis_of(i, x.ndim) for i in given}
    found = bounds(x, trim=trim)
    return x[tuple(
        slice(found[0, i], found[1, i]) if i in axes else slice(None) for i in range(x.ndim)
    )]  # fmt: skip
