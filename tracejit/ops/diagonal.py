"""Diagonals and triangles of matrices, and the matrix of a vector's powers.

A diagonal that is read is a view that cannot be written to, as NumPy's; one that is made into a
matrix stands in zeros.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import composite, op
from .arrays import as_array
from .shape import axis_of


def _diagonal(x: Any, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.diagonal(x, offset, axis1, axis2)


def _diagonal_rule(g: Any, out: Any, x: Any, **where: int) -> Any:
    return on_diagonal(g, shape=x.shape, **where)


def _on_diagonal(
    values: Any, *, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1
) -> Any:
    out = np.zeros(shape, values.dtype)
    rows = np.arange(values.shape[-1]) + max(-offset, 0)
    np.moveaxis(out, (axis1, axis2), (-2, -1))[..., rows, rows + offset] = values
    return out


def _on_diagonal_rule(g: Any, out: Any, values: Any, shape: Any, **where: int) -> Any:
    return np.diagonal(g, **where)


diagonal = op("diagonal", _diagonal, views=True, path="np.diagonal", vjp=[_diagonal_rule])
# Zeros, but for a diagonal: the transpose of reading it.
on_diagonal = op("on_diagonal", _on_diagonal, vjp=[_on_diagonal_rule])


@composite(np.diagonal)
def diagonal_of(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    """Read a diagonal of matrices that stand along two axes."""
    if a.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    first, second = axis_of(axis1, a.ndim), axis_of(axis2, a.ndim)
    if first == second:
        raise ValueError("axis1 and axis2 cannot be the same")
    where = {"offset": operator.index(offset), "axis1": first, "axis2": second}
    usual = {"offset": 0, "axis1": 0, "axis2": 1}
    return diagonal(a, **{k: v for k, v in where.items() if v != usual[k]})


@composite(np.linalg.diagonal)
def _matrix_diagonal(x: Any, /, *, offset: Any = 0) -> Any:
    return diagonal_of(x, offset, -2, -1)


def _bind_k(v: Any, k: Any) -> Any:
    number = operator.index(k)
    return (v,), {"k": number} if number else {}


diagonal_matrix = op(
    "diag", np.diag, path="np.diag", vjp=[lambda g, out, v, k=0: np.diagonal(g, k)]
)


@composite(np.diag)
def diag(v: Any, k: Any = 0) -> Any:
    """Make a diagonal matrix of a vector, or read the diagonal of a matrix."""
    if np.ndim(v) == 2:
        return np.diagonal(v, k)
    if np.ndim(v) != 1:
        raise ValueError("Input must be 1- or 2-d.")
    (v,), attrs = _bind_k(v, k)
    return diagonal_matrix(v, **attrs)


@composite(np.diagflat)
def diagflat(v: Any, k: Any = 0) -> Any:
    """Make a diagonal matrix of all elements."""
    return diag(np.ravel(as_array(v)), k)


triu = op(
    "triu", np.triu, stands_for=(np.triu,), bind=lambda m, k=0: _bind_k(m, k),
    vjp=[lambda g, out, x, k=0: np.triu(g, k)],
)  # fmt: skip
tril = op(
    "tril", np.tril, stands_for=(np.tril,), bind=lambda m, k=0: _bind_k(m, k),
    vjp=[lambda g, out, x, k=0: np.tril(g, k)],
)  # fmt: skip


def _vander_rule(g: Any, out: Any, x: Any, N: int, increasing: bool = False) -> Any:
    if N < 2:
        return None
    powers = np.arange(1, N)
    if increasing:
        return np.sum(g[:, 1:] * (np.vander(x, N - 1, increasing=True) * powers), axis=1)
    return np.sum(g[:, :-1] * (np.vander(x, N - 1) * powers[::-1]), axis=1)


def _bind_vander(x: Any, N: Any = None, increasing: Any = False) -> Any:
    x = as_array(x)
    attrs = {"N": x.size if N is None else operator.index(N)}
    return (x,), {**attrs, "increasing": True} if increasing else attrs


vander = op("vander", np.vander, stands_for=(np.vander,), bind=_bind_vander, vjp=[_vander_rule])
