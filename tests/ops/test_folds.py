"""The methods of ufuncs, reduce, accumulate, reduceat, outer and at, and their keywords."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, EMPTY, MASK, ROW, SMALL, Case, X, orders, over
from tests.support import MODES, assert_same, check, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

COMPLEX = X + 1j * X[::-1]
POSITIVE = np.abs(X) + 1.0


def after(write):
    """The function that writes to a recorded array and squares it."""

    def f(x, y, *rest):
        z = x * 1.0
        write(z, y, *rest)
        return z * z

    return f


TWICE = ([0, 0, 1], [1, 1, 2])  # names an element twice
REDUCE = {
    "add": lambda x: np.add.reduce(x) ** 2,
    "multiply": lambda x: np.multiply.reduce(x, axis=1),
    "maximum": lambda x: np.maximum.reduce(x, axis=None) * x,
    "subtract": lambda x: np.subtract.reduce(x, axis=1, keepdims=True) ** 2,
    "divide": lambda x: np.divide.reduce(x, axis=1),
    "divide from a number": lambda x: np.divide.reduce(x, initial=2.0),
    "subtract from a number": lambda x: np.subtract.reduce(x, axis=1, initial=2.0) ** 2,
    "hypot": lambda x: np.hypot.reduce(x, axis=1, initial=0.5),
    "logaddexp": lambda x: np.logaddexp.reduce(x, axis=(0, 1)),
    "logaddexp2": lambda x: np.logaddexp2.reduce(x, axis=None, keepdims=True),
    "fmax": lambda x: np.fmax.reduce(x, axis=1, keepdims=True) * np.fmin.reduce(x),
    "masked": lambda x: np.hypot.reduce(x, where=MASK) + np.logaddexp.reduce(x, where=x < 1.0),
    "masked from a number": lambda x: np.fmax.reduce(x, axis=0, where=MASK, initial=-3.0),
    "fmod": lambda x: np.fmod.reduce(x, axis=1, keepdims=True) * x,
    "copysign": lambda x: np.copysign.reduce(x),
    "without a gradient": lambda x: x * np.logical_xor.reduce(x > 0) * np.add.reduce([True, True]),
}
SCANS = {
    "add": lambda x: np.add.accumulate(x, axis=1) ** 2,
    "maximum": lambda x: np.maximum.accumulate(x, axis=1) ** 2,
    "minimum": lambda x: np.minimum.accumulate(x.T) ** 2,
    "fmax": lambda x: np.fmax.accumulate(x) * np.fmin.accumulate(x, axis=-1),
    "subtract": lambda x: np.subtract.accumulate(x, axis=1) ** 2,
    "logaddexp": lambda x: np.logaddexp.accumulate(x),
    "logaddexp along rows": lambda x: np.logaddexp.accumulate(x, axis=-1) ** 2,
    "logaddexp2": lambda x: np.logaddexp2.accumulate(x, axis=1, dtype=float),
    "reduceat": lambda x: np.add.reduceat(x, [0, 2, 1], axis=1) ** 2,
    "reduceat of rows": lambda x: np.add.reduceat(x, [1, 0]) ** 2,
    "multiply.reduceat": lambda x: np.multiply.reduceat(x, [0, 2, 1], axis=1),
    "maximum.reduceat": lambda x: np.maximum.reduceat(x, [0, 1], axis=-1) ** 2,
    "outer": lambda x: np.hypot.outer(x, x[0]) + np.subtract.outer(x, [x[0, 0], 2.0, 1.0]),
    "outer of numbers": lambda x: np.multiply.outer(x[0, 0], 2.0) * np.add.outer(x, 1),
}
AT = {
    "add": lambda z, y: np.add.at(z, TWICE, y),
    "subtract": lambda z, y: np.subtract.at(z, (0, [1, 1, 2]), [y[0], y[1], 2.0]),
    "multiply": lambda z, y: np.multiply.at(z, TWICE, y),
    "multiply by zeros": lambda z, y: np.multiply.at(z, TWICE, y * [0.0, 1.0, 0.0]),
    "multiply by two zeros": lambda z, y: np.multiply.at(z, TWICE, y * [0.0, 0.0, 1.0]),
    "multiply by a number": lambda z, y: np.multiply.at(z, (slice(None), [0, 0]), y[0]),
    "divide": lambda z, y: np.divide.at(z, TWICE, y),
    "maximum": lambda z, y: np.maximum.at(z, TWICE, y),
    "minimum of a column": lambda z, y: np.minimum.at(z, (slice(None), 1), y[0] - 1.0),
    "fmax and fmin": lambda z, y: np.fmax.at(z, 0, y - 1.0) or np.fmin.at(z, (1, [0, 0]), y[0]),
    "exp": lambda z, y: np.exp.at(z, ([0, 0, 1], [1, 2, 2])),
    "power": lambda z, y: np.power.at(z, ([0, 1], [1, 2]), 2),
    "hypot of a mask": lambda z, y: np.hypot.at(z, z > 0.0, y[0]),
}
KEYWORDS = {
    "dtype": lambda x: np.add(x, 1, dtype=np.float64) * np.sqrt(np.arange(3), dtype=float),
    "order": lambda x: np.multiply(x, x, order="F") + np.multiply(x, 2.0, order="K", subok=False),
    "casting": lambda x: np.multiply(x, x, casting="unsafe"),
}
CASES = [
    *(Case(f"reduce {title}", f, (X,), (), None, True) for title, f in REDUCE.items()),
    *(Case(f"scan {title}", f, (X,), (), None, True) for title, f in SCANS.items()),
    *(Case(f"at {title}", after(write), (X, ROW), (), None, "two" not in title)
      for title, write in AT.items()),
    *(Case(f"keyword {title}", f, (X,)) for title, f in KEYWORDS.items()),
    Case("at with an array", after(lambda z, y, i: np.multiply.at(z[0], i, y)), (X, ROW),
         (np.array([2, 0, 2]),)),
    Case("reduceat with an array", lambda x, i: np.add.reduceat(x, i, axis=1) ** 2, (X,),
         (np.array([0, 2, 1]),)),
    Case("of a cube", lambda x: np.divide.reduce(x, 1) + np.hypot.reduce(x, (1, 2))[0], (CUBE,)),
    Case("of f4", lambda x: np.divide.reduce(x) * np.fmax.accumulate(x), (SMALL,)),
    Case("of a number", lambda x: np.divide.reduce(x) * np.subtract.reduce(x), (1.5,)),
    Case("strided", lambda x: np.minimum.accumulate(x[::-1].T) ** 2, (X,)),
    Case("empty", lambda x: np.logaddexp.reduce(x, axis=1, initial=0.0) + x.sum(1), (EMPTY,)),
    Case("complex", lambda x: np.divide.reduce(x) * np.subtract.reduce(x), (COMPLEX,), (), None,
         True),
    Case("complex at", after(lambda z, y: np.multiply.at(z, TWICE, y)), (COMPLEX, ROW * (1 + 1j))),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)

AT_KINKS = {
    "fmax ignores NaN": (lambda x: np.fmax.reduce(x), [np.nan, 2.0, 1.0], [0.0, 1.0, 0.0]),
    "fmax of NaN alone": (lambda x: np.fmax.reduce(x), [np.nan, np.nan], [0.5, 0.5]),
    "fmin shares": (lambda x: np.fmin.reduce(x), [1.0, 2.0, 1.0], [0.5, 0.0, 0.5]),
    "hypot of zeros": (lambda x: np.hypot.reduce(x), [0.0, 0.0], [0.0, 0.0]),
    "division of zero": (lambda x: np.divide.reduce(x), [0.0, 2.0, 4.0], [0.125, 0.0, 0.0]),
    "the latest maximum": (lambda x: np.maximum.accumulate(x), [1.0, 1.0, 0.5], [1.0, 2.0, 0.0]),
    "maximum after NaN": (lambda x: np.maximum.accumulate(x), [1.0, np.nan, 5.0], [1.0, 2.0, 0.0]),
    "maximum.at shares": (
        lambda x: (lambda z: np.maximum.at(z, [0, 0], [1.0, 1.0]) or z * 3.0)(x * 1.0),
        [1.0, 2.0], [1.0, 3.0],
    ),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "expected"), AT_KINKS.values(), ids=AT_KINKS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_at_kinks(f, x, expected, optimize):
    check(f, (np.array(x),), (), optimize, [np.array(expected)])


@MODES
def test_repeated_indices_are_exact_or_refused(optimize):
    f = lambda x, i: (lambda z: np.exp.at(z, i) or np.sum(z * z))(x * 1.0)
    df = jit_grad(f, optimize=optimize)
    for places in ([0, 1], [2, 1], [1, 0]):
        x, i = spaced(0.1, 0.9, (3,)), np.array(places)
        grad, value = df(x, i)
        chosen = np.isin(np.arange(3), i)
        np.testing.assert_allclose(grad, np.where(chosen, 2 * np.exp(2 * x), 2 * x))
    with pytest.raises(UnsupportedError, match=r"np\.exp\.at"):
        df(x, np.array([1, 1]))


@MODES
def test_what_numpy_computes_otherwise_is_refused(optimize):
    with pytest.raises(UnsupportedError, match=r"np\.power\.reduce"):
        jit_grad(lambda x: np.sum(np.power.reduce(x, axis=1)), optimize=optimize)(POSITIVE)


@MODES
def test_keywords_that_numpy_refuses(optimize):
    for f in (
        lambda x: np.add(x, x, dtype=int),
        lambda x: np.add(x, x, dtype=np.float32, casting="safe"),
        lambda x: np.add(x, x, out=np.zeros((2, 3), int)),
    ):
        with pytest.raises(TypeError, match="Cannot cast"):
            f(X)
        with pytest.raises(TypeError, match="Cannot cast"):
            jit_grad(lambda x, f=f: np.sum(f(x)), optimize=optimize)(X)


@MODES
def test_a_dtype_is_that_of_the_result(optimize):
    z, n = spaced(0.3, 1.6, (3,), complex), np.array([1, 2, 0])
    check(lambda z: np.abs(z, dtype=np.float64) * 2.0, (z,), (), optimize)
    check(lambda x, n: np.ldexp(x, n, dtype=np.float64), (z.real.copy(),), (n,), optimize)


@MODES
def test_dtypes_that_are_types_of_python(optimize):
    f = lambda x, n: (np.sum(x * np.bitwise_or.reduce(n, dtype=int)), np.maximum(n, 2.5,
                      dtype=int, casting="unsafe"))  # fmt: skip
    df = jit_grad(f, optimize=optimize)
    for n in ([3, 5], [4, 6], [8, 8]):
        _, total, least = df(np.ones(2), np.array(n))
        expected = f(np.ones(2), np.array(n))
        assert total == expected[0]
        assert_same(least, expected[1])
    assert not optimize or df.cache_info().direct == 0


@MODES
@over([c for c in CASES if c.title in ("at multiply", "scan maximum", "reduce subtract")])
def test_on_numba(case, optimize):
    if optimize:
        f = case.f
        df = jit_grad(lambda p, *rest: np.sum(f(*p, *rest)), backend="numba", audit=False)
        direct = jit_grad(lambda p, *rest: np.sum(f(*p, *rest)), optimize=False)
        for _ in range(3):
            grads, value = df(case.params, *case.rest)
            for g, e in zip(grads, direct(case.params, *case.rest)[0], strict=True):
                np.testing.assert_allclose(g, e)


@MODES
@pytest.mark.parametrize("function", [np.logaddexp, np.logaddexp2])
def test_running_sums_of_exponentials_are_those_of_the_calls(function, optimize):
    def one_by_one(x, w):
        found = [x[0]]
        for i in range(1, 6):
            found.append(function(found[-1], x[i]))
        return np.sum(np.stack(found) * w)

    w = np.arange(1.0, 7.0)
    scan = jit_grad(lambda x, w: np.sum(function.accumulate(x) * w), optimize=optimize)
    calls = jit_grad(one_by_one, optimize=optimize)
    inf = np.inf
    for x in ([-inf, -inf, 1.0, inf, 2.0, inf], [inf, inf, -inf, 1.0, 0.0, 0.0],
              [0.0, 800.0, -800.0, 799.0, 1.0, 800.0]):  # fmt: skip
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(scan(np.array(x), w)[0], calls(np.array(x), w)[0])
