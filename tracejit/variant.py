"""What was recorded of a function while all that it reads from outside stayed as it was.

A variant has a tree with a path for each way in which the function's branches on data have gone.
The numpy target compiles it. Machine code takes the place of that when it is there; it is asked for
(codegen/machine.py) when calls have taken so long that it is worth while (heat.py).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .cache import LOCK, Signature
from .codegen import hints, targets
from .codegen.compile import Compiled, load
from .codegen.emit import Emitted, emit
from .codegen.signature import checkable
from .config import has_numba, settings
from .dag.graph import Graph
from .dag.passes import optimize
from .dag.tree import busiest_guard, graft, paths
from .heat import HOT_SECONDS, POLL_SECONDS, Heat, price
from .outcome import Form, Run, form_of, seal, without_collection
from .trace import Recorder
from .trace.places import Places, Reader
from .trace.source import warn
from .tree import flatten

if TYPE_CHECKING:
    from .codegen.job import Job

SMALL_TREE = 2000  # nodes; compiled again as soon as it has a new path,
FEW_PATHS = 8  # up to so many; then as soon as recording again has cost a quarter of its nodes


class Account(Protocol):
    """What compiling the variants of one function has cost; see `Store`."""

    compilations: int

    def refund(self) -> None:
        """Take note of a job that came to its end without a compilation."""


class Variant:
    """What was recorded while everything that the function reads stayed the same.

    signature: that of the first call, without its values. tree: all recorded paths. stale: the
    compiled code lacks some of them. repeated: how many nodes were recorded again for want of
    compiling. repeats: a call whose compiled code raises runs again, directly: the function may
    handle the exception, or has written to arrays before it.
    compiled: what the numpy target made. sizes: how many nodes there were after each pass.
    job: the way to machine code (codegen/machine.py).
    trusted: a result of the machine code was compared with one of the numpy target's.
    released: the buffers of the numpy target were freed, when machine code took over.
    calls_left: compiled calls until `heat` wants to see it.
    """

    __slots__ = (
        "_read", "calls_left", "compiled", "form", "heat", "hint", "job", "optimized", "places",
        "released", "repeated", "repeats", "signature", "sizes", "stale", "tree", "trusted",
    )  # fmt: skip

    def __init__(
        self, places: Places, tree: Graph, form: Form, repeats: bool, signature: Signature
    ) -> None:
        self.calls_left: float = 0
        self.compiled: Compiled | None = None
        self.form = form
        self.heat = Heat()
        self.hint: str | None = None
        self.job: Job | None = None
        self.repeats = repeats
        self.optimized: Graph | None = None
        self.places = places
        self._read: Reader | None = None
        self.repeated = 0
        self.signature = signature.skeleton()
        self.sizes: list[tuple[str, int]] = []
        self.stale = True
        self.tree = tree
        self.trusted = False
        self.released = False

    @property
    def read(self) -> Reader:
        """What reads the captured inputs, or gives None where something else has changed."""
        if self._read is None:
            self._read = self.places.reader()
        return self._read

    def graft(self, result: Run, recorder: Recorder, name: str) -> str | None:
        """Add a recorded path to the tree; say why that cannot be done."""
        self.places.include(recorder.world.places)
        path = seal(result, recorder, name, self.places.inputs)
        if form_of(result) != self.form:
            return "what it returns has another structure when its branches go another way"
        tree = graft(self.tree, path)
        if tree is None:
            return "it does other things with the same inputs: it depends on something unseen"
        ways = paths(tree)
        if tree is self.tree:  # recorded once more, because the compiled code lacks it
            self.repeated += len(path.nodes)
        elif ways > settings.max_paths:
            return _too_many(tree)
        self.tree = tree
        self._read = None
        self.repeats |= repeats(result, recorder)
        size = tree.size()
        small = ways <= FEW_PATHS and size <= SMALL_TREE
        self.stale = self.stale or small or self.repeated >= size // 4
        return None

    def compile(self, audit: bool) -> Compiled:
        """Compile the tree with the numpy target, unless that has been done."""
        with LOCK:
            if self.compiled is None or self.stale:
                with without_collection():
                    self.sizes = [("recorded", self.tree.size())]
                    self.optimized = optimize(self.tree, note=self._note_size)
                    self.compiled = load(self.emit_for("numpy"))
                self.stale = False
                self.repeated = 0
                self.calls_left = 0
                self.heat = Heat()
                self.heat.until_audit = 0 if audit else float("inf")
                self.hint = self.job = None
                self.trusted = False
                self.released = False
            return self.compiled

    def _note_size(self, name: str, size: int) -> None:
        self.sizes.append((name, size))

    def emit_for(self, target: str) -> Emitted:
        """Write the module for a target."""
        assert self.optimized is not None
        upstream = self.form.wanted.partial
        return emit(self.optimized, self.signature, self.form, upstream, targets.find(target))

    # -- machine code ------------------------------------------------------------------------

    def choose(self, values: list[Any]) -> Compiled:
        """The form that is to answer a call with these values: machine code if it can."""
        assert self.compiled is not None
        job = self.job
        if job is None or job.state != "ready":
            return self.compiled
        form = job.form
        assert form is not None
        if checkable(self.signature):
            takes = form.accepts(*values)
        else:  # it leaves all checks to the signature, which does not have these two
            leaves: list[Any] = []
            flatten(values, leaves)
            takes = all(a.flags.behaved for a in leaves if type(a) is np.ndarray)
        return form if takes else self.compiled

    def settle(self) -> None:
        """Book the calls that were made; there are no further ones before the next grant."""
        self.heat.settle(self.calls_left)
        self.calls_left = 0

    def grant(self, seconds: float, form: Compiled, patience: float | None) -> None:
        """Let calls be made as one that has just taken so long; see `advance` for patience."""
        self.heat.note(seconds)
        if form is not self.compiled and not self.released:
            self.released = True
            if self.compiled is not None and self.compiled.pool is not None:
                self.compiled.pool.release()
        if form is self.compiled and self.job is not None and self.job.state == "ready":
            patience = POLL_SECONDS  # another call may suit the machine code
        self.calls_left = self.heat.grant(patience)

    def advance(self, account: Account, backend: str) -> float | None:
        """Come nearer to machine code, where that is worth while.

        Returns for how many seconds of calls there is nothing new to see; None: for ever.
        """
        if without_machine_code(backend) is not None:
            return None
        if backend == "numba" and (self.job is None or self.job.pending):
            self.hasten(account, wait=True)
            if self.job is not None and self.job.state == "failed":
                warn(f"{self.tree.name} stays on the numpy target: {self.job.reason}")
        job = self.job
        if job is not None and job.pending:
            job.wanted_at = time.monotonic()
            return POLL_SECONDS
        if job is not None and job.state not in ("absent", "dropped"):
            return None
        first = self.hint is None
        due = price(account.compilations)
        if self.heat.spent >= due:
            self._request(account)
        elif self._hinted() if first else job is None and self.heat.spent >= HOT_SECONDS:
            self._request(account, cached_only=True)
        elif job is None and due > HOT_SECONDS:
            return HOT_SECONDS - self.heat.spent
        else:
            return due - self.heat.spent
        return POLL_SECONDS

    def hasten(self, account: Account, wait: bool = False) -> Job | None:
        """Ask for machine code now, if it is not there; `wait` for it."""
        if self.job is None or self.job.state in ("absent", "dropped"):
            if not wait and price(account.compilations) > max(HOT_SECONDS, self.heat.spent):
                return None
            self._request(account)
        job = self.job
        assert job is not None
        job.pinned = True
        if wait:
            job.done.wait()
        return job

    def _hinted(self) -> bool:
        """Tell whether another process has loaded machine code for this, probably."""
        assert self.compiled is not None
        self.hint = hints.hint_of(self.compiled.emitted.text)
        return hints.hinted(self.hint)

    def _request(self, account: Account, cached_only: bool = False) -> None:
        from .codegen import machine  # brings in what only those need who compile
        from .codegen.job import Job

        if self.hint is None:
            self._hinted()
        assert self.hint is not None

        def make() -> Emitted:
            with without_collection():
                return self.emit_for("numba")

        with LOCK:
            account.compilations += 1
        job = Job(make, self.hint, cached_only, account.refund)
        self.job = machine.service().submit(job)

    # -- in words ----------------------------------------------------------------------------

    def explain(self, account: Account, backend: str) -> list[str]:
        """Say in lines how calls are answered, and why so."""
        count = paths(self.tree)
        ways = f", {count} paths" if count > 1 else ""
        compiled = self.compiled
        if compiled is None or self.optimized is None:
            return [f"recorded{ways}; compiled when it is called again"]
        counts = f"{self.tree.size()} nodes, {self.optimized.size()} optimised"
        buffers = f", buffers {compiled.pool.nbytes} bytes" if compiled.pool else ""
        lines = [f"numpy target: {counts}{ways}{buffers}: {compiled.path}"]
        sizes = ", ".join(f"{name} {size}" for name, size in self.sizes)
        lines.append(f"nodes after each pass: {sizes}")
        absent = without_machine_code(backend)
        return [*lines, f"numba target: {absent or self._explain_job(account)}"]

    def _explain_job(self, account: Account) -> str:
        job = self.job
        state = "absent" if job is None else job.state
        if job is None or state in ("absent", "dropped"):
            due = price(account.compilations)
            spent = f"calls have taken {self.heat.spent:.3g} s"
            if due > HOT_SECONDS:
                return (
                    f"no: {account.compilations} signatures of this function were compiled; for "
                    f"another one to be worth it, its calls have to take {due} s; {spent}"
                )
            return f"not yet: compiled when its calls have taken {due} s; {spent}"
        if job.form is None or state != "ready":
            reason = {
                "pointless": job.reason or "nothing in it is worth machine code",
                "waiting": "for the worker, which does one at a time",
            }.get(state, job.reason)
            return f"{state}: {reason}" if reason else state
        kernels = ", ".join(f"{name} {took:.2f} s" for name, took in job.seconds.items())
        return f"{job.origin} (to compile it took {kernels}): {job.form.path}"


def without_machine_code(backend: str) -> str | None:
    """Say why this process makes no machine code for a backend; None: it does."""
    if backend == "numpy":
        return "off: backend='numpy' was asked for"
    if not has_numba():
        return "Numba is not installed: pip install tracejit[fast]"
    if backend == "auto" and settings.workers == 0:
        return "TRACEJIT_WORKERS is 0"
    return None


def _too_many(tree: Graph) -> str:
    """Say where a function goes too many ways, and what to do."""
    guard = busiest_guard(tree)
    assert guard is not None
    if guard.attrs["kind"] == "index":
        return (
            f"the integer that is a count, a shape or an end of a slice at {guard.where} has had "
            f"too many values ({settings.max_paths} ways in all); slice outside and pass the part, "
            "index with an array, or set TRACEJIT_MAX_PATHS"
        )
    return (
        f"its branches on data have gone {settings.max_paths} ways, most often at {guard.where}; "
        "use np.where there, or set TRACEJIT_MAX_PATHS"
    )


def repeats(result: Run, recorder: Recorder) -> bool:
    """Tell whether a call is to be run again, directly, if its compiled code raises."""
    return recorder.world.handles or bool(result.writes)
