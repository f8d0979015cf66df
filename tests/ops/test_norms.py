"""Norms of every order, at 0 too; condition numbers and ranks."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, ROW, SMALL, Case, X, orders, rows
from tests.support import CALLS, MODES, assert_same, check, spaced
from tracejit import jit_grad

SQUARE = spaced(-1.0, 0.9, (3, 3), seed=12) + 2.0 * np.eye(3)
SQUARES = spaced(-1.0, 0.9, (2, 3, 3), seed=13) + 2.0 * np.eye(3)
Z = spaced(-1.0, 0.9, (3, 3), complex, seed=14) + 2.0 * np.eye(3)
Z_ROW = spaced(-1.0, 0.9, (3,), complex, seed=16)

NORMS = [None, 1, 2, 3, 2.5, np.inf, -np.inf, 0.5, -1]
MATRIX_NORMS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
CONDITIONS = [None, "fro", 1, -1, -2, np.inf, -np.inf]


def norm_of(ord, axis=None, keepdims=False):
    """np.linalg.norm with fixed options."""
    return lambda x: np.linalg.norm(x, ord, axis, keepdims)


def cond_of(p):
    """np.linalg.cond with a fixed norm."""
    return lambda x: np.linalg.cond(x, p)


CASES = [
    *(Case(f"norm {n}", norm_of(n), (ROW,), (), np.linalg.norm, True) for n in NORMS),
    *(
        Case(f"norm {n} axis={axis} keepdims={keepdims}", norm_of(n, axis, keepdims), (X,), (),
             np.linalg.norm)
        for n in NORMS
        for axis, keepdims in ((0, False), (-1, True))
    ),
    *(
        Case(f"matrix norm {n} axis={axis} keepdims={keepdims}", norm_of(n, axis, keepdims), (x,),
             (), np.linalg.norm, axis is None)
        for n in MATRIX_NORMS
        for axis, keepdims, x in (
            (None, False, X), ((0, 2), False, CUBE), ((2, 0), True, CUBE), ((-1, 1), False, CUBE),
        )
    ),
    *rows(
        np.linalg.norm,
        ("of a cube", np.linalg.norm, (CUBE,)),
        ("order 0", lambda x: np.linalg.norm(x, 0) * x, (np.array([1.5, 0.7, 2.0]),)),
        ("f4", np.linalg.norm, (SMALL,)),
        ("f4 of order 3", lambda x: np.linalg.norm(x, 3, axis=0), (SMALL,)),
        ("f4 of order f8", lambda x: np.linalg.norm(x, np.float64(2.5), axis=0), (SMALL,)),
        ("integers", lambda x, n: x * np.linalg.norm(n), (X,), (np.array([3, 4]),)),
        ("0d of a reshape", lambda x: np.linalg.norm(np.reshape(x, 1)), (1.5,)),
        ("number", np.linalg.norm, (-1.5,)),
        ("order as parameter", lambda x, p: np.linalg.norm(x, p), (ROW, 2.5)),
        ("empty", np.linalg.norm, (np.zeros((0, 3)),)),
        ("largest of nothing", lambda x: np.linalg.norm(x, np.inf, axis=0), (np.zeros((0, 3)),)),
    ),
    *rows(
        np.linalg.norm,
        ("complex", np.linalg.norm, (Z_ROW,)),
        ("complex of order 3", norm_of(3), (Z_ROW,)),
        ("complex 1", norm_of(1), (Z,)),
        ("complex largest", norm_of(np.inf), (Z_ROW,)),
        ("complex nuclear", norm_of("nuc"), (Z,)),
        ("complex 2", norm_of(2), (Z,)),
        ("f4 nuclear", norm_of("nuc"), (SMALL,)),
        ("complex f4", norm_of(None, 0), (Z.astype(np.complex64),)),
        second=False,
    ),
    *rows(
        np.linalg.vector_norm,
        ("all", np.linalg.vector_norm, (X,)),
        ("0d", lambda x: np.linalg.vector_norm(x, ord=3), (np.array(-1.5),)),
        ("number", lambda x: np.linalg.vector_norm(x, ord=0) * x, (-1.5,)),
        ("no axes", lambda x: np.linalg.vector_norm(x, axis=(), ord=3), (X,)),
        ("axis", lambda x: np.linalg.vector_norm(x, axis=1, ord=1), (X,)),
        ("axes", lambda x: np.linalg.vector_norm(x, axis=(2, 0), ord=3), (CUBE,)),
        ("keepdims", lambda x: np.linalg.vector_norm(x, axis=(0, 1), keepdims=True), (CUBE,)),
        ("all keepdims", lambda x: np.linalg.vector_norm(x, keepdims=True, ord=-1), (X,)),
        ("largest", lambda x: np.linalg.vector_norm(x, axis=(0, 1), ord=np.inf), (CUBE,)),
        ("complex", lambda x: np.linalg.vector_norm(x, axis=0), (Z,)),
        second=False,
    ),
    *rows(
        np.linalg.matrix_norm,
        ("default", np.linalg.matrix_norm, (CUBE,)),
        ("nuclear keepdims", lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True), (CUBE,)),
        ("1", lambda x: np.linalg.matrix_norm(x, ord=1), (X,)),
        second=False,
    ),
    *(Case(f"cond {p}", cond_of(p), (SQUARE,), (), np.linalg.cond, True) for p in CONDITIONS),
    *rows(
        np.linalg.cond,
        ("2 of a stack", cond_of(2), (SQUARES,)),
        ("1 of a stack", cond_of(1), (SQUARES,)),
        ("nuclear", cond_of("nuc"), (SQUARE,)),
        ("of no square", np.linalg.cond, (CUBE,)),
        ("complex", cond_of("fro"), (Z,)),
        ("f4", np.linalg.cond, (SQUARE.astype(np.float32),)),
        second=False,
    ),
    *rows(
        np.linalg.matrix_rank,
        ("factor", lambda x: np.linalg.matrix_rank(x) * x, (SQUARE,)),
        ("stack", lambda x: np.linalg.matrix_rank(x)[:, None, None] * x, (SQUARES,)),
        ("vector", lambda x: np.linalg.matrix_rank(x) * x, (ROW,)),
        ("tol", lambda x, t: np.linalg.matrix_rank(x, t) * x, (SQUARE,), (1.5,)),
        ("rtol", lambda x, t: np.linalg.matrix_rank(x, rtol=t) * x, (SQUARE,), (0.5,)),
        ("hermitian", lambda x: np.linalg.matrix_rank(x, hermitian=True) * x, (SQUARE,)),
        second=False,
    ),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)


ZEROS, PAIR = np.zeros(3), np.zeros((2, 2))
ROWS = np.array([[0.0, 0.0], [3.0, 4.0]])
ONE_ROW = np.array([[3.0, 4.0], [0.0, 0.0]])  # of rank 1

AT_KINKS = {
    "default": (np.linalg.norm, ZEROS, ZEROS),
    "1": (norm_of(1), ZEROS, ZEROS),
    "2": (norm_of(2), ZEROS, ZEROS),
    "3": (norm_of(3), ZEROS, ZEROS),
    "half": (norm_of(0.5), ZEROS, ZEROS),
    "-1": (norm_of(-1), ZEROS, ZEROS),
    "inf": (norm_of(np.inf), ZEROS, ZEROS),
    "-inf": (norm_of(-np.inf), ZEROS, ZEROS),
    "frobenius": (norm_of("fro"), PAIR, PAIR),
    "nuclear": (norm_of("nuc"), PAIR, PAIR),
    "spectral": (norm_of(2), PAIR, PAIR),
    "smallest singular value": (norm_of(-2), PAIR, PAIR),
    "matrix 1": (norm_of(1), PAIR, PAIR),
    "matrix -inf": (norm_of(-np.inf), PAIR, PAIR),
    "vector_norm": (np.linalg.vector_norm, ZEROS, ZEROS),
    "complex": (np.linalg.norm, ZEROS + 0j, ZEROS),
    "complex nuclear": (norm_of("nuc"), PAIR + 0j, PAIR),
    "rows": (norm_of(None, 1), ROWS, [[0, 0], [0.6, 0.8]]),
    "rows 3": (norm_of(3, 1), ROWS, [[0, 0], np.array([9, 16]) / 91 ** (2 / 3)]),
    "rows half": (norm_of(0.5, 1), np.array([[0.0, 0.0], [0.0, 4.0]]), [[0, 0], [0, 1]]),
    "3 with some zeros": (norm_of(3), np.array([0.0, 2.0]), [0, 1]),
    "half with some zeros": (norm_of(0.5), np.array([0.0, -2.0]), [0, -1]),
    "-1 with some zeros": (norm_of(-1), np.array([0.0, 2.0]), [0, 0]),
    "nuclear of rank 1": (norm_of("nuc"), ONE_ROW, [[0.6, 0.8], [0, 0]]),
    "spectral with a tie": (norm_of(2), np.eye(2), np.eye(2) / 2),
    "matrix 1 with a tie": (norm_of(1), np.array([[1.0, -1.0]]), [[0.5, -0.5]]),
    "inf with a tie": (norm_of(np.inf), np.array([2.0, -2.0, 1.0]), [0.5, -0.5, 0]),
    "cond of a singular matrix": (np.linalg.cond, np.diag([1.0, 0.0]), PAIR),
}


@MODES
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning:numpy")
@pytest.mark.parametrize(("f", "x", "gradient"), AT_KINKS.values(), ids=AT_KINKS)
def test_at_kinks(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))


@MODES
@pytest.mark.parametrize(("f", "x"), [v[:2] for v in AT_KINKS.values()], ids=AT_KINKS)
def test_second_derivatives_at_kinks_are_finite(f, x, optimize):
    slope = jit_grad(lambda x: np.sum(f(x)), withForward=False, optimize=optimize)
    df = jit_grad(lambda x: np.sum(np.real(slope(x) * (x + 1.0))), optimize=optimize)
    for _ in range(CALLS):
        assert np.isfinite(df(x)[0]).all()


@MODES
@pytest.mark.parametrize("x", [np.zeros(0), np.array([np.inf, -np.inf])], ids=["none", "infinite"])
def test_orders_below_zero_of_what_adds_up_to_nothing(x, optimize):
    df = jit_grad(lambda x: np.linalg.vector_norm(x, ord=-1), optimize=optimize)
    for _ in range(CALLS):
        assert df(x)[1] == np.inf


@MODES
@pytest.mark.parametrize("p", [1, "fro", np.inf])
def test_conditions_that_are_no_numbers(p, optimize):
    """A singular matrix of a stack has an infinite one, and one with NaN gives NaN, as in NumPy."""
    broken = np.stack([SQUARE, np.ones((3, 3)), np.full((3, 3), np.nan)])
    df = jit_grad(cond_of(p), partialGrad=True, optimize=optimize)
    alone = jit_grad(cond_of(p), withForward=False)(SQUARE)
    for x in (np.stack([SQUARE] * 3), broken, broken):
        grad, value = df(x, np.ones(3))
        assert_same(value, np.linalg.cond(x, p))
        np.testing.assert_allclose(grad[0], alone)
    assert np.isnan(grad[1:]).all()


@MODES
def test_errors_are_numpys(optimize):
    for f, x, message in [
        (norm_of("nuc"), ROW, "Invalid norm order 'nuc' for vectors"),
        (norm_of(3), X, "Invalid norm order for matrices"),
        (norm_of(1), CUBE, "Improper number of dimensions"),
        (norm_of(1, (0, -2)), X, "Duplicate axes"),
        (norm_of(1, 2), X, "out of bounds"),
        (np.linalg.cond, np.zeros((0, 0)), "empty arrays"),
        (cond_of(1), X, "must be square"),
        (lambda x: np.linalg.matrix_rank(x, 0.1, rtol=0.1), X, "can't be both set"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            jit_grad(lambda x: np.sum(f(x)), optimize=optimize)(x)  # noqa: B023
        with pytest.raises(ValueError, match=message):
            f(x)
