"""Evenly spaced numbers and grids whose ends are traced."""

import numpy as np
import pytest

from tests.ops.cases import ROW, SMALL, Case, X, orders, rows
from tests.support import MODES, check
from tracejit import jit_grad

ENDS = np.array([1.5, 0.5, 2.6])


def step_and_numbers(x):
    numbers, step = np.linspace(x[0], x[2], 4, retstep=True)
    return numbers * step


CASES = [
    *rows(
        np.linspace,
        ("numbers", lambda a, b: np.linspace(a, b * a, 7) ** 2, (0.3, 1.4)),
        ("open", lambda a: np.linspace(0, a, 5, endpoint=False), (1.4,)),
        ("of rows", lambda x, y: np.linspace(x, y, 4) ** 2, (ROW, ROW[::-1].copy())),
        ("of a row and a number", lambda x: np.linspace(x, x[0], 4, axis=1) ** 2, (ENDS,)),
        ("with its step", step_and_numbers, (ENDS,)),
        ("one number", lambda x: np.linspace(x[0], x[1], 1) * x[0], (ENDS,)),
    ),
    *rows(
        np.linspace,
        ("to f8", lambda x: np.linspace(x[0], x[2], 3, dtype=float) ** 2, (SMALL[0],)),
        ("to integers", lambda x: np.linspace(x[0], 3 * x[2], 3, dtype=int) * x[0], (ENDS,)),
        ("of complex ends", lambda x: np.linspace(x * 1j, x[0], 3) ** 2, (ENDS * (1 + 2j),)),
        second=False,
    ),
    *rows(
        np.logspace,
        ("of numbers", lambda x: np.logspace(x[0], x[2], 4) ** 2, (ENDS,)),
        ("of rows", lambda x: np.logspace(x[0], x, 3, base=x[1] + 2, axis=-1) * x[0], (ENDS,)),
        ("with a row of bases", lambda x: np.logspace(x[0], 2.0, 3, base=x + 2), (ENDS,)),
    ),
    *rows(
        np.geomspace,
        ("of numbers", lambda a, b: np.geomspace(a, b, 4) ** 2, (0.3, 1.4)),
        ("of rows", lambda x: np.geomspace(x[0], x, 4, axis=1) ** 2, (ENDS,)),
        ("of negative numbers", lambda x: np.geomspace(-x[0], -x[1], 4, endpoint=False), (ENDS,)),
    ),
    Case("arange", lambda x: np.arange(x[0], 7.9, x[1]) ** 2, (ENDS,), (), None, True),
    Case("arange of one end", lambda x: np.arange(x[2]) * x[1], (ENDS,)),
    Case("r_", lambda x: np.r_[x[0], 2.0, x[1:]] ** 2, (ENDS,), (), None, True),
    Case("r_ of slices", lambda x: np.r_[x[0] : x[2] : 5j, 1:3, [x[0], 2]] ** 2, (ENDS,)),
    Case("r_ with a step", lambda x: np.r_[x[0] : x[2] : 0.4] ** 2, (ENDS,)),
    Case("r_ of two axes", lambda x: np.r_["0,2,0", x, x**2, 0:3] ** 2, (ENDS,)),
    Case("r_ along the last axis", lambda x: np.r_["-1,2", x, x**2] ** 2, (ENDS,)),
    Case("r_ of matrices", lambda x: np.r_["1", x, x * x] ** 2, (X,)),
    Case("c_", lambda x: np.c_[x, x**2, np.ones(3)] ** 2, (ENDS,)),
    Case("c_ of numbers", lambda x: np.c_[x[0], 2.0] ** 2, (ENDS,)),
    Case("mgrid", lambda x: np.mgrid[x[0] : x[2] : 3j, 0:2] ** 2, (ENDS,), (), None, True),
    Case("mgrid of one axis", lambda x: np.mgrid[x[0] : x[2] : 3j] ** 2, (ENDS,)),
    Case("ogrid", lambda x: np.ogrid[0:2, x[1] : x[2] : 0.4][1] ** 2, (ENDS,)),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


@MODES
def test_how_many_numbers_there_are_follows_the_ends(optimize):
    def f(x):
        return np.sum(np.arange(x[0], x[1], x[2]) * np.r_[x[0] : x[1] : x[2]])

    df = jit_grad(f, optimize=optimize)
    for stop in (2.2, 2.2, 2.2, 3.3, 2.4, 0.1):
        x = np.array([0.5, stop, 0.4])
        grad, value = df(x)
        n = np.arange(np.arange(*x).size)
        numbers = x[0] + n * x[2]
        assert value == pytest.approx(f(x))
        expected = [2 * np.sum(numbers), 0.0, 2 * np.sum(numbers * n)]
        np.testing.assert_allclose(grad, expected)


@MODES
def test_traced_counts(optimize):
    def f(x, n):
        grid = np.mgrid[0:n] + np.indices((n,))[0] + np.linspace(0.0, 1.0, n)
        return np.sum(x[:n] * grid * np.r_[0:n]) + np.sum(x[np.triu_indices(n)[0]])

    df = jit_grad(f, optimize=optimize)
    for n in (2, 2, 2, 3, 1):
        grad, value = df(ENDS, n)
        assert value == pytest.approx(f(ENDS, n))
        check(lambda x, n=n: f(x, n), (ENDS,), (), False)
    assert df.cache_info().direct == 0 or not optimize


@MODES
def test_what_numpy_refuses_is_refused(optimize):
    for f, message in (
        (lambda x: np.r_[x, "r"], "first"),
        (lambda x: np.linspace(x[0], 1.0, -1), "non-negative"),
        (lambda x: np.geomspace(x[0], 0.0, 3), "zero"),
        (lambda x: np.r_[x, X], "dimension"),
    ):
        with pytest.raises(ValueError, match=message):
            jit_grad(lambda x, f=f: np.sum(f(x)), optimize=optimize)(ENDS)


@MODES
def test_from_functions_and_iterables(optimize):
    def f(x):
        table = np.fromfunction(lambda i, j: i * x[0] + j * x[1], (2, 3))
        drawn = np.fromiter((a * a for a in x), float, count=2)
        wanted = np.require(np.outer(x, x), float, ["F", "W"])
        wanted[0] = drawn[1]
        return np.sum(table * wanted[:2]) + np.asfortranarray(wanted.T)[1, 2]

    check(f, (ENDS,), (), optimize)
    check(lambda x: sum(v * i[0] for i, v in np.ndenumerate(x)), (ENDS,), (), optimize)
    check(lambda x: x[np.triu_indices_from(x)] * 2.0, (X,), (), optimize)
    check(lambda x: np.require(a=np.asarray_chkfinite([x, 1.0])) * 2.0, (0.5,), (), optimize)
    with pytest.raises(ValueError, match="infs or NaNs"):
        jit_grad(lambda x: np.asarray_chkfinite(x), optimize=optimize)(np.inf)
    with pytest.raises(ValueError, match="too short"):
        jit_grad(lambda x: np.sum(np.fromiter(x, float, 9)), optimize=optimize)(ENDS)
