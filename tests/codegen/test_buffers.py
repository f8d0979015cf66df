"""Buffers: nothing that is still needed is overwritten, nothing returned belongs to the pool."""

import threading
import tracemalloc

import numpy as np
import pytest

from tracejit import jit_grad
from tracejit.pool import Pool


def chain(x, y):
    a = np.sin(x)
    b = a[1:] * y[1:]  # a view of a
    c = np.cos(a)  # a is read again after its view
    d = c.T + a.T
    e = np.exp(d) * d
    return np.sum(e[:, 1:]) + np.sum(b) + np.sum(a * c)


def reference(x, y):
    eps = 1e-6
    grads = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = eps
        grads[i] = (chain(x + step, y) - chain(x - step, y)) / (2 * eps)
    return grads


def test_views_keep_their_base_alive():
    rng = np.random.default_rng(0)
    df = jit_grad(chain, audit=False)
    for _ in range(4):
        x, y = rng.standard_normal((2, 4, 5))
        grads, value = df(x, y)
        assert np.isclose(value, chain(x, y))
        np.testing.assert_allclose(grads, reference(x, y), rtol=1e-5, atol=1e-8)


def returns_aliases(x):
    y = x * 2.0
    return np.sum(y), y, y, y[1:], x, y.T, {"again": y}


@pytest.mark.parametrize("optimize", [True, False])
def test_returned_arrays_own_their_memory(optimize):
    df = jit_grad(returns_aliases, optimize=optimize)
    x = np.arange(6.0).reshape(2, 3)
    kept = []
    for _ in range(4):
        grads, _, *outputs = df(x)
        arrays = [grads, *outputs[:-1], outputs[-1]["again"]]
        for array in arrays:
            assert array.base is None and array.flags.owndata and array.flags.writeable
        for i, a in enumerate(arrays):
            assert not np.shares_memory(a, x)
            for b in arrays[i + 1 :]:
                assert not np.shares_memory(a, b)
        kept.append(([a.copy() for a in arrays], arrays))
    for copies, arrays in kept:
        for copy, array in zip(copies, arrays, strict=True):
            np.testing.assert_array_equal(copy, array)


def test_zero_and_constant_gradients_are_fresh():
    df = jit_grad(lambda p: np.sum(p[0] + p[1]))
    for _ in range(4):
        (a, b, c), _ = df([np.ones(3), np.ones(3), np.ones(2)])
        np.testing.assert_array_equal(a, np.ones(3))
        np.testing.assert_array_equal(b, np.ones(3))
        np.testing.assert_array_equal(c, np.zeros(2))
        for array in (a, b, c):
            array[:] = 99.0


def test_only_what_is_returned_is_allocated():
    def f(x):
        h = np.tanh(x) * 2.0 + 1.0
        for _ in range(5):
            h = np.sin(h) * h - 0.5
        return np.sum(h)

    df = jit_grad(f, audit=False)
    x = np.linspace(0, 1, 100_000)
    for _ in range(3):
        df(x)
    tracemalloc.start()
    try:
        result = df(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes + 10_000, (peak, x.nbytes)
    assert result[0].shape == x.shape


def test_each_thread_has_its_own_buffers():
    def f(x):
        h = x
        for _ in range(20):
            h = np.tanh(h) + x
        return np.sum(h)

    df = jit_grad(f)
    inputs = [np.full(1000, float(i)) for i in range(8)]
    expected = [jit_grad(f, optimize=False)(x) for x in inputs]
    for _ in range(3):
        df(inputs[0])
    wrong = []

    def work(number):
        for _ in range(50):
            grads, loss = df(inputs[number])
            if not np.allclose(grads, expected[number][0]) or not np.isclose(
                loss, expected[number][1]
            ):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_pool_gives_each_call_its_own_set():
    made, seen = [], []
    pool = Pool(lambda: made.append(1) or (len(made),), nbytes=8, limit=2)

    def call(depth, *, slots):
        seen.append(slots)
        return run(depth - 1) if depth else "done"

    run = pool.lend(call)
    assert run(2) == "done"
    assert len(set(seen)) == 3
    assert pool.stats() == (3, 2, 8)
    run(0)
    assert seen[3] in seen[:3] and len(made) == 3
    pool.release()
    assert pool.stats() == (3, 0, 8)
