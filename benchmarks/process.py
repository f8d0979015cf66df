"""The other end of a worker: start it, tell it what to do, wait for its answer.

Every worker gets an empty cache folder of its own: nothing is left over from an earlier run, and
nothing is left behind.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class WorkerError(Exception):
    """A worker could not do what it was told; the message is its traceback."""


class Worker:
    """One contender of one case in a process of its own, asleep unless told to do something."""

    def __init__(self, case: str, contender: str) -> None:
        """Start the process and wait until it has imported everything."""
        self._cache = tempfile.TemporaryDirectory(prefix="tracejit-bench-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", case, contender],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "TRACEJIT_CACHE_DIR": self._cache.name},
            text=True,
        )
        try:
            self.do("ready")
        except WorkerError:
            self.close()
            raise

    def do(self, command: str, **options: Any) -> Any:
        """Have a command carried out (a method of `worker.Commands`) and return its value."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": command, **options}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(f"the worker ended with exit status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        """End the process and remove its cache folder."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._cache.cleanup()

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
