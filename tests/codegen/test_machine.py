"""Machine code: taken out of emitted text, compiled by a worker, kept in entries, loaded again."""

import ast
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.machine import wait_for_end
from tracejit.codegen import entries, process
from tracejit.codegen.parts import take_apart
from tracejit.codegen.process import Worker, WorkerError

jitted = pytest.importorskip("tracejit.codegen.jitted", reason="needs Numba")
posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX")

MODULE = '''\
import numpy as np
from numba import njit, prange  # comment
from math import exp
one = 1.0  # model.py:3
two = 2.0
scalar = njit(forceinline=True)


@scalar
def helper(x):
    return x + one  # the user's line


@njit("void(f8[::1], f8[::1])", cache=True, error_model="numpy")
def kernel(a, out):  # "quoted" # comment
    """A # in a string."""
    # a line of its own
    for i in range(a.size):
        out[i] = helper(a[i])


def plain(a):
    out = np.empty(3)  # model.py:7
    kernel(a, out)
    return out * two
'''


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o700)
    return str(tmp_path)


# -- taking modules apart --------------------------------------------------------------------------


def test_the_machine_part_holds_what_the_compiler_reads():
    parts = take_apart(MODULE)
    assert parts.names == ("kernel",)
    assert "one = 1.0" in parts.machine and "two" not in parts.machine
    assert "model.py" not in parts.machine and "A # in a string." in parts.machine
    assert "plain" not in parts.machine and "njit, prange" not in parts.machine
    driver = ast.unparse(parts.driver)
    assert "def plain" in driver and "def kernel" not in driver and "njit" not in driver


def test_lines_of_the_driver_stay_where_they_are():
    plain = next(n for n in take_apart(MODULE).driver.body if getattr(n, "name", "") == "plain")
    assert MODULE.splitlines()[plain.lineno - 1] == "def plain(a):"


def test_neither_comments_nor_the_driver_matter():
    moved = MODULE.replace("model.py:3", "model.py:99").replace("out * two", "out * 3.0")
    moved = moved.replace("def plain", "\n\ndef plain")
    assert take_apart(moved).machine == take_apart(MODULE).machine
    assert take_apart(MODULE.replace("1.0", "1.5")).machine != take_apart(MODULE).machine


LINES = st.lists(st.sampled_from(["x = 1", "'#'", '"#"', "# text", "'\\'#'", "  ", '"""a#b"""']))


@given(LINES)
def test_blanked_comments_leave_the_same_program(pieces):
    text = "\n".join(p if p.strip().startswith("#") else f"{p.strip()}  # it's" for p in pieces)
    blanked = entries.without_comments(text)
    assert len(blanked.split("\n")) == len(text.split("\n"))
    assert ast.dump(ast.parse(blanked)) == ast.dump(ast.parse(text))
    assert "it's" not in blanked and "# text" not in blanked


# -- code that is compiled and loaded --------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled():
    parts = take_apart(MODULE)
    header, code = jitted.compile_part(parts.machine, "test")
    return parts.machine, header, code


def test_loaded_code_computes_and_compiles_nothing(compiled, monkeypatch):
    text, header, code = compiled
    assert [name for name, *_ in header.functions] == ["kernel"]
    monkeypatch.setattr("numba.core.compiler.compile_extra", None)  # what compiles would fail
    kernel = jitted.load_part(text, "test", code)["kernel"]
    out = np.empty(3)
    kernel(np.arange(3.0), out)
    np.testing.assert_array_equal(out, [1.0, 2.0, 3.0])


def test_code_that_is_missing_is_not_compiled_in_its_place(compiled):
    text, _, _ = compiled
    with pytest.raises(jitted.Incomplete):
        jitted.load_part(text, "test", {})


def test_functions_of_all_kinds_are_loaded_in_a_fresh_process(tmp_path):
    text = textwrap.dedent(
        """
        import numpy as np
        from numba import prange
        @njit("f8(f8[:, ::1])")
        def inverse(a):
            if a[0, 0] == 0.0:
                raise ValueError("zero")
            return np.linalg.inv(a @ a.T).sum()
        @njit("void(f8[::1])", parallel=True)
        def double(a):
            for i in prange(a.size):
                a[i] = 2.0 * a[i]
        @njit(["f8(f8)", "f4(f4)"])
        def hashed(x):
            return x if hash(x) == hash(x) else x + x
        """
    )
    script = textwrap.dedent(
        """
        import pickle, sys
        import numpy as np
        from tracejit.codegen import jitted
        text, code = pickle.load(sys.stdin.buffer)
        found = jitted.load_part(text, "kinds", code)
        a = np.array([[2.0, 1.0], [0.0, 4.0]])
        assert np.isclose(found["inverse"](a), np.linalg.inv(a @ a.T).sum())
        x = np.arange(5.0)
        found["double"](x)
        assert x.tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
        assert found["hashed"](3.0) == 3.0
        try:
            found["inverse"](np.zeros((2, 2)))
        except ValueError as error:
            print(error)
        """
    )
    import pickle

    _, code = jitted.compile_part(text, "kinds")
    out = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps((text, code)), capture_output=True
    )
    assert out.stdout.strip() == b"zero", out.stderr.decode()


# -- entries ---------------------------------------------------------------------------------------

HEADER = entries.Header(["1", "cpu"], [("f", 0.5, [3, 2]), ("g", 0.1, [1])])
CODE = {"f": [b"abc", b"de"], "g": [b"\n"]}


def test_an_entry_is_read_as_it_was_written(folder):
    entries.write(folder, "name", HEADER, CODE)
    assert entries.read(folder, "name", ["1", "cpu"]) == (HEADER, CODE)
    assert os.listdir(folder) == ["name.code"]
    assert entries.read(folder, "other", ["1", "cpu"]) is None


@given(st.data())
def test_a_damaged_entry_is_removed(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    entries.write(str(folder), "name", HEADER, CODE)
    path = folder / "name.code"
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(whole[:place])
    else:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert entries.read(str(folder), "name", ["1", "cpu"]) is None
    assert not path.exists()


def test_an_entry_of_other_versions_is_removed(folder):
    entries.write(folder, "name", HEADER, CODE)
    assert entries.read(folder, "name", ["2", "cpu"]) is None
    assert os.listdir(folder) == []


@posix
@pytest.mark.parametrize("what", ["folder", "file", "link"])
def test_nothing_is_read_that_others_can_write(folder, what, tmp_path_factory):
    entries.write(folder, "name", HEADER, CODE)
    path = os.path.join(folder, "name.code")
    if what == "link":  # whose own permissions say nothing
        other = tmp_path_factory.mktemp("other") / "name.code"
        os.replace(path, other)
        other.chmod(0o666)
        os.symlink(other, path)
    else:
        os.chmod(folder if what == "folder" else path, 0o777)
    assert entries.read(folder, "name", ["1", "cpu"]) is None


@posix
def test_a_folder_that_others_can_write_to_gets_no_entries(folder):
    os.chmod(folder, 0o777)
    with pytest.raises(PermissionError):
        entries.make_folder(folder)


def test_a_failed_write_leaves_nothing(folder, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        entries.write(folder, "name", HEADER, CODE)
    assert os.listdir(folder) == []


def test_the_oldest_files_are_pruned_but_no_young_ones(folder):
    def make(name, age, size=10):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(b"x" * size)
        os.utime(path, (time.time() - age, time.time() - age))

    day = 86400
    for name, age in (("a.code", 3 * day), ("b.py", 2 * day), ("c.code", day), ("d.code", 1)):
        make(name, age)
    make("left.tmp", day, 0)
    make("users.txt", 9 * day, 1000)
    entries.touch(os.path.join(folder, "a.code"))  # used now
    entries.prune([folder, folder + "/none"], 30)
    assert sorted(os.listdir(folder)) == ["a.code", "c.code", "d.code", "users.txt"]
    entries.prune([folder], 0)
    assert sorted(os.listdir(folder)) == ["a.code", "d.code", "users.txt"]


def test_one_at_a_time(folder):
    inside = []

    def work(_):
        with entries.alone(folder, "name"):
            inside.append(1)
            time.sleep(0.01)
            assert len(inside) == 1 or not entries_have_locks()
            inside.pop()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(8)))
    assert not [name for name in os.listdir(folder) if name.endswith(".code")]


def entries_have_locks():
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return False
    return True


# -- the worker ------------------------------------------------------------------------------------


@pytest.fixture
def worker():
    worker = Worker()
    worker.start()
    yield worker
    worker.close()
    assert not worker.alive()


def request(folder, text):
    versions = jitted.made_with()
    name = entries.digest(text, versions)
    return {"name": name, "text": text, "folder": folder, "limit": 1 << 30}


PART = "@njit('f8(f8)')\ndef twice(x):\n    return {value} * x\n"


def test_a_worker_makes_entries_once(worker, folder):
    asked = request(folder, PART.format(value="2.0"))
    assert worker.ask(asked) == {"made": True}
    assert worker.ask(asked) == {"made": False}
    found = entries.read(folder, asked["name"], jitted.made_with())
    assert found is not None
    assert jitted.load_part(asked["text"], asked["name"], found[1])["twice"](4.0) == 8.0
    assert sorted(os.listdir(folder)) == [asked["name"] + ".code"]


def test_a_worker_says_why_it_failed_and_goes_on(worker, folder):
    with pytest.raises(WorkerError, match=r"TypingError(.|\n)*nothing"):
        worker.ask(request(folder, PART.format(value="nothing")))
    with pytest.raises(WorkerError, match="other versions"):
        worker.ask({**request(folder, PART.format(value="2.0")), "name": "other"})
    assert worker.ask(request(folder, "print('on stdout')\n" + PART.format(value="3.0")))["made"]


def test_the_last_words_of_a_worker_that_crashed(worker, folder):
    crash = "import os\nos.write(2, b'illegal instruction')\nos.abort()\n"
    with pytest.raises(WorkerError, match=r"crashed.*illegal instruction"):
        worker.ask(request(folder, crash))
    assert not worker.alive()


def test_a_worker_that_takes_too_long_is_ended(worker, folder, monkeypatch):
    monkeypatch.setattr(process, "TIMEOUT", 0.5)
    with pytest.raises(WorkerError, match="took more than"):
        worker.ask(request(folder, "import time\ntime.sleep(60)\n"))


@posix
def test_a_worker_gets_nothing_that_is_open_here(folder):
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    text = f"import os\nos.write({writing}, b'x')\n"
    worker = Worker()
    worker.start()
    try:
        with pytest.raises(WorkerError, match="Bad file descriptor"):
            worker.ask(request(folder, text))
    finally:
        worker.close()
        os.close(reading)
        os.close(writing)


def test_a_worker_ends_with_its_caller_in_the_middle_of_a_request(folder):
    script = textwrap.dedent(
        """
        import os, sys, threading, time
        from tracejit.codegen import entries, jitted
        from tracejit.codegen.process import Worker
        folder = sys.argv[1]
        text = f"open('{folder}/begun', 'w').close(); import time; time.sleep(600)"
        name = entries.digest(text, jitted.made_with())
        worker = Worker()
        worker.start()
        print(worker._process.pid, flush=True)
        sent = {"name": name, "text": text, "folder": folder, "limit": 0}
        threading.Thread(target=worker.ask, args=(sent,)).start()
        while not os.path.exists(f"{folder}/begun"):
            time.sleep(0.01)
        os._exit(0)
        """
    )
    out = subprocess.run([sys.executable, "-c", script, folder], capture_output=True, text=True)
    wait_for_end(int(out.stdout))


def test_many_processes_make_one_entry(folder):
    asked = request(folder, PART.format(value="5.0"))
    workers = [Worker() for _ in range(4)]
    answers = []

    def ask(worker):
        worker.start()
        answers.append(worker.ask(asked)["made"])
        worker.close()

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4 and any(answers)
    if entries_have_locks():
        assert sum(answers) == 1
    assert entries.read(folder, asked["name"], jitted.made_with()) is not None


@pytest.mark.parametrize("name", ["", "/opt/host", "/usr/bin/blender"])
def test_only_python_is_started(monkeypatch, name):
    monkeypatch.setattr(sys, "executable", name)
    with pytest.raises(WorkerError, match="no Python interpreter"):
        Worker().start()


def test_the_users_settings_of_threads_and_prompts_are_not_the_workers(monkeypatch):
    monkeypatch.setenv("PYTHONINSPECT", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    environment = process._environment()
    assert "PYTHONINSPECT" not in environment and environment["OMP_NUM_THREADS"] == "1"


def test_the_worker_finds_the_standard_library():
    folder = os.path.dirname(process.__file__)  # where it looks first, as it is run as a file
    names = {name.removesuffix(".py") for name in os.listdir(folder)}
    assert names.isdisjoint(sys.stdlib_module_names)
