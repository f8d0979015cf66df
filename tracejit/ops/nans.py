"""Reductions and scans that leave NaN out: those of the other elements, with NaN replaced.

A NaN gets no gradient, except where there is nothing else and the result is NaN because of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import composite
from .complexes import squared_size
from .conversions import cast, kind_of
from .elementwise import root
from .reduce import ABSENT, divided, extreme, mean, nan_extremum, once, prod, reduction, sum_, var
from .scans import cumprod, cumsum


def _replaced(a: Any, value: int) -> Any:
    return np.where(np.isnan(a), value, a) if kind_of(a) in "fc" else a


@composite(np.nansum)
def nansum(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    """The sum."""
    return sum_(_replaced(a, 0), axis, dtype, **options)


@composite(np.nanprod)
def nanprod(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    """The product."""
    return prod(_replaced(a, 1), axis, dtype, **options)


@composite(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The sums of the first elements."""
    return cumsum(_replaced(a, 0), axis, dtype)


@composite(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """The products of the first elements."""
    return cumprod(_replaced(a, 1), axis, dtype)


_nanmax = reduction(np.nanmax, None, [nan_extremum])
_nanmin = reduction(np.nanmin, None, [nan_extremum])
reduction(np.nanargmax, None, None, raises=True)
reduction(np.nanargmin, None, None, raises=True)


@composite(np.nanmax)
def nanmax(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = ABSENT, where: Any = True
) -> Any:
    """The largest element; equal ones share its cotangent."""
    return extreme(_nanmax, np.fmax, 1, a, axis, keepdims, initial, where)


@composite(np.nanmin)
def nanmin(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = ABSENT, where: Any = True
) -> Any:
    """The smallest element; equal ones share its cotangent."""
    return extreme(_nanmin, np.fmin, -1, a, axis, keepdims, initial, where)


def _check(dtype: Any) -> None:
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")


@composite(np.nanmean)
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False, where: Any = True
) -> Any:
    """The sum over the number of elements."""
    if kind_of(a) not in "fc":
        return mean(a, axis, dtype, keepdims=keepdims, where=where)
    _check(dtype)
    missing = np.isnan(a)
    count = sum_(~missing, axis, keepdims=keepdims, where=where)
    total = sum_(np.where(missing, 0, a), axis, dtype, keepdims=keepdims, where=where)
    return divided(total, count)


@composite(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: Any = False,
    where: Any = True, mean: Any = ABSENT, correction: Any = ABSENT,
) -> Any:  # fmt: skip
    """The mean squared deviation, over n - ddof; NaN where that is not positive."""
    ddof = once(ddof, correction)
    if kind_of(a) not in "fc":
        return var(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean)
    _check(dtype)
    missing = np.isnan(a)
    if mean is ABSENT:
        mean = nanmean(a, axis, dtype, keepdims=True, where=where)
    deviation = cast(np.where(missing, 0, a - mean), np.result_type(a))
    total = sum_(squared_size(deviation), axis, dtype, keepdims=keepdims, where=where)
    degrees = sum_(~missing, axis, keepdims=keepdims, where=where) - ddof
    return divided(total, np.where(degrees > 0, degrees, np.nan))


@composite(np.nanstd)
def nanstd(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    """The root of the variance, whose gradient is 0 where the variance is 0."""
    variance = nanvar(a, axis, dtype, **options)
    return cast(root(variance), variance.dtype)
