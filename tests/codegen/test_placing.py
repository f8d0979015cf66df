"""Parts of a concatenation are computed where they belong, and live as long as they are read."""

import numpy as np
import pytest

from tests.support import CALLS, assert_same
from tests.trees import record_calls
from tracejit import jit_grad
from tracejit.outcome import Wanted


def rows(x):
    a, b = np.sin(x), np.cos(x)
    return np.sum(np.exp(np.concatenate([a, b])))


def read_later(x):
    a, b = np.sin(x), np.cos(x)
    whole = np.exp(np.concatenate([a, b]))  # could be computed in the memory of the whole
    return np.sum(whole) + np.sum(a * x) + np.sum(np.tanh(b) * a)


def returned(x):
    a, b = np.sin(x), np.cos(x)
    whole = np.concatenate([a, b])
    return np.sum(whole * whole), a, whole


def twice(x):
    a = np.sin(x)
    return np.sum(np.concatenate([a, a, x]) ** 2)


def in_two(x):
    a, b, c = np.sin(x), np.cos(x), np.tanh(x)
    one, other = np.concatenate([a, b, x]), np.concatenate([c, a])
    return np.sum(np.exp(one)) * np.sum(other * other)


def nested(x):
    a, b, c = np.sin(x), np.cos(x), np.tanh(x)
    inner = np.concatenate([a, b])
    return np.sum(np.exp(np.concatenate([c, inner])) * 0.5) + np.sum(inner * inner)


def columns(x):
    a, b = np.sin(x[:1]), np.cos(x[:1])
    return np.sum(np.exp(np.concatenate([a, x[1:], b], axis=1)))


def written(x):
    z = np.zeros_like(x)
    z[0] = np.sin(x[1])
    z[1] = np.cos(x[0])
    return np.sum(np.exp(np.concatenate([z, np.tanh(x)])))


def vectors(x):
    a, b = np.sin(x[0]), np.cos(x[1])
    return np.sum(np.stack([a, b]) ** 3)


def converted(x):
    a = np.sin(x).astype("f4")
    return np.sum(np.concatenate([a, np.cos(x)]) ** 2)


FUNCTIONS = (
    rows, read_later, returned, twice, in_two, nested, columns, written, vectors, converted,
)  # fmt: skip


@pytest.mark.parametrize("f", FUNCTIONS)
def test_values_and_gradients(f):
    df, direct = jit_grad(f), jit_grad(f, optimize=False)
    rng = np.random.default_rng(0)
    for _ in range(CALLS):
        x = rng.standard_normal((2, 3))
        assert_same(df(x), direct(x))


def source(f):
    """The forward pass, as it is written."""
    return jit_grad(f).source(np.ones((2, 3))).split("# backward")[0]


@pytest.mark.parametrize("f", [rows, read_later, nested, vectors])
def test_nothing_is_copied(f):
    text = source(f)
    assert "np.concatenate" not in text and "np.copyto" not in text, text


def test_what_is_not_computed_is_copied():
    text = source(columns)
    assert text.count("np.copyto(s") == 1 and "[:, 3:6]" in text, text


def test_what_has_another_dtype_is_copied():
    assert source(converted).count("np.copyto(s") >= 1


def test_exits_read_the_parts():
    def f(x):
        a, b = np.sin(x), np.cos(x)
        if np.sum(x) > 0.0:
            return np.sum(np.tanh(a) * x) + np.sum(b)
        whole = np.exp(np.concatenate([a, b]))
        if np.sum(x) > -2.0:
            return np.sum(whole) * np.sum(a)
        return np.sum(whole)

    calls = [(np.full((2, 3), value),) for value in (-1.0, 0.5, -0.1)]
    wanted = Wanted(gradients=True)
    for order in (calls, calls[::-1]):
        tree = record_calls(f, *order, wanted=wanted)
        run = tree.optimized().load().run
        for args in order:
            grads, value = tree.evaluate(*args)
            actual, result = run(*args)
            np.testing.assert_allclose(actual, grads)
            np.testing.assert_allclose(result, value)
