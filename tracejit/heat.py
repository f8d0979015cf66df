"""How long a compiled form runs before it is looked at again: for audits, heat, and news.

The hot path only counts `calls_left` down. When that is used up, the slower path comes by here: the
time that the calls took is added up, which says whether machine code is worth its making (`hot`),
and new calls are granted.
"""

from __future__ import annotations

HOT_SECONDS = 0.02  # in one form; from then on a compilation in the background is worth while:
# what is called so often will be called again, and a second process finds the code on disk
FREE = 4  # signatures of a function that are compiled on these terms. Further ones have to have
COMPILE_SECONDS = 1.5  # taken this long, about what compiling takes: so ragged shapes, each of them
# called a few times, never take more time to compile than they took to run
POLL_SECONDS = 0.01  # of calls, after which it is asked whether the machine code is there
MOST_CALLS = 10**9  # granted at once


class Heat:
    """The account of one variant.

    calls_left: the calls that may be made until the next visit. seconds: what a call takes.
    spent: what all calls took that the numpy target answered. until_audit: calls.
    """

    __slots__ = ("_granted", "seconds", "spent", "until_audit")

    def __init__(self) -> None:
        self._granted: float = 0
        self.seconds = 0.0
        self.spent = 0.0
        self.until_audit: float = 0

    def settle(self, calls_left: float) -> None:
        """Book the calls that were made since the last grant."""
        calls = self._granted - max(calls_left, 0)
        self._granted = 0
        self.until_audit -= calls
        self.spent += calls * self.seconds

    def note(self, seconds: float) -> None:
        """Book a call that was timed."""
        self.seconds = min(seconds, self.seconds or seconds)  # the first one is slower than others
        self.spent += seconds
        self.until_audit -= 1

    def grant(self, patience: float | None) -> float:
        """Say how many calls may follow, if they are not to take longer than `patience`."""
        until = MOST_CALLS if patience is None else max(1.0, patience / max(self.seconds, 1e-9))
        self._granted = max(0.0, min(until, self.until_audit, MOST_CALLS))
        return self._granted


def price(compilations: int) -> float:
    """Say how long a form must have run to be compiled, where so many others have been."""
    return HOT_SECONDS if compilations < FREE else COMPILE_SECONDS
