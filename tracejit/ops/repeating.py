"""Turning and repeating: roll, flip, rot90, repeat, tile, resize and sliding windows.

What is flipped and windows are views, the others are new arrays, as NumPy has it. How often
something is repeated or how far it is moved are plain numbers; numbers of repeats for each element
may be data.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..dag.op import HOLE, composite, op
from .arrays import as_array
from .index import unindex
from .shape import along, axis_of


def _whole(value: Any) -> Any:
    """Make plain integers of one that may be traced, or of several in a tuple."""
    if np.ndim(value):
        return tuple(operator.index(v) for v in value)
    return operator.index(value)


# -- moving -------------------------------------------------------------------------------------


def _roll_rule(g: Any, out: Any, x: Any, shift: Any, axis: Any = None) -> Any:
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return np.roll(g, back, axis)


def _bind_roll(a: Any, shift: Any, axis: Any = None) -> Any:
    attrs = {"shift": _whole(shift)}
    return (a,), attrs if axis is None else {**attrs, "axis": _whole(axis)}


roll = op("roll", np.roll, stands_for=(np.roll,), bind=_bind_roll, vjp=[_roll_rule])


@composite(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    """Read axes backwards."""
    m = as_array(m)
    given = range(m.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = {axis_of(i, m.ndim) for i in given}
    return m[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(m.ndim))]


@composite(np.flipud)
def flipud(m: Any) -> Any:
    """Read the first axis backwards."""
    if np.ndim(m) < 1:
        raise ValueError("Input must be >= 1-d.")
    return m[::-1]


@composite(np.fliplr)
def fliplr(m: Any) -> Any:
    """Read the second axis backwards."""
    if np.ndim(m) < 2:
        raise ValueError("Input must be >= 2-d.")
    return m[:, ::-1]


@composite(np.rot90)
def rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    """Turn in the plane of two axes by right angles."""
    ndim = np.ndim(m)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = axis_of(axes[0], ndim), axis_of(axes[1], ndim)
    if first == second:
        raise ValueError("Axes must be different.")
    turns = operator.index(k) % 4
    if turns == 0:
        return m[:]
    if turns == 2:
        return flip(m, (first, second))
    if turns == 1:
        return np.swapaxes(flip(m, second), first, second)
    return flip(np.swapaxes(m, first, second), second)


# -- repeating ----------------------------------------------------------------------------------


def _repeat_rule(g: Any, out: Any, x: Any, repeats: int, axis: int | None = None) -> Any:
    shape = np.shape(x)
    if axis is None:
        return np.reshape(np.sum(np.reshape(g, (np.size(x), repeats)), axis=1), shape)
    apart = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
    return np.sum(np.reshape(g, apart), axis=axis + 1)


def _repeat_each_rule(g: Any, out: Any, x: Any, counts: Any, axis: int) -> Any:
    places = repeat_each(np.arange(x.shape[axis]), counts, axis=0)
    return unindex(g, places, key=along(axis, HOLE), shape=x.shape)


repeat = op("repeat", np.repeat, vjp=[_repeat_rule], path="np.repeat")
# Each element, or each slice along an axis, so many times.
repeat_each = op("repeat_each", np.repeat, vjp=[_repeat_each_rule, None], path="np.repeat")


def _tile_rule(g: Any, out: Any, x: Any, reps: tuple[int, ...]) -> Any:
    shape, counts = np.shape(x), reps
    shape = (1,) * (len(counts) - len(shape)) + shape
    counts = (1,) * (len(shape) - len(counts)) + counts
    apart: list[int] = []
    copies: list[int] = []
    for count, length in zip(counts, shape, strict=True):
        if count != 1:
            copies.append(len(apart))
            apart.append(count)
        apart.append(length)
    total = np.sum(np.reshape(g, apart), axis=tuple(copies)) if copies else g
    return np.reshape(total, np.shape(x))


def _bind_tile(A: Any, reps: Any) -> Any:
    counts = _whole(reps)
    return (A,), {"reps": counts if isinstance(counts, tuple) else (counts,)}


tile = op("tile", np.tile, stands_for=(np.tile,), bind=_bind_tile, vjp=[_tile_rule])


@composite(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """Fill a new shape with the elements again and again."""
    shape = _whole(new_shape) if np.ndim(new_shape) else (_whole(new_shape),)
    if any(n < 0 for n in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    flat = np.ravel(as_array(a))
    size = int(np.prod(shape, dtype=np.int64))
    if not size or not flat.size:
        return np.zeros_like(flat, shape=shape)
    return np.reshape(np.tile(flat, -(-size // flat.size))[:size], shape)


# -- windows ------------------------------------------------------------------------------------


def _bind_windows(
    x: Any, window_shape: Any, axis: Any = None, *, subok: Any = False, writeable: Any = False
) -> Any:
    if writeable:
        raise TypeError("sliding_window_view() argument writeable= is not for traced arrays")
    attrs = {"window_shape": _whole(window_shape), "axis": axis if axis is None else _whole(axis)}
    return (as_array(x),), {key: value for key, value in attrs.items() if value is not None}


def _add_windows(g: Any, *, shape: Any, window_shape: Any, axis: Any = None) -> Any:
    """Add windows into zeros, where they have been read."""
    lengths = window_shape if isinstance(window_shape, tuple) else (window_shape,)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    out = np.zeros(shape, g.dtype)
    for offsets in np.ndindex(lengths):
        starts = [0] * len(shape)
        for i, offset in zip(axes, offsets, strict=True):
            starts[i] += offset
        found = g[(..., *offsets)]
        out[tuple(slice(s, s + n) for s, n in zip(starts, found.shape, strict=True))] += found
    return out


def _windows_rule(g: Any, out: Any, x: Any, **attrs: Any) -> Any:
    return add_windows(g, shape=np.shape(x), **attrs)


windows = op(
    "sliding_window_view", sliding_window_view, stands_for=(sliding_window_view,),
    bind=_bind_windows, vjp=[_windows_rule], views=True, raises=True,
)  # fmt: skip
# Zeros, into which windows are added: the transpose of reading them.
add_windows = op(
    "add_windows", _add_windows,
    vjp=[lambda g, out, windowed, shape, **attrs: sliding_window_view(g, **attrs)],
)  # fmt: skip
