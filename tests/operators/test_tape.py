"""What derivatives are by and of: arguments in every form, structures, numbers of every kind."""

import functools
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES, spaced
from tracejit.errors import (
    ConfigError,
    NotScalarError,
    ParameterTypeError,
    ShapeError,
    UnsupportedError,
)

X, V = spaced(-1.2, 1.7, (3,)), spaced(0.3, 2.0, (3,), seed=1)
Z, W = spaced(-1.3, 1.6, (3,), complex, 1), spaced(0.4, 1.9, (3,), complex, 2)
Pair = namedtuple("Pair", "w b")


@dataclass
class Layer:
    w: object
    b: object


def by_default(x, scale=V, *, power=3.0):
    return np.sum(scale * x**power)


class Model:
    def __init__(self, scale):
        self.scale = scale

    def loss(self, x):
        return np.sum(self.scale * x**3)

    __call__ = loss


WAYS = {
    "positional": (lambda x, s: np.sum(s * x**3), (X, V), {}),
    "by keyword": (lambda x, s: np.sum(s * x**3), (X,), {"s": V}),
    "keyword only": (lambda x, *, s: np.sum(s * x**3), (X,), {"s": V}),
    "default": (by_default, (X,), {}),
    "default and keyword": (by_default, (X,), {"power": 3.0}),
    "any number": (lambda *a: np.sum(a[1] * a[0] ** 3), (X, V), {}),
    "any keywords": (lambda x, **k: np.sum(k["s"] * x**3), (X,), {"s": V}),
    "method": (Model(V).loss, (X,), {}),
    "object": (Model(V), (X,), {}),
    "partial": (functools.partial(by_default, power=3.0), (X,), {}),
}


@MODES
@pytest.mark.parametrize(("f", "args", "kwargs"), WAYS.values(), ids=WAYS)
def test_every_way_of_passing_arguments(f, args, kwargs, optimize):
    slope, curve = 3 * V * X**2, np.diag(6 * V * X)
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.grad(f, optimize=optimize)(*args, **kwargs), slope)
        np.testing.assert_allclose(tj.jacobian(f, optimize=optimize)(*args, **kwargs), slope)
        np.testing.assert_allclose(tj.hessian(f, optimize=optimize)(*args, **kwargs), curve)
        product = tj.hvp(f, optimize=optimize)(*args, V, **kwargs)
        np.testing.assert_allclose(product, curve @ V)
        gauss = tj.ggnvp(f, optimize=optimize)(*args, V, **kwargs)
        np.testing.assert_allclose(gauss, slope * (slope @ V))


@MODES
def test_arguments_without_a_place_of_their_own(optimize):
    """Defaults and keywords are numbered as parameters, so they can be differentiated by, too."""
    cube = X**3
    for given, kwargs in ((X,), {}), ((X,), {"scale": V}):
        for derive in (tj.grad, tj.jacobian):
            found = derive(by_default, 1, optimize=optimize)(*given, **kwargs)
            np.testing.assert_allclose(found, cube)
        by_both = tj.hvp(by_default, (0, 1), optimize=optimize)(*given, (V, X), **kwargs)
        np.testing.assert_allclose(by_both[0], 6 * V * X * V + 3 * X**2 * X)
        np.testing.assert_allclose(by_both[1], 3 * X**2 * V)
    f = lambda a, b=2.0: a * b**2
    np.testing.assert_allclose(tj.deriv(f, 1, optimize=optimize)(3.0), 12.0)
    np.testing.assert_allclose(tj.deriv(f, 1, optimize=optimize)(3.0, b=4.0), 24.0)


OPERATORS = {
    "jacobian": lambda f, **k: tj.jacobian(f, **k),
    "hessian": lambda f, **k: tj.hessian(f, **k),
    "hvp": lambda f, **k: lambda x: tj.hvp(f, **k)(x, V),
    "jvp": lambda f, **k: lambda x: tj.jvp(f, (x,), (V,), **k)[1],
    "vjp": lambda f, **k: lambda x: tj.vjp(f, x, **k)[1](1.0),
    "linearize": lambda f, **k: lambda x: tj.linearize(f, x, **k)[1](V),
    "grad inside": lambda f, **k: _of_gradient(tj.grad(f), **k),
}


def _of_gradient(df, **options):
    return tj.grad(lambda x: np.sum(df(x)), **options)


@MODES
@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_defaults_are_read_at_every_call(operator, optimize):
    scale = np.ones(3)

    def f(x, scale=scale):
        return np.sum(scale * x**3)

    made = operator(f, optimize=optimize)
    first = [made(X) for _ in range(CALLS)][-1]
    scale *= 2.0
    np.testing.assert_allclose(made(X), 2.0 * first)
    f.__defaults__ = (np.full(3, 5.0),)
    np.testing.assert_allclose(made(X), 5.0 * first)


def test_arguments_that_are_not_there():
    f = lambda a, b: np.sum(a * b)
    for derive in (tj.grad, tj.jacobian, tj.hessian, tj.deriv):
        with pytest.raises(ParameterTypeError, match="argument 2 holds the parameters; 2 given"):
            derive(f, 2)(X, V)
    for derive in (tj.hvp, lambda f, n: tj.ggnvp(f, argnum=n)):
        with pytest.raises(ParameterTypeError, match="argument 2 holds the parameters; 2 given"):
            derive(f, 2)(X, V, V)
    for wrong in (-1, (0, -1), "a", [0], True, ()):
        for derive in (tj.grad, tj.jacobian, tj.hessian, tj.hvp, tj.deriv):
            with pytest.raises(ConfigError, match=r"argnum=.* counted from 0"):
                derive(f, wrong)
    for args in ((), (X,), (X, V)):
        with pytest.raises(TypeError, match="takes f's arguments, then the vector"):
            tj.hvp(f)(*args)
    with pytest.raises(ShapeError, match=r"argument \(0, 1\) is a tuple"):
        tj.deriv(f, (0, 1))(1.0, 2.0)


# -- structures ------------------------------------------------------------------------------------


def nested(p):
    pair, _, layer, *_ = p
    total = np.sum(pair.w["u"] ** 2) * pair.b + np.sum(layer.w**3)
    return {"total": total, "parts": (layer.w * pair.b, [np.sum(pair.w["u"])]), "name": "n", "k": 3}


P = [Pair({"u": X}, 2.0), None, Layer(V, "relu"), {}, ()]
Q = [Pair({"u": V}, 0.5), None, Layer(X, "relu"), {}, ()]


@MODES
def test_structures_in_and_out(optimize):
    for _ in range(CALLS):
        out, tangent = tj.jvp(nested, (P,), (Q,), optimize=optimize)
        assert out["name"] == "n" and out["k"] == 3 and tangent["name"] is None
        total = 2 * X @ V * 2.0 + X @ X * 0.5 + np.sum(3 * V**2 * X)
        np.testing.assert_allclose(tangent["total"], total)
        np.testing.assert_allclose(tangent["parts"][0], X * 2.0 + V * 0.5)
        np.testing.assert_allclose(tangent["parts"][1][0], np.sum(V))
        assert tangent["k"] == 0.0
        same, pull = tj.vjp(nested, P, optimize=optimize)
        pulled = pull({"total": 2.0, "parts": (V, [3.0]), "name": "n", "k": 0})
        assert type(pulled[0]) is Pair and type(pulled[2]) is Layer and pulled[2].b is None
        np.testing.assert_allclose(pulled[0].w["u"], 8.0 * X + 3.0)
        np.testing.assert_allclose(pulled[0].b, 2.0 * X @ X + V @ V)
        np.testing.assert_allclose(pulled[2].w, 6 * V**2 + 2.0 * V)
        all_of_them = tj.jacobian(nested, optimize=optimize)(P)
        assert all_of_them["name"] is None and all_of_them["parts"][1][0][1] is None
        np.testing.assert_allclose(all_of_them["total"][0].w["u"], 4 * X)
        np.testing.assert_allclose(all_of_them["parts"][0][2].w, 2.0 * np.eye(3))
        np.testing.assert_allclose(all_of_them["parts"][0][0].b, V)
        np.testing.assert_allclose(all_of_them["k"][0].w["u"], np.zeros(3))


@MODES
def test_hessians_of_structures(optimize):
    f = lambda p, s: np.sum(p["a"] ** 2) * p["b"] * s
    for _ in range(CALLS):
        found = tj.hessian(f, (0, 1), optimize=optimize)({"a": X, "b": 2.0}, 3.0)
        np.testing.assert_allclose(found[0]["a"][0]["a"], 12.0 * np.eye(3))
        np.testing.assert_allclose(found[0]["a"][0]["b"], 6.0 * X)
        np.testing.assert_allclose(found[0]["b"][1], X @ X)
        np.testing.assert_allclose(found[1][0]["a"], 4.0 * X)
        np.testing.assert_allclose(found[1][1], 0.0)


@MODES
def test_tuples_of_outputs(optimize):
    f = lambda x: (x * 2.0, np.sum(x))
    for _ in range(CALLS):
        assert type(tj.jvp(f, (X,), (V,), optimize=optimize)[1]) is tuple
        np.testing.assert_allclose(tj.vjp(f, X, optimize=optimize)[1]((V, 1.0)), 2 * V + 1.0)
        by_matrix, by_sum = tj.jacobian(f, optimize=optimize)(X)
        np.testing.assert_allclose(by_matrix, 2 * np.eye(3))
        np.testing.assert_allclose(by_sum, np.ones(3))
        np.testing.assert_allclose(tj.linearize(f, X, optimize=optimize)[1](V)[1], np.sum(V))
        assert tj.deriv(lambda t: (t * 2.0, t), optimize=optimize)(1.5) == (2.0, 1.0)


WRONG = {
    "shape": (lambda **k: tj.jvp(np.sin, (X,), (V[:2],), **k), ShapeError, r"\(3,\); its.*\(2,\)"),
    "number": (lambda **k: tj.jvp(np.sin, (X,), (1.0,), **k), ShapeError, r"its shape is \(\)"),
    "structure": (
        lambda **k: tj.jvp(lambda p: p["u"], ({"u": X},), ([V],), **k), ShapeError,
        r"\(\{'u': \*\},\); its structure is \(\[\*\],\)",
    ),
    "count": (lambda **k: tj.jvp(np.add, (X, X), (V,), **k), ShapeError, "1 tangents for 2"),
    "bare": (lambda **k: tj.jvp(np.sin, X, V, **k), TypeError, "as tuples"),
    "none": (lambda **k: tj.vjp(lambda: 1.0, **k), TypeError, "at least one argument"),
    "complex": (
        lambda **k: tj.jvp(np.sin, (X,), (V * 1j,), **k), ParameterTypeError, "real numbers"
    ),
    "text": (lambda **k: tj.jvp(np.sin, (1.0,), ("a",), **k), ParameterTypeError, "holds a str"),
    "cotangent": (lambda **k: tj.vjp(np.sin, X, **k)[1]({"u": V}), ShapeError, r"\{'u': \*\}"),
    "kind": (lambda **k: tj.vjp(np.sin, X, **k)[1](V * 1j), ParameterTypeError, "real numbers"),
    "integers": (
        lambda **k: tj.jvp(np.sin, (np.arange(3),), (V,), **k), ParameterTypeError, "astype"
    ),
    "nothing": (lambda **k: tj.jacobian(lambda x: None, **k)(X), NotScalarError, "a NoneType"),
    "vector": (lambda **k: tj.hessian(np.sin, **k)(X), NotScalarError, r"its shape is \(3,\)"),
    "keywords": (lambda **k: tj.vjp(np.sin, X, s=1.0, **k), TypeError, "keyword argument 's'"),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("call", "error", "said"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_gets_a_clear_error(call, error, said, optimize):
    with pytest.raises(error, match=said):
        call(optimize=optimize)


# -- numbers ---------------------------------------------------------------------------------------


@MODES
def test_complex_jacobians(optimize):
    """Of real numbers both parts; of complex ones du/dx - i du/dy, or that of a holomorphic map."""
    phase, turned = np.exp(1j * X), lambda x: np.exp(1j * x)
    size = lambda z: np.real(z * np.conj(z))
    for _ in range(CALLS):
        for f, like in ((turned, np.diag(1j * phase)), (lambda x: np.sum(turned(x)), 1j * phase)):
            np.testing.assert_allclose(tj.jacobian(f, optimize=optimize)(X), like, atol=1e-15)
        for times in (1, 3):
            tall = tj.jacobian(lambda z, n=times: np.tile(size(z), n), optimize=optimize)(Z)
            expected = np.tile(np.diag(2 * np.conj(Z)), (times, 1))
            np.testing.assert_allclose(tall, expected, atol=1e-15)
        np.testing.assert_allclose(
            tj.jacobian(lambda z: z**2, optimize=optimize)(Z), np.diag(2 * Z), atol=1e-15
        )
        mixed = tj.jacobian(lambda x, z: x * z, (0, 1), optimize=optimize)(X, Z)
        np.testing.assert_allclose(mixed[0], np.diag(Z), atol=1e-15)
        np.testing.assert_allclose(mixed[1], np.diag(X), atol=1e-15)


@MODES
def test_complex_second_derivatives(optimize):
    f = lambda z: np.sum(np.abs(z) ** 4)
    gradient = lambda z: 4 * np.abs(z) ** 2 * np.conj(z)
    step = 1e-6
    expected = (gradient(Z + step * W) - gradient(Z - step * W)) / (2 * step)
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.hvp(f, optimize=optimize)(Z, W), expected, 1e-6)
    with pytest.raises(ParameterTypeError, match="by real numbers"):
        tj.hessian(f, optimize=optimize)(Z)


@MODES
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("other", [1.0, np.ones(3), np.ones(3, np.float32)])
def test_jacobians_have_the_precision_of_what_they_are_by(dtype, other, optimize):
    for f in (lambda x: np.tanh(x * other), lambda x: np.tile(x * other, 4), lambda x: np.sum(x)):
        assert tj.jacobian(f, optimize=optimize)(X.astype(dtype)).dtype == dtype
    complex_too = tj.jacobian(lambda x: np.tile(x * 1j, 2), optimize=optimize)(X.astype(dtype))
    assert complex_too.dtype == np.result_type(dtype, np.complex64)


@MODES
@pytest.mark.parametrize("t", [1.5, np.float64(1.5), np.array(1.5), np.float32(1.5)], ids=repr)
def test_kinds_of_numbers(t, optimize):
    cube, dtype = (lambda t: t**3), getattr(t, "dtype", None)
    for _ in range(CALLS):
        found = [
            tj.deriv(cube, optimize=optimize)(t), tj.vjp(cube, t, optimize=optimize)[1](t / t),
            tj.jvp(cube, (t,), (t / t,), optimize=optimize)[1],
            tj.jacobian(cube, optimize=optimize)(t),
        ]  # fmt: skip
        np.testing.assert_allclose(found, 6.75)
        assert all(getattr(g, "dtype", dtype) in (dtype, np.float64) for g in found)
        np.testing.assert_allclose(tj.hessian(cube, optimize=optimize)(t), 9.0)
        np.testing.assert_allclose(tj.hvp(cube, optimize=optimize)(t, t), 13.5)


EMPTY = np.zeros((0, 3))


@MODES
def test_nothing_at_all(optimize):
    square = lambda x: x**2
    for _ in range(CALLS):
        assert tj.jacobian(square, optimize=optimize)(EMPTY).shape == (0, 3, 0, 3)
        columns = tj.jacobian(lambda x: np.sum(x**2, axis=0), optimize=optimize)(EMPTY)
        assert columns.shape == (3, 0, 3)
        assert tj.jacobian(lambda x: square(x)[:0], optimize=optimize)(X).shape == (0, 3)
        total = lambda x: np.sum(x**2)
        assert tj.hessian(total, optimize=optimize)(EMPTY).shape == (0, 3, 0, 3)
        assert tj.hvp(total, optimize=optimize)(EMPTY, EMPTY).shape == (0, 3)
        assert tj.jvp(square, (EMPTY,), (EMPTY,), optimize=optimize)[1].shape == (0, 3)
        assert tj.vjp(square, EMPTY, optimize=optimize)[1](EMPTY).shape == (0, 3)


@MODES
@pytest.mark.parametrize("size", [2, 5])
def test_outputs_that_depend_on_nothing(size, optimize):
    for f in (lambda x: np.ones(size), lambda x: np.arange(size) + np.argmax(x)):
        for _ in range(CALLS):
            zeros = np.zeros((size, 3))
            np.testing.assert_array_equal(tj.jacobian(f, optimize=optimize)(X), zeros)
            tangent = tj.jvp(f, (X,), (V,), optimize=optimize)[1]
            np.testing.assert_array_equal(tangent, np.zeros(size))
            pulled = tj.vjp(f, X, optimize=optimize)[1](np.ones(size))
            np.testing.assert_array_equal(pulled, np.zeros(3))
    np.testing.assert_array_equal(tj.jacobian(lambda x: x, optimize=optimize)(X), np.eye(3))
    turned = tj.jacobian(lambda x: x[::-1], optimize=optimize)(X)
    np.testing.assert_array_equal(turned, np.eye(3)[::-1])


# -- one run ---------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("name", ["jacobian", "hessian", "hvp", "jvp"])
def test_derivatives_are_at_the_numbers_that_were_drawn(name, optimize):
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    made = OPERATORS[name](lambda x: np.sum(rng.normal(size=3) * x**3), optimize=optimize)
    for _ in range(4):
        drawn = same.normal(size=3)
        expected = {
            "jacobian": 3 * drawn * X**2, "hessian": np.diag(6 * drawn * X),
            "hvp": 6 * drawn * X * V, "jvp": 3 * drawn * X**2 @ V,
        }[name]  # fmt: skip
        np.testing.assert_allclose(made(X), expected)


@MODES
def test_pulling_later_needs_a_function_that_draws_nothing(optimize):
    rng = np.random.default_rng(3)
    f = lambda x: np.sum(rng.normal(size=3) * x)
    for later in (tj.vjp, tj.linearize):
        with pytest.raises(UnsupportedError, match="draws random numbers"):
            later(f, X, optimize=optimize)

    def inside(x):  # but not within a recording, where it runs once
        out, pull = tj.vjp(f, x)
        return out - np.sum(pull(1.0) * x)

    for _ in range(CALLS):
        assert np.isclose(tj.jit_grad(inside, withGradients=False, optimize=optimize)(X), 0.0)


@MODES
def test_arguments_may_be_written_to_before_pulling(optimize):
    x = X.copy()
    _, pull = tj.vjp(lambda x: x**2, x, optimize=optimize)
    _, push = tj.linearize(lambda x: x**2, x, optimize=optimize)
    x[:] = 100.0
    np.testing.assert_allclose(pull(V), 2 * X * V)
    np.testing.assert_allclose(push(V), 2 * X * V)


@MODES
def test_a_gradient_is_an_argument_like_any_function(optimize):
    df, f = tj.grad(Model(V).loss), lambda x, df: np.sum(df(x))
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.grad(f, optimize=optimize)(X, df), 6 * V * X)


def turning(x):
    """Another way for each size."""
    if np.sum(x) > 3.0:
        return np.sum(x**4)
    while np.sum(x) > 1.0:
        x = x * 0.7
    return np.sum(np.sin(x)) if x[0] > 0 else np.sum(x**2)


@MODES
@pytest.mark.parametrize("name", ["jacobian", "hessian", "hvp", "jvp", "vjp"])
def test_branches_and_loops_on_values(name, optimize):
    compiled, direct = (OPERATORS[name](turning, optimize=o) for o in (optimize, False))
    step = 1e-6
    for scale in (1.0, -1.0, 2.0, 0.2, 4.0, 1.0, -1.0, 2.0, 0.2, 4.0):
        x = V * scale
        np.testing.assert_allclose(compiled(x), direct(x), 1e-12)
        slope = (turning(x + step * V) - turning(x - step * V)) / (2 * step)
        if name == "jvp":
            np.testing.assert_allclose(compiled(x), slope, 1e-5)
        if name in ("vjp", "jacobian"):
            np.testing.assert_allclose(compiled(x) @ V, slope, 1e-5)


def rolled(x):
    """A long loop, with writes in place."""
    z = np.zeros(3)
    for _ in range(30):
        z[1:] += 0.1 * x[:-1] * np.cos(z[1:])
        z = np.tanh(z * x) + 0.5 * x
    return z


@MODES
@pytest.mark.parametrize("around", [lambda f: f, tj.checkpoint], ids=["plain", "checkpoint"])
def test_long_loops(around, optimize):
    f, step = around(rolled), 1e-6
    total = lambda x: np.sum(f(x) ** 2)
    columns = [(rolled(X + e) - rolled(X - e)) / (2 * step) for e in step * np.eye(3)]
    slopes = tj.grad(lambda x: np.sum(rolled(x) ** 2), optimize=False)
    second = [(slopes(X + e) - slopes(X - e)) / (2 * step) for e in step * np.eye(3)]
    expected, gauss = np.stack(columns, -1), np.stack(columns, -1).T @ np.stack(columns, -1)
    for _ in range(CALLS):
        for times in (1, 3):
            found = tj.jacobian(lambda x, n=times: np.tile(f(x), n), optimize=optimize)(X)
            np.testing.assert_allclose(found, np.tile(expected, (times, 1)), 1e-5, 1e-7)
        np.testing.assert_allclose(tj.hessian(total, optimize=optimize)(X), second, 1e-5, 1e-7)
        hv = tj.hvp(total, optimize=optimize)(X, V)
        np.testing.assert_allclose(hv, np.stack(second) @ V, 1e-5, 1e-6)
        np.testing.assert_allclose(tj.ggnvp(f, optimize=optimize)(X, V), gauss @ V, 1e-5, 1e-6)
