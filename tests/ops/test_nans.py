"""Reductions and scans that leave NaN out, and what becomes of rows with nothing else."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, INTEGERS, MASK, SMALL, Case, X, orders, rows
from tests.support import MODES, check, spaced

HOLES = np.where(np.arange(24).reshape(2, 3, 4) % 5 == 3, np.nan, CUBE)
SMALL_HOLES = np.where(MASK, np.float32(np.nan), SMALL)
Z = np.where(MASK, np.nan, spaced(-1.3, 1.7, (2, 3), complex, seed=10))
KEEP = np.arange(12).reshape(3, 4) % 4 != 1

REDUCTIONS = [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd]
EXTREMES = [np.nanmax, np.nanmin]


def over_axis(f, axis, keepdims):
    return lambda x: f(x, axis=axis, keepdims=keepdims)


def reduction_cases(f):
    for axis, keepdims in ((None, False), (0, True), (-1, False), ((0, 2), False), ((1, -1), True)):
        title = f"{f.__name__} axis={axis}"
        yield Case(title, over_axis(f, axis, keepdims), (HOLES,), (), f, keepdims)
    yield from rows(
        f,
        ("positional axis", lambda x: f(x, 1), (HOLES[:, ::-1],)),
        ("f4", lambda x: f(x, axis=1), (SMALL_HOLES,)),
        ("f2", f, (np.array([0.5, np.nan, 1.5], np.float16),)),
        ("integers", lambda x, n: x * f(n, axis=0), (X,), (INTEGERS,)),
        ("complex", f, (Z,)),
        second=False,
    )
    if f in EXTREMES:
        options = [
            ("initial", lambda x, i: f(x, axis=1, initial=i), (HOLES, 0.3)),
            ("where", lambda x, m: f(x, axis=1, initial=0.2, where=m), (HOLES,), (KEEP,)),
        ]
    else:
        options = [
            ("where", lambda x, m: f(x, axis=(0, 2), where=m), (HOLES,), (KEEP,)),
            ("dtype", lambda x: f(x, axis=0, dtype=np.float64), (SMALL_HOLES[:, 1::-1],)),
            ("as complex", lambda x: f(x, 0, np.complex128), (HOLES,)),
        ]
    yield from rows(f, *options, second=False)


CASES = [
    *(case for f in REDUCTIONS for case in reduction_cases(f)),
    *(
        case
        for f in (np.nansum, np.nanprod)
        for case in rows(f, ("initial", lambda x, i, f=f: f(x, initial=i), (HOLES, 0.5)))
    ),
    *(
        case
        for f in (np.nanvar, np.nanstd)
        for case in rows(
            f,
            ("ddof", lambda x, f=f: f(x, axis=1, ddof=1), (HOLES,)),
            ("correction", lambda x, f=f: f(x, axis=2, correction=0.5), (HOLES,)),
            ("mean", lambda x, m, f=f: f(x, axis=0, mean=m), (HOLES, CUBE[:1, :1, :1])),
        )
    ),
    *(
        case
        for f in (np.nancumsum, np.nancumprod)
        for case in rows(
            f,
            ("flat", f, (HOLES,)),
            ("axis", lambda x, f=f: f(x, axis=1), (HOLES,)),
            ("f4 as f8", lambda x, f=f: f(x, 0, np.float64), (SMALL_HOLES,)),
            ("integers", lambda x, n, f=f: x * f(n, axis=1), (X,), (INTEGERS,)),
        )
    ),
    *(
        case
        for f in (np.nanargmax, np.nanargmin)
        for case in rows(
            f,
            ("all", lambda x, f=f: np.nansum(x) * f(x), (HOLES,)),
            ("axis", lambda x, f=f: np.nansum(x) * f(x, axis=2, keepdims=True), (HOLES,)),
            second=False,
        )
    ),
]

test_first_order, test_second_order = orders(CASES)
test_first_order = pytest.mark.filterwarnings("ignore::RuntimeWarning")(test_first_order)

NAN = np.nan
ROWS = np.array([[NAN, NAN], [1.0, 3.0]])
AT_KINKS = {
    "nanmax shares": (np.nanmax, np.array([3.0, NAN, 3.0, 2.0]), [0.5, 0, 0.5, 0]),
    "nanmin shares": (np.nanmin, np.array([3.0, NAN, 3.0, 4.0]), [0.5, 0, 0.5, 0]),
    "nanmax of minus infinity": (np.nanmax, np.array([-np.inf, NAN]), [1, 0]),
    "nanmax of NaN": (np.nanmax, np.array([NAN, NAN]), [0.5, 0.5]),
    "nanmean of NaN": (lambda x: np.nanmean(x, axis=1), ROWS, [[0, 0], [0.5, 0.5]]),
    "nanvar of NaN": (lambda x: np.nanvar(x, axis=1), ROWS, [[0, 0], [-1, 1]]),
    "nanvar of one": (lambda x: np.nanvar(x, axis=0, ddof=1), ROWS, [[0, 0], [NAN, NAN]]),
    "nanstd of a constant": (np.nanstd, np.array([2.0, NAN, 2.0]), [0, 0, 0]),
    "nansum of NaN": (np.nansum, np.array([NAN, NAN]), [0, 0]),
    "nanprod of zeros": (np.nanprod, np.array([0.0, NAN, 3.0, 2.0]), [6, 0, 0, 0]),
    "nancumprod of zeros": (np.nancumprod, np.array([2.0, NAN, 0.0, 3.0]), [2, 0, 8, 0]),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), AT_KINKS.values(), ids=AT_KINKS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_conventions_at_kinks(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))
