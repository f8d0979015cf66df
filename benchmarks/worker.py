"""The process of one contender: `python -m benchmarks.worker CASE CONTENDER`.

Reads one command a line, as JSON, from standard input; answers each with one line of JSON; asleep
in between. The package is imported and the data are made at the start, but nothing is called
before a command says so. Other output, of whatever library, goes to standard error.
"""

import importlib
import json
import os
import sys
import traceback
from functools import cached_property
from time import perf_counter
from typing import Any

from benchmarks import case as cases
from benchmarks import memory, start, timing
from benchmarks.check import check, check_driven
from benchmarks.contenders import CONTENDERS, Step, driven


class Commands:
    """What a worker can be told to do; every method is a command."""

    def __init__(self, case: str, contender: str) -> None:
        """Load a case and import a contender's package."""
        self._case = cases.load(case)
        self._contender = CONTENDERS[contender]
        self._args = self._case.data()
        if self._case.drive is not None:
            importlib.import_module("scipy.optimize")
        started = perf_counter()
        importlib.import_module(self._contender.module or self._contender.package)
        self._import_seconds = perf_counter() - started

    @cached_property
    def _gradient(self) -> Step:
        return self._contender.prepare(self._case, self._args)

    @cached_property
    def _step(self) -> Step:
        drive = self._case.drive
        return self._gradient if drive is None else driven(drive, self._gradient)

    def ready(self) -> float:
        """Answer, once everything is imported, with the seconds that the package took."""
        return self._import_seconds

    def start(self, settle_seconds: float) -> dict[str, float | None]:
        """Watch the calls from the first to full speed; only the first command may be this one."""
        return start.watch(lambda: self._step, settle_seconds)

    def first_calls(self, calls: int) -> float:
        """Time preparing and the first calls together; only the first command may be this one."""
        started = perf_counter()
        for _ in range(calls):
            self._step.call(*self._step.args)
        return perf_counter() - started

    def check(self) -> list[str]:
        """Compare the results with those of the case; return remarks on what is right but other."""
        if not self._contender.computes:
            return []
        remarks = check(self._case, self._gradient)
        assert not (remarks and self._contender.exact), "; ".join(remarks)
        if self._case.drive is not None:
            check_driven(self._case, self._step)
        return remarks

    def calls_within(self, seconds: float) -> int:
        """Find how many calls fill so much time."""
        return timing.calls_within(self._step, seconds)

    def seconds_for(self, calls: int) -> float:
        """Time so many calls."""
        return timing.seconds_for(self._step, calls)

    def allocation(self) -> dict[str, int]:
        """Count the bytes that a call allocates."""
        return memory.allocation(self._step)

    def footprint(self, calls: int) -> int:
        """Count the bytes of a call; only the first command may be this one."""
        return memory.footprint(lambda: self._step, calls)

    def growth(self, calls: int) -> int | None:
        """Measure the growth of the process over so many calls."""
        return memory.growth(self._step, calls)


def serve(case: str, contender: str) -> None:
    """Answer commands until standard input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    commands: Commands | None = None
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        try:
            commands = commands or Commands(case, contender)
            answer = {"value": getattr(commands, command.pop("do"))(**command)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
