"""The first two calls, from `jit_grad(f)` on: recording, compiling, running.

Each sample is a process that has imported the package and nothing else. Beside it, in a process of
its own: HIPS autograd's first two calls, and two and three of its calls once it is warm.
"""

import time
from statistics import median
from typing import Any

from benchmarks.process import Worker
from benchmarks.rounds import REST_SECONDS, Effort

TITLE = "First two calls"
CONTENDERS = ("tracejit", "autograd")
CASES = ("readme_network",)
WARM_SECONDS = 0.1


def measure(effort: Effort) -> dict[str, Any]:
    """Sample tracejit and autograd in turns; medians in seconds."""
    return {case: measure_case(case, effort.fresh_processes) for case in CASES}


def measure_case(case: str, samples: int) -> dict[str, float]:
    """Sample one case."""
    found: dict[str, list[float]] = {
        name: [] for name in ("tracejit", "autograd", "autograd_warm_2", "autograd_warm_3")
    }
    for _ in range(samples):
        with Worker(case, "tracejit") as worker:
            time.sleep(REST_SECONDS)
            found["tracejit"].append(worker.do("first_calls", calls=2))
        with Worker(case, "autograd") as worker:
            time.sleep(REST_SECONDS)
            found["autograd"].append(worker.do("first_calls", calls=2))
            worker.do("calls_within", seconds=WARM_SECONDS)
            for calls in (2, 3):
                taken = worker.do("seconds_for", calls=calls)
                found[f"autograd_warm_{calls}"].append(taken)
    return {name: median(seconds) for name, seconds in found.items()}


def describe(values: dict[str, Any]) -> list[str]:
    """Tabulate milliseconds."""
    lines = [
        "Medians over fresh processes, imports excluded, in ms.",
        "",
        "| case | tracejit | autograd | autograd, warm: two calls | warm: three calls |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for case, seconds in values.items():
        cells = (f"{1e3 * value:.2f}" for value in seconds.values())
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return lines
