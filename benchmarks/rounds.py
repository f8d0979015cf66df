"""Time the contenders of a case against each other, each in its own process, in turns.

In one process their thread pools would fight, and one after the other they would meet different
moods of the machine. So: all processes are started and checked first, then asleep but for one.
The rest before a round lets BLAS threads, which spin for a while after a product, go to sleep too.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.process import Worker, WorkerError

REST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    round_seconds: float
    fresh_processes: int  # samples of what can be measured only once a process


FULL = Effort(rounds=25, round_seconds=0.075, fresh_processes=15)
QUICK = Effort(rounds=5, round_seconds=0.03, fresh_processes=5)


@dataclass(frozen=True, slots=True)
class Timings:
    """What came of one case: seconds a call by contender and round, and what failed."""

    seconds: dict[str, list[float]]
    failures: dict[str, str]

    def typical(self, contender: str) -> float | None:
        """Take the median over the rounds."""
        return median(self.seconds[contender]) if contender in self.seconds else None

    def spread(self, contender: str) -> tuple[float, float]:
        """Give the first and the third quartile over the rounds."""
        first, _, third = quantiles(self.seconds[contender], n=4, method="inclusive")
        return first, third

    def ratio(self, contender: str, to: str) -> float | None:
        """Compare two contenders round by round, so that what slows both cancels; the median."""
        if contender not in self.seconds or to not in self.seconds:
            return None
        pairs = zip(self.seconds[contender], self.seconds[to], strict=True)
        return median(one / other for one, other in pairs)


def compete(case: str, contenders: list[str], effort: Effort) -> Timings:
    """Check and time contenders on a case; one that fails is left out, with the reason."""
    failures: dict[str, str] = {}
    calls: dict[str, int] = {}
    workers: dict[str, Worker] = {}
    with ExitStack() as stack:
        for name in contenders:
            try:
                worker = stack.enter_context(Worker(case, name))
                worker.do("check")
                time.sleep(REST_SECONDS)
                calls[name] = worker.do("calls_within", seconds=effort.round_seconds)
                workers[name] = worker
            except WorkerError as error:
                failures[name] = str(error)
        seconds: dict[str, list[float]] = {name: [] for name in workers}
        for i in range(effort.rounds):
            # Forth and back, so that nobody always follows the same neighbour.
            for name in list(workers)[:: -1 if i % 2 else 1]:
                time.sleep(REST_SECONDS)
                try:
                    taken = workers[name].do("seconds_for", calls=calls[name])
                    seconds[name].append(taken / calls[name])
                except WorkerError as error:
                    failures[name] = str(error)
                    del workers[name], seconds[name]
    return Timings(seconds, failures)
