"""Run the benchmarks: `python -m benchmarks [--quick] [--case NAME] [--contender NAME]`.

The report goes to standard output and, with a plot and a JSON file of every round, into a folder;
what is being done goes to standard error. The exit status is 1 if something failed or gave wrong
results; a missed target is reported, and is no failure.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

from tqdm import tqdm

from benchmarks import case as cases
from benchmarks import machine, plot, probes
from benchmarks.compare import compared
from benchmarks.contenders import CONTENDERS
from benchmarks.process import PYTHONS, WorkerError, interpreter, version
from benchmarks.report import markdown
from benchmarks.results import Results, read
from benchmarks.rounds import FULL, QUICK, Effort, compete


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for, report it, and return the exit status."""
    options = parse(arguments)
    if options.python:
        os.environ[PYTHONS] = ",".join(options.python)
    if options.read:
        results = read(options.read)
    else:
        effort = QUICK if options.quick else FULL
        results = run(options.case, options.contender, options.probe, effort)
    text = markdown(results)
    if options.compare:
        text += "\n\n" + "\n".join(compared(read(options.compare), results))
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "report.md").write_text(text + "\n", encoding="utf-8")
    if not options.read:
        results.write(options.output / "results.json")
    plot.draw(results, options.output / "ratios.png")
    failed = results.failures or any(timings.failures for timings in results.cases.values())
    return 1 if failed else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def choice(name: str, known: list[str]) -> None:
        text = f"only these: {', '.join(known)}"
        parser.add_argument(name, nargs="*", choices=known, metavar="NAME", help=text)

    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    choice("--case", cases.names())
    choice("--contender", list(CONTENDERS))
    choice("--probe", probes.names())
    parser.add_argument(
        "--python",
        action="append",
        metavar="CONTENDER=PATH",
        help=f"run a contender, or all of a package, in another Python (or set {PYTHONS})",
    )
    folder = Path("bench-output")
    parser.add_argument("--output", type=Path, default=folder, help=f"a folder; usually {folder}")
    parser.add_argument("--compare", type=Path, metavar="JSON", help="compare with an older run")
    parser.add_argument("--read", type=Path, metavar="JSON", help="measure nothing, report this")
    options = parser.parse_args(arguments)
    if options.probe is None:  # who names cases wants those
        options.probe = [] if options.case else probes.names()
    options.case = cases.names() if options.case is None else options.case
    return options


def run(
    case_names: Sequence[str],
    contenders: Sequence[str] | None,
    probe_names: Sequence[str],
    effort: Effort,
) -> Results:
    """Measure the named cases and probes; unless they are named, all contenders that there are."""
    results = Results(machine.describe(), effort)
    for name in contenders or CONTENDERS:
        if version(name) is None:
            results.absent[name] = f"no {CONTENDERS[name].package} in {interpreter(name)}"
        elif name in effort.leaves_out and contenders is None:
            results.absent[name] = "left out of a quick run, unless it is named"
    present = [name for name in contenders or CONTENDERS if name not in results.absent]
    probe_names = [n for n in probe_names if set(probes.load(n).CONTENDERS) <= set(present)]
    with tqdm(total=len(case_names) + len(probe_names), unit="case", leave=False) as bar:
        for name in case_names:
            case = cases.load(name)
            lacking = {n: reason for n in present if (reason := CONTENDERS[n].lacks(case))}
            entering = [n for n in present if n not in lacking]
            results.cases[name] = compete(name, entering, effort, bar.set_description)
            results.cases[name].lacking = lacking
            bar.update()
        for name in probe_names:
            bar.set_description(name)
            try:
                results.probes[name] = probes.load(name).measure(effort)
            except (WorkerError, CalledProcessError) as error:
                results.failures[name] = str(error)
            bar.update()
    return results


if __name__ == "__main__":
    sys.exit(main())
