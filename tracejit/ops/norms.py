"""Norms of vectors and matrices, condition numbers and ranks, written with ops.

The gradient of a norm at 0 is 0, and so is the share of an element or a singular value that is 0;
largest and smallest ones that are equal share equally. Second derivatives are finite there, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..dag.op import BY_NAME, composite, op
from .arrays import with_dtype
from .complexes import squared_size
from .conversions import as_scalar, inexact
from .decompositions import svdvals
from .elementwise import root
from .linalg import inverse_or_nan
from .shape import axis_of

Axis = int | tuple[int, ...]

_ENTRIES = (None, "fro", "f")


@composite(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of a vector or a matrix; of all elements, where neither order nor axes are given."""
    x, ndim = inexact(with_dtype(x)), np.ndim(x)
    if axis is None:
        if ord is None:
            return root(np.sum(squared_size(x), keepdims=keepdims))
        axis = tuple(range(ndim))
    axes = axis if isinstance(axis, tuple) else (int(axis),)
    if len(axes) == 1:
        return _vector_norm(x, ord, axis_of(axes[0], ndim), keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    row, column = normalize_axis_tuple(axes, ndim, allow_duplicate=True)
    if row == column:
        raise ValueError("Duplicate axes given.")
    value = _matrix_norm(x, ord, row, column)
    if not keepdims:
        return value
    return np.reshape(value, [1 if i in (row, column) else n for i, n in enumerate(np.shape(x))])


def _vector_norm(x: Any, ord: Any, axis: Axis, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(f"Invalid norm order '{ord}' for vectors")
    if ord is None or ord == 2:
        return root(np.sum(squared_size(x), axis=axis, keepdims=keepdims))
    if ord == 0:
        count = (x != 0).astype(np.real(x).dtype)
        return np.sum(count, axis=axis, keepdims=keepdims)
    size = np.abs(x)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return _largest(size, axis, keepdims)
    if ord == -np.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if hasattr(ord, "dtype"):  # the result has the dtype of x
        ord = BY_NAME["convert"](ord, cls=float)
    if ord >= 2:
        powers = np.power(size, ord)
    else:  # its derivatives are infinite at 0
        zero = size == 0
        powers = np.power(np.where(zero, 1, size), ord)
        powers = np.where(zero, 0 if ord > 0 else np.inf, powers)
    total = np.sum(powers, axis=axis, keepdims=keepdims)
    none = total == 0
    value = np.where(none, 0 if ord > 0 else np.inf, np.power(np.where(none, 1, total), 1 / ord))
    return as_scalar(value)


def _largest(values: Any, axis: Axis, keepdims: bool = False) -> Any:
    """The maximum, and 0 of nothing; all values are positive."""
    choose = np.max if values.size else np.sum
    return choose(values, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Any, ord: Any, row: int, column: int) -> Any:
    if ord in _ENTRIES:
        return root(np.sum(squared_size(x), axis=(row, column)))
    if ord in (2, -2, "nuc"):
        values = np.abs(svdvals(np.moveaxis(x, (row, column), (-2, -1))))  # abs: no slope at 0
        if ord == "nuc":
            return np.sum(values, axis=-1)
        return _largest(values, -1) if ord == 2 else np.min(values, axis=-1)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError("Invalid norm order for matrices.")
    inner, axis = (row, column) if abs(ord) == 1 else (column, row)
    sums = np.sum(np.abs(x), axis=inner)
    axis -= axis > inner
    return _largest(sums, axis) if ord > 0 else np.min(sums, axis=axis)


@composite(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of all elements, or of those along some axes, as a vector's."""
    x, ndim = inexact(with_dtype(x)), np.ndim(x)
    axes = normalize_axis_tuple(range(ndim) if axis is None else axis, ndim)
    return _vector_norm(x, ord, axes, keepdims)


@composite(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm over the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


@composite(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """The condition number by a matrix norm: infinite for a singular matrix."""
    shape = np.shape(x)
    if 0 in shape[-2:]:
        raise np.linalg.LinAlgError("cond is not defined on empty arrays")
    if p is None or p in (2, -2):
        values = svdvals(x)
        above, below = values[..., 0], values[..., -1]
        if p == -2:
            above, below = below, above
        zero = below == 0
        found = np.where(zero, np.inf, np.divide(above, np.where(zero, 1, below)))
    else:
        if shape[-2] != shape[-1]:
            raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
        product = matrix_norm(x, ord=p) * matrix_norm(inverse_or_nan(x), ord=p)
        singular = np.isnan(product) & ~np.any(np.isnan(x), axis=(-2, -1))
        found = np.where(singular, np.inf, product)
    return as_scalar(found)


def _rank_by_ratio(a: Any, rtol: Any, hermitian: bool = False) -> Any:
    return np.linalg.matrix_rank(a, hermitian=hermitian, rtol=rtol)


rank_op = op(
    "linalg.matrix_rank", np.linalg.matrix_rank, vjp=None, path="np.linalg.matrix_rank", raises=True
)
rank_by_ratio = op("linalg.rank_by_ratio", _rank_by_ratio, vjp=None, raises=True)


@composite(np.linalg.matrix_rank, vjp=None)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """How many singular values count; a tolerance may depend on values, too."""
    attrs = {"hermitian": True} if hermitian else {}
    if rtol is None:
        return rank_op(A, **attrs) if tol is None else rank_op(A, tol, **attrs)
    if tol is not None:
        raise ValueError("`tol` and `rtol` can't be both set.")
    return rank_by_ratio(A, rtol, **attrs)
