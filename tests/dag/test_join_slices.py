"""Gradients that are put together slice by slice, as pairs of printed graphs, and their values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import CALLS, assert_same
from tests.trees import record
from tracejit import jit_grad
from tracejit.dag.evaluate import evaluate
from tracejit.dag.passes import PIPELINE
from tracejit.dag.passes.join_slices import join_slices
from tracejit.dag.verify import verify

X = np.random.default_rng(5).standard_normal((3, 4))


def before(f, x):
    """The graph of a gradient as the pass finds it."""
    graph = record(f, x).graph
    for each in PIPELINE[: PIPELINE.index(join_slices)]:
        graph = each(graph)
    return graph


def gates(x):
    return np.sum(np.exp(x[:, :1]) * x[:, 3:]) + np.sum(np.exp(x[:, 1:3]))


def steps(x):
    return np.sum(np.exp(x[0]) * np.exp(x[1])) + np.sum(np.exp(x[-1]))


CASES = {
    "slices of the last axis": (
        gates,
        """concatenate_0 = concatenate(multiply_0, exp_1, exp_0, axis=1)  # f8[3,4]
        return concatenate_0, add_0""",
    ),
    "single rows get their axis back": (
        steps,
        """reshape_0 = reshape(multiply_0, shape=(1, 4))  # f8[1,4]
        reshape_1 = reshape(multiply_0, shape=(1, 4))  # f8[1,4]
        reshape_2 = reshape(exp_2, shape=(1, 4))  # f8[1,4]
        concatenate_0 = concatenate(reshape_0, reshape_1, reshape_2, axis=0)  # f8[3,4]
        return concatenate_0, add_0""",
    ),
}

KEPT = {
    "what is not covered stays zero": lambda x: np.sum(np.exp(x[:1])) + np.sum(np.sin(x[2:])),
    "what is covered twice is added": lambda x: np.sum(np.exp(x[:2])) + np.sum(np.sin(x[1:])),
    "two axes": lambda x: (
        np.sum(np.exp(x[:, :2])) + np.sum(np.sin(x[:2, 2:])) + np.sum(np.tanh(x[2:, 2:]))
    ),
    "steps": lambda x: np.sum(np.exp(x[:, ::2])) + np.sum(np.sin(x[:, 1::2])),
    "arrays as indices": lambda x: np.sum(np.exp(x[[0, 1]])) + np.sum(np.sin(x[2:])),
}


@pytest.mark.parametrize("title", CASES)
def test_before_and_after(title):
    function, expected = CASES[title]
    graph = before(function, X)
    after = verify(join_slices(graph))
    assert str(after).endswith("\n".join(line.strip() for line in expected.splitlines())), after
    assert "index_add" in str(graph) and "index_add" not in str(after)
    for a, b in zip(evaluate(graph, [X]), evaluate(after, [X]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("title", KEPT)
def test_what_is_not_joined(title):
    graph = before(KEPT[title], X)
    assert str(join_slices(graph)) == str(graph) and "index_add" in str(graph)


def test_the_forward_pass_keeps_its_zeros():
    def f(x):
        z = np.zeros(4)
        z[:2] += x[0, :2]
        z[2:] += x[0, 2:]
        return np.sum(np.copysign(1.0, z)) + np.sum(x)

    x = np.full((3, 4), -0.0)
    df = jit_grad(f)
    for _ in range(CALLS):
        assert df(x)[1] == f(x)


@given(
    st.integers(0, 1),
    st.lists(st.integers(1, 3), min_size=2, max_size=5),
    st.permutations(range(5)),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(max_examples=40, deadline=None)
def test_random_partitions(axis, lengths, order, overlap, seed):
    total = sum(lengths)
    x = np.random.default_rng(seed).standard_normal((total, 3) if axis == 0 else (3, total))
    ends = np.cumsum(lengths)
    keys = [slice(int(end - n), int(end)) for end, n in zip(ends, lengths, strict=True)]
    keys = [keys[i] for i in order if i < len(keys)] + [slice(0, 1)] * overlap
    functions = (np.exp, np.sin, np.tanh, np.square, np.cos, np.exp)

    def f(x):
        value = 0.0
        for key, function in zip(keys, functions, strict=False):
            value = value + np.sum(function(x[key] if axis == 0 else x[:, key]))
        return value

    df, direct = jit_grad(f, audit=False), jit_grad(f, optimize=False)
    for _ in range(CALLS):
        assert_same(df(x), direct(x))
