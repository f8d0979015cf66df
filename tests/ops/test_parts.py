"""Numbers taken apart and put together: functions with two results, and ldexp."""

import numpy as np
import pytest

from tests.ops.cases import EMPTY, INTEGERS, SMALL, X, orders, rows
from tests.support import CALLS, MODES, check
from tracejit import jit_grad

DIVISORS = np.array([0.7, -1.3, 2.2])
EXPONENTS = np.array([3, -2, 0])


def weighted(function):
    """Use both results: the first as it is, the second as a weight."""

    def f(x, *others):
        first, second = function(x, *others)
        return first * x + second * (x * x)

    return f


CASES = [
    *rows(
        np.divmod,
        ("2d 1d", weighted(np.divmod), (X, DIVISORS)),
        ("2d float", weighted(np.divmod), (X, 0.71)),
        ("float 1d", weighted(np.divmod), (1.7, DIVISORS)),
        ("floats", weighted(np.divmod), (-1.7, 0.7)),
        ("f4", weighted(np.divmod), (SMALL, np.float32(0.31))),
        ("empty", weighted(np.divmod), (EMPTY, DIVISORS)),
        ("strided", weighted(np.divmod), (X[:, ::-2], 0.71)),
        ("operator", weighted(divmod), (X, DIVISORS)),
        ("of integers", lambda x, n: np.divmod(n, 4)[1] * x, (X,), (INTEGERS,)),
    ),
    *rows(
        np.modf,
        ("2d", weighted(np.modf), (X,)),
        ("float", weighted(np.modf), (-1.7,)),
        ("f4", weighted(np.modf), (SMALL,)),
        ("fractions", lambda x: np.modf(x)[0] * x, (X.T,)),
        ("whole", lambda x: np.modf(x)[1] * x, (X,)),
    ),
    *rows(
        np.frexp,
        ("2d", weighted(np.frexp), (X,)),
        ("float", weighted(np.frexp), (-1.7,)),
        ("f4", weighted(np.frexp), (SMALL,)),
        ("exponents", lambda x: np.frexp(x)[1] * x, (X,)),
    ),
    *rows(
        np.ldexp,
        ("2d", lambda x, n: np.ldexp(x, n) * x, (X,), (EXPONENTS,)),
        ("float", lambda x: np.ldexp(x, 3) * x, (-1.7,)),
        ("f4", lambda x, n: np.ldexp(x, n) * x, (SMALL,), (EXPONENTS,)),
        ("again", lambda x: np.ldexp(*np.frexp(x * x)) * x, (X,)),
    ),
]

test_first_order, test_second_order = orders(CASES)


@MODES
def test_the_quotient_is_that_of_the_remainder(optimize):
    """1.0 / 0.1 rounds to 10, but the remainder is 1.0 - 9 * 0.1, that of fmod as well."""
    x, y = np.array([1.0]), np.array([0.1])
    for function in (np.remainder, np.fmod, lambda x, y: np.divmod(x, y)[1]):
        check(function, (x, y), (), optimize, ([1.0], [-9.0]))


@MODES
def test_into_arrays_that_are_given(optimize):
    def f(x):
        whole, rest = np.zeros_like(x), np.zeros_like(x)
        np.divmod(x, 0.7, out=(whole, rest))
        np.modf(x, out=(None, whole))
        return np.sum(whole * rest)

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grads, value = df(X)
        assert value == pytest.approx(np.sum(np.trunc(X) * np.remainder(X, 0.7)))
        np.testing.assert_array_equal(grads, np.trunc(X))


def test_they_are_called_as_numpy_names_them():
    def f(x):
        quotient, rest = np.divmod(x, 0.7)
        return np.sum(quotient * rest)

    df = jit_grad(f)
    for _ in range(CALLS):
        df(X)
    assert "quotient, rest = np.divmod(x, 0.7)" in df.source(X)
