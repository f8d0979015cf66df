"""Watch a step from its first call on, inside its own process, until it runs at its final speed.

Nothing may have been called before. Calls are timed in batches of a few milliseconds. The final
speed is the median of the last batches, made when nothing was pending; full speed is reached where
a few batches in a row first come near it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from statistics import median
from threading import Thread
from time import perf_counter

from benchmarks import memory
from benchmarks.contenders import Step, nothing_pending

BATCH_SECONDS = 0.002
WINDOW = 5  # batches in a row whose median has to come near the final speed
NEAR = 1.25
PATIENCE = 120.0  # seconds after which what is still pending is no longer waited for


@dataclass(slots=True)
class Watch:
    """Batches of calls: when each ended, in seconds after the start, and its seconds a call."""

    step: Step
    began: float
    ends: list[float] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    batch: int = 1

    def call(self) -> None:
        """Make one batch of calls; the next is larger or smaller, to take about as long as due."""
        function, args = self.step.call, self.step.args
        before = perf_counter()
        for _ in repeat(None, self.batch):
            function(*args)
        now = perf_counter()
        self.ends.append(now - self.began)
        self.speeds.append((now - before) / self.batch)
        if now - before < BATCH_SECONDS:
            self.batch *= 2
        elif now - before > 4 * BATCH_SECONDS:
            self.batch = max(1, self.batch // 4)

    def call_for(self, seconds: float) -> None:
        """Make batches for so long, and at least one window of them."""
        least, until = len(self.ends) + WINDOW, perf_counter() + seconds
        while perf_counter() < until or len(self.ends) < least:
            self.call()

    def call_while_pending(self) -> bool:
        """Make batches as long as something is being compiled; tell whether anything was."""
        waiting = Thread(target=self.step.wait, daemon=True)
        waiting.start()
        waiting.join(BATCH_SECONDS)
        was_pending = waiting.is_alive()
        until = perf_counter() + PATIENCE
        while waiting.is_alive() and perf_counter() < until:
            self.call()
        return was_pending


def watch(prepare: Callable[[], Step], settle_seconds: float) -> dict[str, float | None]:
    """Time the first two calls and the way to full speed; measure the memory that this took."""
    baseline = memory.reset_peak()
    began = perf_counter()
    log = Watch(prepare(), began)
    log.call()
    log.batch = 1
    log.call()
    first_two = log.ends[-1]
    log.call_for(settle_seconds)
    while log.step.wait is not nothing_pending and log.call_while_pending():
        log.call_for(settle_seconds / 2)
    last = len(log.ends)
    log.call_for(settle_seconds / 2)
    peak = memory.peak_bytes()
    final = median(log.speeds[last:])
    return {
        "first_two": first_two,
        "full_speed": reached(log.ends, log.speeds, final),
        "final": final,
        "memory": None if baseline is None or peak is None else peak - baseline,
    }


def reached(ends: list[float], speeds: list[float], final: float) -> float:
    """Find when calls began to take about as long as they did in the end."""
    for i in range(len(speeds)):
        if median(speeds[i : i + WINDOW]) <= NEAR * final and speeds[i] <= NEAR * final:
            return ends[i - 1] if i else 0.0
    return ends[-1]
