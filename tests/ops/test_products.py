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
INNER_SHAPES = [
    ((), ()), ((3,), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (4, 3)),
    ((2, 3), (2, 2, 3)),
]  # fmt: skip


def pair(a, b):
    """Two arrays of these shapes."""
    return spaced(-1.3, 1.6, a, seed=1), spaced(-0.9, 1.2, b, seed=2)


def complex_pair(a, b):
    """Two complex arrays of these shapes."""
    return spaced(-1.3, 1.6, a, complex, 1), spaced(-0.9, 1.2, b, complex, 2)


def in_tensordot(axes):
    """np.tensordot over fixed axes."""
    return lambda a, b: np.tensordot(a, b, axes)


NEW_PRODUCTS = [] if not hasattr(np, "matvec") else [  # NumPy 2.2
    *rows(
        np.matvec,
        ("2d", np.matvec, pair((2, 3), (3,))),
        ("stacks", np.matvec, pair((2, 2, 3), (2, 3))),
        ("one matrix", np.matvec, pair((2, 3), (4, 3))),
        ("axes", lambda a, x: np.matvec(a, x, axes=[(1, 0), 0, 0]), pair((2, 3), (2,))),
    ),
    *rows(
        np.vecmat,
        ("2d", np.vecmat, pair((3,), (3, 2))),
        ("stacks", np.vecmat, pair((2, 3), (2, 3, 2))),
        ("complex", np.vecmat, complex_pair((3,), (3, 2))),
    ),
]

CASES = [
    *NEW_PRODUCTS,
    *(
        Case(f"matmul {a} {b}", np.matmul, pair(a, b), (), np.matmul, len(a + b) < 6)
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
    *rows(
        np.matmul,
        ("complex", np.matmul, complex_pair((2, 3), (3, 2))),
        ("real and complex", np.matmul, (X, complex_pair((3,), (3,))[1])),
        ("axes", lambda a, b: np.matmul(a, b, axes=[(0, 1), (2, 0), (1, 2)]),
         pair((2, 3, 2), (2, 2, 3))),
        ("dtype", lambda a, b: np.matmul(a, b, dtype=np.float64), (SMALL, SMALL[0])),
        ("axes of vectors", lambda a, b: np.matmul(a, b, axes=[0, (1, 0), 0]), pair((3,), (2, 3))),
    ),
    *(Case(f"inner {a} {b}", np.inner, pair(a, b), (), np.inner, True) for a, b in INNER_SHAPES),
    *rows(
        np.inner,
        ("floats", np.inner, (1.5, 2.5)),
        ("complex", np.inner, complex_pair((2, 3), (3,))),
    ),
    *rows(
        np.vdot,
        ("1d", np.vdot, pair((3,), (3,))),
        ("2d", np.vdot, pair((2, 3), (2, 3))),
        ("floats", np.vdot, (1.5, 2.5)),
        ("complex", np.vdot, complex_pair((3,), (3,))),
        ("complex and real", np.vdot, (complex_pair((3,), ())[0], ROW)),
        ("strided", lambda a: np.vdot(a[:, ::2], a[:, 1::2]), (CUBE[0],)),
        ("f4", np.vdot, (SMALL, SMALL[::-1])),
    ),
    *rows(
        np.kron,
        ("1d", np.kron, pair((2,), (3,))),
        ("2d", np.kron, pair((2, 3), (2, 2))),
        ("of different ranks", np.kron, pair((2,), (2, 3, 2))),
        ("float", np.kron, (1.5, ROW)),
        ("complex", np.kron, complex_pair((2,), (2,))),
        ("empty", np.kron, pair((0,), (2,))),
    ),
    *rows(
        np.cross,
        ("1d", np.cross, pair((3,), (3,))),
        ("broadcast", np.cross, pair((1, 3), (4, 3))),
        ("one with many", np.cross, pair((3,), (2, 3))),
        ("axis", lambda a, b: np.cross(a, b, axis=0), pair((3, 2), (3, 2))),
        ("axes", lambda a, b: np.cross(a, b, axisa=0, axisc=0), pair((3, 2), (2, 3))),
        ("complex", np.cross, complex_pair((3,), (3,))),
        ("f4", np.cross, (SMALL, SMALL[::-1])),
        ("list", lambda a: np.cross([1.0, 2.0, 3.0], a), (ROW,)),
    ),
    *rows(
        np.linalg.multi_dot,
        ("two", lambda *m: np.linalg.multi_dot(m), pair((2, 3), (3, 2))),
        ("three", lambda *m: np.linalg.multi_dot(m), (*pair((2, 3), (3, 4)), CUBE[0].T)),
        ("vectors at the ends", lambda *m: np.linalg.multi_dot(m), (ROW, SQUARE, SQUARE.T, ROW)),
        ("complex", lambda *m: np.linalg.multi_dot(m), (*complex_pair((2, 3), (3, 2)), X)),
    ),
    *(
        Case(f"matrix_power {n}", lambda a, n=n: np.linalg.matrix_power(a, n) * a, (SQUARE,), (),
             np.linalg.matrix_power, n > 1)
        for n in (0, 1, 2, 3, 6, -1, -3)
    ),
    *rows(
        np.linalg.matrix_power,
        ("stack", lambda a: np.linalg.matrix_power(a, 3), (CUBE[:, :, :3],)),
        ("complex", lambda a: np.linalg.matrix_power(a, 2), complex_pair((2, 2), ())[:1]),
    ),
    *rows(
        np.linalg.trace,
        ("stack", lambda a: np.linalg.trace(a) * a[:, 0, 0], (CUBE,)),
        ("offset", lambda a: np.linalg.trace(a, offset=1) * a[0], (X,)),
    ),
    *rows(np.linalg.matmul, ("2d", np.linalg.matmul, pair((2, 3), (3, 2)))),
    *rows(np.linalg.outer, ("1d", np.linalg.outer, pair((2,), (3,)))),
    *rows(np.linalg.cross, ("axis", lambda a, b: np.linalg.cross(a, b, axis=0),
                            pair((3, 2), (3, 2)))),
    *rows(np.linalg.tensordot, ("axes", lambda a, b: np.linalg.tensordot(a, b, axes=1),
                                pair((2, 3), (3, 2)))),
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


WRONG = {
    "matmul": (lambda a: a @ a, (2, 3)),
    "axes of matmul": (lambda a: np.matmul(a, a, axes=[(0, 1)]), (2, 2)),
    "vdot of different sizes": (lambda a: np.vdot(a, a[0]), (2, 3)),
    "tensordot beyond the axes": (lambda a: np.tensordot(a, a, ((5,), (0,))), (2, 3)),
    "tensordot of other lengths": (lambda a: np.tensordot(a, a, ((0,), (1,))), (2, 3)),
    "linalg.outer of matrices": (lambda a: np.linalg.outer(a, a), (2, 3)),
    "cross of vectors of length 4": (lambda a: np.cross(a, a), (2, 4)),
    "linalg.cross in the plane": (lambda a: np.linalg.cross(a, a), (2, 2)),
    "multi_dot of one": (lambda a: np.linalg.multi_dot([a]), (2, 3)),
    "multi_dot of a cube": (lambda a: np.linalg.multi_dot([a[0], a, a[0]]), (2, 2, 2)),
    "matrix_power of a rectangle": (lambda a: np.linalg.matrix_power(a, 2), (2, 3)),
}


@MODES
@pytest.mark.parametrize(("f", "shape"), WRONG.values(), ids=WRONG)
def test_errors_are_numpys(f, shape, optimize):
    x = spaced(-1.0, 1.0, shape)
    with pytest.raises((ValueError, IndexError)) as plain:
        f(x)
    with pytest.raises((ValueError, IndexError)) as traced:
        jit_grad(lambda x: np.sum(f(x)), optimize=optimize)(x)
    assert issubclass(traced.type, plain.type)


@MODES
@pytest.mark.parametrize("product", [np.matmul, np.vecdot])
def test_a_conversion_that_numpy_refuses(product, optimize):
    f = lambda x: product(x, x, dtype=np.float32)
    x = spaced(-1.0, 1.0, (2, 2), complex)
    for run in (f, jit_grad(lambda x: np.sum(np.real(f(x))), optimize=optimize)):
        with pytest.raises(TypeError, match="Cannot cast"):
            run(x)


@MODES
@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors:DeprecationWarning")
@pytest.mark.parametrize(("a", "b"), [((2,), (2,)), ((4, 2), (4, 2)), ((2, 2), (3,))])
def test_cross_in_the_plane(a, b, optimize):
    check(np.cross, pair(a, b), (), optimize)


@MODES
def test_a_power_that_comes_from_the_data_is_looked_at_again(optimize):
    df = jit_grad(lambda a, n: np.sum(np.linalg.matrix_power(a, n)), optimize=optimize)
    for n in (2, 2, 3, 2):
        grad, value = df(SQUARE, n)
        np.testing.assert_allclose(value, np.sum(np.linalg.matrix_power(SQUARE, n)))
        powers = [np.linalg.matrix_power(SQUARE.T, k) for k in range(n)]
        ones = np.ones((3, 3))
        expected = sum(powers[k] @ ones @ powers[n - 1 - k] for k in range(n))
        np.testing.assert_allclose(grad, expected)


def test_a_chain_of_products_takes_the_cheapest_order():
    df = jit_grad(lambda *m: np.sum(np.linalg.multi_dot(m)), withGradients=False)
    chain = [np.ones(shape) for shape in ((30, 35), (35, 15), (15, 5), (5, 10), (10, 20))]
    shapes = [node.spec.shape for node in df.graph(*chain).nodes if node.op.name == "matmul"]
    # ((A (B C)) (D E)), as in the book that _best_splits cites
    assert sorted(shapes) == sorted([(35, 5), (30, 5), (5, 20), (30, 20)])
