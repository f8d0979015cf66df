"""Derivatives that are asked for later belong to the call that was made, or there is an error."""

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES
from tracejit.errors import UnsupportedError

X, ONES = np.linspace(0.1, 1.0, 4), np.ones(4)
NEW = "has changed since vjp"


class Held:
    """What holds a number and an array somewhere."""

    def __init__(self):
        self.rate = 2.0
        self.parts = {"a": ONES}

    def scaled(self, x):
        return self.rate * self.parts["a"] * x


@MODES
def test_of_one_lambda_in_a_loop(optimize):
    for _ in range(CALLS):
        pulls, pushes = [], []
        for c in (1.0, 2.0, 3.0):
            pulls.append(tj.vjp(lambda x: c * x**2, X, optimize=optimize)[1])  # noqa: B023
            pushes.append(tj.linearize(lambda x: c * x**2, X, optimize=optimize)[1])  # noqa: B023
        for derivatives in (pulls, pushes):
            for c, one in enumerate(derivatives, 1):
                np.testing.assert_allclose(one(ONES), 2.0 * c * X)


@MODES
def test_of_variables_of_modules(optimize):
    names = {"np": np, "scale": 2.0}
    exec("def f(x):\n    return [scale * np.sin(x * k) for k in (1.0, 2.0)][1]", names)
    for _ in range(CALLS):
        names["scale"] = 2.0
        _, pull = tj.vjp(names["f"], X, optimize=optimize)
        names["scale"] = 5.0
        np.testing.assert_allclose(pull(ONES), 4.0 * np.cos(2.0 * X))


@MODES
def test_of_arrays_that_are_written_to(optimize):
    for _ in range(CALLS):
        scale = ONES.copy()
        _, pull = tj.vjp(lambda x: x * scale, X, optimize=optimize)  # noqa: B023
        np.testing.assert_allclose(pull(ONES), ONES)
        scale *= 3.0
        with pytest.raises(UnsupportedError, match=NEW):
            pull(ONES)


def test_of_powers_that_are_guarded():
    for _ in range(CALLS):
        pulls = {}
        for n in (2, 3):
            pulls[n] = tj.vjp(lambda x: x**n, X)[1]  # noqa: B023
        np.testing.assert_allclose(pulls[3](ONES), 3 * X**2)
        np.testing.assert_allclose(pulls[2](ONES), 2 * X)


def test_of_objects():
    for _ in range(CALLS):
        held = Held()
        _, pull = tj.vjp(held.scaled, X)
        np.testing.assert_allclose(pull(ONES), 2.0 * ONES)
        held.rate = float("2")  # is no change
        np.testing.assert_allclose(pull(ONES), 2.0 * ONES)
        held.parts["a"] = 3.0 * ONES
        with pytest.raises(UnsupportedError, match=NEW):
            pull(ONES)


def test_of_what_is_read_and_given():
    x = X.copy()
    for _ in range(CALLS):
        _, pull = tj.vjp(lambda y: y * x, x)
        np.testing.assert_allclose(pull(ONES), x)
