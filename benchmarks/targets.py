"""The figures that tracejit is held to, each with what was measured.

A target is a function from the results to a verdict. What was not measured cannot be met; where a
target is about many cases and some were not measured, the verdict says how many were.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt

from benchmarks import case as cases
from benchmarks.cases.checkpoints import STATE_BYTES, STEPS
from benchmarks.cases.long_chain import NODES
from benchmarks.probes.checkpoints import IN_BLOCKS
from benchmarks.probes.memory import GROWTH_CALLS
from benchmarks.process import GIVEN_UP
from benchmarks.results import Results, full_speed

HOME = "tracejit"
MISSING = "not measured"
# A leak of the smallest Python object, 16 bytes, would be six times as much.
GROWTH_LIMIT = 256 * 1024
# Array headers, dicts, lists, frames: what a call cannot do without.
OBJECTS_LIMIT = 4096
LONG = ("rk4", "kalman")  # traces of thousands of operations: full speed may take longer
PRODUCTS_NEAR_FLOOR = 1.15
MEMORY_NEAR_FLOOR = 1.5
# A call of the README network: 6 us where the gradient by hand takes 26.
README_SHARE = 6 / 26


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: what it is about, what was measured, what was wanted, and whether it is met.

    `factor` is how much of what is wanted was reached: 1 and more is enough.
    """

    subject: str
    measured: str
    wanted: str
    met: bool | None  # None: not measured
    factor: float | None = None


Target = Callable[[Results], Verdict]
Figure = Callable[[Results], float | None]  # None: not measured
ByCase = dict[str, float]


def verdicts(results: Results) -> list[Verdict]:
    """Judge a run by every target."""
    return [target(results) for target in TARGETS]


def at_most(subject: str, find: Figure, limit: float, unit: str) -> Target:
    """Want a figure no larger than a limit."""

    def judge(results: Results) -> Verdict:
        return bounded(subject, find(results), limit, f"at most {limit:.3g} {unit}", unit, "le")

    return judge


def at_least(subject: str, find: Figure, limit: float, unit: str) -> Target:
    """Want a figure no smaller than a limit."""

    def judge(results: Results) -> Verdict:
        return bounded(subject, find(results), limit, f"at least {limit:.3g} {unit}", unit, "ge")

    return judge


def bounded(
    subject: str, value: float | None, limit: float, wanted: str, unit: str, relation: str
) -> Verdict:
    """Want a value on the right side of a limit."""
    if value is None:
        return Verdict(subject, MISSING, wanted, None)
    holds = bool(getattr(operator, relation)(value, limit))
    factor = (limit / value if relation == "le" else value / limit) if value > 0 else None
    return Verdict(subject, f"{value:.2f} {unit}", wanted, holds, factor)


def judged_cases() -> list[str]:
    """List the cases that count."""
    return [name for name in cases.names() if cases.load(name).judged]


def bound_by(what: str) -> list[str]:
    """List the cases whose floor is of a kind."""
    floors = {name: cases.load(name).floor for name in judged_cases()}
    return [name for name, floor in floors.items() if floor is not None and floor.bound == what]


def against(results: Results, peers: tuple[str, ...]) -> ByCase:
    """Find by case how many times as long as tracejit the best of some peers takes."""
    found: ByCase = {}
    for case in judged_cases():
        ratios = [results.ratio(case, peer, to=HOME) for peer in peers]
        if known := [ratio for ratio in ratios if ratio is not None]:
            found[case] = min(known)
    return found


def over_floor(results: Results, case: str) -> float | None:
    """Find how many times as long as its floor tracejit takes."""
    return results.ratio(case, HOME, to="floor")


def geometric_mean(values: ByCase) -> float:
    """Average ratios."""
    return float(prod(values.values()) ** (1 / len(values)))


def mean_at_least(subject: str, peers: tuple[str, ...], limit: float) -> Target:
    """Want a geometric mean of the ratios to the best of some peers."""

    def judge(results: Results) -> Verdict:
        found = against(results, peers)
        mean = geometric_mean(found) if found else None
        about = f"{subject}: geometric mean of {len(found)} of {len(judged_cases())} cases"
        return bounded(about, mean, limit, f"at least {limit:g}", "times", "ge")

    return judge


def each_at_least(
    subject: str, peers: tuple[str, ...], limit: float, products_limit: float | None = None
) -> Target:
    """Want every ratio to the best of some peers to be large enough.

    With a limit of their own, the cases bound by products may instead be near their floor.
    """

    def needed(results: Results, case: str) -> float:
        if products_limit is None or case not in bound_by("products"):
            return limit
        floor = over_floor(results, case)
        near = floor is not None and floor <= PRODUCTS_NEAR_FLOOR
        return 0.0 if near else products_limit

    def judge(results: Results) -> Verdict:
        wanted = f"at least {limit:g}"
        if products_limit is not None:
            wanted += f"; bound by products {products_limit:g}, or near the floor"
        found = against(results, peers)
        limits = {case: needed(results, case) for case in found}
        scored = {case: ratio / limits[case] for case, ratio in found.items() if limits[case]}
        return listed(f"{subject}: no case under", found, scored, wanted)

    return judge


def near_floor(subject: str, bound: str, limit: float) -> Target:
    """Want the cases of a kind to come near their floor."""

    def judge(results: Results) -> Verdict:
        ratios = {case: over_floor(results, case) for case in bound_by(bound)}
        found = {case: ratio for case, ratio in ratios.items() if ratio is not None}
        scored = {case: limit / ratio for case, ratio in found.items()}
        return listed(subject, found, scored, f"at most {limit:g} times")

    return judge


def listed(subject: str, found: ByCase, scored: ByCase, wanted: str) -> Verdict:
    """Judge many cases at once: name the worst, or all that miss."""
    if not found:
        return Verdict(subject, MISSING, wanted, None)
    if not scored:
        return Verdict(subject, "near the floor", wanted, True)
    missing = sorted((case for case in scored if scored[case] < 1), key=scored.__getitem__)
    worst = min(scored, key=scored.__getitem__)
    named = ", ".join(f"{case} {found[case]:.2f}" for case in missing or [worst])
    text = f"{len(missing)} of {len(found)} miss: {named}" if missing else f"worst: {named}"
    return Verdict(subject, text, wanted, not missing, scored[worst])


def first_two_calls(results: Results) -> Verdict:
    """Want the first two calls no later than autograd's and 50 ms, on every case."""
    found: ByCase = {}
    scored: ByCase = {}
    for case in judged_cases():
        ours = results.start(case, HOME, "first_two")
        theirs = results.start(case, "autograd", "first_two")
        if ours is not None and theirs is not None:
            found[case] = 1e3 * ours
            scored[case] = (theirs + 0.05) / ours
    return listed("First two calls, ms", found, scored, "at most autograd's + 50 ms")


def reaching_full_speed(
    subject: str, limit: float, long_limit: float, cached: bool = False
) -> Target:
    """Want full speed soon enough, with a longer limit for the long traces."""

    def judge(results: Results) -> Verdict:
        found: ByCase = {}
        scored: ByCase = {}
        for case in judged_cases():
            if case not in results.cases:
                continue
            timings = results.cases[case]
            start = (timings.cached_starts if cached else timings.starts).get(HOME, {})
            seconds = full_speed(start, with_imports=cached)
            if seconds is not None:
                found[case] = seconds
                scored[case] = (long_limit if case in LONG else limit) / max(seconds, 1e-9)
        wanted = f"at most {limit:g} s; {' and '.join(LONG)} {long_limit:g} s"
        return listed(subject, found, scored, wanted)

    return judge


def sooner_than_jax(case: str) -> Target:
    """Want full speed long before JAX has compiled a long trace, or is given up."""

    def judge(results: Results) -> Verdict:
        subject = f"{case}: time to full speed / JAX's first two calls"
        ours = results.start(case, HOME, "full_speed")
        theirs = results.start(case, "jax", "first_two")
        if case in results.cases and results.cases[case].failures.get("jax", "").endswith(GIVEN_UP):
            theirs = results.effort.limit_seconds
            subject += f", given up after {theirs:g} s"
        share = None if ours is None or theirs is None else ours / theirs
        return bounded(subject, share, 0.5, "far under it: at most 0.5", "times", "le")

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


def allocation(results: Results) -> Verdict:
    """Want no array data but those returned, nor anything large within a line."""
    subject = "A compiled call allocates only the arrays it returns"
    wanted = f"0 bytes of others; peak within {OBJECTS_LIMIT:,} bytes of what is returned"
    calls = results.probes.get("memory", {}).get("calls", {})
    found = [by_contender[HOME] for by_contender in calls.values()]
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
    grown = results.probes.get("memory", {}).get("growth", {}).get(HOME)
    if grown is None:
        return Verdict(subject, MISSING, wanted, None)
    return Verdict(subject, f"{grown / 1024:,.0f} KiB", wanted, grown < GROWTH_LIMIT)


def checkpointed_share(results: Results) -> float | None:
    """Find by how much more memory a chain with checkpoints takes than the root of its states."""
    found = results.probes.get("checkpoints", {}).get(HOME, {}).get(IN_BLOCKS)
    return None if found is None else found / STATE_BYTES / sqrt(STEPS)


def import_milliseconds(results: Results) -> float | None:
    """Find by how much importing tracejit takes longer than importing NumPy."""
    found = results.probes.get("import_time")
    return None if found is None else 1e3 * (found["tracejit"] - found["numpy"])


HIPS, TORCH, JAX, BY_HAND = ("autograd",), ("torch", "torch-compile"), ("jax",), ("numpy",)

TARGETS: tuple[Target, ...] = (
    mean_at_least("HIPS autograd", HIPS, 20),
    each_at_least("HIPS autograd", HIPS, 3),
    mean_at_least("PyTorch, the better of eager and compiled", TORCH, 4),
    each_at_least("PyTorch, the better of eager and compiled", TORCH, 1),
    mean_at_least("JAX from NumPy arrays", JAX, 3),
    each_at_least("JAX from NumPy arrays", JAX, 1, products_limit=0.95),
    mean_at_least("NumPy by hand", BY_HAND, 2),
    each_at_least("NumPy by hand", BY_HAND, 0.95),
    near_floor("Bound by products: over the floor", "products", PRODUCTS_NEAR_FLOOR),
    near_floor("Bound by memory: over the floor", "memory", MEMORY_NEAR_FLOOR),
    at_most(
        "README network: tracejit / NumPy by hand",
        ratio("readme_network", HOME, to="numpy"),
        README_SHARE,
        "times",
    ),
    first_two_calls,
    reaching_full_speed("Full speed after the first call, s", 3, 10),
    sooner_than_jax("rk4"),
    sooner_than_jax("kalman"),
    reaching_full_speed("Full speed from the disk cache, import included, s", 1, 2, cached=True),
    allocation,
    growth,
    at_most("`x**2 + x` on a number", microseconds("scalar", HOME), 2, "us"),
    at_most(
        "README network: direct mode / autograd",
        ratio("readme_network", "tracejit-direct", to="autograd"),
        0.7,
        "times",
    ),
    at_most(
        "Long chain: direct mode, a forward node",
        microseconds("long_chain", "tracejit-direct", parts=NODES),
        6,
        "us",
    ),
    at_least(
        "Hessian of logistic regression: JAX / tracejit",
        ratio("logistic_hessian", "jax", to=HOME),
        3,
        "times",
    ),
    at_least(
        "Hessian of logistic regression: HIPS autograd / tracejit",
        ratio("logistic_hessian", "autograd", to=HOME),
        50,
        "times",
    ),
    at_most(
        "README network: a Hessian times a vector / the gradient",
        ratio("readme_hvp", HOME, to="tracejit-gradient"),
        3,
        "times",
    ),
    at_most(
        "Long chain with checkpoints: memory / the square root of its states",
        checkpointed_share,
        3,
        "times",
    ),
    at_most("`import tracejit` on top of `import numpy`", import_milliseconds, 60, "ms"),
)
