"""One graph's way to machine code: what is asked of the service (machine.py), what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .compile import Compiled
from .emit import Emitted

LONGEST = 500  # characters of a reason; Numba's can fill pages


class Job:
    """A request and its state.

    make: writes the module for the numba target. hint: that of the module that it replaces.
    cached_only: do not compile. refund: called at the end if nothing was compiled for it.
    pinned: somebody waits for it, so it is never dropped.
    state: "waiting", "compiling", then one of "ready", "failed", "pointless" (nothing in it is
    worth machine code), "absent" (not on disk, and cached_only), "dropped" (nobody wanted it any
    more). reason: why there is none. origin: where its code came from. seconds: what compiling each
    function took. wanted_at: when it was asked for last.
    """

    __slots__ = (
        "__weakref__", "cached_only", "compiled", "done", "form", "hint", "make", "origin",
        "pinned", "reason", "refund", "seconds", "state", "wanted_at",
    )  # fmt: skip

    def __init__(
        self, make: Callable[[], Emitted], hint: str, cached_only: bool = False,
        refund: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.make: Callable[[], Emitted] | None = make
        self.hint = hint
        self.cached_only = cached_only
        self.compiled = False
        self.refund = refund
        self.pinned = False
        self.done = threading.Event()
        self.form: Compiled | None = None
        self.origin = ""
        self.reason = ""
        self.seconds: dict[str, float] = {}
        self.state = "waiting"
        self.wanted_at = time.monotonic()

    @property
    def pending(self) -> bool:
        """Whether it may still become ready by itself."""
        return self.state in ("waiting", "compiling")

    def end(self, state: str, reason: str = "") -> None:
        """Come to an end; what the graph was is given up."""
        self.reason = " ".join(reason.split())[:LONGEST]
        self.make = None
        if not self.compiled:
            self.refund()
        self.state = state
        self.done.set()

    def reject(self, reason: str) -> None:
        """Give up code that was made and found to be not good enough."""
        self.reason = reason
        self.state = "failed"
