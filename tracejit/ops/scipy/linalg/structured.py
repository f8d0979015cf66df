"""Matrices made of vectors and blocks: block_diag, toeplitz, hankel, circulant, khatri_rao.

They rearrange elements and compute nothing, so values and gradients are exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg

from ....dag.op import composite, op


def _core(x: Any) -> tuple[int, int]:
    """The shape of the block that an array makes, or each matrix of a stack of them."""
    rows, columns = (1, 1, *np.shape(x))[-2:]
    return rows, columns


def _block_rule(g: Any, out: Any, position: int, inputs: list[Any]) -> Any:
    shapes = [_core(x) for x in inputs[: position + 1]]
    row, column = (sum(lengths) for lengths in zip((0, 0), *shapes[:-1], strict=True))
    rows, columns = shapes[-1]
    block = g[..., row : row + rows, column : column + columns]
    own = np.shape(inputs[position])
    return block if len(own) > 1 else np.reshape(block, (*block.shape[:-2], *own))


block_diag = op(
    "scipy.linalg.block_diag", scipy.linalg.block_diag, stands_for=(scipy.linalg.block_diag,),
    variadic=True, vjp=_block_rule, bind=lambda *arrs: (arrs, {}),
)  # fmt: skip


def _placed(values: Any, index: Any) -> Any:
    return values[..., index]


def _joined(left: Any, right: Any) -> Any:
    """Join two vectors, or stacks of them, at their ends."""
    batch = np.broadcast_shapes(left.shape[:-1], right.shape[:-1])
    parts = [
        x if x.shape[:-1] == batch else np.broadcast_to(x, (*batch, x.shape[-1]))
        for x in (left, right)
    ]
    return np.concatenate(parts, axis=-1)


@composite(scipy.linalg.toeplitz)
def toeplitz(c: Any, r: Any = None) -> Any:
    """Constant diagonals, from the first column and the first row."""
    c = np.reshape(c, (1,)) if np.ndim(c) == 0 else c
    if r is None:
        r = np.conj(c)
    r = np.reshape(r, (1,)) if np.ndim(r) == 0 else r
    rows, columns = c.shape[-1], r.shape[-1]
    index = np.arange(columns) - np.arange(rows)[:, None] + rows - 1
    return _placed(_joined(c[..., ::-1], r[..., 1:]), index)


@composite(scipy.linalg.circulant)
def circulant(c: Any) -> Any:
    """Each column is the one before, rotated by one place."""
    c = np.reshape(c, (1,)) if np.ndim(c) == 0 else c
    n = c.shape[-1]
    return _placed(c, (np.arange(n)[:, None] - np.arange(n)) % max(n, 1))


@composite(scipy.linalg.hankel)
def hankel(c: Any, r: Any = None) -> Any:
    """Constant anti-diagonals, from the first column and the last row."""
    if np.ndim(c) > 1 or np.ndim(r) > 1:
        raise TypeError("hankel() argument c= or r= of several axes")
    r = np.zeros(np.shape(c), np.result_type(c)) if r is None else r
    index = np.arange(np.size(r)) + np.arange(np.size(c))[:, None]
    return _placed(_joined(c, r[1:]), index)


@composite(scipy.linalg.khatri_rao)
def khatri_rao(a: Any, b: Any) -> Any:
    """Kronecker's product of each column with the same column of the other matrix."""
    product = a[..., :, None, :] * b[..., None, :, :]
    *batch, rows, inner, columns = product.shape
    return np.reshape(product, (*batch, math.prod((rows, inner)), columns))
