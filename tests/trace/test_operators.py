"""Operators on arrays: with every kind of other operand, on both sides, and in place."""

import operator as op

import numpy as np
import pytest

from tests.support import CALLS, MODES, assert_same, check, numeric, spaced
from tracejit import jit_grad

# Some of these have no gradient, which is said.
pytestmark = pytest.mark.filterwarnings("ignore:the first output")

T = spaced(0.6, 2.9, (2, 3), seed=1)
SMALL = spaced(0.6, 2.9, (2, 3), np.float32, seed=1)
OTHERS = {
    "array": spaced(1.1, 2.3, (2, 3), seed=2),
    "row": spaced(1.1, 2.3, (3,), seed=3),
    "0d": np.array(1.7),
    "float": 1.7,
    "float64": np.float64(1.7),
    "float32": np.float32(1.5),
    "f4": spaced(1.1, 2.3, (3,), np.float32, seed=4),
    "int": 3,
    "integers": np.array([1, 2, 3]),
}
ARITHMETIC = [op.add, op.sub, op.mul, op.truediv, op.pow, op.mod, op.floordiv]
COMPARISONS = [op.lt, op.le, op.gt, op.ge, op.eq, op.ne]


def times(function):
    """A differentiable use of any function of two."""
    return lambda t, a: t * function(t, a)


def swapped(function):
    """The function with its operands exchanged."""
    return lambda t, a: t * function(a, t)


@MODES
@pytest.mark.parametrize("t", [T, SMALL], ids=["f8", "f4"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("function", [*ARITHMETIC, *COMPARISONS], ids=lambda f: f.__name__)
def test_both_sides(function, other, t, optimize):
    check(times(function), (t,), (other,), optimize)
    check(swapped(function), (t,), (other,), optimize)


CONSTANTS = {
    "list right": lambda t: t - [1.0, 2.0, 3.0],
    "list matmul": lambda t: [1.0, 2.0] @ t @ [1.0, 2.0, 3.0],
    "divmod": lambda t: divmod(t, 1.3)[0] * t + divmod(7.3, t)[1],
    "pow": lambda t: pow(t, 3),
    "list left": lambda t: [1.0, 2.0, 3.0] - t,
    "nested list": lambda t: t * [[1.0], [2.0]],
    "tuple": lambda t: (1.0, 2.0, 3.0) / t,
    "list compared": lambda t: t * (t > [1.0, 2.0, 1.5]),
    "list power": lambda t: t ** [1, 2, 3],
    "int left": lambda t: 2 - t,
    "float left": lambda t: 2.5 / t,
    "float power": lambda t: 2.5**t,
    "bool": lambda t: t + True,
    "np.float64 left": lambda t: np.float64(2.5) * t,
    "np.float32 right": lambda t: t / np.float32(2.5),
    "np.int64 left": lambda t: np.int64(3) ** t,
    "array left": lambda t: np.array([1.0, 2.0, 3.0]) - t,
    "array right": lambda t: t @ np.array([1.0, 2.0, 3.0]),
    "array matmul left": lambda t: np.array([1.0, 2.0]) @ t,
    "0d array left": lambda t: np.array(2.0) / t,
    "integer array left": lambda t: np.array([1, 2, 3]) / t,
    "power 2": lambda t: t**2,
    "power 2.0": lambda t: t**2.0,
    "power 3": lambda t: t**3,
    "power half": lambda t: t**0.5,
    "power -1": lambda t: t**-1,
    "power 0": lambda t: t**0 * t,
    "power 1": lambda t: t**1,
    "negative": lambda t: -t,
    "positive": lambda t: +t,
    "abs": lambda t: abs(t - 1.8),
    "invert": lambda t: t * ~(t > 1.8),
    "and": lambda t: t * ((t > 1.0) & (t < 2.0)),
    "or": lambda t: t * ((t < 1.0) | (t > 2.0)),
    "xor": lambda t: t * ((t > 1.0) ^ (t > 2.0)),
    "and with a list": lambda t: t * ((t > 1.0) & [True, False, True]),
    "divmod by hand": lambda t: t // 1.3 * 1.3 + t % 1.3,
}


@MODES
@pytest.mark.parametrize("t", [T, SMALL], ids=["f8", "f4"])
@pytest.mark.parametrize("f", CONSTANTS.values(), ids=CONSTANTS)
def test_constants(f, t, optimize):
    check(f, (t,), (), optimize)


def into(function):
    """A new array, changed in place by an operator."""

    def f(t, a):
        z = t * 1.0
        kept = z
        z = function(z, a)
        return kept * z

    return f


IN_PLACE = [op.iadd, op.isub, op.imul, op.itruediv, op.ipow, op.imod, op.ifloordiv]


@MODES
@pytest.mark.parametrize(
    "kind", ["array", "row", "float", "float64", "int", "integers", "f4", "0d"]
)
@pytest.mark.parametrize("function", IN_PLACE, ids=lambda f: f.__name__)
def test_in_place(function, kind, optimize):
    check(into(function), (T,), (OTHERS[kind],), optimize)


@MODES
def test_in_place_keeps_the_dtype(optimize):
    other = OTHERS["array"]
    check(into(op.iadd), (SMALL,), (other,), optimize)
    check(into(op.imul), (SMALL, other), (), optimize)


@MODES
def test_in_place_matmul(optimize):
    def f(a, b):
        z = a * 1.0
        z @= b
        return z

    check(f, (T[:, :2], T[:, 1:]), (), optimize)


@MODES
def test_two_parameters(optimize):
    for function in (*ARITHMETIC[:-1], op.matmul):
        b = OTHERS["array"].T if function is op.matmul else OTHERS["array"]
        check(function, (T, b), (), optimize)
        check(function, (T, 1.7), (), optimize) if function is not op.matmul else None


BITS = {
    "shifts": lambda t, n: t * ((n << 2) >> 1),
    "shift by an array": lambda t, n: t * (1 << n),
    "bits": lambda t, n: t * ((n & 6) | (n ^ 3)),
    "bits reflected": lambda t, n: t * ((6 & n) + (3 ^ n) + (8 | n)),
    "invert": lambda t, n: t * ~n,
    "floor division": lambda t, n: t * (n // 2) + 7 // (n + 1),
    "remainder": lambda t, n: t * (n % 2),
    "power": lambda t, n: t * n**2 + 2**n,
    "true division": lambda t, n: t * (n / 2),
}


@MODES
@pytest.mark.parametrize("f", BITS.values(), ids=BITS)
def test_integer_arrays(f, optimize):
    check(f, (T,), (np.array([3, 0, 5]),), optimize)


def test_unknown_operands_get_their_turn():
    class Other:
        def __radd__(self, other):
            return "radd"

        def __rmul__(self, other):
            return np.sum(other)

        __array_ufunc__ = None

    other = Other()

    def f(t):
        assert t + other == "radd"
        with pytest.raises(TypeError, match="unsupported operand"):
            t - other
        return t * other

    grad, value = jit_grad(f, optimize=False)(T)
    assert value == np.sum(T)
    np.testing.assert_array_equal(grad, np.ones_like(T))


@MODES
def test_comparisons_give_plain_shapes_and_dtypes(optimize):
    def f(t, a):
        return np.sum(t), t < a, t == a, a >= t, t != 1.7

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        _, *outputs = df(T, OTHERS["row"])
        assert_same(tuple(outputs), f(T, OTHERS["row"]))


@MODES
def test_a_shared_subexpression_gets_all_its_cotangents(optimize):
    def f(t):
        u = t * t
        v = u + t
        return np.sum(u * v) + np.sum(v / t) - u[0, 0]

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, _ = df(T)
        np.testing.assert_allclose(grad, numeric(f, (T,))[0], rtol=1e-6)
