"""Linear algebra: inverses, determinants, and norms, which are written with ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import composite, op
from .elementwise import root
from .products import as_array, swap
from .reduce import axes_of


def _inverse_rule(g: Any, out: Any, x: Any) -> Any:
    transposed = swap(out)
    return -np.matmul(np.matmul(transposed, g), transposed)


def _det_rule(g: Any, out: Any, x: Any) -> Any:
    scale = g * out
    if getattr(scale, "shape", ()) != ():
        scale = np.reshape(scale, (*scale.shape, 1, 1))
    return scale * swap(np.linalg.inv(x))


inv = op(
    "linalg.inv", np.linalg.inv, stands_for=(np.linalg.inv,), vjp=[_inverse_rule],
    bind=lambda a: ((a,), {}), raises=True,
)  # fmt: skip
det = op(
    "linalg.det", np.linalg.det, stands_for=(np.linalg.det,), vjp=[_det_rule],
    bind=lambda a: ((a,), {}),
)  # fmt: skip


@composite(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector norms of every order and the entry-wise matrix norms; the gradient at 0 is 0."""
    if np.result_type(x).kind in "biu":
        x = as_array(x).astype(np.dtype("f8"))
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
