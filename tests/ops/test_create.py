"""Arrays made inside: by creators and from nested lists, recorded as they are called."""

import numpy as np
import pytest

from tests.ops.cases import CUBE, ROW, SMALL, Case, X, orders
from tests.support import CALLS, MODES, assert_same, check, spaced
from tracejit import jit_grad, stop_gradient
from tracejit.errors import TracejitWarning, UnsupportedError
from tracejit.trace import Recorder, Tracer
from tracejit.trace.dispatch import outside
from tracejit.trace.world import World


def filled(make):
    """The function that multiplies x with a new array of its own shape after writing to it."""

    def f(x):
        z = make()
        z[0] = x[0] * 2.0
        z[1:] += x[1:]
        return z * x

    return f


def elements(x):
    a, b, c = x
    return np.array([[a, 1.0, b], [0.0, c * a, 2]]) * 3.0


def rows(x, y):
    return np.array([x[0], y, [1.0, x[1, 0], 2.0]]) * 2.0


def written_after(x):
    z = np.array([x[0], x[1]])
    z[0] *= x[2]
    return z * z


def copies(x):
    z = x * 1.0
    a, b, c = np.array(z), np.asarray(z), np.ascontiguousarray(z.T)
    z[0] = 0.0
    return a * a + b * 3.0 + c.T


def identity_matrix(x):
    z = np.eye(3) * x
    w = np.identity(3)
    w[1, 1] = x[2]
    return z @ w + np.tri(3)


def stopped(x):
    p = stop_gradient({"a": x * x, "b": [x[0], 1.5]})
    return p["a"] * x + p["b"][0] * p["b"][1] * x


CASES = [
    Case("zeros", filled(lambda: np.zeros((2, 3))), (X,), (), None, True),
    Case("ones", filled(lambda: np.ones((2, 3))), (X,), (), None, True),
    Case("full", filled(lambda: np.full((2, 3), 1.5)), (X,), (), None, True),
    Case("zeros in F order", filled(lambda: np.zeros((2, 3), order="F")), (X,)),
    Case("arange", filled(lambda: np.arange(6.0).reshape(2, 3)), (X,)),
    Case("full of a traced number", lambda x: np.full((2, 2), x[0]) * 2.0, (ROW,), (), None, True),
    Case("full of a traced row", lambda x: np.full((2, 3), x) * 2.0, (ROW,), (), None, True),
    Case("full of a list", lambda x: np.full((2, 2), [x[0], 2.0]) * 2.0, (ROW,), (), None, True),
    Case("full_like", lambda x: np.full_like(x, x[0] * x[1]) * 2.0, (ROW,), (), np.full_like),
    Case("empty_like", lambda x: np.empty_like(x) * 0.0 + x, (ROW,), (), np.empty_like),
    Case("zeros_like a traced one", lambda x: np.zeros_like(x, shape=2) + x[:2] ** 2, (ROW,)),
    Case("elements", elements, (ROW,), (), None, True),
    Case("rows", rows, (X, ROW), (), None, True),
    Case("of a tuple", lambda a, b: np.asarray((a, b)) ** 2, (0.3, 1.4), (), None, True),
    Case("ndmin", lambda x: np.array([x[0], x[1]], ndmin=3) ** 2, (ROW,)),
    Case("f4 and a number", lambda x: np.array([x[0], 2.0]) ** 2, (SMALL[0],)),
    Case("a number", lambda a: np.array(a) * 2.0, (1.5,), (), None, True),
    Case("ndmin of an array", lambda x: np.array(x, ndmin=3) * 2.0, (X,)),
    Case("copied in F order", lambda x: np.array(x, order="F").T.reshape(-1) ** 2, (X,)),
    Case("written after", written_after, (ROW,), (), None, True),
    Case("copies", copies, (X,)),
    Case("identity", identity_matrix, (ROW,)),
    Case("stop_gradient", lambda x: stop_gradient(x > 0) * x, (X,)),
    Case("arrays in lists", lambda x: np.array([[x, x * x], [X, x]]) ** 2, (X,)),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)


CALLED = {
    "zeros": lambda n: n.zeros(3),
    "zeros of integers": lambda n: n.zeros((2, 3), dtype=int),
    "zeros of booleans": lambda n: n.zeros(2, bool),
    "no elements": lambda n: n.zeros((0, 2)),
    "ones": lambda n: n.ones((2, 2), np.float32),
    "ones in F order": lambda n: n.ones((2, 3), order="F"),
    "empty": lambda n: n.empty(3) * 0.0,
    "full": lambda n: n.full((2, 2), 7),
    "full of -0.0": lambda n: n.full(2, -0.0),
    "full of a row": lambda n: n.full((2, 3), [1, 2, 3]),
    "full of complex": lambda n: n.full(2, 1j),
    "full of text": lambda n: n.full(2, "a"),
    "arange": lambda n: n.arange(5),
    "arange of floats": lambda n: n.arange(0.5, 3, 0.5, dtype=np.float32),
    "linspace": lambda n: n.linspace(0, 1, 5),
    "linspace with its step": lambda n: n.linspace(0, 1, 5, retstep=True),
    "logspace": lambda n: n.logspace(0, 2, 3),
    "geomspace": lambda n: n.geomspace(1, 8, 4),
    "eye": lambda n: n.eye(2, 3, k=1),
    "identity": lambda n: n.identity(2, dtype=int),
    "tri": lambda n: n.tri(3),
    "zeros_like": lambda n: n.zeros_like(X),
    "zeros_like permuted": lambda n: n.zeros_like(CUBE.transpose(1, 0, 2)),
    "ones_like of other type": lambda n: n.ones_like(X, dtype=int),
    "full_like": lambda n: n.full_like(X.T, 2.5),
    "full_like of other shape": lambda n: n.full_like(X, 2.5, shape=(4,)),
    "array": lambda n: n.array([1.5, 2]),
    "array of integers": lambda n: n.array([[1, 2], [3, 4]]),
    "array of text": lambda n: n.array(["a", "b"]),
    "array of objects": lambda n: n.array([1, None], dtype=object),
    "array of a number": lambda n: n.array(2.5),
    "no element": lambda n: n.array([]),
    "asarray of a list": lambda n: n.asarray([1, 2.0]),
    "array of an array": lambda n: n.array(X, order="F"),
    "ascontiguousarray": lambda n: n.ascontiguousarray(X.T),
    "copy": lambda n: n.copy(X),
}


def recording(recorder, module=np):
    """What a traced function gets in place of a module."""
    world = World(recorder, following=True)
    return world.hand_out(module, world.constant(module, module.__name__))


@pytest.mark.parametrize("make", CALLED.values(), ids=CALLED)
def test_constants_are_those_of_numpy(make):
    """The same values, types and layout; and new arrays that can be written to."""
    expected = make(np)
    for for_compiling in (True, False):
        with Recorder(for_compiling) as recorder:
            made = make(recording(recorder))
            parts = made if isinstance(made, tuple) else (made,)
            wanted = expected if isinstance(expected, tuple) else (expected,)
            for part, like in zip(parts, wanted, strict=True):
                if type(like) is np.ndarray and like.dtype.kind in "biufc":
                    assert type(part) is Tracer and part.node.level == 0
                    part = part.value
                    assert part.strides == like.strides and part.flags.writeable
                assert_same(part, like, exact=True)
            assert recorder.left is None
    assert_same(make(recording(recorder)), expected, exact=True)  # nothing is recorded now


LISTS = [
    lambda n, a, b: [a, 1.0], lambda n, a, b: [n, 2], lambda n, a, b: [n, a, 2.5],
    lambda n, a, b: [[b[0], b[1]], [n, 3]], lambda n, a, b: [b, b], lambda n, a, b: (a, n),
    lambda n, a, b: [[b], [b]], lambda n, a, b: [a, np.float64(2.0)], lambda n, a, b: [a, True],
    lambda n, a, b: [b, [1, 2]], lambda n, a, b: a, lambda n, a, b: n, lambda n, a, b: b,
    lambda n, a, b: [a > 1.0, b[0] > 1.0],
]  # fmt: skip


@MODES
@pytest.mark.parametrize("make", LISTS)
@pytest.mark.parametrize("dtype", [None, float, np.float32, int])
@pytest.mark.filterwarnings("ignore:.*direct mode")
def test_lists_with_traced_elements_have_the_type_that_numpy_gives(make, dtype, optimize):
    n, a, b = 3, 1.25, np.array([1.5, 2.5], np.float32)
    f = lambda w, n, a, b: (w * 2.0, np.array(make(n, a, b), dtype), np.asarray(make(n, a, b)))
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        _, _, *made = df(1.0, n, a, b)
        assert_same(tuple(made), f(1.0, n, a, b)[1:], exact=True)


@MODES
def test_gradients_pass_through_a_cast(optimize):
    f = lambda x: np.array([x[0], 2.0], np.float32) ** 2 + np.asarray(x[:2], dtype=np.float32)
    check(f, (np.array([1.5, 0.5, 1.0]),), (), optimize, [np.array([4.0, 1.0, 0.0])])


@MODES
def test_asarray_is_the_array_itself(optimize):
    def f(x):
        z = x * 1.0
        w = np.asarray(z)
        w[0] = 2.0
        return np.sum(z * w)

    check(lambda x: f(x) * 1.0, (ROW,), (), optimize)


def test_ragged_lists_raise_what_numpy_raises():
    with pytest.raises(ValueError, match="inhomogeneous"):
        jit_grad(lambda x: np.sum(np.array([x[0], [x[1], 1.0]])))(ROW)


def test_what_has_no_numbers_is_refused():
    with pytest.raises(UnsupportedError, match=r"np\.array of object"):
        jit_grad(lambda x: np.array([x[0], None])[0])(ROW)
    with pytest.raises(UnsupportedError, match=r"np\.hanning"):
        jit_grad(lambda x: np.sum(np.hanning(x[0])))(ROW)


def test_traced_counts_and_ends():
    def f(x, n, a):
        z = np.zeros((n, 2))
        z[:, 0] = x[:n]
        return np.sum(z * np.arange(a, a + n)[:, None])

    df = jit_grad(f)
    for n in (1, 2, 3, 3, 2):
        grad, value = df(ROW, n, 0.5)
        assert value == f(ROW, n, 0.5)
        np.testing.assert_allclose(grad, [0.5 + i if i < n else 0.0 for i in range(3)])


@MODES
def test_unsupported_functions_work_where_no_gradient_is_lost(optimize):
    def f(x):
        order = np.lexsort((np.array([1.0, 0.0, 2.0]),))
        order[0] = 2
        return np.sum(x[order] * np.array([1.0, 2.0, 4.0]))

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(ROW)
        assert value == f(ROW)
        np.testing.assert_array_equal(grad, [2.0, 0.0, 5.0])
    assert not optimize or df.cache_info().direct == 0
    g = jit_grad(lambda x, y: np.sum(x * np.polydiv(y, [1.0])[0]), optimize=optimize)
    if optimize:
        with pytest.warns(TracejitWarning, match=r"np\.polydiv"):
            g(ROW, ROW)
    grad, _ = g(ROW, ROW[::-1].copy())
    np.testing.assert_array_equal(grad, ROW[::-1])
    with pytest.raises(UnsupportedError, match=r"np\.polydiv"):
        jit_grad(lambda x: np.sum(np.polydiv(x, x)[0]))(ROW)


@MODES
def test_views_of_unsupported_functions_are_refused(optimize):
    def view(x):
        return np.sum(outside(np.transpose, (np.zeros(4),), {})) + np.sum(x)

    with pytest.raises(UnsupportedError):
        jit_grad(view, optimize=optimize)(ROW)


@MODES
def test_stop_gradient(optimize):
    df = jit_grad(stopped, partialGrad=True, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(ROW, np.ones(3))
        assert_same(value, stopped(ROW))
        np.testing.assert_allclose(grad, ROW * ROW + ROW[0] * 1.5)
    kept = {"a": ROW, "b": "text"}
    assert stop_gradient(kept) is kept
    assert "stop" not in jit_grad(lambda x: np.sum(stop_gradient(x) * x)).source(ROW)


@MODES
def test_what_stop_gradient_gives_shows_writes_and_is_read_only(optimize):
    def f(x):
        z = x * 1.0
        s = stop_gradient(z)
        z[0] = x[1] * 2.0
        return np.sum(s * z)

    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grad, value = df(ROW)
        assert value == f(ROW)
        np.testing.assert_allclose(grad, [0.0, ROW[1] + 4.0 * ROW[1], ROW[2]])
    with pytest.raises(ValueError, match="read-only"):
        jit_grad(lambda x: stop_gradient(x * 1.0).fill(0.0))(ROW)


def test_constants_are_folded_and_written_in_few_words():
    def f(x):
        z = np.zeros(500)
        z[:3] = x
        table = np.zeros((3, 3))
        table[0, 1] = 2.0
        return np.sum(z[:3] * np.arange(3.0)) + np.sum(table @ x) + np.sum(np.ones(3) * x)

    source = jit_grad(f).source(ROW)
    assert "np.arange(3, dtype=f8)" in source and ".fill(0)" in source
    assert "const_1 = np.array([[0.0, 2.0, 0.0]" in source
    assert source.count("[0, 1]") == 0
    check(f, (spaced(0.3, 1.2, (3,)),))
