"""Write results as Markdown: the machine, tables of times and ratios, starts, probes, targets."""

from collections.abc import Callable

from benchmarks import case as cases
from benchmarks import probes
from benchmarks.cases.long_chain import NODES
from benchmarks.contenders import CONTENDERS
from benchmarks.results import Results, full_speed
from benchmarks.rounds import REST_SECONDS, Timings
from benchmarks.targets import Verdict, verdicts

HOME = "tracejit"  # the contender that the others are compared with
NOTES = """\
Value and all gradients, the same mathematics for everybody; NumPy arrays go in and come out, but
for *jax-device*, which works on JAX's own. Python loops are unrolled for JAX and torch.compile, as
they are written; JAX's cache on disk is switched on. *numpy* is written by hand with `out=`,
*numpy-tuned* is that after every trick, *floor* the products of the case by BLAS or its bytes
copied. *tracejit-numpy* is the NumPy target, *tracejit-direct* runs without the compiler. Its
audit, which may take 1% of the time whenever it likes, is switched off for gradients. Where a case
is another derivative, that alone is computed; *tracejit-gradient* is the gradient beside it."""


def markdown(results: Results) -> str:
    """Write the whole report."""
    blocks = [["# Benchmarks"], [f"- {name}: {text}" for name, text in results.machine.items()]]
    if results.absent:
        blocks += [["## Absent"], [f"- {name}: {why}" for name, why in results.absent.items()]]
    if results.cases:
        blocks += [["## Steady state"], [NOTES], steady(results)]
        blocks += [[f"## Times in units of {HOME}'s"], ratios(results), nodes(results)]
        blocks += [["## From the first call to full speed"], *starts(results)]
        blocks += [["## Who lacks what"], lacking(results)]
        blocks += [["## Remarks"], remarks(results)]
    for name, values in results.probes.items():
        probe = probes.load(name)
        blocks += [[f"## {probe.TITLE}"], probe.describe(values)]
    blocks += [["## Failures"], failures(results)]
    blocks += [["## Targets"], judged(verdicts(results))]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def steady(results: Results) -> list[str]:
    """Tabulate medians and quartiles, a case a row."""
    effort = results.effort

    def cell(timings: Timings, name: str) -> str:
        typical = timings.typical(name)
        if typical is None:
            return "failed" if name in timings.failures else "-"
        low, high = (microseconds(seconds) for seconds in timings.spread(name))
        return f"{microseconds(typical)} ({low} to {high})"

    return [
        f"Microseconds a call: median and quartiles over {effort.rounds} alternating rounds of "
        f"{1e3 * effort.round_seconds:g} ms,",
        f"each after {REST_SECONDS} s of rest, one process a contender, the idle ones asleep.",
        "",
        *table(results, measured(results), cell),
    ]


def ratios(results: Results) -> list[str]:
    """Tabulate how many times as long as tracejit each contender takes."""

    def cell(timings: Timings, name: str) -> str:
        found = timings.ratio(name, to=HOME)
        return "-" if found is None else f"{found:.2f}"

    names = [name for name in measured(results) if name != HOME]
    return ["Medians of the ratios within each round.", "", *table(results, names, cell)]


def nodes(results: Results) -> list[str]:
    """Say what a node of the chain costs."""
    found = {name: results.typical("long_chain", name) for name in measured(results)}
    costs = [f"{name} {1e6 * s / NODES:.2f} us" for name, s in found.items() if s is not None]
    return [f"A node of the chain, backward pass included: {', '.join(costs)}."] if costs else []


def starts(results: Results) -> list[list[str]]:
    """Tabulate the starts: first calls, full speed with and without a cache on disk, memory."""
    names = [n for n in CONTENDERS if any(n in t.starts for t in results.cases.values())]
    cached = [n for n in names if any(n in t.cached_starts for t in results.cases.values())]

    def first_two(timings: Timings, name: str) -> str:
        return number(timings.starts.get(name, {}).get("first_two"), 1e3, 1)

    def to_full_speed(timings: Timings, name: str) -> str:
        return number(full_speed(timings.starts.get(name, {})))

    def from_cache(timings: Timings, name: str) -> str:
        start = timings.cached_starts.get(name, {})
        return number(full_speed(start, with_imports=True))

    def peak(timings: Timings, name: str) -> str:
        return number(timings.starts.get(name, {}).get("memory"), 2**-20, 1)

    return [
        ["The first two calls together, in milliseconds, in a fresh process, imports done."],
        table(results, names, first_two),
        ["Seconds from the first call until calls run at their final speed, no cache on disk."],
        table(results, names, to_full_speed),
        ["The same in a new process with what the first has left on disk, the import included."],
        table(results, cached, from_cache),
        [
            "Peak memory on the way, in MiB: what the process holds more than after its imports.",
            "Processes that it starts in order to compile are not counted.",
        ],
        table(results, names, peak),
    ]


def lacking(results: Results) -> list[str]:
    """List the cases that a contender does not enter."""
    found: dict[tuple[str, str], list[str]] = {}
    for case, timings in results.cases.items():
        for name, reason in timings.lacking.items():
            found.setdefault((name, reason), []).append(case)
    return [f"- {name}: {', '.join(of)} ({reason})" for (name, reason), of in found.items()]


def remarks(results: Results) -> list[str]:
    """List what is right, but not as NumPy has it."""
    return [
        f"- {case}, {name}: {'; '.join(found)}"
        for case, timings in results.cases.items()
        for name, found in timings.remarks.items()
    ]


def failures(results: Results) -> list[str]:
    """List what failed, with the last line of the reason."""
    reasons = {
        f"{case}, {name}": reason
        for case, timings in results.cases.items()
        for name, reason in timings.failures.items()
    } | results.failures
    return [f"- {name}: {reason.strip().splitlines()[-1]}" for name, reason in reasons.items()]


def judged(found: list[Verdict]) -> list[str]:
    """Tabulate the targets, and by how much they are met or missed."""
    lines = ["| target | measured | wanted | |", "| --- | --- | --- | --- |"]
    return lines + [f"| {v.subject} | {v.measured} | {v.wanted} | {outcome(v)} |" for v in found]


def outcome(verdict: Verdict) -> str:
    """Say in a few words whether a target is met, and how far off that is."""
    if verdict.met is None:
        return "not measured"
    word = "met" if verdict.met else "**MISSED**"
    return word if verdict.factor is None else f"{word}, {verdict.factor:.2f} of what is wanted"


def measured(results: Results) -> list[str]:
    """List the contenders that have a time in some case."""
    return [n for n in CONTENDERS if any(t.measured(n) for t in results.cases.values())]


def table(results: Results, names: list[str], cell: Callable[[Timings, str], str]) -> list[str]:
    """Write a table with a row a case and a column a contender."""
    lines = [row("case", names), row("---", ["---:"] * len(names))]
    for case, timings in results.cases.items():
        lines.append(row(cases.load(case).title, [cell(timings, name) for name in names]))
    return lines if names else []


def row(first: str, cells: list[str]) -> str:
    """Write one row of a table."""
    return f"| {' | '.join([first, *cells])} |"


def number(value: float | None, factor: float = 1.0, digits: int = 2) -> str:
    """Write a number in another unit; a dash if there is none."""
    return "-" if value is None else f"{factor * value:,.{digits}f}"


def microseconds(seconds: float) -> str:
    """Write a time in microseconds, to three digits or the whole number."""
    value = 1e6 * seconds
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"
