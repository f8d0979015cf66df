"""sinc and i0: their derivatives of every order, against series of many digits, at 0 as well."""

import mpmath
import numpy as np
import pytest

from tests.ops.cases import Case, orders
from tests.support import CALLS, MODES, spaced
from tracejit import jit_grad
from tracejit.ops.entire import modified_ratio, spherical_ratio

Z = spaced(-1.3, 1.6, (2, 3), complex, 1)
FAR = np.array([-40.0, -2.5, -0.1, 0.4, 3.7, 33.0])

CASES = [
    Case("sinc of complex numbers", np.sinc, (Z,), (), np.sinc, True),
    Case("sinc far from 0", np.sinc, (FAR,), (), np.sinc, True),
    Case("sinc of 0", np.sinc, (np.zeros(2),), (), np.sinc, True),
    Case("sinc of integers", lambda x, n: np.sinc(n) * x, (FAR,), (np.arange(6),), np.sinc),
    Case("i0 far from 0", lambda x: np.i0(x) * np.exp(-abs(x)), (FAR,), (), np.i0),
    Case("i0 of 0", np.i0, (np.zeros(2),), (), np.i0, True),
]

test_first_order, test_second_order = orders(CASES)

WHERE = np.array([0.0, 1e-9, 0.1, 0.99, 1.01, 2.99, 3.01, 5.9, 7.3, 29.0, 31.0, 56.0, 300.0])


@pytest.mark.parametrize("order", range(1, 6))
def test_the_families(order):
    mpmath.mp.dps = 40
    for x, j, i in zip(WHERE, spherical_ratio(WHERE, order=order),
                       modified_ratio(WHERE, order=order), strict=True):  # fmt: skip
        exact = mpmath.mpf(float(x))
        if x == 0:
            assert j == pytest.approx(float(1 / mpmath.fac2(2 * order + 1)), rel=1e-15)
            assert i == pytest.approx(0.5**order / float(mpmath.factorial(order)), rel=1e-15)
            continue
        spherical = mpmath.sqrt(mpmath.pi / (2 * exact)) * mpmath.besselj(order + 0.5, exact)
        scale = max(x, 1.0) ** (order + 1)
        assert j * scale == pytest.approx(float(spherical / exact**order) * scale, abs=1e-15)
        assert i == pytest.approx(float(mpmath.besseli(order, exact) / exact**order), rel=2e-15)


def derivative(f, times, optimize):
    """The derivative of f of that order, by differentiating again and again."""
    for _ in range(times):
        f = jit_grad(f, withForward=False, optimize=optimize)
    return f


@MODES
@pytest.mark.parametrize("x", [0.0, 1e-5, -0.3, 1.7])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_every_order(order, x, optimize):
    mpmath.mp.dps = 40
    sinc, i0 = derivative(np.sinc, order, optimize), derivative(np.i0, order, optimize)
    for _ in range(CALLS):
        exact = mpmath.diff(mpmath.sincpi, x, order)
        assert sinc(x) == pytest.approx(float(exact), rel=1e-12, abs=1e-13)
        exact = mpmath.diff(lambda t: mpmath.besseli(0, t), x, order)
        assert i0(x) == pytest.approx(float(exact), rel=1e-12, abs=1e-13)


def test_the_emitted_module_holds_the_family():
    df = jit_grad(lambda x: np.sum(np.sinc(x)))
    for _ in range(CALLS):
        df(FAR)
    assert "def spherical_ratio(x, order):" in df.source(FAR)
