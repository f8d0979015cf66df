"""Ufuncs, where, clip and conversions: all kinds of operands, and the conventions at kinks."""

import numpy as np
import pytest

from tests.ops.cases import (
    COLUMN,
    EMPTY,
    INTEGERS,
    MASK,
    ROW,
    SMALL,
    Case,
    X,
    Y,
    orders,
    rows,
)
from tests.support import MODES, check, spaced
from tracejit import jit_grad

EVERYWHERE = (-1.93, 1.67)
POSITIVE = (0.21, 2.9)
INSIDE = (-0.91, 0.83)
ABOVE = (0.4, 2.1)

UNARY = {
    np.negative: EVERYWHERE, np.positive: EVERYWHERE, np.reciprocal: POSITIVE,
    np.square: EVERYWHERE, np.absolute: EVERYWHERE, np.fabs: EVERYWHERE, np.exp: EVERYWHERE,
    np.exp2: EVERYWHERE, np.expm1: EVERYWHERE, np.log: POSITIVE, np.log2: POSITIVE,
    np.log10: POSITIVE, np.log1p: (-0.7, 2.0), np.sqrt: POSITIVE, np.cbrt: POSITIVE,
    np.sin: EVERYWHERE, np.cos: EVERYWHERE, np.tan: (-1.1, 1.2), np.arcsin: INSIDE,
    np.arccos: INSIDE, np.arctan: EVERYWHERE, np.sinh: EVERYWHERE, np.cosh: EVERYWHERE,
    np.tanh: EVERYWHERE, np.arcsinh: EVERYWHERE, np.arccosh: (1.2, 3.1), np.arctanh: INSIDE,
    np.deg2rad: EVERYWHERE, np.radians: EVERYWHERE, np.rad2deg: EVERYWHERE,
    np.degrees: EVERYWHERE,
}  # fmt: skip

BINARY = {
    np.add: (EVERYWHERE, ABOVE), np.subtract: (EVERYWHERE, ABOVE),
    np.multiply: (EVERYWHERE, ABOVE), np.divide: (EVERYWHERE, ABOVE),
    np.remainder: ((-2.77, 2.13), (3.1, 4.3)), np.fmod: ((-6.77, 6.13), (3.3, 3.9)),
    np.power: (POSITIVE, EVERYWHERE), np.logaddexp: (EVERYWHERE, ABOVE),
    np.logaddexp2: (EVERYWHERE, ABOVE), np.arctan2: (EVERYWHERE, ABOVE),
    np.hypot: (EVERYWHERE, ABOVE), np.maximum: ((0.2, 2.9), (0.33, 2.21)),
    np.minimum: ((0.2, 2.9), (0.33, 2.21)), np.fmax: ((0.2, 2.9), (0.33, 2.21)),
    np.fmin: ((0.2, 2.9), (0.33, 2.21)), np.copysign: (EVERYWHERE, (-0.9, 2.3)),
}  # fmt: skip

ONE = {
    "2d": lambda low, high, seed=0: spaced(low, high, (2, 3), seed=seed),
    "1d": lambda low, high, seed=0: spaced(low, high, (3,), seed=seed),
    "0d": lambda low, high, seed=0: spaced(low, high),
    "empty": lambda low, high, seed=0: spaced(low, high, (0, 3)),
    "f4": lambda low, high, seed=0: spaced(low, high, (2, 3), np.float32, seed),
    "fortran": lambda low, high, seed=0: np.asfortranarray(spaced(low, high, (2, 3), seed=seed)),
    "strided": lambda low, high, seed=0: spaced(low, high, (4, 9), seed=seed)[::2, ::-3],
    "float": lambda low, high, seed=0: float(spaced(low, high)),
    "float64": lambda low, high, seed=0: np.float64(spaced(low, high)),
    "float32": lambda low, high, seed=0: np.float32(spaced(low, high)),
}

SHAPES = [
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (3,)), ((), (2, 3)), ((3,), ()),
    ((2, 1, 3), (2, 1)), ((1, 1), (1,)), ((0, 3), (3,)), ((1, 3), (0, 1)),
]  # fmt: skip

MIXED = [
    ("float", "float"), ("float", "1d"), ("1d", "float"), ("float64", "float"), ("float64", "1d"),
    ("float", "float64"), ("float32", "float"), ("f4", "f4"), ("f4", "float"), ("float", "f4"),
    ("f4", "2d"), ("f4", "float64"), ("fortran", "strided"), ("0d", "float"), ("float64", "0d"),
    ("float32", "f4"), ("empty", "float"),
]  # fmt: skip

SECOND = {
    "2d", "float", "(2, 3) (3,)", "(2, 1) (3,)", "float float", "1d float", "float64 1d",
}  # fmt: skip


def unary_cases():
    for function, domain in UNARY.items():
        for kind, make in ONE.items():
            title = f"{function.__name__} {kind}"
            yield Case(title, function, (make(*domain),), (), function, kind in SECOND)


def binary_cases():
    for function, (left, right) in BINARY.items():
        for a, b in SHAPES:
            params = spaced(*left, a, seed=1), spaced(*right, b, seed=2)
            title = f"{function.__name__} {a} {b}"
            yield Case(title, function, params, (), function, f"{a} {b}" in SECOND)
        for a, b in MIXED:
            params = ONE[a](*left, seed=1), ONE[b](*right, seed=2)
            title = f"{function.__name__} {a} {b}"
            yield Case(title, function, params, (), function, f"{a} {b}" in SECOND)


CHOICES = [
    *rows(
        np.clip,
        ("both bounds", lambda x: np.clip(x, -1.0, 0.8), (X,)),
        ("no lower", lambda x: np.clip(x, None, 0.8), (X,)),
        ("no upper", lambda x: np.clip(x, -1.0, None), (X,)),
        ("traced bounds", np.clip, (X, COLUMN - 1.0, ROW)),
        ("traced number", lambda x, low: np.clip(x, low, 1.0), (X, -0.45)),
        ("keywords", lambda x: np.clip(x, a_min=-1.0, a_max=0.8), (X,)),
        ("integer bounds", lambda x: np.clip(x, -1, 1), (X,)),
        ("float", lambda x: np.clip(x, -1.0, 0.8), (0.3,)),
        ("f4", lambda x: np.clip(x, 0.5, 1.0), (SMALL,)),
        ("empty", lambda x: np.clip(x, 0.5, 1.0), (EMPTY,)),
    ),
    *rows(
        np.where,
        ("2d", lambda x, y, c: np.where(c, x, y), (X, Y), (MASK,)),
        ("broadcast", lambda x, y, c: np.where(c, x, y), (ROW, COLUMN), (MASK,)),
        ("mask grows", lambda x, y, c: np.where(c, x, y), (ROW, 1.5), (MASK,)),
        ("number", lambda x: np.where(x > 0, x, 0.0), (X,)),
        ("integer", lambda x: np.where(x > 0, x, 0), (X,)),
        ("list", lambda x: np.where(x > 0, [1.0, 2.0, 3.0], x), (X,)),
        ("floats", lambda x, y: np.where(x > y, x, y), (0.5, 1.5)),
        ("f4", lambda x: np.where(x > 1.0, x, 0.0), (SMALL,)),
        ("guards", lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), x), (X,)),
    ),
    *rows(
        np.power,
        ("square", lambda x: np.power(x, 2), (X,)),
        ("cube", lambda x: np.power(x, 3.0), (X,)),
        ("first", lambda x: np.power(x, 1), (X,)),
        ("zeroth", lambda x: np.power(x, 0), (X,)),
        ("inverse", lambda x: np.power(x, -1.0), (X,)),
        ("of a number", lambda x: np.power(2.0, x), (X,)),
        ("integer array", lambda x, n: np.power(x, n), (X,), (np.array([0, 1, 3]),)),
        ("integer base", lambda x, n: np.power(n, x), (X,), (np.array([1, 2, 3]),)),
        ("f4", lambda x: np.power(x, 3), (SMALL,)),
    ),
]

NEXT = rows(
    np.nextafter,
    ("2d", lambda x: np.nextafter(x, 9.0) * x, (X,)),
    ("f4", lambda x: np.nextafter(x, np.float32(9.0)) * x, (SMALL,)),
    ("floats", lambda x: np.nextafter(x, 9.0) * x, (1.5,)),
)

CONVERSIONS = [
    Case("astype f8", lambda x: x.astype("f8") * 1.5, (SMALL,)),
    Case("astype same", lambda x: x.astype(float), (X,)),
    Case("astype no copy", lambda x: x.astype(float, copy=False) * 2.0, (X,)),
    Case("astype of a float64", lambda x: x.astype("f8") * 2.0, (np.float64(1.5),)),
    Case("astype integer to float", lambda x, n: x * n.astype(float), (X,), (INTEGERS,)),
    Case("astype mask to float", lambda x: x * (x > 0).astype(float), (X,)),
    Case("astype to integer", lambda x: x * x.astype(int), (X,)),
    *rows(
        np.copy,
        ("2d", np.copy, (X,)),
        ("of a transpose", lambda x: np.copy(x.T), (X,)),
        ("fortran", lambda x: np.copy(x, order="F"), (X,)),
        ("f4", lambda x: np.copy(x) * x, (SMALL,)),
    ),
]
if hasattr(np, "astype"):
    CONVERSIONS += rows(np.astype, ("f8", lambda x: np.astype(x, np.float64) * 2.0, (SMALL,)))

# Functions with a zero gradient are tested as factors: x * f(x) has the gradient f(x).
STEPS = [
    np.sign, np.isnan, np.isinf, np.isfinite, np.signbit, np.floor, np.ceil, np.rint, np.trunc,
    np.logical_not, np.round, np.around, np.spacing, np.zeros_like, np.ones_like,
]  # fmt: skip
COMPARISONS = [
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.floor_divide,
    np.logical_and, np.logical_or, np.logical_xor, np.heaviside,
]  # fmt: skip
BITS = [np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift]
POSITIVES = abs(INTEGERS)


def times(function):
    """x * function(x)."""
    return lambda x: x * function(x)


def times_of_two(function):
    """x * function(x, y)."""
    return lambda x, y: x * function(x, y)


def times_of_integers(function):
    """x * function(m, n)."""
    return lambda x, m, n: x * function(m, n)


def step_cases():
    for f in STEPS:
        for kind in ("2d", "0d", "f4", "float", "float64", "empty"):
            yield Case(f"{f.__name__} {kind}", times(f), (ONE[kind](*EVERYWHERE),), (), f)
    pairs = {
        "2d 1d": (X, ROW), "2d float": (X, 0.71), "float 1d": (0.71, ROW),
        "float float": (0.5, 1.7), "f4 f4": (SMALL, SMALL[:, ::-1] + np.float32(0.01)),
    }  # fmt: skip
    for f in COMPARISONS:
        for kind, params in pairs.items():
            yield Case(f"{f.__name__} {kind}", times_of_two(f), params, (), f)
    integers = {"arrays": (POSITIVES, np.array([1, 2, 3])), "numbers": (6, 3),
                "mixed": (POSITIVES, 2)}  # fmt: skip
    for f in BITS:
        for kind, rest in integers.items():
            yield Case(f"{f.__name__} {kind}", times_of_integers(f), (X,), rest, f)
    yield from rows(
        np.invert,
        ("integers", lambda x, n: x * np.invert(n), (X,), (INTEGERS,)),
        ("mask", lambda x: x * ~(x > 0), (X,)),
    )
    yield Case("round decimals", lambda x: x * np.round(x, 1), (X,), (), np.round)
    yield Case("round of integers", lambda x, n: x * np.round(n, -1), (X,), (INTEGERS,), np.round)


CASES = [*unary_cases(), *binary_cases(), *CHOICES, *NEXT, *CONVERSIONS, *step_cases()]


test_first_order, test_second_order = orders(CASES)


TIED = (np.array([1.0, 2.0]), np.array([1.0, 1.0]))

AT_KINKS = {
    "maximum shares": (np.maximum, TIED, ([0.5, 1], [0.5, 0])),
    "minimum shares": (np.minimum, TIED, ([0.5, 0], [0.5, 1])),
    "fmax shares": (np.fmax, TIED, ([0.5, 1], [0.5, 0])),
    "fmin shares": (np.fmin, TIED, ([0.5, 0], [0.5, 1])),
    "maximum of floats": (np.maximum, (1.0, 1.0), (0.5, 0.5)),
    "maximum of signed zeros": (np.maximum, (np.array([0.0]), np.array([-0.0])), ([0.5], [0.5])),
    "relu at 0": (lambda x: np.maximum(x, 0.0), (np.array([-1.0, 0.0, 1.0]),), ([0, 0.5, 1],)),
    "fmax passes by NaN": (np.fmax, (np.array([1.0, np.nan]), np.array([np.nan, 2.0])),
                           ([1, 0], [0, 1])),
    "absolute": (np.absolute, (np.array([-2.0, 0.0, -0.0, 3.0]),), ([-1, 0, 0, 1],)),
    "absolute of a float": (abs, (0.0,), (0.0,)),
    "fabs": (np.fabs, (np.array([-2.0, 0.0, 3.0]),), ([-1, 0, 1],)),
    "clip on its bounds": (lambda x: np.clip(x, -1.0, 1.0),
                           (np.array([-2.0, -1.0, 0.0, 1.0, 2.0]),), ([0, 1, 1, 1, 0],)),
    "clip at traced bounds": (np.clip, (np.ones(2), np.array([1.0, 0.0]), np.array([2.0, 1.0])),
                              ([1, 1], [0, 0], [0, 0])),
    "heaviside": (np.heaviside, (np.array([-1.0, 0.0, 2.0]), np.array([0.5, 0.5, 0.5])),
                  ([0, 0, 0], [0, 1, 0])),
    "hypot": (np.hypot, (np.array([0.0]), np.array([0.0])), ([0], [0])),
    "power of 0": (lambda x: x**2, (np.array([0.0]),), ([0],)),
    "power 0 of 0": (np.power, (np.array([0.0]), np.array([0.0])), ([0], [0])),
    "power 1 of 0": (np.power, (np.array([0.0]), np.array([1.0])), ([1], [0])),
    "power of a negative": (np.power, (np.array([-2.0]), np.array([2.0])), ([-4], [np.nan])),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "params", "gradients"), AT_KINKS.values(), ids=AT_KINKS)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log:RuntimeWarning")
def test_conventions_at_kinks(f, params, gradients, optimize):
    check(f, params, (), optimize, gradients)


@MODES
def test_a_bound_that_clips_gets_the_gradient(optimize):
    f = lambda p: np.sum(np.clip(p[0], p[1], p[2]) * np.array([1.0, 2.0, 4.0]))
    df = jit_grad(f, optimize=optimize)
    for _ in range(3):
        (x, low, high), _ = df((np.array([-3.0, 0.5, 3.0]), 0.0, 1.0))
        assert x.tolist() == [0.0, 2.0, 0.0]
        assert (low, high) == (1.0, 4.0)
    assert not optimize or df.cache_info().direct == 0


@MODES
def test_a_cast_to_fewer_digits(optimize):
    x = np.array([0.5, -1.25, 3.0])
    check(lambda x: x.astype(np.float32) * 2.0, (x,), (), optimize, (np.full(3, 2.0),))
