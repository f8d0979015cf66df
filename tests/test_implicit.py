"""Implicit functions: solutions and gradients against closed forms and finite differences."""

import dataclasses
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracejit as tj
from tests.support import CALLS, MODES, numeric
from tracejit.errors import (
    ConfigError,
    ConvergenceError,
    ParameterTypeError,
    ShapeError,
    UnsupportedError,
)
from tracejit.implicit.equations import DENSE

RNG = np.random.default_rng(0)
A = RNG.normal(size=(5, 5)) / 8.0
B, V = RNG.normal(size=5), RNG.normal(size=5)
X, Y = RNG.normal(size=(20, 4)), RNG.normal(size=20)


def cosine(a):
    return tj.fixed_point(lambda x: np.cos(a * x), 1.0)


def heron(a):
    """The square root by Newton's iteration, whose Jacobian at the solution is zero."""
    return tj.fixed_point(lambda x, a: 0.5 * (x + a / x), 1.0, a)


def linear(a, b):
    return np.sum(np.sin(tj.fixed_point(lambda x: a @ x + b, np.zeros(5))))


def solved_linear(a, b):
    return np.sum(np.sin(np.linalg.solve(np.eye(5) - a, b)))


def linear_root(a, b):
    return np.sum(np.sin(tj.root(lambda x, a, b: x - a @ x - b, np.zeros(5), a, b)))


def cubic(c):
    return tj.root(lambda x: ((x + c[2]) * x + c[1]) * x + c[0], 0.7)


def kepler(anomaly, e):
    """The eccentric anomaly by Kepler's equation."""
    return tj.root(lambda x: x - e * np.sin(x) - anomaly, anomaly)


def ridge(rate, x, y):
    """The weights that minimise a loss, by the root of its gradient."""
    inner = tj.grad(lambda w: np.sum((x @ w - y) ** 2) + rate * np.sum(w**2))
    return tj.root(inner, np.zeros(x.shape[1]))


def closed_ridge(rate, x, y):
    return np.linalg.solve(x.T @ x + rate * np.eye(x.shape[1]), x.T @ y)


def equilibrium(p, b, size=5):
    """A layer of no fixed depth, whose drive is computed outside of the iteration."""
    drive = p["u"] @ b
    return tj.fixed_point(lambda x: np.tanh(p["w"] @ x + drive), np.zeros(size))


def layer(size, seed=1):
    rng = np.random.default_rng(seed)
    w, u = rng.normal(size=(size, size)), rng.normal(size=(size, 5))
    return {"w": 0.7 * w / np.linalg.norm(w, 2), "u": u}


SCALARS = {
    "cosine": (cosine, (0.9, 1.1, 1.0), lambda a, x: -x * np.sin(a * x) / (1 + a * np.sin(a * x))),
    "square root": (heron, (2.0, 3.0, 0.1), lambda a, x: 0.5 / x),
    "square root of equation": (
        lambda a: tj.root(lambda x: x * x - a, 1.0), (2.0, 0.3, 5.0), lambda a, x: 0.5 / x
    ),
    "Kepler": (
        lambda e: kepler(0.8, e), (0.1, 0.5, 0.9), lambda e, x: np.sin(x) / (1 - e * np.cos(x))
    ),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "at", "slope"), SCALARS.values(), ids=SCALARS)
def test_functions_of_a_number(f, at, slope, optimize):
    df = tj.value_and_grad(f, optimize=optimize)
    for a in at * CALLS:
        x, gradient = df(a)
        assert type(x) is float and type(gradient) is float
        np.testing.assert_allclose(x, f(a), rtol=1e-11)
        np.testing.assert_allclose(gradient, slope(a, x), rtol=1e-10)
    assert df.cache_info().direct == 0, df.explain()


@MODES
def test_higher_derivatives_of_a_square_root(optimize):
    closed = (lambda a: -0.25 * a**-1.5, lambda a: 0.375 * a**-2.5, lambda a: -0.9375 * a**-3.5)
    for f in (heron, lambda a: tj.root(lambda x: x**2 - a, 1.0)):
        d = tj.grad(f, optimize=optimize)
        for wanted in closed:
            d = tj.deriv(d, optimize=optimize)
            for a in (2.0, 3.0, 2.5):
                np.testing.assert_allclose(d(a), wanted(a), rtol=1e-9)


@MODES
@pytest.mark.parametrize("f", [linear, linear_root])
def test_linear_equations(f, optimize):
    df, reference = tj.value_and_grad(f, (0, 1), optimize=optimize), tj.grad(solved_linear, (0, 1))
    for scale in (1.0, 0.5, -1.0, 0.0):
        a, b = scale * A, B + scale
        value, (by_a, by_b) = df(a, b)
        expected = reference(a, b)
        np.testing.assert_allclose(value, solved_linear(a, b), rtol=1e-11)
        np.testing.assert_allclose(by_a, expected[0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(by_b, expected[1], rtol=1e-10, atol=1e-12)
    assert df.cache_info().direct == 0, df.explain()


@MODES
@pytest.mark.parametrize("f", [linear, linear_root])
def test_second_order_of_linear_equations(f, optimize):
    of_b, closed = lambda b: f(A, b), lambda b: solved_linear(A, b)
    hessian, expected = tj.hessian(of_b, optimize=optimize), tj.hessian(closed)(B)
    product = tj.hvp(lambda a: f(a, B), optimize=optimize)
    by_a = tj.hvp(lambda a: solved_linear(a, B))
    for _ in range(CALLS):
        np.testing.assert_allclose(hessian(B), expected, atol=1e-10)
        np.testing.assert_allclose(product(A, A.T), by_a(A, A.T), atol=1e-10)
    _, tangent = tj.jvp(of_b, (B,), (V,), optimize=optimize)
    np.testing.assert_allclose(tangent, tj.grad(closed)(B) @ V)
    _, tangent = tj.jvp(tj.grad(of_b, optimize=optimize), (B,), (V,), optimize=optimize)
    np.testing.assert_allclose(tangent, expected @ V)


@MODES
@pytest.mark.parametrize("size", [5, DENSE + 8])
def test_equilibria(size, optimize):
    """Few unknowns have the gradient by the whole Jacobian, many by iteration."""
    p = layer(size)

    def loss(p, b):
        return np.sum(equilibrium(p, b, size) ** 2)

    def unrolled(p, b):
        x = np.zeros(size)
        for _ in range(200):
            x = np.tanh(p["w"] @ x + p["u"] @ b)
        return np.sum(x**2)

    df, reference = tj.value_and_grad(loss, (0, 1), optimize=optimize), tj.grad(unrolled, (0, 1))
    for scale in (1.0, 0.5, 0.2, 1.2):
        at, b = {"w": scale * p["w"], "u": p["u"]}, scale * B
        value, (by_p, by_b) = df(at, b)
        expected = reference(at, b)
        np.testing.assert_allclose(value, unrolled(at, b))
        for name in at:
            np.testing.assert_allclose(by_p[name], expected[0][name], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(by_b, expected[1], rtol=1e-8, atol=1e-10)
    assert df.cache_info().direct == 0, df.explain()


@MODES
@pytest.mark.parametrize("size", [5, DENSE + 8])
def test_second_order_of_equilibria(size, optimize):
    p = layer(size)
    loss = lambda b: np.sum(np.exp(equilibrium(p, b, size)))
    step = 1e-5
    first = tj.grad(loss)
    expected = (first(B + step * V) - first(B - step * V)) / (2 * step)
    product = tj.hvp(loss, optimize=optimize)
    hessian = tj.hessian(loss, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(product(B, V), expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(hessian(B) @ V, expected, rtol=1e-6, atol=1e-7)


@MODES
def test_jacobians(optimize):
    f = lambda b: tj.fixed_point(lambda x: np.tanh(A @ x + b), np.zeros(5))
    d = tj.jacobian(f, optimize=optimize)
    for b in (B, V, 2.0 * B):
        s = 1.0 - f(b) ** 2
        np.testing.assert_allclose(d(b), np.linalg.solve(np.eye(5) - s[:, None] * A, np.diag(s)))


@MODES
def test_roots_of_a_polynomial_by_its_coefficients(optimize):
    df = tj.value_and_grad(cubic, optimize=optimize)
    for c in ([-1.0, 0.5, 0.3], [-2.0, 1.0, 0.1], [-0.5, 0.7, 0.2]):
        x, gradient = df(np.array(c))
        found = np.roots([1.0, *c[::-1]])
        np.testing.assert_allclose(x, found[np.abs(found.imag) < 1e-9].real[0])
        slope = 3 * x**2 + 2 * c[2] * x + c[1]
        np.testing.assert_allclose(gradient, -np.array([1.0, x, x**2]) / slope)


@MODES
def test_keplers_equation_for_arrays(optimize):
    anomalies = np.linspace(0.1, 3.0, 7)
    df = tj.jit_grad(kepler, partialGrad=True, optimize=optimize)
    for e in (0.3, 0.6, 0.1):
        gradient, x = df(anomalies, e, np.ones(7))
        np.testing.assert_allclose(x - e * np.sin(x), anomalies)
        np.testing.assert_allclose(gradient, 1 / (1 - e * np.cos(x)))


@MODES
def test_the_gradient_through_a_minimum_of_another_loss(optimize):
    test_x, test_y = X[10:], Y[10:]
    outer = lambda solve: lambda rate, x, y: np.sum((test_x @ solve(rate, x, y) - test_y) ** 2)
    df = tj.grad(outer(ridge), (0, 2), optimize=optimize)
    reference = tj.grad(outer(closed_ridge), (0, 2))
    second = tj.hessian(outer(ridge), optimize=optimize)
    for rate in (1.0, 0.3, 2.0):
        by_rate, by_y = df(rate, X[:10], Y[:10])
        expected = reference(rate, X[:10], Y[:10])
        np.testing.assert_allclose(by_rate, expected[0], rtol=1e-9)
        np.testing.assert_allclose(by_y, expected[1], rtol=1e-8, atol=1e-10)
        curvature = tj.hessian(outer(closed_ridge))(rate, X[:10], Y[:10])
        np.testing.assert_allclose(second(rate, X[:10], Y[:10]), curvature, rtol=1e-7)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, DENSE + 6), st.integers(0, 2**32 - 1), st.booleans())
def test_maps_that_attract(size, seed, optimize):
    """Any tanh(W x + b) with a norm of W below 1, by both routes and by its closed form."""
    rng = np.random.default_rng(seed)
    w, b = rng.normal(size=(size, size)), rng.normal(size=size)
    w *= rng.uniform(0.1, 0.9) / np.linalg.norm(w, 2)
    iterated = lambda w, b: tj.fixed_point(lambda x: np.tanh(w @ x + b), np.zeros(size))
    solved = lambda w, b: tj.root(lambda x: np.tanh(w @ x + b) - x, np.zeros(size))
    g = rng.normal(size=size)
    for f in (iterated, solved):
        x, pull = tj.vjp(f, w, b, optimize=optimize)
        s = 1 - x**2
        adjoint = np.linalg.solve(np.eye(size) - (s[:, None] * w).T, g) * s
        by_w, by_b = pull(g)
        np.testing.assert_allclose(np.tanh(w @ x + b), x, atol=1e-10)
        np.testing.assert_allclose(by_b, adjoint, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(by_w, np.outer(adjoint, x), rtol=1e-7, atol=1e-9)


# -- structures, types, what is read ---------------------------------------------------------------

Pair = namedtuple("Pair", "first second")


@dataclasses.dataclass
class State:
    level: np.ndarray
    rate: float


def coupled(make):
    def f(x, p):
        first, second = x
        return make(0.3 * np.cos(first) + p["shift"] * second, 0.5 * np.sin(np.sum(first)) + p["c"])

    return f


@MODES
def test_structures_go_in_and_come_out(optimize):
    p = {"shift": np.array([[0.1, 0.2]]), "c": 0.3}
    vector = lambda p: tj.fixed_point(
        lambda x: np.concatenate([
            0.3 * np.cos(x[:2]) + p["shift"][0] * x[2],
            np.reshape(0.5 * np.sin(np.sum(x[:2])) + p["c"], (1,)),
        ]), np.zeros(3),
    )  # fmt: skip
    expected = tj.grad(lambda p: np.sum(vector(p) ** 2))(p)
    for make in (lambda *parts: parts, lambda *parts: [*parts], Pair):

        def loss(p, make=make):
            x = tj.fixed_point(coupled(make), make(np.zeros((1, 2)), 0.0), p)
            return np.sum(x[0] ** 2) + x[1] ** 2, x

        df = tj.grad_and_aux(loss, optimize=optimize)
        for _ in range(CALLS):
            gradient, x = df(p)
            assert type(x) is type(make(0.0, 0.0))
            assert x[0].shape == (1, 2) and type(x[1]) is float
            np.testing.assert_allclose([*x[0][0], x[1]], vector(p))
            np.testing.assert_allclose(gradient["shift"], expected["shift"])
            np.testing.assert_allclose(gradient["c"], expected["c"])


@MODES
def test_dicts_in_another_order_and_dataclasses(optimize):
    def loss(c):
        swapped = lambda x: {"b": 0.5 * x["a"] + c, "a": 0.2 * x["b"]}
        x = tj.fixed_point(swapped, {"a": 0.0, "b": np.zeros(2)[0]})
        step = lambda s: State(0.5 * s.level + c, 0.3 * s.rate + s.level[0])
        s = tj.fixed_point(step, State(np.zeros(2), 0.0))
        return x["a"] + 10 * x["b"] + np.sum(s.level) + s.rate

    df = tj.value_and_grad(loss, optimize=optimize)
    for c in (1.0, 2.0, 0.7):
        slope = (0.2 + 10) / 0.9 + 4.0 + 2.0 / 0.7
        np.testing.assert_allclose(df(c), (slope * c, slope))


@MODES
def test_equations_of_another_structure_than_the_unknowns(optimize):
    def f(x, c):
        return [x["a"] + x["b"][0] - c, np.array([x["b"][0] - x["b"][1], x["b"][1] ** 3 - c])]

    def loss(c):
        x = tj.root(f, {"a": 1.0, "b": np.ones(2)}, c)
        return x["a"]

    df = tj.value_and_grad(loss, optimize=optimize)
    for c in (2.0, 3.0, 0.5):
        np.testing.assert_allclose(df(c), (c - np.cbrt(c), 1 - np.cbrt(c) / (3 * c)))


@MODES
@pytest.mark.parametrize("solve", ["fixed_point", "root"])
def test_starting_points_are_of_any_kind_of_number(solve, optimize):
    def f(x, a):
        return np.cos(a * x) if solve == "fixed_point" else np.cos(a * x) - x

    starts = (1, 1.0, np.int64(1), np.float64(1.0), np.ones(2, int), np.ones((1, 2)), np.array(1.0))
    call = getattr(tj, solve)
    for start in starts:
        df = tj.jit_grad(lambda a, start: np.sum(call(f, start, a)), optimize=optimize)
        for a in (1.0, 0.9, 0.8):
            x = call(f, start, a)
            kinds = {int: float, float: float, np.ndarray: np.ndarray}
            assert type(x) is kinds.get(type(start), np.float64)
            assert np.result_type(x) == np.float64 and np.shape(x) == np.shape(start)
            np.testing.assert_allclose(np.cos(a * x), x)
            slope = np.sum(-x * np.sin(a * x) / (1 + a * np.sin(a * x)))
            gradient, value = df(a, start)
            np.testing.assert_allclose((gradient, value), (slope, np.sum(x)))


@MODES
@pytest.mark.parametrize("size", [3, DENSE + 3])
def test_single_precision(size, optimize):
    start = np.ones(size, np.float32)

    def loss(a):
        by_iteration = tj.fixed_point(lambda x: np.cos(a * x), start)
        by_root = tj.root(lambda x: np.cos(a * x) - x, start)
        assert by_iteration.dtype == by_root.dtype == np.float32
        return np.sum(by_iteration) + np.sum(by_root)

    df = tj.grad(loss, optimize=optimize)
    for scale in (1.0, 0.9, 0.8):
        a = np.full(size, scale, np.float32)
        x = tj.fixed_point(lambda x, a=scale: np.cos(a * x), 1.0)
        slope = -2.0 * x * np.sin(scale * x) / (1 + scale * np.sin(scale * x))
        gradient = df(a)
        assert gradient.dtype == np.float32
        np.testing.assert_allclose(gradient, np.full(size, slope), rtol=1e-4)


RATE = 0.4


class Model:
    """Something whose method reads an attribute and a global number."""

    def __init__(self):
        self.matrix = np.eye(2)

    def step(self, x):
        return RATE * self.matrix @ x + 1.0


@MODES
@pytest.mark.parametrize("inside", [True, False])
def test_what_is_read_from_outside_is_read_at_every_call(inside, optimize, monkeypatch):
    model = Model()
    if inside:
        df = tj.jit_grad(lambda b: np.sum(b * tj.fixed_point(model.step, b)), optimize=optimize)
    else:
        df = lambda b: (tj.fixed_point(model.step, b, optimize=optimize), None)
    for rate, sign in ((0.4, 1.0), (0.4, -2.0), (0.9, 1.0)):
        monkeypatch.setitem(globals(), "RATE", rate)
        model.matrix = sign * np.eye(2)
        for _ in range(CALLS):
            expected = np.full(2, 1 / (1 - rate * sign))
            np.testing.assert_allclose(df(np.zeros(2))[0], expected, rtol=1e-10)


@MODES
def test_training_with_other_data_at_every_call(optimize):
    df = tj.value_and_grad(lambda p, b, y: np.sum((equilibrium(p, b) - y) ** 2), optimize=optimize)
    p, rng = layer(5), np.random.default_rng(3)
    first = p["w"].copy()
    for _ in range(12):
        b, y = rng.normal(size=5), 0.3 * rng.normal(size=5)
        value, gradient = df(p, b, y)
        x = np.zeros(5)
        for _ in range(300):
            x = np.tanh(p["w"] @ x + p["u"] @ b)
        np.testing.assert_allclose(value, np.sum((x - y) ** 2), rtol=1e-9)
        s = 1 - x**2
        w = np.linalg.solve(np.eye(5) - (s[:, None] * p["w"]).T, 2 * (x - y)) * s
        np.testing.assert_allclose(gradient["w"], np.outer(w, x), rtol=1e-7, atol=1e-10)
        p = {name: p[name] - 0.05 * gradient[name] for name in p}
    assert not np.allclose(first, p["w"])
    assert df.cache_info().direct == 0 and df.cache_info().misses == int(optimize), df.explain()


@MODES
def test_branches_on_a_solution(optimize):
    def f(a):
        x = tj.fixed_point(lambda x: 0.5 * x + a, 0.0)
        return x**2 if x > 1.0 else -x

    df = tj.grad(f, optimize=optimize)
    for a, slope in ((1.0, 8.0), (0.2, -2.0), (2.0, 16.0), (0.3, -2.0)) * CALLS:
        np.testing.assert_allclose(df(a), slope)


@MODES
def test_other_branches_for_other_arguments(optimize):
    def f(a, n, grows):
        def step(x):
            for _ in range(n):
                x = 0.5 * x + (a if grows else -a)
            return x if a > 0 else x + 1.0

        return tj.fixed_point(step, 0.0)

    df = tj.grad(f, optimize=optimize)
    for a, n, grows in ((1.0, 1, True), (1.0, 2, False), (-1.0, 1, True), (2.0, 2, True)) * CALLS:
        np.testing.assert_allclose(df(a, n, grows), 2.0 if grows else -2.0)


@MODES
def test_the_gradient_by_the_starting_point_is_zero(optimize):
    f = lambda x0, a: np.sum(tj.fixed_point(lambda x: 0.5 * x + a, x0) + tj.root(np.sin, 0.1 * x0))
    df = tj.grad(f, (0, 1), optimize=optimize)
    for _ in range(CALLS):
        by_start, by_a = df(np.ones(3), 2.0)
        np.testing.assert_array_equal(by_start, np.zeros(3))
        np.testing.assert_allclose(by_a, 6.0)


@MODES
def test_equations_inside_of_equations(optimize):
    def inner(a):
        return tj.root(lambda y: y**3 + y - a, 0.5)

    def outer(a):
        return tj.fixed_point(lambda x: 0.5 * inner(x) + a, 0.0)

    def reference(a):
        x = 0.0
        for _ in range(60):
            y = 0.5
            for _ in range(30):
                y = y - (y**3 + y - x) / (3 * y**2 + 1)
            x = 0.5 * y + a
        return x

    d, h = tj.grad(outer, optimize=optimize), tj.hessian(outer, optimize=optimize)
    for a in (0.5, 1.0, 0.7):
        np.testing.assert_allclose(d(a), numeric(reference, (a,))[0], rtol=1e-7)
        curvature = (d(a + 1e-5) - d(a - 1e-5)) / 2e-5
        np.testing.assert_allclose(h(a), curvature, rtol=1e-6)


@MODES
def test_no_perturbation_confusion(optimize):
    inner = lambda a: a * tj.grad(
        lambda b: tj.fixed_point(lambda x: 0.5 * x + a * b, 0.0), optimize=optimize
    )(2.0)
    assert np.isclose(tj.grad(inner, optimize=optimize)(3.0), 12.0)
    mixed = lambda a: tj.root(
        lambda x: tj.deriv(lambda t: t**2 * a + x * t, optimize=optimize)(a), 0.0
    )
    np.testing.assert_allclose(tj.deriv(mixed, optimize=optimize)(3.0), -12.0)


@MODES
def test_inputs_that_are_complex_and_whole_numbers(optimize):
    def f(z, k):
        step = lambda x: 0.3 * np.real(z * np.exp(1j * k[0] * x))
        return np.sum(tj.fixed_point(step, np.zeros(3)))

    z, k = np.array([0.3 + 0.4j, 1.0 - 0.5j, -0.2j]), np.array([2, 3])
    df = tj.grad(f, optimize=optimize)
    for scale in (1.0, 0.5, 0.8):
        expected = numeric(lambda z: f(z, k), (scale * z,))[0]
        np.testing.assert_allclose(df(scale * z, k), expected, rtol=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_backends(backend):
    p = layer(DENSE + 8)
    df = tj.grad(lambda p, b: np.sum(equilibrium(p, b, DENSE + 8) ** 2), backend=backend)
    expected = tj.grad(lambda p, b: np.sum(equilibrium(p, b, DENSE + 8) ** 2), optimize=False)
    for scale in (1.0, 0.5, 0.2):
        np.testing.assert_allclose(df(p, scale * B)["w"], expected(p, scale * B)["w"], 1e-9, 1e-12)
        outside = tj.fixed_point(lambda x: np.tanh(p["w"] @ x), np.ones(DENSE + 8), backend=backend)
        np.testing.assert_allclose(outside, 0.0, atol=1e-10)


@pytest.mark.parametrize("method", ["hybr", "lm", "broyden1", "krylov", "df-sane"])
def test_methods(method):
    df = tj.value_and_grad(lambda a: np.sum(tj.root(lambda x: x + 0.1 * x**3 - a, np.ones(3),
                                                    method=method)))  # fmt: skip
    for scale in (1.0, 2.0, 1.5):
        a = scale * np.array([0.5, 1.0, 1.5])
        value, gradient = df(a)
        x = np.array([max(np.roots([0.1, 0, 1, -v]), key=lambda z: -abs(z.imag)).real for v in a])
        np.testing.assert_allclose(value, np.sum(x))
        np.testing.assert_allclose(gradient, 1 / (1 + 0.3 * x**2))


@MODES
def test_each_part_of_the_unknown_is_measured_by_itself(optimize):
    def f(p):
        step = lambda x: {"large": 0.5 * x["large"] + 1e6 * p, "small": 0.9 * x["small"] + 1e-4 * p}
        return tj.fixed_point(step, {"large": 0.0, "small": np.zeros(2)})["small"][0]

    df = tj.value_and_grad(f, optimize=optimize)
    for p in (1.0, 2.0, 0.5):
        np.testing.assert_allclose(df(p), (1e-3 * p, 1e-3), rtol=1e-9)


@MODES
@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_numbers_of_unusual_precision(dtype, optimize):
    ones = np.ones(2, dtype)
    for f in (lambda a: tj.fixed_point(lambda x: np.cos(a * x), ones),
              lambda a: tj.root(lambda x: np.cos(a * x) - x, ones)):  # fmt: skip
        df = tj.value_and_grad(lambda a, f=f: np.sum(f(a)), optimize=optimize)
        for _ in range(CALLS):
            value, gradient = df(ones)
            assert value.dtype == gradient.dtype == dtype
            rtol = 3e-2 if dtype is np.float16 else 1e-9
            np.testing.assert_allclose(value, 2 * 0.7390851332151607, rtol=rtol)
            np.testing.assert_allclose(gradient, -0.2974743415096 * ones, rtol=rtol)


@MODES
def test_functions_that_do_not_depend_on_the_unknown(optimize):
    def f(a):
        given, fixed = np.ones(3) * a, np.ones(3)
        return np.sum(
            tj.fixed_point(lambda x: given, np.zeros(3)) + tj.fixed_point(lambda x: fixed, fixed)
        )

    df = tj.value_and_grad(f, optimize=optimize)
    for a in (2.0, 3.0, 4.0):
        np.testing.assert_allclose(df(a), (3.0 * a + 3.0, 3.0))


@MODES
def test_writing_in_the_function_and_to_the_solution(optimize):
    def f(b):
        def step(x):
            y = np.zeros(3)
            y[:] = 0.5 * x
            y[1:] += b[1:]
            y[0] += b[0]
            return y

        x = tj.fixed_point(step, np.zeros(3))
        x[0] = x[1] * x[2]
        x *= b
        return np.sum(x)

    df, at = tj.grad(f, optimize=optimize), np.array([1.0, 2.0, 3.0])
    for b in (at, 2.0 * at, at + 1.0):
        np.testing.assert_allclose(df(b), 4.0 * np.prod(b) / b + np.where(np.arange(3), 4 * b, 0))
    assert df.cache_info().direct == 0, df.explain()


@MODES
def test_a_traced_function_as_the_equation(optimize):
    step = tj.jit_grad(lambda x, b: np.tanh(A @ x + b), withGradients=False)
    df = tj.grad(lambda b: np.sum(tj.fixed_point(step, np.zeros(5), b)), optimize=optimize)
    expected = tj.grad(lambda b: np.sum(equilibrium({"w": A, "u": np.eye(5)}, b)))
    for b in (B, V, B + V):
        np.testing.assert_allclose(df(b), expected(b))


@MODES
def test_one_equation_after_the_other(optimize):
    def f(b):
        total = np.zeros(5)
        for t in range(6):
            total = total + tj.fixed_point(lambda x, t=t: np.tanh(A @ x + b * t), 0.1 * total)
        return np.sum(total)

    df = tj.grad(f, optimize=optimize)
    single = tj.grad(lambda b: np.sum(equilibrium({"w": A, "u": np.eye(5)}, b)))
    for b in (B, V, B + V):
        expected = sum(t * single(b * t) for t in range(6))
        np.testing.assert_allclose(df(b), expected, rtol=1e-9, atol=1e-12)
    assert df.cache_info().direct == 0, df.explain()


@MODES
def test_third_derivatives(optimize):
    f = lambda b: np.sum(equilibrium({"w": A, "u": np.eye(5)}, b))
    size = lambda b: np.sum(tj.hessian(f, optimize=optimize)(b) ** 2)
    step = 1e-5
    expected = (size(B + step * V) - size(B - step * V)) / (2 * step)
    df = tj.grad(size, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(B) @ V, expected, rtol=1e-6)


@MODES
def test_functions_with_checkpoints(optimize):
    step = lambda b: lambda x: tj.checkpoint(lambda y: np.tanh(A @ y + b))(x)
    inside = lambda b: np.sum(tj.fixed_point(step(b), np.zeros(5)))
    around = lambda b: tj.checkpoint(lambda b: linear(A, b))(b)
    for f, plain in ((inside, lambda b: np.sum(equilibrium({"w": A, "u": np.eye(5)}, b))),
                     (around, lambda b: solved_linear(A, b))):  # fmt: skip
        df, expected = tj.grad(f, optimize=optimize), tj.grad(plain)
        for b in (B, V, B + V):
            np.testing.assert_allclose(df(b), expected(b))


def test_iterations_are_not_recorded():
    df = tj.grad(cosine)
    df(1.0)
    assert df.source(1.0).count("np.cos") <= 1 and len(df.graph(1.0).nodes) < 40


def test_nothing_to_solve():
    for call in (tj.fixed_point, tj.root):
        for _ in range(CALLS):
            assert call(lambda x: 2.0 * x, np.zeros((0, 2))).shape == (0, 2)


# -- what is refused -------------------------------------------------------------------------------

RUNS_AWAY = {
    "away": (lambda a: tj.fixed_point(lambda x: x * x + a, 1.0), "not finite in iteration"),
    "swinging": (
        lambda a: tj.fixed_point(lambda x: a - x, 0.0),
        r"not settled after 1000 iterations: .* changes x by 1\.5, .* \(a change of .* Damp",
    ),
    "slow": (
        lambda a: tj.fixed_point(lambda x: 0.99 * x + a, 0.0, maxiter=50), "settled after 50"
    ),
    "creeping": (lambda a: tj.fixed_point(lambda x: a * np.sin(x / a), 1.0), "changes x by"),
    "no root": (lambda a: tj.root(lambda x: x**2 + a, 1.0), r"root has found no solution.*hybr"),
    "no equation": (
        lambda a: tj.root(lambda x: 0.0 * x + a, 1.0),
        r"f\(x\) are still up to 1\.5, and Newton's method meets a singular Jacobian",
    ),
    "a start that is not finite": (
        lambda a: tj.root(lambda x: np.log(x) - a, -1.0, method="krylov"), "f.x. is not finite"
    ),
    "one of two": (
        lambda a: sum(tj.fixed_point(lambda x: {"u": 0.0, "v": a - x["v"]}, {"u": 1.0, "v": 0.0})
                      .values()), r'changes x\["v"\] by 1\.5',
    ),
}  # fmt: skip


@MODES
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("f", "said"), RUNS_AWAY.values(), ids=RUNS_AWAY)
def test_what_does_not_converge(f, said, optimize):
    df = tj.grad(f, optimize=optimize)
    for call in (df, df, df, f):
        with pytest.raises(ConvergenceError, match=said) as caught:
            call(1.5)
        said_where = [str(caught.value), *getattr(caught.value, "__notes__", [])]
        assert "test_implicit.py:" in "".join(said_where)


@MODES
def test_what_does_not_converge_at_a_later_call(optimize):
    df = tj.grad(lambda a: tj.fixed_point(lambda x: a * x + 1.0, 0.0), optimize=optimize)
    for _ in range(2):
        for a in (0.5, 0.2, 0.5):
            np.testing.assert_allclose(df(a), 1 / (1 - a) ** 2)
        with pytest.raises(ConvergenceError, match="not settled"):
            df(1.0)


SINGULAR = {
    "a double root": lambda a: tj.root(lambda x: (x - a) ** 2, 1.5),
    "equal equations": lambda a: np.sum(
        tj.root(lambda x: np.stack([x[0] + x[1] - a, 2 * (x[0] + x[1] - a)]), np.array([0.5, 1.0]))
    ),
    "every point is fixed": lambda a: tj.fixed_point(lambda x: x + 0.0 * a, 1.5),
}


@MODES
@pytest.mark.parametrize("f", SINGULAR.values(), ids=SINGULAR)
def test_solutions_without_a_derivative(f, optimize):
    df = tj.grad(f, optimize=optimize)
    for _ in range(CALLS):
        with pytest.raises(ConvergenceError, match=r"(?s)has no derivative: the Jacobian there is"):
            df(1.5)


@MODES
def test_a_gradient_that_needs_more_iterations_than_allowed(optimize):
    size = DENSE + 1

    def f(a):
        return np.sum(tj.fixed_point(lambda x: 0.9 * x + a, np.full(size, 10.0), maxiter=20) ** 2)

    df = tj.grad(f, optimize=optimize)
    for _ in range(CALLS):
        with pytest.raises(ConvergenceError, match="the gradient of fixed_point has not settled"):
            df(np.ones(size))


def test_other_units_are_not_singular():
    f = lambda a: tj.root(lambda x: np.stack([1e-9 * (x[0] - 1e9 * a), 1e8 * (x[1] * 1e6 - a)]),
                          np.array([1e9, 1e-6]))  # fmt: skip
    np.testing.assert_allclose(tj.jacobian(f)(1.5), [1e9, 1e-6])


WRONG = {
    "shape": (lambda a: tj.fixed_point(lambda x: np.ones(2) * a, np.ones(3)), ShapeError,
              r"returns the shape \(2,\) for x, whose shape is \(3,\)"),
    "shape inside": (
        lambda a: tj.fixed_point(lambda x: {"u": [a, x["u"][1][:1]]}, {"u": [1.0, np.ones(2)]}),
        ShapeError, r'shape \(1,\) for x\["u"\]\[1\], whose shape is \(2,\)'),
    "a number for an array": (lambda a: tj.fixed_point(lambda x: a, np.ones(3)), ShapeError,
                              r"the shape \(\) for x"),
    "precision": (
        lambda a: tj.fixed_point(lambda x: np.cos(x) * np.ones(2) * a, np.ones(2, np.float32)),
        ParameterTypeError, "returns float64 for x, which is float32; begin with that dtype"),
    "structure": (lambda a: tj.fixed_point(lambda x: [x["a"]], {"a": 1.0}), ShapeError,
                  "returns a list with 0 where x has a dict with 'a'"),
    "keys": (lambda a: tj.fixed_point(lambda x: {"b": a}, {"a": 1.0}), ShapeError,
             "returns a dict with 'b' where x has a dict with 'a'"),
    "a container": (lambda a: tj.fixed_point(lambda x: [a], 1.0), ShapeError,
                    "returns a list with 0 where x has a number or array"),
    "nothing": (lambda a: tj.fixed_point(lambda x: None, 1.0), ParameterTypeError,
                "returns a NoneType; it has to return real numbers"),
    "complex result": (lambda a: tj.root(lambda x: x * 1j * a, 1.0), ParameterTypeError,
                       "returns complex128 numbers"),
    "too few equations": (lambda a: tj.root(lambda x: np.sum(x) - a, np.ones(2)), ShapeError,
                          "returns 1 numbers for 2 in x; there have to be as many equations"),
    "complex start": (lambda a: tj.root(lambda x: x - a, 1j), ParameterTypeError,
                      "x begins with complex128 numbers.* real and imaginary parts"),
    "start of a string": (lambda a: tj.root(lambda x: a, {"u": "1"}), ParameterTypeError,
                          r'x\["u"\] begins with a str'),
    "a flag": (lambda a: tj.fixed_point(lambda x: a, True), ParameterTypeError,
               "x begins with bool"),
    "method": (lambda a: tj.root(lambda x: x - a, 1.0, method="newton"), ConfigError,
               "method='newton' is not allowed; use one of hybr"),
    "rtol": (lambda a: tj.root(lambda x: x - a, 1.0, rtol=-1.0), ConfigError, "rtol=-1.0 is not"),
    "maxiter": (lambda a: tj.fixed_point(lambda x: a, 1.0, maxiter=0), ConfigError, "maxiter=0"),
    "a branch on x": (
        lambda a: tj.fixed_point(lambda x: 0.5 * x + a if x < 1.0 else 0.3 * x + a, 0.0),
        UnsupportedError, "given to fixed_point goes another way .* np.where"),
    "random numbers": (lambda a: tj.fixed_point(lambda x: 0.5 * x + np.random.rand(), 0.0),
                       UnsupportedError, "given to fixed_point .* draws random numbers"),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "error", "said"), WRONG.values(), ids=WRONG)
def test_what_is_refused(f, error, said, optimize):
    df = tj.grad(f, optimize=optimize)
    for call in (df, df, f):
        with pytest.raises(error, match=f"(?s){said}"):
            call(1.5)


def test_not_a_function():
    with pytest.raises(TypeError, match=r"root\(\) takes a function, not a float"):
        tj.root(1.0, 2.0)


def test_gradcheck_agrees():
    assert tj.gradcheck(lambda a, b: linear(a, b) + linear_root(a, b), A, B, order=2)


@MODES
@pytest.mark.parametrize("unit", [1e-23, 1e-12, 1.0, 1e20])
def test_solutions_of_any_unit(unit, optimize):
    settled = tj.fixed_point(lambda x, c: 0.9 * x + c, 0.0, unit, optimize=optimize)
    np.testing.assert_allclose(settled, 10.0 * unit, rtol=1e-10)
    away = tj.fixed_point(lambda x: 2 * x * (1 - x / unit), 1e-3 * unit, optimize=optimize)
    np.testing.assert_allclose(away, 0.5 * unit, rtol=1e-10)
    roots = tj.root(lambda x, c: x**2 - c**2, 3.0 * unit, unit, optimize=optimize)
    np.testing.assert_allclose(roots, unit, rtol=1e-10)


@pytest.mark.parametrize("unit", [1e-23, 1e-20])
def test_small_numbers_are_no_solution(unit):
    with pytest.raises(ConvergenceError, match="has found no solution"):
        tj.root(lambda x: (x / unit) ** 2 + 1.0, 10.0 * unit)


@MODES
@pytest.mark.parametrize("start", [0.0, 1e-3, np.zeros(3)])
def test_solutions_of_zero_among_rounding_errors(start, optimize):
    found = tj.root(lambda x: np.sin(x + np.pi), start, optimize=optimize)
    np.testing.assert_allclose(found, 0.0, atol=1e-15)
