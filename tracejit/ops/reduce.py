"""Reductions and scans over axes; mean, var and std are written with them.

Rules put the reduced axes back as axes of length 1, so that cotangents broadcast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import BY_NAME, Op, composite, op
from .elementwise import root
from .shape import inverse


def _bind(a: Any, axis: Any = None, dtype: None = None, *, keepdims: bool = False) -> Any:
    if dtype is not None:
        raise TypeError("reduction() argument dtype= on a traced value; use .astype first")
    if isinstance(axis, (tuple, list)):
        axis = tuple(int(i) for i in axis)
    elif axis is not None:
        axis = int(axis)
    return (a,), {"axis": axis, "keepdims": bool(keepdims)}


def reduction(function: Any, ufunc: np.ufunc | None, vjp: Any, *aliases: Any) -> Op:
    """Declare a reduction with `axis` and `keepdims`."""
    return op(
        function.__name__,
        function,
        stands_for=(function, *aliases),
        bind=_bind,
        vjp=vjp,
        reduces=ufunc,
        out=ufunc is not None,
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


def _extremum(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    shape = getattr(x, "shape", ())
    chosen = (x == spread(out, shape, axis, keepdims)) | (x != x)  # NaN counts as the extremum
    count = np.sum(chosen, axis=axis, keepdims=True)
    return np.where(chosen, np.divide(spread(g, shape, axis, keepdims), count), 0)


def _product_rule(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    shape = np.shape(x)
    axes = axes_of(axis, len(shape))
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    order = (*kept, *axes)
    rows = np.reshape(np.transpose(x, order), (*(shape[i] for i in kept), _count(x, axis)))
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


def _cumsum_rule(g: Any, out: Any, x: Any, axis: Any) -> Any:
    if axis is None:
        return np.reshape(np.cumsum(g[::-1])[::-1], np.shape(x))
    flip = (slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)
    return np.cumsum(g[flip], axis=axis)[flip]


reduction(
    np.sum, np.add, [lambda g, out, x, axis, keepdims: spread(g, np.shape(x), axis, keepdims)]
)
reduction(np.prod, np.multiply, [_product_rule])
reduction(np.max, np.maximum, [_extremum], np.amax)
reduction(np.min, np.minimum, [_extremum], np.amin)
reduction(np.any, np.logical_or, None)
reduction(np.all, np.logical_and, None)
reduction(np.argmax, None, None)
reduction(np.argmin, None, None)
reduction(np.count_nonzero, None, None)
op(
    "cumsum", np.cumsum, stands_for=(np.cumsum,), vjp=[_cumsum_rule],
    bind=lambda a, axis=None: ((a,), {"axis": axis}),
)  # fmt: skip
# Along the last axis: the product of all other elements, exact where some are zero.
products_of_others = op(
    "products_of_others", _products_of_others, vjp=[_products_of_others_rule]
)


def _count(x: Any, axis: Any) -> int:
    shape = np.shape(x)
    return int(np.prod([shape[i] for i in axes_of(axis, len(shape))], dtype=np.int64))


def _inexact(x: Any) -> tuple[Any, Any]:
    """Prepare an input of mean and var as NumPy does: integers as f8, sums of f2 in f4."""
    dtype = getattr(x, "dtype", None)
    if dtype is None:  # a Python number
        return x, None
    if dtype.kind in "biu":
        return x.astype(np.dtype("f8")), None
    return (x.astype(np.dtype("f4")), dtype) if dtype == np.float16 else (x, None)


def _as(x: Any, dtype: Any) -> Any:
    return x if dtype is None else x.astype(dtype)


@composite(np.mean)
def mean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The sum over the number of elements."""
    x, narrow = _inexact(a)
    return _as(np.sum(x, axis=axis, keepdims=keepdims) / _count(x, axis), narrow)


@composite(np.var)
def var(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """The mean squared deviation, over n - ddof."""
    return _as(*_variance(a, axis, ddof, keepdims))


@composite(np.std)
def std(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """The root of the variance, whose gradient is 0 where the variance is 0."""
    variance, narrow = _variance(a, axis, ddof, keepdims)
    return _as(root(variance), narrow)


def _variance(a: Any, axis: Any, ddof: float, keepdims: bool) -> tuple[Any, Any]:
    x, narrow = _inexact(a)
    n = _count(x, axis)
    deviation = x - np.sum(x, axis=axis, keepdims=True) / n
    total = np.sum(BY_NAME["square"](deviation), axis=axis, keepdims=keepdims)
    degrees = n - ddof
    return np.divide(total, degrees if degrees > 0 else 0), narrow
