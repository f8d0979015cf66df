"""Derivatives of all orders against closed forms: polynomials, exponentials, matrices."""

import math

import numpy as np
import pytest
from numpy.polynomial import Chebyshev, HermiteE, Legendre, hermite
from scipy import special
from scipy.optimize import rosen_der, rosen_hess, rosen_hess_prod

import tracejit as tj
from tests.support import CALLS, MODES, spaced

X, V = spaced(-1.3, 1.6, (5,)), spaced(0.4, 1.9, (5,), seed=1)
T = np.linspace(-0.95, 0.95, 9)
RNG = np.random.default_rng(3)
MATRIX = RNG.normal(size=(5, 5))
POSITIVE = MATRIX @ MATRIX.T + 5.0 * np.eye(5)


def repeated(operator, f, order, **options):
    for _ in range(order):
        f = operator(f, **options)
    return f


def rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@MODES
def test_scipys_rosenbrock(optimize):
    k = {"optimize": optimize}
    for x in (X, X[::-1].copy(), X + 0.1):
        np.testing.assert_allclose(tj.grad(rosen, **k)(x), rosen_der(x))
        np.testing.assert_allclose(tj.hessian(rosen, **k)(x), rosen_hess(x), atol=1e-12)
        np.testing.assert_allclose(tj.hvp(rosen, **k)(x, V), rosen_hess_prod(x, V))
        np.testing.assert_allclose(tj.ggnvp(lambda x: x, rosen, **k)(x, V), rosen_hess_prod(x, V))


@MODES
@pytest.mark.parametrize("order", range(6))
def test_gaussians_give_hermite_polynomials(order, optimize):
    """The n-th derivative of exp(-t^2) is (-1)^n H_n(t) exp(-t^2)."""
    f = repeated(tj.elementwise_grad, lambda t: np.exp(-(t**2)), order, optimize=optimize)
    expected = (-1.0) ** order * hermite.hermval(T, [0] * order + [1]) * np.exp(-(T**2))
    for _ in range(CALLS if order < 4 else 1):
        np.testing.assert_allclose(f(T), expected, rtol=1e-10, atol=1e-10)
    at_a_number = repeated(tj.deriv, lambda t: np.exp(-(t**2)), min(order, 4), optimize=optimize)
    if order <= 4:
        np.testing.assert_allclose(at_a_number(T[2]), expected[2], rtol=1e-10)


def by_recurrence(first, step):
    """A family of polynomials: p_0 = 1, p_1 = first(t), p_(n+1) = step(n, t, p_n, p_(n-1))."""

    def family(n):
        def p(t):
            before, now = np.ones_like(t), first(t)
            for k in range(1, n):
                before, now = now, step(k, t, now, before)
            return now

        return p

    return family


LEGENDRE = by_recurrence(lambda t: t, lambda k, t, p, q: ((2 * k + 1) * t * p - k * q) / (k + 1))
CHEBYSHEV = by_recurrence(lambda t: t, lambda k, t, p, q: 2.0 * t * p - q)
HERMITE = by_recurrence(lambda t: t, lambda k, t, p, q: t * p - k * q)


@MODES
@pytest.mark.parametrize(
    ("family", "known"),
    [(LEGENDRE, Legendre), (CHEBYSHEV, Chebyshev), (HERMITE, HermiteE)],
    ids=["Legendre", "Chebyshev", "Hermite"],
)
def test_orthogonal_polynomials(family, known, optimize):
    n = 7
    for order in (1, 2, 3):
        f = repeated(tj.elementwise_grad, family(n), order, optimize=optimize)
        np.testing.assert_allclose(f(T), known.basis(n).deriv(order)(T), rtol=1e-9, atol=1e-9)


@MODES
@pytest.mark.parametrize("n", [3, 6])
def test_differential_equations(n, optimize):
    """Each family solves its own a p'' + b p' + c p = 0."""
    for family, a, b, c in (
        (LEGENDRE, 1 - T**2, -2 * T, n * (n + 1)), (CHEBYSHEV, 1 - T**2, -T, n**2),
        (HERMITE, 1.0, -T, n),
    ):  # fmt: skip
        p = family(n)
        first, second = (repeated(tj.elementwise_grad, p, k, optimize=optimize) for k in (1, 2))
        np.testing.assert_allclose(a * second(T) + b * first(T) + c * p(T), 0.0, atol=1e-9)


SERIES = {
    "exp": (np.exp, [1.0] * 7),
    "sin": (np.sin, [0, 1, 0, -1, 0, 1, 0]),
    "log1p": (np.log1p, [0, 1, -1, 2, -6, 24, -120]),
    "geometric": (lambda t: 1.0 / (1.0 - t), [math.factorial(n) for n in range(7)]),
    "root": (lambda t: np.sqrt(1.0 + t), [1, 0.5, -0.25, 0.375, -0.9375, 3.28125, -14.765625]),
    "tan": (np.tan, [0, 1, 0, 2, 0, 16, 0]),
    "power": (lambda t: (1.0 + t) ** 2.5, [1, 2.5, 3.75, 1.875, -0.9375, 1.40625, -3.515625]),
    "product": (lambda t: t * np.exp(t), [0, 1, 2, 3, 4, 5, 6]),
}  # fmt: skip


@pytest.mark.parametrize(("f", "expected"), SERIES.values(), ids=SERIES)
@pytest.mark.parametrize("operator", [tj.deriv, tj.grad], ids=["deriv", "grad"])
def test_taylor_expansions(f, expected, operator):
    found = [repeated(operator, f, n, optimize=False)(0.0) for n in range(7)]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("order", [2, 4])
def test_taylor_expansions_compiled(order):
    f = repeated(tj.deriv, np.tanh, order)
    for t in (0.0, 0.5, -1.0, 0.5):
        s = 1 - np.tanh(t) ** 2
        closed = {2: -2 * np.tanh(t) * s, 4: 8 * np.tanh(t) * s * (3 * s - 1)}[order]
        np.testing.assert_allclose(f(t), closed, atol=1e-12)


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


P = softmax(X)
INVERSE = np.linalg.inv(POSITIVE)
FEATURES, LABELS = RNG.normal(size=(12, 5)), RNG.integers(0, 2, 12) * 2.0 - 1.0
CHANCE = special.expit(FEATURES @ X * LABELS)

HESSIANS = {
    "log-sum-exp": (lambda x: np.log(np.sum(np.exp(x))), X, np.diag(P) - np.outer(P, P)),
    "scipy's": (special.logsumexp, X, np.diag(P) - np.outer(P, P)),
    "quadratic form": (lambda x: x @ MATRIX @ x, X, MATRIX + MATRIX.T),
    "norm": (
        np.linalg.norm, X,
        (np.eye(5) - np.outer(X, X) / (X @ X)) / np.linalg.norm(X),
    ),
    "logistic": (
        lambda w: np.sum(np.log1p(np.exp(-LABELS * (FEATURES @ w)))), X,
        (FEATURES.T * (CHANCE * (1 - CHANCE))) @ FEATURES,
    ),
    "entropy": (lambda x: np.sum(x * np.log(x)), P, np.diag(1 / P)),
    "product": (
        np.prod, X, np.prod(X) * (np.outer(1 / X, 1 / X) - np.diag(1 / X**2)),
    ),
    "half squared distance": (lambda x: 0.5 * np.sum((x - V) ** 2), X, np.eye(5)),
    "logdet": (
        lambda a: np.linalg.slogdet(a)[1], POSITIVE, -np.einsum("jk,li->ijkl", INVERSE, INVERSE)
    ),
    "trace of the inverse": (
        lambda a: np.trace(np.linalg.inv(a)), POSITIVE,
        np.einsum("jk,li->ijkl", INVERSE @ INVERSE, INVERSE)
        + np.einsum("jk,li->ijkl", INVERSE, INVERSE @ INVERSE),
    ),
    "trace of the square": (
        lambda a: np.trace(a @ a), MATRIX, 2.0 * np.einsum("jk,li->ijkl", np.eye(5), np.eye(5))
    ),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "expected"), HESSIANS.values(), ids=HESSIANS)
def test_hessians(f, x, expected, optimize):
    hessian, product = tj.hessian(f, optimize=optimize), tj.hvp(f, optimize=optimize)
    v = spaced(0.4, 1.9, np.shape(x), seed=2)
    along = np.tensordot(expected, v, axes=np.ndim(x))
    for _ in range(CALLS):
        found = hessian(x)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(product(x, v), along, rtol=1e-9, atol=1e-9)


JACOBIANS = {
    "softmax": (softmax, X, np.diag(P) - np.outer(P, P)),
    "scipy's softmax": (special.softmax, X, np.diag(P) - np.outer(P, P)),
    "log-softmax": (special.log_softmax, X, np.eye(5) - P[None, :]),
    "product with a matrix": (lambda x: MATRIX @ x, X, MATRIX),
    "outer product": (
        lambda x: np.outer(x, x), X,
        np.einsum("ik,j->ijk", np.eye(5), X) + np.einsum("jk,i->ijk", np.eye(5), X),
    ),
    "inverse": (np.linalg.inv, POSITIVE, -np.einsum("ik,lj->ijkl", INVERSE, INVERSE)),
    "solve": (lambda b: np.linalg.solve(POSITIVE, b), X, INVERSE),
    "square of a matrix": (
        lambda a: a @ a, MATRIX,
        np.einsum("ik,lj->ijkl", np.eye(5), MATRIX) + np.einsum("ik,lj->ijkl", MATRIX, np.eye(5)),
    ),
    "running sum": (np.cumsum, X, np.tri(5)),
    "unit vector": (
        lambda x: x / np.sqrt(np.sum(x * x)), X,
        (np.eye(5) - np.outer(X, X) / (X @ X)) / np.linalg.norm(X),
    ),
    "polar coordinates": (
        lambda p: np.array([p[0] * np.cos(p[1]), p[0] * np.sin(p[1])]), np.array([2.0, 0.3]),
        np.array([[np.cos(0.3), -2 * np.sin(0.3)], [np.sin(0.3), 2 * np.cos(0.3)]]),
    ),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "expected"), JACOBIANS.values(), ids=JACOBIANS)
def test_jacobians(f, x, expected, optimize):
    jacobian = tj.jacobian(f, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(jacobian(x), expected, rtol=1e-9, atol=1e-12)
