"""Linear equations: solve, least squares, pseudo-inverses, and their forms for tensors.

The rule of solve is one more solve, with the transpose. Those of least squares and pseudo-inverses
(Golub and Pereyra, 1973, SIAM J. Numer. Anal. 10:413) hold where the rank stays the same nearby.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import composite, op
from .complexes import conj, squared_size
from .linalg import inv
from .matrices import across, adjoint, down, folded, half_triangle, plus, real_dtype
from .shape import swap


def _solve_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1 and g.ndim > 1:  # a stack of matrices, and one vector
        return np.linalg.solve(swap(a), down(g))[..., 0]
    return np.linalg.solve(swap(a), g)


def _solve_left(g: Any, out: Any, a: Any, b: Any) -> Any:
    back = _solve_right(g, out, a, b)
    return -(down(back) * across(out)) if b.ndim == 1 else -(back @ swap(out))


solve = op(
    "linalg.solve", np.linalg.solve, stands_for=(np.linalg.solve,), raises=True,
    vjp=[_solve_left, _solve_right], bind=lambda a, b: ((a, b), {}),
)  # fmt: skip


def _pinv_rule(g: Any, out: Any, a: Any, rcond: Any = None, hermitian: bool = False) -> Any:
    turned, back, inverse = swap(out), adjoint(g), conj(out)
    if hermitian:
        half = a * half_triangle(a)  # what is read of it
        a = half + adjoint(half)
    right = back @ inverse @ turned
    left = turned @ inverse @ back
    right = right - conj(a) @ (inverse @ right)
    left = left - (left @ inverse) @ conj(a)
    found = right + left - turned @ g @ turned
    return folded(found) if hermitian else found


_UNSET = object()


def _bind_pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = _UNSET) -> Any:
    if rtol is not _UNSET:
        if rcond is not None:
            raise ValueError("`rtol` and `rcond` can't be both set.")
        rcond = _precision(a) if rtol is None else rtol
    return (a,) if rcond is None else (a, rcond), {"hermitian": True} if hermitian else {}


def _precision(a: Any) -> Any:
    """The relative size below which a singular value counts as 0, as NumPy takes it."""
    return max(np.shape(a)[-2:]) * float(np.finfo(np.result_type(a)).eps)


pinv = op(
    "linalg.pinv", np.linalg.pinv, stands_for=(np.linalg.pinv,), bind=_bind_pinv,
    vjp=[_pinv_rule, None], raises=True,
)  # fmt: skip


def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    x, _, rank, s = np.linalg.lstsq(a, b, rcond)
    return x, rank, s


def _inverse(a: Any, rcond: Any) -> Any:
    """The pseudo-inverse by which lstsq solves."""
    eps = float(np.finfo(np.float64).eps)  # LAPACK works in double precision
    if rcond is None:
        return np.linalg.pinv(a, eps * max(a.shape))
    return np.linalg.pinv(a, np.where(np.less(rcond, 0), eps, rcond))


def _lstsq_left(g: Any, out: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    (g_x, _, g_s), x = g, out[0]
    found: Any = None
    if g_s is not None:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        found = (conj(u) * across(g_s)) @ conj(vh)
    if g_x is None:
        return found
    if b.ndim == 1:
        g_x, x, b = down(g_x), down(x), down(b)
    inverse = _inverse(a, rcond)
    back = swap(inverse) @ g_x
    residual, rest = b - a @ x, g_x - swap(a) @ back
    found = plus(found, conj(residual) @ adjoint(conj(inverse) @ back))
    return found + (swap(inverse) @ conj(x)) @ adjoint(rest) - back @ swap(x)


def _lstsq_right(g: Any, out: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    return None if g[0] is None else swap(_inverse(a, rcond)) @ g[0]


lstsq_op = op("linalg.lstsq", _lstsq, several=3, vjp=[_lstsq_left, _lstsq_right, None], raises=True)


@composite(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The solution of least squares, its residuals, and the matrix's rank and singular values."""
    x, rank, s = lstsq_op(*((a, b) if rcond is None else (a, b, rcond)))
    rows, columns = np.shape(a)
    if rows > columns and bool(rank == columns):  # noted: it depends on values
        change = squared_size(np.subtract(b, np.matmul(a, x)))
        return x, np.sum(change, axis=0, keepdims=np.ndim(b) == 1), rank, s
    return x, np.zeros(0, real_dtype(x)), rank, s


@composite(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Solve for a tensor, of which the last axes of `a` are summed over."""
    if axes is not None:
        a = np.transpose(a, [*(i for i in range(np.ndim(a)) if i not in axes), *axes])
    shape = np.shape(a)[-(np.ndim(a) - np.ndim(b)) :]
    count = int(np.prod(shape, dtype=np.int64))
    if np.size(a) != count**2:
        raise np.linalg.LinAlgError(
            "Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == "
            "prod(a.shape[:b.ndim])"
        )
    return np.reshape(solve(np.reshape(a, (count, count)), np.ravel(b)), shape)


@composite(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse for tensordot over the first `ind` axes."""
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    shape = np.shape(a)
    columns = int(np.prod(shape[ind:], dtype=np.int64))
    return np.reshape(inv(np.reshape(a, (columns, -1))), (*shape[ind:], *shape[:ind]))
