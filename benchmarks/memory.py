"""Count what calls allocate, and what the process needs for them, inside that process.

NumPy reports the data of every array to tracemalloc, in a domain of its own. Looked at after every
line, that tells the arrays of a call from the other objects, and what was made and dropped again
from what was returned.
"""

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable
from itertools import repeat
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.contenders import Step
from benchmarks.tree import leaves

WARM_CALLS = 100
ARRAYS = [tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)]


def allocation(step: Step) -> dict[str, int]:
    """Count the bytes that one call returns, allocates in arrays, and needs at most."""
    call, args = step.call, step.args
    for _ in repeat(None, WARM_CALLS):
        call(*args)
    gc.collect()
    tracemalloc.start()
    try:
        result = call(*args)
        del result
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        result = call(*args)
        peak = tracemalloc.get_traced_memory()[1] - before
        del result
        result, arrays = array_bytes(lambda: call(*args))
    finally:
        tracemalloc.stop()
    returned = sum(leaf.nbytes for leaf in leaves(result) if isinstance(leaf, np.ndarray))
    return {"returned": returned, "arrays": arrays, "peak": peak}


def array_bytes(call: Callable[[], Any]) -> tuple[Any, int]:
    """Call a function; add up, over all lines, the array data allocated there.

    A line counts with the most that was alive of it after any line. What a line makes and drops
    itself goes unseen here, and shows in the peak.
    """
    most: dict[tuple[str, int], int] = {}

    def look(frame: FrameType, event: str, argument: Any) -> Any:
        snapshot = tracemalloc.take_snapshot().filter_traces(ARRAYS)
        for made in snapshot.statistics("lineno"):
            place = made.traceback[0]
            key = place.filename, place.lineno
            most[key] = max(most.get(key, 0), made.size)
        return look

    before = tracemalloc.take_snapshot().filter_traces(ARRAYS)
    sys.settrace(look)
    try:
        result = call()
    finally:
        sys.settrace(None)
    look(sys._getframe(), "return", None)
    return result, sum(most.values()) - sum(old.size for old in before.statistics("lineno"))


def footprint(prepare: Callable[[], Step], calls: int) -> int:
    """Count the bytes of the arrays held after so many calls, and of all that one call needs.

    Nothing may have been prepared before; what a library allocates by itself goes unseen.
    """
    tracemalloc.start()
    try:
        step = prepare()
        call, args = step.call, step.args
        for _ in repeat(None, calls):
            call(*args)
        step.wait()
        for _ in repeat(None, calls):
            call(*args)
        gc.collect()
        traces = tracemalloc.take_snapshot().filter_traces(ARRAYS)
        held = sum(made.size for made in traces.statistics("filename"))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call(*args)
        return held + tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def growth(step: Step, calls: int) -> int | None:
    """Measure by how many bytes the process grows over so many calls."""
    call, args = step.call, step.args
    for _ in repeat(None, WARM_CALLS):
        call(*args)
    step.wait()  # what a compiler loads in the meantime is no growth of the calls
    for _ in repeat(None, WARM_CALLS):
        call(*args)
    gc.collect()
    before = resident_bytes()
    for _ in repeat(None, calls):
        call(*args)
    gc.collect()
    after = resident_bytes()
    return None if before is None or after is None else after - before


def resident_bytes() -> int | None:
    """Read how much memory the process holds; None where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def reset_peak() -> int | None:
    """Let the peak of the process begin here, where the system can; return what it holds now."""
    gc.collect()
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as clear:
            clear.write("5")
    except OSError:
        pass  # the peak so far counts, too: a little of what was imported is found again in it
    return resident_bytes()


def peak_bytes() -> int | None:
    """Read how much memory the process has held at most; None where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines["VmHWM"].split()[0]) * 1024
    except (OSError, KeyError):
        return None
