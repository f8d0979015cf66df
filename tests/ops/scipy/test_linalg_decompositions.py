"""scipy.linalg's decompositions: values and signs are SciPy's, gradients agree with differences."""

import numpy as np
import pytest

from tests.ops.cases import orders, rows
from tests.support import MODES, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

linalg = pytest.importorskip("scipy.linalg")


def square(n=3, batch=(), dtype=float, seed=12):
    """Matrices with eigenvalues that are far from each other."""
    return spaced(-1.0, 0.9, (*batch, n, n), dtype, seed) + 2.0 * np.diag(np.arange(1.0, n + 1))


def of(function, **options):
    """A function of SciPy with fixed options."""
    return lambda *args: function(*args, **options)


def part(number, function, **options):
    """One of several results."""
    return lambda *args: function(*args, **options)[number]


def sizes(number, function, **options):
    """The squared absolute values of one of several results, which know of no phases."""

    def f(*args):
        found = function(*args, **options)[number]
        return np.square(np.real(found)) + np.square(np.imag(found))

    return f


A, Z, STACK = square(), square(dtype=complex), square(2, (2,))
METRIC, ZMETRIC = 4.0 * np.eye(3) + 0.3 * A, 4.0 * np.eye(3) + 0.3 * Z
TALL, WIDE = spaced(-1.0, 1.3, (4, 2), seed=3), spaced(-1.0, 1.3, (2, 4), seed=4)
RIGHT = spaced(-1.0, 1.3, (4,), seed=5)
ROTATED = np.array([[0.3, -1.2, 0.1], [1.4, 0.2, 0.4], [0.2, -0.3, 2.0]])

CASES = [
    *rows(
        linalg.eigh,
        ("values", of(linalg.eigh, eigvals_only=True), (A,)),
        ("vectors", sizes(1, linalg.eigh, lower=False), (A,)),
        ("metric", part(1, linalg.eigh), (A, METRIC)),
    ),
    *rows(
        linalg.eigh,
        ("complex", sizes(1, linalg.eigh), (Z,)),
        ("complex metric", sizes(1, linalg.eigh), (Z, ZMETRIC)),
        ("values with a metric", part(0, linalg.eigh, lower=False), (A, METRIC)),
        ("stack", part(1, linalg.eigh), (STACK,)),
        ("f4", part(1, linalg.eigh), (A.astype("f4"),)),
        second=False,
    ),
    *rows(linalg.eigvalsh, ("complex", linalg.eigvalsh, (Z,)), second=False),
    *rows(
        linalg.eig,
        ("values", part(0, linalg.eig), (A,)),
        ("complex vectors", sizes(1, linalg.eig), (ROTATED,)),
        ("real vectors", part(1, linalg.eig), (A,)),
        second=False,
    ),
    *rows(
        linalg.eigvals,
        ("complex of real", linalg.eigvals, (ROTATED,)),
        ("complex", linalg.eigvals, (Z,)),
        second=False,
    ),
    *rows(
        linalg.svd,
        ("left", part(0, linalg.svd, full_matrices=False), (TALL,)),
        ("values", of(linalg.svd, compute_uv=False), (WIDE,)),
    ),
    *rows(
        linalg.svd,
        ("right", part(2, linalg.svd, full_matrices=False), (WIDE,)),
        ("complex", sizes(0, linalg.svd), (Z,)),
        second=False,
    ),
    *rows(linalg.svdvals, ("complex", linalg.svdvals, (Z,)), second=False),
    *rows(
        linalg.qr,
        ("q", part(0, linalg.qr, mode="economic"), (TALL,)),
        ("r", part(0, linalg.qr, mode="r"), (A,)),
    ),
    *rows(linalg.qr, ("wide r", part(1, linalg.qr), (WIDE,)), second=False),
    *rows(
        linalg.pinv,
        ("tall", linalg.pinv, (TALL,)),
        ("wide", of(linalg.pinv, rtol=1e-9), (WIDE,)),
        second=False,
    ),
    *rows(
        linalg.pinvh,
        ("lower", linalg.pinvh, (A,)),
        ("complex upper", of(linalg.pinvh, lower=False), (Z,)),
        second=False,
    ),
    *rows(
        linalg.lstsq,
        ("solution", part(0, linalg.lstsq), (TALL, RIGHT)),
        ("residuals", part(1, linalg.lstsq), (TALL, RIGHT)),
        ("of columns", part(1, linalg.lstsq), (TALL, np.stack([RIGHT, RIGHT[::-1]], 1))),
        ("wide", part(0, linalg.lstsq), (WIDE, RIGHT[:2])),
        second=False,
    ),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)

REFUSED = {
    "subset": lambda a: linalg.eigh(a, subset_by_index=[0, 1])[0],
    "pivots": lambda a: linalg.qr(a, pivoting=True)[1],
    "left vectors": lambda a: linalg.eig(a, left=True)[1],
}


@MODES
@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
def test_what_has_no_rule_is_refused(f, optimize):
    with pytest.raises(UnsupportedError, match="argument"):
        jit_grad(lambda a: np.sum(f(a)), optimize=optimize)(A)
