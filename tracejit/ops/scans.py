"""Scans along an axis: running sums and products, differences, and integrals of samples.

Only cumsum, cumprod, unwrap and the recurrence that differentiates products are ops; the rest is
written with slices and sums. No product is divided by a factor, so zeros are exact.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..dag.op import composite, is_traced, op
from .arrays import unlisted, with_dtype
from .conversions import cast, kind_of
from .reduce import ABSENT, sum_
from .shape import along, axis_if_any, axis_of

At = Callable[[slice], Any]  # gives a part of the samples along an axis


# -- running sums and products ------------------------------------------------------------------


def running(a: Any, b: Any) -> Any:
    """Each out[i] = a[i] + b[i] * out[i - 1] along the last axis, from out[0] = a[0] on."""
    if a.ndim == 1:  # Python's numbers are faster one by one
        out, factors = a.tolist(), b.tolist()
        for i in range(1, len(out)):
            out[i] += factors[i] * out[i - 1]
        return np.array(out, a.dtype)
    out = np.array(a)
    for i in range(1, a.shape[-1]):
        out[..., i] += b[..., i] * out[..., i - 1]
    return out


def tails(c: Any, b: Any) -> Any:
    """The same from the end: each out[i] = c[i] + b[i + 1] * out[i + 1]."""
    factors = np.concatenate([b[..., :1], b[..., :0:-1]], axis=-1)
    return recurrence(c[..., ::-1], factors)[..., ::-1]


def _delayed(x: Any, first: Any) -> Any:
    return np.concatenate([first(x[..., :1]), x[..., :-1]], axis=-1)


recurrence = op(
    "running", running,
    vjp=[
        lambda g, out, a, b: tails(g, b),
        lambda g, out, a, b: tails(g, b) * _delayed(out, np.zeros_like),
    ],
)  # fmt: skip


def _cumsum_rule(g: Any, out: Any, x: Any, axis: Any) -> Any:
    if axis is None:
        return np.reshape(np.cumsum(g[::-1])[::-1], np.shape(x))
    flip = along(axis % x.ndim, slice(None, None, -1))
    return np.cumsum(g[flip], axis=axis)[flip]


def _cumprod_rule(g: Any, out: Any, x: Any, axis: Any) -> Any:
    if axis is None:
        return np.reshape(_rows_rule(g, out, np.reshape(x, -1)), np.shape(x))
    g, out, x = (np.swapaxes(v, axis, -1) for v in (g, out, x))
    return np.swapaxes(_rows_rule(g, out, x), axis, -1)


def _rows_rule(g: Any, out: Any, x: Any) -> Any:
    return _delayed(out, np.ones_like) * tails(g, x)


_cumsum = op("cumsum", np.cumsum, vjp=[_cumsum_rule], path="np.cumsum")
_cumprod = op("cumprod", np.cumprod, vjp=[_cumprod_rule], path="np.cumprod")


def _scan(scan: Any, a: Any, axis: Any, dtype: Any) -> Any:
    axis = axis_if_any(a, None if axis is None else operator.index(axis))
    if dtype is None:
        return scan(a, axis=axis)
    return cast(scan(cast(a, dtype), axis=axis), dtype)


@composite(np.cumsum)
def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The sums of the first elements."""
    return _scan(_cumsum, a, axis, dtype)


@composite(np.cumprod)
def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The products of the first elements."""
    return _scan(_cumprod, a, axis, dtype)


def _cumulative(scan: Any, start: int, x: Any, axis: Any, dtype: Any, include_initial: Any) -> Any:
    x = np.reshape(x, -1) if np.ndim(x) == 0 else x
    if axis is None and x.ndim > 1:
        raise ValueError("an array of more than one dimension needs the ``axis`` argument")
    axis = 0 if axis is None else axis_of(axis, x.ndim)
    found = scan(x, axis, dtype)
    if not include_initial:
        return found
    shape = (*found.shape[:axis], 1, *found.shape[axis + 1 :])
    return np.concatenate([np.full(shape, start, found.dtype), found], axis=axis)


if hasattr(np, "cumulative_sum"):  # NumPy 2.1

    @composite(np.cumulative_sum)
    def cumulative_sum(
        x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: Any = False
    ) -> Any:
        """The sums of the first elements, with that of none of them on request."""
        return _cumulative(cumsum, 0, x, axis, dtype, include_initial)

    @composite(np.cumulative_prod)
    def cumulative_prod(
        x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: Any = False
    ) -> Any:
        """The products of the first elements, with that of none of them on request."""
        return _cumulative(cumprod, 1, x, axis, dtype, include_initial)


# -- differences --------------------------------------------------------------------------------


@composite(np.diff)
def diff(a: Any, n: Any = 1, axis: Any = -1, prepend: Any = ABSENT, append: Any = ABSENT) -> Any:
    """The differences of neighbours, n times."""
    n = operator.index(n)
    if n == 0:
        return a
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    x = with_dtype(a)
    if np.ndim(x) == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = axis_of(axis, x.ndim)
    ends = [None if end is ABSENT else _end(end, x.shape, axis) for end in (prepend, append)]
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    if len(parts) > 1:
        x = np.concatenate(parts, axis=axis)
    subtract = np.not_equal if x.dtype == bool else np.subtract
    for _ in range(n):
        x = subtract(x[along(axis, slice(1, None))], x[along(axis, slice(None, -1))])
    return x


def _end(end: Any, shape: tuple[int, ...], axis: int) -> Any:
    end = with_dtype(end)
    one = (*shape[:axis], 1, *shape[axis + 1 :])
    return np.broadcast_to(end, one) if np.ndim(end) == 0 else end


@composite(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours of the flattened array, between given ends."""
    flat = np.reshape(with_dtype(ary), -1)
    begin, end = (_flat_end(given, flat.dtype) for given in (to_begin, to_end))
    parts = [part for part in (begin, flat[1:] - flat[:-1], end) if part is not None]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _flat_end(given: Any, dtype: Any) -> Any:
    if given is None:
        return None
    end = np.reshape(with_dtype(given), -1)
    if not np.can_cast(end.dtype, dtype, casting="same_kind"):
        raise TypeError(f"an end of {end.dtype} must be compatible with an input of {dtype}")
    return cast(end, dtype)


@composite(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    """The integral of samples by the trapezoidal rule."""
    y, step = with_dtype(y), dx
    axis = axis_of(axis, np.ndim(y))
    if x is not None:
        x = with_dtype(x)
        step = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            step = np.reshape(step, (-1, *(1,) * (y.ndim - axis - 1)))
    sides = y[along(axis, slice(1, None))] + y[along(axis, slice(None, -1))]
    return sum_(np.divide(step * sides, 2.0), axis)


# -- the gradient of samples --------------------------------------------------------------------


@composite(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """The derivative of samples by second-order differences; at the ends of `edge_order`."""
    f = with_dtype(f)
    axes = range(f.ndim) if axis is None else normalize_axis_tuple(axis, f.ndim)
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if any(f.shape[i] < edge_order + 1 for i in axes):
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, "
            "at least (edge_order + 1) elements are required."
        )
    x = cast(f, np.float64) if kind_of(f) in "iu" else f
    dtype = x.dtype if kind_of(x) in "fc" else np.dtype(np.float64)
    steps = _steps(varargs, [f.shape[i] for i in axes])
    parts = [
        cast(_slopes(x, step, i, edge_order), dtype) for i, step in zip(axes, steps, strict=True)
    ]
    return parts[0] if len(parts) == 1 else tuple(parts)


def _steps(given: tuple[Any, ...], lengths: list[int]) -> list[Any]:
    """The distances of neighbours along each axis: one number, or an array."""
    if not given:
        return [1.0] * len(lengths)
    given = tuple(unlisted(step) for step in given)
    if len(given) == 1 and np.ndim(given[0]) == 0:
        return list(given) * len(lengths)
    if len(given) != len(lengths):
        raise TypeError("there must be one distance, or one for each axis")
    return [_distances(with_dtype(x), n) for x, n in zip(given, lengths, strict=True)]


def _distances(places: Any, length: int) -> Any:
    if np.ndim(places) == 0:
        return places
    if places.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    if len(places) != length:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    found = diff(cast(places, np.float64) if kind_of(places) in "iu" else places)
    # Equal ones count as one number, where that leaves no gradient out.
    return found[0] if not is_traced(found) and (found == found[0]).all() else found


def _slopes(f: Any, step: Any, axis: int, edge_order: int) -> Any:
    """The derivative along one axis."""
    at: At = lambda part: f[along(axis, part)]
    three = slice(None, -2), slice(1, -1), slice(2, None)
    if np.ndim(step) == 0:
        inner = np.divide(at(three[2]) - at(three[0]), 2.0 * step)
        ends = step, step, step, step
    else:
        column = np.reshape(step, (-1, *(1,) * (f.ndim - axis - 1)))
        before, after = column[:-1], column[1:]
        a, b, c = _parabola(before, after)
        inner = a * at(three[0]) + b * at(three[1]) + c * at(three[2])
        ends = step[0], step[-1], step[1 % len(step)], step[-2 % len(step)]
    if edge_order == 1:
        first = np.divide(at(slice(1, 2)) - at(slice(0, 1)), ends[0])
        last = np.divide(at(slice(-1, None)) - at(slice(-2, -1)), ends[1])
    else:
        first = _one_sided(at, (slice(0, 1), slice(1, 2), slice(2, 3)), ends[0], ends[2])
        back = slice(-1, None), slice(-2, -1), slice(-3, -2)
        last = -_one_sided(at, back, ends[1], ends[3])
    return np.concatenate([first, inner, last], axis=axis)


def _parabola(before: Any, after: Any) -> tuple[Any, Any, Any]:
    """The weights of three samples in the slope of their parabola at the middle one."""
    both = before + after
    return (
        np.divide(-after, before * both),
        np.divide(after - before, before * after),
        np.divide(before, after * both),
    )


def _one_sided(at: At, parts: tuple[slice, ...], near: Any, far: Any) -> Any:
    """The slope of the parabola through three samples at the first of them."""
    both = near + far
    a = np.divide(-(near + both), near * both)
    b = np.divide(both, near * far)
    c = np.divide(-near, far * both)
    return a * at(parts[0]) + b * at(parts[1]) + c * at(parts[2])


# -- phases -------------------------------------------------------------------------------------


def unwrap_by(p: Any, period: Any, discont: Any, axis: Any) -> Any:
    """Call np.unwrap with a period and a largest jump that are not known before."""
    return np.unwrap(p, discont, axis, period=period)


def _period_rule(g: Any, out: Any, p: Any, period: Any, discont: Any, axis: Any) -> Any:
    return np.sum(g * np.rint(np.divide(out - p, period)))  # so many periods were added


_unwrap = op("unwrap", np.unwrap, vjp=[lambda g, out, p, **_: g], path="np.unwrap")
_unwrap_by = op(
    "unwrap_by", unwrap_by,
    vjp=[lambda g, out, p, period, discont, axis: g, _period_rule, None],
)  # fmt: skip


@composite(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * np.pi) -> Any:
    """The phases with whole periods added, so that none jumps."""
    axis = operator.index(axis)
    if is_traced(period) or is_traced(discont):
        return _unwrap_by(with_dtype(p), period, discont, axis=axis)
    given = {"discont": discont} if discont is not None else {}
    given |= {"period": period} if period != 2 * np.pi else {}
    return _unwrap(p, **given, axis=axis)
