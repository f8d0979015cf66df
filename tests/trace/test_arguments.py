"""Writes to arguments and captured arrays: seen by the caller when the call is over."""

import numpy as np
import pytest

from tests.support import CALLS, MODES, assert_same, numeric, spaced
from tracejit import jit_grad
from tracejit.errors import WriteToArgumentError

X = spaced(-1.9, 1.7, (3,), seed=1)
BUFFER = spaced(0.4, 2.1, (4, 3), seed=2)


def assigned(x, b):
    b[1] = x * 2.0
    return np.sum(b * x)


def added(x, b):
    b += x
    b[0, 0] *= 3.0
    return np.sum(b * b)


def through_views(x, b):
    row = b[2]
    flat = b.reshape(-1)
    row *= x
    flat[::5] = x[0]
    b.T[1] += 1.0
    return np.sum(row * flat[:3]) + np.sum(b * x)


def by_ufuncs(x, b):
    np.multiply(b, x, out=b)
    np.add.at(b, ([0, 0, 1], 2), x)
    np.copyto(b[3], x)
    return np.sum(np.sin(b))


def masked(x, b):
    b[b > 1.0] = 0.5
    b[:, x > 0] += 1.0
    return np.sum(b * x)


def read_before_and_after(x, b):
    before = np.sum(b * x)
    b[...] = b * 0.5
    b[0] = x
    return before * np.sum(b * b)


def filled_by_elements(x, b):
    for i in range(4):
        for j in range(3):
            b[i, j] = x[j] * i
    return np.sum(b * b)


def not_in_the_loss(x, b):
    b[0] = x
    return np.sum(x * x)


def returned(x, b):
    b[0] = x
    return np.sum(b * x), b, b[0]


WRITES = [
    assigned, added, through_views, by_ufuncs, masked, read_before_and_after, filled_by_elements,
    not_in_the_loss, returned,
]  # fmt: skip


@MODES
@pytest.mark.parametrize("f", WRITES, ids=lambda f: f.__name__)
def test_values_gradients_and_writes(f, optimize):
    df = jit_grad(f, optimize=optimize)
    ours, plain = BUFFER.copy(), BUFFER.copy()
    for _ in range(CALLS + 1):
        before = plain.copy()

        def loss(x, before=before):
            value = f(x, before.copy())
            return value[0] if isinstance(value, tuple) else value

        expected = numeric(loss, (X,))[0]
        value = f(X, plain)
        grad, *outputs = df(X, ours)
        assert_same(tuple(outputs), value if isinstance(value, tuple) else (value,))
        np.testing.assert_allclose(grad, expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(ours, plain, rtol=1e-14)
        for output in outputs:
            assert not np.may_share_memory(output, ours)
    assert not optimize or df.cache_info().direct == 0, df.explain()


@MODES
def test_captured_arrays(optimize):
    ours, plain = BUFFER.copy(), BUFFER.copy()
    state = ours

    def f(x):
        state[0] += x
        return np.sum(state * x)

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS + 1):
        grad, value = df(X)
        plain[0] += X
        assert value == pytest.approx(np.sum(plain * X), rel=1e-13)
        np.testing.assert_allclose(grad, np.sum(plain, axis=0) + X, rtol=1e-13)
        np.testing.assert_array_equal(ours, plain)


@MODES
def test_other_types_and_layouts(optimize):
    def f(x, single, integers, flags, fortran, strided):
        single[:] = x
        integers[:] = x * 3.0
        flags[:] = x > 0.0
        fortran[1] = x
        strided[0] += x
        return np.sum(x * x)

    def arrays():
        return (np.zeros(3, "f4"), np.zeros(3, int), np.zeros(3, bool),
                np.zeros((2, 3), order="F"), np.zeros((2, 6))[:, ::2])  # fmt: skip

    df, ours, plain = jit_grad(f, optimize=optimize), arrays(), arrays()
    for _ in range(CALLS):
        df(X, *ours)
        f(X, *plain)
        for a, b in zip(ours, plain, strict=True):
            np.testing.assert_array_equal(a, b)


@MODES
def test_what_was_written_before_an_exception_stays_written(optimize):
    def f(x, b):
        b[0] = x
        z = x @ b[1]
        b[2] = x
        if np.sum(x) > 5.0:
            b[3] = -1.0
            raise RuntimeError("mine")
        return z

    df, ours, plain = jit_grad(f, optimize=optimize), BUFFER.copy(), BUFFER.copy()
    for factor in (1.0, 1.0, -9.0, 1.0, -9.0, 9.0):
        x = X * factor
        for call, b in ((df, ours), (f, plain)):
            if np.sum(x) > 5.0:
                with pytest.raises(RuntimeError, match="mine"):
                    call(x, b)
            else:
                call(x, b)
        np.testing.assert_array_equal(ours, plain)


@MODES
def test_read_only_arrays_refuse_writes(optimize):
    fixed = BUFFER.copy()
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        jit_grad(assigned, optimize=optimize)(X, fixed)
    df, mine = jit_grad(assigned, optimize=optimize), BUFFER.copy()
    for _ in range(2):
        df(X, mine)
    with pytest.raises(ValueError, match="read-only"):
        df(X, fixed)


@MODES
def test_arrays_that_overlap_are_refused(optimize):
    def f(x, a, b):
        a[0] = 1.0
        return np.sum(x * a) + np.sum(b)

    whole = np.arange(8.0)
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):  # those that do not are compiled
        df(np.ones(3), whole[:3].copy(), whole[:3].copy())
        df(np.ones(3), whole[:3], whole[5:])
    for a, b in ((whole[:3], whole[2:5]), (whole[:3], whole[:3])):
        kept = whole.copy()
        with pytest.raises(WriteToArgumentError, match=r"test_arguments\.py:\d+ shares memory"):
            df(np.ones(3), a, b)
        np.testing.assert_array_equal(whole, kept)
    np.testing.assert_array_equal(df(np.ones(3), whole[::2][:3], whole[1::2][:3])[0], [1, 2, 4])
    with pytest.raises(WriteToArgumentError, match="shares memory"):
        df(whole[:3], whole[1:4], np.ones(3))


@MODES
def test_a_buffer_as_scratch_is_linear(optimize):
    def f(x, b):
        for i in range(len(x)):
            b[i] = x[i] * 2
        return np.sum(b * b)

    x, b = spaced(-1, 1, (500,)), np.zeros(500)
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, _ = df(x, b)
        np.testing.assert_allclose(grad, 8.0 * x)
        np.testing.assert_array_equal(b, 2.0 * x)
    if optimize:
        assert df.source(x, b).count("np.copyto(") < 6
