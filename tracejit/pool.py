"""The pool: sets of buffers that compiled code computes in, used again at every call.

A set is what the emitted `allocate` makes: typed views of a few byte slabs. Each call takes a set
that no other call holds and gives it back; a call that fails keeps its set, which is then freed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Slots = tuple[Any, ...]


class PoolStats(NamedTuple):
    """made: sets allocated so far. free: sets waiting. nbytes: bytes of slabs in one set."""

    made: int
    free: int
    nbytes: int


class Pool:
    """The buffer sets of one compiled function, at most `limit` of them kept."""

    __slots__ = ("_allocate", "_free", "_made", "limit", "nbytes")

    def __init__(self, allocate: Callable[[], Slots], nbytes: int, limit: int = 16) -> None:
        self._allocate = allocate
        self._free: list[Slots] = []
        self._made = 0
        self.nbytes = nbytes
        self.limit = limit

    def lend(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give a function a set as `slots` in each call, written out for the sake of speed."""
        free, make, limit = self._free, self._make, self.limit
        pop, append = free.pop, free.append

        def run(*args: Any) -> Any:
            try:
                slots = pop()  # atomic: no two threads get the same set
            except IndexError:
                slots = make()
            result = function(*args, slots=slots)
            if len(free) < limit:
                append(slots)
            return result

        return run

    def _make(self) -> Slots:
        self._made += 1
        return self._allocate()

    def release(self) -> None:
        """Free the sets that wait: calls are answered by another function from now on, mostly."""
        self._free.clear()

    def stats(self) -> PoolStats:
        """Say what the pool holds."""
        return PoolStats(self._made, len(self._free), self.nbytes)
