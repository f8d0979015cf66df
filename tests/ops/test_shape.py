"""What rearranges elements: reshape, transpose, joining, new and lost axes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, ROW, SMALL, X, Y, orders, rows
from tests.support import check, spaced

FORTRAN = np.asfortranarray(CUBE)
STRIDED = CUBE[:, ::2, ::-1]

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
    ),
    *rows(
        np.ravel,
        ("2d", lambda x: np.ravel(x) * 2.0, (X,)),
        ("fortran", lambda x: np.ravel(x) * 2.0, (FORTRAN,)),
        ("order F", lambda x: np.ravel(x, order="F") * 2.0, (CUBE,)),
        ("float", lambda x: np.ravel(x) * 2.0, (1.5,)),
        ("returned", np.ravel, (X,)),
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
        np.concatenate,
        ("rows", lambda x, y: np.concatenate([x, y]), (X, Y)),
        ("columns", lambda x, y: np.concatenate((x, y), axis=1), (X, COLUMN)),
        ("negative axis", lambda x, y: np.concatenate((x, y), axis=-1), (X, Y)),
        ("flat", lambda x, y: np.concatenate([x, y], axis=None), (X, ROW)),
        ("constant", lambda x: np.concatenate([x, [1.0, 2.0]]), (ROW,)),
        ("itself", lambda x: np.concatenate([x, x * x]), (ROW,)),
        ("empty", lambda x, y: np.concatenate([x, y]), (EMPTY, X)),
        ("f4 and f8", lambda x, y: np.concatenate([x, y]), (SMALL, X)),
        ("one", lambda x: np.concatenate([x]), (X,)),
        ("fortran", lambda x, y: np.concatenate([x, y], axis=1), (FORTRAN, STRIDED)),
    ),
    *rows(
        np.stack,
        ("first", lambda x, y: np.stack([x, y]), (X, Y)),
        ("last", lambda x, y: np.stack((x, y), axis=-1), (X, Y)),
        ("middle", lambda x, y: np.stack([x, y], axis=1), (X, Y)),
        ("numbers", lambda x, y: np.stack([x, y]), (1.5, 2.5)),
        ("elements", lambda x: np.stack([x[0] * x[1], x[2], np.sin(x[0])]), (ROW,)),
        ("with a constant", lambda x: np.stack([x, [1.0, 2.0, 3.0]]), (ROW,)),
        ("f4", lambda x: np.stack([x, x * x], axis=1), (SMALL,)),
    ),
    *rows(
        np.expand_dims,
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


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(4)), st.permutations(range(4)), st.booleans())
def test_transposes_of_transposes(first, second, optimize):
    first, second = tuple(first), tuple(second)
    f = lambda x: np.transpose(np.transpose(x, first) * 2.0, second)
    check(f, (spaced(-1, 1, (1, 2, 3, 2)),), (), optimize)
