"""What the tables of sample calls in this folder are made of.

A case is a function of float parameters and other arguments, with sample values at which it is
differentiable. Every NumPy function of the registry needs a line in one of the tables.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.support import MODES, check, check_second, spaced
from tracejit import jit_grad


@dataclass(frozen=True)
class Case:
    """A sample call f(*params, *rest), differentiated by its parameters.

    covers: the NumPy function that it is about. second: check second derivatives too.
    """

    title: str
    f: Any
    params: tuple
    rest: tuple = ()
    covers: Any = None
    second: bool = False


def rows(covers, *table, second=True):
    """Cases of one NumPy function, each row (title, f, params) or (title, f, params, rest)."""
    return [
        Case(f"{covers.__name__} {title}", f, params, rest[0] if rest else (), covers, second)
        for title, f, params, *rest in table
    ]


def over(cases):
    """Parametrize a test by cases."""
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.title) for c in cases])


def orders(cases, twice=lambda f: f):
    """Make the tests of first and second derivatives of cases; `twice`: what is differentiated."""

    @MODES
    @over(cases)
    def test_first_order(case, optimize):
        check(case.f, case.params, case.rest, optimize)

    @MODES
    @over(c for c in cases if c.second)
    def test_second_order(case, optimize):
        check_second(twice(case.f), case.params, case.rest, optimize)

    return test_first_order, test_second_order


def raising(table, x):
    """Make the test that traced calls raise NumPy's errors: {title: (f, error, what it says)}."""

    @MODES
    @pytest.mark.parametrize(("f", "error", "said"), table.values(), ids=table)
    def test_it_raises_what_numpy_raises(f, error, said, optimize):
        with pytest.raises(error, match=said):
            f(x)
        with pytest.raises(error, match=said):
            jit_grad(lambda x: f(x * 1.0), optimize=optimize, partialGrad=True)(x, 1.0)

    return test_it_raises_what_numpy_raises


def refused(table):
    """Make the test that what is an error is the same when traced: {title: (f, what it says)}."""

    @MODES
    @pytest.mark.parametrize(("f", "said"), table.values(), ids=table)
    def test_what_numpy_refuses(f, said, optimize):
        with pytest.raises((ValueError, TypeError, IndexError)) as plain:
            f(X)
        with pytest.raises(plain.type, match=said):
            jit_grad(lambda x: np.sum(f(x)), optimize=optimize)(X)

    return test_what_numpy_refuses


X, Y = spaced(-1.93, 1.67, (2, 3), seed=3), spaced(-1.4, 1.9, (2, 3), seed=4)
ROW, COLUMN = spaced(0.4, 2.1, (3,), seed=5), spaced(-0.9, 0.8, (2, 1), seed=6)
CUBE = spaced(-2.1, 1.7, (2, 3, 4), seed=8)
SMALL = spaced(0.3, 1.6, (2, 3), np.float32, seed=9)
EMPTY = np.zeros((0, 3))
MASK = np.array([[True, False, True], [False, False, True]])
INTEGERS = np.array([[3, -1, 4], [1, -5, 9]])
