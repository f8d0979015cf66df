"""Writes that are refused: to arguments, to read-only views, of traced values to real arrays."""

import re

import numpy as np
import pytest

from tests.support import MODES, check, spaced
from tracejit import jit_grad
from tracejit.errors import LostGradientError, UnsupportedError, WriteToArgumentError

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


def another_argument(x, n):
    n[0] = 1.0


def traced_into_another_argument(x, n):
    n[0] = x[0, 0]


ARGUMENT_WRITES = [
    in_place_add, assign_row, through_a_view, through_a_transpose, out_is_the_argument, add_at,
    fill, another_argument, traced_into_another_argument,
]  # fmt: skip


@MODES
@pytest.mark.parametrize("write", ARGUMENT_WRITES, ids=lambda f: f.__name__)
def test_writes_to_arguments_are_refused(write, optimize):
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


def zeros_assign(t):
    z = np.zeros(3)
    z[0] = t[0]


def zeros_assign_slice(t):
    z = np.zeros(3)
    z[:] = t


def zeros_in_place(t):
    z = np.zeros(3)
    z += t


def zeros_multiply(t):
    z = np.ones(3)
    z *= t[0]


def zeros_out(t):
    np.sin(t, out=np.zeros(3))


def zeros_sum_out(t):
    np.sum(t, axis=0, out=np.zeros(()))


def zeros_add_at(t):
    np.add.at(np.zeros(3), [0], t[0])


def zeros_copyto(t):
    np.copyto(np.zeros(3), t)


def zeros_fill(t):
    np.zeros(3).fill(t[0])


def zeros_put(t):
    np.put(np.zeros(3), [0], t[:1])


def zeros_where_out(t):
    np.multiply(t, 2.0, out=np.zeros(3), where=[True, False, True])


LOST = [
    zeros_assign, zeros_assign_slice, zeros_in_place, zeros_multiply, zeros_out, zeros_sum_out,
    zeros_add_at, zeros_fill, zeros_where_out,
]  # fmt: skip
UNKNOWN = [zeros_copyto, zeros_put]


@MODES
@pytest.mark.parametrize("write", LOST, ids=lambda f: f.__name__)
def test_arrays_that_are_not_recorded_refuse_traced_values(write, optimize):
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


@pytest.mark.parametrize("write", UNKNOWN, ids=lambda f: f.__name__)
def test_functions_that_write_are_unsupported(write):
    with pytest.raises(UnsupportedError, match="on a traced value"):
        jit_grad(lambda t: write(t), optimize=False)(ROW)
