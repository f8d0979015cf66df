"""Products that are merged, as pairs of printed graphs; both sides are also evaluated.

Gradients of recurrent networks are compared with direct mode, and random sums of products with
what NumPy gives for them.
"""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trees import record_calls, record_forward
from tracejit import jit_grad
from tracejit.dag.evaluate import evaluate
from tracejit.dag.passes import optimize
from tracejit.dag.passes.merge_common import merge_common
from tracejit.dag.passes.merge_matmuls import merge_matmuls
from tracejit.dag.verify import verify

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def small_products_are_merged(monkeypatch):
    """Let the examples be small."""
    module = sys.modules["tracejit.dag.passes.merge_matmuls"]
    monkeypatch.setattr(module, "SMALL", 0)


X = RNG.standard_normal((3, 2, 4))
W = RNG.standard_normal((4, 5))
SQUARE = RNG.standard_normal((4, 4))


def weight_and_bias(x):
    a, b, c = np.sin(x[0]), np.sin(x[1]), np.sin(x[2])
    weight = x[0].T @ a + x[1].T @ b + x[2].T @ c
    return weight, np.sum(a, axis=0) + np.sum(b, axis=0) + np.sum(c, axis=0)


def read_twice(x, y):
    product = np.sin(x).T @ np.cos(x)
    return product + np.exp(x).T @ y, product


CASES = {
    "a sum of products is a product of stacks": (
        lambda x, y: np.sin(x).T @ np.cos(y) + np.exp(x).T @ np.tanh(y),
        (X[0], X[1]),
        """x: f8[2,4]
        y: f8[2,4]
        sin_0 = sin(x)  # f8[2,4]
        cos_0 = cos(y)  # f8[2,4]
        exp_0 = exp(x)  # f8[2,4]
        tanh_0 = tanh(y)  # f8[2,4]
        concatenate_0 = concatenate(sin_0, exp_0, axis=0)  # f8[4,4]
        transpose_0 = transpose(concatenate_0, axes=(1, 0))  # f8[4,4]
        concatenate_1 = concatenate(cos_0, tanh_0, axis=0)  # f8[4,4]
        matmul_0 = matmul(transpose_0, concatenate_1)  # f8[4,4]
        return matmul_0""",
    ),
    "slices of one array are stacked already": (
        lambda x: x[0].T @ x[0] + x[1].T @ x[1],
        (X,),
        """x: f8[3,2,4]
        index_0 = index(x, key=slice(0, 2, None))  # f8[2,2,4]
        reshape_0 = reshape(index_0, shape=(4, 4))  # f8[4,4]
        transpose_0 = transpose(reshape_0, axes=(1, 0))  # f8[4,4]
        matmul_0 = matmul(transpose_0, reshape_0)  # f8[4,4]
        return matmul_0""",
    ),
    "all else that is added stays": (
        lambda x, y: y + x[0].T @ x[0] + 2.0 * y + (1.0 + x[1].T @ x[1]),
        (X, SQUARE),
        """x: f8[3,2,4]
        y: f8[4,4]
        multiply_0 = multiply(2.0, y)  # f8[4,4]
        index_0 = index(x, key=slice(0, 2, None))  # f8[2,2,4]
        reshape_0 = reshape(index_0, shape=(4, 4))  # f8[4,4]
        transpose_0 = transpose(reshape_0, axes=(1, 0))  # f8[4,4]
        matmul_0 = matmul(transpose_0, reshape_0)  # f8[4,4]
        add_0 = add(matmul_0, y)  # f8[4,4]
        add_1 = add(add_0, multiply_0)  # f8[4,4]
        add_2 = add(add_1, 1.0)  # f8[4,4]
        return add_2""",
    ),
    "an outer product is one, too": (
        lambda x: np.outer(x[0], np.sin(x[0])) + np.outer(x[1], np.sin(x[1])),
        (X[0],),
        """x: f8[2,4]
        index_0 = index(x, key=0)  # f8[4]
        sin_0 = sin(index_0)  # f8[4]
        index_1 = index(x, key=1)  # f8[4]
        sin_1 = sin(index_1)  # f8[4]
        transpose_0 = transpose(x, axes=(1, 0))  # f8[4,2]
        reshape_0 = reshape(sin_0, shape=(1, 4))  # f8[1,4]
        reshape_1 = reshape(sin_1, shape=(1, 4))  # f8[1,4]
        concatenate_0 = concatenate(reshape_0, reshape_1, axis=0)  # f8[2,4]
        matmul_0 = matmul(transpose_0, concatenate_0)  # f8[4,4]
        return matmul_0""",
    ),
    "a transposed product changes sides": (
        lambda x, y: x.T @ np.sin(x) + (np.cos(y).T @ np.exp(x)).T,
        (X[0], X[1]),
        """x: f8[2,4]
        y: f8[2,4]
        sin_0 = sin(x)  # f8[2,4]
        cos_0 = cos(y)  # f8[2,4]
        exp_0 = exp(x)  # f8[2,4]
        concatenate_0 = concatenate(x, exp_0, axis=0)  # f8[4,4]
        transpose_0 = transpose(concatenate_0, axes=(1, 0))  # f8[4,4]
        concatenate_1 = concatenate(sin_0, cos_0, axis=0)  # f8[4,4]
        matmul_0 = matmul(transpose_0, concatenate_1)  # f8[4,4]
        return matmul_0""",
    ),
    "sums over rows are read from the stack": (
        weight_and_bias,
        (X,),
        """x: f8[3,2,4]
        index_0 = index(x, key=0)  # f8[2,4]
        sin_0 = sin(index_0)  # f8[2,4]
        index_1 = index(x, key=1)  # f8[2,4]
        sin_1 = sin(index_1)  # f8[2,4]
        index_2 = index(x, key=2)  # f8[2,4]
        sin_2 = sin(index_2)  # f8[2,4]
        reshape_0 = reshape(x, shape=(6, 4))  # f8[6,4]
        transpose_0 = transpose(reshape_0, axes=(1, 0))  # f8[4,6]
        concatenate_0 = concatenate(sin_0, sin_1, sin_2, axis=0)  # f8[6,4]
        matmul_0 = matmul(transpose_0, concatenate_0)  # f8[4,4]
        sum_0 = sum(concatenate_0, axis=0, keepdims=False)  # f8[4]
        return matmul_0, sum_0""",
    ),
    "products with one matrix are slices of one product": (
        lambda x, y: (np.sin(x[0] @ y), np.cos(x[1] @ y)),
        (X, W),
        """x: f8[3,2,4]
        y: f8[4,5]
        index_0 = index(x, key=slice(0, 2, None))  # f8[2,2,4]
        reshape_0 = reshape(index_0, shape=(4, 4))  # f8[4,4]
        matmul_0 = matmul(reshape_0, y)  # f8[4,5]
        index_1 = index(matmul_0, key=slice(0, 2, None))  # f8[2,5]
        sin_0 = sin(index_1)  # f8[2,5]
        index_2 = index(matmul_0, key=slice(2, 4, None))  # f8[2,5]
        cos_0 = cos(index_2)  # f8[2,5]
        return sin_0, cos_0""",
    ),
    "a matrix times vectors is rows times its transpose": (
        lambda x, y: (np.sin(y @ x[0]), np.cos(y @ x[1])),
        (X[0], SQUARE),
        """x: f8[2,4]
        y: f8[4,4]
        transpose_0 = transpose(y, axes=(1, 0))  # f8[4,4]
        matmul_0 = matmul(x, transpose_0)  # f8[2,4]
        index_0 = index(matmul_0, key=0)  # f8[4]
        sin_0 = sin(index_0)  # f8[4]
        index_1 = index(matmul_0, key=1)  # f8[4]
        cos_0 = cos(index_1)  # f8[4]
        return sin_0, cos_0""",
    ),
}

KEPT = {
    "a product that somebody else reads": (read_twice, (X[0], X[1])),
    "products of which one needs the other": (lambda x, y: np.sin(x @ y) @ y, (X[0], SQUARE)),
    "a small result of large operands that would be copied": (
        lambda x, y: x.T @ y + y.T @ x,
        (RNG.standard_normal((4000, 3)), RNG.standard_normal((4000, 3))),
    ),
    "integers": (lambda x: x.T @ (x + 1) + (x * 2).T @ (x - 1), (np.arange(6).reshape(2, 3),)),
    "products of different dtypes": (
        lambda x, y: np.sin(x).T @ np.cos(x) + np.sin(y).T @ np.cos(y),
        (X[0], X[1].astype("f4")),
    ),
    "nothing to sum over": (
        lambda x: np.sin(x).T @ np.cos(x) + np.exp(x).T @ np.cos(x),
        (np.zeros((0, 3)),),
    ),
}


def assert_close(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        assert type(a) is type(e) and a.dtype == e.dtype and a.shape == e.shape
        np.testing.assert_allclose(a, e, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("title", CASES)
def test_before_and_after(title):
    function, values, expected = CASES[title]
    before = merge_common(record_forward(function, *values))
    after = verify(merge_matmuls(before))
    assert str(after) == "\n".join(line.strip() for line in expected.splitlines())
    assert_close(evaluate(after, values), evaluate(before, values))


@pytest.mark.parametrize("title", KEPT)
def test_what_is_not_merged(title):
    function, values = KEPT[title]
    before = record_forward(function, *values)
    assert str(merge_matmuls(before)) == str(before)


def test_a_value_is_not_its_own_slice():
    def f(x):
        whole = np.sin(x)  # of one row
        return whole.T @ np.cos(x) + np.outer(whole[0], x[0])

    x = X[0, :1]
    before = record_forward(f, x)
    assert_close(evaluate(merge_matmuls(before), [x]), [f(x)])


def test_nothing_is_merged_across_a_guard():
    def f(x, y):
        first = np.sin(x).T @ np.cos(y)
        if np.sum(x) > 0.0:
            return first + np.exp(x).T @ np.tanh(y)
        return first * 2.0

    values = (np.abs(X[0]), X[1])
    before = record_forward(f, *values)
    assert str(merge_matmuls(before)) == str(before)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0])
def test_what_is_not_finite_comes_through(bad):
    def f(x):
        return x[0].T @ x[1] + x[1].T @ x[2] + x[2].T @ x[0]

    x = X.copy()
    x[1, 0, 2] = bad
    x[2, 1, 3] = np.inf
    before = record_forward(f, x)
    after = merge_matmuls(before)
    assert str(after) != str(before)
    np.testing.assert_allclose(evaluate(after, [x])[0], evaluate(before, [x])[0])


# -- gradients -------------------------------------------------------------------------------


def recurrent(p, x, y):
    h = np.zeros((x.shape[1], p["Wh"].shape[0]), x.dtype)
    for t in range(len(x)):
        h = np.tanh(x[t] @ p["Wx"] + h @ p["Wh"] + p["b"])
    error = h @ p["Wo"] - y
    return np.mean(error * error)


def gated(p, x, y):
    n = p["Wh"].shape[0]
    c = h = np.zeros((x.shape[1], n), x.dtype)
    for t in range(len(x)):
        z = x[t] @ p["Wx"] + h @ p["Wh"] + p["b"]
        kept, new = 1.0 / (1.0 + np.exp(-z[:, :n])), np.tanh(z[:, n:])
        c = kept * c + (1.0 - kept) * new
        h = np.tanh(c)
    error = h @ p["Wo"] - y
    return np.mean(error * error)


def unbatched(p, x, y):
    h = np.zeros(p["Wh"].shape[0], x.dtype)
    for row in x[:, 0]:
        h = np.tanh(p["Wx"].T @ row + p["Wh"] @ h + p["b"])
    return np.sum((h @ p["Wo"] - y) ** 2)


def network(batch, dtype, gates=1):
    rng = np.random.default_rng(batch)
    shapes = {"Wx": (5, 6 * gates), "Wh": (6, 6 * gates), "b": (6 * gates,), "Wo": (6, 2)}
    p = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    x = rng.standard_normal((7, batch, 5)).astype(dtype)
    return p, x, rng.standard_normal((batch, 2)).astype(dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("function", "gates"), [(recurrent, 1), (gated, 2), (unbatched, 1)])
def test_gradients_of_recurrent_networks(function, gates, batch, dtype):
    args = network(batch, dtype, gates)
    expected, loss = jit_grad(function, optimize=False)(*args)
    df = jit_grad(function)
    for _ in range(3):
        grads, value = df(*args)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(value, loss, rtol=50 * eps)
        for name, gradient in expected.items():
            assert grads[name].dtype == gradient.dtype
            limit = 100 * eps * np.abs(gradient).max()
            np.testing.assert_allclose(grads[name], gradient, rtol=0, atol=limit)
    products = [n for n in optimize(df.graph(*args)).nodes if n.spec.shape == (6, 6 * gates)]
    assert len([n for n in products if n.op.name in ("matmul", "add")]) == 1  # of Wh, one in all


def test_exits_of_a_trace_tree_keep_their_meaning():
    def f(w, x):
        h = np.tanh(x[0] @ w)
        for t in range(1, len(x)):
            h = np.tanh(h @ w + x[t])
            if np.sum(h) > 0.5:
                h = h * np.exp(-h) + np.tanh(x[t] @ w)
        return np.sum(h * h)

    rng = np.random.default_rng(0)
    calls = [(rng.standard_normal((4, 4)), rng.standard_normal((4, 3, 4))) for _ in range(6)]
    tree = record_calls(f, *calls)
    assert len([*tree.graph.lines()]) > 2
    compiled = tree.optimized()
    run = compiled.load().run
    for args in calls:
        expected, loss = tree.evaluate(*args)
        for actual, value in (compiled.evaluate(*args), run(*args)):
            np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(value, loss, rtol=1e-12)


# -- random sums -----------------------------------------------------------------------------

UNARY = (np.sin, np.tanh, np.negative, np.square)


@st.composite
def sums(draw):
    """A function of an array (steps, rows, columns) that adds up products of what it computes."""
    columns, steps = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    rows = draw(st.integers(1, 3))
    kinds = st.tuples(
        st.integers(0, steps - 1),
        st.integers(0, steps - 1),
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(["product", "turned", "outer", "other", "number", "shared"]),
    )
    terms = draw(st.lists(kinds, min_size=1, max_size=8))
    leans_left = draw(st.booleans())

    def f(x):
        made = [[g(x[t]) for g in UNARY] for t in range(steps)]
        values = []
        for i, j, k, m, kind in terms:
            left, right = made[i][k] if k else x[i], made[j][m] if m else x[j]
            if kind == "product":
                values.append(left.T @ right)
            elif kind == "turned":
                values.append((right.T @ left).T)
            elif kind == "outer":
                values.append(np.outer(left[0], right[-1]))
            elif kind == "number":
                values.append(1.5)
            elif kind == "shared":
                values.append((left @ x[0].T) @ x[0] if rows == columns else left.T @ left)
            else:
                values.append(np.multiply(x[0].T @ x[0], 0.5))
        values.append(x[0].T @ x[-1])
        if leans_left:
            return sum(values[1:], values[0])
        while len(values) > 1:
            values = [sum(values[i : i + 2]) for i in range(0, len(values), 2)]
        return values[0]

    return f, (steps, rows, columns)


@given(sums(), st.sampled_from(["f4", "f8"]), st.integers(0, 2**31))
@settings(max_examples=100, deadline=None)
def test_random_sums_of_products(case, dtype, seed):
    f, shape = case
    x = np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)
    before = record_forward(f, x)
    expected = f(x)
    tolerance = 200 * np.finfo(dtype).eps
    for passed in (verify(merge_matmuls(before)), optimize(before, check=verify)):
        (actual,) = evaluate(passed, [x])
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@given(sums(), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_gradients_of_random_sums_of_products(case, seed):
    f, shape = case
    x = np.random.default_rng(seed).uniform(-1, 1, shape)

    def loss(x):
        return np.sum(np.tanh(f(x)) ** 2)

    expected = jit_grad(loss, optimize=False)(x)
    df = jit_grad(loss, audit=False)
    for _ in range(3):
        for a, e in zip(df(x), expected, strict=True):
            np.testing.assert_allclose(a, e, rtol=1e-10, atol=1e-10)
