"""Linear equations, least squares and pseudo-inverses, in all shapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import Case, orders, rows
from tests.support import MODES, check, numeric, spaced
from tracejit import jit_grad

A = spaced(-1.0, 0.9, (3, 3), seed=41) + 2.0 * np.eye(3)
STACK = spaced(-1.0, 0.9, (2, 3, 3), seed=42) + 2.0 * np.eye(3)
Z = spaced(-1.0, 0.9, (3, 3), complex, seed=43) + 2.0 * np.eye(3)
B, BS = spaced(-1.2, 1.5, (3, 2), seed=44), spaced(-1.2, 1.5, (2, 3, 2), seed=45)
ROW, Z_ROW = spaced(-1.2, 1.5, (3,), seed=46), spaced(-1.2, 1.5, (3,), complex, seed=47)
TALL, WIDE = spaced(-1.2, 1.5, (4, 2), seed=48), spaced(-1.2, 1.5, (2, 4), seed=49)
Z_TALL, Z_WIDE = spaced(-1.2, 1.5, (4, 2), complex, 50), spaced(-1.2, 1.5, (2, 4), complex, 51)
FOUR, TWO = spaced(-1.2, 1.5, (4, 2), seed=52), spaced(-1.2, 1.5, (2,), seed=53)
Z_FOUR = spaced(-1.2, 1.5, (4,), complex, seed=54)
TENSOR = spaced(-1.0, 0.9, (2, 3, 6), seed=55) + 2.0 * np.eye(6).reshape(2, 3, 6)

SOLVE_SHAPES = [
    ((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 2)), ((2, 3, 3), (3, 2)),
    ((2, 3, 3), (3,)), ((3, 3), (2, 3, 2)), ((2, 1, 2, 2), (3, 2, 1)), ((1, 1), (1,)),
    ((0, 0), (0,)), ((2, 2), (2, 0)), ((0, 2, 2), (0, 2, 1)),
]  # fmt: skip


def pair(a, b):
    """A matrix, or a stack of them, that is far from singular, and a right side."""
    n = a[-1]
    return spaced(-0.9, 1.0, a, seed=1) + 2.0 * np.eye(n), spaced(-0.9, 1.2, b, seed=2)


def everything(a, b, rcond=None):
    """All float results of lstsq in one."""
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond)
    return x * np.sum(np.sin(residuals) + 2.0) * np.sum(s**2) * rank


def low_rank(a):
    """A matrix of rank 2, built so that it stays one."""
    return a[:, :2] @ a[:2, :]


CASES = [
    *(Case(f"solve {a} {b}", np.linalg.solve, pair(a, b), (), np.linalg.solve, n < 5)
      for n, (a, b) in enumerate(SOLVE_SHAPES)),
    *rows(
        np.linalg.solve,
        ("complex", np.linalg.solve, (Z, Z_ROW)),
        ("real matrix, complex side", np.linalg.solve, (A, Z_ROW)),
    ),
    *rows(
        np.linalg.solve,
        ("complex matrix, real sides", np.linalg.solve, (Z, B)),
        ("f4", np.linalg.solve, (A.astype(np.float32), B.astype(np.float32))),
        ("f4 f8", np.linalg.solve, (A.astype(np.float32), B)),
        ("fortran", np.linalg.solve, (np.asfortranarray(A), np.asfortranarray(B))),
        ("strided", np.linalg.solve, (STACK[0, ::-1, ::-1], BS[0, ::-1, ::2])),
        ("integers", lambda b, n: np.linalg.solve(n, b), (B,), (np.diag([1, 2, 4]),)),
        ("list", lambda a: np.linalg.solve(a, [1.0, 2.0, 3.0]), (A,)),
        ("the same twice", lambda a: np.linalg.solve(a, a.T), (A,)),
        second=False,
    ),
    *rows(
        np.linalg.pinv,
        ("square", np.linalg.pinv, (A,)),
        ("tall", np.linalg.pinv, (TALL,)),
        ("wide", np.linalg.pinv, (WIDE,)),
        ("complex tall", np.linalg.pinv, (Z_TALL,)),
        ("low rank", lambda a: np.linalg.pinv(low_rank(a), 1e-10), (A,)),
    ),
    *rows(
        np.linalg.pinv,
        ("complex wide", np.linalg.pinv, (Z_WIDE,)),
        ("stack", np.linalg.pinv, (BS,)),
        ("rtol", lambda a: np.linalg.pinv(low_rank(a), rtol=1e-10), (A,)),
        ("rtol=None", lambda a: np.linalg.pinv(a, rtol=None), (TALL,)),
        ("rcond given", lambda a, r: np.linalg.pinv(low_rank(a), r), (A,), (1e-9,)),
        ("hermitian", lambda a: np.linalg.pinv(a, hermitian=True), (A,)),
        ("complex hermitian", lambda a: np.linalg.pinv(a, hermitian=True), (Z,)),
        ("f4", np.linalg.pinv, (TALL.astype(np.float32),)),
        ("empty", np.linalg.pinv, (np.zeros((0, 2)),)),
        second=False,
    ),
    *rows(
        np.linalg.lstsq,
        ("tall", everything, (TALL, FOUR)),
        ("wide", everything, (WIDE, TWO)),
        ("square", everything, (A, ROW)),
        ("complex", lambda a, b: np.linalg.lstsq(a, b)[0], (Z_TALL, Z_FOUR)),
        ("low rank", lambda a, b: np.linalg.lstsq(low_rank(a), b, 1e-9)[0], (A, B)),
    ),
    *rows(
        np.linalg.lstsq,
        ("vector", everything, (TALL, FOUR[:, 0])),
        ("residuals", lambda a, b: np.linalg.lstsq(a, b)[1], (TALL, FOUR)),
        ("complex residuals", lambda a, b: np.linalg.lstsq(a, b)[1], (Z_TALL, Z_FOUR)),
        ("complex wide", lambda a, b: np.linalg.lstsq(a, b)[0], (Z_WIDE, TWO)),
        ("singular values", lambda a: np.linalg.lstsq(a, np.ones(4))[3], (Z_TALL,)),
        ("rcond given", lambda a, b, r: np.linalg.lstsq(a, b, r)[0], (TALL, FOUR), (1e-9,)),
        ("rcond=-1", lambda a, b: np.linalg.lstsq(a, b, -1)[0], (TALL, FOUR)),
        ("f4", everything, (TALL.astype(np.float32), FOUR.astype(np.float32))),
        second=False,
    ),
    *rows(
        np.linalg.tensorsolve,
        ("default", np.linalg.tensorsolve, (TENSOR, spaced(-1.0, 1.0, (2, 3), seed=3))),
        ("axes", lambda a, b: np.linalg.tensorsolve(a, b, (0, 2)),
         (TENSOR.reshape(2, 3, 3, 2).transpose(2, 0, 3, 1), spaced(-1.0, 1.0, (2, 3), seed=3))),
        second=False,
    ),
    *rows(
        np.linalg.tensorinv,
        ("default", np.linalg.tensorinv, (TENSOR,)),
        ("ind=1", lambda a: np.linalg.tensorinv(a, ind=1), (np.moveaxis(TENSOR, 2, 0).copy(),)),
        second=False,
    ),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)


@st.composite
def solve_shapes(draw):
    """A stack of square matrices and right sides: a vector, or stacks that broadcast."""
    sizes = st.integers(0, 3)
    n, columns = draw(sizes), draw(sizes)
    batch = draw(st.lists(sizes, max_size=2))
    left, right = (
        [draw(st.sampled_from([1, size])) for size in batch[draw(st.integers(0, 2)) :]]
        for _ in range(2)
    )
    return (*left, n, n), (n,) if draw(st.booleans()) else (*right, n, columns)


@settings(max_examples=40, deadline=None)
@given(solve_shapes(), st.booleans(), st.booleans(), st.booleans())
def test_any_shapes(shapes, turned, is_complex, optimize):
    a, b = pair(*shapes)
    if is_complex:
        a = a * (1.0 + 0.5j)
    check(np.linalg.solve, (np.asfortranarray(a) if turned else a, b), (), optimize)


@MODES
def test_errors_are_numpys(optimize):
    solve = jit_grad(lambda a: np.sum(np.linalg.solve(a, np.ones(2))), optimize=optimize)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        solve(np.ones((2, 2)))
    with pytest.raises(ValueError, match="can't be both set"):
        jit_grad(lambda a: np.sum(np.linalg.pinv(a, 0.1, rtol=0.1)), optimize=optimize)(A)
    with pytest.raises(np.linalg.LinAlgError, match="requirement"):
        jit_grad(lambda a: np.linalg.tensorsolve(a, ROW), optimize=optimize)(TENSOR)
    with pytest.raises(ValueError, match="Invalid ind"):
        jit_grad(lambda a: np.sum(np.linalg.tensorinv(a, 0)), optimize=optimize)(TENSOR)


@MODES
def test_the_rank_decides_whether_there_are_residuals(optimize):
    def f(a):
        x, residuals, rank, _ = np.linalg.lstsq(a, np.ones(4))
        return np.sum(x) + np.sum(residuals) * 3.0, residuals.shape, rank

    df = jit_grad(f, optimize=optimize)
    full, less = TALL, np.outer(TALL[:, 0], [1.0, 2.0])
    for a, shape, rank in [(full, (1,), 2)] * 3 + [(less, (0,), 1)] * 3 + [(full, (1,), 2)]:
        grad, value, found, counted = df(a)
        assert found == shape and counted == rank and type(counted) is np.int32
        if rank == 2:
            np.testing.assert_allclose(grad, numeric(lambda a: f(a)[0], (a,))[0], rtol=1e-6)
        np.testing.assert_allclose(value, f(a)[0])
    assert not optimize or df.cache_info().direct == 0, df.explain()


def test_the_rule_of_solve_is_one_more_solve():
    df = jit_grad(lambda a, b: np.sum(np.linalg.solve(a, b) ** 2), backend="numpy")
    df(A, ROW)
    assert df.source(A, ROW).count("np.linalg.solve(") == 2
    pair = jit_grad(lambda p: np.sum(np.linalg.solve(*p) ** 2), backend="numpy")
    assert pair.source((A, ROW)).count("np.linalg.solve(") == 2
