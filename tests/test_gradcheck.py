"""gradcheck: right rules pass, wrong ones are found, with the place and the amount."""

import math

import numpy as np
import pytest

import tracejit as tj
from tests.support import MODES, spaced
from tracejit.errors import ConfigError, GradientCheckError

X, Z = spaced(-1.2, 1.7, (2, 3)), spaced(-1.2, 1.7, (4,), complex)


@tj.primitive
def cube(x):
    return x**3


@tj.primitive
def half_right(x):
    return x**2


@tj.primitive
def not_twice(x):
    return x**3


tj.defvjp(cube, lambda g, out, x: 3.0 * g * x**2)
tj.defvjp(half_right, lambda g, out, x: g * x)
tj.defvjp(not_twice, lambda g, out, x: 3.0 * g * tj.stop_gradient(x) ** 2)


@MODES
def test_right_gradients_pass(optimize):
    assert tj.gradcheck(lambda p: np.sum(p["w"] @ p["x"]), {"w": X, "x": X[0]}, optimize=optimize)
    assert tj.gradcheck(lambda x, n, y: np.tanh(x) ** n * y, X, 2, 0.7, optimize=optimize)
    assert tj.gradcheck(lambda z: np.abs(z) ** 2 + np.exp(z), Z, optimize=optimize)
    assert tj.gradcheck(lambda x: np.sum(cube(x)), X, optimize=optimize)
    assert tj.gradcheck(lambda x: np.sin(x) * x, X.astype(np.float32), optimize=optimize)


@MODES
def test_wrong_gradients_are_found(optimize):
    assert not tj.gradcheck(lambda x: np.sum(half_right(x)), X, optimize=optimize)
    for mode in ("vjp", "jvp"):
        f = lambda x: half_right(x) * 1.0
        assert not tj.gradcheck(f, X, modes=(mode,), order=1, optimize=optimize)


@pytest.mark.filterwarnings("ignore:the first output does not depend")
def test_second_derivatives_are_checked():
    assert tj.gradcheck(not_twice, X, order=1)
    assert not tj.gradcheck(not_twice, X, order=2)


def test_the_error_tells_where_and_by_how_much():
    with pytest.raises(GradientCheckError) as caught:
        tj.gradcheck(lambda n, p: half_right(p["x"]), 3, {"x": 2.0}, order=1, raise_on_error=True)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith('vjp by args[1]["x"] is ') and "; differences give " in first
    assert rest[0].startswith("jvp of output is ")


def test_bad_options_are_refused():
    with pytest.raises(ConfigError, match="use vjp and jvp"):
        tj.gradcheck(np.sum, X, modes=("forward",))
    with pytest.raises(ConfigError, match="no argument of floats"):
        tj.gradcheck(np.sum, np.arange(3))


def in_place(x):
    z = np.zeros((2, 3))
    z[0] = x[0] ** 2
    z[1:] += x[:1] * np.array([x[0, 0], 1.0, math.sin(x[1, 1])])
    return z


@MODES
def test_what_only_traced_functions_may_do(optimize):
    assert tj.gradcheck(in_place, X, optimize=optimize)


@MODES
def test_structures_in_and_out(optimize):
    f = lambda p, k: {"u": np.sin(p["x"]) * p["n"] * k[0], "v": (np.sum(p["x"]), p["none"], 3)}
    p = {"x": X, "n": 2, "none": None}
    assert tj.gradcheck(f, p, [1.5], optimize=optimize)
    wrong = lambda p: {"u": p["x"] * 1.0, "v": half_right(p["x"])}
    with pytest.raises(GradientCheckError, match=r'args\[0\]\["x"\]\[0, 0\](.|\n)*output leaf 1'):
        tj.gradcheck(wrong, p, order=1, raise_on_error=True, optimize=optimize)


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1.0, 1e4, 1e9])
def test_arguments_of_any_size(scale):
    assert tj.gradcheck(lambda x: np.log(x) * x, np.array([1.0, 2.0]) * scale)
    wrong = lambda x, factor: half_right(x) * factor
    for factor in (1e-12, 1.0):
        assert not tj.gradcheck(wrong, np.array([1.0, 2.0]) * scale, factor)


def test_the_second_order_names_the_argument():
    with pytest.raises(GradientCheckError, match=r'second order, vjp by args\[1\]\["x"\] is '):
        tj.gradcheck(lambda n, p: not_twice(p["x"]) * n, 3, {"x": 2.0}, raise_on_error=True)


@pytest.mark.parametrize(("f", "x"), [(np.abs, 0.0), (np.sqrt, 0.0), (np.log, -1.0)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_points_without_derivatives_are_found(f, x):
    assert not tj.gradcheck(f, np.array([x, 1.0]))


def test_random_functions_are_refused():
    with pytest.raises(ConfigError, match="the same at every call"):
        tj.gradcheck(lambda x: x * np.random.normal(), X)


@MODES
@pytest.mark.parametrize("power", [3, 4, 5])
def test_zero_derivatives_of_functions_that_curve_pass(power, optimize):
    assert tj.gradcheck(lambda x: x**power, np.zeros(3), optimize=optimize)


def made(rule):
    p = tj.primitive(np.sin)
    tj.defvjp(p, lambda g, out, x: g * rule(x))
    return p


def test_a_wrong_leaf_beside_one_of_large_gradients_is_found():
    twice = made(lambda x: 2 * np.cos(x))
    assert not tj.gradcheck(lambda x, y: np.sum(1e6 * np.sin(x)) + twice(y), X, 0.7, order=1)
    pair = lambda x: [1e6 * np.sin(x[0]), twice(x[1])]
    assert not tj.gradcheck(pair, X, order=1, modes=("jvp",))


@pytest.mark.parametrize("mode", ["vjp", "jvp"])
def test_one_wrong_element_of_many_is_found(mode):
    wrong = made(lambda x: np.cos(x) * (1 + 0.1 * (np.arange(3000) == 2345)))
    assert not tj.gradcheck(wrong, spaced(-1.2, 1.7, (3000,)), modes=(mode,), order=1)
    assert tj.gradcheck(made(np.cos), spaced(-1.2, 1.7, (3000,)), modes=(mode,), order=1)


@pytest.mark.parametrize("mode", ["vjp", "jvp"])
def test_infinite_derivatives_are_found(mode):
    assert not tj.gradcheck(made(lambda x: np.inf * x), X, modes=(mode,), order=1)
