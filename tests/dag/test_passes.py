"""Passes, as pairs of printed graphs; both sides are also evaluated."""

import numpy as np
import pytest

from tests.trees import record_forward
from tracejit import jit_grad
from tracejit.dag.evaluate import evaluate
from tracejit.dag.passes import PIPELINE, optimize
from tracejit.dag.passes.drop_dead import drop_dead
from tracejit.dag.passes.fold_constants import fold_constants
from tracejit.dag.passes.fuse import fuse
from tracejit.dag.passes.merge_common import merge_common
from tracejit.dag.passes.simplify import simplify
from tracejit.dag.verify import verify

X = np.array([[1.0, -2.0, 0.5], [np.nan, np.inf, -0.0]])
V = np.array([0.5, -1.0, 2.0])


def unused(x):
    np.sin(x)
    return np.cos(x)


def shared(x):
    return np.exp(x) * 2.0 + np.exp(x) * 2.0


def commuted(x, y):
    return (x + y) * (y + x)


def like_zeros(x):
    return np.zeros_like(x) + x


CASES = {
    "dead nodes go": (
        drop_dead,
        unused,
        (V,),
        """x: f8[3]
        cos_0 = cos(x)  # f8[3]
        return cos_0""",
    ),
    "equal nodes are computed once": (
        merge_common,
        shared,
        (V,),
        """x: f8[3]
        exp_0 = exp(x)  # f8[3]
        multiply_0 = multiply(exp_0, 2.0)  # f8[3]
        add_0 = add(multiply_0, multiply_0)  # f8[3]
        return add_0""",
    ),
    "sums and products commute": (
        merge_common,
        commuted,
        (V, V),
        """x: f8[3]
        y: f8[3]
        add_0 = add(x, y)  # f8[3]
        multiply_0 = multiply(add_0, add_0)  # f8[3]
        return multiply_0""",
    ),
    "0.0 and -0.0 are different constants": (
        merge_common,
        lambda x: (x * 0.0, x * -0.0),
        (V,),
        """x: f8[3]
        multiply_0 = multiply(x, 0.0)  # f8[3]
        multiply_1 = multiply(x, -0.0)  # f8[3]
        return multiply_0, multiply_1""",
    ),
    "minus one is a sign, times one nothing": (
        simplify,
        lambda x: x * 1.0 + x * -1.0,
        (X,),
        """x: f8[2,3]
        negative_0 = negative(x)  # f8[2,3]
        subtract_0 = subtract(x, x)  # f8[2,3]
        return subtract_0""",
    ),
    "a product with itself is a square": (
        simplify,
        lambda x: x * x,
        (X,),
        """x: f8[2,3]
        square_0 = square(x)  # f8[2,3]
        return square_0""",
    ),
    "what is chosen from is converted, where it is less": (
        simplify,
        lambda x: np.where(x > 0, np.sum(x, axis=1, keepdims=True), 0.0).astype("f4"),
        (X,),
        """x: f8[2,3]
        greater_0 = greater(x, 0)  # b1[2,3]
        sum_0 = sum(x, axis=1, keepdims=True)  # f8[2,1]
        where_0 = where(greater_0, sum_0, 0.0)  # f8[2,3]
        astype_0 = astype(sum_0, dtype=f4)  # f4[2,1]
        where_1 = where(greater_0, astype_0, 0.0)  # f4[2,3]
        return where_1""",
    ),
    "nothing is assumed of zeros": (
        simplify,
        lambda x: (x * 0.0, x + 0.0, x - x),
        (X,),
        """x: f8[2,3]
        multiply_0 = multiply(x, 0.0)  # f8[2,3]
        add_0 = add(x, 0.0)  # f8[2,3]
        subtract_0 = subtract(x, x)  # f8[2,3]
        return multiply_0, add_0, subtract_0""",
    ),
    "two transposes cancel": (
        simplify,
        lambda x: np.sin(x.T.T),
        (X,),
        """x: f8[2,3]
        transpose_0 = transpose(x, axes=(1, 0))  # f8[3,2]
        sin_0 = sin(x)  # f8[2,3]
        return sin_0""",
    ),
    "of two reshapes the last counts": (
        simplify,
        lambda x: x.reshape(6).reshape(3, 2),
        (X,),
        """x: f8[2,3]
        reshape_0 = reshape(x, shape=(6,))  # f8[6]
        reshape_1 = reshape(x, shape=(3, 2))  # f8[3,2]
        return reshape_1""",
    ),
    "broadcasting is left to the ufunc": (
        simplify,
        lambda x, y: x * np.broadcast_to(y, (2, 3)),
        (X, V),
        """x: f8[2,3]
        y: f8[3]
        broadcast_to_0 = broadcast_to(y, shape=(2, 3))  # f8[2,3]
        multiply_0 = multiply(x, y)  # f8[2,3]
        return multiply_0""",
    ),
    "but not of a Python number that becomes an array of another dtype": (
        simplify,
        lambda x, y: x * np.broadcast_to(y, (3,)),
        (V.astype("f4"), 0.5),
        """x: f4[3]
        y: float
        broadcast_to_0 = broadcast_to(y, shape=(3,))  # f8[3]
        multiply_0 = multiply(x, broadcast_to_0)  # f8[3]
        return multiply_0""",
    ),
    "a uniform constant is a number": (
        simplify,
        lambda x: x * np.full((2, 3), 2.0),
        (X,),
        """x: f8[2,3]
        multiply_0 = multiply(x, 2.0)  # f8[2,3]
        return multiply_0""",
    ),
    "but not where it fixes the dtype": (
        simplify,
        lambda x: x * np.full(3, 2.0),
        (V.astype("f4"),),
        """x: f4[3]
        multiply_0 = multiply(x, array(f8[3]))  # f8[3]
        return multiply_0""",
    ),
    "small constants are computed once": (
        fold_constants,
        like_zeros,
        (V,),
        """x: f8[3]
        add_0 = add(array(f8[3]), x)  # f8[3]
        return add_0""",
    ),
    "chains are grouped": (
        fuse,
        lambda x, y: np.tanh(x @ y + 1.0) * 2.0,
        (X.T, X),
        """x: f8[3,2]
        y: f8[2,3]
        matmul_0 = matmul(x, y)  # f8[3,3]
        add_0 = add(matmul_0, 1.0)  # f8[3,3] group 0
        tanh_0 = tanh(add_0)  # f8[3,3] group 0
        multiply_0 = multiply(tanh_0, 2.0)  # f8[3,3] group 0
        return multiply_0""",
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("title", CASES)
def test_before_and_after(title):
    one_pass, function, values, expected = CASES[title]
    before = record_forward(function, *values)
    after = verify(one_pass(before))
    assert str(after) == "\n".join(line.strip() for line in expected.splitlines())
    for a, b in zip(evaluate(before, values), evaluate(after, values), strict=True):
        assert a.tobytes() == b.tobytes() and a.dtype == b.dtype and a.shape == b.shape


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("title", CASES)
def test_the_pipeline_keeps_values_and_invariants(title):
    _, function, values, _ = CASES[title]
    before = record_forward(function, *values)
    after = optimize(before, check=verify)
    for a, b in zip(evaluate(before, values), evaluate(after, values), strict=True):
        assert a.tobytes() == b.tobytes()


def test_every_pass_is_documented():
    for each in PIPELINE:
        assert "->" in (__import__(each.__module__, fromlist=["_"]).__doc__ or "")


TWICE = np.array([1, 1])
MAY_RAISE = {
    "take_along_axis": lambda x, i: np.take_along_axis(x, i, 0),
    "put": lambda x, i: np.put(x * 1.0, i, 1.0),
    "add.at": lambda x, i: np.add.at(x * 1.0, i, 1.0),
    "multiply.at": lambda x, i: np.multiply.at(x * 1.0, i, 1.0),
    "reduceat": lambda x, i: np.add.reduceat(x, i),
    "choose": lambda x, i: np.choose(i, [x[:2], x[:2]]),
    "unravel_index": lambda x, i: np.unravel_index(i, (3,)),
    "power": lambda x, i: 2 ** (2 - i),
}


@pytest.mark.parametrize("call", MAY_RAISE.values(), ids=MAY_RAISE)
def test_what_nobody_reads_raises_all_the_same(call):
    df = jit_grad(lambda x, i: [call(x, i), np.sum(x * x)][1], audit=False, backend="numpy")
    for _ in range(3):
        df(V, TWICE)
    with pytest.raises((IndexError, ValueError)):
        df(V, TWICE + 3)
    assert df.cache_info().direct == 0
