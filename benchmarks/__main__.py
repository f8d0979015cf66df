"""Run the benchmarks: `python -m benchmarks [--quick] [--only NAME ...] [--json FILE]`.

The report goes to standard output, what is being done to standard error. The exit status is 1 if
something failed or gave wrong results; a missed target is reported, and is no failure.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

from benchmarks import case as cases
from benchmarks import machine, probes
from benchmarks.contenders import CONTENDERS
from benchmarks.process import WorkerError
from benchmarks.report import markdown
from benchmarks.results import Results
from benchmarks.rounds import FULL, QUICK, Effort, compete


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for, report it, and return the exit status."""
    known = [*cases.names(), *probes.names()]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument(
        "--only", nargs="+", choices=known, default=known, metavar="NAME", help=", ".join(known)
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round to a file")
    options = parser.parse_args(arguments)

    results = run(options.only, QUICK if options.quick else FULL)
    print(markdown(results))
    if options.json:
        options.json.write_text(json.dumps(results.json(), indent=1) + "\n", encoding="utf-8")
    return 1 if results.failures else 0


def run(names: Sequence[str], effort: Effort) -> Results:
    """Measure the named cases and probes."""
    results = Results(machine.describe(), effort)
    present = [name for name, contender in CONTENDERS.items() if contender.version()]
    for name in CONTENDERS.keys() - present:
        tell(f"{name}: skipped, the package {CONTENDERS[name].package} is not installed")
    for case in cases.names():
        if case in names:
            entering = [n for n in present if CONTENDERS[n].enters(cases.load(case))]
            tell(f"{case}: timing {', '.join(entering)}")
            timings = results.cases[case] = compete(case, entering, effort)
            for contender, reason in timings.failures.items():
                results.failures[f"{case}, {contender}"] = reason
    for probe in probes.names():
        if probe in names:
            module = probes.load(probe)
            if missing := set(module.CONTENDERS) - set(present):
                tell(f"{probe}: skipped, it needs {', '.join(sorted(missing))}")
                continue
            tell(f"{probe}: measuring")
            try:
                results.probes[probe] = module.measure(effort)
            except (WorkerError, CalledProcessError) as error:
                results.failures[probe] = str(error)
    for name, reason in results.failures.items():
        tell(f"{name} failed:\n{reason}")
    return results


def tell(text: str) -> None:
    """Say on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
