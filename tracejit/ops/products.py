"""Products of arrays: matmul is an op; dot, outer and tensordot are written with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import BY_NAME, composite, op
from .shape import reshape, transpose

# The rules of products are used at every step of long loops: they call ops, not NumPy's functions,
# which take a detour to a tracer.


def swap(x: Any) -> Any:
    """Exchange the last two axes."""
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
    return np.matmul(g, swap(b))


def _matmul_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return np.multiply(_column(a), _row(g)) if b.ndim > 1 else g * a
    if b.ndim == 1:
        if a.ndim == 2:
            return np.matmul(swap(a), g)
        return np.matmul(swap(a), _column(g))[..., 0]
    if a.ndim > 2 and b.ndim == 2:  # one product over all of the batch
        count = int(np.prod(a.shape[:-1], dtype=np.int64))
        rows = np.reshape(a, (count, a.shape[-1]))
        return np.matmul(rows.T, np.reshape(g, (count, g.shape[-1])))
    return np.matmul(swap(a), g)


matmul = op(
    "matmul", np.matmul, stands_for=(np.matmul,), vjp=[_matmul_left, _matmul_right], out=True,
    operator=np.matmul,
)  # fmt: skip


def as_array(x: Any) -> Any:
    """Give a Python number a dtype of its own, which then counts in promotion."""
    return x if hasattr(x, "dtype") else BY_NAME["convert"](x, cls=np.ndarray)


@composite(np.dot)
def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: a product of scalars, vectors or matrices, else over last and last but one."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(as_array(a), as_array(b))
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
