"""Programs of operators are found again, and do not keep alive what their users let go."""

import gc
import weakref

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS
from tracejit.operators import recall
from tracejit.operators.recall import FEW
from tracejit.variant import Variant

X, V = np.array([0.3, -0.7, 1.1]), np.array([0.5, -1.0, 2.0])

OPERATORS = {
    "grad": lambda f: tj.grad(f)(X),
    "value_and_grad": lambda f: tj.value_and_grad(f)(X)[1],
    "elementwise_grad": lambda f: tj.elementwise_grad(f)(X),
    "jacobian": lambda f: tj.jacobian(f)(X),
    "forward": lambda f: tj.jacobian(lambda t: f(t * X) * np.ones(3))(1.0)[0],
    "hessian": lambda f: tj.hessian(f)(X),
    "hvp": lambda f: tj.hvp(f)(X, V),
    "ggnvp": lambda f: tj.ggnvp(lambda x: x**2, f)(X, V),
    "jvp": lambda f: tj.jvp(f, (X,), (V,))[1],
    "vjp": lambda f: tj.vjp(f, X)[1](1.0),
    "linearize": lambda f: tj.linearize(f, X)[1](V),
    "deriv": lambda f: tj.deriv(lambda t: f(t * X))(1.0),
}
over_operators = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


@pytest.fixture
def compilations(monkeypatch):
    """Count the variants that are compiled."""
    counted, compile_it = [], Variant.compile

    def spy(self, *args):
        if self.compiled is None:
            counted.append(self)
        return compile_it(self, *args)

    monkeypatch.setattr(Variant, "compile", spy)
    return counted


def scaled(weights):
    return lambda x: np.sum(weights * x**3)


@over_operators
def test_a_fresh_function_costs_no_compilation(operator, compilations):
    reference = operator(scaled(np.ones(3)))
    for n in range(5):
        np.testing.assert_allclose(operator(scaled(np.full(3, float(n)))), n * reference)
    assert not compilations


@over_operators
def test_in_a_loop_it_is_compiled_once(operator, compilations):
    f = scaled(np.arange(3.0))
    fresh = {"forward", "deriv", "ggnvp"}  # these make a function of their own
    results = [operator(f) for _ in range(2 * CALLS)]
    assert all(np.array_equal(r, results[0]) for r in results[1:2])
    np.testing.assert_allclose(results[-1], results[0])
    if operator not in [OPERATORS[name] for name in fresh]:
        assert 1 <= len(compilations) <= 2  # the output and what is done with it


def changing(operator):
    weights = np.ones(3)
    f = lambda x: np.sum(weights * x**3)
    for n in range(2 * CALLS):
        weights = np.full(3, float(n))
        yield operator(f)


@over_operators
def test_closures_may_change(operator):
    first, one, *others = changing(operator)
    np.testing.assert_array_equal(first, np.zeros_like(first))
    for n, other in enumerate(others, 2):
        np.testing.assert_allclose(other, n * one)


INSIDE = {
    "grad": lambda f: tj.grad(lambda x: np.sum(tj.grad(f)(x)))(X),
    "captured": lambda f: _of_gradient(tj.grad(f)),
    "hvp": lambda f: tj.grad(lambda x: np.sum(tj.hvp(f)(x, V)))(X),
    "jacobian": lambda f: tj.jit_grad(lambda x: np.sum(tj.jacobian(f)(x)))(X),
    "directly": lambda f: tj.grad(lambda x: np.sum(tj.hvp(f)(x, V)), optimize=False)(X),
}


def _of_gradient(df):
    return tj.grad(lambda x: np.sum(df(x)))(X)


@pytest.mark.parametrize("operator", [*OPERATORS.values(), *INSIDE.values()],
                         ids=[*OPERATORS, *(f"{name} inside" for name in INSIDE)])  # fmt: skip
def test_few_large_arrays_are_kept(operator):
    kept = []
    for _ in range(FEW + 20):
        weights = np.ones(3)
        kept.append(weakref.ref(weights))
        operator(scaled(weights))
    del weights
    gc.collect()
    assert sum(found() is not None for found in kept) <= FEW


def test_programs_are_found_by_identity():
    class Equal:
        def __init__(self, factor):
            self.factor = factor

        def __eq__(self, other):
            return isinstance(other, Equal)

        def __hash__(self):
            return 1

        def __call__(self, x):
            return np.sum(self.factor * x**2)

    for factor in (1.0, 2.0, 3.0):
        np.testing.assert_allclose(tj.hvp(Equal(factor))(X, V), 2 * factor * V)
        np.testing.assert_allclose(tj.jacobian(Equal(factor).__call__)(X), 2 * factor * X)

    class Unhashable(Equal):
        __hash__ = None

    np.testing.assert_allclose(tj.hvp(Unhashable(2.0))(X, V), 4.0 * V)
    model = Unhashable(2.0)
    assert tj.hessian(model.__call__) is tj.hessian(model.__call__)
    assert tj.hessian(model) is not tj.hessian(model, optimize=False)
    assert tj.ggnvp(model, np.sum) is not tj.ggnvp(model, np.prod)


def test_inside_a_recording_nothing_is_kept():
    recall._LIGHT.clear()
    recall._HEAVY.clear()
    inner = lambda y: np.sum(y**3)
    f = lambda x: np.sum(tj.hvp(inner)(x, V)) + tj.jvp(inner, (x,), (V,))[1]
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.grad(f)(X), 6 * V + 6 * X * V)
    for (function, _), _ in (*recall._LIGHT.values(), *recall._HEAVY.values()):
        assert function is inner  # an audit has called f as plain Python


def test_emitted_code_has_the_names_of_the_function():
    def loss(w, x, power=2):
        return np.sum(np.tanh(x @ w) ** power)

    w, x = np.ones(3), np.ones((2, 3))
    product = tj.hvp(lambda w, x: loss(w, x))
    for compiled, args, line in (
        (tj.hessian(loss), (w, x), "def hessian_of_loss(w, x, *"),
        (tj.jacobian(loss), (w, x), "def jacobian_of_loss(w, x, *"),
        (product, (w, x, w), "def hvp_of_function(w, x, vector, *"),
        (tj.hvp(loss), (w, x, 2, w), "def hvp_of_loss(w, x, power, arg_3, *"),
        (tj.deriv(np.sin), (0.5,), "def deriv_of_sin(x):"),
    ):
        for _ in range(2):
            compiled(*args)
        assert line in compiled.source(*args)
