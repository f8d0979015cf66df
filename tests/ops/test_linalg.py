"""Inverses and determinants; those of singular matrices, too."""

import numpy as np
import pytest

from tests.ops.cases import EMPTY, orders, rows
from tests.support import MODES, check, check_second, numeric, spaced
from tracejit import jit_grad

SQUARE = spaced(-1.0, 0.9, (3, 3), seed=12) + 2.0 * np.eye(3)
SQUARES = spaced(-1.0, 0.9, (2, 3, 3), seed=13) + 2.0 * np.eye(3)
Z = spaced(-1.0, 0.9, (3, 3), complex, seed=14) + 2.0 * np.eye(3)
ZS = spaced(-1.0, 0.9, (2, 2, 2), complex, seed=15) + 2.0 * np.eye(2)


def sign_and_log(a):
    """Both results of slogdet; the sign of a complex determinant has a gradient."""
    sign, logarithm = np.linalg.slogdet(a)
    return sign * np.sin(logarithm)


CASES = [
    *rows(
        np.linalg.inv,
        ("one", np.linalg.inv, (SQUARE,)),
        ("stack", np.linalg.inv, (SQUARES,)),
        ("fortran", np.linalg.inv, (np.asfortranarray(SQUARE),)),
        ("f4", np.linalg.inv, (SQUARE.astype(np.float32),)),
        ("1x1", np.linalg.inv, (np.array([[1.7]]),)),
        ("empty", np.linalg.inv, (np.zeros((0, 0)),)),
        ("complex", np.linalg.inv, (Z,)),
    ),
    *rows(
        np.linalg.det,
        ("one", np.linalg.det, (SQUARE,)),
        ("stack", np.linalg.det, (SQUARES,)),
        ("f4", np.linalg.det, (SQUARE.astype(np.float32),)),
        ("1x1", np.linalg.det, (np.array([[1.7]]),)),
        ("empty stack", np.linalg.det, (np.zeros((0, 2, 2)),)),
        ("complex", np.linalg.det, (Z,)),
        ("complex stack", np.linalg.det, (ZS,)),
        ("squared", lambda a: np.linalg.det(a.T @ a), (SQUARE,)),
        ("singular", np.linalg.det, (np.arange(9.0).reshape(3, 3),)),
    ),
    *rows(
        np.linalg.slogdet,
        ("one", sign_and_log, (SQUARE,)),
        ("stack", sign_and_log, (SQUARES,)),
        ("complex", sign_and_log, (Z,)),
        ("complex stack", sign_and_log, (ZS,)),
        ("f4", sign_and_log, (SQUARE.astype(np.float32),)),
        ("sign", lambda a: np.linalg.slogdet(a).sign * a, (-SQUARE,)),
        ("negative", lambda a: np.linalg.slogdet(a).logabsdet, (-SQUARE,)),
    ),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)


SINGULAR = {
    "rank 2": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]),
    "a row of zeros": np.array([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0], [0.3, 1.0, 2.0]]),
    "rank 1": np.outer([1.0, 2.0, -1.0, 0.5], [1.0, 0.5, 2.0, 1.0]),
    "zeros": np.zeros((3, 3)),
    "2x2": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "2x2 zeros": np.zeros((2, 2)),
    "1x1": np.zeros((1, 1)),
    "one of a stack": np.stack([SQUARE, np.ones((3, 3))]),
    "complex": np.outer([1.0, 2.0j, 1.0], [1j, 0.5, 2.0]) + np.diag([1.0, 0.0, 0.0]),
}


def cofactors(x):
    """The derivatives of a determinant by the elements of its matrix, from its minors."""
    found = np.empty_like(x)
    for *batch, i, k in np.ndindex(x.shape):
        minor = np.delete(np.delete(x[tuple(batch)], i, 0), k, 1)
        found[(*batch, i, k)] = (-1) ** (i + k) * np.linalg.det(minor)
    return found


@MODES
@pytest.mark.parametrize("x", SINGULAR.values(), ids=SINGULAR)
def test_determinants_of_singular_matrices(x, optimize):
    check(np.linalg.det, (x,), (), optimize, (cofactors(x),))
    check_second(np.linalg.det, (x,), (), optimize)


REGULAR, RANK_1 = SINGULAR["2x2"] + np.eye(2), SINGULAR["2x2"]


@pytest.mark.parametrize(
    ("backend", "matrices"),
    [
        ("numpy", [REGULAR, REGULAR, RANK_1, REGULAR]),
        ("numpy", [RANK_1, RANK_1, REGULAR, RANK_1]),
        ("numba", [REGULAR, REGULAR, RANK_1, REGULAR]),
    ],
)
def test_a_matrix_becomes_singular(backend, matrices):
    """Compiled for a regular matrix, right for a singular one; and the other way round."""
    df = jit_grad(np.linalg.det, backend=backend, audit=False)
    for x in matrices:
        grad, value = df(x)
        np.testing.assert_allclose(grad, cofactors(x), atol=1e-14)
        np.testing.assert_allclose(value, np.linalg.det(x), atol=1e-14)


@MODES
def test_the_gradient_of_a_gradient_of_a_singular_determinant(optimize):
    slope = jit_grad(np.linalg.det, withForward=False, optimize=optimize)
    df = jit_grad(lambda x: np.sum(slope(x) ** 2), optimize=optimize)
    for x in (SQUARE, SQUARE, SINGULAR["a row of zeros"], SINGULAR["rank 2"], SQUARE):
        (expected,) = numeric(lambda x: np.sum(cofactors(x) ** 2), (x,))
        np.testing.assert_allclose(df(x)[0], expected, rtol=1e-6, atol=1e-6)


@MODES
def test_the_logarithm_of_no_determinant(optimize):
    """It is -inf, whose gradient is no number; the other matrices of a stack keep theirs."""
    df = jit_grad(lambda x: np.sum(np.linalg.slogdet(x)[1]), optimize=optimize)
    both = np.stack([SQUARE, np.ones((3, 3))])
    for x in (np.stack([SQUARE, SQUARE]), both, both, both):
        grad, value = df(x)
        np.testing.assert_allclose(grad[0], np.linalg.inv(SQUARE).T)
    assert value == -np.inf and np.isnan(grad[1]).all()


@MODES
def test_errors_are_numpys(optimize):
    df = jit_grad(lambda x: np.sum(np.linalg.inv(x)), optimize=optimize)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        df(np.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError):
        jit_grad(lambda x: np.sum(np.linalg.det(x)), optimize=optimize)(EMPTY)
