"""Python's math, float, int and round of traced numbers: recorded as they are called."""

import math

import numpy as np
import pytest

from tests.ops.cases import Case, orders
from tests.support import CALLS, MODES
from tracejit import jit_grad
from tracejit.ops.number import BY_MATH
from tracejit.trace.creators import MATH, to_float, to_int

WHERE = {"acosh": 1.7, "lgamma": -1.3, "gamma": 2.6, "remainder": 4.9}  # others: at 0.6
PAIRS = ("atan2", "fmod", "copysign", "pow", "hypot", "remainder")
NAMES = sorted(f.__name__ for f in BY_MATH if f.__name__ not in ("fsum", "isclose"))


def called(name):
    function = getattr(math, name)
    if name in PAIRS:
        return lambda x, y: function(x, y) * x
    return lambda x: getattr(math, name)(float(x)) * x


CASES = [
    *(
        Case(f"math.{name}", called(name), (WHERE.get(name, 0.6), 1.8)[: 1 + (name in PAIRS)],
             (), None, True)
        for name in NAMES
    ),
    Case("hypot of three", lambda x, y: math.hypot(x, y, x * y), (0.6, 1.8), (), None, True),
    Case("log to a base", lambda x, y: math.log(x, y), (0.6, 1.8), (), None, True),
    Case("fsum", lambda x, y: math.fsum([x, 2, x * y]), (0.6, 1.8), (), None, True),
    Case("prod", lambda x, y: math.prod([x, 2, x * y], start=3), (0.6, 1.8), (), None, True),
    Case("dist", lambda x, y: math.dist([x, y], (1.0, x * y)), (0.6, 1.8), (), None, True),
    Case("isclose", lambda x, y: x * math.isclose(x, y, rel_tol=0.9), (0.6, 1.8)),
    Case("of an element", lambda x: math.sin(x[1]) * x[0], (np.array([0.5, 0.7]),)),
    Case("of an f4", lambda x: math.sin(x[1]), (np.array([0.5, 0.7], np.float32),)),
    Case("of a 0d array", lambda x: math.exp(x), (np.array(0.7),), (), None, True),
    Case("of an integer", lambda x, n: math.sqrt(n) * x, (0.7,), (3,)),
    Case("of a NumPy integer", lambda x, n: math.floor(n[0]) * x, (0.7,), (np.array([3]),)),
    Case("gamma below 0", lambda x: math.gamma(x), (-2.4,), (), None, True),
    Case("float", lambda x: float(x[0]) * x[1], (np.array([0.5, 0.7]),), (), None, True),
    Case("float of an integer", lambda x, n: float(n[1]) * x, (0.7,), (np.array([3, 4]),)),
    Case("float of a count", lambda x, n: float(n) * x, (0.7,), (3,)),
    Case("int", lambda x: int(x * 7.0) * x, (0.7,)),
    Case("round", lambda x: round(x * 7.0) * x, (0.7,)),
    Case("round to digits", lambda x: round(x * 7.03, 1) * x, (0.7,)),
    Case("round by itself", lambda x: round(x * 7.03, 1) * round(x * 9.0) * x, (0.7,)),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


RAISING = [
    lambda x: math.sqrt(x - 2.0), lambda x: math.log(x - 1.0), lambda x: math.asin(x * 2.0),
    lambda x: math.exp(x * 1e4), lambda x: math.pow(x - 2.0, 0.5), lambda x: math.fmod(x, x - x),
    lambda x: math.gamma(x - 1.0), lambda x: int(x * math.inf), lambda x: int(x * math.nan),
    lambda x: math.log(x, x), lambda x: math.sin(x, x), lambda x: float([x]),
    lambda x: math.floor(x * math.inf),
]  # fmt: skip


@MODES
@pytest.mark.parametrize("f", RAISING)
def test_python_errors(f, optimize):
    with pytest.raises((ValueError, TypeError, ArithmeticError)) as expected:
        f(1.0)
    with pytest.raises(type(expected.value)) as raised:
        jit_grad(f, optimize=optimize)(1.0)
    assert str(raised.value).startswith(str(expected.value))


@MODES
def test_errors_come_at_later_calls_too(optimize):
    def f(x):
        math.sqrt(x)
        return math.log(x + 2.0)

    df = jit_grad(f, optimize=optimize)
    for x in (1.0, 2.0, 3.0):
        assert df(x)[1] == math.log(x + 2.0)
    with pytest.raises(ValueError, match=r"math domain|nonnegative"):
        df(-1.0)


@pytest.mark.parametrize("make", [float, int, math.sin])
def test_arrays_of_several_elements_are_no_numbers(make):
    with pytest.raises(TypeError):
        jit_grad(lambda x: make(x) * 1.0)(np.ones(3))


def test_plain_values_are_left_to_python():
    assert MATH[math.sin](0.5) == math.sin(0.5) and MATH[math.log](8.0, 2) == math.log(8.0, 2)
    assert MATH[math.fsum]([0.1] * 10) == 1.0 and MATH[math.dist]((0, 0), (3, 4)) == 5.0
    assert to_float("2.5") == 2.5 and to_int("ff", 16) == 255 and to_int() == 0


def test_the_emitted_module_imports_math():
    source = jit_grad(lambda x: math.sin(x)).source(0.5)
    assert source.startswith("import math\n") and "math.sin(x)" in source
    assert "import math" not in jit_grad(lambda math: np.sin(math)).source(0.5)


@MODES
def test_types_are_those_of_python(optimize):
    f = lambda x: (math.sin(x[0]), math.floor(x[0]), float(x[1]), int(x[1]),
                   round(x[0]), round(x[0], 1), math.isnan(x[0]))  # fmt: skip
    df = jit_grad(f, optimize=optimize)
    x = np.array([1.6, 2.7])
    for _ in range(CALLS):
        assert [type(v) for v in df(x)[1:]] == [type(v) for v in f(x)]
        assert df(x)[1:] == f(x)
