"""Reductions over axes: sum, prod, extrema, and what is written with them, such as mean and std.

The ops reduce over axes and do nothing else; dtype=, where= and initial= are steps before and
after them. Rules put the reduced axes back as axes of length 1, so that cotangents broadcast.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.op import Op, composite, is_traced, op
from .complexes import squared_size
from .conversions import cast, inexact, kind_of
from .elementwise import root
from .shape import inverse

ABSENT: Any = np._NoValue  # NumPy's own sign for an argument that was not given


def axes_attrs(axis: Any, keepdims: Any) -> dict[str, Any]:
    """Make the attributes of a reduction."""
    if isinstance(axis, tuple):
        axis = tuple(operator.index(i) for i in axis)
    elif axis is not None:
        axis = operator.index(axis)
    return {"axis": axis, "keepdims": keepdims is not ABSENT and bool(keepdims)}


def _bind(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return (a,), axes_attrs(axis, keepdims)


def reduction(
    function: Any, ufunc: np.ufunc | None, vjp: Any, *aliases: Any, raises: bool = False
) -> Op:
    """Declare a reduction with `axis` and `keepdims`."""
    return op(
        function.__name__,
        function,
        stands_for=(function, *aliases),
        bind=_bind,
        vjp=vjp,
        reduces=ufunc,
        out=ufunc is not None,
        raises=raises,
    )


def axes_of(axis: int | tuple[int, ...] | None, ndim: int) -> tuple[int, ...]:
    """Write the axes of a reduction as sorted non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (axis,)
    return tuple(sorted(a % ndim for a in axes)) if ndim else ()


def spread(value: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """Give a reduced value its axes back, with length 1."""
    if keepdims or getattr(value, "shape", ()) == ():
        return value
    axes = axes_of(axis, len(shape))
    return np.reshape(value, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def extremum_rule(
    g: Any, out: Any, x: Any, axis: Any, keepdims: bool, otherwise: Callable[[Any, Any], Any]
) -> Any:
    """Share the cotangent among the elements that are equal to the result, or chosen otherwise."""
    shape = getattr(x, "shape", ())
    best = spread(out, shape, axis, keepdims)
    chosen = (x == best) | otherwise(x, best)
    count = np.sum(chosen, axis=axis, keepdims=True)
    return np.where(chosen, np.divide(spread(g, shape, axis, keepdims), count), 0)


def nan_extremum(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """The rule of an extremum that leaves NaN out: it is NaN where all are."""
    return extremum_rule(g, out, x, axis, keepdims, lambda x, best: best != best)


def _extremum(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    return extremum_rule(g, out, x, axis, keepdims, lambda x, best: x != x)  # NaN is the extremum


def _product_rule(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    shape = np.shape(x)
    axes = axes_of(axis, len(shape))
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    order = (*kept, *axes)
    rows = np.reshape(np.transpose(x, order), (*(shape[i] for i in kept), count_of(x, axis)))
    others = np.reshape(products_of_others(rows), tuple(shape[i] for i in order))
    return spread(g, shape, axis, keepdims) * np.transpose(others, inverse(order))


def _products_of_others(x: Any) -> Any:
    ones = np.ones_like(x[..., :1])
    before = np.cumprod(np.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
    after = np.cumprod(np.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return np.multiply(before, after)


def _products_of_others_rule(g: Any, out: Any, x: Any) -> Any:
    n = x.shape[-1]
    eye = np.eye(n, dtype=bool)
    pairs = products_of_others(np.where(eye, 1, np.reshape(x, (*x.shape[:-1], 1, n))))
    return np.sum(np.where(eye, 0, np.reshape(g, (*x.shape, 1)) * pairs), axis=-2)


# The functions of most of these have further arguments, see the composites below.
_sum = reduction(
    np.sum, np.add, [lambda g, out, x, axis, keepdims: spread(g, np.shape(x), axis, keepdims)]
)
_prod = reduction(np.prod, np.multiply, [_product_rule])
_max = reduction(np.max, np.maximum, [_extremum], np.amax)
_min = reduction(np.min, np.minimum, [_extremum], np.amin)
_any = reduction(np.any, np.logical_or, None)
_all = reduction(np.all, np.logical_and, None)
reduction(np.argmax, None, None)
reduction(np.argmin, None, None)
reduction(np.count_nonzero, None, None)
# Along the last axis: the product of all other elements, exact where some are zero.
products_of_others = op(
    "products_of_others", _products_of_others, vjp=[_products_of_others_rule]
)


# -- dtype=, where= and initial= ----------------------------------------------------------------


def is_everywhere(where: Any) -> bool:
    """Tell whether `where=` leaves nothing out."""
    return where is True or where is ABSENT


def only_where(x: Any, where: Any, other: Any) -> Any:
    """The elements that `where` names, and another value for the rest."""
    if is_everywhere(where):
        return x
    mask, shape = where if is_traced(where) else np.asarray(where), np.shape(x)
    if mask.dtype != bool or np.broadcast_shapes(mask.shape, shape) != shape:
        np.sum(np.zeros(shape), where=np.zeros(mask.shape, mask.dtype))  # which raises
    return np.where(mask, x, other)


def _combined(combine: np.ufunc, value: Any, initial: Any) -> Any:
    if initial is ABSENT or initial is None:
        return value
    weak = value.dtype.kind in "fc" and not hasattr(initial, "dtype")
    return combine(value, initial if weak else cast(initial, value.dtype))


def _total(
    reduce: Op, combine: np.ufunc, neutral: int, a: Any, axis: Any, dtype: Any, keepdims: Any,
    initial: Any, where: Any,
) -> Any:  # fmt: skip
    attrs = axes_attrs(axis, keepdims)
    if dtype is None and initial is ABSENT and where is True:
        return reduce(a, **attrs)
    x = a if dtype is None else cast(a, dtype)
    other = bool(neutral) if kind_of(x) == "b" else neutral
    value = reduce(only_where(x, where, other), **attrs)
    return _combined(combine, value if dtype is None else cast(value, dtype), initial)


@composite(np.sum)
def sum_(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False, initial: Any = ABSENT,
    where: Any = True,
) -> Any:  # fmt: skip
    """The sum; elements are added as numbers of `dtype`."""
    return _total(_sum, np.add, 0, a, axis, dtype, keepdims, initial, where)


@composite(np.prod)
def prod(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False, initial: Any = ABSENT,
    where: Any = True,
) -> Any:  # fmt: skip
    """The product, whose gradient is exact where factors are zero."""
    return _total(_prod, np.multiply, 1, a, axis, dtype, keepdims, initial, where)


def end_of(dtype: np.dtype[Any], sign: int) -> Any:
    """The largest (sign 1) or smallest (-1) value of a dtype."""
    if dtype.kind == "b":
        return sign > 0
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).max if sign > 0 else np.iinfo(dtype).min)
    return sign * np.inf if dtype.kind == "f" else complex(sign * np.inf, sign * np.inf)


def extreme(
    reduce: Op, combine: np.ufunc, sign: int, a: Any, axis: Any, keepdims: Any, initial: Any,
    where: Any,
) -> Any:  # fmt: skip
    """The largest (sign 1) or smallest (-1) of the elements that `where` names, and `initial`."""
    attrs = axes_attrs(axis, keepdims)
    if initial is ABSENT and is_everywhere(where):
        return reduce(a, **attrs)
    if initial is ABSENT or initial is None:
        combine.reduce(np.zeros(1), where=np.ones(1, bool))  # which raises
    other = end_of(np.result_type(a), -sign)
    x = only_where(a, where, other)
    if count_of(x, axis):
        value = reduce(x, **attrs)
    else:  # zeros of the right shape
        value = sum_(x, axis, np.result_type(x), keepdims=keepdims) + other
    return _combined(combine, value, initial)


@composite(np.max, np.amax)
def max_(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = ABSENT, where: Any = True
) -> Any:
    """The largest element; equal ones share its cotangent."""
    return extreme(_max, np.maximum, 1, a, axis, keepdims, initial, where)


@composite(np.min, np.amin)
def min_(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = ABSENT, where: Any = True
) -> Any:
    """The smallest element; equal ones share its cotangent."""
    return extreme(_min, np.minimum, -1, a, axis, keepdims, initial, where)


@composite(np.ptp)
def ptp(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    """The largest element less the smallest."""
    return np.subtract(
        max_(a, axis, keepdims=keepdims), min_(a, axis, keepdims=keepdims)
    )


@composite(np.any, vjp=None)
def any_(a: Any, axis: Any = None, *, keepdims: Any = False, where: Any = True) -> Any:
    """Whether an element is not zero."""
    return _any(only_where(a, where, False), **axes_attrs(axis, keepdims))


@composite(np.all, vjp=None)
def all_(a: Any, axis: Any = None, *, keepdims: Any = False, where: Any = True) -> Any:
    """Whether no element is zero."""
    return _all(only_where(a, where, True), **axes_attrs(axis, keepdims))


def _trace_rule(g: Any, out: Any, a: Any, offset: int, axis1: int, axis2: int) -> Any:
    diagonal = np.eye(a.shape[axis1], a.shape[axis2], offset, bool)
    spots = np.where(diagonal, np.reshape(g, (*np.shape(g), 1, 1)), 0)
    return np.moveaxis(spots, (-2, -1), (axis1, axis2))


_trace = op("trace", np.trace, vjp=[_trace_rule], path="np.trace")


@composite(np.trace)
def trace(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None) -> Any:
    """The sum of a diagonal."""
    place = {"offset": offset, "axis1": axis1, "axis2": axis2}
    attrs = {key: operator.index(value) for key, value in place.items()}
    found = _trace(a if dtype is None else cast(a, dtype), **attrs)
    return found if dtype is None else cast(found, dtype)


# -- mean and variance --------------------------------------------------------------------------


def count_of(x: Any, axis: Any, keepdims: Any = False, where: Any = True) -> Any:
    """Count the elements that are reduced: an int, or an array where `where` chooses them."""
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if not is_everywhere(where):
        mask = np.broadcast_to(where, shape)
        return sum_(mask, axis, keepdims=keepdims)
    return math.prod(shape[i] for i in axes_of(axis, len(shape)))


def _averaged(x: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    """Count the elements of an average; other than in a sum, a number has no axis there."""
    whole = axis is None or (type(axis) is tuple and not axis)
    if not whole and np.ndim(x) == 0 and is_everywhere(where):
        raise np.exceptions.AxisError(f"axis {axis} is out of bounds for a number")
    return count_of(x, axis, keepdims, where)


def divided(total: Any, count: Any) -> Any:
    """Divide a sum by a count and keep the sum's dtype."""
    if type(count) in (int, float) and total.dtype.kind in "fc":
        if total.dtype != np.float16:
            return np.divide(total, count)
        count = np.float32(count)  # which float16 may not hold
    return cast(np.divide(total, count), total.dtype)


def _warn_of(text: str, count: Any, ddof: Any) -> None:
    """Warn where it is known already that there are too few elements."""
    if type(count) is int and not is_traced(ddof) and count <= ddof:
        warnings.warn(text, RuntimeWarning, stacklevel=3)


@composite(np.mean)
def mean(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False, where: Any = True
) -> Any:
    """The sum over the number of elements; f2 is summed in f4."""
    count = _averaged(a, axis, keepdims, where)
    _warn_of("Mean of empty slice", count, 0)
    x = inexact(a) if dtype is None else a
    narrow = dtype is None and getattr(x, "dtype", None) == np.float16
    total = sum_(x, axis, np.float32 if narrow else dtype, keepdims=keepdims, where=where)
    return cast(divided(total, count), np.float16) if narrow else divided(total, count)


def once(ddof: Any, correction: Any) -> Any:
    """The one of two names for the same argument that was given."""
    if correction is ABSENT:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


@composite(np.var)
def var(
    a: Any, axis: Any = None, dtype: Any = None, *, ddof: Any = 0, keepdims: Any = False,
    where: Any = True, mean: Any = ABSENT, correction: Any = ABSENT,
) -> Any:  # fmt: skip
    """The mean squared deviation, over n - ddof."""
    x, ddof = inexact(a) if dtype is None else a, once(ddof, correction)
    if mean is ABSENT or mean is None:
        total = sum_(x, axis, dtype, keepdims=True, where=where)
        mean = divided(total, count_of(x, axis, True, where))
    squares = squared_size(x - mean)
    count = _averaged(x, axis, keepdims, where)
    _warn_of("Degrees of freedom <= 0 for slice", count, ddof)
    total = sum_(squares, axis, dtype, keepdims=keepdims, where=where)
    number = type(count) is int and not is_traced(ddof)
    return divided(total, max(count - ddof, 0) if number else np.maximum(count - ddof, 0))


@composite(np.std)
def std(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    """The root of the variance, whose gradient is 0 where the variance is 0."""
    variance = var(a, axis, dtype, **options)
    return cast(root(variance), variance.dtype)
