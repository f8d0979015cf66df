"""How emitted code runs a kernel on all cores; the text of this module is copied into it.

A kernel enters that releases the interpreter's lock and takes the ends of its outermost loop first;
each thread runs a part. There are as many as Numba's configuration says, or fewer where BLAS is
limited (threadpoolctl). Calls from several threads share the pool; a fork's child makes its own.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from numba import config
from threadpoolctl import ThreadpoolController

POOLS: dict[int, ThreadPoolExecutor] = {}
LIBRARIES: list[Any] = []


def count_threads() -> int:
    """Say how many threads may be used."""
    if not LIBRARIES:
        LIBRARIES.append(ThreadpoolController().select(user_api="blas").lib_controllers)
    limits: list[int] = [library.num_threads for library in LIBRARIES[0]]
    return min([int(vars(config)["NUMBA_NUM_THREADS"]), *limits])


def in_parts(kernel: Callable[..., Any], length: int, *arguments: Any) -> list[Any]:
    """Run all of a kernel's outermost loop, in parts side by side; list what they return."""
    threads = min(count_threads(), length)
    if threads == 1:
        return [kernel(0, length, *arguments)]
    process = os.getpid()
    if process not in POOLS:
        POOLS[process] = ThreadPoolExecutor(threads)
    ends = [length * i // threads for i in range(threads + 1)]
    waiting = [
        POOLS[process].submit(kernel, start, stop, *arguments)
        for start, stop in pairwise(ends[1:])
    ]
    return [kernel(0, ends[1], *arguments), *(part.result() for part in waiting)]
