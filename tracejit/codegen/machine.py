"""The machine code service: makes compiled forms in the background, while calls are answered.

A `Job` is given to it; emitted, looked up on disk, else compiled by a worker process (worker.py),
and loaded. No call waits for any of this, and no lock that calls take is held meanwhile. One
service a process: what a fork leaves in the child is forgotten there, and at exit the worker ends.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401  (these two add to what a fork does, and must not
import logging  # noqa: F401   be imported by a thread while another one forks)
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from ..config import settings
from . import entries, targets
from .compile import load_driver
from .emit import Emitted
from .hints import folder, forget, remember
from .job import Job
from .parts import Parts, take_apart
from .process import Worker, WorkerError

FORGOTTEN = 10.0  # seconds after the last call that wanted it: a waiting job is dropped
IDLE = 30.0  # seconds without a job, after which the worker ends
MANY_CRASHES = 3  # of workers, one after another; then none is started any more
BRISK = 0.0005  # seconds; see `_Brisk`
PATIENCE = 5.0  # seconds that a fork or the exit waits for an import or a load to end


class Part:
    """A machine part that was loaded; equal ones are loaded once. Lives as long as its users."""

    __slots__ = ("__weakref__", "functions", "seconds")

    def __init__(self, functions: dict[str, Any], header: entries.Header) -> None:
        self.functions = functions
        self.seconds = {name: seconds for name, seconds, _ in header.functions}


class _Brisk:
    """Let the interpreter switch threads sooner while something is made in the background.

    After each file that it reads, an import waits for the interpreter, 5 ms where a thread computes
    all the time: importing Numba would take seconds, and disturb the calls as long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._before = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._count == 0:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(BRISK, self._before))
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                sys.setswitchinterval(self._before)

    def end(self) -> None:
        """Set the interval back, where the threads that would do so are gone."""
        if self._count:
            sys.setswitchinterval(self._before)


class Service:
    """The threads, the queues, and the workers of this process."""

    def __init__(self) -> None:
        self.brisk = _Brisk()
        self.busy = threading.Lock()  # held where neither a fork nor the exit may come in between,
        self.spawning = threading.Lock()  # and where no fork may: what is open would stay open
        self.jobs: WeakSet[Job] = WeakSet()
        self.compiled = 0  # by workers, for this process
        self._crashes = 0
        self._failures: dict[str, str] = {}  # by entry
        self._parts: WeakValueDictionary[str, Part] = WeakValueDictionary()
        self._prepare: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._compile: queue.SimpleQueue[tuple[Job, Emitted, Parts, str] | None] = (
            queue.SimpleQueue()
        )
        self._starting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._workers: list[Worker] = []
        self._started = False
        self.closed = ""  # why nothing is done any more

    def submit(self, job: Job) -> Job:
        """Let a job be done in the background."""
        with self._starting:
            if not self._started:
                self._started = True
                atexit.register(self.close)
                try:
                    for target in [self._preparing, *[self._compiling] * settings.workers]:
                        self._start(target)
                except RuntimeError as error:  # there are too many threads, or the process ends
                    self.closed = str(error)
            if self.closed:
                job.end("failed", self.closed)
                return job
            self.jobs.add(job)
        self._prepare.put(job)
        if settings.workers and not job.cached_only:
            self._compile.put(None)  # a worker starts while the job is prepared
        return job

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name="tracejit machine code", daemon=True)
        thread.start()
        self._threads.append(thread)

    # -- the threads -------------------------------------------------------------------------

    def _preparing(self) -> None:
        while True:
            job = self._prepare.get()
            self._guarded(job, self._begin)
            del job

    def _compiling(self) -> None:
        worker: Worker | None = None
        while True:
            try:
                item = self._compile.get(timeout=IDLE if worker else None)
            except queue.Empty:
                worker = self._ended(worker)
                continue
            if worker is not None and not worker.alive():  # somebody has ended it
                worker = self._ended(worker)
            if worker is None:
                worker = Worker()
                self._workers.append(worker)
            if item is None:
                with suppress(WorkerError, OSError):
                    self._start_worker(worker)
                continue
            job, emitted, parts, name = item
            self._guarded(job, self._compile_with, worker, emitted, parts, name)
            if not worker.alive():
                worker = self._ended(worker)
            del item, job, emitted, parts

    def _start_worker(self, worker: Worker) -> None:
        with self.spawning:
            worker.start()

    def _ended(self, worker: Worker | None) -> Worker | None:
        if worker is not None:
            worker.close()
            self._workers.remove(worker)
        return None

    def _guarded(self, job: Job, step: Callable[..., None], *parts: Any) -> None:
        """Take a step of a job; whatever goes wrong is the job's end, not the thread's."""
        try:
            if job.pending:
                step(job, *parts)
        except BaseException as error:
            job.end("failed", f"{type(error).__name__}: {error}")

    # -- the steps ---------------------------------------------------------------------------

    def _begin(self, job: Job) -> None:
        if self._drops(job):
            return
        with self.brisk:
            self._prepared(job)

    def _prepared(self, job: Job) -> None:
        assert job.make is not None
        with self.busy:
            _set_up()
        emitted = job.make()
        if not emitted.machine:
            job.end("pointless", emitted.refused)
            return
        from . import jitted

        parts = take_apart(emitted.text)
        if jitted.disabled():
            job.end("failed", "NUMBA_DISABLE_JIT is set")
            return
        name = entries.digest(parts.machine, jitted.made_with())
        if name in self._failures:
            job.end("failed", self._failures[name])
        elif self._load(job, emitted, parts, name, "loaded from disk"):
            return
        elif job.cached_only:
            forget(job.hint)
            job.end("absent")
        elif settings.workers == 0:
            self._compile_here(job, emitted, parts, name)
        else:
            self._compile.put((job, emitted, parts, name))

    def _drops(self, job: Job) -> bool:
        gone = not job.pinned and time.monotonic() - job.wanted_at > FORGOTTEN
        if gone:
            job.end("dropped")
        return gone

    def _compile_with(
        self, job: Job, worker: Worker, emitted: Emitted, parts: Parts, name: str
    ) -> None:
        if self._drops(job):
            return
        if self._crashes >= MANY_CRASHES:
            job.end("failed", f"{MANY_CRASHES} workers in a row have crashed")
            return
        job.state = "compiling"
        request = {
            "name": name, "text": parts.machine, "folder": folder(), "limit": settings.cache_bytes,
        }  # fmt: skip
        for again in (True, False):  # an entry may go before it is loaded: damaged, or pruned
            try:
                self._start_worker(worker)
                made = worker.ask(request)["made"]
            except WorkerError as error:
                job.compiled = True
                self._crashes += not worker.alive()
                self._failures[name] = str(error)
                job.end("failed", str(error))
                return
            self._crashes = 0
            self.compiled += made
            job.compiled |= made
            origin = "compiled by the worker" if made else "loaded from disk"
            if self._load(job, emitted, parts, name, origin):
                return
            if not again:
                job.end("failed", f"what the worker wrote cannot be loaded: {job.reason}")

    def _compile_here(self, job: Job, emitted: Emitted, parts: Parts, name: str) -> None:
        from . import jitted

        job.state = "compiling"
        job.compiled = True
        self.compiled += 1
        header, code = jitted.compile_part(parts.machine, name)
        with suppress(OSError):
            entries.make_folder(folder())
            entries.write(folder(), name, header, code)
        self._install(job, emitted, parts, name, (header, code), "compiled in this process")

    def _load(self, job: Job, emitted: Emitted, parts: Parts, name: str, origin: str) -> bool:
        """Finish a job with code from memory or disk; tell whether there was any."""
        part = self._parts.get(name)
        if part is not None:
            self._finish(job, emitted, parts, part, "shared with equal functions")
            return True
        from . import jitted

        found = entries.read(folder(), name, jitted.made_with())
        if found is None:
            return False
        try:
            self._install(job, emitted, parts, name, found, origin)
        except Exception as error:
            job.reason = f"{type(error).__name__}: {error}"
            entries.remove(folder(), name)
            return False
        return True

    def _install(
        self, job: Job, emitted: Emitted, parts: Parts, name: str,
        found: tuple[entries.Header, entries.Code], origin: str,
    ) -> None:  # fmt: skip
        from . import jitted

        with self.brisk, self.busy:
            functions = jitted.load_part(parts.machine, name, found[1])
        part = Part({n: functions[n] for n in parts.names}, found[0])
        self._parts[name] = part
        self._finish(job, emitted, parts, part, origin)

    def _finish(self, job: Job, emitted: Emitted, parts: Parts, part: Part, origin: str) -> None:
        job.form = load_driver(emitted, parts.driver, part.functions)
        job.form.part = part
        job.origin, job.seconds = origin, part.seconds
        remember(job.hint)
        job.end("ready")

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """End the workers, and let nothing be loaded while the process ends."""
        self.closed = "the process ends"
        if not self.busy.acquire(blocking=False):
            for thread in self._threads:
                _interrupt(thread)
            self.busy.acquire(timeout=PATIENCE)
        # It is never released: what runs in LLVM while that is torn down would crash.
        for worker in list(self._workers):
            worker.close()

    def abandon(self) -> None:
        """Give up everything, in the child of a fork: threads and workers are the parent's."""
        self.brisk.end()
        for worker in self._workers:
            worker.abandon()
        for job in list(self.jobs):
            if job.pending:
                job.end("dropped")


def _set_up() -> None:
    """Import and ask what takes locks: those are left behind by a fork while they are held."""
    import hashlib  # noqa: F401
    import json  # noqa: F401
    import subprocess  # noqa: F401
    import tempfile  # noqa: F401

    from . import jitted

    jitted.made_with()
    targets.find("numba")


def _interrupt(thread: threading.Thread) -> None:
    """Raise SystemExit in a thread, at its next step in Python."""
    import ctypes

    exit_there = getattr(ctypes.pythonapi, "PyThreadState_SetAsyncExc", None)
    if exit_there is not None and thread.ident is not None:
        exit_there(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))


_service = Service()


def service() -> Service:
    """The service of this process."""
    return _service


# -- forks -----------------------------------------------------------------------------------------


_held: list[threading.Lock] = []  # by the thread that forks


def _before_fork() -> None:
    locks = () if _service.closed else (_service.busy, _service.spawning)
    _held[:] = [lock for lock in locks if lock.acquire(timeout=PATIENCE)]


def _after_fork_in_parent() -> None:
    for lock in _held:
        lock.release()


def _after_fork_in_child() -> None:
    global _service
    old, _service = _service, Service()
    atexit.unregister(old.close)
    old.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
