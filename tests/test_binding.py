"""Every way of writing a call reaches the same parameters."""

import inspect

import numpy as np
import pytest

from tracejit import jit_grad

MODES = pytest.mark.parametrize("optimize", [True, False])


def loss(w, x=2.0, *rest, scale=3.0, **more):
    total = np.sum(w) * x * scale
    for value in (*rest, *more.values()):
        total = total + value
    return total


CALLS = [
    ((), {}),
    ((5.0,), {}),
    ((), {"x": 5.0}),
    ((5.0, 7.0, 11.0), {}),
    ((5.0,), {"scale": 0.5}),
    ((), {"scale": 0.5, "x": 4.0, "extra": 1.0}),
]


@MODES
def test_positions_keywords_and_defaults(optimize):
    df = jit_grad(loss, optimize=optimize)
    for repeat in range(3):
        for args, kwargs in CALLS:
            w = np.full(2, repeat + 1.0)
            grads, value = df(w, *args, **kwargs)
            assert value == loss(w, *args, **kwargs)
            slope = (loss(w + 1, *args, **kwargs) - value) / 2
            np.testing.assert_allclose(grads, slope)
    assert df.cache_info().direct == 0


@MODES
def test_params_by_keyword(optimize):
    df = jit_grad(lambda w, x: np.sum(w * x), optimize=optimize)
    for _ in range(3):
        grads, _ = df(x=2.0, w=np.ones(2))
        np.testing.assert_array_equal(grads, [2.0, 2.0])


def test_a_default_is_an_input():
    weights = np.ones(2)

    def f(w, x=weights):
        return np.sum(w * x)

    df = jit_grad(f)
    for value in (1.0, 2.0, 3.0, 4.0):
        weights[:] = value
        np.testing.assert_array_equal(df(np.ones(2))[0], [value, value])
    assert df.cache_info().direct == 0


@MODES
def test_wrong_calls_are_pythons_errors(optimize):
    df = jit_grad(lambda w, x: np.sum(w * x), optimize=optimize)
    for call in (lambda: df(), lambda: df(1.0), lambda: df(1.0, 2.0, 3.0), lambda: df(1.0, y=2.0)):
        with pytest.raises(TypeError):
            call()


def test_it_looks_like_the_function():
    df = jit_grad(loss)
    assert df.__name__ == "loss" and inspect.signature(df) == inspect.signature(loss)
    assert df.__wrapped__ is loss and df.__doc__ == loss.__doc__


@MODES
def test_argnum(optimize):
    df = jit_grad(lambda x, w: np.sum(w**2 * x), argnum=1, optimize=optimize)
    for _ in range(3):
        grads, _ = df(np.arange(2.0), np.array([1.0, 3.0]))
        np.testing.assert_array_equal(grads, [0.0, 6.0])


class Model:
    def __init__(self, w):
        self.w = w

    @jit_grad
    def loss(self, x, power=2):
        return np.sum(self.w * x**power)


@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_methods():
    for w in (1.0, 2.0):
        model = Model(np.full(3, w))
        for _ in range(3):
            grads, value = model.loss(np.ones(3))
            np.testing.assert_array_equal(grads, [2 * w] * 3)
            assert value == 3 * w
            np.testing.assert_array_equal(model.loss(np.ones(3), power=3)[0], [3 * w] * 3)
    bound = jit_grad(model.loss.__self__.__class__.loss.__wrapped__.__get__(model))
    np.testing.assert_array_equal(bound(np.ones(3))[0], [4.0] * 3)
