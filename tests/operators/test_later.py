"""Derivatives that are asked for later belong to the call that was made, or there is an error."""

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS
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


def test_of_one_lambda_in_a_loop():
    for _ in range(CALLS):
        pulls, pushes = [], []
        for c in (1.0, 2.0, 3.0):
            pulls.append(tj.vjp(lambda x: c * x**2, X)[1])  # noqa: B023
            pushes.append(tj.linearize(lambda x: c * x**2, X)[1])  # noqa: B023
        for derivatives in (pulls, pushes):
            for one in derivatives[:2]:
                with pytest.raises(UnsupportedError, match=NEW):
                    one(ONES)
            np.testing.assert_allclose(derivatives[2](ONES), 6.0 * X)


def test_of_powers_that_are_guarded():
    for _ in range(CALLS):
        pulls = {}
        for n in (2, 3):
            pulls[n] = tj.vjp(lambda x: x**n, X)[1]  # noqa: B023
        np.testing.assert_allclose(pulls[3](ONES), 3 * X**2)
        with pytest.raises(UnsupportedError, match=NEW):
            pulls[2](ONES)


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
