"""Turning and repeating: roll, flip, rot90, repeat, tile, resize, windows."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from tests.ops.cases import COLUMN, CUBE, EMPTY, ROW, SMALL, X, Y, orders, refused, rows
from tests.ops.test_shape import COMPLEX, FORTRAN, STRIDED, squared
from tests.support import MODES, check, spaced
from tracejit import jit_grad

COUNTS = np.array([2, 0, 3])
LONG = spaced(-1.4, 1.9, (5,))


def written_backwards(x, y):
    z = x * 1.0
    np.flip(z, axis=1)[0] = y * y
    return z


CASES = [
    *rows(
        np.roll,
        ("row", lambda x: np.roll(x, 1) * x, (ROW,)),
        ("back", lambda x: np.roll(x, -2) * x, (ROW,)),
        ("flat", lambda x: np.roll(x, 4) * x, (X,)),
        ("axis", lambda x: np.roll(x, 1, axis=0) - np.roll(x, -1, axis=1), (X,)),
        ("axes", lambda x: np.roll(x, (1, -2), axis=(0, 2)) * x, (CUBE,)),
        ("one shift", lambda x: np.roll(x, 1, axis=(0, -1)) * x, (STRIDED,)),
        ("fortran", lambda x: np.roll(x, 5, axis=1) * x, (FORTRAN,)),
        ("complex", lambda x: np.roll(x, 1, axis=1) * x, (COMPLEX,)),
        ("f4", lambda x: np.roll(x, 1) * x, (SMALL,)),
        ("empty", lambda x: np.roll(x, 1, axis=1), (EMPTY,)),
        ("by data", lambda x, n: np.roll(x, n) * x, (ROW,), (2,)),
    ),
    *rows(
        np.flip,
        ("all", lambda x: np.flip(x) * x, (X,)),
        ("axis", lambda x: np.flip(x, axis=-1) * x, (CUBE,)),
        ("axes", lambda x: np.flip(x, (0, 2)) * x, (STRIDED,)),
        ("written", written_backwards, (X, ROW)),
        ("number", lambda x: np.flip(x) * x, (np.array(1.5),)),
    ),
    *rows(np.flipud, ("2d", lambda x: np.flipud(x) * x, (X,))),
    *rows(np.fliplr, ("3d", lambda x: np.fliplr(x) * x, (CUBE,))),
    *rows(
        np.rot90,
        ("once", lambda x: np.rot90(x) * 2.0, (X,)),
        ("twice", lambda x: np.rot90(x, 2) * x, (X,)),
        ("three times", lambda x: np.rot90(x, k=3) * 2.0, (SMALL,)),
        ("not at all", lambda x: np.rot90(x, 4) * x, (X,)),
        ("back in other axes", lambda x: np.rot90(x, -1, axes=(2, 1)) * 2.0, (CUBE,)),
    ),
    *rows(
        np.repeat,
        ("flat", lambda x: np.repeat(x, 2) * 2.0, (X,)),
        ("axis", lambda x: np.repeat(x, 3, axis=1) * 2.0, (CUBE,)),
        ("negative axis", lambda x: np.repeat(x, 2, axis=-1) * 2.0, (STRIDED,)),
        ("number", lambda x: np.repeat(x, 3) * 2.0, (1.5,)),
        ("number along an axis", lambda x: np.repeat(x, 3, axis=0) * 2.0, (1.5,)),
        ("never", lambda x: np.repeat(x, 0) * 2.0, (ROW,)),
        ("each", lambda x: np.repeat(x, [1, 0, 2], axis=1) * 2.0, (X,)),
        ("each by data", lambda x, n: np.repeat(x, n, axis=1) * 2.0, (X,), (COUNTS,)),
        ("each of all", lambda x, n: np.repeat(x, n) * 2.0, (ROW,), (COUNTS,)),
        ("a list of one", lambda x: np.repeat(x, [2]) * 2.0, (ROW,)),
        ("by a number", lambda x, n: np.repeat(x, n) * 2.0, (ROW,), (2,)),
        ("complex", lambda x: np.repeat(x, 2, axis=0) * 1j, (COMPLEX,)),
        ("empty", lambda x: np.repeat(x, 2, axis=0), (EMPTY,)),
    ),
    *rows(
        np.tile,
        ("row", lambda x: np.tile(x, 2) * 2.0, (ROW,)),
        ("new axes", lambda x: np.tile(x, (2, 1, 3)) * 2.0, (X,)),
        ("fewer", lambda x: np.tile(x, 2) * 2.0, (CUBE,)),
        ("once", lambda x: np.tile(x, (1, 1)) * 2.0, (X,)),
        ("never", lambda x: np.tile(x, (0, 2)) * 2.0, (X,)),
        ("number", lambda x: np.tile(x, (2, 2)) * 2.0, (1.5,)),
        ("strided", lambda x: np.tile(x, (2, 1, 1)) * 2.0, (STRIDED,)),
        ("f4", lambda x: np.tile(x, [2, 2]) * 2.0, (SMALL,)),
        ("complex", lambda x: np.tile(x, (1, 2)) * 1j, (COMPLEX,)),
    ),
    *rows(
        np.resize,
        ("larger", lambda x: np.resize(x, (3, 3)) * 2.0, (X,)),
        ("smaller", lambda x: np.resize(x, 2) * 2.0, (X,)),
        ("a number", lambda x: np.resize(x, (2, 2)) * 2.0, (1.5,)),
        ("to nothing", lambda x: np.resize(x, (0, 2)) + np.sum(x), (COLUMN,)),
        ("of nothing", lambda x, y: np.resize(x, (2, 3)) * y, (EMPTY, Y)),
    ),
    *rows(
        sliding_window_view,
        ("row", lambda x: sliding_window_view(x, 3) * x[:3], (LONG,)),
        ("both axes", lambda x: sliding_window_view(x, (2, 2)) * 2.0, (X,)),
        ("one axis", lambda x: sliding_window_view(x, 2, axis=-1) ** 2, (CUBE,)),
        ("an axis twice", lambda x: sliding_window_view(x, [2, 2], (1, 1)) ** 2, (CUBE,)),
        ("averaged", lambda x: sliding_window_view(x, 2, 0).mean(-1) ** 2, (X,)),
        ("list", lambda x, y: sliding_window_view([x, y, 1.0], 2) * x, (0.5, 1.5)),
        ("f4", lambda x: sliding_window_view(x, 2, 1), (SMALL,)),
        ("wide", lambda x: sliding_window_view(x, 4, 1), (np.zeros((0, 4)),)),
    ),
]

# The functions are linear: only that the first gradient can be differentiated is at stake.
test_first_order, test_second_order = orders(CASES, squared)


@MODES
def test_counts_follow_the_data(optimize):
    f = lambda x, n: np.sum(np.repeat(x, n) * np.arange(1.0, 1 + n.sum()))
    df = jit_grad(f, optimize=optimize)
    for counts in ([1, 1, 1], [2, 0, 1], [0, 0, 3], [1, 1, 1], [2, 0, 1]):
        n = np.array(counts)
        grad, value = df(ROW, n)
        numbers = np.arange(1.0, 1 + n.sum())
        assert value == pytest.approx(np.sum(np.repeat(ROW, n) * numbers), rel=1e-14)
        expected = [part.sum() for part in np.split(numbers, np.cumsum(n)[:-1])]
        np.testing.assert_allclose(grad, expected, rtol=1e-14)


@MODES
def test_shifts_follow_the_data(optimize):
    df = jit_grad(lambda x, n: np.sum(np.roll(x, n) * np.arange(3.0)), optimize=optimize)
    for shift in (1, 2, 1, -1, 0):
        grad, value = df(ROW, shift)
        assert value == np.sum(np.roll(ROW, shift) * np.arange(3.0))
        np.testing.assert_array_equal(grad, np.roll(np.arange(3.0), -shift))


REFUSED = {
    "flipud of a number": (lambda x: np.flipud(x[0, 0]), ">= 1-d"),
    "fliplr of a row": (lambda x: np.fliplr(x[0]), ">= 2-d"),
    "rot90 in one axis": (lambda x: np.rot90(x, axes=(1, 1)), "must be different"),
    "an axis too many": (lambda x: np.flip(x, axis=2), "out of bounds"),
    "negative repeats": (lambda x: np.repeat(x, -1), "negative"),
    "too few counts": (lambda x: np.repeat(x, [1, 2], axis=1), "broadcast"),
    "a window too wide": (lambda x: sliding_window_view(x, 4, 0), "cannot be larger"),
    "a window of one axis": (lambda x: sliding_window_view(x, 2), "window_shape for all"),
    "a negative size": (lambda x: np.resize(x, (-1, 2)), "non-negative"),
}


test_what_numpy_refuses = refused(REFUSED)


@MODES
def test_a_view_shows_later_writes(optimize):
    def f(x):
        z = x * 1.0
        turned = np.rot90(z)
        z[0] = 2.0 * x[1]
        return turned * turned

    check(f, (X,), (), optimize)


@MODES
def test_windows_show_later_writes_and_take_none(optimize):
    def f(x):
        z = x * 1.0
        windows = sliding_window_view(z, 2, axis=0)
        z[0] = 2.0 * x[1]
        return windows * windows

    check(f, (X,), (), optimize)
    written = lambda x: sliding_window_view(x * 1.0, 2, axis=0).fill(1.0)
    for run in (written, jit_grad(written, optimize=optimize)):
        with pytest.raises(ValueError, match="read-only"):
            run(X)
