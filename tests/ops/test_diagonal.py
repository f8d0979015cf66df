"""Diagonals and triangles of matrices."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, EMPTY, ROW, SMALL, Case, X, orders, refused, rows
from tests.ops.test_shape import COMPLEX, FORTRAN, squared
from tests.support import MODES, check
from tracejit import jit_grad


def read_before_a_write(x):
    z = x * 1.0
    along = np.diagonal(z)
    z[0, 0] = x[1, 1] * x[1, 2]
    return along * along


CASES = [
    *rows(
        np.diagonal,
        ("2d", lambda x: np.diagonal(x) * 2.0, (X,)),
        ("above", lambda x: np.diagonal(x, 1) * 2.0, (X,)),
        ("below", lambda x: np.diagonal(x, offset=-1) * 2.0, (X,)),
        ("outside", lambda x: np.diagonal(x, 5) * 2.0, (X,)),
        ("3d", lambda x: np.diagonal(x) * 2.0, (CUBE,)),
        ("axes", lambda x: np.diagonal(x, 1, -2, 2) * 2.0, (CUBE,)),
        ("axes turned", lambda x: np.diagonal(x, -1, axis1=2, axis2=0) * 2.0, (FORTRAN,)),
        ("f4", lambda x: np.diagonal(x) * 2.0, (SMALL,)),
        ("empty", lambda x: np.diagonal(x), (EMPTY,)),
        ("complex", lambda x: np.diagonal(x) * 1j, (COMPLEX,)),
        ("returned", lambda x: np.diagonal(x), (X,)),
        ("of a square", lambda x: np.diagonal(x @ x.T) * 2.0, (X,)),
        ("before a write", read_before_a_write, (X,)),
    ),
    *rows(np.linalg.diagonal, ("3d", lambda x: np.linalg.diagonal(x, offset=1) * 2.0, (CUBE,))),
    *rows(
        np.diag,
        ("of a matrix", lambda x: np.diag(x) * 2.0, (X,)),
        ("of a vector", lambda x: np.diag(x) * 2.0, (ROW,)),
        ("above", lambda x: np.diag(x, k=2) * 2.0, (ROW,)),
        ("below", lambda x: np.diag(x, -1) * 2.0, (SMALL[0],)),
        ("of the middle", lambda x: np.diag(np.diag(x, 1)) * 2.0, (X,)),
        ("strided", lambda x: np.diag(x[::-2]) * 2.0, (ROW,)),
        ("complex", lambda x: np.diag(x[0]) * 1j, (COMPLEX,)),
    ),
    *rows(
        np.diagflat,
        ("2d", lambda x: np.diagflat(x) * 2.0, (X,)),
        ("above", lambda x: np.diagflat(x, 1) * 2.0, (ROW,)),
        ("number", lambda x: np.diagflat(x) * 2.0, (1.5,)),
    ),
    *rows(
        np.triu,
        ("2d", lambda x: np.triu(x) * 2.0, (X,)),
        ("above", lambda x: np.triu(x, 1) * 2.0, (X,)),
        ("3d", lambda x: np.triu(x, k=-1) * 2.0, (CUBE,)),
        ("row", lambda x: np.triu(x) * 2.0, (ROW,)),
        ("complex", lambda x: np.triu(x) * 1j, (COMPLEX,)),
    ),
    *rows(
        np.tril,
        ("2d", lambda x: np.tril(x) * 2.0, (SMALL,)),
        ("below", lambda x: np.tril(x, -1) * 2.0, (X,)),
        ("fortran", lambda x: np.tril(x) * 2.0, (FORTRAN,)),
    ),
    *rows(
        np.vander,
        ("square", np.vander, (ROW,)),
        ("more columns", lambda x: np.vander(x, 4), (ROW,)),
        ("increasing", lambda x: np.vander(x, 5, increasing=True), (ROW,)),
        ("one column", lambda x: np.vander(x, 1) * x[0], (ROW,)),
        ("f4", lambda x: np.vander(x, 3), (SMALL[0],)),
        ("complex", lambda x: np.vander(x[0], 4), (COMPLEX,)),
        ("at zero", lambda x: np.vander(x - x[0], 4), (ROW,)),
    ),
    Case("indices of a diagonal", lambda x: x[:, :2][np.diag_indices_from(x[:, :2])] * 2.0, (X,)),
    Case("indices above", lambda x: x[np.triu_indices_from(x, 1)] * 2.0, (X,)),
    Case("indices below", lambda x: x[np.tril_indices_from(x)] * 2.0, (X,)),
]

test_first_order, test_second_order = orders(CASES, squared)


@MODES
def test_a_diagonal_cannot_be_written_to(optimize):
    def f(x):
        np.diagonal(x * 1.0)[0] = 1.0
        return np.sum(x)

    with pytest.raises(ValueError, match="read-only"):
        jit_grad(f, optimize=optimize)(X)


REFUSED = {
    "of a row": (lambda x: np.diagonal(x[0]), "at least two dimensions"),
    "in one axis": (lambda x: np.diagonal(x, 0, 1, 1), "cannot be the same"),
    "an axis too many": (lambda x: np.diagonal(x, 0, 0, 2), "out of bounds"),
    "of a number": (lambda x: np.diag(x[0, 0]), "must be 1- or 2-d"),
    "of no square": (np.diag_indices_from, "equal length"),
}


test_what_numpy_refuses = refused(REFUSED)


@MODES
def test_the_logarithm_of_a_determinant(optimize):
    """By a triangular factor, as in densities: the sum of the logarithms of its diagonal."""

    def f(x):
        lower = np.tril(x, -1) + np.diag(np.exp(np.diagonal(x)))
        return np.sum(np.log(np.diagonal(lower))) * lower

    check(f, (CUBE[0][:, :3],), (), optimize)
