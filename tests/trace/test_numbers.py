"""Python and NumPy numbers inside traced functions keep their own arithmetic."""

import math

import numpy as np
import pytest

from tests.support import CALLS, MODES, check
from tracejit import jit_grad

# Some of these have no gradient, which is said.
pytestmark = pytest.mark.filterwarnings("ignore:the first output")

FORMS = {
    "sum": lambda a, n: a + n,
    "reflected": lambda a, n: n - a,
    "product of integers": lambda a, n: a * (n * 3 + 1),
    "floor division of integers": lambda a, n: a * (n // 2),
    "floor division of floats": lambda a, n: a * (7.5 // a),
    "negative floor division": lambda a, n: a * (-n // 2),
    "remainder of integers": lambda a, n: a * (-n % 3),
    "remainder of floats": lambda a, n: a % 0.7,
    "negative remainder": lambda a, n: -a % 0.7,
    "remainder by a parameter": lambda a, n: 7.5 % a,
    "power": lambda a, n: a**n,
    "integer power": lambda a, n: a * n**3,
    "negative integer power": lambda a, n: a * n**-1,
    "power of a constant": lambda a, n: 2**a + 2.5**a,
    "big integers": lambda a, n: a * ((n + 10) ** 40 % 1_000_003),
    "bits": lambda a, n: a * ((n << 3) | 1),
    "divmod": lambda a, n: divmod(a, 0.7)[1] * divmod(n, 3)[0] * divmod(17, n)[1],
    "pow": lambda a, n: pow(a, 3),
    "invert": lambda a, n: a * ~n,
    "true division of integers": lambda a, n: a * (n / 4),
    "abs": lambda a, n: abs(a - 9.0) * abs(-n),
    "negative": lambda a, n: -a,
    "positive": lambda a, n: +a,
    "ufunc": lambda a, n: np.sin(a) * n,
    "ufunc of an integer": lambda a, n: a * np.sqrt(n),
    "float64": lambda a, n: a * np.float64(2.0),
    "comparison": lambda a, n: a * (a > 1.0),
    "integer comparison": lambda a, n: a * (n == 5),
    "with an array": lambda a, n: a * np.array([1.0, 2.0]) + n,
    "with a float32 array": lambda a, n: a * np.array([1.0, 2.0], np.float32) + n,
}


@MODES
@pytest.mark.parametrize("f", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("a", [1.3, np.float64(1.3), np.float32(1.3125)], ids=["float", "f8", "f4"])
def test_forms(f, a, optimize):
    check(f, (a,), (5,), optimize)


@MODES
def test_types_of_results(optimize):
    def f(a, n):
        whole = n + 1, n // 2, n**2, -n, n % 3, (a > 1.0) + (n > 1)
        return a * 1.0, *whole, n / 2, n * 2.0, a // 1, n > 2, a > n, np.exp(a)

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, *values = df(2.5, 7)
        assert grad == 1.0
        expected = f(2.5, 7)
        assert values == list(expected)
        assert [type(v) for v in values] == [type(e) for e in expected]
    assert not optimize or df.cache_info().direct == 0


@MODES
def test_big_integers_are_exact(optimize):
    df = jit_grad(lambda a, n: (a * 2.0, n**50, n << 100), optimize=optimize)
    for n in (3, 3, 3, 7):
        assert df(1.5, n)[1:] == (3.0, n**50, n << 100)


@MODES
@pytest.mark.parametrize(
    "f", [lambda a, b: a / b, lambda a, b: a // b, lambda a, b: a % b, lambda a, b: a * b**-1]
)
def test_division_by_zero_is_pythons(f, optimize):
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        df(1.5, 2.0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            df(1.5, 0.0)
    with pytest.raises(ZeroDivisionError):
        jit_grad(f, optimize=optimize)(1.5, 0.0)


@MODES
def test_overflow_is_pythons(optimize):
    df = jit_grad(lambda a: a**400, optimize=optimize)
    for _ in range(CALLS):
        assert df(1.0)[1] == 1.0
    for _ in range(2):
        with pytest.raises(OverflowError):
            df(1e3)


@MODES
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numpy_numbers_divide_by_zero_as_numpy_does(optimize):
    df = jit_grad(lambda a, b: a / b, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(np.float64(1.5), np.float64(0.0))
        assert value == np.inf and grad == np.inf


@MODES
def test_a_power_may_turn_complex_or_whole(optimize):
    """The type of a power of Python numbers depends on their values, not on their types."""
    df = jit_grad(lambda a, n: (a * 1.5, 2**n), optimize=optimize)
    for n in (3, 3, 3, -1, 4):
        _, value, power = df(1.0, n)
        assert power == 2**n and type(power) is type(2**n)


def test_a_modulus_is_not_forgotten():
    df = jit_grad(lambda a, n: a * pow(n, 3, 5), optimize=False)
    assert df(1.5, 3) == (2.0, 3.0)


@MODES
def test_signed_zero_and_nan(optimize):
    df = jit_grad(lambda a: (a * 1.0, -a, a - a, a * 0.0, a + 0.0), optimize=optimize)
    for a in (0.0, -0.0, math.inf, math.nan, 0.0, -0.0):
        _, *values = df(a)
        expected = [a * 1.0, -a, a - a, a * 0.0, a + 0.0]
        assert [repr(v) for v in values] == [repr(e) for e in expected]


@MODES
def test_gradients_by_closed_form(optimize):
    df = jit_grad(lambda p: p[0] ** p[1] + p[0] % p[1] - p[1] // p[0], optimize=optimize)
    for _ in range(CALLS):
        (a, b), value = df((2.5, 1.5))
        assert math.isclose(a, 1.5 * 2.5**0.5 + 1.0)
        assert math.isclose(b, 2.5**1.5 * math.log(2.5) - 1.0)
        assert math.isclose(value, 2.5**1.5 + 1.0)
        assert type(a) is float and type(b) is float and type(value) is float


def test_kinds_of_numbers_seen_inside():
    def f(a, b, n, x):
        assert isinstance(a, float) and not isinstance(a, np.ndarray)
        assert isinstance(b, np.float64) and isinstance(b, float)
        assert isinstance(n, int) and not isinstance(n, float)
        assert isinstance(x, np.ndarray) and not isinstance(x, float)
        assert isinstance(x[0], np.float64) and isinstance(a * 2, float)
        assert isinstance(n + 1, int) and isinstance(n / 2, float)
        assert isinstance(np.sin(a), np.float64) and isinstance(np.sum(x), np.float64)
        assert isinstance(x > 0, np.ndarray) and isinstance(a > 0, bool)
        assert not hasattr(a, "shape")
        return a * b * n * x[0]

    args = 1.5, np.float64(2.0), 3, np.ones(2)
    assert jit_grad(f, optimize=False)(*args) == (6.0, 9.0)
