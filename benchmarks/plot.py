"""Draw the ratios: a row a case, a dot a contender, on a logarithmic axis.

Where a dot is to the right of 1, its contender takes longer than tracejit.
"""

import sys
from pathlib import Path

from benchmarks import case as cases
from benchmarks.contenders import CONTENDERS
from benchmarks.report import HOME, measured
from benchmarks.results import Results


def draw(results: Results, path: Path) -> None:
    """Draw the plot into a file, if there is something to draw and matplotlib to do it with."""
    names = [name for name in measured(results) if name != HOME]
    if not names or not any(timings.measured(HOME) for timings in results.cases.values()):
        return
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: matplotlib is not installed", file=sys.stderr)
        return
    figure = Figure(figsize=(10, 1.5 + 0.32 * len(results.cases)), layout="constrained")
    axes = figure.subplots()
    for name in names:
        style = list(CONTENDERS).index(name)
        points = [
            (ratio, place)
            for place, case in enumerate(results.cases)
            if (ratio := results.ratio(case, name, to=HOME)) is not None
        ]
        if points:
            x, y = zip(*points, strict=True)
            axes.plot(x, y, "os^vDP*Xphd"[style % 11], color=f"C{style % 10}", label=name, ms=6)
    axes.axvline(1.0, color="black", lw=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(results.cases)), [cases.load(name).title for name in results.cases])
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", alpha=0.3)
    axes.set_xlabel(f"time of a call, in units of {HOME}'s")
    figure.legend(loc="outside right upper")
    figure.savefig(path, dpi=120)
