"""What the rules of scipy.linalg have in common: triangles, columns, rules of NumPy's functions.

Arrays or tracers enter, of at least the named rank; new ones leave. A function of the entries of
one triangle alone has a gradient there alone, so that it agrees with finite differences.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....dag.op import BY_NAME
from ...complexes import conj
from ...conversions import is_complex
from ...shape import swap


def triangle(x: Any, lower: bool, offset: int = 0) -> Any:
    """Keep one triangle; `offset` leaves out as many diagonals, the main one first."""
    rows, columns = x.shape[-2:]
    mask = np.tri(rows, columns, -offset, dtype=bool)
    return np.where(mask if lower else mask.T, x, 0)


def diagonal_only(x: Any, within: int = 0) -> Any:
    """Keep the diagonals that are at most so far from the main one."""
    rows, columns = np.indices(x.shape[-2:])
    return np.where(abs(rows - columns) <= within, x, 0)


def of_one_triangle(g: Any, lower: bool, hermitian: bool = True) -> Any:
    """Take the cotangent of a symmetric or Hermitian matrix to the triangle that was read."""
    conjugate = hermitian and is_complex(g)
    other = conj(swap(g)) if conjugate else swap(g)
    eye = np.eye(g.shape[-1], dtype=bool)
    both = np.where(eye, np.real(g) if conjugate else g, g + other)
    return triangle(both, lower)


def outer(left: Any, right: Any, columns: bool) -> Any:
    """The product of vectors, or of the columns of matrices, with the other's transpose."""
    if not columns:
        return left[..., :, None] * right[..., None, :]
    return np.matmul(left, swap(right))


def with_columns(solve: Any, g: Any, a: Any, b: Any) -> Any:
    """Solve for the cotangent g of solutions with the matrices a of right sides like b.

    For a stack of matrices and one vector g is a stack of vectors, which SciPy takes for a matrix.
    """
    return solve(g[..., None])[..., 0] if np.ndim(b) == 1 and np.ndim(a) > 2 else solve(g)


def rule_of(name: str, position: int = 0) -> Any:
    """The rule of an op of NumPy's linear algebra."""
    return lambda *args, **attrs: BY_NAME[name].vjp[position](*args, **attrs)


def checked(check_finite: bool) -> dict[str, Any]:
    """The attributes of an op that may be told not to check its input."""
    return {} if check_finite else {"check_finite": False}
