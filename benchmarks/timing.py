"""Time a step inside its own process: calls in a loop, the first calls, how many fill a round."""

import math
from itertools import repeat
from time import perf_counter

from benchmarks.contenders import Step

PROBE_SECONDS = 0.02  # a measurement shorter than this says little about the next one


def seconds_for(step: Step, calls: int) -> float:
    """Time so many calls in a row."""
    call, args = step.call, step.args
    call(*args)  # after the rest before a round: wakes BLAS threads, refills the caches
    started = perf_counter()
    for _ in repeat(None, calls):
        call(*args)
    return perf_counter() - started


def calls_within(step: Step, seconds: float) -> int:
    """Find how many calls fill so much time, warming the step up on the way."""
    calls = 1
    while (taken := seconds_for(step, calls)) < min(PROBE_SECONDS, seconds):
        calls *= 2
    return max(1, math.ceil(calls * seconds / taken))
