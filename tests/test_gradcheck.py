"""gradcheck: right rules pass, wrong ones are found, with the place and the amount."""

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
