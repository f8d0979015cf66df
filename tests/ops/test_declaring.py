"""Declaring ops of one's own: what the declaration leaves out is worked out or passed in."""

import numpy as np
import pytest
from scipy.special import expit

from tests.support import MODES
from tracejit import jit_grad
from tracejit.dag import op as declarations
from tracejit.ops.elementwise import elementwise


@pytest.fixture
def registry(monkeypatch):
    names = {name: op for name, op in declarations.BY_NAME.items() if name != "linalg.solve"}
    monkeypatch.setattr(declarations, "BY_NAME", names)
    monkeypatch.delitem(declarations.COMPOSITES, np.linalg.solve, raising=False)
    before = dict(declarations.BY_FUNCTION)
    yield
    declarations.BY_FUNCTION.clear()
    declarations.BY_FUNCTION.update(before)


@MODES
def test_a_numpy_function(registry, optimize):
    declarations.op(
        "linalg.solve",
        np.linalg.solve,
        stands_for=(np.linalg.solve,),
        bind=lambda a, b: ((a, b), {}),
        vjp=[
            lambda g, out, a, b: -np.outer(np.linalg.solve(a.T, g), out),
            lambda g, out, a, b: np.linalg.solve(a.T, g),
        ],
    )
    a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([1.0, -1.0])
    df = jit_grad(lambda b, a: np.sum(np.linalg.solve(a, b)), optimize=optimize)
    for _ in range(3):
        np.testing.assert_allclose(df(b, a)[0], np.linalg.inv(a).sum(axis=0))
    if optimize:
        assert "np.linalg.solve(a, b)" in df.source(b, a)


class Foreign:
    """A callable of another library, of which no source can be read."""

    __name__ = "logistic"

    def __call__(self, x):
        return expit(x)


@MODES
def test_a_function_of_another_library(registry, optimize):
    logistic = elementwise(Foreign(), [lambda g, out, x: g * out * (1.0 - out)])
    x = np.linspace(-2, 2, 5)
    df = jit_grad(lambda x: np.sum(logistic(x)), optimize=optimize)
    for _ in range(3):
        grads, value = df(x)
        np.testing.assert_allclose(grads, expit(x) * (1 - expit(x)))
        assert np.isclose(value, expit(x).sum())
    if optimize:
        assert "= logistic(x)" in df.source(x) and "slots, logistic" in df.source(x)
