"""Insertions, deletions and trimmed zeros: what depends on values for its shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, ROW, SMALL, X, Y, orders, refused, rows
from tests.ops.test_shape import COMPLEX, STRIDED, squared
from tests.support import MODES, check, numeric, spaced
from tracejit import jit_grad

PLACES = np.array([2, 0, 2])
KEPT = np.array([True, False, True])
PADDED = np.array([0.0, 0.0, 1.5, 0.0, -0.5, 0.0])

CASES = [
    *rows(
        np.insert,
        ("a number", lambda x, y: np.insert(x, 1, y) * 2.0, (X, 1.5)),
        ("at the end", lambda x, y: np.insert(x, 3, y) * 2.0, (ROW, 1.5)),
        ("a row", lambda x, y: np.insert(x, 1, y, axis=0) * 2.0, (X, ROW)),
        ("a column", lambda x, y: np.insert(x, -1, y, axis=1) * 2.0, (X, X[:, 0])),
        ("columns", lambda x, y: np.insert(x, 1, y, axis=1) * 2.0, (X, Y.T)),
        ("a column in a list", lambda x, y: np.insert(x, [1], y, axis=1) * 2.0, (X, COLUMN)),
        ("several", lambda x, y: np.insert(x, [2, 0, 2], y) * 2.0, (ROW, Y[0])),
        ("one for several", lambda x, y: np.insert(x, [2, -1], y, axis=-1) * 2.0, (CUBE, 1.5)),
        ("slice", lambda x, y: np.insert(x, slice(0, 3, 2), y, axis=1) * 2.0, (X, COLUMN)),
        ("by data", lambda x, y, n: np.insert(x, n, y) * 2.0, (ROW, Y[0]), (PLACES,)),
        ("at a number", lambda x, y, n: np.insert(x, n, y) * 2.0, (ROW, 2.5), (1,)),
        ("rows by data", lambda x, n: np.insert(x, n, x[:, :2], axis=1), (X,), (PLACES[:2],)),
        ("nowhere", lambda x: np.insert(x, [], []) * 2.0, (ROW,)),
        ("f4", lambda x, y: np.insert(x, 1, y, axis=0) * 2.0, (SMALL, SMALL[0])),
        ("complex", lambda x, y: np.insert(x, 1, y, axis=0) * 1j, (COMPLEX, ROW)),
        ("into nothing", lambda x, y: np.insert(x, 0, y, axis=0) * 2.0, (EMPTY, ROW)),
    ),
    *rows(
        np.delete,
        ("one", lambda x: np.delete(x, 1) * 2.0, (X,)),
        ("column", lambda x: np.delete(x, -1, axis=1) * 2.0, (X,)),
        ("several", lambda x: np.delete(x, [0, 2, 2], axis=2) * 2.0, (CUBE,)),
        ("slice", lambda x: np.delete(x, slice(None, None, 2)) * 2.0, (X,)),
        ("many", lambda x: np.delete(np.tile(x, 4), [0, 3, 5, 6, 8, 9, 12, 19]) * 2.0, (X,)),
        ("mask", lambda x: np.delete(x, [True, False, True], axis=1) * 2.0, (X,)),
        ("mask of data", lambda x, m: np.delete(x, m, axis=1) * 2.0, (STRIDED[0].T,), (KEPT[:2],)),
        ("mask by values", lambda x: np.delete(x, x > 1.0) * 2.0, (ROW,)),
        ("by data", lambda x, n: np.delete(x, n, axis=1) * 2.0, (X,), (PLACES,)),
        ("at a number", lambda x, n: np.delete(x, n, axis=0) * 2.0, (X,), (1,)),
        ("nothing", lambda x: np.delete(x, []) * 2.0, (ROW,)),
        ("all", lambda x: np.delete(x, slice(None)) + np.sum(x), (ROW,)),
        ("complex", lambda x: np.delete(x, 0, axis=1) * 1j, (COMPLEX,)),
    ),
    *rows(
        np.trim_zeros,
        ("both", lambda x, n: np.trim_zeros(x * n) * x[2:5], (PADDED + 0.25,), (PADDED != 0,)),
        ("front", lambda x, n: np.trim_zeros(x * n, "f") * 2.0, (PADDED + 0.25,), (PADDED != 0,)),
        ("back", lambda x, n: np.trim_zeros(x * n, "B") * 2.0, (PADDED + 0.25,), (PADDED != 0,)),
        ("all of it", lambda x, n: np.trim_zeros(x * n, "f") + x[0], (ROW,), (0.0,)),
    ),
]
if np.lib.NumpyVersion(np.__version__) >= "2.2.0":
    CASES += rows(
        np.trim_zeros,
        ("2d", lambda x, n: np.trim_zeros(x * n) * 2.0, (X,), (np.array([0.0, 1.0, 0.0]),)),
        ("axis", lambda x, n: np.trim_zeros(x * n, axis=0) * 2.0, (X.T,), (np.array([0.0, 1.0]),)),
    )  # fmt: skip

test_first_order, test_second_order = orders(CASES, squared)

FOLLOWING = {
    "delete": lambda x, n: np.delete(x, n) ** 2,
    "delete by a mask": lambda x, n: np.delete(x, x > 0.5) ** 2,
    "delete by a list": lambda x, n: np.delete(x, [n[0], 1]) ** 2,
    "insert": lambda x, n: np.insert(x, n, x[:2]) ** 2,
    "insert at a number": lambda x, n: np.insert(x, n[0], x[:2]) ** 2,
    "insert by a mask": lambda x, n: np.insert(x, x > 0.5, 2.0) ** 2,
    "trim_zeros": lambda x, n: np.trim_zeros(np.maximum(x, 0.0)) ** 2,
}


@MODES
@pytest.mark.parametrize("f", FOLLOWING.values(), ids=FOLLOWING)
def test_places_follow_the_data(f, optimize):
    df = jit_grad(lambda x, n: np.sum(f(x, n) * np.arange(f(x, n).size)), optimize=optimize)
    for seed in range(5):
        x, n = spaced(-1.4, 1.9, (5,), seed=seed), np.array([[1, 3], [2, 2], [0, 4]][seed % 3])
        weighted = lambda x, n=n: np.sum(f(x, n) * np.arange(f(x, n).size))
        grad, value = df(x, n)
        assert value == pytest.approx(weighted(x), rel=1e-13)
        np.testing.assert_allclose(grad, numeric(weighted, (x,))[0], rtol=1e-6, atol=1e-6)


keys = st.one_of(
    st.integers(-4, 3),
    st.lists(st.integers(-4, 3), max_size=5),
    st.slices(4),
)


@settings(max_examples=40, deadline=None)
@given(keys, st.integers(-2, 1), st.booleans())
def test_any_places(key, axis, optimize):
    x = spaced(-1.4, 1.9, (4, 4))
    check(lambda x: np.delete(x, key, axis=axis) * 2.0, (x,), (), optimize)
    check(lambda x, y: np.insert(x, key, y, axis=axis) * 2.0, (x, 1.5), (), optimize)


REFUSED = {
    "a place outside": (lambda x: np.delete(x, 6), "out of bounds"),
    "places outside": (lambda x: np.delete(x, [1, 6]), "out of bounds"),
    "a mask of another length": (lambda x: np.delete(x, [True, False]), "axis length of 6"),
    "insertion outside": (lambda x: np.insert(x, 7, 1.0), "out of bounds"),
    "too many values": (lambda x: np.insert(x, [1, 2], [1.0, 2.0, 3.0]), "broadcast"),
    "an unknown end": (lambda x: np.trim_zeros(x[0], "x"), "unexpected character"),
}


test_what_numpy_refuses = refused(REFUSED)
