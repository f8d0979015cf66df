"""Reductions: axes, keepdims, dtype, where, initial; ties, zeros and constants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import (
    COLUMN,
    CUBE,
    EMPTY,
    INTEGERS,
    MASK,
    ROW,
    SMALL,
    Case,
    X,
    orders,
    raising,
    rows,
)
from tests.support import CALLS, MODES, assert_same, check, cotangent, spaced
from tracejit import jit_grad

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


Z = spaced(-1.3, 1.7, (2, 3), complex, seed=10)
HALF = np.array([0.5, 1.5, 0.25], np.float16)


def keyword_cases(f):
    """where=, dtype= and complex numbers, which sum, prod, mean, var and std take."""
    return rows(
        f,
        ("where", lambda x, m: f(x, where=m), (X,), (MASK,)),
        ("where by rows", lambda x, m: f(x, axis=1, keepdims=True, where=m), (X,), (MASK[::-1],)),
        ("where of a column", lambda x, m: f(x, (0, 1), where=m), (CUBE,), (MASK[:, :, None],)),
        ("where it is large", lambda x: f(x, where=x > -1.0), (X,)),
        ("complex", f, (Z,)),
        ("complex by rows", lambda z: f(z, axis=1), (Z[:, ::-1],)),
    ) + rows(
        f,
        ("f4 as f8", lambda x: f(x, dtype=np.float64), (SMALL,)),
        ("f4 where", lambda x, m: f(x, axis=1, where=m), (SMALL,), (MASK,)),
        ("f2", f, (HALF,)),
        ("positional dtype", lambda x: f(x, 0, np.complex128), (X,)),
        ("integers as f4", lambda x, n: x * f(n, axis=0, dtype="f4"), (X,), (INTEGERS,)),
        ("of a float", lambda x: x * f(x + 1.5, dtype=np.float64), (0.5,)) if f is not np.std
        else ("of a constant", lambda x: x * f(INTEGERS), (0.5,)),
        second=False,
    )  # fmt: skip


def extreme_cases(f):
    """where= and initial= of max and min."""
    return rows(
        f,
        ("initial", lambda x, i: f(x, axis=1, initial=i), (X, 0.3)),
        ("where", lambda x, i, m: f(x, axis=0, where=m, initial=i), (X, np.float64(0.1)), (MASK,)),
        ("initial of nothing", lambda x, i: f(x, initial=i), (EMPTY, 0.5)),
        ("initial of no rows", lambda x, i: f(x, axis=0, initial=i), (EMPTY, np.array(0.5))),
        ("complex", f, (Z,)),
    ) + rows(
        f,
        ("f4 initial", lambda x: f(x, axis=0, initial=0.5), (SMALL,)),
        ("integers where", lambda x, n, m: x * f(n, where=m, initial=2), (X,), (INTEGERS, MASK)),
        ("masks where", lambda x, m: x * f(x > 0, where=m, initial=True), (X,), (MASK,)),
        second=False,
    )


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
            ("0d without axes", lambda x: f(x, axis=()), (np.array(1.5),)),
            ("one element", f, (np.array([0.7]),)),
            ("rows of one", lambda x: f(x, axis=1, keepdims=True), (COLUMN,)),
            ("no rows", lambda x: f(x, axis=1), (EMPTY,)),
        )


CASES = [
    *(case for f in REDUCTIONS for case in reduction_cases(f)),
    *(case for f in REDUCTIONS if f not in (np.max, np.min) for case in keyword_cases(f)),
    *(case for f in (np.max, np.min) for case in extreme_cases(f)),
    *(
        case
        for f in (np.sum, np.prod)
        for case in rows(
            f,
            ("initial", lambda x, i, f=f: f(x, axis=1, initial=i), (X, 1.5)),
            ("initial and where", lambda x, i, m, f=f: f(x, where=m, initial=i), (X, 1.5), (MASK,)),
            ("as integers", lambda x, f=f: x * f(x * 2.0, dtype=np.int32), (X,)),
            ("as bools", lambda x, f=f: x * f(x, axis=0, dtype=bool), (X,)),
            ("f4 and an f8 initial", lambda x, f=f: f(x, initial=np.float64(0.5)), (SMALL,)),
            second=False,
        )
    ),
    *rows(
        np.ptp,
        ("all", np.ptp, (X,)),
        ("by rows", lambda x: np.ptp(x, axis=-1, keepdims=True), (CUBE,)),
        ("two axes", lambda x: np.ptp(x, (0, 1)), (CUBE[::-1],)),
        ("f4", lambda x: np.ptp(x, axis=0), (SMALL,)),
        ("complex", np.ptp, (Z,)),
    ),
    *rows(
        np.trace,
        ("square", np.trace, (X[:, :2],)),
        ("offset", lambda x: np.trace(x, offset=1), (X,)),
        ("below", lambda x: np.trace(x, -1), (X,)),
        ("axes", lambda x: np.trace(x, 0, 2, 0), (CUBE,)),
        ("negative axes", lambda x: np.trace(x, offset=1, axis1=-1, axis2=-2), (CUBE,)),
        ("f4 as f8", lambda x: np.trace(x, dtype=np.float64), (SMALL,)),
        ("f4", np.trace, (SMALL.T,)),
        ("complex", np.trace, (Z,)),
        ("far off", lambda x: np.trace(x, offset=5), (X,)),
    ),
    *rows(np.any, ("where", lambda x, m: x * np.any(x > 1.0, axis=0, where=m), (X,), (MASK,))),
    *rows(np.all, ("where", lambda x, m: x * np.all(x, axis=1, keepdims=True, where=m), (X,),
                   (MASK,))),
    *rows(np.argmax, ("keepdims", lambda x: x * np.argmax(x, axis=1, keepdims=True), (X,))),
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
        ("axis of NumPy", lambda x: np.mean(x, np.int64(0)), (X,)),
        second=False,
    ),
    *rows(
        np.var,
        ("ddof", lambda x: np.var(x, axis=1, ddof=1), (CUBE,)),
        ("fractional ddof", lambda x: np.var(x, ddof=1.5), (CUBE,)),
        ("correction", lambda x: np.var(x, axis=0, correction=1), (CUBE,)),
        ("mean", lambda x, m: np.var(x, axis=1, mean=m), (X, COLUMN)),
        ("its own mean", lambda x: np.var(x, mean=np.mean(x, keepdims=True)), (X,)),
        ("where and ddof", lambda x, m: np.var(x, axis=1, ddof=1, where=m), (CUBE,),
         (np.array([[True], [False], [True]]),)),
    ),
    *rows(
        np.std,
        ("ddof", lambda x: np.std(x, axis=1, ddof=1), (CUBE,)),
        ("two axes", lambda x: np.std(x, axis=(0, 1), ddof=1, keepdims=True), (CUBE,)),
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
    "max shares with initial": (lambda x: np.max(x, initial=3.0), np.array([3.0, 1.0, 3.0]),
                                [0.25, 0, 0.25]),
    "max leaves NaN out where": (lambda x: np.max(x, where=x == x, initial=0.0),
                                 np.array([np.nan, 2.0, 1.0]), [0, 1, 0]),
    "sum leaves NaN out where": (lambda x: np.sum(x, where=x == x), np.array([np.nan, 2.0]),
                                 [0, 1]),
    "ptp of a constant": (np.ptp, CONSTANT, np.zeros((2, 2))),
    "ptp shares": (np.ptp, np.array([1.0, 4.0, 4.0, 2.0]), [-1, 0.5, 0.5, 0]),
    "std of a complex constant": (np.std, np.full(3, 1.5 + 2.0j), np.zeros(3)),
    "trace with NaN elsewhere": (np.trace, np.array([[1.0, np.nan], [np.inf, 2.0]]), np.eye(2)),
    "sum of f8 as f4": (lambda x: np.sum(x, dtype=np.float32), np.array([0.5, 1.5]), [1, 1]),
    "mean of f8 as f4": (lambda x: np.mean(x, dtype="f4"), np.array([0.5, 1.5]), [0.5, 0.5]),
    "var of f8 as f4": (lambda x: np.var(x, dtype="f4"), np.array([0.5, 1.5]), [-0.5, 0.5]),
    "prod that underflows": (np.prod, np.array([1e-200, 1e-200, 1e300]), [1e100, 1e100, 0]),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), AT_KINKS.values(), ids=AT_KINKS)
def test_conventions_at_kinks(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))


LARGE_HALVES = np.linspace(0.0, 2.0, 3000).astype(np.float16)


@pytest.mark.parametrize("f", [np.sum, np.mean, np.var, np.std], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, 0], ids=["all", "axis"])
def test_many_halves_are_added_as_numpy_adds_them(f, axis):
    x = LARGE_HALVES.reshape(-1, 2)
    df = jit_grad(lambda x: np.sum(f(x, axis=axis).astype(float)))
    direct = jit_grad(lambda x: f(x, axis=axis), partialGrad=True, optimize=False)
    expected = f(x, axis=axis)
    assert_same(direct(x, cotangent(expected))[1], expected, exact=True)
    for _ in range(CALLS):
        assert df(x)[1] == np.sum(expected.astype(float))


RAISING = {
    "max of nothing": (lambda x: np.max(x[:0]), ValueError, "zero-size array"),
    "max where without initial": (lambda x: np.max(x, where=x > 0), ValueError, "initial"),
    "where of another shape": (lambda x: np.sum(x, where=np.ones((2, 2, 3), bool)), ValueError,
                               "dimensions"),
    "where of floats": (lambda x: np.sum(x, where=np.ones(3)), TypeError, "safe"),
    "list of axes": (lambda x: np.sum(x, axis=[0]), TypeError, "integer"),
    "axis twice": (lambda x: np.mean(x, axis=(0, 0)), ValueError, "duplicate"),
    "axis too far": (lambda x: np.var(x, axis=5), ValueError, "out of bounds"),
    "mean of a number by an axis": (lambda x: np.mean(x[0, 0], axis=0), ValueError, "axis 0"),
    "ddof and correction": (lambda x: np.std(x, ddof=1, correction=1), ValueError, "correction"),
}


test_it_raises_what_numpy_raises = raising(RAISING, X)


@MODES
def test_it_warns_of_too_few_elements(optimize):
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"):
        jit_grad(np.mean, optimize=optimize)(np.zeros(0))
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        jit_grad(lambda x: np.var(x, ddof=3), optimize=optimize)(ROW)


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
