"""np.pad in all its modes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import CUBE, EMPTY, INTEGERS, ROW, SMALL, X, orders, refused, rows
from tests.ops.test_shape import COMPLEX, FORTRAN, STRIDED, squared
from tests.support import MODES, assert_same, check, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

CASES = [
    *rows(
        np.pad,
        ("one side", lambda x: np.pad(x, ((0, 2), (1, 0))) * 2.0, (X,)),
        ("a constant", lambda x: np.pad(x, (1, 2), constant_values=1.5) * x[0, 0], (X,)),
        ("negative zero", lambda x: np.pad(x, 1, constant_values=-0.0), (X,)),
        ("with an integer", lambda x: np.pad(x, 1, constant_values=3), (SMALL,)),
        ("of data", lambda x, n: np.pad(x, n) * 2.0, (ROW,), (np.array([1, 2]),)),
        ("of nothing", lambda x: np.pad(x, ((1, 1), (0, 0)), constant_values=2.0), (EMPTY,)),
        ("not at all", lambda x: np.pad(x, 0, mode="edge"), (X,)),
        ("fortran", lambda x: np.pad(x, 1, constant_values=1.0) * 2.0, (FORTRAN,)),
        ("empty", lambda x: np.pad(x, 1, "empty")[1:-1, 1:-1] * 2.0, (X,)),
        ("wrapped often", lambda x: np.pad(x, 7, "wrap") * 2.0, (ROW,)),
        ("reflected often", lambda x: np.pad(x, (7, 9), "reflect") * 2.0, (ROW,)),
        ("reflect one", lambda x: np.pad(x, 2, "reflect", reflect_type="odd"), (ROW[:1],)),
        ("odd often", lambda x: np.pad(x, (5, 6), "reflect", reflect_type="odd"), (ROW,)),
        ("symmetric", lambda x: np.pad(x, ((0, 2), (3, 1)), "symmetric") * 2.0, (STRIDED[0],)),
        ("mean", lambda x: np.pad(x, (1, 2), "mean") * 2.0, (X,)),
        ("maximum of some", lambda x: np.pad(x, 1, "maximum", stat_length=2) * 2.0, (X,)),
        ("median", lambda x: np.pad(x, (1, 2), "median") * 2.0, (X,)),
        ("median of some", lambda x: np.pad(x, 1, "median", stat_length=2) * 2.0, (SMALL,)),
        second=False,
    ),
    *rows(
        np.pad,
        ("zeros", lambda x: np.pad(x, 1) * 2.0, (X,)),
        ("constants", lambda x: np.pad(x, 1, constant_values=((1.0, 2.0), (3.0, 4.0))) * 2.0, (X,)),
        ("traced", lambda x, y: np.pad(x, (2, 1), constant_values=y) * y, (X, 1.5)),
        ("two", lambda x, y: np.pad(x, 1, constant_values=((y, 2.0), (3.0, y * y))), (X, 1.5)),
        ("integers", lambda x, n: np.pad(n, 1, constant_values=1.7) * x[0, 0], (X,), (INTEGERS,)),
        ("0d", lambda x: np.pad(x, 1) * 2.0, (np.array(1.5),)),
        ("complex", lambda x: np.pad(x, 1, constant_values=1j) * 2.0, (COMPLEX,)),
        ("edge", lambda x: np.pad(x, ((1, 0), (2, 5)), "edge") * 2.0, (X,)),
        ("wrap", lambda x: np.pad(x, ((1, 3), (2, 1)), "wrap") * 2.0, (X,)),
        ("reflect", lambda x: np.pad(x, (1, 2), "reflect") * 2.0, (CUBE[0],)),
        ("reflect odd", lambda x: np.pad(x, (1, 2), "reflect", reflect_type="odd"), (X[:, :2],)),
        ("symmetric odd", lambda x: np.pad(x, 5, "symmetric", reflect_type="odd"), (ROW,)),
        ("mean of some", lambda x: np.pad(x, 1, "mean", stat_length=((1, 2), (2, 9))), (X,)),
        ("maximum", lambda x: np.pad(x, 1, "maximum") * 2.0, (SMALL,)),
        ("minimum", lambda x: np.pad(x, ((2, 0), (0, 1)), "minimum", stat_length=(2, 1)), (X,)),
        ("linear ramp", lambda x: np.pad(x, (3, 2), "linear_ramp") * 2.0, (X,)),
        ("ramp", lambda x, y: np.pad(x, (3, 2), "linear_ramp", end_values=y), (X, 1.5)),
        ("ramps", lambda x: np.pad(x, 2, "linear_ramp", end_values=((1, 2), (3, 4.5))), (SMALL,)),
        ("in a dict", lambda x: np.pad(x, {-1: (1, 2)}) * 2.0, (X,)),
    ),
]  # fmt: skip
if np.lib.NumpyVersion(np.__version__) < "2.2.0":  # no dicts before
    CASES.pop()

test_first_order, test_second_order = orders(CASES, squared)


@MODES
@pytest.mark.parametrize(
    "mode", ["mean", "median", "maximum", "minimum", "linear_ramp", "edge", "wrap"]
)
def test_integers_are_padded_as_numpy_does(mode, optimize):
    f = lambda x, n: (x[0, 0] * 2.0, np.pad(n, ((1, 2), (2, 0)), mode))
    df = jit_grad(f, optimize=optimize)
    for n in (INTEGERS, INTEGERS + 1, -INTEGERS):
        for _ in range(2):
            assert_same(df(X, n)[2], np.pad(n, ((1, 2), (2, 0)), mode))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["reflect", "symmetric", "wrap", "edge"]),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.integers(1, 4),
    st.sampled_from(["even", "odd"]),
    st.booleans(),
)
def test_any_width(mode, width, length, kind, optimize):
    options = {"reflect_type": kind} if mode in ("reflect", "symmetric") else {}
    f = lambda x: np.pad(x, ((0, 0), width), mode, **options) * 2.0
    check(f, (spaced(-1.4, 1.9, (2, length)),), (), optimize)


REFUSED = {
    "negative widths": (lambda x: np.pad(x, -1), "negative"),
    "widths of floats": (lambda x: np.pad(x, 1.0), "integral"),
    "an unknown mode": (lambda x: np.pad(x, 1, "mirror"), "not supported"),
    "an option of another mode": (lambda x: np.pad(x, 1, "edge", end_values=1), "unsupported key"),
    "nothing to reflect": (lambda x: np.pad(x[:0], 1, "reflect"), "empty axis"),
    "nothing to take the maximum of": (
        lambda x: np.pad(x, 1, "maximum", stat_length=0), "stat_length of 0"
    ),
}  # fmt: skip


test_what_numpy_refuses = refused(REFUSED)


@MODES
def test_a_function_as_a_mode_is_refused(optimize):
    def fill(vector, width, axis, options):
        vector[: width[0]] = 1.0

    with pytest.raises(UnsupportedError, match="argument mode= is a function"):
        jit_grad(lambda x: np.sum(np.pad(x, 1, fill)), optimize=optimize)(X)


def test_zeros_and_an_assignment_are_emitted():
    df = jit_grad(lambda x: np.sum(np.pad(x, 1) ** 3), backend="numpy")
    for _ in range(2):
        df(X)
    assert "[1:3, 1:4] = x" in df.source(X)
