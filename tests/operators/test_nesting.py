"""Operators inside of operators: any order, any nesting, no perturbation confused with another.

The classic traps are those of Siskind and Pearlmutter 2005 (Perturbation confusion and referential
transparency) and Manzyuk et al. 2019 (Perturbation confusion in forward automatic differentiation
of higher-order functions).
"""

import itertools
import os

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES, spaced

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))
X, V = spaced(-0.9, 1.2, (3,)), spaced(0.3, 2.0, (3,), seed=1)
RNG = np.random.default_rng(1)
MATRIX, POINTS, TARGETS = RNG.normal(size=(3, 3)), RNG.normal(size=(5, 3)), RNG.normal(size=5)

DERIVED = {
    "grad": lambda f, **k: tj.grad(f, **k),
    "deriv": lambda f, **k: tj.deriv(f, **k),
    "elementwise": lambda f, **k: tj.elementwise_grad(f, **k),
    "vjp": lambda f, **k: lambda t: tj.vjp(f, t, **k)[1](1.0),
    "jvp": lambda f, **k: lambda t: tj.jvp(f, (t,), (1.0,), **k)[1],
    "jacobian": lambda f, **k: tj.jacobian(f, **k),
    "linearize": lambda f, **k: lambda t: tj.linearize(f, t, **k)[1](1.0),
}
NESTED = [
    *itertools.product(DERIVED, repeat=2),
    *[*itertools.product(DERIVED, repeat=3)][:: 1 if ALL else 11],
    *[*itertools.product(DERIVED, repeat=4)][:: 1 if ALL else 97],
]


def wave(t):
    return np.sin(t) * np.exp(0.5 * t)


def derivative_of_wave(order, t):
    return np.imag((0.5 + 1j) ** order * np.exp((0.5 + 1j) * t))


@pytest.mark.parametrize("names", NESTED, ids="-".join)
def test_any_nesting_directly(names):
    f = wave
    for name in names:
        f = DERIVED[name](f, optimize=False)
    np.testing.assert_allclose(f(0.7), derivative_of_wave(len(names), 0.7), 1e-12)


@pytest.mark.parametrize("names", NESTED[::5], ids="-".join)
def test_any_nesting_compiled(names):
    f = wave
    for name in names:
        f = DERIVED[name](f)
    for t in (0.7, 0.7, -0.3):
        np.testing.assert_allclose(f(t), derivative_of_wave(len(names), t), 1e-12)


def shifted(u):
    """Of a function, the one that is moved by u: a function of a function."""
    return lambda f: lambda x: f(x + u)


CONFUSING = {
    "a sum inside": (lambda d: d(lambda x: x * d(lambda y: x + y)(1.0))(1.0), 1.0),
    "a product inside": (lambda d: d(lambda x: x * d(lambda y: x * y)(2.0))(3.0), 6.0),
    "at the outer point": (lambda d: d(lambda x: x * d(lambda y: x * y * y)(x))(2.0), 24.0),
    "a function of functions": (lambda d: d(lambda u: shifted(u)(np.exp)(1.5))(0.0), np.exp(1.5)),
    "two such": (
        lambda d: d(lambda u: shifted(u)(lambda z: d(lambda v: shifted(v)(np.sin)(z))(0.0))(1.5))(
            0.0
        ),
        -np.sin(1.5),
    ),
    "handed out": (lambda d: d(lambda x: _later(d, x)() * x)(2.0), 4.0 * 2.0 * 2.0 * 3 / 2),
    "three deep": (
        lambda d: d(lambda x: d(lambda y: d(lambda z: x * y**2 * z**3)(x * y))(x))(1.1),
        None,
    ),
}


def _later(d, x):
    """A derivative that is taken only when what comes out is called."""
    return lambda: d(lambda y: x * y**2)(1.0) * x


def _three_deep(x):
    """d/dx of d/dy of 3 x y^2 (x y)^2 at y = x, by hand: d/dx of 12 x^6."""
    return 72.0 * x**5


@MODES
@pytest.mark.parametrize("kind", ["grad", "deriv", "jacobian", "vjp"])
@pytest.mark.parametrize("name", CONFUSING)
def test_no_perturbation_is_taken_for_another(name, kind, optimize):
    program, expected = CONFUSING[name]
    expected = _three_deep(1.1) if expected is None else expected
    for _ in range(CALLS):
        found = program(lambda f: DERIVED[kind](f, optimize=optimize))
        np.testing.assert_allclose(found, expected, 1e-12)


def differences(f, x, step=1e-5):
    return np.stack([(f(x + e) - f(x - e)) / (2 * step) for e in step * np.eye(len(x))])


@MODES
def test_a_jacobian_in_a_jvp_in_a_gradient(optimize):
    f = lambda x: np.tanh(MATRIX @ x) * x
    along = lambda x, **k: tj.jvp(tj.jacobian(f, **k), (x,), (V,), **k)[1]
    total = lambda x, **k: np.sum(along(x, **k) ** 2)
    expected = differences(lambda x: total(x, optimize=False), X)
    for _ in range(CALLS):
        found = tj.grad(lambda x: total(x, optimize=optimize), optimize=optimize)(X)
        np.testing.assert_allclose(found, expected, 1e-6, 1e-6)


def critic(p, x):
    return np.sum(np.tanh(x @ p["a"]) @ p["b"])


def penalised(slope):
    def loss(p):
        norms = np.sqrt(np.sum(slope(p, POINTS) ** 2, axis=1))
        return np.mean((norms - 1.0) ** 2) + critic(p, POINTS)

    return loss


@MODES
@pytest.mark.parametrize("inner", [True, False])
def test_gradient_penalties(inner, optimize):
    p = {"a": RNG.normal(size=(3, 4)), "b": RNG.normal(size=4)}
    loss = penalised(tj.grad(critic, 1, optimize=inner))
    by_b = differences(lambda b: loss({**p, "b": b}), p["b"])
    row = differences(lambda a: loss({**p, "a": np.concatenate([a[None], p["a"][1:]])}), p["a"][0])
    as_operator, as_jit = tj.grad(loss, optimize=optimize), tj.jit_grad(loss, optimize=optimize)
    for _ in range(CALLS):
        for found in (as_operator(p), as_jit(p)[0]):
            np.testing.assert_allclose(found["b"], by_b, 1e-6, 1e-8)
            np.testing.assert_allclose(found["a"][0], row, 1e-6, 1e-8)


def adapted(optimize):
    """The loss after some steps of training: learning to learn (Finn et al. 2017)."""
    task = lambda w: np.mean((np.tanh(POINTS @ w) - TARGETS) ** 2)

    def outer(w):
        for _ in range(3):
            w = w - 0.1 * tj.grad(task, optimize=optimize)(w)
        return task(w)

    return outer


@MODES
def test_training_inside(optimize):
    slopes, curve = differences(adapted(False), X), None
    first = tj.grad(adapted(False), optimize=False)
    curve = differences(first, X)
    for _ in range(CALLS):
        found = tj.grad(adapted(optimize), optimize=optimize)(X)
        np.testing.assert_allclose(found, slopes, 1e-6, 1e-9)
        product = tj.hvp(adapted(optimize), optimize=optimize)(X, V)
        np.testing.assert_allclose(product, curve @ V, 1e-6, 1e-8)


@MODES
def test_hypergradients(optimize):
    """Through the solution of ridge regression, found by one Newton step with our Hessian."""

    def loss(weight):
        inner = lambda w: 0.5 * np.sum((POINTS @ w - TARGETS) ** 2) + 0.5 * weight * np.sum(w**2)
        zero = np.zeros(3)
        slope = tj.grad(inner, optimize=optimize)(zero)
        return np.sum(np.linalg.solve(tj.hessian(inner, optimize=optimize)(zero), slope) ** 2)

    normal = POINTS.T @ POINTS + 0.3 * np.eye(3)
    w = np.linalg.solve(normal, POINTS.T @ TARGETS)
    for _ in range(CALLS):
        found = tj.grad(loss, optimize=optimize)(0.3)
        np.testing.assert_allclose(found, -2 * w @ np.linalg.solve(normal, w))


@MODES
def test_derivatives_of_traces_of_hessians(optimize):
    k = {"optimize": optimize}
    laplacian = lambda x: np.trace(tj.hessian(lambda z: np.sum(z**4), **k)(x))
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.grad(laplacian, **k)(X), 24 * X)
        np.testing.assert_allclose(tj.hessian(laplacian, **k)(X), 24 * np.eye(3))
        cube = tj.jacobian(tj.jacobian(lambda z: z**3, **k), **k)(X)
        np.testing.assert_allclose(np.einsum("iii->i", cube), 6 * X)
        assert np.count_nonzero(cube) == 3
