"""NumPy functions whose result's shape depends on values, and those that write to their argument.

They are recorded like any other; the shape that was found is noted, because what follows holds
for that shape only. Writes are those of `a[key] = value`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import BY_FUNCTION, composite, is_traced
from ..ops.index import argwhere, flatnonzero
from ..ops.statistics import bincount
from . import dispatch


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
    if np.size(values) != 1 and np.shape(values) != np.shape(a):
        raise TypeError("putmask() argument values= of another shape than the array")
    a = _target(a, np.putmask)
    a[...] = np.where(mask, np.reshape(values, ()) if np.size(values) == 1 else values, a)


@composite(np.place)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    arr = _target(arr, np.place)
    mask = np.reshape(mask, arr.shape)
    arr[mask] = _repeated(vals, int(np.count_nonzero(dispatch.plain(mask))))


@composite(np.put)
def _put(a: Any, ind: Any, v: Any) -> None:
    a = _target(a, np.put)
    if not a.value.flags.c_contiguous:
        raise TypeError("put() argument a= that is not contiguous")
    a.reshape(-1)[ind] = _repeated(v, np.size(ind))


def _repeated(values: Any, count: int) -> Any:
    """The values again and again, as many as are asked for."""
    if np.size(values) in (1, count):
        return np.reshape(values, -1)
    return np.ravel(values)[np.arange(count) % np.size(values)]


@composite(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any) -> None:
    a = _target(a, np.fill_diagonal)
    if a.ndim < 2 or (a.ndim > 2 and len(set(a.shape)) > 1):
        np.fill_diagonal(a.value.copy(), 0)  # which raises
    places = np.arange(min(a.shape))
    a[(places,) * a.ndim] = _repeated(val, len(places))
