"""Integrals of samples: the trapezoidal and Simpson's rule. (tracejit/ode has odeint.)

Samples enter, with the places where they were taken or the distance between them; all of it may be
differentiated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.integrate

from ...dag.op import composite
from ..conversions import cast
from ..shape import last_axis


def _steps(y: Any, x: Any, dx: Any, axis: int) -> Any:
    """The distances between samples, along the last axis; one number where they are equal."""
    if x is None:
        return dx
    x = x if np.ndim(x) == 1 else last_axis(x, axis)
    if np.ndim(x) not in (1, np.ndim(y)):
        raise ValueError("If given, shape of x must be 1-D or the same as y.")
    if x.shape[-1] != y.shape[-1]:
        raise ValueError("If given, length of x along axis must be the same as y.")
    return x[..., 1:] - x[..., :-1]


def _array(a: Any) -> Any:
    return a if a is None or isinstance(a, np.ndarray) else np.asarray(a)


def _floating(y: Any) -> Any:
    dtype = np.result_type(y)
    return dtype if dtype.kind in "fc" else np.dtype("f8")


@composite(scipy.integrate.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Sum over the intervals of their lengths times the means of the samples at their ends."""
    dtype, y = _floating(y), last_axis(_array(y), axis)
    parts = _steps(y, _array(x), dx, axis) * (y[..., 1:] + y[..., :-1]) / 2.0
    return np.sum(cast(parts, dtype), axis=-1)


@composite(scipy.integrate.cumulative_trapezoid)
def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """The integrals up to each sample; the first one, 0, only with initial=0."""
    if initial is not None and (np.ndim(initial) or initial != 0):
        raise ValueError("`initial` must be `None` or `0`.")
    if np.shape(y)[axis] == 0:
        raise ValueError("At least one point is required along `axis`.")
    y = last_axis(_array(y), axis)
    sums = np.cumsum(_steps(y, _array(x), dx, axis) * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)
    if initial is not None:
        first = np.zeros((*sums.shape[:-1], 1), np.result_type(sums))
        sums = np.concatenate([first, sums], axis=-1)
    return sums if axis in (-1, np.ndim(y) - 1) else np.moveaxis(sums, -1, axis)


def _ratio(a: Any, b: Any) -> Any:
    """A ratio that is 0 where its denominator is."""
    return np.where(b != 0, np.divide(a, np.where(b != 0, b, 1)), 0)


def _parabolas(y: Any, steps: Any, dx: Any) -> Any:
    """Integrate parabolas through the samples 0, 1, 2, the samples 2, 3, 4, and so on."""
    first, middle, last = y[..., :-2:2], y[..., 1:-1:2], y[..., 2::2]
    if steps is None:
        return np.sum(first + 4.0 * middle + last, axis=-1) * (dx / 3.0)
    left, right = steps[..., ::2], steps[..., 1::2]
    both, ratio = left + right, _ratio(left, right)
    by_middle = both * _ratio(both, left * right)
    parts = first * (2.0 - _ratio(1.0, ratio)) + middle * by_middle + last * (2.0 - ratio)
    return np.sum(both / 6.0 * parts, axis=-1)


def _last_interval(y: Any, before: Any, length: Any) -> Any:
    """Integrate the parabola through the last three samples over the last interval alone.

    Cartwright, "Simpson's Rule Cumulative Integration with MS Excel and Irregularly-spaced Data",
    Journal of Mathematical Sciences and Mathematics Education 12 (2017).
    """
    both = before + length
    by_last = _ratio(length * (2.0 * length + 3.0 * before), 6.0 * both)
    by_middle = _ratio(length * (length + 3.0 * before), 6.0 * before)
    by_first = _ratio(length * length * length, 6.0 * before * both)
    return by_last * y[..., -1] + by_middle * y[..., -2] - by_first * y[..., -3]


@composite(scipy.integrate.simpson)
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate parabolas; an even number of samples leaves one interval for its own formula."""
    axis = axis % np.ndim(y)
    y, x = _array(y), _array(x)
    like = scipy.integrate.simpson(
        np.zeros(y.shape, np.result_type(y)),
        x=None if x is None else np.zeros(x.shape, np.result_type(x)),
        axis=axis,
    )
    y = last_axis(y, axis)
    steps = None if x is None else _steps(y, x, dx, axis)
    count = y.shape[-1]
    if count % 2:
        total = _parabolas(y, steps, dx)
    elif count == 2:
        total = 0.5 * (dx if steps is None else steps[..., 0]) * (y[..., -1] + y[..., -2])
    else:
        before, length = (dx, dx) if steps is None else (steps[..., -2], steps[..., -1])
        rest = _parabolas(y[..., :-1], None if steps is None else steps[..., :-1], dx)
        total = rest + _last_interval(y, before, length)
    return cast(total, like.dtype)
