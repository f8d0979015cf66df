"""Write results as Markdown: the machine, a table of times, one of ratios, probes, targets."""

from benchmarks import case as cases
from benchmarks import probes
from benchmarks.cases.long_chain import NODES
from benchmarks.contenders import CONTENDERS
from benchmarks.results import Results
from benchmarks.rounds import REST_SECONDS
from benchmarks.targets import Verdict, verdicts

HOME = "tracejit"  # the contender that the others are compared with


def markdown(results: Results) -> str:
    """Write the whole report."""
    blocks = [["# Benchmarks"], [f"- {name}: {text}" for name, text in results.machine.items()]]
    if results.cases:
        blocks += [["## Steady state: value and all gradients"], steady(results)]
        blocks += [[f"## Times in units of {HOME}'s"], ratios(results)]
        blocks += [nodes(results)]
    for name, values in results.probes.items():
        probe = probes.load(name)
        blocks += [[f"## {probe.TITLE}"], probe.describe(values)]
    failures = [f"- {name}: {reason.splitlines()[-1]}" for name, reason in results.failures.items()]
    if failures:
        blocks += [["## Failures"], failures]
    blocks += [["## Targets"], judged(verdicts(results))]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def steady(results: Results) -> list[str]:
    """Tabulate medians and quartiles, a case a row."""
    names = measured(results)
    effort = results.effort
    lines = [
        f"Microseconds a call: median and quartiles over {effort.rounds} alternating rounds of "
        f"{1e3 * effort.round_seconds:g} ms,",
        f"each after {REST_SECONDS} s of rest, one process a contender.",
        "",
        *header("case", names),
    ]
    for case, timings in results.cases.items():
        cells = []
        for name in names:
            typical = timings.typical(name)
            if typical is None:
                cells.append("-")
                continue
            low, high = (microseconds(seconds) for seconds in timings.spread(name))
            cells.append(f"{microseconds(typical)} ({low} to {high})")
        lines.append(row(cases.load(case).title, cells))
    return lines


def ratios(results: Results) -> list[str]:
    """Tabulate how many times as long as tracejit each contender takes."""
    names = [name for name in measured(results) if name != HOME]
    lines = ["Medians of the ratios within each round.", "", *header("case", names)]
    for case in results.cases:
        found = [results.ratio(case, name, to=HOME) for name in names]
        cells = ["-" if value is None else f"{value:.2f}" for value in found]
        lines.append(row(cases.load(case).title, cells))
    return lines


def nodes(results: Results) -> list[str]:
    """Say what a node of the chain costs."""
    names = measured(results)
    found = {name: results.typical("long_chain", name) for name in names}
    costs = [f"{name} {1e6 * s / NODES:.2f} us" for name, s in found.items() if s is not None]
    return [f"A node of the chain, backward pass included: {', '.join(costs)}."] if costs else []


def judged(found: list[Verdict]) -> list[str]:
    """Tabulate the targets."""
    words = {True: "met", False: "**MISSED**", None: "not measured"}
    lines = ["| target | measured | wanted | |", "| --- | ---: | --- | --- |"]
    return lines + [f"| {v.subject} | {v.measured} | {v.wanted} | {words[v.met]} |" for v in found]


def measured(results: Results) -> list[str]:
    """List the contenders that have a time in some case."""
    return [n for n in CONTENDERS if any(n in t.seconds for t in results.cases.values())]


def header(first: str, names: list[str]) -> list[str]:
    """Write the head of a table with numbers under all names but the first."""
    return [row(first, names), row("---", ["---:"] * len(names))]


def row(first: str, cells: list[str]) -> str:
    """Write one row of a table."""
    return f"| {' | '.join([first, *cells])} |"


def microseconds(seconds: float) -> str:
    """Write a time in microseconds, to three digits or the whole number."""
    value = 1e6 * seconds
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"
