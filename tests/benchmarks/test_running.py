"""A small run from the command line on; how starts are watched and interpreters found."""

import itertools
import sys
from pathlib import Path

import pytest

from benchmarks import process, start, timing
from benchmarks.contenders import CONTENDERS, Step
from benchmarks.process import Worker, WorkerError
from benchmarks.results import read
from benchmarks.rounds import Effort, Timings

TINY = Effort(
    2, 0.005, fresh_processes=1, settle_seconds=0.02, limit_seconds=60.0, peers_cached=False
)


def test_a_run_from_the_command_line(tmp_path, monkeypatch, capsys):
    pytest.importorskip("tqdm")
    from benchmarks import __main__ as command

    monkeypatch.setattr(command, "QUICK", TINY)
    contenders = ["tracejit", "numpy", "floor"]
    options = ["--quick", "--case", "softmax", "--contender", *contenders, "--probe"]
    assert command.main([*options, "--output", str(tmp_path)]) == 0
    assert "softmax cross-entropy" in capsys.readouterr().out
    found = read(tmp_path / "results.json").cases["softmax"]
    assert list(found.seconds) == contenders
    assert all(len(found.measured(name)) == 2 for name in contenders)
    assert found.starts["tracejit"]["first_two"] > 0
    assert "tracejit" in found.cached_starts
    older = str(tmp_path / "results.json")
    assert command.main(["--read", older, "--compare", older, "--output", str(tmp_path)]) == 0
    assert "| softmax, tracejit |" in (tmp_path / "report.md").read_text()


def test_a_worker_that_takes_too_long_is_ended():
    with Worker("scalar", "numpy") as worker, pytest.raises(WorkerError, match="given up"):
        worker.do("seconds_for", calls=10**12, limit=0.5)


def test_an_error_in_a_worker_comes_back_as_its_traceback():
    with Worker("scalar", "numpy") as worker, pytest.raises(WorkerError, match="AttributeError"):
        worker.do("nothing_of_the_sort")


def test_a_contender_may_run_in_another_python(monkeypatch):
    monkeypatch.setenv(process.PYTHONS, "jax=/one/python,torch-compile=/two/python")
    assert process.interpreter("jax") == "/one/python"
    assert process.interpreter("jax-device") == "/one/python"  # of the same package
    assert process.interpreter("torch-compile") == "/two/python"
    assert process.interpreter("torch") == sys.executable


def test_versions_are_asked_for():
    found = process.installed(sys.executable)
    assert found["numpy"]
    assert found.keys() >= {contender.package for contender in CONTENDERS.values()}


def test_watching_a_start_ends_after_what_is_pending():
    finished = []

    def wait():
        finished.append(True)

    step = Step(lambda: None, (), lambda result: result, wait)
    found = start.watch(lambda: step, settle_seconds=0.02)
    assert finished
    assert 0 <= found["full_speed"] < 1
    assert found["final"] > 0


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ([1.0] * 8, 0.0),  # at once
        ([9.0, *[1.0] * 8], 1.0),  # after the first batch
        ([9.0, 5.0, 1.0, *[5.0] * 6, *[1.0] * 9], 9.0),  # one quick batch is none yet
        ([9.0, *[1.0] * 3, 9.0, *[1.0] * 8], 1.0),  # one slow batch does no harm
    ],
)
def test_full_speed_is_where_several_batches_come_near_the_final_one(speeds, expected):
    ends = [float(i + 1) for i in range(len(speeds))]
    assert start.reached(ends, speeds, final=1.0) == expected


def test_calls_fill_the_time_given():
    step = Step(lambda: sum(range(1000)), (), lambda result: result)
    assert timing.calls_within(step, 0.002) >= 1


def test_rounds_are_compared_pairwise_where_both_took_part():
    timings = Timings(seconds={"a": [1.0, None, 3.0], "b": [2.0, 5.0, 12.0]})
    assert timings.ratio("b", to="a") == 3.0
    assert timings.typical("a") == 2.0
    assert timings.ratio("c", to="a") is None
    assert timings.spread("b") == (3.5, 8.5)


def test_every_file_of_the_benchmarks_says_what_it_is():
    for path in Path(process.ROOT, "benchmarks").rglob("*.py"):
        assert path.read_text().lstrip().startswith('"""'), path
        assert len(list(itertools.islice(path.open(), 401))) <= 400, path
