"""Norms, inverses and determinants."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, EMPTY, ROW, SMALL, Case, X, orders, rows
from tests.support import MODES, check, spaced
from tracejit import jit_grad

SQUARE = spaced(-1.0, 0.9, (3, 3), seed=12) + 2.0 * np.eye(3)
SQUARES = spaced(-1.0, 0.9, (2, 3, 3), seed=13) + 2.0 * np.eye(3)

NORMS = [None, 1, 2, 3, 2.5, np.inf, -np.inf, 0.5, -1]
MATRIX_NORMS = [None, "fro", 1, -1, np.inf, -np.inf]


def norm_of(ord, axis=None, keepdims=False):
    """np.linalg.norm with fixed options."""
    return lambda x: np.linalg.norm(x, ord, axis, keepdims)


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
             (), np.linalg.norm)
        for n in MATRIX_NORMS
        for axis, keepdims, x in (
            (None, False, X), (None, True, X), ((0, 2), False, CUBE), ((2, 0), True, CUBE),
            ((-1, 1), False, CUBE),
        )
    ),
    *rows(
        np.linalg.norm,
        ("of a cube", np.linalg.norm, (CUBE,)),
        ("order 0", lambda x: np.linalg.norm(x, 0) * x, (np.array([1.5, 0.7, 2.0]),)),
        ("f4", np.linalg.norm, (SMALL,)),
        ("f4 of order 3", lambda x: np.linalg.norm(x, 3, axis=0), (SMALL,)),
        ("integers", lambda x, n: x * np.linalg.norm(n), (X,), (np.array([3, 4]),)),
        ("0d of a reshape", lambda x: np.linalg.norm(np.reshape(x, 1)), (1.5,)),
    ),
    *rows(
        np.linalg.inv,
        ("one", np.linalg.inv, (SQUARE,)),
        ("stack", np.linalg.inv, (SQUARES,)),
        ("fortran", np.linalg.inv, (np.asfortranarray(SQUARE),)),
        ("f4", np.linalg.inv, (SQUARE.astype(np.float32),)),
        ("1x1", np.linalg.inv, (np.array([[1.7]]),)),
        ("empty", np.linalg.inv, (np.zeros((0, 0)),)),
    ),
    *rows(
        np.linalg.det,
        ("one", np.linalg.det, (SQUARE,)),
        ("stack", np.linalg.det, (SQUARES,)),
        ("f4", np.linalg.det, (SQUARE.astype(np.float32),)),
        ("1x1", np.linalg.det, (np.array([[1.7]]),)),
        ("empty stack", np.linalg.det, (np.zeros((0, 2, 2)),)),
    ),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


ZEROS = np.zeros(3)
ROWS = np.array([[0.0, 0.0], [3.0, 4.0]])

NORMS_AT_ZERO = {
    "default": (np.linalg.norm, ZEROS, ZEROS),
    "1": (norm_of(1), ZEROS, ZEROS),
    "2": (norm_of(2), ZEROS, ZEROS),
    "3": (norm_of(3), ZEROS, ZEROS),
    "inf": (norm_of(np.inf), ZEROS, ZEROS),
    "frobenius": (norm_of("fro"), np.zeros((2, 2)), np.zeros((2, 2))),
    "matrix 1": (norm_of(1), np.zeros((2, 2)), np.zeros((2, 2))),
    "rows": (norm_of(None, 1), ROWS, [[0, 0], [0.6, 0.8]]),
    "rows 3": (norm_of(3, 1), ROWS, [[0, 0], np.array([9, 16]) / 91 ** (2 / 3)]),
    "3 with some zeros": (norm_of(3), np.array([0.0, 2.0]), [0, 1]),
}


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), NORMS_AT_ZERO.values(), ids=NORMS_AT_ZERO)
def test_norms_at_zero(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))


@MODES
def test_errors_are_numpys(optimize):
    df = jit_grad(lambda x: np.sum(np.linalg.inv(x)), optimize=optimize)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        df(np.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError):
        jit_grad(lambda x: np.sum(np.linalg.det(x)), optimize=optimize)(EMPTY)
