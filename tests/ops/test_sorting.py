"""Sorting, searching, and sets of values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, INTEGERS, ROW, SMALL, X, Y, orders, refused, rows
from tests.ops.test_shape import COMPLEX, FORTRAN, STRIDED, squared
from tests.support import MODES, assert_same, check, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

LONG = spaced(-1.4, 1.9, (40,), seed=12)
AGAIN = np.array([1.5, 0.25, 1.5, -2.0, 0.25])
KNOTS = np.array([-1.0, 0.0, 1.0])

CASES = [
    *rows(
        np.sort,
        ("row", lambda x: np.sort(x) * 2.0, (LONG,)),
        ("last axis", lambda x: np.sort(x) * x, (X,)),
        ("first axis", lambda x: np.sort(x, axis=0) * 2.0, (CUBE,)),
        ("flat", lambda x: np.sort(x, axis=None) * 2.0, (X,)),
        ("kind", lambda x: np.sort(x, kind="mergesort") * 2.0, (X,)),
        ("stable", lambda x: np.sort(x, stable=True) * 2.0, (X,)),
        ("fortran", lambda x: np.sort(x, 1) * 2.0, (FORTRAN,)),
        ("strided", lambda x: np.sort(x, -2) * 2.0, (STRIDED,)),
        ("f4", lambda x: np.sort(x, axis=0) * 2.0, (SMALL,)),
        ("complex", lambda x: np.sort(x) * x, (COMPLEX,)),
        ("empty", lambda x: np.sort(x, axis=0), (EMPTY,)),
        ("descending", lambda x: np.sort(x)[::-1] * x, (ROW,)),
        ("of data", lambda x, n: np.sort(n) * x, (X,), (INTEGERS,)),
    ),
    *rows(
        np.partition,
        ("row", lambda x: np.partition(x, 17) * 2.0, (LONG,)),
        ("several", lambda x: np.partition(x, (3, 30)) * 2.0, (LONG,)),
        ("axis", lambda x: np.partition(x, 1, axis=0) * 2.0, (X,)),
        ("flat", lambda x: np.partition(x, 2, axis=None) * 2.0, (X,)),
        ("the largest", lambda x: np.sum(np.partition(x, -3)[-3:]) * x, (LONG,)),
        ("f4", lambda x: np.partition(x, 1)[:, :2] * 2.0, (SMALL,)),
    ),
    *rows(
        np.sort_complex,
        ("complex", lambda x: np.sort_complex(x) * x, (COMPLEX,)),
        ("real", lambda x: np.sort_complex(x) * x, (X,)),
    ),
    *rows(
        np.argsort,
        ("as an index", lambda x: x[np.argsort(x)] * 2.0, (LONG,)),
        ("as a factor", lambda x: np.argsort(x, axis=0) * x, (X,)),
        ("flat", lambda x: np.argsort(x, None) * 2.0 + np.sum(x), (X,)),
        ("stable", lambda x, n: x[np.argsort(n, kind="stable")] * 2.0, (ROW,), (AGAIN[2:],)),
    ),
    *rows(
        np.argpartition,
        ("as an index", lambda x: x[np.sort(np.argpartition(x, 4)[:4])] * 2.0, (LONG,)),
        ("as a factor", lambda x: np.sum(np.argpartition(x, 1, axis=0)) * x, (X,)),
    ),
    *rows(
        np.lexsort,
        ("as an index", lambda x, n: x[np.lexsort((x, n))] * 2.0, (LONG,), (LONG > 0,)),
        ("rows", lambda x: np.lexsort(x, axis=0) * x, (X,)),
        ("one key", lambda x: x[np.lexsort((x,))] * 2.0, (LONG,)),
    ),
    *rows(
        np.searchsorted,
        ("as a factor", lambda x: np.searchsorted(KNOTS, x) * x, (X,)),
        ("right", lambda x: np.searchsorted(KNOTS, x, side="right") * x, (X,)),
        ("number", lambda x, y: x[np.searchsorted(np.sort(x), y)] * y, (ROW, 1.0)),
        ("sorter", lambda x, y: np.searchsorted(x, y, sorter=np.argsort(x)) * y, (ROW, X)),
        ("as an index", lambda x, k: x[np.searchsorted(k, 0.5)] * x, (ROW,), (KNOTS,)),
    ),
    *rows(
        np.digitize,
        ("as a factor", lambda x: np.digitize(x, KNOTS) * x, (X,)),
        ("right", lambda x: np.digitize(x, KNOTS[::-1], right=True) * x, (X,)),
    ),
    *rows(
        np.isin,
        ("mask", lambda x: x[np.isin(x, x[0])] * 2.0, (X,)),
        ("factor", lambda x, n: np.isin(n, [4, -5], invert=True) * x, (X,), (INTEGERS,)),
    ),
    *rows(
        np.unique,
        ("of what is there twice", lambda x: np.unique(np.concatenate([x, x])) * 2.0, (ROW,)),
        ("2d", lambda x: np.unique(x) * 2.0, (X,)),
        ("number", lambda x: np.unique(x) * 2.0, (1.5,)),
        ("all of it", lambda x: by_groups(x, *np.unique(x, True, True, True)), (ROW,)),
        ("counts", lambda x: np.multiply(*np.unique(x, return_counts=True)), (ROW,)),
        ("inverse", lambda x: np.unique(x, return_inverse=True)[0][::-1] * x, (ROW,)),
        ("rows", lambda x: np.unique(x, axis=0) * 2.0, (X,)),
        ("columns", lambda x: np.unique(x, axis=1, return_index=True)[0] * 2.0, (X,)),
        ("complex", lambda x: np.unique(x) * 2.0, (COMPLEX,)),
        ("f4", lambda x: np.unique(x) * 2.0, (SMALL,)),
        ("empty", lambda x: np.unique(x) + np.sum(x), (EMPTY,)),
        ("of data", lambda x, n: x[np.unique(n)] * 2.0, (ROW,), (np.array([2, 0, 2]),)),
    ),
    *rows(
        np.unique_values, ("2d", lambda x: np.sort(np.unique_values(x)) * 2.0, (X,))
    ),
    *rows(np.unique_all, ("2d", lambda x: by_groups(x, *np.unique_all(x)), (X,))),
    *rows(np.unique_counts, ("2d", lambda x: np.multiply(*np.unique_counts(x)), (X,))),
    *rows(
        np.unique_inverse,
        ("by name", lambda x: by_inverse(np.unique_inverse(x)), (X,)),
    ),
    *rows(
        np.intersect1d,
        ("both", lambda x: np.intersect1d(x, x[::-1]) * x, (ROW,)),
        ("some", lambda x: np.intersect1d(x, x[0]) * x[1, 0], (X,)),
        ("unique", lambda x: np.intersect1d(x, x[:2], assume_unique=True) * 2.0, (ROW,)),
        ("places", lambda x: by_groups(x, *np.intersect1d(x, x, return_indices=True)), (ROW,)),
    ),
    *rows(np.union1d, ("two", lambda x, y: np.union1d(x, y) * 2.0, (X, COLUMN))),
    *rows(
        np.setdiff1d,
        ("some", lambda x: np.setdiff1d(x, x[0, :2]) * 2.0, (X,)),
        ("in order", lambda x: np.setdiff1d(x, x[0, :2], assume_unique=True) * 2.0, (X,)),
        ("from data", lambda x, n: np.setdiff1d(n, x) * np.sum(x), (X,), (INTEGERS,)),
    ),
    *rows(np.setxor1d, ("two", lambda x, y: np.setxor1d(x, y) * 2.0, (X, Y[0]))),
]  # fmt: skip


def by_groups(x, values, *numbers):
    """Something of all the results of a function that finds values."""
    return np.sum(values * values * sum(np.sum(n * (i + 1.0)) for i, n in enumerate(numbers))) * x


def by_inverse(found):
    """The elements again."""
    return found.values[found.inverse_indices]


test_first_order, test_second_order = orders(CASES, squared)

# -- conventions ---------------------------------------------------------------------------------

NAN = np.array([2.0, np.nan, -1.0, np.nan, 0.5])
AT_TIES = {
    "sort": (lambda x: np.sort(x, kind="stable") * np.arange(5.0), AGAIN, [3, 1, 4, 0, 2]),
    "partition": (lambda x: np.partition(x, 4)[3:] * 2.0, AGAIN, [2, 0, 2, 0, 0]),
    "sort of NaN": (lambda x: np.sort(x)[:3] * [1.0, 2.0, 3.0], NAN, [3, 0, 1, 0, 2]),
    "unique": (lambda x: np.unique(x) * [1.0, 2.0, 3.0], AGAIN, [3, 2, 0, 1, 0]),
    "unique of NaN": (lambda x: np.unique(x)[:3] * [1.0, 2.0, 3.0], NAN, [3, 0, 1, 0, 2]),
    "unique rows": (
        lambda x: np.unique(x[:, None] * [[1.0, 2.0]], axis=0)[:, 1], AGAIN, [2, 2, 0, 2, 0],
    ),
    "unique with counts": (lambda x: np.multiply(*np.unique_counts(x)), AGAIN, [2, 2, 0, 1, 0]),
    "union": (lambda x: np.union1d(x, [1.5, 7.0]) * [1.0, 2.0, 3.0, 0.0], AGAIN, [3, 2, 0, 1, 0]),
    "intersection": (lambda x: np.intersect1d(x, [1.5, -2.0]) * [1.0, 2.0], AGAIN, [2, 0, 0, 1, 0]),
    "difference": (lambda x: np.setdiff1d(x, [1.5]) * [1.0, 2.0], AGAIN, [0, 2, 0, 1, 0]),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), AT_TIES.values(), ids=AT_TIES)
def test_which_of_several_equal_elements_has_the_gradient(f, x, gradient, optimize):
    """Sorting: the one that stands there. Sets: the first."""
    if np.isnan(x).any():
        df = jit_grad(lambda x: np.sum(f(x)), withForward=False, optimize=optimize)
        for _ in range(3):
            np.testing.assert_array_equal(df(x), gradient)
    else:
        check(f, (x,), (), optimize, gradients=(np.array(gradient, float),))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([-1.5, 0.0, 0.25, 2.0]), min_size=1, max_size=40),
    st.sampled_from([None, "stable", "heapsort"]),
    st.booleans(),
)
def test_sorting_passes_each_cotangent_on_once(numbers, kind, optimize):
    """Ties or not: sort and partition give each element the cotangent of a place of its value."""
    x = np.array(numbers)
    upstream = spaced(0.4, 1.9, x.shape)
    middle = len(x) // 2
    for f in (lambda x: np.sort(x, kind=kind), lambda x: np.partition(x, middle)):
        df = jit_grad(f, partialGrad=True, optimize=optimize)
        for _ in range(2):
            grad, value = df(x, upstream)
            np.testing.assert_array_equal(value, f(x))
            assert sorted(zip(x, grad, strict=True)) == sorted(zip(value, upstream, strict=True))


FOLLOWING = {
    "sort": lambda x: np.sort(x, axis=0) ** 2,
    "partition": lambda x: np.partition(x, 1) ** 2,
    "argsort": lambda x: x[:, np.argsort(x[0])] * x,
    "searchsorted": lambda x: np.searchsorted(np.sort(x[0]), x) * x,
    "unique": lambda x: np.unique(np.maximum(x, 0.1)) ** 2,
    "unique rows": lambda x: np.unique(np.maximum(x, 0.1), axis=0) ** 2,
    "unique with counts": lambda x: np.multiply(*np.unique(np.maximum(x, 0.1), return_counts=True)),
    "isin": lambda x: x[np.isin(np.maximum(x, 0.1), 0.1)] ** 2,
    "setdiff1d": lambda x: np.setdiff1d(np.maximum(x, 0.1), [0.1]) ** 2,
    "lexsort": lambda x: x[:, np.lexsort((x[1], x[0] > 0))] * x,
}


@MODES
@pytest.mark.parametrize("f", FOLLOWING.values(), ids=FOLLOWING)
def test_places_follow_the_data(f, optimize):
    df = jit_grad(lambda x: np.sum(f(x)), optimize=optimize)
    for seed in range(5):
        x = spaced(-1.4, 1.9, (2, 4), seed=seed)
        grad, value = df(x)
        assert value == pytest.approx(np.sum(f(x)), rel=1e-13)
        step = np.zeros_like(x)
        expected = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            step[...] = 0.0
            step[place] = 1e-6
            expected[place] = (np.sum(f(x + step)) - np.sum(f(x - step))) / 2e-6
        np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-6)


REFUSED = {
    "kind and stable": (lambda x: np.sort(x, kind="stable", stable=True), "same time"),
    "an unknown kind": (lambda x: np.sort(x, kind="bogosort"), "sort kind"),
    "an axis too many": (lambda x: np.sort(x, axis=2), "out of bounds"),
    "a place outside": (lambda x: np.partition(x, 3), "out of bounds"),
    "bins in no order": (lambda x: np.digitize(x, [1.0, 3.0, 2.0]), "monotonic"),
}


test_what_numpy_refuses = refused(REFUSED)


@MODES
def test_fields_are_refused(optimize):
    with pytest.raises(UnsupportedError, match="argument order="):
        jit_grad(lambda x: np.sum(np.sort(x, order="a")), optimize=optimize)(X)


@MODES
def test_results_with_names(optimize):
    df = jit_grad(lambda x: (np.sum(x), *np.unique_all(x)), optimize=optimize)
    for _ in range(3):
        _, _, *found = df(X)
        for actual, expected in zip(found, np.unique_all(X), strict=True):
            assert_same(actual, expected)


@MODES
@pytest.mark.parametrize(
    "f",
    [
        lambda n: np.unique(n, return_index=True, return_inverse=True, return_counts=True),
        lambda n: np.intersect1d(n, [1, 2, 3], return_indices=True),
    ],
    ids=["unique", "intersect1d"],
)
def test_how_many_there_are_follows_the_data(f, optimize):
    df = jit_grad(lambda x, n: (np.sum(x), *f(n)), optimize=optimize, audit=False)
    for n in ([1, 2, 3, 3], [1, 1, 3, 3], [4, 3, 2, 1], [5, 5, 1, 1]):
        _, _, *parts = df(ROW, np.array(n))
        assert_same(tuple(parts), f(np.array(n)))
    assert not optimize or df.cache_info().direct == 0
