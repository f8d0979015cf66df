"""Time the contenders of a case against each other, each in its own process, in turns.

In one process their thread pools would fight, and one after the other they would meet different
moods of the machine. So: all processes are started, watched on their way to full speed and checked
first, then asleep but for one. The rest before a round lets BLAS threads, which spin for a while
after a product, go to sleep too.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from benchmarks.contenders import CONTENDERS
from benchmarks.process import Worker, WorkerError

REST_SECONDS = 0.1
SLOW_CALL = 0.25  # seconds from which on a contender takes part in few rounds
FEW_ROUNDS = 5
SPED_UP = 1.5  # what is faster than its final speed by this was not watched long enough
SLOW_START = 2.0  # seconds from which on one sample of the first calls has to do


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    round_seconds: float
    fresh_processes: int  # samples of what can be measured only once a process
    settle_seconds: float  # what full speed is looked for in, at the least
    limit_seconds: float  # what a contender may take to come to full speed
    peers_cached: bool  # whether peers are started again with a filled cache, too
    leaves_out: tuple[str, ...] = ()  # contenders that take too long to start


FULL = Effort(
    25,
    0.075,
    fresh_processes=3,
    settle_seconds=1.0,
    limit_seconds=300.0,
    peers_cached=True,
)
QUICK = Effort(
    5,
    0.03,
    fresh_processes=1,
    settle_seconds=0.3,
    limit_seconds=60.0,
    peers_cached=False,
    leaves_out=("torch-compile",),
)

Start = dict[str, float | None]


@dataclass(slots=True)
class Timings:
    """What came of one case, by contender.

    Seconds a call of each round, None where it rested; its start from nothing and with a filled
    cache; remarks; and the reasons of those that failed or lack the case.
    """

    seconds: dict[str, list[float | None]] = field(default_factory=dict)
    starts: dict[str, Start] = field(default_factory=dict)
    cached_starts: dict[str, Start] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)

    def measured(self, contender: str) -> list[float]:
        """List the rounds in which a contender took part."""
        return [s for s in self.seconds.get(contender, ()) if s is not None]

    def typical(self, contender: str) -> float | None:
        """Take the median over the rounds."""
        found = self.measured(contender)
        return median(found) if found else None

    def spread(self, contender: str) -> tuple[float, float]:
        """Give the first and the third quartile over the rounds."""
        found = self.measured(contender)
        if len(found) < 2:
            return found[0], found[0]
        first, _, third = quantiles(found, n=4, method="inclusive")
        return first, third

    def ratio(self, contender: str, to: str) -> float | None:
        """Compare two contenders round by round, so that what slows both cancels; the median."""
        pairs = zip(self.seconds.get(contender, ()), self.seconds.get(to, ()), strict=False)
        found = [one / other for one, other in pairs if one is not None and other is not None]
        return median(found) if found else None


def compete(
    case: str, contenders: list[str], effort: Effort, tell: Callable[[str], None]
) -> Timings:
    """Check and time contenders on a case; one that fails is left out, with the reason."""
    timings = Timings()
    calls: dict[str, int] = {}
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for name in contenders:
            tell(f"{case}: {name} starts")
            try:
                worker = stack.enter_context(Worker(case, name))
                prepare(worker, case, name, effort, timings)
                time.sleep(REST_SECONDS)
                calls[name] = worker.do("calls_within", seconds=effort.round_seconds)
                workers[name] = worker
            except WorkerError as error:
                timings.failures[name] = str(error)
                timings.starts.pop(name, None)
                timings.cached_starts.pop(name, None)
        tell(f"{case}: rounds")
        take_turns(workers, calls, effort, timings)
    for name, start in timings.starts.items():
        typical, final = timings.typical(name), start["final"]
        if typical and final and final > SPED_UP * typical:
            remark = f"full speed was taken for {1e6 * final:,.1f} us, but there was more to come"
            timings.remarks.setdefault(name, []).append(remark)
    return timings


def prepare(worker: Worker, case: str, name: str, effort: Effort, timings: Timings) -> None:
    """Watch a contender start, once or more often, and check its results."""
    contender, limit = CONTENDERS[name], effort.limit_seconds
    watched: dict[str, Any] = {"settle_seconds": effort.settle_seconds, "limit": limit}
    if contender.starts:
        start = {"import": worker.import_seconds, **worker.do("start", **watched)}
        timings.starts[name] = start
    if remarks := worker.do("check", limit=limit):
        timings.remarks[name] = remarks
    if not contender.starts:
        return
    if contender.caches and (contender.exact or effort.peers_cached):
        with Worker(case, name, cache=worker.cache) as second:
            timings.cached_starts[name] = {
                "import": second.import_seconds,
                **second.do("start", **watched),
            }
    samples = [start["first_two"]]
    while len(samples) < effort.fresh_processes and samples[0] < SLOW_START:
        with Worker(case, name) as fresh:
            time.sleep(REST_SECONDS)
            samples.append(fresh.do("first_calls", calls=2))
    start["first_two"] = median(samples)


def take_turns(
    workers: dict[str, Worker], calls: dict[str, int], effort: Effort, timings: Timings
) -> None:
    """Time all workers, round by round."""
    seconds = timings.seconds = {name: [] for name in workers}
    rare = max(1, effort.rounds // FEW_ROUNDS)
    for i in range(effort.rounds):
        # Forth and back, so that nobody always follows the same neighbour.
        for name in list(workers)[:: -1 if i % 2 else 1]:
            if i % rare and max(s or 0.0 for s in seconds[name]) > SLOW_CALL:
                seconds[name].append(None)
                continue
            time.sleep(REST_SECONDS)
            try:
                taken = workers[name].do("seconds_for", calls=calls[name])
                seconds[name].append(taken / calls[name])
            except WorkerError as error:
                timings.failures[name] = str(error)
                del workers[name], seconds[name]
