"""The worker process as seen from the process that it works for: started, asked, ended.

It is a plain child that gets a pipe and nothing else that is open here, and it does not run the
user's script. It ends when its stdin does, so it never lives longer than this process.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from typing import Any

TIMEOUT = 120.0  # seconds for one request
LAST_WORDS = 2000  # bytes of stderr that an error message quotes from
GRACE = 1.0  # seconds to end by itself
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerError(Exception):
    """The worker could not do what it was asked for; the message says why."""


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        self._process: Any = None
        self._stderr: Any = None
        self._lock = threading.Lock()
        self._closed = False
        self._late = False

    def alive(self) -> bool:
        """Tell whether it can be asked (again)."""
        return self._process is None or self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        timer = threading.Timer(TIMEOUT, self._expire)
        timer.daemon = True
        timer.start()
        try:
            _send(self._process, request)
            line = self._process.stdout.readline()
        except OSError as error:
            raise WorkerError(f"the worker cannot be reached: {error}") from None
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            why = f"took more than {TIMEOUT:.0f} s" if self._late else "crashed"
            raise WorkerError(f"the worker {why}{self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def start(self) -> None:
        """Start it, if that has not been done."""
        import subprocess
        import tempfile

        with self._lock:
            if self._closed:
                raise WorkerError("this process ends")
            if self._process is None:
                problem = _no_python()
                if problem:
                    raise WorkerError(problem)
                self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
                script = os.path.join(os.path.dirname(__file__), "worker.py")
                self._process = subprocess.Popen(
                    [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=self._stderr, bufsize=0, env=_environment(), **_apart(subprocess),
                )  # fmt: skip
                _send(self._process, {"path": [p for p in sys.path if isinstance(p, str)]})

    def _last_words(self) -> str:
        with suppress(Exception):
            self._process.wait(GRACE)
        code = self._process.poll()
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - LAST_WORDS))
        lines = self._stderr.read().decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f" (status {code}){': ' + said if said else ''}"

    def _expire(self) -> None:
        self._late = True
        self._process.kill()

    def close(self) -> None:
        """End it, and wait until it has ended."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is None:
            return
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(GRACE)
        except Exception:
            process.kill()
            process.wait()
        with suppress(OSError):
            process.stdout.close()
            self._stderr.close()

    def abandon(self) -> None:
        """Let go of it without a word, in the child of a fork."""
        if self._process is not None:
            self._process.returncode = 0  # it is no child of this process
            for file in (self._process.stdin, self._process.stdout, self._stderr):
                with suppress(OSError):
                    file.close()


def _send(process: Any, request: dict[str, Any]) -> None:
    rest = memoryview(json.dumps(request).encode() + b"\n")
    while rest:
        rest = rest[process.stdin.write(rest) :]


def _no_python() -> str | None:
    """Say why no worker can be started: a program with Python inside would start itself again."""
    name = os.path.basename(sys.executable or "").lower()
    if getattr(sys, "frozen", False) or not name.startswith(("python", "pypy")):
        return "there is no Python interpreter to start a worker with"
    return None


def _environment() -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONINSPECT"}
    return environment | dict.fromkeys(_THREADS, "1")


def _apart(subprocess: Any) -> dict[str, Any]:
    """Keep it out of the terminal's reach: Ctrl-C is not for it."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        return {"creationflags": flags}
    return {"start_new_session": True}
