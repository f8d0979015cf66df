"""Sorting, searching, and sets of values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, INTEGERS, ROW, SMALL, X, Y, Case, orders, rows
from tests.ops.test_shape import COMPLEX, FORTRAN, STRIDED, squared
from tests.support import MODES, assert_same, check, check_second, spaced
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
        ("as an index", lambda x, n: x[np.lexsort((x, n))] * 2.0, (AGAIN,), (AGAIN > 0,)),
        ("rows", lambda x: np.lexsort(x, axis=0) * x, (X,)),
        ("one key", lambda x: x[np.lexsort([x])] * 2.0, (LONG,)),
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
        ("mask", lambda x, y: x[np.isin(x, y)] * 2.0, (X, X[0])),
        ("factor", lambda x, n: np.isin(n, [4, -5], invert=True) * x, (X,), (INTEGERS,)),
    ),
    *rows(
        np.unique,
        ("row", lambda x: np.unique(x) * 2.0, (AGAIN * ROW[0],)),
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
        ("by name", lambda x: np.unique_inverse(x).values[np.unique_inverse(x).inverse_indices], (X,)),
    ),
    *rows(
        np.intersect1d,
        ("both", lambda x: np.intersect1d(x, x[::-1]) * x, (ROW,)),
        ("some", lambda x, y: np.intersect1d(x, y) * y[0], (X, X[0])),
        ("unique", lambda x: np.intersect1d(x, x[:2], assume_unique=True) * 2.0, (ROW,)),
        ("places", lambda x: by_groups(x, *np.intersect1d(x, x[::-1], return_indices=True)), (ROW,)),
    ),
    *rows(np.union1d, ("two", lambda x, y: np.union1d(x, y) * 2.0, (X, COLUMN))),
    *rows(
        np.setdiff1d,
        ("some", lambda x, y: np.setdiff1d(x, y) * 2.0, (X, X[0, :2])),
        ("in order", lambda x, y: np.setdiff1d(x, y, assume_unique=True) * 2.0, (X, X[0, :2])),
    ),
    *rows(np.setxor1d, ("two", lambda x, y: np.setxor1d(x, y) * 2.0, (X, Y[0]))),
]  # fmt: skip


def by_groups(x, values, *numbers):
    """Something of all the results of a function that finds values."""
    return np.sum(values * values * sum(np.sum(n * (i + 1.0)) for i, n in enumerate(numbers))) * x


test_first_order, test_second_order = orders(
    [c for c in CASES if not c.title.startswith(("unique all", "isin mask", "intersect1d some"))],
    squared,
)
