"""Ufuncs, where, clip and conversions: all kinds of operands, and the conventions at kinks."""

import numpy as np
import pytest

from tests.ops.cases import (
    INTEGERS,
    ROW,
    SMALL,
    Case,
    X,
    orders,
    rows,
)
from tests.support import CALLS, MODES, check, spaced
from tracejit import hessian, jit_grad
from tracejit.dag.op import BY_FUNCTION
from tracejit.ops.complexes import real_sign

EVERYWHERE = (-1.93, 1.67)
ABOVE = (0.4, 2.1)
IMAGINARY = (0.31, 0.87)


def arity(op):
    return op.fn.nin if isinstance(op.fn, np.ufunc) else len(op.vjp or "1")


def bounds(op):
    """The bounds between which each input of an op may lie."""
    if op.domain is None:
        return [EVERYWHERE, ABOVE][: arity(op)]
    return list(op.domain) if type(op.domain[0]) is tuple else [op.domain] * arity(op)


def takes(op, kinds):
    """Tell whether an op is a ufunc with a loop for such inputs, or another function."""
    return not isinstance(op.fn, np.ufunc) or any(t.split("-")[0] == kinds for t in op.fn.types)


# The ops that are called with arrays and nothing else.
PLAIN = [
    op for op in {**BY_FUNCTION, np.sign: real_sign}.values()
    if op.elementwise and op.bind is None and not op.several and op.fn is not np.ldexp
]  # fmt: skip
SMOOTH = [op for op in PLAIN if op.vjp is not None]
# Differences of nextafter are those of x, but it has no gradient.
STEPS = [op for op in PLAIN if op.vjp is None and op.fn is not np.nextafter]

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


def complex_ones(low, high, shape=(), seed=0):
    return spaced(low, high, shape, seed=seed) + 1j * spaced(*IMAGINARY, shape, seed=seed + 1)


COMPLEX = {
    "c16": lambda low, high, seed=0: complex_ones(low, high, (2, 3), seed),
    "c8": lambda low, high, seed=0: complex_ones(low, high, (2, 3), seed).astype(np.complex64),
    "complex": lambda low, high, seed=0: complex(complex_ones(low, high, (), seed)),
    "c16 row": lambda low, high, seed=0: complex_ones(low, high, (3,), seed),
}
COMPLEX_PAIRS = [
    ("c16", "c16 row"), ("c16", "1d"), ("1d", "c16"), ("c16 row", "complex"), ("float", "c16"),
    ("c8", "f4"), ("c8", "float"), ("c8", "complex"), ("complex", "float"),
]  # fmt: skip
SECOND |= {"c16", "complex", "c16 c16 row", "c16 1d", "1d c16"}


def unary_cases():
    for op in SMOOTH:
        if arity(op) == 1:
            kinds = {**ONE, **(COMPLEX if takes(op, "D") and op.fn is not np.i0 else {})}
            for kind, make in kinds.items():
                params = (make(*bounds(op)[0]),)
                yield Case(f"{op.name} {kind}", op.fn, params, (), op.fn, kind in SECOND)


def binary_cases():
    for op in SMOOTH:
        if arity(op) != 2:
            continue
        left, right = bounds(op)
        for a, b in SHAPES:
            params = spaced(*left, a, seed=1), spaced(*right, b, seed=2)
            yield Case(f"{op.name} {a} {b}", op.fn, params, (), op.fn, f"{a} {b}" in SECOND)
        kinds = {**ONE, **COMPLEX}
        for a, b in MIXED + (COMPLEX_PAIRS if takes(op, "DD") else []):
            params = kinds[a](*left, seed=1), kinds[b](*right, seed=2)
            yield Case(f"{op.name} {a} {b}", op.fn, params, (), op.fn, f"{a} {b}" in SECOND)


POWERS = [
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
POSITIVES = abs(INTEGERS)


def times(function):
    """x * function(x, ...)."""
    return lambda x, *others: x * function(x, *others)


def times_of_integers(function):
    """x * function(m, n), or of one integer."""
    return lambda x, *integers: x * function(*integers)


def step_cases():
    pairs = {
        "2d 1d": (X, ROW), "2d float": (X, 0.71), "float 1d": (0.71, ROW),
        "float float": (0.5, 1.7), "f4 f4": (SMALL, SMALL[:, ::-1] + np.float32(0.01)),
    }  # fmt: skip
    for op in STEPS:
        f = op.fn
        if takes(op, "d"):
            kinds = ["2d", "0d", "f4", "float", "float64", "empty"]
            kinds += ["c16", "complex"] if takes(op, "D") and op.name not in NO_COMPLEX else []
            for kind in kinds:
                params = ({**ONE, **COMPLEX}[kind](*EVERYWHERE),)
                yield Case(f"{f.__name__} {kind}", times(f), params, (), f)
        elif takes(op, "dd"):
            for kind, params in pairs.items():
                yield Case(f"{f.__name__} {kind}", times(f), params, (), f)
        else:
            integers = {"arrays": (POSITIVES, np.array([1, 2, 3])), "numbers": (6, 3),
                        "mixed": (POSITIVES, 2)}  # fmt: skip
            for kind, rest in integers.items():
                rest = rest[: f.nin]
                yield Case(f"{f.__name__} {kind}", times_of_integers(f), (X,), rest, f)


NEXT = rows(
    np.nextafter,
    ("of data", lambda x, y: x * np.nextafter(y, 9.0), (X,), (X * 2.0,)),
    ("f4", lambda x, y: x * np.nextafter(y, x), (SMALL,), (SMALL * np.float32(2.0),)),
    second=False,
)
NO_COMPLEX = ("fix", "isposinf", "isneginf")
CLOSE = np.array([0.7, -1.3, 1.6])
ROUNDING = [
    *rows(
        np.round,
        ("2d", times(np.round), (X,)),
        ("decimals", lambda x: x * np.round(x, 1), (X,)),
        ("f4", times(np.round), (SMALL,)),
        ("float", times(np.round), (1.7,)),
        ("complex", times(np.round), (COMPLEX["c16"](*EVERYWHERE),)),
        ("of integers", lambda x, n: x * np.round(n, -1), (X,), (INTEGERS,)),
        second=False,
    ),
    Case("around", lambda x: x * np.around(x, decimals=1), (X,), (), np.around),
    Case("invert of a mask", lambda x: x * ~(x > 0), (X,)),
    *rows(
        np.isclose,
        ("2d", lambda x, y: x * np.isclose(x, y, atol=1.0), (X, CLOSE)),
        ("tolerances", lambda x, r: x * np.isclose(x, 1.0, r, r), (X, 0.31)),
        ("NaN", lambda x, y: x * np.isclose(y, y, equal_nan=True), (X,), (np.nan * X,)),
        ("floats", lambda x: x * np.isclose(x, 0.5), (0.5,)),
        second=False,
    ),
    *rows(
        np.allclose,
        ("2d", lambda x, y: x * np.allclose(x, y, atol=1.0), (X, CLOSE)),
        ("decides", lambda x: x * 2.0 if np.allclose(x, x) else x, (X,)),
        second=False,
    ),
    *rows(
        np.array_equal,
        ("2d", lambda x, y: x * np.array_equal(x, y), (X, CLOSE)),
        ("NaN", lambda x, y: x * np.array_equal(y, y, equal_nan=True), (X,), (np.nan * X,)),
        ("decides", lambda x: x * 2.0 if np.array_equal(x, x) else x, (X,)),
        second=False,
    ),
    *rows(np.array_equiv, ("2d", lambda x: x * np.array_equiv(x[:1], x[0]), (X,)), second=False),
]

CASES = [
    *unary_cases(), *binary_cases(), *POWERS, *CONVERSIONS, *step_cases(), *ROUNDING, *NEXT,
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


TIED = (np.array([1.0, 2.0]), np.array([1.0, 1.0]))

POWER_BASE = jit_grad(
    lambda p, y: np.sum(np.power(p, y)), withForward=False
)  # y * x ** (y - 1)
INFINITE = np.array([np.inf, -np.inf, np.inf, -np.inf, 1.0])

AT_KINKS = {
    "logaddexp of infinities": (np.logaddexp, (INFINITE, np.array([np.inf, -np.inf, 0, 0, np.inf])),
                                ([0.5, 0.5, 1, 0, 0], [0.5, 0.5, 0, 1, 1])),
    "logaddexp2 of infinities": (np.logaddexp2, (INFINITE.astype("f4"), np.float32(-np.inf)),
                                 ([1, 0.5, 1, 0.5, 1], 1.0)),
    "power 0, again": (POWER_BASE, (np.array([2.0]), np.zeros(1)),
                                 ([0.0], [0.5])),
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
    "nextafter": (lambda x: x * np.nextafter(x, 9.0), (np.array([1.0, -2.0]),),
                  (np.nextafter([1.0, -2.0], 9.0),)),
    "hypot": (np.hypot, (np.array([0.0]), np.array([0.0])), ([0], [0])),
    "power of 0": (lambda x: x**2, (np.array([0.0]),), ([0],)),
    "power 0 of 0": (np.power, (np.array([0.0]), np.array([0.0])), ([0], [0])),
    "power 1 of 0": (np.power, (np.array([0.0]), np.array([1.0])), ([1], [0])),
    "power of a negative": (np.power, (np.array([-2.0]), np.array([2.0])), ([-4], [np.nan])),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "params", "gradients"), AT_KINKS.values(), ids=AT_KINKS)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log:RuntimeWarning")
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_conventions_at_kinks(f, params, gradients, optimize):
    check(f, params, (), optimize, gradients)


@MODES
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("function", "unit"), [(np.logaddexp, 1.0), (np.logaddexp2, np.log(2.0))])
def test_curvature_of_sums_of_exponentials(function, unit, optimize):
    x = np.array([0.0, 1.0, -40.0, 40.0, 700.0, -700.0, np.inf, -np.inf])
    e = np.exp(-unit * np.abs(x))
    curvature = hessian(lambda x: np.sum(function(0.0, x)), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(curvature(x), np.diag(unit * e / (1 + e) ** 2), 1e-13)


@MODES
def test_a_cast_to_fewer_digits(optimize):
    x = np.array([0.5, -1.25, 3.0])
    check(lambda x: x.astype(np.float32) * 2.0, (x,), (), optimize, (np.full(3, 2.0),))
