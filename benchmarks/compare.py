"""Compare two runs: what has become faster or slower since the older one.

Machines and their moods differ between runs, so a time is also compared in units of the gradient
by hand, measured in the same rounds: that ratio moves only if the contender itself has changed.
"""

from benchmarks.report import microseconds, number, row
from benchmarks.results import Results

YARDSTICK = "numpy"
WATCHED = ("tracejit", "tracejit-numpy", "tracejit-direct")


def compared(old: Results, new: Results) -> list[str]:
    """Write a table of the times in both runs, and of the first two calls."""
    lines = [
        "## Compared with an older run",
        "",
        f"The older one is of {old.machine.get('time', 'unknown')}. A change below 1 is faster;",
        f"the relative one is the change of the ratio to {YARDSTICK} within each run.",
        "",
        row("case, contender", ["old us", "new us", "change", "relative", "first two calls"]),
        row("---", ["---:"] * 5),
    ]
    for case in new.cases:
        for name in WATCHED:
            before, now = old.typical(case, name), new.typical(case, name)
            if before is None or now is None:
                continue
            relative = quotient(
                new.ratio(case, name, to=YARDSTICK), old.ratio(case, name, to=YARDSTICK)
            )
            first = quotient(new.start(case, name, "first_two"), old.start(case, name, "first_two"))
            cells = [microseconds(before), microseconds(now), number(now / before)]
            lines.append(row(f"{case}, {name}", [*cells, number(relative), number(first)]))
    return lines


def quotient(new: float | None, old: float | None) -> float | None:
    """Divide, where there is something to divide."""
    return None if new is None or old is None else new / old
