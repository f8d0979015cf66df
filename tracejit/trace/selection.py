"""NumPy functions whose result's shape depends on values, and those that write to their argument.

They are recorded like any other; the shape that was found is noted, because what follows holds
for that shape only. Writes are those of `a[key] = value`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import BY_FUNCTION, BY_NAME, HOLE, composite, is_traced
from ..ops.index import argwhere, flat_places, flatnonzero, places_of
from ..ops.shape import along, axis_if_any
from ..ops.statistics import bincount
from . import dispatch
from .assemble import from_list


@composite(np.flatnonzero, vjp=None)
def _flatnonzero(a: Any) -> Any:
    found = flatnonzero(a)
    dispatch.note_shape(found)
    return found


@composite(np.argwhere, vjp=None)
def _argwhere(a: Any) -> Any:
    found = argwhere(a)
    dispatch.note_shape(found)
    return found


@composite(np.nonzero, vjp=None)
def _nonzero(a: Any) -> Any:
    if np.ndim(a) == 0:
        return np.nonzero(dispatch.plain(a))  # which raises
    if np.ndim(a) == 1:
        return (_flatnonzero(a),)
    return tuple(_argwhere(a).T)


@composite(np.where)
def _where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    if x is None and y is None:
        return _nonzero(condition)
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    return BY_FUNCTION[np.where](condition, x, y)


@composite(np.bincount)
def _bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Any:
    given = (x,) if weights is None else (x, weights)
    found = bincount(*given, minlength=operator.index(minlength))
    dispatch.note_shape(found)
    return found


def _target(a: Any, function: Any) -> Any:
    if not is_traced(a):
        raise dispatch.lost(f"np.{function.__name__}")
    return a


@composite(np.copyto)
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst = _target(dst, np.copyto)
    plain: Any = dispatch.plain(src)
    kind: Any = casting
    if not np.can_cast(np.asarray(plain).dtype, dst.dtype, kind):
        np.copyto(np.empty_like(dst.value), plain, kind)  # which raises
    dst[...] = src if where is True else np.where(where, src, dst)


@composite(np.putmask)
def _putmask(a: Any, mask: Any, values: Any) -> None:
    a = _target(a, np.putmask)
    if not np.size(values):
        return
    if np.size(values) != 1 and np.shape(values) != a.shape:
        values = np.reshape(_repeated(values, a.size), a.shape)
    elif np.shape(values) != a.shape:
        values = np.reshape(values, ())
    a[...] = np.where(mask, values, a)


@composite(np.place)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    arr = _target(arr, np.place)
    mask = np.reshape(mask, arr.shape)
    if np.result_type(mask).kind != "b":  # numbers are no places here
        mask = np.not_equal(mask, 0)
    arr[mask] = _repeated(vals, int(np.count_nonzero(dispatch.plain(mask))))


@composite(np.put)
def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    a = _target(a, np.put)
    places = np.ravel(_within(_integers(ind), a.size, mode))
    if not np.size(places) or not np.size(v):
        return
    values = _repeated(v, np.size(places))
    if a.value.flags.c_contiguous:
        a.reshape(-1)[places] = values
    else:
        places = np.where(places < 0, places + a.size, places)
        a[np.unravel_index(places, a.shape)] = values


def _repeated(values: Any, count: int) -> Any:
    """The values again and again, as many as are asked for."""
    if np.size(values) in (1, count):
        return np.reshape(values, -1)
    if not np.size(values):
        raise ValueError("Cannot insert from an empty array!")
    return np.ravel(values)[np.arange(count) % np.size(values)]


@composite(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any, mode: str = "raise") -> None:
    arr = _target(arr, np.put_along_axis)
    if axis is None:
        if np.ndim(indices) != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        _put(arr, indices, np.broadcast_to(values, np.shape(indices)))
        return
    axis = range(arr.ndim)[axis]
    if np.ndim(indices) != arr.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    others = np.indices(arr.shape, sparse=True)
    arr[tuple(indices if i == axis else others[i] for i in range(arr.ndim))] = values


# -- reading at places ---------------------------------------------------------------------------


def _integers(indices: Any) -> Any:
    """Make an array or number of indices; bools count as integers here."""
    if not is_traced(indices):
        array = np.asarray(indices)
        return array.astype(np.intp) if array.dtype.kind == "b" else array
    return indices.astype(np.intp) if np.result_type(indices).kind == "b" else indices


def _within(indices: Any, length: int, mode: str) -> Any:
    """Bring indices into the range of an axis, as `mode` has it."""
    if mode == "wrap":
        return indices % length
    if mode == "clip":
        return np.clip(indices, 0, length - 1)
    if mode != "raise":
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    return indices


@composite(np.take)
def take(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    """The elements at places along an axis, or of the flat array."""
    if axis_if_any(a, axis) is None:
        a, axis = np.ravel(a), 0
    axis = range(np.ndim(a))[operator.index(axis)]
    indices = _within(_integers(indices), np.shape(a)[axis], mode)
    a = a if is_traced(a) else np.asarray(a)
    return BY_NAME["index"](a, indices, key=along(axis, HOLE))


@composite(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return BY_NAME["take_along_axis"](arr, indices, axis=operator.index(axis))


@composite(np.compress)
def _compress(condition: Any, a: Any, axis: Any = None) -> Any:
    if np.ndim(condition) != 1:
        raise ValueError("condition must be a 1-d array")
    return take(a, np.flatnonzero(condition), axis)


@composite(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return take(arr, np.flatnonzero(condition))


@composite(np.ravel_multi_index, vjp=None)
def _ravel_multi_index(
    multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C"
) -> Any:
    return flat_places(*multi_index, dims=_lengths(dims), mode=mode, order=order)


@composite(np.unravel_index, vjp=None)
def _unravel_index(indices: Any, shape: Any, order: str = "C") -> Any:
    return tuple(places_of(indices, shape=_lengths(shape), order=order))


def _lengths(shape: Any) -> tuple[int, ...]:
    if np.ndim(dispatch.plain(shape)) == 0:
        return (operator.index(shape),)
    return tuple(operator.index(n) for n in shape)


# -- a function of slices ------------------------------------------------------------------------


@composite(np.apply_along_axis)
def _apply_along_axis(func1d: Any, axis: Any, arr: Any, *args: Any, **kwargs: Any) -> Any:
    lines = np.moveaxis(arr, axis, -1)
    outer = np.shape(lines)[:-1]
    if not all(outer):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    found = [func1d(lines[place], *args, **kwargs) for place in np.ndindex(outer)]
    dtype = np.result_type(dispatch.plain(found[0]))
    made = np.stack([_converted(part, dtype) for part in found])
    shape = np.shape(made)[1:]
    made = np.reshape(made, (*outer, *shape))
    at = range(np.ndim(arr))[axis]
    axes = list(range(len(outer)))
    axes[at:at] = range(len(outer), len(outer) + len(shape))
    return np.transpose(made, axes)


def _converted(part: Any, dtype: Any) -> Any:
    part = from_list(part)
    if not hasattr(part, "dtype"):
        return np.add(part, np.zeros((), dtype))
    return part if part.dtype == dtype else part.astype(dtype)


@composite(np.apply_over_axes)
def _apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    ndim = np.ndim(a)
    for axis in np.atleast_1d(axes):
        found = func(a, range(ndim)[axis])
        a = found if np.ndim(found) == ndim else np.expand_dims(found, range(ndim)[axis])
        if np.ndim(a) != ndim:
            raise ValueError("function is not returning an array of the correct shape")
    return a


@composite(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: Any = False) -> None:
    a = _target(a, np.fill_diagonal)
    if a.ndim < 2 or (a.ndim > 2 and len(set(a.shape)) > 1):
        np.fill_diagonal(a.value.copy(), 0)  # which raises
    rows, columns = a.shape[:2]
    if wrap and a.ndim == 2 and rows > columns:  # one row is left out between two diagonals
        flat = np.arange(0, a.size, columns + 1)
        a[np.divmod(flat, columns)] = _repeated(val, len(flat))
        return
    places = np.arange(min(a.shape))
    a[(places,) * a.ndim] = _repeated(val, len(places))
