"""Products in all combinations of shapes and types."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import CUBE, ROW, SMALL, Case, X, orders, rows
from tests.support import MODES, check, spaced
from tracejit import jit_grad

SQUARE = spaced(-1.0, 0.9, (3, 3), seed=12) + 2.0 * np.eye(3)

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


def pair(a, b):
    """Two arrays of these shapes."""
    return spaced(-1.3, 1.6, a, seed=1), spaced(-0.9, 1.2, b, seed=2)


def in_tensordot(axes):
    """np.tensordot over fixed axes."""
    return lambda a, b: np.tensordot(a, b, axes)


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
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


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
    with pytest.raises(ValueError, match="core dimension"):
        jit_grad(lambda x: np.sum(x @ x), optimize=optimize)(X)
