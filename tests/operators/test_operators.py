"""Differential operators: against closed forms, identities between the modes, and any nesting."""

import numpy as np
import pytest
from scipy.optimize import rosen_der, rosen_hess, rosen_hess_prod

import tracejit as tj
from tests.support import CALLS, MODES, numeric, spaced
from tracejit.errors import ConfigError, NotScalarError, ParameterTypeError, ShapeError

X, V = np.linspace(-1, 2, 6), np.arange(6.0)
Z, W = spaced(-1.3, 1.6, (4,), complex, 1), spaced(0.4, 1.9, (4,), complex, 2)

MATRIX = np.random.default_rng(0).normal(size=(6, 6))
SYMMETRIC = MATRIX + MATRIX.T


def rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def weighted(a, b, c):
    return np.sum(a * b["u"] ** 2 * c)


def with_aux(x):
    return rosen(x), {"twice": 2.0 * x}


def turned(x):
    """A map of six numbers to four, through all kinds of operations."""
    return np.tanh(np.outer(x[:2], x[2:4]) @ x[4:]).repeat(2) * np.sum(np.exp(0.1 * x))


@MODES
def test_gradients(optimize):
    first, both = tj.grad(rosen, optimize=optimize), tj.value_and_grad(rosen, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(first(X), rosen_der(X))
        value, gradient = both(X)
        assert np.isclose(value, rosen(X))
        np.testing.assert_allclose(gradient, rosen_der(X))
    assert first.cache_info().direct == both.cache_info().direct == 0


@MODES
def test_further_outputs(optimize):
    for _ in range(CALLS):
        (value, aux), gradient = tj.value_and_grad(with_aux, has_aux=True, optimize=optimize)(X)
        assert np.isclose(value, rosen(X))
        np.testing.assert_allclose(aux["twice"], 2.0 * X)
        np.testing.assert_allclose(gradient, rosen_der(X))
        gradient, aux = tj.grad_and_aux(with_aux, optimize=optimize)(X)
        np.testing.assert_allclose(aux["twice"], 2.0 * X)
        np.testing.assert_allclose(gradient, rosen_der(X))


@MODES
@pytest.mark.parametrize("argnum", [0, 1, 2, (0,), (1, 0), (2, 0, 1)])
def test_gradients_by_several_arguments(argnum, optimize):
    b = {"u": X + 1.0}
    expected = {0: (X + 1.0) ** 2 * 2.0, 1: {"u": 4.0 * X * (X + 1.0)}, 2: np.sum(X * b["u"] ** 2)}
    df = tj.grad(weighted, argnum, optimize=optimize)
    for _ in range(CALLS):
        found = df(X, b, c=2.0)
        pairs = zip(argnum, found, strict=True) if type(argnum) is tuple else [(argnum, found)]
        for number, gradient in pairs:
            np.testing.assert_equal(type(gradient), type((X, b, 2.0)[number]))
            if number == 1:
                gradient, wanted = gradient["u"], expected[1]["u"]
            else:
                wanted = expected[number]
            np.testing.assert_allclose(gradient, wanted)


@MODES
def test_jit_grad_takes_several_arguments_too(optimize):
    df = tj.jit_grad(weighted, argnum=(2, 0), optimize=optimize)
    for _ in range(CALLS):
        (c, a), value = df(X, {"u": X}, 2.0)
        np.testing.assert_allclose([c, value], [np.sum(X**3), 2 * np.sum(X**3)])
        np.testing.assert_allclose(a, 2.0 * X**2)


@MODES
@pytest.mark.parametrize("order", [1, 2, 4])
def test_nth_derivatives(order, optimize):
    t = np.tanh(X)
    closed = {1: 1 - t**2, 2: -2 * t * (1 - t**2), 4: 8 * t * (1 - t**2) * (2 - 3 * t**2)}
    d = np.tanh
    for _ in range(order):
        d = tj.elementwise_grad(d, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(d(X), closed[order], rtol=1e-9, atol=1e-12)


@MODES
def test_products_with_the_hessian(optimize):
    product = tj.hvp(rosen, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(product(X, V), rosen_hess_prod(X, V))
    nested = tj.hvp(lambda p, s: np.sum(p["w"] ** 3) * s, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(nested({"w": X}, 2.0, {"w": V})["w"], 12.0 * X * V)


@MODES
def test_forward_and_reverse_mode_agree(optimize):
    cotangent = np.array([0.3, -1.0, 0.7, 2.0])
    for _ in range(CALLS):
        out, tangent = tj.jvp(turned, (X,), (V,), optimize=optimize)
        same, pull = tj.vjp(turned, X, optimize=optimize)
        np.testing.assert_allclose(out, turned(X))
        np.testing.assert_allclose(same, turned(X))
        np.testing.assert_allclose(tangent @ cotangent, pull(cotangent) @ V)
        step = 1e-6
        numeric_tangent = (turned(X + step * V) - turned(X - step * V)) / (2 * step)
        np.testing.assert_allclose(tangent, numeric_tangent, rtol=1e-6)


@MODES
def test_several_primals_in_structures(optimize):
    f = lambda a, b: np.sum(a["u"] * b) * np.array([1.0, 2.0])
    for _ in range(CALLS):
        _, tangent = tj.jvp(f, ({"u": X}, 2.0), ({"u": V}, 0.5), optimize=optimize)
        both = np.sum(V) * 2.0 + np.sum(X) * 0.5
        np.testing.assert_allclose(tangent, [both, 2 * both])
        _, pull = tj.vjp(f, {"u": X}, 2.0, optimize=optimize)
        by_a, by_b = pull(np.array([1.0, 1.0]))
        np.testing.assert_allclose(by_a["u"], np.full(6, 6.0))
        np.testing.assert_allclose(by_b, 3 * np.sum(X))


@MODES
@pytest.mark.parametrize(
    "f", [lambda z: z * np.exp(z), lambda z: np.abs(z) * z, lambda z: np.conj(z) * z[0]],
    ids=["holomorphic", "abs", "conj"],
)  # fmt: skip
def test_complex_directions(f, optimize):
    _, tangent = tj.jvp(f, (Z,), (W,), optimize=optimize)
    step = 1e-6
    np.testing.assert_allclose(tangent, (f(Z + step * W) - f(Z - step * W)) / (2 * step), 1e-6)
    _, pull = tj.vjp(f, Z, optimize=optimize)
    np.testing.assert_allclose(pull(W), numeric(f, (Z,), (), W)[0], 1e-6, 1e-6)


@MODES
def test_holomorphic_functions(optimize):
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.holomorphic_grad(np.exp, optimize=optimize)(1j), np.exp(1j))
        df = tj.holomorphic_grad(lambda z: z**3 * np.sin(z), optimize=optimize)
        np.testing.assert_allclose(df(Z), 3 * Z**2 * np.sin(Z) + Z**3 * np.cos(Z))


@MODES
def test_several_gradients(optimize):
    a, c = tj.multigrad(weighted, (0, 2), optimize=optimize)(X, {"u": X}, 2.0)
    np.testing.assert_allclose(a, 2 * X**2)
    np.testing.assert_allclose(c, np.sum(X**3))


@MODES
def test_gauss_newton_products(optimize):
    residuals = lambda w, s: np.tanh(MATRIX @ w) * s
    jacobian = (1 - np.tanh(MATRIX @ X) ** 2)[:, None] * MATRIX * 2.0
    out = residuals(X, 2.0)
    for _ in range(CALLS):
        found = tj.ggnvp(residuals, optimize=optimize)(X, 2.0, V)
        np.testing.assert_allclose(found, jacobian.T @ (jacobian @ V))
        cubes = tj.ggnvp(residuals, lambda y: np.sum(y**3), optimize=optimize)(X, 2.0, V)
        np.testing.assert_allclose(cubes, jacobian.T @ (6 * out * (jacobian @ V)))


@MODES
def test_linearize(optimize):
    out, push = tj.linearize(turned, X, optimize=optimize)
    np.testing.assert_allclose(out, turned(X))
    for direction in (V, X, V):
        expected = tj.jvp(turned, (X,), (direction,), optimize=optimize)[1]
        np.testing.assert_allclose(push(direction), expected)


@MODES
def test_derivatives_by_a_number(optimize):
    d = tj.deriv(lambda t: np.stack([np.cos(t), np.sin(t)]), optimize=optimize)
    second = tj.deriv(d, optimize=optimize)
    for t in (0.0, 0.3, -1.2):
        np.testing.assert_allclose(d(t), [-np.sin(t), np.cos(t)])
        np.testing.assert_allclose(second(t), [-np.cos(t), -np.sin(t)])
    with pytest.raises(ShapeError, match=r"by a number; argument 0 has the shape \(6,\)"):
        tj.deriv(np.sin, optimize=optimize)(X)


@MODES
def test_modes_nest_in_every_order(optimize):
    first = tj.grad(rosen, optimize=optimize)
    _, forward_over_reverse = tj.jvp(first, (X,), (V,), optimize=optimize)
    along = lambda x: tj.jvp(rosen, (x,), (V,), optimize=optimize)[1]
    reverse_over_forward = tj.grad(along, optimize=optimize)(X)
    forward_over_forward = tj.jvp(along, (X,), (V,), optimize=optimize)[1]
    expected = rosen_hess(X) @ V
    np.testing.assert_allclose(forward_over_reverse, expected)
    np.testing.assert_allclose(reverse_over_forward, expected)
    np.testing.assert_allclose(forward_over_forward, V @ expected)


@MODES
def test_no_perturbation_confusion(optimize):
    inner = lambda x: x * tj.grad(lambda y: x * y, optimize=optimize)(2.0)
    assert tj.grad(inner, optimize=optimize)(3.0) == 6.0
    nested = lambda x: x * tj.deriv(lambda y: x + y, optimize=optimize)(1.0)
    assert tj.deriv(nested, optimize=optimize)(1.0) == 1.0
    mixed = lambda x: x * tj.grad(lambda y: x * y * y, optimize=optimize)(x)
    assert tj.deriv(mixed, optimize=optimize)(2.0) == 24.0


MAPS = {
    "elementwise": lambda x: np.sin(x) * x[0],
    "product": lambda x: np.tanh(MATRIX @ x),
    "product from the left": lambda x: np.tanh(x @ MATRIX),
    "products of matrices": lambda x: np.outer(x, x) @ MATRIX @ np.outer(x, np.sin(x)),
    "quadratic form": lambda x: x @ MATRIX @ x,
    "equations": lambda x: np.linalg.solve(MATRIX + np.diag(x), x),
    "eigenvalues": lambda x: np.linalg.eigh(np.outer(x, x) + SYMMETRIC)[0],
    "sorted and summed": lambda x: np.stack([np.cumsum(x), np.sort(x)]),
    "norm": lambda x: np.sum(x**2),
    "joined": lambda x: np.concatenate([x, x[::-1] * 2.0, x**2]),
    "few of many": lambda x: np.mean(x.reshape(2, 3) ** 2, axis=0),
    "kept axes": lambda x: x / np.sum(np.abs(x), keepdims=True),
    "transform": lambda x: np.abs(np.fft.rfft(x * x)),
    "gathered": lambda x: np.where(x > 0, x, x**2)[np.array([0, 0, 2])],
    "gathered with a number": lambda x: np.multiply.outer(
        x.reshape(1, 2, 3)[np.array([0, 0, 0, 0]), :, 1], np.array([1.0, 2.0, 3.0])
    ),
    "gathered between slices": lambda x: np.tile(
        x.reshape(2, 3, 1)[:, np.array([2, 0]), None, 0] ** 2, (1, 2, 3)
    ),
    "gathered twice": lambda x: np.tile(
        np.tanh(x.reshape(2, 3)[np.array([0, 1, 1]), np.array([2, 0, 0])]), 4
    ),
    "a number of many": lambda x: np.sum(np.cosh(x)) * np.arange(1.0, 9.0),
    "largest": lambda x: np.max(x.reshape(2, 3), axis=1)[:, None] * np.ones((2, 4)),
    "repeated": lambda x: np.tile(x[:2], 4) * np.repeat(x[2:4], 4),
    "written to": lambda x: _written(x),
    "turned": turned,
}


def _written(x):
    z = np.zeros((2, 4))
    z[0, :2] = x[:2] ** 2
    z[1, 1:] += x[3:] * x[0]
    return z


def differences(f, x, step=1e-6):
    """The Jacobian by central differences."""
    columns = [(f(x + e) - f(x - e)) / (2 * step) for e in step * np.eye(x.size)]
    return np.stack(columns, axis=-1)


@MODES
@pytest.mark.parametrize("f", MAPS.values(), ids=MAPS)
def test_jacobians(f, optimize):
    df = tj.jacobian(f, optimize=optimize)
    for x in (X + 0.1, X + 0.1, np.cos(X) + 0.2):
        np.testing.assert_allclose(df(x), differences(f, x), rtol=1e-5, atol=1e-6)
    assert df.cache_info().direct == 0


@MODES
def test_jacobians_of_structures_and_numbers(optimize):
    f = lambda p, s: np.outer(p["a"], p["b"]) * s
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    for _ in range(CALLS):
        found = tj.jacobian(f, optimize=optimize)({"a": a, "b": b}, 2.0)
        np.testing.assert_allclose(found["a"], 2 * np.einsum("ij,k->ikj", np.eye(2), b))
        np.testing.assert_allclose(found["b"], 2 * np.einsum("i,jk->ijk", a, np.eye(3)))
        by_number = tj.jacobian(f, 1, optimize=optimize)({"a": a, "b": b}, 2.0)
        np.testing.assert_allclose(by_number, np.outer(a, b))


@MODES
def test_hessians(optimize):
    df = tj.hessian(rosen, optimize=optimize)
    for x in (X, X, X[::-1].copy()):
        np.testing.assert_allclose(df(x), rosen_hess(x), atol=1e-9)
    features, w = np.random.default_rng(1).normal(size=(20, 5)), np.linspace(-0.3, 0.4, 5)
    p = 1 / (1 + np.exp(-features @ w))
    f = lambda w: np.sum(np.logaddexp(0, features @ w))
    expected = (features.T * (p * (1 - p))) @ features
    np.testing.assert_allclose(tj.hessian(f, optimize=optimize)(w), expected)
    by_matrix = tj.hessian(lambda m: np.sum(m**3), optimize=optimize)(X.reshape(2, 3))
    np.testing.assert_allclose(by_matrix.reshape(6, 6), np.diag(6 * X))


def test_a_jacobian_is_one_pass_over_stacks():
    df = tj.jacobian(lambda x: np.tanh(MATRIX @ x))
    for _ in range(CALLS):
        df(X)
    text = df.source(X)
    assert text.count(".dot(") == 1 and "for " not in text
    assert tj.hessian(rosen) is tj.hessian(rosen)


SCALE = 1.0


def test_what_the_function_reads_is_read_at_every_call(monkeypatch):
    product = tj.hvp(lambda x: np.sum(SCALE * x**3))
    for scale in (1.0, 2.0, 3.0, 4.0):
        monkeypatch.setattr(f"{__name__}.SCALE", scale)
        np.testing.assert_allclose(product(X, V), 6 * scale * X * V)
    assert product.cache_info().direct == 0


def test_in_a_loop_nothing_is_recorded_again():
    for _ in range(CALLS):
        tj.grad(rosen)(X)
        tj.jvp(turned, (X,), (V,))
        tj.hvp(rosen)(X, V)
    assert tj.hvp(rosen) is tj.hvp(rosen)
    assert tj.grad(rosen).cache_info().size == 1


@MODES
def test_bad_input_gets_a_clear_error(optimize):
    with pytest.raises(NotScalarError, match="one output; it returns 2"):
        tj.value_and_grad(with_aux, optimize=optimize)(X)
    with pytest.raises(NotScalarError, match="a tuple of two outputs"):
        tj.grad_and_aux(rosen, optimize=optimize)(X)
    with pytest.raises(ParameterTypeError, match="argument 3 holds"):
        tj.grad(rosen, (0, 3), optimize=optimize)(X)
    with pytest.raises(ConfigError, match="argnum"):
        tj.grad(rosen, (), optimize=optimize)
    with pytest.raises(TypeError, match="takes a function"):
        tj.grad(3.0, optimize=optimize)
    with pytest.raises(ShapeError, match=r"\(6,\); its shape is \(2,\)"):
        tj.jvp(turned, (X,), (V[:2],), optimize=optimize)
    with pytest.raises(ShapeError, match="structure"):
        tj.hvp(rosen, optimize=optimize)(X, {"v": V})


@MODES
def test_elementwise_derivatives_are_no_sums(optimize):
    product = tj.elementwise_grad(lambda x, c: x * c, optimize=optimize)
    np.testing.assert_array_equal(product(np.ones(3), np.arange(3.0)), np.arange(3.0))
    for x, c in ((2.0, np.ones(3)), (np.ones((2, 1)), np.ones(3))):
        with pytest.raises(ShapeError, match=r"x has the shape .*, the output .*deriv"):
            product(x, c)


@pytest.mark.parametrize("operator", [tj.jacobian, tj.hessian])
@pytest.mark.parametrize("x", [0.3, np.float64(0.3), np.array(0.3)], ids=["float", "f8", "array"])
def test_derivatives_by_a_number_have_no_stacks(operator, x):
    df = operator(lambda x: x**3)
    expected = operator(lambda x: x**3, optimize=False)(x)
    for _ in range(CALLS):
        found = df(x)
        assert type(found) is np.ndarray
        assert found.shape == ()
        np.testing.assert_allclose(found, expected)
    assert not any(word in df.source(x) for word in ("broadcast_to", "reshape"))
