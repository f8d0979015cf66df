"""scipy.signal: convolutions and correlations of all modes and methods, filters with a state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import orders, rows
from tests.support import MODES, check, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

signal = pytest.importorskip("scipy.signal")


def of(function, **options):
    """A function of SciPy with fixed options."""
    return lambda *args: function(*args, **options)


LONG, SHORT = spaced(-1.0, 1.3, (6,), seed=1), spaced(-0.7, 1.1, (3,), seed=2)
WIDE, SMALL = spaced(-1.0, 1.3, (4, 5), seed=3), spaced(-0.7, 1.1, (2, 3), seed=4)
Z, ZS = spaced(-1.0, 1.3, (5,), complex, 5), spaced(-0.7, 1.1, (2,), complex, 6)
B, A = np.array([0.6, -0.2, 0.3]), np.array([1.4, 0.5, -0.3, 0.1])

CASES = [
    *rows(
        signal.convolve,
        ("full", signal.convolve, (LONG, SHORT)),
        ("same 2d fft", of(signal.convolve, mode="same", method="fft"), (WIDE, SMALL)),
    ),
    *rows(
        signal.convolve,
        ("valid 2d", of(signal.convolve, mode="valid"), (WIDE, SMALL)),
        ("same of the shorter", of(signal.convolve, mode="same"), (SHORT, LONG)),
        ("same of the smaller", of(signal.convolve, mode="same", method="direct"), (SMALL, WIDE)),
        ("complex and real", of(signal.convolve, mode="same"), (Z, SHORT)),
        ("f4", signal.convolve, (LONG.astype("f4"), SHORT.astype("f4"))),
        ("strided, integers", lambda x, n: signal.convolve(x[::-2], n), (LONG,), (np.arange(3),)),
        ("numbers", signal.convolve, (np.array(1.5), np.array(0.7))),
        second=False,
    ),
    *rows(
        signal.fftconvolve,
        ("axis", of(signal.fftconvolve, mode="same", axes=1), (WIDE, SMALL[:1])),
    ),
    *rows(
        signal.fftconvolve,
        ("full", signal.fftconvolve, (WIDE, SMALL)),
        ("valid along axis 0", of(signal.fftconvolve, mode="valid", axes=0), (WIDE, SMALL[:, :1])),
        ("complex", of(signal.fftconvolve, mode="valid"), (Z, ZS)),
        ("same, broadcast", of(signal.fftconvolve, mode="same", axes=[1]), (WIDE[:1], WIDE)),
        ("empty", signal.fftconvolve, (np.zeros((0,)), SHORT)),
        second=False,
    ),
    *rows(
        signal.oaconvolve,
        ("same", of(signal.oaconvolve, mode="same"), (spaced(-1.0, 1.0, (40,), seed=7), SHORT)),
        second=False,
    ),
    *rows(
        signal.convolve2d,
        ("same", of(signal.convolve2d, mode="same"), (WIDE, SMALL)),
        ("valid of the smaller", of(signal.convolve2d, mode="valid"), (SMALL, WIDE)),
        second=False,
    ),
    *rows(
        signal.correlate,
        ("full", signal.correlate, (LONG, SHORT)),
        ("complex same", of(signal.correlate, mode="same"), (Z, ZS)),
    ),
    *rows(
        signal.correlate,
        ("valid direct", of(signal.correlate, mode="valid", method="direct"), (SHORT, LONG)),
        ("2d direct", of(signal.correlate, mode="same", method="direct"), (WIDE, SMALL)),
        second=False,
    ),
    *rows(
        signal.correlate2d,
        ("same", of(signal.correlate2d, mode="same"), (WIDE, SMALL)),
        ("complex valid", of(signal.correlate2d, mode="valid"), (SMALL * 1j, WIDE)),
        second=False,
    ),
    *rows(
        signal.lfilter,
        ("poles and zeros", signal.lfilter, (B, A, LONG)),
        ("with state", lambda *p: signal.lfilter(*p[:3], zi=p[3])[0], (B, A, LONG, SHORT)),
    ),
    *rows(
        signal.lfilter,
        ("axis 0", of(signal.lfilter, axis=0), (B, A, WIDE)),
        ("zeros alone", signal.lfilter, (B, np.array([2.0]), WIDE)),
        ("short signal", signal.lfilter, (B, A, LONG[:2])),
        ("complex", signal.lfilter, (B, A, Z)),
        ("f4", signal.lfilter, (B.astype("f4"), A.astype("f4"), LONG.astype("f4"))),
        ("last state", lambda *p: signal.lfilter(*p[:3], zi=p[3])[1], (B, A, LONG, SHORT)),
        (
            "states of rows",
            lambda *p: np.concatenate(signal.lfilter(*p[:3], axis=0, zi=p[3])),
            (B, A, WIDE, WIDE[:3] * 0.3),
        ),
        second=False,
    ),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=2),
    st.sampled_from([signal.convolve, signal.correlate, signal.fftconvolve]),
    st.sampled_from(["full", "same", "valid"]),
)
def test_any_lengths(lengths, function, mode):
    shapes = tuple(zip(*lengths, strict=True))
    ok = any(all(m >= n for m, n in zip(*pair, strict=True)) for pair in (shapes, shapes[::-1]))
    arrays = (spaced(-1.3, 1.6, shapes[0], seed=1), spaced(-0.9, 1.2, shapes[1], seed=2))
    if ok or mode != "valid":
        check(of(function, mode=mode), arrays, (), optimize=False)


@MODES
def test_other_boundaries_are_refused(optimize):
    df = jit_grad(lambda x: np.sum(signal.convolve2d(x, SMALL, boundary="wrap")), optimize=optimize)
    with pytest.raises(UnsupportedError, match="boundary="):
        df(WIDE)
