"""What a compiled call allocates, and whether the process grows over many calls.

Beside it the gradient by hand, which returns fresh arrays too: what its call needs besides the
data of those arrays is Python objects.
"""

from typing import Any

from benchmarks.process import Worker
from benchmarks.rounds import Effort

TITLE = "Memory in the steady state"
CONTENDERS = ("tracejit", "numpy")
CASES = ("readme_network", "mlp_784")
GROWTH_CASE = "readme_network"
GROWTH_CALLS = 100_000


def measure(effort: Effort) -> dict[str, Any]:
    """Count bytes, each contender and case in a process of its own."""
    calls: dict[str, Any] = {}
    growth: dict[str, int | None] = {}
    for name in CONTENDERS:
        for case in CASES:
            with Worker(case, name) as worker:
                calls.setdefault(case, {})[name] = worker.do("allocation")
                if case == GROWTH_CASE:
                    growth[name] = worker.do("growth", calls=GROWTH_CALLS)
    return {"calls": calls, "growth": growth}


def describe(values: dict[str, Any]) -> list[str]:
    """Tabulate the bytes of a call, and the growth."""
    lines = [
        "Bytes of one call: the data of the arrays that it returns, of those that it allocates,",
        "and the most that it holds at a time, Python objects included (tracemalloc).",
        "",
        "| case | contender | returned arrays | allocated arrays | peak | peak - returned |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for case, contenders in values["calls"].items():
        for name, found in contenders.items():
            numbers = (*found.values(), found["peak"] - found["returned"])
            cells = " | ".join(f"{number:,}" for number in numbers)
            lines.append(f"| {case} | {name} | {cells} |")
    for name, grown in values["growth"].items():
        size = "unknown" if grown is None else f"{grown / 1024:,.0f} KiB"
        lines += ["", f"Growth of the process over {GROWTH_CALLS:,} calls, {name}: {size}."]
    return lines
