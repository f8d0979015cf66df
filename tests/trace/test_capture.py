"""What a function reads from outside is followed, guarded, or found out: never stale."""

import functools
import random
import time
import types
import warnings

import numpy as np
import pytest

from tracejit import TracejitWarning, jit_grad

SCALE = 2.0
TABLE = (1.0, 2.0)
WEIGHTS = np.ones(2)


def helper(x):
    return x * SCALE


def run(f, *args, calls=3, **kwargs):
    """Call several times; return the last result, the direct count and the warnings."""
    df = jit_grad(f, audit=False, **kwargs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(calls):
            result = df(*args)
    return result, df.cache_info().direct, [str(w.message) for w in caught]


def test_modules_functions_and_constants_compile():
    def f(x):
        return np.sum(helper(x)) * TABLE[1] + np.pi

    result, direct, messages = run(f, np.ones(2))
    assert result[1] == 8.0 + np.pi and direct == 0 and not messages


def test_a_rebound_constant_is_seen(monkeypatch):
    df = jit_grad(lambda x: np.sum(helper(x)), audit=False)
    for value in (2.0, 2.0, 3.0, 3.0, 2.0):
        monkeypatch.setitem(globals(), "SCALE", value)
        assert df(np.ones(2))[1] == 2 * value
    assert df.cache_info().direct == 0


def test_a_swapped_helper_is_seen(monkeypatch):
    df = jit_grad(lambda x: np.sum(helper(x)), audit=False)
    for function in (helper, helper, lambda x: x + 1.0, np.sin):
        monkeypatch.setitem(globals(), "helper", function)
        expected = np.sum(function(np.ones(2)))
        for _ in range(2):
            assert df(np.ones(2))[1] == expected


def test_a_rebound_closure_is_seen():
    scale = 1.0
    df = jit_grad(lambda x: np.sum(x) * scale, audit=False)
    for scale in (1.0, 1.0, 4.0, 4.0):
        assert df(np.ones(2))[1] == 2 * scale
    assert df.cache_info().direct == 0


def test_a_constant_of_another_module_is_seen():
    module = types.ModuleType("elsewhere")
    module.RATE = 2.0
    df = jit_grad(lambda x: np.sum(x) * module.RATE, audit=False)
    for rate in (2.0, 2.0, 5.0):
        module.RATE = rate
        assert df(np.ones(2))[1] == 2 * rate
    assert df.cache_info().direct == 0


def test_functions_inside_functions():
    def f(x):
        def inner(y):
            return y * x

        return sum(np.sum(inner(y)) for y in [x, x + 1.0])

    result, direct, _ = run(f, np.ones(2))
    assert result[1] == 6.0 and direct == 0


def test_decorated_functions():
    def twice(g):
        @functools.wraps(g)
        def inner(x):
            return g(x) * 2.0

        return inner

    @twice
    def f(x):
        return np.sum(x)

    result, direct, _ = run(f, np.ones(2))
    assert result[1] == 4.0 and direct == 0


class Reader:
    def __init__(self):
        self.w = np.ones(2)

    def loss(self, x):
        return np.sum(self.w * x)


def captured_array(x):
    return np.sum(x * WEIGHTS)


def captured_list(x, box=[1.0]):  # noqa: B006
    return np.sum(x) * LIST[0]


LIST = [3.0]
RNG = np.random.default_rng(0)


def prints(x):
    print("x")
    return np.sum(x)


def asks_the_clock(x):
    return np.sum(x) + 0.0 * time.time()


def draws(x):
    return np.sum(x * np.random.random(2))


def draws_from_generator(x):
    return np.sum(x * RNG.random(2))


def draws_with_the_library(x):
    return np.sum(x) * random.random()


def writes_a_global(x):
    global LAST
    LAST = x
    return np.sum(x)


def imports(x):
    import math

    return np.sum(x) * math.pi


OPAQUE = [
    (captured_array, "WEIGHTS"),
    (captured_list, "LIST"),
    (prints, "print"),
    (asks_the_clock, "time"),
    (draws, "random"),
    (draws_from_generator, "RNG"),
    (draws_with_the_library, "random"),
    (writes_a_global, "LAST"),
    (imports, "imported"),
    (Reader().loss, "Reader"),
    (functools.partial(lambda a, x: np.sum(x * a), np.ones(2)), "pass it as an argument"),
]


@pytest.mark.parametrize(("f", "reason"), OPAQUE, ids=lambda v: getattr(v, "__name__", None))
def test_the_rest_runs_in_direct_mode_said_once(f, reason):
    try:
        _, direct, messages = run(f, np.ones(2))
    finally:
        globals().pop("LAST", None)
    assert direct == 3
    assert len(messages) == 1 and "direct mode" in messages[0] and reason in messages[0]


def test_direct_mode_sees_every_change():
    df = jit_grad(captured_array)
    try:
        with pytest.warns(TracejitWarning, match=r"WEIGHTS \(ndarray\) is read at .*\.py:"):
            assert df(np.ones(2))[1] == 2.0
        WEIGHTS[:] = 3.0
        assert df(np.ones(2))[1] == 6.0
    finally:
        WEIGHTS[:] = 1.0


def test_random_numbers_are_fresh():
    df = jit_grad(draws)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracejitWarning)
        np.random.seed(7)
        ours = [df(np.ones(2))[1] for _ in range(4)]
    np.random.seed(7)
    np.testing.assert_allclose(ours, [np.sum(np.random.random(2)) for _ in range(4)])


CONTROL_FLOW = [
    (lambda a: a * 2.0 if a > 1.0 else a * 3.0, (2.0,), 4.0),
    (lambda a, n: sum(a for _ in range(n)), (2.0, 3), 6.0),
    (lambda x, k: x[k] * 1.0 if k in (0, 1) else x[0], (np.arange(3.0), 1), 1.0),
    (lambda x: np.sum(x[x > 0.5]), (np.arange(3.0),), 3.0),
    (lambda x, n: np.sum(x[:n]), (np.arange(3.0), 2), 1.0),
    (lambda x: float(f"{x.shape[0]}") * np.sum(x), (np.arange(3.0),), 9.0),
    (lambda x: max(x[0], x[1]), (np.arange(3.0),), 1.0),
]


@pytest.mark.parametrize(("f", "args", "value"), CONTROL_FLOW)
def test_control_flow_on_values(f, args, value):
    result, direct, messages = run(f, *args)
    assert result[1] == value
    assert len(messages) == (1 if direct else 0)


def test_a_constant_that_keeps_changing_ends_in_direct_mode(monkeypatch):
    df = jit_grad(lambda x: np.sum(helper(x)), audit=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for value in range(40):
            monkeypatch.setitem(globals(), "SCALE", float(value))
            assert df(np.ones(2))[1] == 2.0 * value
    assert [str(w.message) for w in caught if "SCALE, which it reads, keeps" in str(w.message)]
    assert 0 < df.cache_info().direct < 40


def test_the_reason_names_the_line():
    def f(x):
        y = x * 2.0
        return np.sum(y) * LIST[0]

    _, _, messages = run(f, np.ones(2))
    line = f.__code__.co_firstlineno + 2
    assert f"test_capture.py:{line}" in messages[0]


def test_partials_of_constants_compile():
    def scaled(x, times, by):
        for _ in range(times):
            x = x * by
        return np.sum(x)

    result, direct, _ = run(functools.partial(scaled, times=3, by=2.0), np.ones(2))
    assert result[1] == 16.0
    assert direct == 0  # keywords of a partial are arguments, and numbers are traced
    result, direct, _ = run(functools.partial(lambda n, x: np.sum(x) * n, 2.0), np.ones(2))
    assert result[1] == 4.0 and direct == 0


def test_misses_tell_which_constant_changed(monkeypatch):
    df = jit_grad(lambda x: np.sum(helper(x)), audit=False)
    df(np.ones(2))
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    df(np.ones(2))
    assert "miss: SCALE: 2.0 -> 3.0" in df.explain()
