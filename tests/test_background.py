"""Machine code comes while calls are answered: when it is made, that it is right, how it fails."""

import itertools
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections import namedtuple

import numpy as np
import pytest

from tests.machine import StandIn, wait_for_end
from tracejit import TracejitWarning, config, heat, jit_grad, store, variant
from tracejit.codegen import kernels, machine, process
from tracejit.errors import ConfigError

pytest.importorskip("numba")
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")
# What makes a kernel one that no process knows.
fresh = (f"+ 0.0 * {n}.0" for n in itertools.count(random.randrange(10**9)))


def cube(x):
    return np.sum(x * x * x)


def another(x):
    return np.sum(x * x * x) + 1.0


def by_machine_code(df):
    """Whether the next call goes to machine code without a look aside."""
    form = getattr(df._latest[3], "compiled", None)
    return form is not None and form.part is not None


def variant_of(df):
    ((_, entry),) = df._store.cache.items()
    return entry.variants[0]


def call_until(df, *args, reached=by_machine_code, seconds=60):
    """Call a function until something has come about in the background."""
    until = time.monotonic() + seconds
    while not reached(df):
        result = df(*args)
        assert time.monotonic() < until, df.explain()
    return result


def said(df):
    """What explain() says of the numba target."""
    lines = [line for line in df.explain().splitlines() if "numba target" in line]
    return lines[0].partition("numba target: ")[2] if lines else "nothing"


def price(monkeypatch, seconds):
    """Let calls have to take so long to be worth machine code."""
    monkeypatch.setattr(heat, "HOT_SECONDS", seconds)
    monkeypatch.setattr(variant, "HOT_SECONDS", seconds)


@pytest.fixture(scope="module")
def shared_service():
    return machine.Service()


@pytest.fixture
def workers(monkeypatch, shared_service):
    """Compile in the background, in one worker for all tests that do not end it."""
    monkeypatch.setattr(config.settings, "workers", 1)
    monkeypatch.setattr(machine, "_service", shared_service)
    return shared_service


@pytest.fixture
def service(monkeypatch, tmp_path):
    """Compile in the background, with everything new: as another process would."""
    tmp_path.chmod(0o700)
    monkeypatch.setattr(config.settings, "workers", 1)
    monkeypatch.setattr(config.settings, "cache_dir", str(tmp_path))
    return renewed(monkeypatch)


def renewed(monkeypatch):
    service = machine.Service()
    monkeypatch.setattr(machine, "_service", service)
    return service


@pytest.fixture(autouse=True)
def nothing_known_before(shared_service):
    store._OF_FUNCTIONS.clear()
    yield
    if machine._service is not shared_service:
        for worker in machine._service._workers:
            worker.close()


@pytest.fixture
def stand_in(monkeypatch):
    return StandIn(next(fresh)).install(monkeypatch.setattr)


X = np.arange(5.0)
GRADIENT = 3 * X**2


def is_right(result, x=X):
    np.testing.assert_allclose(result[0], 3 * x**2, rtol=1e-15)
    assert result[1] == np.sum(x * x * x)
    return True


# -- the swap --------------------------------------------------------------------------------------


def test_machine_code_takes_over(workers, stand_in):
    df = jit_grad(cube)
    before = workers.compiled
    is_right(call_until(df, X))
    assert workers.compiled == before + 1
    for _ in range(3):
        is_right(df(X))
    assert said(df).startswith("compiled by the worker (to compile it took times ")
    assert df.cache_info().misses == 1 and df.cache_info().direct == 0


def test_waiting_makes_hot(workers, stand_in):
    df = jit_grad(cube)
    df(X)  # recorded
    assert df.wait()
    is_right(df(X))
    assert by_machine_code(df)
    df(np.arange(6.0))
    df(np.arange(6.0))
    assert df.wait() and df.wait(timeout=0)


def test_waiting_comes_to_an_end(service, monkeypatch):
    StandIn(next(fresh), meanwhile="__import__('time').sleep(60)").install(monkeypatch.setattr)
    df = jit_grad(cube)
    df(X)
    assert not df.wait(timeout=0.2)
    is_right(df(X))
    assert said(df) in ("waiting", "compiling")


def test_there_is_nothing_to_wait_for(workers, stand_in):
    assert jit_grad(cube).wait()
    assert jit_grad(cube, optimize=False).wait()
    df = jit_grad(cube, backend="numpy")
    df(X), df(X)
    assert df.wait() and stand_in.emissions == 0
    assert said(df) == "off: backend='numpy' was asked for"


def test_equal_kernels_are_compiled_once(workers, stand_in):
    other = jit_grad(another)
    df = jit_grad(cube)
    df(X)
    df.wait()
    compiled = workers.compiled
    stand_in.comment = "moved"
    other(X)
    other.wait()
    assert said(other).startswith("shared with equal functions")
    assert workers.compiled == compiled
    np.testing.assert_array_equal(other(X)[0], 3 * X**2)


def test_nothing_worth_machine_code(workers, stand_in):
    df = jit_grad(lambda x: np.sum(x + x))
    df(X)
    assert df.wait()
    assert "nothing in it is worth machine code" in said(df)
    np.testing.assert_array_equal(df(X)[0], 2 * np.ones(5))


def test_too_much_for_machine_code(service, monkeypatch):
    monkeypatch.setattr(kernels, "MANY", 2)
    df = jit_grad(cube)
    df(X)
    assert df.wait()
    assert "loop operations are more than 2, too many to compile" in said(df)


@pytest.mark.parametrize("audit", [True, False, "always"])
def test_every_way_of_calling(workers, stand_in, audit):
    pair = namedtuple("pair", "a b")
    df = jit_grad(lambda p, y=X: np.sum(p.a * p.b * y), audit=audit)
    p = pair(X, X + 1)
    for _ in range(3):
        df(p), df(p, y=X), df(p, X)
        df.wait()
        for result in (df(p), df(p, y=X), df(p, X)):
            np.testing.assert_array_equal(result[0].a, p.b * X)
            assert type(result[0]) is pair
    fixed = pair(X, X + 1)
    fixed.a.flags.writeable = False  # not what the kernels were compiled for
    try:
        np.testing.assert_array_equal(df(fixed)[0].a, p.b * X)
    finally:
        fixed.a.flags.writeable = True
    part = jit_grad(lambda x: x * x, partialGrad=True, audit=audit)
    for _ in range(3):
        grads, value = part(X, np.ones(5))
        np.testing.assert_array_equal(grads, 2 * X)
        part.wait()
    assert "numba target: shared" in part.explain() or "numba target: compiled" in part.explain()


def test_methods(workers, stand_in):
    class Model:
        def __init__(self):
            self.w = X + 2

        @jit_grad
        def loss(self, x):
            return np.sum(self.w * x * x)

    model = Model()
    for _ in range(3):
        grads, _ = model.loss(X)
        np.testing.assert_array_equal(grads, 2 * (X + 2) * X)
        assert model.loss.wait()
    assert "numba target: " in model.loss.explain()


def test_what_the_machine_code_does_not_take_is_answered_by_numpy(workers, stand_in, monkeypatch):
    df = jit_grad(cube)
    call_until(df, X)
    form = variant_of(df).job.form
    monkeypatch.setattr(form, "accepts", lambda x: x[0] == 0)
    df._latest = df.__class__.__init__.__globals__["_NONE"]
    is_right(df(X))
    assert by_machine_code(df)
    is_right(df(X + 1), X + 1)


def test_branches(workers, stand_in):
    df = jit_grad(lambda x: np.sum(x * x * x * x) if x[0] > 0 else np.sum(x * x * x))
    up, down = X + 1, X - 1
    df(up)
    df.wait()
    for _ in range(3):
        np.testing.assert_allclose(df(up)[0], 4 * up**3)
    assert by_machine_code(df)
    for _ in range(3):  # left at the guard, recorded, grafted
        np.testing.assert_allclose(df(down)[0], 3 * down**2)
    df.wait()
    for x, gradient in ((up, 4 * up**3), (down, 3 * down**2)) * 2:
        np.testing.assert_allclose(df(x)[0], gradient)
    assert by_machine_code(df) and df.cache_info().direct == 0


def test_draws_and_writes(workers, stand_in):
    generator, kept = np.random.default_rng(1), np.zeros(5)

    def f(x):
        kept[:] = x * generator.normal(size=5)
        return np.sum(kept * x)

    df = jit_grad(f)
    for n in range(5):
        state = np.random.default_rng(1)
        for _ in range(n + 1):
            drawn = state.normal(size=5)
        grads, _ = df(X)
        np.testing.assert_array_equal(grads, drawn * X + drawn * X)
        np.testing.assert_array_equal(kept, X * drawn)
        df.wait()
    df(X)
    assert by_machine_code(df), df.explain()


def test_threads_call_while_the_swap_happens(workers, stand_in):
    df = jit_grad(cube)
    failures = []
    stop = threading.Event()

    def call(number):
        x = X + number
        try:
            while not stop.is_set():
                is_right(df(x), x)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        call_until(df, X)
        time.sleep(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


# -- where it is not as it should be ---------------------------------------------------------------


def test_wrong_results_are_found_and_given_up(workers, monkeypatch):
    StandIn("+ 1.0").install(monkeypatch.setattr)
    df = jit_grad(cube)
    df(X)
    df.wait()
    for _ in range(3):
        is_right(df(X))
    assert "its results differ from those of the numpy target" in said(df)
    assert df.cache_info().direct == 0


def chaotic(x):
    for _ in range(45):
        x = 3.9 * (x * (1.0 - x))
    return np.sum(x)


def test_rounding_is_not_taken_for_a_fault(workers, monkeypatch):
    StandIn("* 1.0000000000000002").install(monkeypatch.setattr)
    df = jit_grad(chaotic)
    x = np.linspace(0.2, 0.8, 7)
    df(x)
    df.wait()
    numpy = variant_of(df).compiled.run(x)
    found = df(x)
    assert abs(found[1] - numpy[1]) > 1e-6 * abs(numpy[1])  # far apart, and neither is wrong
    assert by_machine_code(df), df.explain()


def test_wrong_results_in_chaos_are_found(workers, monkeypatch):
    StandIn("+ np.nan").install(monkeypatch.setattr)
    df = jit_grad(chaotic)
    x = np.linspace(0.2, 0.8, 7)
    df(x)
    df.wait()
    assert not np.isnan(df(x)[1])
    assert not by_machine_code(df)


def test_machine_code_that_raises(workers, monkeypatch):
    raising = "\n    raise ValueError('not what NumPy does')"
    StandIn(raising).install(monkeypatch.setattr)
    df = jit_grad(cube)
    df(X)
    df.wait()
    for _ in range(3):
        is_right(df(X))
    assert "it raised ValueError: not what NumPy does" in said(df)


def test_an_exception_is_numpys_with_the_users_line(workers, monkeypatch):
    StandIn("\n    if a[0] == 7.0: raise ValueError('from Numba')").install(monkeypatch.setattr)

    def f(x):
        return np.sum(np.linalg.inv(np.reshape(x, (2, 2)))) + np.sum(x * x * x)

    df = jit_grad(f)
    good, singular = np.array([1.0, 2.0, 3.0, 5.0]), np.array([7.0, 7.0, 7.0, 7.0])
    df(good)
    df.wait()
    df(good)
    assert by_machine_code(df)
    with pytest.raises(np.linalg.LinAlgError) as caught:
        df(singular)
    notes = [*getattr(caught.value, "__notes__", ()), str(caught.value)]
    assert any("test_background.py" in note for note in notes)
    df(good)
    assert by_machine_code(df)  # it was not to blame


def test_a_failed_compilation_is_not_tried_again(service, monkeypatch):
    stand_in = StandIn("+ nothing_of_this_name").install(monkeypatch.setattr)
    df = jit_grad(cube)
    call_until(df, X, reached=lambda df: "failed" in said(df))
    assert "nothing_of_this_name" in said(df)
    for _ in range(1000):
        is_right(df(X))
    df.wait()
    assert stand_in.emissions == 1 and service.compiled == 0
    other = jit_grad(another)  # the same kernel
    other(X)
    other.wait()
    assert "nothing_of_this_name" in said(other)


def test_a_target_that_cannot_emit(workers, monkeypatch):
    def fail(emitted):
        raise NotImplementedError("loops of this kind")

    stand_in = StandIn().install(monkeypatch.setattr)
    monkeypatch.setattr(stand_in, "jitted", fail)
    df = jit_grad(cube)
    df(X)
    df.wait()
    is_right(df(X))
    assert said(df) == "failed: NotImplementedError: loops of this kind"


def test_a_worker_that_crashes_takes_nobody_with_it(service, monkeypatch):
    monkeypatch.setattr(machine, "MANY_CRASHES", 2)
    StandIn(meanwhile="__import__('os').abort()").install(monkeypatch.setattr)
    df = jit_grad(cube)
    df(X)
    df.wait()
    is_right(df(X))
    assert said(df).startswith("failed: the worker crashed")
    monkeypatch.undo()
    monkeypatch.setattr(machine, "MANY_CRASHES", 2)
    monkeypatch.setattr(config.settings, "workers", 1)
    monkeypatch.setattr(machine, "_service", service)
    StandIn(next(fresh)).install(monkeypatch.setattr)
    other = jit_grad(another)  # the next worker is well
    other(X)
    other.wait()
    assert said(other).startswith("compiled by the worker")


def test_a_worker_that_was_ended_is_replaced(service, monkeypatch):
    StandIn(next(fresh)).install(monkeypatch.setattr)
    first = jit_grad(cube)
    first(X)
    first.wait()
    (worker,) = service._workers
    worker._process.kill()
    worker._process.wait()
    monkeypatch.undo()
    monkeypatch.setattr(config.settings, "workers", 1)
    monkeypatch.setattr(machine, "_service", service)
    StandIn(next(fresh)).install(monkeypatch.setattr)
    second = jit_grad(another)
    second(X)
    second.wait()
    assert said(second).startswith("compiled by the worker")


def test_an_idle_worker_ends(service, monkeypatch):
    monkeypatch.setattr(machine, "IDLE", 0.05)
    StandIn(next(fresh)).install(monkeypatch.setattr)
    df = jit_grad(cube)
    df(X)
    df.wait()
    until = time.monotonic() + 60
    while service._workers and time.monotonic() < until:
        time.sleep(0.01)
    assert not service._workers


# -- when ------------------------------------------------------------------------------------------


def test_the_account_of_calls():
    account = heat.Heat()
    account.until_audit = 100
    account.note(0.001)
    assert account.grant(0.01) == pytest.approx(10)
    account.settle(4)
    assert account.spent == pytest.approx(0.007)
    assert account.until_audit == pytest.approx(93)
    assert account.grant(None) == pytest.approx(93)
    account.until_audit = float("inf")
    assert 0 < account.grant(None) < float("inf")
    account.until_audit = 0
    assert account.grant(1.0) == 0
    assert account.grant(0.0) == 0


def test_a_cold_function_is_left_alone(service, stand_in, monkeypatch):
    price(monkeypatch, 1e9)
    df = jit_grad(cube)
    for _ in range(50):
        is_right(df(X))
    assert stand_in.emissions == 0
    assert said(df).startswith("not yet")


def test_ragged_shapes_start_no_storm(workers, stand_in, monkeypatch):
    price(monkeypatch, 0.0)
    monkeypatch.setattr(heat, "COMPILE_SECONDS", 1e9)
    df = jit_grad(cube)
    requested = []
    submit = workers.submit
    monkeypatch.setattr(workers, "submit", lambda job: (requested.append(job), submit(job))[1])
    for n in range(1, 20):
        stand_in.also = next(fresh)
        x = np.arange(float(n))
        for _ in range(4):
            is_right(df(x), x)
        df.wait()
    assert sum(not job.cached_only for job in requested) == heat.FREE
    text = df.explain()
    assert text.count("compiled by the worker") == heat.FREE
    assert f"no: {heat.FREE} signatures of this function were compiled" in text


def test_jobs_that_nobody_wants_any_more_are_dropped(workers, stand_in, monkeypatch):
    monkeypatch.setattr(machine, "FORGOTTEN", -1.0)
    df = jit_grad(cube)
    call_until(df, X, reached=lambda df: stand_in.emissions or variant_of_job(df) == "dropped")
    assert stand_in.emissions == 0 and df._store.compilations == 0
    monkeypatch.setattr(machine, "FORGOTTEN", 60.0)
    call_until(df, X)


def variant_of_job(df):
    items = df._store.cache.items()
    job = items[0][1].variants[0].job if items else None
    return job and job.state


# -- settings --------------------------------------------------------------------------------------


def test_the_off_switch(monkeypatch, stand_in):
    service = renewed(monkeypatch)
    assert config.settings.workers == 0
    df = jit_grad(cube)
    for _ in range(5):
        df(X)
    assert df.wait() and not service._started
    assert said(df) == "TRACEJIT_WORKERS is 0"


@pytest.mark.parametrize("count", [0, 1])
def test_the_backend_is_fixed(service, stand_in, monkeypatch, count):
    monkeypatch.setattr(config.settings, "workers", count)
    df = jit_grad(cube, backend="numba")
    df(X)
    is_right(df(X))
    assert by_machine_code(df)
    assert ("this process" if count == 0 else "the worker") in said(df)
    assert "def times" in df.source(X) and "def times" not in jit_grad(cube).source(X)
    assert "def times" in jit_grad(cube).source(X, backend="numba")


def test_a_fixed_backend_that_fails_says_so(workers, monkeypatch):
    StandIn("+ nothing_at_all").install(monkeypatch.setattr)
    df = jit_grad(cube, backend="numba")
    df(X)
    with pytest.warns(TracejitWarning, match="stays on the numpy target") as caught:
        is_right(df(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        is_right(df(X))
    assert caught[0].filename == __file__


def test_without_numba(workers, monkeypatch):
    monkeypatch.setattr(config, "has_numba", lambda: False)
    monkeypatch.setattr(variant, "has_numba", lambda: False)
    with pytest.raises(ConfigError, match=r"pip install tracejit\[fast\]"):
        jit_grad(cube, backend="numba")
    with pytest.raises(ConfigError, match=r"pip install tracejit\[fast\]"):
        config.load({"TRACEJIT_BACKEND": "numba"})
    df = jit_grad(cube)
    for _ in range(5):
        is_right(df(X))
    assert df.wait()
    assert "Numba is not installed" in said(df)


def test_numba_that_may_not_compile(service, stand_in, monkeypatch):
    import numba

    monkeypatch.setattr(numba.core.config, "DISABLE_JIT", 1)
    df = jit_grad(cube)
    df(X)
    df.wait()
    assert said(df) == "failed: NUMBA_DISABLE_JIT is set"


# -- entries on disk -------------------------------------------------------------------------------


def entry_files(folder):
    return sorted(folder.glob("machine/*.code"))


def run_to_the_end(df=None):
    df = jit_grad(lambda x: np.sum(x * x * x))
    df(X)
    df.wait()
    is_right(df(X))
    return df


def test_another_process_loads_at_once(service, stand_in, monkeypatch, tmp_path):
    run_to_the_end()
    assert service.compiled == 1 and len(entry_files(tmp_path)) == 1
    other = renewed(monkeypatch)
    price(monkeypatch, 1e9)  # however cold it is
    df = jit_grad(lambda x: np.sum(x * x * x))
    stand_in.comment = "another line"
    is_right(call_until(df, X))
    assert other.compiled == 0 and not other._workers
    assert said(df).startswith("loaded from disk")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "gone", "foreign"])
def test_damaged_entries_are_made_again(service, stand_in, monkeypatch, tmp_path, damage):
    run_to_the_end()
    (path,) = entry_files(tmp_path)
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[:-100])
    elif damage == "flipped":
        path.write_bytes(content[:-100] + bytes([content[-100] ^ 255]) + content[-99:])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "gone":
        path.unlink()
    else:  # it is whole, and not what its name says
        from tracejit.codegen import entries, jitted

        header = entries.Header(jitted.made_with(), [("times", 0.1, [3])])
        entries.write(str(path.parent), path.stem, header, {"times": [b"abc"]})
    other = renewed(monkeypatch)
    df = run_to_the_end()
    assert other.compiled == 1, df.explain()
    assert by_machine_code(df)


@posix
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_nothing_is_loaded_from_where_others_can_write(service, stand_in, monkeypatch, tmp_path):
    run_to_the_end()
    (tmp_path / "machine").chmod(0o777)
    other = renewed(monkeypatch)
    df = run_to_the_end()
    assert not by_machine_code(df) and other.compiled == 0
    assert "others can write" in said(df)


def test_a_cache_that_cannot_be_written_to(service, stand_in, monkeypatch, tmp_path):
    (tmp_path / "machine").write_text("no folder")
    df = run_to_the_end()
    assert said(df).startswith("failed: ")


def test_the_command_shows_and_removes_machine_code(service, stand_in, tmp_path, capsys):
    from tracejit.__main__ import main

    run_to_the_end()
    main(["cache"])
    assert "1 entries of machine code" in capsys.readouterr().out
    main(["cache", "--clear"])
    assert entry_files(tmp_path) == [] and list(tmp_path.glob("*.py")) == []
    run_to_the_end()


# -- processes -------------------------------------------------------------------------------------

SCRIPT = """
import os, sys, time
import numpy as np
sys.path.insert(0, {root!r})
from tests.machine import StandIn
from tracejit import jit_grad
from tracejit.codegen import machine

stand_in = StandIn({also!r}, meanwhile={meanwhile!r}).install()

def cube(x):
    return np.sum(x * x * x)

X = np.arange(5.0)

def by_machine_code(df):
    form = getattr(df._latest[3], "compiled", None)
    return form is not None and form.part is not None

{body}
"""
ROOT = os.path.dirname(os.path.dirname(__file__))


def run_script(folder, body, also="", meanwhile="", **environment):
    text = SCRIPT.format(root=ROOT, also=also, meanwhile=meanwhile, body=textwrap.dedent(body))
    path = folder / "script.py"
    if not path.exists() or path.read_text() != text:  # another process may be reading it
        path.write_text(text)
    folder.chmod(0o700)
    environment = {**os.environ, "TRACEJIT_CACHE_DIR": str(folder), **environment}
    return subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, env=environment, timeout=120
    )


FULL_SPEED = """
df = jit_grad(cube)
while not by_machine_code(df):
    df(X)
assert df(X)[1] == 100.0
print(machine.service().compiled, "numba target: loaded from disk" in df.explain())
"""


def test_a_second_process_compiles_nothing(tmp_path):
    also = next(fresh)
    assert run_script(tmp_path, FULL_SPEED, also).stdout == "1 False\n"
    moved = "\n\n# the user's file has changed\n" + FULL_SPEED
    assert run_script(tmp_path, moved, also).stdout == "0 True\n"


def test_numbas_own_settings_of_folders_are_left_alone(tmp_path):
    also = next(fresh)
    (tmp_path / "numba").mkdir()
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "numba"), "OMP_NUM_THREADS": "2"}
    assert run_script(tmp_path, FULL_SPEED, also, **environment).stdout == "1 False\n"
    assert run_script(tmp_path, FULL_SPEED, also).stdout == "0 True\n"
    assert list((tmp_path / "numba").iterdir()) == []


def test_many_processes_at_once(tmp_path):
    also = next(fresh)
    outputs = []

    def run():
        out = run_script(tmp_path, FULL_SPEED, also)
        outputs.append(out.stdout or out.stderr)

    text = SCRIPT.format(root=ROOT, also=also, meanwhile="", body=FULL_SPEED)
    (tmp_path / "script.py").write_text(text)
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(out.split()[1] in ("True", "False") for out in outputs), outputs
    assert 1 <= sum(int(out.split()[0]) for out in outputs) <= 4
    assert len(entry_files(tmp_path)) == 1 and not list(tmp_path.glob("machine/*.tmp"))


def test_importing_and_calling_bring_in_no_numba(tmp_path):
    body = """
    df = jit_grad(cube)
    for _ in range(3):
        df(X)
    print("numba" in sys.modules)
    """
    assert run_script(tmp_path, body).stdout == "False\n"


def test_the_users_script_is_not_run_again(tmp_path):
    body = "print('script')\ndf = jit_grad(cube, backend='numba')\ndf(X)\ndf(X)\n"
    out = run_script(tmp_path, body, next(fresh))
    assert (out.stdout, out.stderr, out.returncode) == ("script\n", "", 0)


BUSY = """
df = jit_grad(cube)
df(X)
df.wait({wait})
{more}
pid = machine.service()._workers[0]._process.pid if machine.service()._workers else "none"
print(pid, flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError", "os._exit(4)"])
def test_the_end_of_the_process_during_a_compilation(tmp_path, end):
    body = BUSY.format(wait=3.0, more="", end=end)
    begun = time.monotonic()
    out = run_script(tmp_path, body, meanwhile="__import__('time').sleep(600)")
    assert time.monotonic() - begun < 60
    assert out.returncode == {"": 0, "sys.exit(3)": 3, "os._exit(4)": 4}.get(end, 1)
    said = out.stderr.strip().splitlines()
    assert said[-1:] == (["RuntimeError"] if "raise" in end else []), out.stderr
    wait_for_end(int(out.stdout))
    assert entry_files(tmp_path) == [] and not list(tmp_path.glob("**/*.tmp"))


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.2, 0.5])
def test_the_end_of_the_process_at_any_other_time(tmp_path, seconds):
    body = f"df = jit_grad(cube)\ndf(X)\ndf.wait({seconds})\n"
    out = run_script(tmp_path, body, next(fresh))
    assert (out.stdout, out.stderr, out.returncode) == ("", "", 0)
    assert not list(tmp_path.glob("machine/*.tmp"))


@posix
@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 3.0])
def test_a_fork_while_something_is_compiled(tmp_path, seconds):
    body = f"""
    df = jit_grad(cube)
    df(X)
    df.wait({seconds})
    child = os.fork()
    for _ in range(3):
        assert df(X)[1] == 100.0
    assert df.wait(60)
    assert df(X)[1] == 100.0 and by_machine_code(df), df.explain()
    if child:
        _, status = os.waitpid(child, 0)
        print(status, machine.service().compiled <= 1)
    """
    out = run_script(tmp_path, body, next(fresh))
    assert (out.stdout, out.stderr) == ("0 True\n", ""), out.stderr


@posix
def test_a_fork_does_not_keep_the_worker_alive(tmp_path):
    body = """
    df = jit_grad(cube)
    df(X)
    df.wait()
    print(machine.service()._workers[0]._process.pid, flush=True)
    child = os.fork()
    if not child:
        os.close(1), os.close(2)
        time.sleep(600)
    print(child, flush=True)
    """
    out = run_script(tmp_path, body, next(fresh))
    worker, child = map(int, out.stdout.split())
    try:
        wait_for_end(worker)
    finally:
        os.kill(child, 9)


def test_without_a_python_to_start(service, stand_in, monkeypatch):
    monkeypatch.setattr(process.sys, "executable", "/opt/app/host")
    df = jit_grad(cube)
    df(X)
    df.wait()
    is_right(df(X))
    assert "no Python interpreter" in said(df)
