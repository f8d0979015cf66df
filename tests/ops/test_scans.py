"""Scans: running sums and products, differences, integrals; zeros among factors; phases."""

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
    X,
    orders,
    raising,
    rows,
)
from tests.support import CALLS, MODES, check, check_second, numeric, spaced
from tracejit import jit_grad

Z = spaced(-1.3, 1.7, (2, 3), complex, seed=10)
FIVE = spaced(-1.2, 1.9, (4, 5), seed=11)
PLACES = np.array([0.0, 0.4, 1.1, 1.5, 2.6])
ZEROS = np.array([1.5, 0.0, -2.0, 0.0, 0.7])
PHASES = np.cumsum(spaced(-2.9, 2.6, (2, 7), seed=12), axis=1) % 6.0


def scan_cases(f):
    yield from rows(
        f,
        ("flat", f, (X,)),
        ("first axis", lambda x: f(x, axis=0), (CUBE,)),
        ("middle axis", lambda x: f(x, 1), (CUBE,)),
        ("last axis", lambda x: f(x, axis=-1), (CUBE[:, ::2],)),
        ("f4", lambda x: f(x, axis=1), (SMALL,)),
        ("empty", lambda x: f(x, axis=0), (EMPTY,)),
        ("flat empty", f, (EMPTY,)),
        ("0d", f, (np.array(1.5),)),
        ("float", f, (1.5,)),
        ("complex", lambda x: f(x, axis=1), (Z,)),
    )
    yield from rows(
        f,
        ("f4 as f8", lambda x: f(x, axis=0, dtype=float), (SMALL,)),
        ("as integers", lambda x: x * f(x, axis=1, dtype=np.int32), (X * 3.0,)),
        ("as bools", lambda x: x * f(x > 0, axis=1, dtype=bool), (X,)),
        ("integers", lambda x, n: x * f(n, axis=1), (X,), (INTEGERS,)),
        second=False,
    )


CASES = [
    *scan_cases(np.cumsum),
    *scan_cases(np.cumprod),
    *rows(
        np.cumprod,
        ("number", lambda x: np.cumprod(x, axis=0) * np.cumsum(x, axis=-1), (1.5,)),
        ("zeros", np.cumprod, (ZEROS,)),
        ("zeros by columns", lambda x: np.cumprod(x, axis=0), (CUBE * (abs(CUBE) > 0.5),)),
    ),
    *rows(
        np.diff,
        ("1d", np.diff, (ROW,)),
        ("first axis", lambda x: np.diff(x, axis=0), (CUBE,)),
        ("twice", lambda x: np.diff(x, 2, 1), (CUBE,)),
        ("no times", lambda x: np.diff(x, 0) * x, (X,)),
        ("too often", lambda x: np.diff(x, 5), (X,)),
        ("prepend", lambda x, p: np.diff(x, prepend=p), (X, COLUMN)),
        ("ends", lambda x, p, a: np.diff(x, axis=0, prepend=p, append=a), (X, 0.5, 1.5)),
        ("list", lambda x: np.diff(x, append=[[1.0, 4.0], [2.0, 3.0]]), (X,)),
        ("f4", lambda x: np.diff(x, prepend=0), (SMALL[:, ::-1],)),
        ("bools", lambda x, m: x[:, 1:] * np.diff(m), (X,), (MASK,)),
        ("complex", np.diff, (Z,)),
    ),
    *rows(
        np.ediff1d,
        ("1d", np.ediff1d, (ROW,)),
        ("flat", np.ediff1d, (X,)),
        ("ends", lambda x, e, b: np.ediff1d(x, e, to_begin=b), (X, ROW, 1.5)),
        ("end", lambda x: np.ediff1d(x, to_end=[1, 2]), (SMALL,)),
        ("one", np.ediff1d, (ROW[:1],)),
        ("none", np.ediff1d, (EMPTY,)),
    ),
    *rows(
        np.gradient,
        ("1d", np.gradient, (ROW,)),
        ("2d", lambda x: np.gradient(x)[0] * np.gradient(x)[1], (FIVE,)),
        ("axis", lambda x: np.gradient(x, axis=1), (FIVE,)),
        ("negative axis", lambda x: np.gradient(x, 0.5, axis=-2), (FIVE,)),
        ("axes", lambda x: np.gradient(x, axis=(0, 2))[1], (CUBE,)),
        ("step", np.gradient, (ROW, 0.7)),
        ("steps", lambda x, h, k: np.multiply(*np.gradient(x, h, k)), (FIVE, 0.7, 1.3)),
        ("places", lambda x, p: np.gradient(x, p, axis=1), (FIVE, PLACES)),
        ("equal places", lambda x, p: np.gradient(x, p), (ROW, np.arange(3.0))),
        ("given places", lambda x: np.gradient(x, PLACES, axis=1), (FIVE,)),
        ("given equal places", lambda x: np.gradient(x, np.arange(5), axis=1), (FIVE,)),
        ("edges", lambda x: np.gradient(x, edge_order=2, axis=0), (FIVE,)),
        ("edges and step", lambda x, h: np.gradient(x, h, axis=1, edge_order=2), (FIVE, 0.3)),
        ("edges and places", lambda x, p: np.gradient(x, p, axis=1, edge_order=2), (FIVE, PLACES)),
        ("f4", lambda x: np.gradient(x, axis=1), (SMALL,)),
        ("two", np.gradient, (ROW[:2],)),
        ("integers", lambda x, n: x * np.gradient(n, axis=1), (X,), (INTEGERS,)),
        ("complex", lambda x: np.gradient(x, axis=1), (Z,)),
    ),
    *rows(
        np.trapezoid,
        ("1d", np.trapezoid, (ROW,)),
        ("step", lambda y, h: np.trapezoid(y, dx=h), (X, 0.7)),
        ("places", np.trapezoid, (FIVE, PLACES)),
        ("axis", lambda y, p: np.trapezoid(y, p, axis=0), (FIVE.T, PLACES)),
        ("middle axis", lambda y, p: np.trapezoid(y, p, axis=1), (CUBE, ROW)),
        ("grid", lambda y, p: np.trapezoid(y, p, axis=0), (FIVE, FIVE[::-1])),
        ("listed samples", lambda p: np.trapezoid([1.0, 3.0, 2.0], p), (ROW,)),
        ("f4", np.trapezoid, (SMALL,)),
        ("complex", np.trapezoid, (Z,)),
    ),
    *rows(
        np.unwrap,
        ("1d", np.unwrap, (PHASES[0],)),
        ("axis", lambda p: np.unwrap(p, axis=0), (PHASES.T,)),
        ("jump", lambda p: np.unwrap(p, 4.0), (PHASES,)),
        ("period", lambda p, d: np.unwrap(p, period=d), (PHASES, 5.0)),
        ("given period", lambda p: np.unwrap(p, period=5.0), (PHASES,)),
        ("f4", np.unwrap, (PHASES.astype(np.float32),)),
        ("integers", lambda x: x * np.unwrap(INTEGERS, period=4), (X,)),
    ),
]
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    CASES += [
        case
        for f in (np.cumulative_sum, np.cumulative_prod)
        for case in rows(
            f,
            ("1d", f, (ROW,)),
            ("axis", lambda x, f=f: f(x, axis=0), (CUBE,)),
            ("initial", lambda x, f=f: f(x, axis=-1, include_initial=True), (CUBE,)),
            ("f4 as f8", lambda x, f=f: f(x, axis=1, dtype=float, include_initial=True), (SMALL,)),
            ("float", f, (1.5,)),
            second=False,
        )
    ]

test_first_order, test_second_order = orders(CASES)

EXACT = {
    "cumprod of zeros": (np.cumprod, np.array([2.0, 0.0, 3.0, 0.0]), [1, 8, 0, 0]),
    "cumprod that underflows": (
        np.cumprod, np.array([1e-200, 1e-200, 1e200]), [2, 1, 0],
    ),
    "cumprod of one infinity": (np.cumprod, np.array([2.0, np.inf]), [np.inf, 2]),
    "cumsum after NaN": (np.cumsum, np.array([np.nan, 1.0]), [2, 1]),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), EXACT.values(), ids=EXACT)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_is_divided(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.5, -1.5, 2.0]), min_size=1, max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_products_of_any_factors(factors, optimize, in_rows):
    x = np.array([factors, factors[::-1]]) if in_rows else np.array(factors)
    check(lambda x: np.cumprod(x, axis=-1), (x,), (), optimize)
    check_second(lambda x: np.cumprod(x, axis=-1), (x,), (), optimize)


@pytest.mark.filterwarnings("ignore:.*direct mode")
def test_steps_that_become_equal():
    """What NumPy does otherwise with equal distances is not baked into compiled code."""
    f = lambda x, p: np.sum(np.gradient(x, p) ** 2)
    df = jit_grad(f)
    for places in (PLACES, np.arange(5.0), PLACES[::-1] * 2.0, np.arange(5.0)):
        x = FIVE[0]
        for _ in range(CALLS):
            grad, value = df(x, places)
            assert value == pytest.approx(f(x, places))
            np.testing.assert_allclose(grad, numeric(f, (x,), (places,))[0], rtol=1e-5)


RAISING = {
    "diff of a number": (lambda x: np.diff(x[0, 0]), ValueError, "one dimensional"),
    "diff less than never": (lambda x: np.diff(x, -1), ValueError, "non-negative"),
    "gradient of one": (lambda x: np.gradient(x[:1, 0]), ValueError, "too small"),
    "gradient with many steps": (lambda x: np.gradient(x, 1, 2, 3), TypeError, None),
    "gradient with few places": (lambda x: np.gradient(x, ROW, 1), ValueError, "distances"),
    "ediff1d to an integer": (
        lambda x: np.ediff1d(x.astype(int), to_end=x[0]), TypeError, "must be compatible",
    ),
}  # fmt: skip


test_it_raises_what_numpy_raises = raising(RAISING, X)
