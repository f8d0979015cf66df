"""Averages, covariances and histograms.

Counts have no gradient by what is counted, only by weights; the edges of bins that are found
from data have those of its smallest and largest element.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..dag.op import HOLE, composite, op
from .arrays import unlisted, with_dtype
from .complexes import conj, join_parts
from .conversions import cast, is_complex, kind_of
from .create import linspace
from .index import index
from .reduce import max_, mean, min_, sum_
from .scans import diff


@composite(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *, keepdims: Any = False
) -> Any:
    """The weighted mean; with the sum of the weights on request."""
    a = with_dtype(a)
    axes = None if axis is None else normalize_axis_tuple(axis, a.ndim, argname="axis")
    if weights is None:
        found = mean(a, axes, keepdims=keepdims)
        total = found.dtype.type(a.size / found.size)
    else:
        weights = _aligned(with_dtype(weights), a.shape, axes)
        integers = [np.float64] if kind_of(a) in "biu" else []
        dtype = np.result_type(a.dtype, weights.dtype, *integers)
        total = sum_(weights, axes, dtype, keepdims=keepdims)
        if np.any(total == 0.0):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        weighted = np.multiply(cast(a, dtype), cast(weights, dtype))
        found = np.divide(sum_(weighted, axes, keepdims=keepdims), total)
    if not returned:
        return found
    if np.shape(total) != found.shape:
        total = np.copy(np.broadcast_to(total, found.shape))
    return found, total


def _aligned(weights: Any, shape: tuple[int, ...], axes: Any) -> Any:
    """Give weights of some axes of an array all of its axes."""
    if weights.shape == shape:
        return weights
    if axes is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    if weights.shape != tuple(shape[i] for i in axes):
        raise ValueError("Shape of weights must be consistent with that of a along the axis.")
    ordered = np.transpose(weights, np.argsort(axes).tolist())
    return np.reshape(ordered, tuple(n if i in axes else 1 for i, n in enumerate(shape)))


# -- covariance ---------------------------------------------------------------------------------


@composite(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: Any = True, bias: Any = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariance of variables, the rows or columns, from weighted observations."""
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    given = [with_dtype(v) for v in (m, y) if v is not None]
    dtype = np.result_type(*given, np.float64) if dtype is None else np.dtype(dtype)
    x = _variables([cast(v, dtype) for v in given], rowvar)
    if x.shape[0] == 0:
        return np.zeros((0, 0))
    if ddof is None:
        ddof = 0 if bias else 1
    counts, weights = _frequencies(fweights, x.shape[1]), _weights(aweights, x.shape[1], "a")
    both = [w for w in (counts, weights) if w is not None]
    w = np.multiply(*both) if len(both) > 1 else both[0] if both else None
    centre, total = average(x, axis=1, weights=w, returned=True)
    if w is None:
        degrees = x.shape[1] - ddof
    elif weights is None or ddof == 0:
        degrees = total[0] - ddof
    else:
        degrees = total[0] - np.divide(ddof * sum_(w * weights), total[0])
    if degrees <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        degrees = 0.0
    x = cast(x - centre[:, None], dtype)
    other = np.transpose(x if w is None else x * w)
    found = np.matmul(x, conj(other))
    return np.squeeze(cast(found * np.divide(1, degrees), found.dtype))


def _variables(given: Sequence[Any], rowvar: Any) -> Any:
    """Join the variables as rows of one matrix."""
    rows = []
    for number, v in enumerate(given):
        if v.ndim > 2:
            raise ValueError(f"{'my'[number]} has more than 2 dimensions")
        row = v if v.ndim == 2 else np.reshape(v, (1, -1))
        is_row = v.ndim == 1 if number == 0 else row.shape[0] == 1
        rows.append(row if rowvar or is_row else np.transpose(row))
    return np.concatenate(rows, axis=0) if len(rows) > 1 else rows[0]


def _weights(weights: Any, count: int, kind: str) -> Any:
    if weights is None:
        return None
    weights = cast(with_dtype(weights), np.float64)
    if weights.ndim > 1:
        raise RuntimeError(f"cannot handle multidimensional {kind}weights")
    if weights.shape[0] != count:
        raise RuntimeError(f"incompatible numbers of samples and {kind}weights")
    if np.any(weights < 0):
        raise ValueError(f"{kind}weights cannot be negative")
    return weights


def _frequencies(weights: Any, count: int) -> Any:
    weights = None if weights is None else cast(with_dtype(weights), np.float64)
    if weights is not None and np.any(weights != np.rint(weights)):
        raise TypeError("fweights must be integer")
    return _weights(weights, count, "f")


@composite(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, *, dtype: Any = None) -> Any:
    """The covariance over both standard deviations."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return np.divide(c, c)
    own = np.arange(len(c))
    deviation = np.sqrt(np.real(c[own, own]))
    c = np.divide(np.divide(c, deviation[:, None]), deviation)
    if not is_complex(c):
        return np.clip(c, -1, 1)
    return join_parts(np.clip(np.real(c), -1, 1), np.clip(np.imag(c), -1, 1))


# -- histograms ---------------------------------------------------------------------------------


def bin_number(x: Any, edges: Any) -> Any:
    """Number the bin of each element from 1 on; 0 is below the first, the last number above all."""
    number = np.searchsorted(edges, x, side="right")
    return number - (x == edges[-1])


def bin_counts(a: Any, weights: Any, edges: Any, uniform: Any) -> Any:
    """Count the elements in each bin, or sum up their weights."""
    if not uniform:
        return np.histogram(a, edges, weights=weights)[0]
    return np.histogram(a, len(edges) - 1, (edges[0], edges[-1]), weights=weights)[0]


def _by_weights(g: Any, out: Any, a: Any, weights: Any, edges: Any, uniform: bool) -> Any:
    number = _number(a, edges)
    inside = (number > 0) & (number <= out.shape[0])
    found = index(g, np.where(inside, number - 1, 0), key=HOLE)
    return np.where(inside, found, 0)


def bins_by(a: Any, bins: Any, range: Any) -> Any:
    """Count the bins that a rule of that name makes."""
    return len(np.histogram_bin_edges(a, bins, range)) - 1


_number = op("bin_number", bin_number, vjp=None)
_counts = op("bin_counts", bin_counts, vjp=[None, _by_weights, None], raises=True)
_bins_by = op("bins_by", bins_by, vjp=None, raises=True)
# The length of the result depends on values.
bincount = op(
    "bincount", np.bincount, path="np.bincount", raises=True,
    vjp=[None, lambda g, out, x, weights, minlength: index(g, x, key=HOLE)],
)  # fmt: skip


def _flat_data(a: Any) -> Any:
    flat = np.reshape(with_dtype(a), -1)
    return cast(flat, np.uint8) if flat.dtype == bool else flat


def _edges(a: Any, bins: Any, range: Any) -> Any:
    """The edges of bins: those given, or a number of equal ones."""
    bins = unlisted(bins)
    if np.ndim(bins) == 1:
        return bins
    if isinstance(bins, str):
        bins = _bins_by(a, bins=bins, range=range)
    elif np.ndim(bins) > 1 or kind_of(bins) not in "iu" or bins < 1:
        np.histogram_bin_edges(np.zeros(1), bins)  # which raises
    low, high = _outer_edges(a, range)
    return linspace(low, high, num=operator.index(bins) + 1, endpoint=True)


def _outer_edges(a: Any, range: Any) -> tuple[Any, Any]:
    low, high = range or ((min_(a), max_(a)) if a.size else (0, 1))
    if range and low > high:
        raise ValueError("max must be larger than min in range parameter.")
    if not np.isfinite(low) or not np.isfinite(high):
        raise ValueError(f"the range [{low}, {high}] is not finite")
    return (low - 0.5, high + 0.5) if low == high else (low, high)


@composite(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins of a histogram."""
    if weights is not None and isinstance(bins, str):
        np.histogram_bin_edges(np.zeros(1), bins, weights=np.ones(1))  # which raises
    a, bins = _flat_data(a), unlisted(bins)
    edges = _edges(a, bins, range)
    if np.ndim(bins) == 1:
        return edges
    dtype = np.result_type(*(range or ()), a)
    return cast(edges, dtype if dtype.kind in "fc" else np.result_type(dtype, np.float64))


@composite(np.histogram)
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """How many elements are in each bin, or the sum of their weights; and the edges."""
    bins = unlisted(bins)
    edges = histogram_bin_edges(a, bins, range, weights)
    if weights is not None:
        weights = with_dtype(weights)
        if weights.shape != np.shape(a):
            raise ValueError("weights should have the same shape as a.")
        weights = np.reshape(weights, -1)
    found = _counts(_flat_data(a), weights, edges, uniform=np.ndim(bins) == 0)
    if density:
        found = np.divide(np.divide(found, cast(diff(edges), np.float64)), sum_(found))
    return found, edges


@composite(np.histogramdd)
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """How many points are in each box, or the sum of their weights; and the edges of all axes."""
    if hasattr(sample, "shape"):
        points = list(np.transpose(sample)) if sample.ndim == 2 else [np.reshape(sample, -1)]
    else:
        points = [with_dtype(x) for x in sample]
    count = len(points)
    bins = bins if hasattr(bins, "__len__") else [bins] * count
    ranges = [None] * count if range is None else range
    if len(bins) != count or len(ranges) != count:
        raise ValueError("bins and range need one entry per dimension of the sample")
    edges = [_edges(*given) for given in zip(points, bins, ranges, strict=True)]
    lengths = tuple(len(e) + 1 for e in edges)
    place: Any = 0
    for x, e, length in zip(points, edges, lengths, strict=True):
        place = place * length + _number(x, e)
    given = () if weights is None else (with_dtype(weights),)
    flat = bincount(place, *given, minlength=int(np.prod(lengths)))
    found = cast(np.reshape(flat, lengths), np.float64)[(slice(1, -1),) * count]
    if density:
        total = sum_(found)
        for axis, e in enumerate(edges):
            found = np.divide(found, np.reshape(diff(e), (-1, *(1,) * (count - axis - 1))))
        found = np.divide(found, total)
    return found, edges


@composite(np.histogram2d)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """How many points are in each rectangle, or the sum of their weights; and the edges."""
    if len(x) != len(y):
        raise ValueError("x and y must have the same length.")
    if hasattr(bins, "__len__") and len(bins) not in (1, 2):
        bins = [bins, bins]
    found, (first, second) = histogramdd([x, y], bins, range, density, weights)
    return found, first, second
