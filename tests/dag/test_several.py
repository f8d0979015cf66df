"""Ops with several results: the sweep brings the cotangents of all of them together."""

import numpy as np
import pytest

from tests.support import CALLS, MODES, check, check_second, spaced
from tracejit import jit_grad
from tracejit.dag.op import Op
from tracejit.debug.checks import is_finite

X = spaced(0.3, 1.9, (2, 3))


def _rule(g, out, x):
    by_sine = 0.0 if g[0] is None else g[0] * np.cos(x)
    by_cosine = 0.0 if g[1] is None else g[1] * np.sin(x)
    return by_sine - by_cosine


def _both(x):
    return np.sin(x), np.cos(x)


BOTH = Op("both", _both, several=2, vjp=[_rule])
TEXT = Op("linalg.slogdet", np.linalg.slogdet, several=2, vjp=None, path="np.linalg.slogdet")

USES = {
    "both": lambda x: BOTH(x)[0] * np.exp(BOTH(x)[1]),
    "the first": lambda x: BOTH(x)[0] * x,
    "the second": lambda x: BOTH(x)[1] * x,
    "one of them twice": lambda x: BOTH(x)[1] * BOTH(x)[1],
    "a sum": lambda x: np.sum(BOTH(x)[0]) + np.sum(BOTH(x)[1] * x),
}


@MODES
@pytest.mark.parametrize("f", USES.values(), ids=USES)
def test_gradients(f, optimize):
    check(f, (X,), (), optimize)
    check_second(f, (X,), (), optimize)


@MODES
def test_in_a_long_loop(optimize):
    def f(x):
        total = 0.0
        for _ in range(24):
            sine, cosine = BOTH(x)
            x = x + 0.1 * sine * cosine
            total = total + np.sum(cosine)
        return total

    check(f, (X,), (), optimize)
    if optimize:
        df = jit_grad(f)
        df(X)
        assert "for t in range(24)" in df.source(X)


def _products(x, count):
    """Iterations that may begin between an op and its results."""
    for _ in range(count):
        sine, cosine = BOTH(x * 1.1)
        x = cosine * (sine + 1.0)
    return x


LOOPS = {
    "products": lambda x: _products(x, 24),
    "the first at last": lambda x: BOTH(_products(x, 24))[0],
    "one of them in between": lambda x: _products(_products(x, 20) + BOTH(x)[1], 20),
}


@MODES
@pytest.mark.parametrize("f", LOOPS.values(), ids=LOOPS)
def test_loops_keep_results_with_their_op(f, optimize):
    check(f, (X,), (), optimize)
    check_second(f, (X,), (), optimize)


def test_they_go_by_the_names_that_the_user_gives_them():
    def f(x):
        sine, cosine = BOTH(x)
        return np.sum(sine * cosine)

    df = jit_grad(f)
    for _ in range(CALLS):
        df(X)
    assert "sine, cosine = both(x)  # f8[2,3], f8[2,3]" in df.source(X)


def test_what_nobody_reads_has_no_name():
    df = jit_grad(lambda x: np.sum(TEXT(x)[1] * x))
    df(X[:, :2])
    assert "_, linalg_slogdet_0" not in df.source(X[:, :2])
    assert "_, slogdet_0 = np.linalg.slogdet(x)" in df.source(X[:, :2])


def test_a_nan_appears_in_the_op_and_not_in_its_results():
    assert not is_finite((np.ones(2), np.float64(np.nan)))
    assert is_finite((np.ones(2), np.int64(3)))




@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_paths_pick_from_one_decomposition(backend):
    """What is computed before a guard has its parts taken behind it, on several paths."""

    def f(p, n, k):
        total = 0.0
        if n in (1, 2):
            total = np.linalg.norm(p, 2)
        m = p * 1.0
        for _ in range(k % 4):
            m = m * 1.0
        for _ in range(n % 4):
            total = np.linalg.norm(p * 1.0, 2)
        return np.sum(total)

    compiled, direct = jit_grad(f, backend=backend), jit_grad(f, optimize=False)
    p = np.random.default_rng(0).normal(size=(2, 3))
    for k in (2, 1, 0, 2, 1, 0):
        for _ in range(2):
            np.testing.assert_allclose(compiled(p, 2, k)[0], direct(p, 2, k)[0])
