"""The other end of a worker: start it, tell it what to do, wait for its answer.

A worker gets a cache folder of its own, empty unless another worker has filled it: nothing is left
over from an earlier run, and nothing is left behind. Usually it runs in this Python; BENCH_PYTHON
names others (`jax=/path/to/python,torch=...`, by contender or package).
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

from benchmarks.contenders import CONTENDERS

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = "BENCH_PYTHON"
CLOSING_SECONDS = 10.0
LONGEST_SECONDS = 3600.0
GIVEN_UP = "given up"  # what the message about a worker that took too long ends with


class WorkerError(Exception):
    """A worker could not do what it was told; the message is its traceback."""


def interpreter(contender: str) -> str:
    """Find the Python in which a contender runs."""
    named = dict(pair.split("=", 1) for pair in os.environ.get(PYTHONS, "").split(",") if pair)
    package = CONTENDERS[contender].package
    return named.get(contender) or named.get(package) or sys.executable


@cache
def installed(python: str) -> dict[str, Any]:
    """Ask a Python for the versions of itself and of the packages that contenders need."""
    command = [python, "-m", "benchmarks.installed"]
    found: dict[str, Any] = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    return found


def version(contender: str) -> str | None:
    """Name the version of a contender's package; None if it is not there."""
    found: str | None = installed(interpreter(contender))[CONTENDERS[contender].package]
    return found


class Worker:
    """One contender of one case in a process of its own, asleep unless told to do something."""

    def __init__(self, case: str, contender: str, cache: Path | None = None) -> None:
        """Start the process, and wait until it has imported everything; `cache` is kept."""
        self._own_cache = None if cache else tempfile.TemporaryDirectory(prefix="tracejit-bench-")
        self.cache = cache or Path(self._own_cache.name if self._own_cache else "")
        self._process = subprocess.Popen(
            [interpreter(contender), "-m", "benchmarks.worker", case, contender],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **cache_settings(self.cache)},
            text=True,
        )
        try:
            self.import_seconds: float = self.do("ready")
        except WorkerError:
            self.close()
            raise

    def do(self, command: str, limit: float = LONGEST_SECONDS, **options: Any) -> Any:
        """Have a command carried out (a method of `worker.Commands`) and return its value.

        A process that takes longer than so many seconds is ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = Timer(limit, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps({"do": command, **options}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            too_long = not timer.is_alive()
            timer.cancel()
        if not line:
            status = self._process.wait()
            raise WorkerError(
                f"not done after {limit:g} s: {GIVEN_UP}"
                if too_long
                else f"the worker ended with exit status {status}"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End the process and remove its cache folder, if that was its own."""
        try:
            self._process.communicate(timeout=CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        if self._own_cache is not None:
            self._own_cache.cleanup()

    def __enter__(self) -> "Worker":
        """Enter a `with` statement, which ends the process when left."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()


def cache_settings(folder: Path) -> dict[str, str]:
    """Say in each library's own words where compiled code is kept; JAX keeps none by itself."""
    return {
        "TRACEJIT_CACHE_DIR": str(folder),
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "torch"),
    }
