"""Checkpoints: the same gradients with less memory, in both modes and to any order."""

import tracemalloc

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES, numeric
from tracejit.errors import LostGradientError

X, W = np.linspace(-1, 1, 7), np.linspace(0.5, 1.5, 7)
SQUARE = np.random.default_rng(0).normal(size=(4, 4))


def block(x):
    for _ in range(5):
        x = np.tanh(x * 1.1)
    return x


def structured(x):
    u = x * W
    ordered = np.sort(x)
    for _ in range(3):
        x = np.sin(x * u) + ordered
    return {"a": x, "b": u}


def in_pairs(around):
    def f(x):
        first = around(structured)(x * 2.0)
        second = around(structured)(first["a"])
        return np.sum(second["a"] * second["b"] + first["b"])

    return f


def by_closure(around):
    def f(x):
        scale = np.exp(x)

        def inner(y):
            return np.tanh(y * scale) + x

        y = x * 0.5
        for _ in range(4):
            y = around(inner)(y)
        return np.sum(y)

    return f


def several_results(around):
    def inner(x):
        values, vectors = np.linalg.eigh(x + x.T)
        return np.sum(values**3) + np.sum((vectors * values) @ vectors.T * x)

    return lambda x: around(inner)(x) ** 2


def written(around):
    def inner(x):
        z = np.zeros(7)
        z[:] = x
        z[2:] *= x[:-2]
        return z * x

    return lambda x: np.sum(around(inner)(around(inner)(x)))


def passing_on(around):
    """The second function gives back what the first one gave."""

    def f(x):
        first = around(np.sin)(x)
        second = around(lambda y: {"double": np.tanh(y * 2.0), "same": y})(first)
        return np.sum(second["double"] * second["same"])

    return f


CASES = {
    "blocks": (lambda around: lambda x: np.sum(around(block)(around(block)(x))), X),
    "structures": (in_pairs, X),
    "what is read from outside": (by_closure, X),
    "what it was given": (passing_on, X),
    "several results": (several_results, SQUARE),
    "arrays that are written to": (written, X),
    "numbers": (lambda around: lambda x: around(lambda a: a * a + 2.0)(x) * x, 1.5),
    "nothing that matters": (lambda around: lambda x: np.sum(around(np.sin)(W) * x), X),
}


@MODES
@pytest.mark.parametrize(("make", "x"), CASES.values(), ids=CASES)
def test_gradients(make, x, optimize):
    expected = numeric(make(lambda f: f), (x,))[0]
    df = tj.grad(make(tj.checkpoint), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(x), expected, rtol=1e-5, atol=1e-6)
    assert df.cache_info().direct == 0, df.explain()


@MODES
@pytest.mark.parametrize("name", ["blocks", "what is read from outside"])
def test_second_derivatives(name, optimize):
    make, x = CASES[name]
    expected = tj.hessian(make(lambda f: f))(x)
    df = tj.hessian(make(tj.checkpoint), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(x), expected, atol=1e-9)
    _, tangent = tj.jvp(make(tj.checkpoint), (x,), (W,), optimize=optimize)
    np.testing.assert_allclose(tangent, tj.grad(make(lambda f: f))(x) @ W)


def test_draws_are_made_once():
    def noisy(x, rng):
        return np.sum(tj.checkpoint(lambda y: np.sin(y * rng.normal(size=7)))(x))

    plain = lambda x, rng: np.sum(np.sin(x * rng.normal(size=7)))
    for optimize in (True, False):
        for seed in range(CALLS):
            found = tj.grad(noisy, optimize=optimize)(X, np.random.default_rng(seed))
            expected = tj.grad(plain)(X, np.random.default_rng(seed))
            np.testing.assert_allclose(found, expected)


def test_what_leaks_out_is_an_error_in_direct_mode():
    def leaking(x):
        seen = []

        def inner(y):
            z = np.sin(y)
            seen.append(z)
            return z * y

        return np.sum(tj.checkpoint(inner)(x)) + np.sum(seen[0])

    with pytest.raises(LostGradientError, match="return it from the function"):
        tj.grad(leaking, optimize=False)(X)
    np.testing.assert_allclose(tj.grad(leaking)(X), numeric(leaking, (X,))[0], atol=1e-6)


def test_outside_of_traced_functions_it_is_the_function():
    wrapped = tj.checkpoint(block)
    assert wrapped.__name__ == "block"
    np.testing.assert_array_equal(wrapped(X), block(X))


def chain(every):
    """A thousand steps, with a checkpoint every so many."""

    def steps(x, n):
        for _ in range(n):
            x = np.sin(x) * 1.01
        return x

    def loss(x):
        for start in range(0, 1000, every):
            x = tj.checkpoint(steps)(x, min(every, 1000 - start))
        return np.sum(x)

    return loss


def test_memory_of_direct_mode():
    x = np.ones(10_000)
    df = tj.grad(chain(32), optimize=False)
    tracemalloc.start()
    df(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 150 * x.nbytes  # without checkpoints: 2,000 of them


def test_memory_of_compiled_code():
    x = np.ones(10_000)
    df = tj.grad(chain(32), backend="numpy")
    for _ in range(2):
        df(x)
    (size,) = [int(word) for line in df.explain().splitlines() if " buffers " in line
               for word in line.split(" buffers ")[1].split()[:1]]  # fmt: skip
    assert size < 100 * x.nbytes  # without checkpoints: 1,003 of them


def test_memory_of_kernels():
    """What is computed again waits for its turn there, too."""
    pytest.importorskip("numba")
    x = np.ones(10_000)
    text = tj.grad(chain(32)).source(x, backend="numba")
    scope = {"np": np, "f8": np.dtype("f8")}
    exec("def allocate" + text.split("def allocate")[1].split("\n\n\n")[0], scope)
    roots = {id(root): root.nbytes for root in (
        s if s.base is None else s.base if s.base.base is None else s.base.base
        for s in scope["allocate"]()
    )}  # fmt: skip
    assert sum(roots.values()) < 3 * np.sqrt(1000) * x.nbytes


def test_numbers_are_computed_again_beside_kernels(interpreted):
    def f(p):
        inside = tj.checkpoint(lambda q: {name: np.tanh(v) for name, v in q.items()})(p)
        return np.sum(np.sin(inside["x"])) * inside["s"]

    p = {"x": X, "s": 0.3}
    expected = tj.hvp(f, optimize=False)(p, p)
    df = tj.hvp(f)
    for _ in range(CALLS):
        found = df(p, p)
        for name in p:
            np.testing.assert_allclose(found[name], expected[name], 1e-12, 1e-12)
    assert df.cache_info().direct == 0, df.explain()
