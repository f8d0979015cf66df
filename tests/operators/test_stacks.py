"""Stacks of directions: what their structure saves changes no value, and no zero of a unit vector.

The reference takes one direction after the other, by `vjp` or `jvp`, where there are no stacks; and
central differences. Functions are put together of the operations that keep a structure.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracejit as tj
from tests.support import CALLS, MODES

SIZE = 4
X = np.array([0.3, -1.1, 0.7, 1.9])
ROW = np.array([1.5, -0.5, 2.0, 0.25])
SQUARE = np.linspace(-1.0, 1.3, 16).reshape(4, 4) + np.eye(4)
TALL, WIDE = np.linspace(-0.7, 1.1, 28).reshape(7, 4), np.linspace(-0.9, 0.8, 12).reshape(3, 4)
MASK = np.array([True, False, True, True])

STEPS = {
    "times a row": lambda x: x * ROW,
    "times itself": lambda x: x * x,
    "times a number": lambda x: 0.5 * x,
    "times whole numbers": lambda x: x * np.array([1, 2, 0, -1], np.int8),
    "times a mask": lambda x: x * (x > 0),
    "by a row": lambda x: x / ROW,
    "by itself": lambda x: x / (2.0 + x * x),
    "number by it": lambda x: 1.0 / (3.0 + x),
    "negative": lambda x: -x,
    "tanh": np.tanh,
    "sum of two": lambda x: np.sin(x) + x * ROW,
    "difference": lambda x: np.sin(x) - np.cos(x),
    "sum of others": lambda x: SQUARE @ x + TALL[:4] @ np.cos(x),
    "chosen": lambda x: np.where(MASK, np.sin(x), x),
    "chosen or zero": lambda x: np.where(x > 0.2, x, 0.0),
    "chosen or one": lambda x: np.where(MASK, 1.0, x),
    "larger": lambda x: np.maximum(x, 0.1),
    "matrix from the left": lambda x: SQUARE @ x,
    "transposed matrix": lambda x: SQUARE.T @ x,
    "matrix from the right": lambda x: x @ SQUARE,
    "matrix in Fortran's order": lambda x: np.asfortranarray(SQUARE) @ x,
    "its sum": lambda x: x * np.sum(x),
    "its product with a row": lambda x: np.sin(x) * (x @ ROW),
    "reshaped": lambda x: np.ravel(np.sin(x.reshape(2, 2)) * SQUARE[:2, :2]),
    "reshaped in columns": lambda x: np.ravel(x.reshape(2, 2) * SQUARE[:2, :2], order="F"),
    "reversed": lambda x: x[::-1] * ROW,
    "matrices": lambda x: np.ravel(SQUARE[:2, :2] @ (x.reshape(2, 2) * x[0]) @ SQUARE[2:, 2:]),
    "rounded": lambda x: x * np.float32(1.5),
    "complex": lambda x: np.abs(x * (1.0 + 2j)) + np.real(np.exp(1j * x)),
}
ENDS = {
    "as it is": lambda x: x,
    "many": lambda x: TALL @ x,
    "many, bent": lambda x: np.tanh(TALL @ x) * np.arange(1.0, 8.0),
    "few": lambda x: WIDE @ x,
    "few from the right": lambda x: np.cos(x @ WIDE.T),
    "number": lambda x: np.sum(x * ROW),
    "table": lambda x: np.multiply.outer(x, ROW[:2]),
}


def by_rows(f, x):
    """The Jacobian from one cotangent after the other."""
    out, pull = tj.vjp(f, x)
    shape = np.shape(out)
    rows = [pull(np.reshape(e, shape)) for e in np.eye(np.size(out))]
    return np.reshape(np.stack(rows), (*shape, *x.shape))


def by_columns(f, x):
    """The Jacobian from one tangent after the other."""
    columns = [tj.jvp(f, (x,), (e.reshape(x.shape),))[1] for e in np.eye(x.size)]
    return np.stack(columns, axis=-1).reshape(*np.shape(columns[0]), *x.shape)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4),
    end=st.sampled_from(sorted(ENDS)),
    optimize=st.booleans(),
)
def test_jacobians_are_those_of_one_direction_after_the_other(steps, end, optimize):
    def f(x):
        for name in steps:
            x = STEPS[name](x)
        return ENDS[end](x)

    df = tj.jacobian(f, optimize=optimize)
    for x in (X, np.cos(X)):
        found = df(x)
        np.testing.assert_allclose(found, by_rows(f, x), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found, by_columns(f, x), rtol=1e-9, atol=1e-12)


@MODES
@pytest.mark.parametrize("name", STEPS)
def test_each_step_against_differences(name, optimize):
    f = STEPS[name]
    for g in (f, lambda x: TALL @ f(x), lambda x: f(SQUARE @ f(x))):
        df = tj.jacobian(g, optimize=optimize)
        columns = [(g(X + e) - g(X - e)) / 2e-6 for e in 1e-6 * np.eye(SIZE)]
        for _ in range(CALLS):
            np.testing.assert_allclose(df(X), np.stack(columns, -1), rtol=1e-5, atol=1e-6)


@MODES
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_dtypes_stay(dtype, optimize):
    f = lambda x: np.tanh(SQUARE.astype(dtype) @ (np.where(x > 0, x, 0) * ROW.astype(dtype))) * 2.0
    for g in (f, lambda x: TALL.astype(dtype) @ f(x)):
        df = tj.jacobian(g, optimize=optimize)
        expected = by_rows(g, X.astype(dtype))
        for _ in range(CALLS):
            found = df(X.astype(dtype))
            assert found.dtype == dtype
            np.testing.assert_allclose(found, expected, 1e-5, 1e-6)


@MODES
def test_zeros_of_unit_vectors_stay_zeros_beside_infinities(optimize):
    x = np.array([0.0, 1.0, 4.0])
    expected = np.diag([np.inf, 0.5, 0.25])
    df, of_matrix = (
        tj.jacobian(f, optimize=optimize) for f in (np.sqrt, lambda x: np.sqrt(x.reshape(3, 1)))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(CALLS):
            np.testing.assert_array_equal(df(x), expected)
            np.testing.assert_array_equal(of_matrix(x)[:, 0], expected)


@MODES
def test_what_is_masked_is_not_missed(optimize):
    """A row that is not chosen gives zero, whatever stands in it."""
    data = np.array([[1.0, np.nan], [2.0, 3.0], [np.inf, 1.0]])
    known = np.isfinite(data)
    f = lambda x: np.sum(np.where(known, np.where(known, data, 1.0) * x, 0.0), axis=1) ** 2
    x = np.array([0.5, -1.0])
    sums = np.where(known, data, 0.0)
    expected = 2 * (sums @ x)[:, None] * sums
    df = tj.jacobian(f, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(x), expected)
    columns = np.array([[1.0], [np.nan]])
    chosen = tj.jacobian(lambda x: np.where([True, False], columns @ x, 0.0), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_array_equal(chosen(x[:1]), [[1.0], [0.0]])


@MODES
def test_the_hessian_of_a_network_is_that_of_its_products(optimize):
    rng = np.random.default_rng(3)
    data, targets, w = rng.normal(size=(9, 2)), rng.normal(size=9), rng.normal(size=17)

    def loss(w):
        hidden = np.tanh(data @ w[:8].reshape(2, 4) + w[8:12])
        return np.mean((np.logaddexp(0.0, hidden @ w[12:16]) + w[16] - targets) ** 2)

    df, product = tj.hessian(loss, optimize=optimize), tj.hvp(loss)
    expected = np.stack([product(w, e) for e in np.eye(17)])
    np.testing.assert_allclose(expected, expected.T, atol=1e-12)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(w), expected, rtol=1e-9, atol=1e-12)


def test_the_hessian_of_a_logistic_regression_is_one_product_of_scaled_rows():
    data, w = np.random.default_rng(4).normal(size=(20, 5)), np.linspace(-0.2, 0.3, 5)
    df = tj.hessian(lambda w: np.sum(np.logaddexp(0.0, data @ w)))
    for _ in range(CALLS):
        df(w)
    text = df.source(w)
    assert text.count(".dot(") == 2 and "eye" not in text
    jacobian = tj.jacobian(lambda x: np.tanh(data @ np.tanh(x)))  # scaled on both sides
    for _ in range(CALLS):
        jacobian(w)
    assert jacobian.source(w).count(".dot(") == 1
