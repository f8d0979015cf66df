"""What the rules of linear algebra are written with: adjoints, scaled rows and columns, triangles.

All of it works on stacks of matrices, real or complex. A cotangent is paired with a change without
conjugation: the loss changes by the real part of `np.sum(g * dx)`. So the cotangent of x in
`p @ x @ q` is `swap(p) @ g @ swap(q)`, and that of the adjoint of x is the adjoint of g.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .complexes import conj
from .shape import swap


def real_dtype(x: Any) -> Any:
    """The dtype of the real part."""
    return np.finfo(x.dtype).dtype


def adjoint(x: Any) -> Any:
    """The conjugate transposes."""
    return conj(swap(x))


def across(x: Any) -> Any:
    """Lay a vector along the rows of a matrix, whose columns it scales."""
    return x[..., None, :]


def down(x: Any) -> Any:
    """Lay a vector along the columns of a matrix, whose rows it scales."""
    return x[..., None]


def to_each(x: Any) -> Any:
    """Lay one number for each matrix of a stack over it."""
    shape = getattr(x, "shape", ())
    return np.reshape(x, (*shape, 1, 1)) if shape else x


def reciprocal(x: Any) -> Any:
    """1 / x, and 0 where x is 0."""
    return np.divide(x != 0, x + (x == 0))


def inverse_gaps(values: Any) -> Any:
    """1 / (value j - value i) at row i and column j, 0 where the two are equal."""
    return reciprocal(across(values) - down(values))


def plus(total: Any, term: Any) -> Any:
    """Add a term to a sum that is None as long as it has none."""
    return term if total is None else total + term


def half_triangle(like: Any, upper: bool = False) -> Any:
    """Ones in a triangle of a square matrix, with halves on its diagonal."""
    n, dtype = like.shape[-1], real_dtype(like)
    mask = np.tri(n, dtype=dtype) - np.eye(n, dtype=dtype) / 2
    return mask.T.copy() if upper else mask


def folded(g: Any, upper: bool = False) -> Any:
    """The cotangent of a Hermitian matrix, put into the triangle of it that is read."""
    return (g + adjoint(g)) * half_triangle(g, upper)
