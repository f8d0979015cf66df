"""The methods of ufuncs, and functions that only ask about shapes and types."""

import numpy as np
import pytest

from tests.support import CALLS, MODES, check, numeric, spaced
from tracejit import jit_grad

X = spaced(0.3, 2.7, (2, 3), seed=1)
ROW = spaced(0.4, 2.1, (3,), seed=2)

METHODS = {
    "add.reduce": lambda x, y: np.add.reduce(x),
    "add.reduce axis": lambda x, y: np.add.reduce(x, axis=1, keepdims=True),
    "add.reduce positional": lambda x, y: np.add.reduce(x, 1),
    "add.reduce None": lambda x, y: np.add.reduce(x, axis=None),
    "add.reduce out": lambda x, y: np.add.reduce(x, axis=0, out=y * 1.0) * y,
    "multiply.reduce": lambda x, y: np.multiply.reduce(x),
    "maximum.reduce": lambda x, y: np.maximum.reduce(x, axis=1),
    "minimum.reduce": lambda x, y: np.minimum.reduce(x, axis=(0, 1)),
    "logical_and.reduce": lambda x, y: x * np.logical_and.reduce(x > 0.5, axis=0),
    "logical_or.reduce": lambda x, y: x * np.logical_or.reduce(x > 2.5),
    "add.accumulate": lambda x, y: np.add.accumulate(x),
    "add.accumulate axis": lambda x, y: np.add.accumulate(x, axis=1),
    "add.accumulate positional": lambda x, y: np.add.accumulate(x, -1),
    "multiply.outer": lambda x, y: np.multiply.outer(x, y),
    "subtract.outer": lambda x, y: np.subtract.outer(y, x),
    "power.outer": lambda x, y: np.power.outer(y, [1.0, 2.0]),
    "add.outer of numbers": lambda x, y: np.add.outer(2.0, y),
    "maximum.outer": lambda x, y: np.maximum.outer(y, x),
    "ufunc dtype": lambda x, y: np.add(x, y, dtype=np.float64),
    "ufunc casting": lambda x, y: np.add(x, y, casting="same_kind"),
    "ufunc out None": lambda x, y: np.add(x, y, out=None),
    "ufunc where True": lambda x, y: np.add(x, y, where=True),
    "list operand": lambda x, y: np.multiply([1.0, 2.0, 3.0], x),
    "constant operands": lambda x, y: np.add(np.sin(0.5), x),
    "ndim": lambda x, y: x * np.ndim(y) + np.size(x),
    "result_type": lambda x, y: x * np.ones(3, np.result_type(x, y)),
    "zeros of a shape": lambda x, y: np.zeros(x.shape) + x,
    "ones of a length": lambda x, y: x * np.ones(len(y)) + np.arange(3.0),
    "constants": lambda x, y: x @ np.eye(3) + np.pi,
}


@MODES
@pytest.mark.parametrize("f", METHODS.values(), ids=METHODS)
def test_ufunc_methods(f, optimize):
    check(f, (X, ROW), (), optimize)


def add_at_slice(x, y):
    z = x * 1.0
    np.add.at(z, (slice(None), [0, 0]), y[:2])
    return z * z


def add_at_repeated(x, y):
    z = y * 1.0
    np.add.at(z, [0, 0, 2], x[0])
    return z * z


def add_at_number(x, y):
    z = y * 1.0
    np.add.at(z, 1, 2.5)
    return z * z


def subtract_at(x, y):
    z = y * 1.0
    np.subtract.at(z, [1, 1], x[0, :2])
    return z * z


def add_at_view(x, y):
    z = x * 1.0
    np.add.at(z[1], [2, 2], y[:2])
    return z * z


def add_at_grid(x, y):
    z = x * 1.0
    np.add.at(z, ([[0], [1]], [0, 2]), y[0])
    return z * z


@MODES
@pytest.mark.parametrize(
    "f",
    [add_at_slice, add_at_repeated, add_at_number, subtract_at, add_at_view, add_at_grid],
    ids=lambda f: f.__name__,
)
def test_ufunc_at(f, optimize):
    check(f, (X, ROW), (), optimize)


@MODES
def test_counts_that_name_their_places(optimize):
    def f(x, i):
        z = np.zeros_like(x)
        np.add.at(z, i, x * 2.0)
        return z * x

    check(f, (ROW,), (np.array([2, 2, 0]),), optimize)


@MODES
def test_numpys_functions_themselves(optimize):
    for function in (np.sum, np.prod, np.linalg.norm, np.mean, np.max):
        df = jit_grad(function, optimize=optimize)
        for _ in range(CALLS):
            grad, value = df(ROW)
            assert value == pytest.approx(function(ROW))
            np.testing.assert_allclose(grad, numeric(function, (ROW,))[0], rtol=1e-6)
