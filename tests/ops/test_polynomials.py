"""Polynomials given by their coefficients."""

import numpy as np
import pytest

from tests.ops.cases import ROW, SMALL, X, Y, orders, rows
from tests.support import MODES, assert_same, spaced
from tracejit import jit_grad

COMPLEX = spaced(-0.9, 1.4, (4,), complex)
LEADING = np.array([0.0, 0.0, 1.5, -0.5])  # zeros that do not count

CASES = [
    *rows(
        np.polyadd,
        ("a shorter one", lambda x, y: np.polyadd(x, y) ** 2, (ROW, Y[0, :2])),
        ("a longer one", lambda x, y: np.polyadd(x[:1], y) ** 2, (X[0], COMPLEX)),
        ("a number", lambda x: np.polyadd(x, 2.0) ** 2, (0.5,)),
    ),
    *rows(np.polysub, ("lists", lambda x, y: np.polysub([x, 1.0], y) ** 2, (0.5, ROW))),
    *rows(
        np.polymul,
        ("two", np.polymul, (ROW, Y[0])),
        ("f4", lambda x: np.polymul(x, x), (SMALL[0],)),
        ("with zeros", lambda x, p: np.polymul(p, x), (COMPLEX,), (LEADING,)),
        ("nothing", lambda x: np.polymul([0.0], x), (ROW,)),
        second=False,
    ),
    *rows(
        np.polyder,
        ("once", lambda x: np.polyder(x) ** 2, (COMPLEX,)),
        ("twice", lambda x: np.polyder(x, 2) * x[0], (ROW,)),
        ("not at all", lambda x: np.polyder(x, 0) ** 2, (ROW,)),
    ),
    *rows(
        np.polyint,
        ("once", lambda x: np.polyint(x) ** 2, (COMPLEX,)),
        ("with constants", lambda x, y: np.polyint(x, 2, [y, 3.0]) ** 2, (ROW, 0.5)),
        ("with one constant", lambda x, y: np.polyint(x, m=2, k=y) * 2.0, (SMALL[0], 0.5)),
    ),
    *rows(
        np.poly,
        ("of roots", np.poly, (ROW,)),
        ("of complex ones", np.poly, (COMPLEX,)),
        ("of pairs", lambda x: np.poly([x[0] + 1j * x[1], x[0] - 1j * x[1]]), (ROW,)),
        ("of a matrix", lambda x: np.poly(x[:, :2] + np.diag([3.0, 5.0])), (X,)),
        second=False,
    ),
    *rows(
        np.roots,
        ("real", lambda x: np.roots(x - 4.0 * (np.arange(3) == 1)), (ROW,)),
        ("complex", lambda x: np.roots(x), (COMPLEX,)),
        ("with zeros", lambda x, p: np.roots(np.append(p, 0.0) * x), (2.0,), (LEADING,)),
        ("of a constant", lambda x: np.append(np.roots([x]), x), (2.0,)),
        second=False,
    ),
]
test_first_order, test_second_order = orders(CASES)


@MODES
def test_zeros_follow_the_data(optimize):
    for f in (np.polymul, lambda p, x: np.roots(p) * x[0]):
        df = jit_grad(lambda x, p, f=f: (np.sum(x), f(p, x)), optimize=optimize)
        for p in ([0.0, 1.0, -3.0, 2.0], [1.0, -3.0, 2.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.0] * 4):
            assert_same(df(ROW, np.array(p))[2], f(np.array(p), ROW))


@MODES
def test_errors_are_numpys(optimize):
    for f, said in [
        (lambda x: np.polyder(x, -1), "must be positive"),
        (lambda x: np.polyint(x, 3, [1, 2]), "scalar or a rank-1 array"),
        (lambda x: np.polymul(X, x), "1d only"),
        (lambda x: np.roots(np.outer(x, x)), "rank-1"),
        (lambda x: np.poly(np.outer(x, x)[1:]), "square 2d"),
    ]:
        for run in (f, jit_grad(lambda x, f=f: np.sum(f(x)), optimize=optimize)):
            with pytest.raises(ValueError, match=said):
                run(ROW)
