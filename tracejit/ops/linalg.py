"""Products of arrays and linear algebra; dot, outer, tensordot and norm are written with ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import BY_NAME, composite, op
from .elementwise import root
from .reduce import axes_of
from .shape import reshape, transpose

# The rules of products are used at every step of long loops: they call ops, not NumPy's functions,
# which take a detour to a tracer.


def _swap(x: Any) -> Any:
    *batch, rows, columns = range(x.ndim)
    return transpose(x, axes=(*batch, columns, rows))


def _column(x: Any) -> Any:
    return reshape(x, shape=(*x.shape, 1))


def _row(x: Any) -> Any:
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def _matmul_left(g: Any, out: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return np.multiply(_column(g) if a.ndim > 1 else g, b)
    if a.ndim == 1:
        return np.matmul(b, g) if b.ndim == 2 else np.matmul(b, _column(g))[..., 0]
    return np.matmul(g, _swap(b))


def _matmul_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return np.multiply(_column(a), _row(g)) if b.ndim > 1 else g * a
    if b.ndim == 1:
        if a.ndim == 2:
            return np.matmul(_swap(a), g)
        return np.matmul(_swap(a), _column(g))[..., 0]
    if a.ndim > 2 and b.ndim == 2:  # one product over all of the batch
        count = int(np.prod(a.shape[:-1], dtype=np.int64))
        rows = np.reshape(a, (count, a.shape[-1]))
        return np.matmul(rows.T, np.reshape(g, (count, g.shape[-1])))
    return np.matmul(_swap(a), g)


matmul = op(
    "matmul", np.matmul, stands_for=(np.matmul,), vjp=[_matmul_left, _matmul_right], out=True,
    operator=np.matmul,
)  # fmt: skip


def _inverse_rule(g: Any, out: Any, x: Any) -> Any:
    transposed = _swap(out)
    return -np.matmul(np.matmul(transposed, g), transposed)


def _det_rule(g: Any, out: Any, x: Any) -> Any:
    scale = g * out
    if getattr(scale, "shape", ()) != ():
        scale = np.reshape(scale, (*scale.shape, 1, 1))
    return scale * _swap(np.linalg.inv(x))


inv = op(
    "linalg.inv", np.linalg.inv, stands_for=(np.linalg.inv,), vjp=[_inverse_rule],
    bind=lambda a: ((a,), {}), raises=True,
)  # fmt: skip
det = op(
    "linalg.det", np.linalg.det, stands_for=(np.linalg.det,), vjp=[_det_rule],
    bind=lambda a: ((a,), {}),
)  # fmt: skip


def _as_array(x: Any) -> Any:
    """Give a Python number a dtype of its own, which then counts in promotion."""
    return x if hasattr(x, "dtype") else BY_NAME["convert"](x, cls=np.ndarray)


@composite(np.dot)
def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: a product of scalars, vectors or matrices, else over last and last but one."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(_as_array(a), _as_array(b))
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return np.matmul(a, b)
    return tensordot(a, b, ((-1,), (-1 if np.ndim(b) == 1 else -2,)))


@composite(np.outer)
def outer(a: Any, b: Any) -> Any:
    """All products of the elements of two flattened arrays."""
    return np.multiply(np.reshape(a, (-1, 1)), np.reshape(b, (1, -1)))


@composite(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes, as one product of matrices."""
    a_ndim, b_ndim = np.ndim(a), np.ndim(b)
    if isinstance(axes, (tuple, list)):
        left, right = (tuple(np.atleast_1d(side).tolist()) for side in axes)
    else:
        left, right = tuple(range(a_ndim - axes, a_ndim)), tuple(range(axes))
    left, right = tuple(i % a_ndim for i in left), tuple(i % b_ndim for i in right)
    a_shape, b_shape = np.shape(a), np.shape(b)
    if [a_shape[i] for i in left] != [b_shape[i] for i in right]:
        raise ValueError("shape-mismatch for sum")
    a_kept = tuple(i for i in range(a_ndim) if i not in left)
    b_kept = tuple(i for i in range(b_ndim) if i not in right)
    inner = int(np.prod([a_shape[i] for i in left], dtype=np.int64))
    rows = int(np.prod([a_shape[i] for i in a_kept], dtype=np.int64))
    columns = int(np.prod([b_shape[i] for i in b_kept], dtype=np.int64))
    product = np.matmul(
        np.reshape(np.transpose(a, (*a_kept, *left)), (rows, inner)),
        np.reshape(np.transpose(b, (*right, *b_kept)), (inner, columns)),
    )
    return np.reshape(product, (*(a_shape[i] for i in a_kept), *(b_shape[i] for i in b_kept)))


@composite(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector norms of every order and the entry-wise matrix norms; the gradient at 0 is 0."""
    if np.result_type(x).kind in "biu":
        x = _as_array(x).astype(np.dtype("f8"))
    ndim = np.ndim(x)
    axes = axes_of(axis, ndim)
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        return root(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        row, column = axes if axis is None else (a % ndim for a in axis)
        inner, across = (row, column) if abs(ord) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=inner, keepdims=True)
        best = (np.max if ord > 0 else np.min)(sums, axis=across, keepdims=True)
        return best if keepdims else _drop(best, (row, column))
    raise TypeError(f"norm() argument ord={ord!r} of {len(axes)} axes")


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    size = np.abs(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum((x != 0).astype(x.dtype), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    zero = np.sum(size, axis=axis, keepdims=True) == 0  # there the gradient is taken as 0
    safe = np.where(zero, 1.0, size)
    total = np.sum(np.power(safe, ord), axis=axis, keepdims=True)
    value = np.where(zero, 0.0, np.power(total, 1.0 / ord))
    return value if keepdims else _drop(value, axis)


def _drop(value: Any, axis: Any) -> Any:
    """Drop axes as a reduction does: what has no axis left is a scalar."""
    value = np.squeeze(value, axis=axis)
    return value if value.ndim else value[()]
