"""What a function does besides computing happens at every call, in order, on plain values.

Printing, counters, logs, iterators, exceptions, interrupts, calls of one df inside another,
threads, processes, pickles. Direct mode may answer; then there is one warning, and
TRACEJIT_STRICT makes it an error.
"""

import contextlib
import functools
import itertools
import logging
import multiprocessing
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.sound.support import MODES, X, check, module, play
from tracejit import TracejitWarning, config, errors, jit_grad

Y = np.array([3.0, -1.0, 0.5])
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
REGULAR = np.array([[1.0, 2.0], [0.5, 4.0]])


def calls(count=5):
    for number in range(count):
        yield (X + number,)


# -- state that is not an array -------------------------------------------------------------------
def history_of_losses():
    history = []

    def f(x):
        loss = np.sum(x**2)
        history.append(loss)
        return loss

    yield f, lambda: history
    yield from calls()


def history_of_everything():
    history, last = [], {}

    def f(x, s):
        h = np.tanh(x) * s
        history.append(h)
        history.append((s, len(history), h[0]))
        last.update(h=h, rows=[h * 2.0, s])
        history.extend(v for v in h[:2])
        last["count"] = last.get("count", 0) + 1
        return np.sum(h)

    yield f, lambda: (history, last)
    for s in (1.0, 2.0, 3, 0.5):
        yield X, s


def history_that_is_read():
    history = [np.zeros(3)]

    def f(x):
        step = x + 0.9 * history[-1]
        history.append(step)
        if len(history) > 3:
            history.pop(0)
        return np.sum(history[-1] ** 2) + len(history)

    yield f, lambda: history
    yield from calls(6)


def entries_of_a_dict():
    state = {"last": None, "best": np.inf}

    def f(x):
        loss = np.sum(np.sin(x))
        if state["last"] is not None:
            loss = loss + 0.5 * state["last"]
        state["last"] = loss
        if loss < state["best"]:
            state["best"] = loss
            state["at"] = x * 1.0
        return state["last"] * 2.0

    yield f, lambda: state
    yield from calls(6)


def attributes_of_self():
    class Model:
        def __init__(self):
            self.n, self.seen, self.mean = 0, 0.0, None

        def loss(self, x):
            self.n += 1
            self.seen = self.seen + np.sum(x)
            if self.mean is None:
                self.mean = np.zeros(3)
            self.mean = 0.9 * self.mean + 0.1 * x
            return np.sum(x * self.mean) * self.n

    m = Model()
    yield m.loss, lambda: vars(m)
    yield from calls()
    m.n, m.mean = 10, None
    yield from calls()


def nonlocal_and_global_counters():
    count, total = 0, 0.0
    m = module(
        "import numpy as np\ncount = 0\n"
        "def tick(x):\n    global count, last\n    count += 1\n    last = x\n    return count\n"
    )

    def f(x):
        nonlocal count, total
        count += 1
        total = total + np.sum(x)
        return np.sum(x) * m.tick(x * 2.0) + count + total

    yield f, lambda: (count, total, m.count, getattr(m, "last", None))
    yield from calls()
    count, m.count = 100, 200
    yield from calls(2)


def a_counter_that_decides():
    state = SimpleNamespace(n=0)

    def f(x):
        state.n += 1
        return np.sum(x**2) if state.n % 3 else np.sum(x)

    yield f, lambda: state.n
    yield from calls(7)


def iterators():
    numbers, letters = itertools.count(), iter("abcdefgh")

    def rows(x):
        for row in x:
            yield row * next(numbers)

    def f(x):
        return np.sum(x) * ord(next(letters)) + sum(rows(x))

    yield f
    yield from calls()


def an_iterator_that_ends():
    numbers = iter([1.0, 2.0])
    yield lambda x: np.sum(x) * next(numbers)
    yield from calls(4)  # StopIteration


def the_standard_librarys_random():
    chosen = []

    def f(x):
        i = random.choice([0, 1, 2])
        chosen.append(i)
        return x[i] * random.uniform(1.0, 2.0)

    yield f, lambda: chosen
    yield from calls()


def lazily_made():
    cache = {}

    @functools.lru_cache
    def weights(n):
        return np.arange(1.0, n + 1.0)

    def f(x):
        n = len(x)
        if n not in cache:
            cache[n] = np.ones(n)
        return np.sum(x * cache[n] * weights(n))

    yield f, lambda: cache
    for n in (3, 3, 2, 3, 2):
        yield (X[:n],)
    cache[3] = Y
    yield (X,)


def order_of_effects():
    log = []

    class Noisy:
        def __init__(self, x):
            log.append("made")
            self.x = x

        def __enter__(self):
            log.append(("in", len(log)))
            return self.x

        def __exit__(self, *exc):
            log.append("out")

    def f(x):
        log.append("start")
        total = 0.0
        with Noisy(x) as y:
            for number, v in enumerate(y):
                log.append((number, v))
                total = total + v * v
        log.append(total)
        return total

    yield f, lambda: log
    yield from calls(3)


def sets_sorts_and_deletes():
    seen, order, table = set(), [3, 1, 2], {"a": 1.0, "b": 2.0}

    def f(x, n):
        seen.add(n)
        order.sort(reverse=len(seen) % 2 == 0)
        table["c"] = table.pop("a", 0.5) + 1.0
        if n in seen and "b" in table:
            del table["b"]
        return np.sum(x) * order[0] + table["c"]

    yield f, lambda: (sorted(seen), order, table)
    for n in (1, 1, 2, 3, 2):
        yield X, n


def floats_that_are_logged():
    log = []

    def f(x):
        loss = np.sum(x**2)
        log.append(float(loss))
        log.append(loss.item())
        log.append(f"{loss:.3f} {x[0]} {loss!r} {x}")
        return loss

    yield f, lambda: log
    yield from calls()


def logged():
    stored = []
    logger = logging.Logger("tests")
    logger.addHandler(logging.Handler())
    logger.handlers[0].emit = lambda record: stored.append(record.getMessage())

    def f(x):
        loss = np.sum(x**2)
        logger.info("loss %.4f after %d", loss, len(stored))
        return loss

    yield f, lambda: stored
    yield from calls()


def an_inner_df_with_effects():
    history = []
    inner = jit_grad(lambda x: history.append(np.sum(x)) or np.sum(x**3), audit=False)

    def f(x):
        grad, value = inner(x)
        return np.sum(grad**2) + value

    yield f, lambda: history
    yield from calls(4)


# -- arrays that the caller sees ------------------------------------------------------------------
def running_statistics():
    state = {"mean": np.zeros(3), "var": np.ones(3), "n": np.zeros(())}

    def f(w, x):
        h = x * w
        state["mean"] *= 0.9
        state["mean"] += 0.1 * h.mean(axis=0)
        state["var"][:] = 0.9 * state["var"] + 0.1 * h.var(axis=0)
        state["n"] += 1.0
        return np.sum((h - state["mean"]) / np.sqrt(state["var"] + 1e-3)) + state["n"]

    yield f, lambda: state
    for number in range(6):
        yield X, np.linspace(-1.0, 1.0 + number, 12).reshape(4, 3)
    state["mean"][:] = 0.0
    yield X, np.ones((4, 3))
    yield X, np.ones((2, 3))


def running_statistics_of_a_model():
    class Norm:
        def __init__(self):
            self.mean, self.training = np.zeros(3), True

        def __call__(self, x):
            if not self.training:
                return x - self.mean
            m = np.mean(x, axis=0)
            self.mean[:] = 0.5 * self.mean + 0.5 * m
            return x - m

    norm = Norm()
    yield (lambda w, x: np.sum(np.tanh(norm(x * w)) ** 2)), lambda: norm.mean
    for number in range(4):
        yield X, np.linspace(-1.0, 1.0 + number, 12).reshape(4, 3)
    norm.training = False
    for number in range(3):
        yield X, np.linspace(-1.0, 1.0 + number, 12).reshape(4, 3)


def views_of_captured_arrays():
    base = np.zeros((3, 4))

    def f(x):
        row, flat = base[1], base.reshape(-1)
        row[:3] += x
        base[:, 0] *= 2.0
        flat[::5] = x[0]
        return np.sum(base * 0.1) + np.sum(row * row) + np.sum(flat[:3] * x)

    yield f, lambda: base
    yield from calls()


@MODES
def test_captured_arrays_that_overlap_are_not_written_to(optimize):
    base = np.zeros((3, 4))
    row = base[1]

    def f(x):
        row[:3] += x
        return np.sum(base * x[0])

    df = jit_grad(f, optimize=optimize)
    for _ in range(3):
        with pytest.raises(errors.WriteToArgumentError, match="shares memory"):
            df(X)
        assert not base.any()


def ufuncs_that_write():
    out, counts, total = np.zeros(3), np.zeros(4, int), np.zeros(())

    def f(x, i):
        np.multiply(x, 2.0, out=out)
        np.add.at(counts, i, 1)
        np.sum(x, out=total)
        np.maximum(out, 3.0, out=out)
        return np.sum(out * x) + counts[1] + total

    yield f, lambda: (out, counts, total)
    for i in ([0, 1, 1], [1, 1, 3], [2, 0, 1]):
        yield X, np.array(i)


def writes_that_read_what_was_written():
    z = np.arange(4.0)

    def f(x):
        z[1:] = z[:-1]
        y = z * 1.0
        z[0] = x[0] * 0.5
        z[z > 2.0] = 2.0
        return np.sum(y * z) + np.sum(z[[0, 2]] * x[:2])

    yield f, lambda: z
    yield from calls(6)


def writes_of_other_dtypes():
    single, integers, flags = np.zeros(3, "f4"), np.zeros(3, int), np.zeros(3, bool)

    def f(x):
        single[:] = x
        integers[:] = x * 3.1
        flags[:] = x > 1.0
        return np.sum(x * x) + np.sum(integers) + np.sum(x[flags])

    yield f, lambda: (single, integers, flags)
    yield from calls()


# -- exceptions -----------------------------------------------------------------------------------
def handled_singular_matrices():
    failures = []

    def f(x, a):
        try:
            b = np.linalg.inv(a)
        except np.linalg.LinAlgError as error:
            failures.append(str(error))
            b = np.eye(2)
        return np.sum(b @ x[:2])

    yield f, lambda: failures
    for a in (REGULAR, REGULAR, SINGULAR, REGULAR, SINGULAR, SINGULAR):
        yield X, a


def unhandled_singular_matrices():
    yield lambda x, a: np.sum(np.linalg.inv(a) @ x[:2])
    for a in (REGULAR, SINGULAR, REGULAR, SINGULAR, REGULAR):
        yield X, a


def handled_divisions():
    def f(x, s):
        try:
            r = 1.0 / s
        except ZeroDivisionError:
            return np.sum(x)
        else:
            x = x * r
        finally:
            x = x + 1.0
        return np.sum(x * x)

    yield f
    for s in (2.0, 2.0, 0.0, 2.0, 0.0, 0, 4):
        yield X, s


def exceptions_after_changes():
    state, log = {"mean": np.zeros(3), "n": 0}, []

    def f(x):
        state["mean"] += x
        state["n"] += 1
        log.append(np.sum(x))
        if np.sum(x) > 5.0:
            raise RuntimeError("mine", x.shape)
        state["mean"] *= 0.5
        return np.sum(x * state["mean"])

    yield f, lambda: (state, log)
    for factor in (1.0, 1.0, 2.0, 1.0, 2.0, 1.0):
        yield (X * factor,)


def array_writes_before_exceptions():
    mean, n = np.zeros(3), np.zeros(1)

    def f(x, y):
        mean[:] += x
        n[0] += 1.0
        z = x @ y  # ValueError where the shapes do not fit
        assert z < 10.0, "too large"
        mean[:] *= 0.5
        return z * np.sum(mean)

    yield f, lambda: (mean, n)
    for y in (Y, Y, np.ones(2), Y, Y * 100.0, np.ones(2), Y):
        yield X, y


def lookups_that_fail():
    table = {"a": 1.0}

    def f(x, key, i):
        return np.sum(x) * table[key] + x[i]

    yield f
    for key, i in (("a", 0), ("a", 2), ("b", 0), ("a", 3), ("a", -4), ("a", 1)):
        yield X, key, i


def floating_point_errors():
    def f(x, y):
        with np.errstate(divide="raise"):
            try:
                return np.sum(x / y)
            except FloatingPointError:
                return np.sum(x) * 2.0

    yield f
    for y in (Y, Y, np.array([0.0, 1.0, 1.0]), Y):
        yield X, y


# Of all of these the contract says that they compile.
COMPILED = [
    running_statistics, running_statistics_of_a_model, views_of_captured_arrays, ufuncs_that_write,
    writes_that_read_what_was_written,
]  # fmt: skip
EFFECTS = [
    history_of_losses, history_of_everything, history_that_is_read, entries_of_a_dict,
    attributes_of_self, nonlocal_and_global_counters, a_counter_that_decides, iterators,
    an_iterator_that_ends, the_standard_librarys_random, order_of_effects, sets_sorts_and_deletes,
    floats_that_are_logged, logged,
]  # fmt: skip
OTHERS = [
    an_inner_df_with_effects, lazily_made, writes_of_other_dtypes,
    handled_singular_matrices, unhandled_singular_matrices,
    handled_divisions, exceptions_after_changes, array_writes_before_exceptions,
    lookups_that_fail, floating_point_errors,
]  # fmt: skip
by_name = {"ids": lambda scenario: scenario.__name__}


@MODES
@pytest.mark.parametrize("scenario", COMPILED + EFFECTS + OTHERS, **by_name)
def test_effects_are_those_of_plain_python(scenario, optimize):
    check(scenario, optimize)


@pytest.mark.parametrize("scenario", COMPILED, **by_name)
def test_writes_are_compiled(scenario):
    check(scenario, compiled=True)


@pytest.mark.parametrize("scenario", EFFECTS, **by_name)
def test_there_is_one_warning_at_most(scenario):
    played = play(scenario, optimize=True)
    assert len(played.warnings) <= 1, played.warnings
    assert played.warnings or played.df.cache_info().direct == 0


@MODES
def test_printed_text(optimize, capsys):
    def f(x):
        loss = np.sum(x**2)
        print("loss", loss, x, f"{loss:8.3f}", loss > 1.0, end="!\n")
        return loss

    df = jit_grad(f, optimize=optimize, audit=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(4):
            df(X + number)
    ours = capsys.readouterr().out
    for number in range(4):
        f(X + number)
    assert ours == capsys.readouterr().out
    assert len(caught) == (df.cache_info().direct > 0)


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_the_clock_is_asked_at_every_call(optimize):
    stamps = []

    def f(x):
        stamps.append(time.perf_counter())
        return np.sum(x) * time.monotonic()

    df = jit_grad(f, optimize=optimize, audit=False)
    values = []
    for _ in range(4):
        values.append(df(X)[1])
        time.sleep(0.002)
    assert len(set(stamps)) == len(stamps) == 4 and stamps == sorted(stamps)
    assert values == sorted(values) and len(set(values)) == 4
    assert all(type(s) is float for s in stamps)


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_entries_are_plain_numbers(optimize):
    history, kept = [], {}

    def f(x):
        h = x * 2.0
        loss = np.sum(h)
        history.append(loss)
        kept["h"] = h
        kept["parts"] = [h[0], (loss, h)]
        return loss

    df = jit_grad(f, optimize=optimize, audit=False)
    for _ in range(4):
        grad, loss = df(X)
    assert [type(v) in (float, np.float64, np.ndarray) for v in history] == [True] * 4
    assert type(kept["h"]) is np.ndarray and type(kept["parts"][1][1]) is np.ndarray
    assert type(kept["parts"][0]) in (float, np.float64)
    pickle.dumps((history, kept))
    kept["h"] += 100.0  # changes nothing else
    np.testing.assert_array_equal(grad, 2.0)
    assert loss == 7.5 == history[-1]
    assert df(X)[1] == 7.5


STRICT = [history_of_losses, attributes_of_self, nonlocal_and_global_counters]


@pytest.mark.parametrize("scenario", STRICT, **by_name)
def test_strict_makes_the_warning_an_error(scenario, monkeypatch):
    monkeypatch.setattr(config.settings, "strict", True)
    steps = scenario()
    df = jit_grad(next(steps)[0], audit=False)
    for _ in range(2):
        with pytest.raises(errors.FallbackError, match="direct mode"):
            df(X)


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_the_users_line_ends_the_traceback(optimize):
    seen = []

    def fails(x):
        if x[0] > 1.0:
            raise ValueError("mine")  # LINE
        return np.sum(x)

    def f(x):
        seen.append(1)
        return fails(x * 1.0) * 2.0

    with open(__file__) as file:
        line = next(n for n, text in enumerate(file, 1) if text.rstrip().endswith("# LINE"))
    df, raised = jit_grad(f, optimize=optimize, audit=False), []
    for x in (X * 3.0, X, X, X * 3.0, X * 3.0):
        try:
            df(x)
        except ValueError as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raised.append((last.filename, last.lineno, str(error), error.__cause__))
        else:
            raised.append(None)
    expected = (__file__, line, "mine", None)
    assert raised == [expected, None, None, expected, expected]
    assert len(seen) == 5


@MODES
def test_numpys_errors_name_the_users_line(optimize):
    def f(x, a):
        y = x * 2.0
        return np.sum(np.linalg.inv(a) @ y[:2])  # INV

    with open(__file__) as file:
        line = next(n for n, text in enumerate(file, 1) if text.rstrip().endswith("# INV"))
    df = jit_grad(f, optimize=optimize, audit=False)
    for a in (REGULAR, REGULAR, SINGULAR, REGULAR, SINGULAR):
        if a is REGULAR:
            df(X, a)
            continue
        with pytest.raises(np.linalg.LinAlgError) as caught:
            df(X, a)
        text = "".join(traceback.format_exception(caught.value))
        assert f"{line}" in text and "test_effects" in text


# -- interrupts, recursion ------------------------------------------------------------------------
def interrupted(optimize, count=400):
    """Interrupt calls, recordings and compilations everywhere; the next call is right each time."""
    state = np.full(3, 2.0)

    def f(x, limit):
        y = x
        for _ in range(60):
            y = np.sin(y) * 1.01 + x
        if np.sum(y) > limit:
            y = y * 2.0
        return np.sum(y * state)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    def look(result, expected):
        for a, e in zip(result, expected, strict=True):
            assert type(a) is type(e), f"{type(a)} instead of {type(e)}"
            np.testing.assert_allclose(a, e, rtol=1e-12)

    made = functools.partial(jit_grad, f, optimize=optimize, audit=False)
    df = made()
    signal.signal(signal.SIGALRM, interrupt)
    warnings.simplefilter("ignore", TracejitWarning)
    expected = {limit: df(X, limit) for limit in (0.0, 1e9)}
    assert expected[0.0][1] == f(X, 0.0) and type(expected[0.0][1]) is np.float64
    for number in range(count):
        if number % 10 == 0:
            df = made()
        limit = (0.0, 1e9)[number % 2]
        with contextlib.suppress(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.0002 * (1 + number % 23))
            for _ in range(100):
                df(X, limit)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        assert type(np.zeros(2)) is np.ndarray and type(np.sum(X)) is np.float64
        look(df(X, limit), expected[limit])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@MODES
def test_interrupts_leave_nothing_behind(optimize):
    """In a process of its own: what was left behind would show in other tests."""
    code = f"from tests.sound.test_effects import interrupted; interrupted({optimize})"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], timeout=100,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_an_interrupt_that_the_function_raises(optimize):
    state, stop = {"n": 0}, [False]

    def f(x):
        y = np.sin(x)
        state["n"] += 1
        if stop[0]:
            raise KeyboardInterrupt
        return np.sum(y)

    df = jit_grad(f, optimize=optimize, audit=False)
    for number, stop[0] in enumerate([False, False, True, False, True, False], 1):
        if stop[0]:
            with pytest.raises(KeyboardInterrupt):
                df(X)
        else:
            np.testing.assert_allclose(df(X)[0], np.cos(X))
        assert state["n"] == number


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_recursion_through_df(optimize):
    def f(x, n):
        if n == 0:
            return np.sum(x**2)
        return np.sum(df(x, n - 1)[0] ** 2)  # (2x)**2, then (8x)**2, then (128x)**2

    df = jit_grad(f, optimize=optimize, audit=False)
    for n in (0, 1, 2, 2, 0, 1, 1, 2, 0):
        grad, value = df(X, n)
        factor = (1.0, 4.0, 64.0)[n]
        np.testing.assert_allclose(value, factor * np.sum(X**2))
        np.testing.assert_allclose(grad, factor * 2.0 * X)


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_a_df_inside_another_with_state(optimize):
    seen, scale = np.zeros(3), 2.0

    @jit_grad(optimize=optimize, audit=False)
    def inner(x):
        seen[:] += 1.0
        return np.sum(x**3) * scale if np.sum(x) > 0.0 else np.sum(x**2)

    df = jit_grad(lambda x: np.sum(inner(x)[0] ** 2), optimize=optimize, audit=False)
    for number, sign in enumerate([1, 1, -1, 1, -1, -1, 1], 1):
        scale = float(number)
        grad, value = df(sign * X)
        if sign > 0:
            np.testing.assert_allclose(value, np.sum((3 * scale * X**2) ** 2))
            np.testing.assert_allclose(grad, 36 * scale**2 * X**3)
        else:
            np.testing.assert_allclose(value, np.sum(4 * X**2))
            np.testing.assert_allclose(grad, -8 * X)
        np.testing.assert_array_equal(seen, number)


@MODES
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_df_in_its_own_hook(optimize):
    seen = []

    def hook(debugger, message, gen):
        seen.append(df(X)[1])  # finite: the hook is not called again

    df = jit_grad(lambda x: np.sum(np.log(x)), debugHook=hook, optimize=optimize, audit=False)
    for _ in range(3):
        df(X)
        assert np.isnan(df(-X)[1])
    np.testing.assert_allclose(seen, [np.sum(np.log(X))] * 3)


# -- threads and processes ------------------------------------------------------------------------
def in_threads(work, count=8, timeout=60.0):
    """Run work(number) in threads that start together; raise what any of them raised."""
    failed, barrier = [], threading.Barrier(count)

    def body(number):
        try:
            barrier.wait(timeout)
            work(number)
        except BaseException as error:
            failed.append(error)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threads = [threading.Thread(target=body, args=(n,), daemon=True) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout)
        assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if failed:
        raise failed[0]


@MODES
def test_one_df_from_many_threads(optimize):
    w = np.arange(1.0, 40.0)

    def f(x):
        y = np.tanh(x) * w[: len(x)]
        z = np.zeros(len(x))
        z[1:] = y[:-1]
        if np.sum(x) > 0.0:
            z *= 2.0
        return np.sum(z * x) + np.sum(y)

    df = jit_grad(f, optimize=optimize, audit=False)
    oracle = jit_grad(f, optimize=False)

    def inputs(number, call):
        rng = np.random.default_rng(number)
        return rng.standard_normal(2 + number // 2) + (-3.0, 3.0)[call % 2]

    expected = {}
    for number in range(8):
        for call in range(2):
            x = inputs(number, call)
            expected[number, call] = oracle(x)[0], f(x)

    def work(number):
        for call in range(40):
            grad, value = df(inputs(number, call))
            np.testing.assert_allclose(value, expected[number, call % 2][1], rtol=1e-12)
            np.testing.assert_allclose(grad, expected[number, call % 2][0], rtol=1e-10)

    in_threads(work)


@MODES
def test_closures_of_one_function_in_many_threads(optimize):
    def make(number):
        scale, w = float(number), np.full(3, number + 1.0)

        def f(x):
            return np.sum(x * w) * scale

        def rescale(value):
            nonlocal scale, w
            scale = value
            w = w + 0.0

        return f, rescale

    def work(number):
        f, rescale = make(number)
        df = jit_grad(f, optimize=optimize, audit=False)
        for call in range(20):
            rescale(float(number * 100 + call))
            grad, value = df(X)
            np.testing.assert_allclose(grad, (number + 1.0) * (number * 100 + call))
            assert np.isclose(value, f(X))

    in_threads(work)


@MODES
def test_threads_that_draw_from_their_own_generators(optimize):
    df = jit_grad(lambda x, rng: np.sum(x * rng.random(3)), optimize=optimize, audit=False)

    def work(number):
        rng, twin = np.random.default_rng(number), np.random.default_rng(number)
        for _ in range(20):
            np.testing.assert_array_equal(df(X, rng)[0], twin.random(3))

    in_threads(work)


def test_another_thread_sees_plain_numpy_while_one_records():
    recording, done, kinds = threading.Event(), threading.Event(), []

    def pause():
        recording.set()
        done.wait(30)
        return 1.0

    def other():
        recording.wait(30)
        kinds.append((type(np.zeros(2)), type(np.sum(X)), type(np.random.random())))
        done.set()

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grad, _ = jit_grad(lambda x: np.sum(x) * pause(), audit=False)(X)
    thread.join(30)
    assert kinds == [(np.ndarray, np.float64, float)]
    np.testing.assert_array_equal(grad, 1.0)


WEIGHTS = np.array([1.0, 2.0, 3.0])


def module_loss(x):
    total = np.sum(x * WEIGHTS)
    return total * 2.0 if total > 0.0 else total


@jit_grad(audit=False)
def decorated(x):
    total = np.sum(x * WEIGHTS)
    return total * 2.0 if total > 0.0 else total


module_df = jit_grad(module_loss, audit=False)


def in_a_process(sign):
    """Module level, so that a spawned process finds it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [(decorated(sign * X), module_df(sign * X)) for _ in range(3)]


def right(results, sign):
    for pair in results:
        for grad, value in pair:
            np.testing.assert_allclose(grad, WEIGHTS * (2.0 if sign > 0 else 1.0))
            assert np.isclose(value, module_loss(sign * X))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_after_use(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    right(in_a_process(1.0), 1.0)
    context = multiprocessing.get_context(method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fork in a process with threads
        with context.Pool(2) as pool:
            pending = [pool.apply_async(in_a_process, (s,)) for s in (1.0, -1.0, 1.0)]
            results = [p.get(timeout=100) for p in pending]
    for sign, result in zip((1.0, -1.0, 1.0), results, strict=True):
        right(result, sign)
    right(in_a_process(-1.0), -1.0)


@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("df", [decorated, module_df], ids=["decorated", "jit_grad(f)"])
def test_pickled_functions_of_a_module(df, used):
    if used:
        df(X)
        df(X)
    again = pickle.loads(pickle.dumps(df))
    for _ in range(3):
        grad, value = again(X)
        np.testing.assert_allclose(grad, 2.0 * WEIGHTS)
        assert value == module_loss(X)


@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_cloudpickled_lambdas_with_closures(used):
    cloudpickle = pytest.importorskip("cloudpickle")
    w, scale = Y.copy(), 2.0
    df = jit_grad(lambda x: np.sum(x * w) * scale, audit=False)
    if used:
        df(X)
        df(X)
    again = pickle.loads(cloudpickle.dumps(df))
    w[:] = 0.0  # the copy has an array of its own
    for _ in range(3):
        np.testing.assert_allclose(again(X)[0], 2.0 * Y)
        np.testing.assert_allclose(df(X)[0], 0.0)


def test_making_it_again_finds_what_was_compiled():
    w = Y.copy()

    def f(x, s):
        return np.sum(np.sin(x) * w) * s

    for number in range(6):
        df = jit_grad(f, audit=False)
        w[0] = number
        grad, value = df(X, float(number))
        np.testing.assert_allclose(grad, np.cos(X) * w * number)
        assert value == f(X, float(number))
        info = df.cache_info()
        assert info.misses == (number == 0), info
        assert info.direct == 0


def test_other_options_are_other_code():
    def f(x):
        return np.sum(np.sin(x)), x * 2.0

    for _ in range(3):
        grad, value, double = jit_grad(f)(X)
        np.testing.assert_array_equal(double, X * 2.0)
        np.testing.assert_allclose(jit_grad(f, withForward=False)(X), np.cos(X))
        values = jit_grad(f, withGradients=False)(X)
        assert len(values) == 2 and values[0] == value
        np.testing.assert_allclose(jit_grad(f, partialGrad=True)(X, 3.0)[0], 3.0 * np.cos(X))
        np.testing.assert_allclose(jit_grad(f, optimize=False)(X)[0], grad)


def test_new_closures_of_one_code_do_not_see_each_other():
    def make(w):
        return lambda x: np.sum(x * w)

    for number in range(5):
        w = np.full(3, float(number))
        by_default = jit_grad(lambda x, w=w, k=number: np.sum(x * w) * k, audit=False)
        by_closure = jit_grad(make(w), audit=False)
        for _ in range(2):
            np.testing.assert_array_equal(by_default(X)[0], w * number)
            np.testing.assert_array_equal(by_closure(X)[0], w)
