"""Jacobians are one pass over stacks: each row of them is what a pass of its own gives."""

import os

import numpy as np
import pytest

import tracejit as tj
from tests.codegen.array_programs import Program
from tests.codegen.wide_programs import WideProgram
from tests.support import spaced

pytestmark = pytest.mark.filterwarnings("ignore")

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))
SEEDS = range(400 if ALL else 12)


def output_of(program):
    """One output of a program as a function of its dict of arrays, which are all of floats."""
    arrays, *rest = program.args
    floats = {k: a for k, a in arrays.items() if np.result_type(a).kind == "f"}

    def f(p):
        result = program.function({**arrays, **p}, *rest)
        found = [np.real(r) for r in result if np.result_type(r).kind in "fc"]
        return found[-1], found[0]

    return f, floats


def unit(like, place):
    """The unit vector of a shape and kind."""
    vector = np.zeros_like(like)
    vector[place] = 1.0
    return vector if type(like) is np.ndarray else vector[()]


def few(program):
    return 1e-3 if program.single else 1e-8


def assert_close(found, expected, program):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, few(program), few(program))


@pytest.mark.parametrize("made", [Program, WideProgram])
@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_jacobians(made, seed):
    program = made(seed, 6)
    f, arrays = output_of(program)
    with np.errstate(all="ignore"):
        found = tj.jacobian(lambda p: f(p)[0], optimize=False)(arrays)
        out, pull = tj.vjp(lambda p: f(p)[0], arrays, optimize=False)
        for place in np.ndindex(np.shape(out)):
            row = pull(unit(out, place))
            for name in arrays:
                assert_close(found[name][place], np.asarray(row[name]), program)


@pytest.mark.parametrize("made", [Program, WideProgram])
@pytest.mark.parametrize("seed", SEEDS)
def test_columns_of_jacobians(made, seed):
    """More outputs than inputs, so that it goes forward; the number `s` is the input."""
    program = made(seed, 6)
    f, arrays = output_of(program)
    of_few = lambda t, u: np.tile(np.ravel(f({k: a * t + u for k, a in arrays.items()})[0]), 3)
    with np.errstate(all="ignore"):
        one, other = np.float64(1.0), np.float64(0.0)
        found = tj.jacobian(of_few, (0, 1), optimize=False)(one, other)
        for number, tangent in enumerate([(1.0, 0.0), (0.0, 1.0)]):
            _, column = tj.jvp(of_few, (one, other), tangent, optimize=False)
            assert_close(found[number], column, program)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_hessians(seed):
    program = Program(seed, 5)
    f, arrays = output_of(program)
    x = spaced(-1.0, 1.0, (4,))
    total = lambda x: f({k: a * x[i] + x[3] for i, (k, a) in enumerate(arrays.items())})[1] * 1.0
    with np.errstate(all="ignore"):
        found = tj.hessian(total, optimize=False)(x)
        rows = [tj.hvp(total, optimize=False)(x, e) for e in np.eye(4)]
        np.testing.assert_allclose(found, rows, few(program), few(program))
