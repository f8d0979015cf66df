"""The figures that tracejit is held to, each with what was measured.

A target is a function from the results to a verdict. One that could not be measured is not met.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases.long_chain import NODES
from benchmarks.probes.memory import GROWTH_CALLS
from benchmarks.results import Results

MISSING = "not measured"
# A leak of the smallest Python object, 16 bytes, would be six times as much.
GROWTH_LIMIT = 256 * 1024
# Array headers, dicts, lists, frames: what a call cannot do without.
OBJECTS_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: what it is about, what was measured, what was wanted, and whether it is met."""

    subject: str
    measured: str
    wanted: str
    met: bool | None  # None: not measured


Target = Callable[[Results], Verdict]
Figure = Callable[[Results], float | None]  # None: not measured


def verdicts(results: Results) -> list[Verdict]:
    """Judge a run by every target."""
    return [target(results) for target in TARGETS]


def at_most(subject: str, find: Figure, limit: float, unit: str) -> Target:
    """Want a figure no larger than a limit."""
    return bounded(subject, find, limit, f"at most {limit:g} {unit}", unit, operator.le)


def at_least(subject: str, find: Figure, limit: float, unit: str) -> Target:
    """Want a figure no smaller than a limit."""
    return bounded(subject, find, limit, f"at least {limit:g} {unit}", unit, operator.ge)


def bounded(
    subject: str,
    find: Figure,
    limit: float,
    wanted: str,
    unit: str,
    holds: Callable[[float, float], bool],
) -> Target:
    """Want a figure on the right side of a limit."""

    def judge(results: Results) -> Verdict:
        value = find(results)
        if value is None:
            return Verdict(subject, MISSING, wanted, None)
        return Verdict(subject, f"{value:.2f} {unit}", wanted, holds(value, limit))

    return judge


def ratio(case: str, contender: str, to: str) -> Figure:
    """Find a ratio of times in the results."""
    return lambda results: results.ratio(case, contender, to)


def microseconds(case: str, contender: str, parts: int = 1) -> Figure:
    """Find a time in the results, or that of one of its equal parts."""

    def find(results: Results) -> float | None:
        seconds = results.typical(case, contender)
        return None if seconds is None else 1e6 * seconds / parts

    return find


def first_two_calls(results: Results) -> Verdict:
    """Want the first two calls within three of autograd's and 20 ms."""
    subject = "README network: first two calls"
    found = results.probes.get("first_calls", {}).get("readme_network")
    if found is None:
        return Verdict(subject, MISSING, "at most 3 autograd calls + 20 ms", None)
    taken, limit = 1e3 * found["tracejit"], 1e3 * found["autograd_warm_3"] + 20
    wanted = f"at most {limit:.2f} ms: 3 autograd calls + 20 ms"
    return Verdict(subject, f"{taken:.2f} ms", wanted, taken <= limit)


def allocation(results: Results) -> Verdict:
    """Want no array data but those returned, nor anything large within a line."""
    subject = "A compiled call allocates only the arrays it returns"
    wanted = f"0 bytes of others; peak within {OBJECTS_LIMIT:,} bytes of what is returned"
    calls = results.probes.get("memory", {}).get("calls", {})
    found = [by_contender["tracejit"] for by_contender in calls.values()]
    if not found:
        return Verdict(subject, MISSING, wanted, None)
    others = max(one["arrays"] - one["returned"] for one in found)
    objects = max(one["peak"] - one["returned"] for one in found)
    measured = f"at most {others:,} bytes of others; peak within {objects:,} bytes"
    return Verdict(subject, measured, wanted, others <= 0 and objects <= OBJECTS_LIMIT)


def growth(results: Results) -> Verdict:
    """Want a process that does not grow."""
    subject = f"Growth of the process over {GROWTH_CALLS:,} calls"
    wanted = f"none (less than {GROWTH_LIMIT // 1024} KiB)"
    grown = results.probes.get("memory", {}).get("growth", {}).get("tracejit")
    if grown is None:
        return Verdict(subject, MISSING, wanted, None)
    return Verdict(subject, f"{grown / 1024:,.0f} KiB", wanted, grown < GROWTH_LIMIT)


def import_milliseconds(results: Results) -> float | None:
    """Find by how much importing tracejit takes longer than importing NumPy."""
    found = results.probes.get("import_time")
    return None if found is None else 1e3 * (found["tracejit"] - found["numpy"])


TARGETS: tuple[Target, ...] = (
    at_least(
        "README network: autograd / tracejit",
        ratio("readme_network", "autograd", to="tracejit"),
        8,
        "times",
    ),
    at_most(
        "README network: tracejit / NumPy by hand",
        ratio("readme_network", "tracejit", to="numpy"),
        1.5,
        "times",
    ),
    at_most(
        "784-1024-1024-10 network: tracejit / NumPy by hand",
        ratio("mlp_784", "tracejit", to="numpy"),
        1.15,
        "times",
    ),
    first_two_calls,
    allocation,
    growth,
    at_most("`lambda x: x * x` on a float", microseconds("scalar", "tracejit"), 2, "us"),
    at_most(
        "README network: direct mode / autograd",
        ratio("readme_network", "tracejit-direct", to="autograd"),
        0.7,
        "times",
    ),
    at_most(
        "Chain: direct mode, a forward node",
        microseconds("long_chain", "tracejit-direct", parts=NODES),
        6,
        "us",
    ),
    at_most("`import tracejit` on top of `import numpy`", import_milliseconds, 60, "ms"),
)
