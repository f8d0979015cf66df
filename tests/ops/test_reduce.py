"""Reductions and scans: axes, keepdims, dtypes; ties, zeros and constants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, INTEGERS, SMALL, Case, X, orders, rows
from tests.support import MODES, check, spaced

REDUCTIONS = [np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std]
AXES = [None, 0, -1, (0, 2), (-1, 0), (1,), ()]
WITHOUT_GRADIENT = {
    np.any: AXES, np.all: AXES, np.count_nonzero: AXES[:-1], np.argmax: AXES[:3],
    np.argmin: AXES[:3],
}  # fmt: skip


def over_axis(function, axis, keepdims):
    """The reduction as a function of its array alone."""
    return lambda x: function(x, axis=axis, keepdims=keepdims)


def times_reduced(function, axis):
    """A factor without a gradient: sum(x) * function(x > 0)."""
    return lambda x: np.sum(x) * function(x > 0, axis=axis)


def reduction_cases(f):
    for axis in AXES:
        if f is np.std and axis == ():
            continue  # a deviation of single numbers is 0, where it has a kink
        for keepdims in (False, True):
            title = f"{f.__name__} axis={axis} keepdims={keepdims}"
            yield Case(title, over_axis(f, axis, keepdims), (CUBE,), (), f, not keepdims)
    yield from rows(
        f,
        ("positional axis", lambda x: f(x, 1), (X,)),
        ("f4", f, (SMALL,)),
        ("f4 by rows", lambda x: f(x, axis=1), (SMALL,)),
        ("fortran", lambda x: f(x, axis=1), (np.asfortranarray(CUBE),)),
        ("strided", lambda x: f(x, axis=-1), (CUBE[:, ::2, ::-1],)),
        ("size-1 axis", lambda x: f(x, axis=0), (CUBE[:, :1],)),
        ("integers", lambda x, n: x * f(n, axis=0), (X,), (INTEGERS,)),
        ("mask", lambda x: x * f(x > 0), (X,)),
        second=False,
    )
    if f is not np.std:
        yield from rows(
            f,
            ("float", f, (1.5,)),
            ("float64", lambda x: f(x) * 2.0, (np.float64(1.5),)),
            ("0d", f, (np.array(1.5),)),
            ("one element", f, (np.array([0.7]),)),
            ("rows of one", lambda x: f(x, axis=1, keepdims=True), (COLUMN,)),
            ("no rows", lambda x: f(x, axis=1), (EMPTY,)),
        )


CASES = [
    *(case for f in REDUCTIONS for case in reduction_cases(f)),
    *rows(np.amax, ("is max", lambda x: np.amax(x, axis=0), (X,))),
    *rows(np.amin, ("is min", lambda x: np.amin(x, axis=0), (X,))),
    *rows(
        np.sum,
        ("empty", np.sum, (EMPTY,)),
        ("over no rows", lambda x: np.sum(x, axis=0), (EMPTY,)),
    ),
    *rows(
        np.prod,
        ("over no rows", lambda x: np.prod(x, axis=0), (EMPTY,)),
        ("one zero", np.prod, (np.array([1.5, 0.0, -2.0]),)),
        ("two zeros", np.prod, (np.array([1.5, 0.0, 0.0]),)),
        ("three zeros", np.prod, (np.array([1.5, 0.0, 0.0, 0.0]),)),
        ("zeros by rows", lambda x: np.prod(x, axis=1), (np.array([[1.5, 0.0], [2.0, 3.0]]),)),
        ("zeros over two axes", lambda x: np.prod(x, axis=(0, 2)), (CUBE * (abs(CUBE) > 0.2),)),
    ),
    *rows(
        np.mean,
        ("f2", np.mean, (np.array([0.5, 1.5], np.float16),)),
        second=False,
    ),
    *rows(
        np.var,
        ("ddof", lambda x: np.var(x, axis=1, ddof=1), (CUBE,)),
        ("fractional ddof", lambda x: np.var(x, ddof=1.5), (CUBE,)),
    ),
    *rows(
        np.std,
        ("ddof", lambda x: np.std(x, axis=1, ddof=1), (CUBE,)),
        ("two axes", lambda x: np.std(x, axis=(0, 1), ddof=1, keepdims=True), (CUBE,)),
    ),
    *rows(
        np.cumsum,
        ("flat", np.cumsum, (X,)),
        ("first axis", lambda x: np.cumsum(x, axis=0), (CUBE,)),
        ("middle axis", lambda x: np.cumsum(x, 1), (CUBE,)),
        ("last axis", lambda x: np.cumsum(x, axis=-1), (CUBE,)),
        ("f4", lambda x: np.cumsum(x, axis=1), (SMALL,)),
        ("empty", lambda x: np.cumsum(x, axis=0), (EMPTY,)),
        ("flat empty", np.cumsum, (EMPTY,)),
        ("0d", np.cumsum, (np.array(1.5),)),
        ("float", np.cumsum, (1.5,)),
    ),
    *(
        Case(f"{f.__name__} axis={axis}", times_reduced(f, axis), (CUBE,), (), f)
        for f, axes in WITHOUT_GRADIENT.items()
        for axis in axes
    ),
]


test_first_order, test_second_order = orders(CASES)
test_first_order = pytest.mark.filterwarnings("ignore::RuntimeWarning")(test_first_order)


CONSTANT = np.full((2, 2), 1.5)

AT_KINKS = {
    "max shares": (np.max, np.array([1.0, 3.0, 3.0, 2.0]), [0, 0.5, 0.5, 0]),
    "min shares": (np.min, np.array([1.0, 3.0, 1.0, 1.0]), [1 / 3, 0, 1 / 3, 1 / 3]),
    "max by rows": (lambda x: np.max(x, axis=1), np.array([[2.0, 2.0], [1.0, 2.0]]),
                    [[0.5, 0.5], [0, 1]]),
    "max over two axes": (lambda x: np.max(x, axis=(0, 1), keepdims=True), CONSTANT,
                          np.full((2, 2), 0.25)),
    "max at signed zeros": (np.max, np.array([0.0, -0.0]), [0.5, 0.5]),
    "max at infinity": (np.max, np.array([np.inf, 1.0, np.inf]), [0.5, 0, 0.5]),
    "max of f4": (np.max, np.ones(2, np.float32), [0.5, 0.5]),
    "max of NaN": (np.max, np.array([1.0, np.nan]), [0, 1]),
    "std of a constant": (np.std, CONSTANT, np.zeros((2, 2))),
    "std of constant rows": (lambda x: np.std(x, axis=1), np.array([[1.0, 1.0], [1.0, 3.0]]),
                             [[0, 0], [-0.5, 0.5]]),
    "std of one element": (np.std, np.array([2.0]), [0]),
    "std of a float": (np.std, 2.0, 0),
    "std of no axes": (lambda x: np.std(x, axis=()), CONSTANT, np.zeros((2, 2))),
    "var of a constant": (np.var, CONSTANT, np.zeros((2, 2))),
    "prod with a zero": (np.prod, np.array([2.0, 0.0, 3.0]), [0, 6, 0]),
    "prod with zeros": (np.prod, np.array([2.0, 0.0, 0.0]), [0, 0, 0]),
    "prod of rows with zeros": (lambda x: np.prod(x, axis=0), np.array([[0.0, 2.0], [5.0, 3.0]]),
                                [[5, 3], [0, 2]]),
    "prod that underflows": (np.prod, np.array([1e-200, 1e-200, 1e300]), [1e100, 1e100, 0]),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), AT_KINKS.values(), ids=AT_KINKS)
def test_conventions_at_kinks(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))


@st.composite
def shapes_and_axes(draw):
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    axes = draw(st.sets(st.integers(0, len(shape) - 1)))
    signed = tuple(a - len(shape) if draw(st.booleans()) else a for a in sorted(axes))
    return shape, draw(st.sampled_from([None, signed])), draw(st.booleans())


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(REDUCTIONS[:-1]), shapes_and_axes(), st.booleans())
def test_any_shape_and_axes(f, sample, optimize):
    shape, axis, keepdims = sample
    check(over_axis(f, axis, keepdims), (spaced(-1.9, 1.7, shape),), (), optimize)
