"""Functions with gradients of the user's own."""

import math

import numpy as np
import pytest

from tests.support import CALLS, MODES, check, check_second, spaced
from tracejit import defvjp, jit_grad, primitive
from tracejit.errors import MissingGradientError

X, Y = spaced(0.3, 1.9, (2, 3)), spaced(-0.7, 1.2, (3,))


@primitive
def floor(x):
    """Round down."""
    return np.floor(x)


defvjp(floor, lambda g, out, x: g)


@primitive
def opaque(x, y, *, power=2):
    """What no tracer could follow: numbers one by one."""
    return np.array([[math.pow(a, power) * b for a, b in zip(row, y)] for row in x])  # noqa: B905


defvjp(
    opaque,
    lambda g, out, x, y, *, power=2: g * power * x ** (power - 1) * y,
    lambda g, out, x, y, *, power=2: np.sum(g * x**power, axis=0),
)


@MODES
def test_a_straight_through_gradient(optimize):
    df = jit_grad(lambda a: np.sum(floor(a**3)), optimize=optimize)
    for _ in range(CALLS):
        grads, value = df(np.eye(3))
        assert value == 3.0
        np.testing.assert_array_equal(grads, 3 * np.eye(3))
    assert not optimize or df.cache_info().direct == 0


@MODES
@pytest.mark.parametrize("power", [2, 3])
def test_an_opaque_function_of_two_arguments(optimize, power):
    f = lambda x, y: opaque(x * 1.5, y, power=power) * x
    check(f, (X, Y), (), optimize)
    check_second(f, (X, Y), (), optimize)


def test_it_is_still_the_function():
    assert floor.__name__ == "floor" and floor.__doc__ == "Round down."
    np.testing.assert_array_equal(floor(X), np.floor(X))


@MODES
def test_a_zero_gradient(optimize):
    count = primitive(lambda x, y: np.sum(x) * y)
    defvjp(count, None, lambda g, out, x, y: g * np.sum(x))
    check(count, (X, 2.0), (), optimize, gradients=(np.zeros((2, 3)), np.sum(X)))


def test_a_missing_rule_is_an_error_that_names_the_line():
    nothing = primitive(np.cumsum)
    with pytest.raises(MissingGradientError, match=r"cumsum at .*test_primitive.py:\d+ has no"):
        jit_grad(lambda x: np.sum(nothing(x)))(X)


def test_rules_are_for_primitives_only():
    with pytest.raises(TypeError, match="@primitive"):
        defvjp(np.floor, None)
