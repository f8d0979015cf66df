"""Medians and quantiles: methods, axes, NaN, weights; gradients by the elements and by q."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import COLUMN, CUBE, EMPTY, INTEGERS, ROW, SMALL, Case, X, orders, rows
from tests.support import CALLS, MODES, check, numeric, spaced
from tracejit import jit_grad

FIVE = spaced(-1.2, 1.9, (5,), seed=11)
HOLES = np.where(np.arange(24).reshape(2, 3, 4) % 5 == 3, np.nan, CUBE)
WEIGHTS = np.array([[0.5, 1.0, 2.0], [1.5, 0.25, 1.0]])
METHODS = (
    "linear", "lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf",
    "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased",
    "normal_unbiased",
)  # fmt: skip
SEVERAL = np.array([0.27, 0.64])
TWICE = "lower", "weibull", "averaged_inverted_cdf"


def median_cases(f, x):
    return rows(
        f,
        ("two axes", lambda x: f(x, axis=(0, -1)), (x[:, ::-1],)),
    ) + rows(
        f,
        ("all", f, (x,)),
        ("odd rows", lambda x: f(x, axis=1), (x,)),
        ("even rows", lambda x: f(x, -1, keepdims=True), (x,)),
        ("listed axes", lambda x: f(x, axis=[2, 0], keepdims=True), (np.asfortranarray(x),)),
        ("f4", lambda x: f(x, axis=0), (x.astype(np.float32),)),
        ("column", lambda x: f(x, axis=1, overwrite_input=True), (COLUMN,)),
        ("0d", f, (np.array(1.5),)),
        ("float", f, (1.5,)),
        ("f2", lambda x: f(x), (np.array([0.5, 2.0, 1.0], np.float16),)),
        ("integers", lambda x, n: x * f(n, axis=0), (X,), (INTEGERS,)),
        ("no rows", lambda x: f(x, axis=1), (EMPTY,)),
        second=False,
    )


def quantile_cases(f, scale, x, second=False):
    """The quantiles are of numbers from 0 to `scale`."""
    several = np.array([[0.1, 0.45], [0.8, 0.33]]) * scale
    return rows(
        f,
        ("all", f, (x, 0.3 * scale)),
        ("axis", lambda x, q: f(x, q, axis=1), (x, np.float64(0.77 * scale))),
        ("several", lambda x, q: f(x, q, axis=2), (x, several)),
        ("axes", lambda x, q: f(x, q, (0, 2), keepdims=True), (x, several[0])),
        second=second,
    ) + rows(
        f,
        ("ends", lambda x: f(x, [0, scale], axis=0), (x,)),
        ("integer", lambda x: f(x, scale), (x,)),
        ("f4", lambda x: f(x, 0.4 * scale, axis=2), (x.astype(np.float32),)),
        ("integers", lambda q, n: f(n, q, axis=1), (0.3 * scale,), (INTEGERS,)),
        ("weights of all", lambda x, q, w: f(x[0, :2, :3], q, weights=w, method="inverted_cdf"),
         (x, several[0]), (WEIGHTS,)),
        second=False,
    )  # fmt: skip


def method_case(f, method, x, second):
    by_method = lambda x, q: f(x, q, axis=-1, method=method)
    return Case(f"{f.__name__} {method}", by_method, (x, SEVERAL), (), f, second)


CASES = [
    *median_cases(np.median, CUBE),
    *median_cases(np.nanmedian, HOLES),
    *rows(np.median, ("complex", np.median, (X + 1j * X[::-1],))),
    *quantile_cases(np.quantile, 1.0, CUBE, second=True),
    *quantile_cases(np.percentile, 100.0, CUBE),
    *quantile_cases(np.nanquantile, 1.0, HOLES),
    *quantile_cases(np.nanpercentile, 100.0, HOLES),
    *(method_case(np.quantile, method, FIVE, method in TWICE) for method in METHODS),
    *(method_case(np.nanquantile, method, HOLES, False) for method in TWICE),
    *rows(
        np.quantile,
        ("weights of axes", lambda x: np.quantile(x[..., :3], 0.4, axis=(0, 2), weights=WEIGHTS,
                                                  method="inverted_cdf"), (CUBE,)),
    ),
]

test_first_order, test_second_order = orders(CASES)
test_first_order = pytest.mark.filterwarnings("ignore::RuntimeWarning")(test_first_order)

NAN, TWO = np.nan, np.array([1.0, 1.0, 3.0])
STEPS = [1.0, 2.0, 5.0]
AT_KINKS = {
    "median of equal ones": (np.median, np.array([1.0, 2.0, 2.0, 5.0, 2.0]),
                             [0, 1 / 3, 1 / 3, 0, 1 / 3]),
    "median between equal ones": (np.median, np.array([1.0, 1.0, 3.0, 3.0]), [0.25] * 4),
    "median of a constant": (np.median, np.full(4, 1.5), [0.25] * 4),
    "median of NaN": (np.median, np.array([1.0, NAN, 2.0]), [0, 1, 0]),
    "median of rows with NaN": (lambda x: np.median(x, axis=1), np.array([[1.0, NAN], [1.0, 2.0]]),
                                [[0, 1], [0.5, 0.5]]),
    "median at infinity": (np.median, np.array([-np.inf, 1.0, np.inf]), [0, 1, 0]),
    "nanmedian": (np.nanmedian, np.array([1.0, NAN, 2.0]), [0.5, 0, 0.5]),
    "nanmedian of NaN": (np.nanmedian, np.array([NAN, NAN]), [0.5, 0.5]),
    "quantile of equal ones": (lambda x: np.quantile(x, 0.1), TWO, [0.5, 0.5, 0]),
    "lower of equal ones": (lambda x: np.quantile(x, 0.4, method="lower"), TWO, [0.5, 0.5, 0]),
    "weights of equal ones": (
        lambda x: np.quantile(x, 0.4, weights=[1.0, 2.0, 1.0], method="inverted_cdf"),
        TWO, [0.5, 0.5, 0],
    ),
    "by q at an element": (lambda q: np.quantile(STEPS, q), 0.5, 6.0),
    "by q at the first": (lambda q: np.quantile(STEPS, q), 0.0, 2.0),
    "by q at the last": (lambda q: np.percentile(STEPS, q), 100.0, 0.06),
    "by q beyond the places": (lambda q: np.quantile(STEPS, q, method="hazen"), 0.05, 0.0),
    "by q between equal ones": (lambda q: np.quantile(TWO, q), 0.3, 0.0),
    "by q of a step": (lambda q: np.quantile(STEPS, q, method="nearest"), 0.3, 0.0),
    "by q at infinity": (lambda q: np.quantile([1.0, 2.0, np.inf], q), 0.3, 2.0),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), AT_KINKS.values(), ids=AT_KINKS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:.*does not depend")
def test_conventions_at_kinks(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(METHODS), st.integers(1, 7), st.floats(0.01, 0.99), st.booleans()
)
def test_any_method_count_and_quantile(method, count, q, optimize):
    """The weights are those with which NumPy's value is the sum of the elements."""
    x = spaced(-1.0, 2.0, (count,), seed=3)
    df = jit_grad(lambda x, q: np.quantile(x, q, method=method), optimize=optimize)
    for _ in range(CALLS):
        weights, value = df(x, q)
        assert np.sum(weights * x) == pytest.approx(value, abs=1e-12)
        assert np.sum(weights) == pytest.approx(1.0)
        assert np.count_nonzero(weights) <= 2


def test_the_elements_change_places():
    df = jit_grad(np.median)
    for seed in range(5):
        x = spaced(-1.0, 1.0, (6,), seed=seed)
        np.testing.assert_allclose(df(x)[0], numeric(np.median, (x,))[0], atol=1e-6)
    assert df.cache_info().direct == 0


def test_the_emitted_call_is_numpys():
    df = jit_grad(lambda x: np.median(x) + np.quantile(x, 0.3, axis=0))
    for _ in range(CALLS):
        df(ROW)
    assert "np.median(x)" in df.source(ROW)
    assert "np.quantile(x, 0.3, axis=0)" in df.source(ROW)


@MODES
def test_a_quantile_out_of_range(optimize):
    df = jit_grad(lambda q: np.quantile([1.0, 2.0, 4.0], q), optimize=optimize)
    for _ in range(CALLS):
        assert df(0.25) == (4.0 - 2.0, 1.5)
    with pytest.raises(ValueError, match="range"):
        df(1.5)
    with pytest.raises(ValueError, match="method"):
        jit_grad(lambda q: np.quantile(SMALL, q, method="none"), optimize=optimize)(0.5)
    with pytest.raises(ValueError, match="inverted_cdf"):
        jit_grad(lambda q: np.quantile(ROW, q, weights=ROW), optimize=optimize)(0.5)
