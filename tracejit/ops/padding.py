"""np.pad in all its modes, written with slices, joins and assignments.

Every axis is padded in turn, the corners by the later ones, as NumPy does it. What is padded with
constants is an array of these into which the elements are written; all other modes join parts
before and behind to the array.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.op import BY_NAME, composite, is_traced
from .arrays import as_array
from .create import linspace
from .index import unindex
from .joining import join, pick
from .shape import along

Widths = list[tuple[int, int]]
Extend = Callable[[Any, int, int, int], Any]  # of an array, an axis, how many before and behind


@composite(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Put elements before and behind along each axis."""
    if callable(mode):
        raise TypeError("pad() argument mode= is a function, which writes where nothing is traced")
    if mode not in _MODES:
        raise ValueError(f"mode {mode!r} is not supported")
    name, default, extended = _MODES[mode]
    if set(kwargs) - {name}:
        raise ValueError(f"unsupported keyword arguments for mode {mode!r}: {set(kwargs) - {name}}")
    option = kwargs.get(name, default)
    x = as_array(array)
    widths = _widths(pad_width, x.ndim)
    if extended is None:
        return _with_constants(x, widths, option)
    if any(n == 0 and any(pair) for n, pair in zip(x.shape, widths, strict=True)):
        raise ValueError("can't extend empty axis using modes other than 'constant' or 'empty'")
    extend = extended(option, x.ndim)
    padded = x
    for axis, (before, behind) in enumerate(widths):
        if before or behind:
            padded = extend(padded, axis, before, behind)
    return BY_NAME["copy"](x) if padded is x else padded


def _widths(given: Any, ndim: int) -> Widths:
    """Write the numbers of elements to add as one pair an axis."""
    if isinstance(given, dict):
        pairs = [(0, 0)] * ndim
        for axis, width in given.items():
            pairs[axis] = width if isinstance(width, tuple) else (width, width)
        given = pairs
    given = as_array(given)
    if given.dtype.kind != "i":
        raise TypeError("`pad_width` must be of integral type.")
    return [(_count(before), _count(behind)) for before, behind in _pairs(given, ndim)]


def _count(value: Any) -> int:
    count = operator.index(value)
    if count < 0:
        raise ValueError("index can't contain negative values")
    return count


def _pairs(given: Any, ndim: int) -> list[Any]:
    """Broadcast an option to a value before and one behind for each axis."""
    pairs = np.broadcast_to(given, (ndim, 2))
    return [(pairs[axis, 0], pairs[axis, 1]) for axis in range(ndim)]


def _with_constants(x: Any, widths: Widths, values: Any) -> Any:
    shape = tuple(n + sum(pair) for n, pair in zip(x.shape, widths, strict=True))
    inner = tuple(slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True))
    values = as_array(values)
    uniform = not is_traced(values) and len(np.unique(values)) == 1
    filling = values.flat[0].astype(x.dtype) if uniform else None
    if filling is not None and any(filling.tobytes()):  # no zero, or a negative one
        padded = np.full_like(x, filling.item(), shape=shape)
        padded[inner] = x
        return padded
    padded = unindex(x, key=inner, shape=shape)
    if not uniform:
        for axis, (before, behind) in enumerate(_pairs(values, x.ndim)):
            padded[along(axis, slice(inner[axis].start), *inner[axis + 1 :])] = before
            padded[along(axis, slice(inner[axis].stop, None), *inner[axis + 1 :])] = behind
    return padded


# -- parts before and behind --------------------------------------------------------------------


def _first(x: Any, axis: int, count: int) -> Any:
    return x[along(axis, slice(count))]


def _last(x: Any, axis: int, count: int) -> Any:
    return x[along(axis, slice(x.shape[axis] - count, None))]


def _between(before: list[Any], x: Any, behind: list[Any], axis: int) -> Any:
    return join([*before, x, *behind], axis, x.dtype, "unsafe")


def _repeated(value: Any, x: Any, axis: int, count: int) -> list[Any]:
    """A value of length 1 along the axis, so many times."""
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return [np.broadcast_to(value, shape)] if count else []


def _by_edges(option: Any, ndim: int) -> Extend:
    def extend(x: Any, axis: int, before: int, behind: int) -> Any:
        left = _repeated(_first(x, axis, 1), x, axis, before)
        return _between(left, x, _repeated(_last(x, axis, 1), x, axis, behind), axis)

    return extend


def _by_places(mode: Any) -> Callable[[Any, int], Extend]:
    """Choose elements of the array itself: NumPy says which."""

    def extend(x: Any, axis: int, before: int, behind: int) -> Any:
        places: Any = np.pad(np.arange(x.shape[axis]), (before, behind), mode)
        return pick(x, places, axis)

    return lambda kind, ndim: _by_reflection(mode == "reflect") if kind == "odd" else extend


def _by_reflection(without_edge: bool) -> Extend:
    """Reflect at the point of the edge, as often as it takes."""

    def extend(x: Any, axis: int, before: int, behind: int) -> Any:
        period = x.shape[axis] - without_edge
        if not period:
            return _by_edges(None, x.ndim)(x, axis, before, behind)
        while before or behind:
            reach = (x.shape[axis] - without_edge) // period * period
            left, right = min(reach, before), min(reach, behind)
            first = _last(_first(x, axis, left + without_edge), axis, left)
            last = _first(_last(x, axis, right + without_edge), axis, right)
            parts = [2 * _first(x, axis, 1) - np.flip(first, axis)] if left else []
            behind_it = [2 * _last(x, axis, 1) - np.flip(last, axis)] if right else []
            x = _between(parts, x, behind_it, axis)
            before, behind = before - left, behind - right
        return x

    return extend


def _by_ramps(values: Any, ndim: int) -> Extend:
    given = as_array(values)
    pairs = _pairs(given, ndim)
    if not is_traced(given) and (given.size > 2 or given.shape == (2, 1)):
        pairs = [(before.item(), behind.item()) for before, behind in pairs]  # as NumPy has it

    def ramp(end: Any, x: Any, axis: int, place: int, count: int) -> Any:
        steps = linspace(end, x[along(axis, place)], num=count, endpoint=False)
        return np.moveaxis(np.floor(steps) if x.dtype.kind in "iu" else steps, 0, axis)

    def extend(x: Any, axis: int, before: int, behind: int) -> Any:
        up, down = pairs[axis]
        left = [ramp(up, x, axis, 0, before)] if before else []
        right = [np.flip(ramp(down, x, axis, x.shape[axis] - 1, behind), axis)] if behind else []
        return _between(left, x, right, axis)

    return extend


def _by_statistic(name: str) -> Callable[[Any, int], Extend]:
    def configured(lengths: Any, ndim: int) -> Extend:
        pairs = [(None, None)] * ndim if lengths is None else _pairs(as_array(lengths), ndim)

        def statistic(x: Any, axis: int, part: Any, length: Any) -> Any:
            count = x.shape[axis] if length is None else min(_count(length), x.shape[axis])
            if not count and name in ("max", "min"):
                raise ValueError("stat_length of 0 yields no value for padding")
            value = getattr(np, name)(part(x, axis, count), axis=axis, keepdims=True)
            return np.round(value) if x.dtype.kind in "iu" else value

        def extend(x: Any, axis: int, before: int, behind: int) -> Any:
            left = statistic(x, axis, _first, pairs[axis][0])
            right = statistic(x, axis, _last, pairs[axis][1])
            left, right = _repeated(left, x, axis, before), _repeated(right, x, axis, behind)
            return _between(left, x, right, axis)

        return extend

    return configured


# Which further argument each mode takes, its default, and what extends an array by an axis.
_MODES: dict[str, tuple[str, Any, Callable[[Any, int], Extend] | None]] = {
    "constant": ("constant_values", 0, None),
    "empty": ("", 0, None),
    "edge": ("", None, _by_edges),
    "wrap": ("", None, _by_places("wrap")),
    "reflect": ("reflect_type", "even", _by_places("reflect")),
    "symmetric": ("reflect_type", "even", _by_places("symmetric")),
    "linear_ramp": ("end_values", 0, _by_ramps),
    "maximum": ("stat_length", None, _by_statistic("max")),
    "minimum": ("stat_length", None, _by_statistic("min")),
    "mean": ("stat_length", None, _by_statistic("mean")),
    "median": ("stat_length", None, _by_statistic("median")),
}
