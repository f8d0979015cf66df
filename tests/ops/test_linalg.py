"""Products in all combinations of shapes, norms, inverses and determinants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import CUBE, EMPTY, ROW, SMALL, Case, X, orders, rows
from tests.support import MODES, check, spaced
from tracejit import jit_grad

SQUARE = spaced(-1.0, 0.9, (3, 3), seed=12) + 2.0 * np.eye(3)
SQUARES = spaced(-1.0, 0.9, (2, 3, 3), seed=13) + 2.0 * np.eye(3)

MATMUL_SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
    ((1, 2, 3), (5, 3, 4)), ((5, 2, 3), (1, 3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((1, 3), (3, 1)),
    ((1, 1), (1, 1)), ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((2, 3), (3, 0)), ((0,), (0,)),
]  # fmt: skip
DOT_SHAPES = [
    ((), ()), ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)),
    ((2, 3), (3, 4)), ((2, 2, 3), (3,)), ((3,), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)),
]  # fmt: skip
NORMS = [None, 1, 2, 3, 2.5, np.inf, -np.inf, 0.5, -1]
MATRIX_NORMS = [None, "fro", 1, -1, np.inf, -np.inf]


def pair(a, b):
    """Two arrays of these shapes."""
    return spaced(-1.3, 1.6, a, seed=1), spaced(-0.9, 1.2, b, seed=2)


def in_tensordot(axes):
    """np.tensordot over fixed axes."""
    return lambda a, b: np.tensordot(a, b, axes)


def norm_of(ord, axis=None, keepdims=False):
    """np.linalg.norm with fixed options."""
    return lambda x: np.linalg.norm(x, ord, axis, keepdims)


CASES = [
    *(
        Case(f"matmul {a} {b}", np.matmul, pair(a, b), (), np.matmul, True)
        for a, b in MATMUL_SHAPES
    ),
    *rows(
        np.matmul,
        ("operator", lambda a, b: a @ b, pair((2, 3), (3, 2))),
        ("f4", np.matmul, (SMALL, np.ascontiguousarray(SMALL.T))),
        ("f4 f8", np.matmul, (SMALL, SQUARE)),
        ("integers", lambda a, n: a @ n, (X,), (np.arange(6).reshape(3, 2),)),
        ("fortran", np.matmul, (np.asfortranarray(X), np.asfortranarray(SQUARE))),
        ("strided", np.matmul, (CUBE[0, ::2, ::-2], CUBE[1, ::2, ::2])),
        ("transposes", lambda a, b: a.T @ b.T, pair((3, 2), (4, 3))),
        ("with itself", lambda a: a.T @ a, (X,)),
        ("f4 vectors", np.matmul, (SMALL[0], SMALL[1])),
        ("chain", lambda a, b: a @ b @ a, (SQUARE, SQUARE.T.copy())),
    ),
    *(Case(f"dot {a} {b}", np.dot, pair(a, b), (), np.dot, True) for a, b in DOT_SHAPES),
    *rows(
        np.dot,
        ("method", lambda a, b: a.dot(b), pair((2, 3), (3,))),
        ("floats", np.dot, (1.5, 2.5)),
        ("list", lambda a: np.dot(a, [1.0, 2.0, 3.0]), (X,)),
        ("f4", np.dot, (SMALL, SMALL[0])),
    ),
    *rows(
        np.outer,
        ("1d", np.outer, pair((3,), (2,))),
        ("2d", np.outer, pair((2, 2), (3,))),
        ("float", np.outer, (1.5, ROW)),
        ("empty", np.outer, pair((0,), (2,))),
    ),
    *rows(
        np.tensordot,
        ("default", in_tensordot(2), pair((2, 3, 4), (3, 4, 2))),
        ("one axis", in_tensordot(1), pair((2, 3), (3, 4))),
        ("none", in_tensordot(0), pair((2,), (3,))),
        ("all", in_tensordot(2), pair((2, 3), (2, 3))),
        ("pairs", in_tensordot(((0, 2), (1, 0))), pair((2, 3, 4), (4, 2, 3))),
        ("numbers", in_tensordot((-1, 0)), pair((2, 3), (3, 2))),
        ("negative", in_tensordot(((-1,), (-2,))), pair((2, 3), (3, 2))),
        ("empty", in_tensordot(1), pair((2, 0), (0, 3))),
    ),
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


@st.composite
def matmul_shapes(draw):
    """Two shapes that matmul takes: vectors, matrices, stacks that broadcast."""
    sizes = st.integers(1, 3)
    rows, inner, columns = draw(sizes), draw(sizes), draw(sizes)
    batch = draw(st.lists(sizes, max_size=2))
    side = st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))
    left, right = (
        [1 if one else n for n, one in zip(batch, draw(side), strict=True)][start:]
        for start in draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    )
    a = (*left, rows, inner) if left or draw(st.booleans()) else (inner,)
    b = (*right, inner, columns) if right or draw(st.booleans()) else (inner,)
    return a, b


@settings(max_examples=30, deadline=None)
@given(matmul_shapes(), st.sampled_from([np.matmul, np.dot]), st.booleans())
def test_any_shapes(shapes, f, optimize):
    check(f, pair(*shapes), (), optimize)


@MODES
def test_errors_are_numpys(optimize):
    df = jit_grad(lambda x: np.sum(np.linalg.inv(x)), optimize=optimize)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        df(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="core dimension"):
        jit_grad(lambda x: np.sum(x @ x), optimize=optimize)(X)
    with pytest.raises(np.linalg.LinAlgError):
        jit_grad(lambda x: np.sum(np.linalg.det(x)), optimize=optimize)(EMPTY)
