"""Writes in place: random programs of writes, views and reads; what aliases; what it costs."""

import gc
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import CALLS, MODES, assert_gradients, assert_same, check, numeric, spaced
from tracejit import jit_grad

ROWS = ["0", "1", "-1", "i", "0, 1", "1, i", ":, 0", "1:, 1:", "::-1", "..., -1", "[1, 0]",
        "[0, 0]", ":, places", "mask"]  # fmt: skip
VIEWS = ["{w}[1]", "{w}[:, 1:]", "{w}.T", "{w}.reshape(-1)", "{w}[::-1, ::2]", "{w}[i]",
         "{w}.T[1:]", "{w}[None, 1:]"]  # fmt: skip
SCALARS = ["{a}[0, 1]", "np.sum({a})", "{a}[1, 0] * {b}[0, 2]", "0.5", "s", "np.tanh({a}[1, 2])"]
KINDS = ["new", "view", "write", "write", "add", "read", "at", "out", "through"]
NEW = ["np.zeros_like({a})", "{a} * 1.0", "np.sin({a})", "{a} + {b}", "{a}.copy()"]


@st.composite
def programs(draw):
    """The source of a function of two (2, 3) arrays, a number and indices."""
    whole, views = ["x", "y"], []
    own, lines = [], ["def f(x, y, s, i, places, mask):", "    total = 0.0"]

    def fresh(expression, to):
        to.append(f"v{len(lines)}")
        lines.append(f"    {to[-1]} = {expression}")

    fresh(draw(st.sampled_from(NEW)).format(a="x", b="y"), own)
    for _ in range(draw(st.integers(2, 14))):
        ab = {k: draw(st.sampled_from([*whole, *own])) for k in "ab"}
        w = draw(st.sampled_from(own))
        value = draw(st.sampled_from(SCALARS)).format(**ab)
        kind = draw(st.sampled_from(KINDS))
        if kind == "new":
            fresh(draw(st.sampled_from(NEW)).format(**ab), own)
        elif kind == "view":
            fresh(draw(st.sampled_from(VIEWS)).format(w=w), views)
        elif kind in ("write", "add"):
            sign = draw(st.sampled_from(["=", "*=", "+=", "-="])) if kind == "add" else "="
            lines.append(f"    {w}[{draw(st.sampled_from(ROWS))}] {sign} {value}")
        elif kind == "read":
            lines.append(f"    total = total + {value} * np.sum({ab['a']} * {ab['b']})")
        elif kind == "at":
            lines.append(f"    np.add.at({w}, ([0, 0, 1], [1, 1, i]), {ab['a']}[1])")
        elif kind == "out":
            lines.append(f"    np.multiply({w}, {ab['a']}, out={w})")
        elif views:
            v = draw(st.sampled_from(views))
            op = draw(st.sampled_from(["{v} *= 0.5", "{v}[...] = {s}", "{v}[0] += {s}",
                                       "{v}[-1] = {v}[0] * {s}"]))  # fmt: skip
            lines.append(f"    {op.format(v=v, s=value)}")
    total = " + ".join(f"np.sum({n} * {k + 1})" for k, n in enumerate([*own, *views]))
    lines.append(f"    return 0.1 * np.tanh(0.02 * (total + {total})), {own[-1]}, {own[0]}")
    return "\n".join(lines)


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 50))
def test_random_programs(source, seed):
    namespace = {"np": np}
    exec(compile(source, "program.py", "exec"), namespace)
    f = namespace["f"]
    params = spaced(-1.4, 1.3, (2, 3), seed=seed), spaced(-0.9, 1.7, (2, 3), seed=seed + 1), 0.7
    rest = 1, np.array([2, 0, 2]), np.array([[True, False, True], [False, False, True]])
    expected = f(*params, *rest)
    gradients = numeric(lambda *p: f(*p, *rest)[0], params)
    for optimize in (False, True):
        df = jit_grad(lambda p, *rest: f(*p, *rest), optimize=optimize, audit=False)
        for _ in range(CALLS):
            grads, *outputs = df(params, *rest)
            assert_same(tuple(outputs), expected)
            assert_gradients(grads, params, gradients, 1e-5)


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 50))
def test_random_programs_inside_others(source, seed):
    """The gradient of the gradient; the inner function reads and the outer one writes on."""
    namespace = {"np": np}
    exec(compile(source, "program.py", "exec"), namespace)
    f = namespace["f"]
    x, y = spaced(-1.4, 1.3, (2, 3), seed=seed), spaced(-0.9, 1.7, (2, 3), seed=seed + 1)
    rest = 1, np.array([2, 0, 2]), np.array([[True, False, True], [False, False, True]])

    def outer(inner):
        def total(x, y, *rest):
            z = x * 1.0
            z[0] = y[1]
            grad, _, made, _ = inner(z, y, 0.7, *rest)
            z[1] *= 2.0
            made[0] = 1.5
            grad[0, 0] = 0.5
            return np.sum(grad * y) + np.sum(made * grad) + np.sum(z)

        return total

    plain = outer(jit_grad(f, optimize=False))
    expected = numeric(plain, (x, y), rest)
    for optimize in (False, True):
        df = jit_grad(outer(jit_grad(f)), optimize=optimize, audit=False)
        for _ in range(CALLS):
            grad, value = df(x, y, *rest)
            assert value == pytest.approx(plain(x, y, *rest), rel=1e-12)
            assert_gradients([grad], [x], expected[:1], 1e-5)


def filled(x):
    z = np.zeros_like(x)
    for i in range(len(x)):
        z[i] = x[i] * 2
    return np.sum(z * z)


def recurrence(x):
    z = x * 1.0
    for i in range(1, len(x)):
        z[i] += np.sin(z[i - 1])
    return np.sum(z * z)


def rows(x):
    z = np.zeros((len(x), 50))
    z = z * x[0]
    for i in range(len(x)):
        z[i, :40] = x[i]
        z[i] *= 2.0
    return np.sum(z * z)


@MODES
@pytest.mark.parametrize("f", [filled, recurrence, rows])
def test_many_writes(f, optimize):
    check(lambda x: f(x) * 1.0, (spaced(-1.0, 1.0, (40,)),), (), optimize)


@pytest.mark.parametrize("f", [filled, recurrence])
@MODES
def test_memory_grows_with_the_writes_and_not_with_their_square(f, optimize):
    def peak(n):
        x = spaced(-1.0, 1.0, (n,))
        df = jit_grad(f, optimize=optimize, audit=False)
        gc.collect()
        tracemalloc.start()
        df(x)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(4000) < 6 * peak(1000)


def test_time_grows_with_the_writes_and_not_with_their_square():
    x = spaced(-1.0, 1.0, (20_000,))
    start = time.perf_counter()
    grad, value = jit_grad(filled, optimize=False)(x)
    assert time.perf_counter() - start < 10.0
    np.testing.assert_allclose(grad, 8.0 * x)


def test_emitted_writes_copy_no_whole_arrays():
    for f in (filled, recurrence):
        source = jit_grad(f).source(spaced(-1.0, 1.0, (30,)))
        assert source.count("np.copyto(") + source.count("np.array(") <= 4


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
def test_tracers_that_stay_behind_show_the_final_values(optimize):
    behind = []

    def f(x):
        z = x * 1.0
        v = z[1:]
        for i in range(3):
            z[i] = x[i] * i
        behind[:] = z, v
        return np.sum(z * z)

    x = spaced(1.0, 2.0, (3,))
    jit_grad(f, optimize=optimize)(x)
    np.testing.assert_array_equal(behind[0], x * np.arange(3))
    np.testing.assert_array_equal(behind[1], (x * np.arange(3))[1:])


@MODES
def test_a_failed_write_leaves_the_array_as_it_was(optimize):
    def f(x):
        z = x * 1.0
        z[0] = 2.0
        z[5] = 3.0
        return np.sum(z)

    for _ in range(2):
        with pytest.raises(IndexError):
            jit_grad(f, optimize=optimize)(spaced(1.0, 2.0, (3,)))


def test_an_emitted_write_that_fails_names_its_line():
    def f(x, i):
        z = x * 1.0
        z[0] = x[1] * 2.0
        z[i] = x[0] * 3.0
        np.add.at(z, i, x[2])
        return np.sum(z * z)

    df, x = jit_grad(f), spaced(1.0, 2.0, (3,))
    for _ in range(CALLS):
        df(x, np.array([1, 2]))
    with pytest.raises(IndexError) as error:
        df(x, np.array([1, 9]))
    said = [*error.value.args, *getattr(error.value, "__notes__", ())]
    line = f.__code__.co_firstlineno + 3
    assert any(f"{__file__}:{line}" in str(text) for text in said)
