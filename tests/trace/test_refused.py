"""Writes that are refused: to arguments, to read-only views, to arrays that are not recorded."""

import re

import numpy as np
import pytest

from tests.support import MODES, check, spaced
from tracejit import jit_grad
from tracejit.errors import LostGradientError, WriteToArgumentError

X = spaced(-1.9, 1.7, (4, 3), seed=1)
ROW = spaced(0.4, 2.1, (3,), seed=2)


def in_place_add(x, n):
    x += 1.0


def assign_row(x, n):
    x[0] = 1.0


def through_a_view(x, n):
    x[1:][0] += 1.0


def through_a_transpose(x, n):
    x.T[0] = 1.0


def out_is_the_argument(x, n):
    np.sin(x, out=x)


def add_at(x, n):
    np.add.at(x, 0, 1.0)


def fill(x, n):
    x.fill(0.0)


ARGUMENT_WRITES = [
    in_place_add, assign_row, through_a_view, through_a_transpose, out_is_the_argument, add_at,
    fill,
]  # fmt: skip


@MODES
@pytest.mark.parametrize("write", ARGUMENT_WRITES, ids=lambda f: f.__name__)
def test_writes_to_parameters_are_refused(write, optimize):
    def f(x, n):
        write(x, n)
        return np.sum(x)

    x, n = X.copy(), np.zeros(3)
    with pytest.raises(WriteToArgumentError, match=r"test_refused\.py:\d+ .*copy"):
        jit_grad(f, optimize=optimize)(x, n)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(n, np.zeros(3))


@MODES
def test_read_only_views_refuse_writes(optimize):
    def f(x):
        z = np.broadcast_to(x[0] * 1.0, (2, 3))
        z[0] = 1.0
        return np.sum(z)

    with pytest.raises(ValueError, match="read-only"):
        jit_grad(f, optimize=optimize)(X)


@MODES
def test_immutable_scalars_refuse_item_assignment(optimize):
    def f(x):
        s = np.sum(x)
        s[()] = 1.0
        return s

    with pytest.raises(TypeError, match="item assignment"):
        jit_grad(f, optimize=optimize)(X)


@MODES
def test_a_number_is_rebound_and_not_written(optimize):
    def f(x, a):
        kept = a
        a += 1.0
        s = np.sum(x)
        t = s
        s *= a
        return s + t + kept

    check(f, (X, 1.5), (), optimize)


def of_repeated(t):
    np.repeat(1.0, 3)[0] = t[0]


def into_a_list_of_numbers(t):
    np.sin([1.0, 2.0]).fill(t[0])


def out_of_another_call(t):
    np.sin(t, out=np.tile([1.0], 3))


LOST = [of_repeated, into_a_list_of_numbers, out_of_another_call]


@MODES
@pytest.mark.parametrize("write", LOST, ids=lambda f: f.__name__)
def test_arrays_that_are_not_recorded_refuse_traced_values(write, optimize):
    """What NumPy makes of plain values alone, other than by its creators, is not recorded."""

    def f(t):
        write(t)
        return np.sum(t)

    with pytest.raises((TypeError, ValueError)) as caught:
        jit_grad(f, optimize=optimize)(ROW)
    error = caught.value  # where NumPy was the one to convert, it wraps our error in its own
    error = error if isinstance(error, LostGradientError) else error.__cause__
    assert isinstance(error, LostGradientError)
    lines = {line for *_, line in write.__code__.co_lines()}
    assert any(re.search(rf":{line}\b", str(error)) for line in lines) and __file__ in str(error)


def test_functions_that_write_to_parameters_are_refused():
    with pytest.raises(WriteToArgumentError, match="changes a parameter"):
        jit_grad(lambda t: np.put_along_axis(t, [0], 1.0, 0), optimize=False)(ROW)
