"""Other shapes of the same elements: reshape, transpose, new and lost axes, broadcasting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, ROW, SMALL, X, Y, orders, refused, rows
from tests.support import CALLS, check, spaced
from tracejit import jit_grad

FORTRAN = np.asfortranarray(CUBE)
STRIDED = CUBE[:, ::2, ::-1]
COMPLEX = spaced(-1.3, 1.6, (2, 3), complex, 1)

CASES = [
    *rows(
        np.reshape,
        ("tuple", lambda x: np.reshape(x, (4, 6)) * 2.0, (CUBE,)),
        ("number", lambda x: np.reshape(x, -1) * 2.0, (CUBE,)),
        ("inferred", lambda x: np.reshape(x, (3, -1)) * 2.0, (CUBE,)),
        ("list", lambda x: np.reshape(x, [6, 4]), (CUBE,)),
        ("order F", lambda x: np.reshape(x, (4, 6), order="F") * 2.0, (CUBE,)),
        ("fortran", lambda x: np.reshape(x, (4, 6)) * 2.0, (FORTRAN,)),
        ("strided", lambda x: np.reshape(x, -1) * 2.0, (STRIDED,)),
        ("to 0d", lambda x: np.reshape(x, ()) * 2.0, (np.array([1.5]),)),
        ("of 0d", lambda x: np.reshape(x, (1, 1)) * 2.0, (np.array(1.5),)),
        ("of a float", lambda x: np.reshape(x, (1, 1)) * 2.0, (1.5,)),
        ("of a float64", lambda x: np.reshape(x, -1) * 2.0, (np.float64(1.5),)),
        ("empty", lambda x: np.reshape(x, (3, 0)) * 2.0, (EMPTY,)),
        ("empty inferred", lambda x: np.reshape(x, (-1, 3)) * 2.0, (EMPTY,)),
        ("f4", lambda x: np.reshape(x, 6) * 2.0, (SMALL,)),
        ("returned", lambda x: np.reshape(x, 6), (X,)),
        ("order A", lambda x: np.reshape(x, (4, 6), order="A") * 2.0, (FORTRAN,)),
        ("copied", lambda x: np.reshape(x, (4, 6), copy=True) * 2.0, (CUBE,)),
        ("not copied", lambda x: np.reshape(x, (4, 6), copy=False) * 2.0, (CUBE,)),
        ("complex", lambda x: np.reshape(x, (3, 2), order="F") * x.T, (COMPLEX,)),
    ),
    *rows(
        np.ravel,
        ("2d", lambda x: np.ravel(x) * 2.0, (X,)),
        ("fortran", lambda x: np.ravel(x) * 2.0, (FORTRAN,)),
        ("order F", lambda x: np.ravel(x, order="F") * 2.0, (CUBE,)),
        ("float", lambda x: np.ravel(x) * 2.0, (1.5,)),
        ("returned", np.ravel, (X,)),
        ("order A", lambda x: np.ravel(x, "A") * 2.0, (FORTRAN,)),
        ("order K", lambda x: np.ravel(x, order="K") * 2.0, (FORTRAN.transpose(1, 0, 2),)),
        ("flatten", lambda x: x.flatten("K") * x.flatten(), (FORTRAN,)),
        ("order K strided", lambda x: np.ravel(x, order="K") * 2.0, (STRIDED,)),
        ("order K of a result", lambda x: np.ravel(np.transpose(x, (1, 2, 0)), "K"), (CUBE,)),
    ),
    *rows(
        np.transpose,
        ("2d", lambda x: np.transpose(x) * 2.0, (X,)),
        ("3d", lambda x: np.transpose(x) * 2.0, (CUBE,)),
        ("axes", lambda x: np.transpose(x, (1, 2, 0)) * 2.0, (CUBE,)),
        ("negative axes", lambda x: np.transpose(x, [-1, 0, -2]) * 2.0, (CUBE,)),
        ("1d", lambda x: np.transpose(x) * 2.0, (ROW,)),
        ("0d", lambda x: np.transpose(x) * 2.0, (np.array(1.5),)),
        ("float", lambda x: np.transpose(x) * 2.0, (1.5,)),
        ("twice", lambda x: np.transpose(np.transpose(x, (1, 2, 0)), (1, 2, 0)) * 2.0, (CUBE,)),
        ("returned", np.transpose, (X,)),
    ),
    *rows(
        np.broadcast_to,
        ("row", lambda x: np.broadcast_to(x, (2, 3)) * 2.0, (ROW,)),
        ("column", lambda x: np.broadcast_to(x, (4, 2, 3)) * 2.0, (COLUMN,)),
        ("float", lambda x: np.broadcast_to(x, (2, 3)) * 2.0, (1.5,)),
        ("float64", lambda x: np.broadcast_to(x, 3) * 2.0, (np.float64(1.5),)),
        ("0d", lambda x: np.broadcast_to(x, (2, 2)) * 2.0, (np.array(1.5),)),
        ("same", lambda x: np.broadcast_to(x, (2, 3)) * 2.0, (X,)),
        ("to empty", lambda x: np.broadcast_to(x, (0, 3)) * 2.0, (ROW,)),
        ("f4", lambda x: np.broadcast_to(x, (2, 2, 3)) * 2.0, (SMALL,)),
        ("returned", lambda x: np.broadcast_to(x, (2, 3)), (ROW,)),
    ),
    *rows(
        np.expand_dims,
        ("complex", lambda x: np.expand_dims(x, 1) * x, (COMPLEX,)),
        ("front", lambda x: np.expand_dims(x, 0) * 2.0, (X,)),
        ("back", lambda x: np.expand_dims(x, -1) * 2.0, (X,)),
        ("several", lambda x: np.expand_dims(x, (0, 2)) * 2.0, (X,)),
        ("float", lambda x: np.expand_dims(x, 0) * 2.0, (1.5,)),
    ),
    *rows(
        np.squeeze,
        ("all", lambda x: np.squeeze(x) * 2.0, (CUBE[:1, :, :1],)),
        ("one axis", lambda x: np.squeeze(x, 0) * 2.0, (CUBE[:1, :, :1],)),
        ("axes", lambda x: np.squeeze(x, axis=(0, -1)) * 2.0, (CUBE[:1, :, :1],)),
        ("to 0d", lambda x: np.squeeze(x) * 2.0, (np.array([[1.5]]),)),
        ("the first axis of none", lambda x: np.squeeze(x, axis=0) * 2.0, (np.array(1.5),)),
        ("float", lambda x: np.squeeze(x) * 2.0, (1.5,)),
    ),
    *rows(
        np.swapaxes,
        ("3d", lambda x: np.swapaxes(x, 0, 2) * 2.0, (CUBE,)),
        ("negative", lambda x: np.swapaxes(x, -1, -2) * 2.0, (CUBE,)),
    ),
    *rows(
        np.moveaxis,
        ("one", lambda x: np.moveaxis(x, 0, -1) * 2.0, (CUBE,)),
        ("several", lambda x: np.moveaxis(x, (0, 1), (-1, 0)) * 2.0, (CUBE,)),
        ("list", lambda x: np.moveaxis(x, [2], [0]) * 2.0, (CUBE,)),
    ),
    *rows(
        np.rollaxis,
        ("to the front", lambda x: np.rollaxis(x, 2) * 2.0, (CUBE,)),
        ("to the middle", lambda x: np.rollaxis(x, -1, 1) * 2.0, (CUBE,)),
        ("to the end", lambda x: np.rollaxis(x, 0, 3) * 2.0, (CUBE,)),
    ),
    *rows(
        np.matrix_transpose,
        ("3d", lambda x: np.matrix_transpose(x) * 2.0, (CUBE,)),
        ("complex", lambda x: np.matrix_transpose(x) * 1j, (COMPLEX,)),
    ),
    *rows(np.linalg.matrix_transpose, ("2d", lambda x: np.linalg.matrix_transpose(x) * 2.0, (X,))),
    *rows(
        np.atleast_1d,
        ("number", lambda x: np.atleast_1d(x) * 2.0, (1.5,)),
        ("several", lambda x, y: np.atleast_1d(x, y)[0] * np.atleast_1d(x, y)[1], (1.5, X)),
    ),
    *rows(
        np.atleast_2d,
        ("row", lambda x: np.atleast_2d(x) * x, (ROW,)),
        ("0d", lambda x: np.atleast_2d(x) * x, (np.array(1.5),)),
    ),
    *rows(
        np.atleast_3d,
        ("number", lambda x: np.atleast_3d(x) * x, (np.float64(1.5),)),
        ("row", lambda x: np.atleast_3d(x) * 2.0, (ROW,)),
        ("2d", lambda x: np.atleast_3d(x) * 2.0, (SMALL,)),
        ("3d", lambda x: np.atleast_3d(x) * 2.0, (CUBE,)),
    ),
    *rows(
        np.broadcast_arrays,
        ("two", lambda x, y: np.multiply(*np.broadcast_arrays(x, y)), (ROW, COLUMN)),
        ("with a number", lambda x, y: np.broadcast_arrays(x, y, 2.0)[2] * x * y, (X, 1.5)),
        ("the second", lambda x, y: np.broadcast_arrays(x, y)[1] * 2.0, (EMPTY, ROW)),
    ),
    *rows(
        np.meshgrid,
        ("two", lambda x, y: np.multiply(*np.meshgrid(x, y)), (ROW, X[0, :2])),
        ("ij", lambda x, y: np.multiply(*np.meshgrid(x, y, indexing="ij")), (ROW, SMALL[0])),
        ("sparse", lambda x, y: np.subtract(*np.meshgrid(x, y, sparse=True)), (ROW, Y[1])),
        ("three", lambda x, y: np.stack(np.meshgrid(x, 1.5, y)), (ROW, X)),
        ("views", lambda x, y: np.stack(np.meshgrid(x, y, copy=False)), (ROW, Y[1])),
        ("one", lambda x: np.meshgrid(x)[0] * 2.0, (ROW,)),
    ),
    *rows(
        np.ix_,
        ("of data", lambda x, i: x[np.ix_(i, [0, 2])] * 2.0, (X,), (np.array([1, 0, 1]),)),
        ("of a mask", lambda x, i: x[np.ix_(i, [0, 2])] * 2.0, (X,), (np.array([False, True]),)),
    ),
    *rows(
        np.zeros_like,
        ("filled", lambda x: np.zeros_like(x) + x, (X,)),
        ("dtype", lambda x: np.zeros_like(x, dtype=np.float32) + x, (X,)),
    ),
    *rows(
        np.ones_like,
        ("factor", lambda x: np.ones_like(x) * x, (X,)),
        ("dtype", lambda x: np.ones_like(x, dtype="f4") * x, (SMALL,)),
    ),
]


def squared(f):
    """A function whose second gradient is not zero."""
    return lambda *args: f(*args) * f(*args)


# The functions are linear: only that the first gradient can be differentiated is at stake.
test_first_order, test_second_order = orders(CASES, squared)


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(range(3)),
    st.tuples(*[st.sampled_from([1, -1, 2, -2])] * 3),
    st.sampled_from("CFAK"),
    st.booleans(),
)
def test_elements_are_read_in_the_order_of_any_layout(axes, steps, order, optimize):
    key = tuple(slice(None, None, step) for step in steps)
    x = np.transpose(np.arange(24.0).reshape(4, 3, 2), axes)[key]  # each element tells its place
    flat = lambda x: np.ravel(x, order=order) * 2.0
    reshaped = lambda x: np.reshape(x, (-1, 1), order="C" if order == "K" else order) * 2.0
    for f in (flat, reshaped):
        df = jit_grad(f, partialGrad=True, optimize=optimize)
        for _ in range(CALLS):
            grad, value = df(x, np.sin(f(x)))
            np.testing.assert_array_equal(value, f(x))
            np.testing.assert_array_equal(grad, 2.0 * np.sin(2.0 * x))


@settings(max_examples=20, deadline=None)
@given(st.integers(-3, 2), st.integers(-3, 3), st.booleans())
def test_an_axis_is_rolled_anywhere(axis, start, optimize):
    check(lambda x: np.rollaxis(x, axis, start) * 2.0, (CUBE,), (), optimize)


REFUSED = {
    "an axis twice": (lambda x: np.transpose(x, (0, 0)), "repeated axis"),
    "an axis too many": (lambda x: np.transpose(x, (0, 2)), "out of bounds"),
    "too few axes": (lambda x: np.transpose(x, (0,)), "match array"),
    "an order": (lambda x: np.reshape(x, 6, order="K"), "order"),
    "no copy": (lambda x: np.reshape(x.T, 6, copy=False), "copy"),
    "unequal numbers of axes": (lambda x: np.moveaxis(x, (0, 1), 0), "same number"),
    "a start too far": (lambda x: np.rollaxis(x, 0, 3), "out of bounds"),
    "a grid of another kind": (lambda x: np.meshgrid(x, x, indexing="zz")[0], "indexing"),
    "an index of matrices": (lambda x: x[np.ix_(x > 0, [1])], "1 dimensional"),
    "a transposed vector": (lambda x: np.matrix_transpose(x[0]), "2-dimensional"),
    "shapes that do not fit": (lambda x: np.broadcast_arrays(x, x[:, :2])[0], "mismatch"),
}


test_what_numpy_refuses = refused(REFUSED)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(4)), st.permutations(range(4)), st.booleans())
def test_transposes_of_transposes(first, second, optimize):
    first, second = tuple(first), tuple(second)
    f = lambda x: np.transpose(np.transpose(x, first) * 2.0, second)
    check(f, (spaced(-1, 1, (1, 2, 3, 2)),), (), optimize)
