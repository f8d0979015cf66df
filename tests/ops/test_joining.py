"""Joining arrays and splitting them."""

import numpy as np

from tests.ops.cases import COLUMN, CUBE, EMPTY, INTEGERS, ROW, SMALL, X, Y, orders, refused, rows
from tests.ops.test_shape import COMPLEX, FORTRAN, STRIDED, squared
from tests.support import MODES, check
from tracejit import jit_grad


def written_parts(x):
    z = x * 1.0
    first, second = np.split(z, 2)
    first[...] = second * second
    return z


def joined_into(x, y):
    out = np.zeros((4, 3))
    np.concatenate([x, y], out=out)
    return out * out


CASES = [
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
        ("complex", lambda x, y: np.concatenate([x, y]), (COMPLEX, X)),
        ("an array", lambda x: np.concatenate(x, axis=1) * 2.0, (CUBE,)),
        ("lists of elements", lambda x: np.concatenate([[x[0], x[1] * 2.0], x]), (ROW,)),
        ("dtype", lambda x, y: np.concatenate([x, y], dtype=np.float64), (SMALL, SMALL)),
        ("casting", lambda x: np.concatenate([x, x], dtype="c16", casting="safe"), (X,)),
        ("into an array", joined_into, (X, Y)),
        ("with data", lambda x, n: np.concatenate([n, x]), (X,), (INTEGERS,)),
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
        ("dtype", lambda x: np.stack([x, x], dtype=np.float64), (SMALL,)),
    ),
    *rows(
        np.vstack,
        ("rows", lambda x, y: np.vstack([x, y]), (ROW, X)),
        ("numbers", lambda x, y: np.vstack((x, y)), (1.5, np.array(2.5))),
        ("dtype", lambda x, y: np.vstack([x, y], dtype="f8"), (SMALL, ROW)),
    ),
    *rows(
        np.hstack,
        ("rows", lambda x, y: np.hstack([x, y]), (ROW, Y[0])),
        ("2d", lambda x, y: np.hstack([x, y]), (X, COLUMN)),
        ("numbers", lambda x, y: np.hstack([x, y, 2.0]), (1.5, ROW)),
        ("complex", lambda x, y: np.hstack([x, y]), (COMPLEX, X)),
    ),
    *rows(
        np.dstack,
        ("rows", lambda x, y: np.dstack([x, y]), (ROW, Y[0])),
        ("2d", lambda x, y: np.dstack([x, y]), (X, SMALL)),
    ),
    *rows(
        np.column_stack,
        ("rows", lambda x, y: np.column_stack([x, y]), (ROW, Y[0])),
        ("2d", lambda x, y: np.column_stack([x, y]), (X, COLUMN[:, 0])),
    ),
    *rows(
        np.append,
        ("flat", lambda x, y: np.append(x, y), (X, ROW)),
        ("axis", lambda x, y: np.append(x, y, axis=1), (X, COLUMN)),
        ("a number", lambda x, y: np.append(x, y), (ROW, 1.5)),
    ),
    *rows(
        np.block,
        ("a row", lambda x, y: np.block([x, y]), (X, COLUMN)),
        ("2d", lambda x, y: np.block([[x, y], [2.0 * x, np.zeros((2, 1))]]), (X, COLUMN)),
        ("numbers", lambda x, y: np.block([[x, y], [y, 1.0]]), (1.5, 2.5)),
        ("of higher rank", lambda x: np.block([[x], [x * x]]), (CUBE,)),
        ("one array", lambda x: np.block(x) * 2.0, (X,)),
        ("f4", lambda x, y: np.block([[x], [y]]), (SMALL, ROW)),
    ),
    *rows(
        np.split,
        ("first of two", lambda x: np.split(x, 2)[0] * 2.0, (CUBE,)),
        ("all", lambda x: np.multiply(*np.split(x, 2, axis=2)), (CUBE,)),
        ("at places", lambda x: np.split(x, [1, 3], axis=-1)[1] * 2.0, (CUBE,)),
        ("beyond the end", lambda x: np.concatenate(np.split(x, [2, 7])), (ROW,)),
        ("written", written_parts, (X,)),
    ),
    *rows(
        np.array_split,
        ("uneven", lambda x: np.array_split(x, 2)[0] * 2.0, (ROW,)),
        ("more than there are", lambda x: np.concatenate(np.array_split(x, 5)), (ROW,)),
        ("axis", lambda x: np.array_split(x, 3, axis=2)[1] * 2.0, (STRIDED.transpose(0, 2, 1),)),
    ),
    *rows(np.vsplit, ("2d", lambda x: np.vsplit(x, 2)[1] * x, (X,))),
    *rows(
        np.hsplit,
        ("2d", lambda x: np.hsplit(x, 3)[1] * x, (X,)),
        ("row", lambda x: np.hsplit(x, [1])[1] * 2.0, (ROW,)),
    ),
    *rows(np.dsplit, ("3d", lambda x: np.dsplit(x, 2)[1] * 2.0, (CUBE,))),
]
if hasattr(np, "unstack"):  # NumPy 2.1
    CASES += rows(
        np.unstack,
        ("first", lambda x: np.multiply(*np.unstack(x)), (X,)),
        ("last", lambda x: np.unstack(x, axis=-1)[2] * 2.0, (CUBE,)),
    )

# The functions are linear: only that the first gradient can be differentiated is at stake.
test_first_order, test_second_order = orders(CASES, squared)

REFUSED = {
    "arrays of different ranks": (lambda x: np.concatenate([x, x[0]]), "dimensions"),
    "an axis too many": (lambda x: np.concatenate([x, x], axis=2), "axis 2 is out of bounds"),
    "nothing to stack": (lambda x: np.stack(x[:0]), "at least one array"),
    "stacked shapes": (lambda x: np.stack([x, x[0]]), "same shape"),
    "casting": (lambda x: np.concatenate([x, x], dtype="i4"), "Cannot cast"),
    "unequal parts": (lambda x: np.split(x, 2, axis=1), "equal division"),
    "no parts": (lambda x: np.array_split(x, 0), "larger than 0"),
    "vsplit of a row": (lambda x: np.vsplit(x[0], 1), "2 or more dimensions"),
    "depths": (lambda x: np.block([[x], x]), "depths are mismatched"),
    "empty lists": (lambda x: np.block([[x], []]), "empty"),
    "block of tuples": (lambda x: np.block((x, x)), "tuple"),
}


test_what_numpy_refuses = refused(REFUSED)


def test_parts_are_computed_in_the_whole():
    """vstack and its like come down to concatenations, whose parts need no copies."""
    df = jit_grad(lambda x: np.sum(np.vstack([np.sin(x), np.cos(x)]) ** 3), backend="numpy")
    for _ in range(2):
        df(ROW)
    assert "np.concatenate" not in df.source(ROW)


@MODES
def test_splits_follow_places_in_data(optimize):
    f = lambda x, n: np.split(x, n)[1] * x[0]
    for places in ([1, 2], [1, 3], [0, 2]):
        check(f, (ROW,), (np.array(places),), optimize)
