"""tracejit.numpy, and lists of traced values given to NumPy's functions under either name."""

import copy
import functools
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tracejit.numpy.linalg
from numpy import mgrid, r_

import tracejit.numpy as tnp
from tests.support import CALLS, MODES, check, check_second
from tracejit import jit_grad
from tracejit.numpy import array, sin
from tracejit.numpy import sum as total
from tracejit.trace import active_recorder

X = np.array([1.5, 0.5, 2.5])

LISTS = {
    "mean": lambda np, x: np.mean([x[0], x[1]]) * x[2],
    "sum of a tuple": lambda np, x: np.sum((x[0], x[1])) + np.sum(a=[x, x[::-1]], axis=0)[0],
    "ufunc": lambda np, x: np.maximum([x[0], x[1]], 1.0) * [x[2], 2.0],
    "ufunc of one": lambda np, x: np.exp([x[0]])[0] * np.add(x, [x[0], 1, 2], out=x * 0.0),
    "dot": lambda np, x: np.dot([x[0], x[1]], [x[1], x[2]]),
    "matmul": lambda np, x: x @ [x[0], x[1], 2.0] + [1.0, x[0], 0.0] @ x,
    "operators": lambda np, x: x - [x[0], 1.0, 2.0] + [x[2], x[1], 0.0] * x,
    "nested": lambda np, x: np.linalg.norm([[x[0], 1.0], [2.0, x[1]]]),
    "index": lambda np, x: x[[int(x[0]), 2]] * 2.0,
    "reduce": lambda np, x: np.add.reduce([x[0], x[1]]) * np.multiply.outer([x[0]], x)[0],
    "accumulate": lambda np, x: np.maximum.accumulate([x[0], x[1], x[2]]),
    "where": lambda np, x: np.where([x[0] > 1, x[1] > 1], [x[0], x[1]], 0.0),
    "reshape": lambda np, x: np.reshape([x[0], x[1]], (2, 1)) * 2.0,
    "stack": lambda np, x: np.stack([[x[0], x[1]], [1.0, 2.0]]) ** 2,
    "concatenate": lambda np, x: np.concatenate([[x[0], 2.0], x]) ** 2,
    "shapes": lambda np, x: np.sum(np.zeros((2, x.shape[0])) + x, axis=(0, 1)),
    "assigned": lambda np, x: (lambda z: z.__setitem__(slice(2), [x[0], x[1]]) or z)(x * 2.0),
    "array": lambda np, x: np.array([x[0], [x[1], x[2]][0]]) * np.asarray((x[2], 1.0)),
    "zeros": lambda np, x: (lambda z: z.__setitem__(1, x[0]) or z)(np.zeros(3)) * x,
    "full": lambda np, x: np.full(3, x[0]) * np.ones(3) + np.eye(3)[1] * x,
    "linspace": lambda np, x: np.linspace(x[0], x[1], 3) * np.r_[x[0], x[1:]],
    "c_": lambda np, x: np.c_[x, x] * np.c_[x[::-1], np.arange(3.0)],
    "submodule": lambda np, x: np.linalg.det([[x[0], 1.0], [2.0, x[1]]]) * x,
}


@MODES
@pytest.mark.parametrize("f", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("name", ["numpy", "tracejit.numpy"])
def test_lists_of_traced_values(name, f, optimize):
    module = np if name == "numpy" else tnp
    check(lambda x: f(module, x), (X,), (), optimize)


@MODES
def test_second_derivatives_through_lists(optimize):
    check_second(lambda x: np.mean([x[0] ** 3, x[1] * x[2]]) * np.r_[x, x[0]], (X,), (), optimize)


@MODES
def test_names_that_are_imported(optimize):
    def f(x):
        grid = mgrid[x[0] : x[1] : 3j] * r_[x[0], 1.0, 2.0]
        return total([sin(x[0]), x[1]]) * array([x[2], 1.0])[0] * grid

    check(f, (X,), (), optimize)


class Lookup:
    """What cannot be followed: its attributes may be anything, so the real things are used."""

    def __getattribute__(self, name):
        return object.__getattribute__(self, name)

    def mean(self, x):
        return tnp.mean([x[0], x[1]]) * tnp.linspace(0.0, x[2], 2)[1] * tnp.zeros(2).size


@pytest.mark.filterwarnings("ignore:.*direct mode")
@MODES
def test_code_that_is_not_followed_records_through_tracejit_numpy(optimize):
    held = Lookup()
    df = jit_grad(lambda x: held.mean(x), optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(X)
        assert value == held.mean(X)
        np.testing.assert_allclose(grad, [2.5, 2.5, 2.0])


def test_outside_of_traced_functions_it_is_numpy():
    assert active_recorder() is None
    assert tnp.pi == np.pi and tnp.float32 is np.float32 and tnp.ndarray is np.ndarray
    assert type(tnp.zeros(2)) is np.ndarray and tnp.mean([1, 2]) == 1.5
    assert tnp.r_[1, 2:4].tolist() == [1, 2, 3] and tnp.mgrid[0:2].tolist() == [0, 1]
    assert tnp.add.reduce([1, 2]) == 3 and tnp.add.accumulate([1, 2]).tolist() == [1, 3]
    assert tnp.linalg.norm([3.0, 4.0]) == tracejit.numpy.linalg.norm([3, 4]) == 5.0
    assert tnp.random.default_rng(3).normal() == np.random.default_rng(3).normal()
    assert set(np.__all__) <= set(dir(tnp)) and tnp.__all__ == list(np.__all__)
    for name in np.__all__:
        assert getattr(tnp, name) is not None or getattr(np, name) is None
    with pytest.raises(AttributeError, match="nothing"):
        getattr(tnp, "nothing")  # noqa: B009


def test_twins_of_ufuncs_pass_for_ufuncs():
    assert isinstance(tnp.sin, np.ufunc) and tnp.sin == np.sin and {np.sin: 1}[tnp.sin] == 1
    assert (tnp.add.nin, tnp.add.identity, tnp.add.__name__) == (2, 0, "add")
    assert repr(tnp.add) == repr(np.add) and tnp.sin is tnp.sin
    assert pickle.loads(pickle.dumps(tnp.add)) is np.add
    assert copy.deepcopy({"f": tnp.add})["f"] == np.add
    assert functools.reduce(tnp.add, [1, 2, 3]) == 6
    assert not isinstance(tnp.sum, np.ufunc) and tnp.sum.__name__ == "sum"


@MODES
def test_twins_are_what_they_are_inside(optimize):
    table = {np.sin: 2.0, np.add: 3.0}

    def f(x, kind):
        asked = isinstance(np.sin, np.ufunc), type(np.sin) in {np.ufunc}, callable(np.add.reduce)
        return kind(x) * table[kind] * table[np.add] * sum(asked) * isinstance(kind, np.ufunc)

    kinds = {"sin": np.sin}
    check(lambda x: f(x, kinds["sin"]), (X,), (), optimize)


@pytest.mark.filterwarnings("ignore:.*direct mode")
@MODES
def test_outside_there_are_the_real_functions(optimize):
    held = []

    def f(x):
        held[:] = [np.sin, np.sum, np.zeros, np.add.reduce]
        return np.sum(x)

    jit_grad(f, optimize=optimize)(X)
    assert held[0] is np.sin and held[1] is np.sum and held[2] is np.zeros
    assert held[3]([1, 2]) == 3


def test_star_import_and_submodules():
    code = (
        "from tracejit.numpy import *\nimport tracejit.numpy.linalg as la\n"
        "from tracejit.numpy.fft import fftshift\nfrom tracejit.numpy.random import default_rng\n"
        "assert array([3.0, 4.0]).sum() == 7.0 and la.norm(array([3.0, 4.0])) == 5.0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
