"""How much memory the gradient of a long chain takes, with checkpoints and without.

Counted are the arrays held between calls, and all that one call needs: of those whose arrays are
NumPy's, as NumPy reports them.
"""

from typing import Any

from benchmarks.cases.checkpoints import EVERY, STATE_BYTES, STEPS
from benchmarks.process import Worker, version
from benchmarks.rounds import Effort

TITLE = "Memory of a long chain"
CONTENDERS = ("tracejit",)
MEASURED = ("tracejit", "tracejit-direct", "autograd", "numpy")  # if they are there
WHOLE, IN_BLOCKS = "chain_whole", "chain_in_blocks"
CALLS = 5  # before the one that counts


def measure(effort: Effort) -> dict[str, Any]:
    """Count bytes, each contender and case in a process of its own."""
    found: dict[str, Any] = {}
    for name in MEASURED:
        if version(name) is not None:
            found[name] = {}
            for case in (WHOLE, IN_BLOCKS):
                with Worker(case, name) as worker:
                    found[name][case] = worker.do("footprint", calls=CALLS)
    return found


def states(size: int) -> str:
    """Write bytes as a number of states of the chain."""
    return f"{size / STATE_BYTES:,.1f}"


def describe(values: dict[str, Any]) -> list[str]:
    """Tabulate how many states the memory would hold."""
    lines = [
        f"A chain of {STEPS:,} steps: what its gradient holds between calls and takes in one, in",
        f"states of the chain ({STATE_BYTES:,} bytes), without checkpoints and with one every",
        f"{EVERY} steps.",
        "",
        "| contender | no checkpoints | checkpoints |",
        "| --- | ---: | ---: |",
    ]
    for name, found in values.items():
        lines.append(f"| {name} | {states(found[WHOLE])} | {states(found[IN_BLOCKS])} |")
    return lines
