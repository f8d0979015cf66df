"""Convolutions and correlations of all modes and lengths, and polynomials."""

import numpy as np
import pytest

from tests.ops.cases import COLUMN, CUBE, ROW, SMALL, Case, X, orders, rows
from tests.support import MODES, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

TIMES, SEEN = spaced(-1.0, 2.0, (7,), seed=1), spaced(-1.0, 1.0, (7, 2), seed=2)
WEIGHTS = spaced(0.5, 1.5, (7,), seed=3)
LENGTHS = [(5, 3), (3, 5), (4, 4), (5, 2), (2, 5), (4, 1), (1, 4), (1, 1)]


def pair(m, n, dtype=float):
    """Two vectors of these lengths."""
    return spaced(-1.3, 1.6, (m,), dtype, 1), spaced(-0.9, 1.2, (n,), dtype, 2)


def in_mode(f, mode):
    """A convolution or correlation of a fixed mode."""
    return lambda a, v: f(a, v, mode)


CASES = [
    *(
        Case(f"{f.__name__} {mode} {m} {n}", in_mode(f, mode), pair(m, n), (), f, m != 1)
        for f in (np.convolve, np.correlate)
        for mode in ("full", "same", "valid")
        for m, n in LENGTHS
    ),
    *(
        Case(f"{f.__name__} complex {mode} {m} {n}", in_mode(f, mode), pair(m, n, complex), (), f,
             m > n)
        for f in (np.convolve, np.correlate)
        for mode in ("full", "same", "valid")
        for m, n in ((4, 2), (2, 4))
    ),
    *(
        case
        for f in (np.convolve, np.correlate)
        for case in rows(
            f,
            ("default", f, pair(4, 2)),
            ("real and complex", f, (pair(4, 2)[0], pair(4, 2, complex)[1])),
            ("complex and real", f, (pair(4, 2, complex)[0], pair(4, 2)[1])),
            ("mode by number", in_mode(f, 1), pair(4, 2)),
            ("f4", f, (SMALL[0], SMALL[1])),
            ("f4 and f8", f, (SMALL[0], ROW)),
            ("strided", lambda a, f=f: f(a[0, ::2, 0], a[:, 1, ::-1][0]), (CUBE,)),
            ("list", lambda a, f=f: f(a, [1, 2]), (ROW,)),
            ("with itself", lambda a, f=f: f(a, a, "full"), (ROW,)),
            second=False,
        )
    ),
    *rows(np.convolve, ("with a number", np.convolve, (ROW, 1.5))),
    *rows(
        np.polyval,
        ("2d", np.polyval, (ROW, X)),
        ("float", np.polyval, (ROW, 0.7)),
        ("list", lambda x: np.polyval([1, -2, 3], x), (X,)),
        ("f4", lambda x: np.polyval([1, -2, 3], x), (SMALL,)),
        ("complex", np.polyval, (ROW + 0.5j, pair(2, 3, complex)[1])),
        ("columns of coefficients", np.polyval, (X, COLUMN[:, 0, None] * ROW)),
        ("integers", lambda p, n: np.polyval(p, n), (ROW,), (np.arange(3),)),
        ("no coefficients", lambda x: np.polyval(np.zeros(0), x) + x, (X,)),
    ),
    *rows(
        np.polyfit,
        ("parabola", lambda x, y: np.polyfit(x, y, 2), (TIMES, SEEN[:, 0])),
        ("integer times", lambda y: np.polyfit([1, 2, 3, 4, 5, 6, 7], y, 3), (SEEN[:, 0],)),
    ),
    *rows(
        np.polyfit,
        ("two columns", lambda x, y: np.polyfit(x, y, 1), (TIMES, SEEN)),
        ("weights", lambda x, y, w: np.polyfit(x, y, 2, w=w), (TIMES, SEEN[:, 0], WEIGHTS)),
        ("weights of two columns", lambda x, y, w: np.polyfit(x, y, 1, w=w),
         (TIMES, SEEN, WEIGHTS)),
        ("covariance", lambda x, y: np.polyfit(x, y, 1, cov=True)[1], (TIMES, SEEN[:, 0])),
        ("covariance of two columns", lambda x, y: np.polyfit(x, y, 1, cov=True)[1],
         (TIMES, SEEN)),
        ("unscaled covariance", lambda x, y: np.polyfit(x, y, 1, cov="unscaled")[1],
         (TIMES, SEEN[:, 0])),
        ("residuals", lambda x, y: np.polyfit(x, y, 1, full=True)[1], (TIMES, SEEN[:, 0])),
        ("f4", lambda y: np.polyfit(TIMES, y, 1), (SEEN[:, 0].astype(np.float32),)),
        second=False,
    ),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)

WRONG = {
    "empty": (lambda a: np.convolve(a[:0], a), ValueError),
    "two axes": (lambda a: np.convolve(a[None], a), ValueError),
    "no axis": (lambda a: np.correlate(a[0], a), ValueError),
    "mode": (lambda a: np.convolve(a, a, "some"), ValueError),
    "number of a mode": (lambda a: np.correlate(a, a, 5), ValueError),
    "degree": (lambda a: np.polyfit(a, a, -1), ValueError),
    "times of two axes": (lambda a: np.polyfit(a[None], a, 1), TypeError),
}


@MODES
@pytest.mark.parametrize(("f", "error"), WRONG.values(), ids=WRONG)
def test_errors_are_numpys(f, error, optimize):
    with pytest.raises(error) as plain:
        f(ROW)
    with pytest.raises(error) as traced:
        jit_grad(lambda a: np.sum(f(a)), optimize=optimize)(ROW)
    assert str(traced.value) == str(plain.value)


def test_a_polynomial_of_a_polynomial_is_refused():
    with pytest.raises(UnsupportedError, match="is a polynomial"):
        jit_grad(lambda p: np.sum(np.polyval(p, np.poly1d([1.0, 2.0])).coeffs))(ROW)
