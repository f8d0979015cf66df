"""Large loops run in parts on several threads: from many callers, after a fork, and limited."""

import os
import threading

import numpy as np
import pytest

from tracejit import jit_grad

numba = pytest.importorskip("numba")
threadpoolctl = pytest.importorskip("threadpoolctl")

from tracejit.codegen import threads  # noqa: E402


def long_chain(x):
    return np.sum(np.exp(np.sin(x)) * np.tanh(x) / (1.0 + x * x)), np.max(x)


def columns(x, w):
    return np.sum(np.log(1.0 + np.exp(x * w)))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal(200_000)


@pytest.fixture(scope="module")
def compiled(x):
    df = jit_grad(long_chain, backend="numba")
    for _ in range(3):
        df(x)
    assert "in_parts(" in df.source(x)
    return df


def test_parts_cover_the_loop_once(monkeypatch):
    monkeypatch.setattr(threads, "count_threads", lambda: 3)
    seen = threads.in_parts(lambda start, stop, name: (start, stop, name), 10, "a")
    assert seen == [(0, 3, "a"), (3, 6, "a"), (6, 10, "a")]
    assert threads.in_parts(lambda *ends: ends, 2) == [(0, 1), (1, 2)]


def test_a_limit_of_blas_is_a_limit_of_loops():
    with threadpoolctl.threadpool_limits(1):
        assert threads.count_threads() == 1
        assert threads.in_parts(lambda *ends: ends, 10) == [(0, 10)]


def test_parts_give_what_direct_mode_gives(x, compiled):
    expected, loss, top = jit_grad(long_chain, optimize=False)(x)
    grads, value, largest = compiled(x)
    np.testing.assert_allclose(grads, expected, rtol=1e-10, atol=1e-13)
    assert np.isclose(value, loss, rtol=1e-12) and type(value) is type(loss)
    assert largest == top


def test_totals_of_columns_are_put_together():
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((4000, 30)), rng.standard_normal(30)
    df = jit_grad(lambda w, x: columns(x, w), backend="numba")
    for _ in range(3):
        grads, value = df(w, x)
    assert "in_parts(" in df.source(w, x)
    expected, loss = jit_grad(lambda w, x: columns(x, w), optimize=False)(w, x)
    np.testing.assert_allclose(grads, expected, rtol=1e-10)
    assert np.isclose(value, loss, rtol=1e-12)


def test_several_threads_may_call(x, compiled):
    inputs = [x + number for number in range(4)]
    expected = [jit_grad(long_chain, optimize=False)(each)[0] for each in inputs]
    wrong = []

    def work(number):
        for _ in range(5):
            if not np.allclose(
                compiled(inputs[number])[0], expected[number], rtol=1e-10, atol=1e-13
            ):
                wrong.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_has_threads_of_its_own(x, compiled):
    expected = compiled(x)[0]
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(compiled(x)[0], expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
