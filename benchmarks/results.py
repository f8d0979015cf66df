"""Everything that a run has found, on its way to the report, the targets and the JSON file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rounds import Effort, Start, Timings

FORMAT = 2  # of the JSON file; raised when old files can no longer be compared


@dataclass(slots=True)
class Results:
    """The machine, the timings by case, the values by probe, and what could not be measured."""

    machine: dict[str, str]
    effort: Effort
    cases: dict[str, Timings] = field(default_factory=dict)
    probes: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)  # of probes
    absent: dict[str, str] = field(default_factory=dict)  # contenders, and what they need

    def typical(self, case: str, contender: str) -> float | None:
        """Take a contender's median seconds a call; None if it was not measured."""
        return self.cases[case].typical(contender) if case in self.cases else None

    def ratio(self, case: str, contender: str, to: str) -> float | None:
        """Compare two contenders on a case; None if either was not measured."""
        return self.cases[case].ratio(contender, to) if case in self.cases else None

    def start(self, case: str, contender: str, figure: str, cached: bool = False) -> float | None:
        """Find a figure of a contender's start; None if it was not measured."""
        if case not in self.cases:
            return None
        timings = self.cases[case]
        starts = timings.cached_starts if cached else timings.starts
        return starts.get(contender, {}).get(figure)

    def write(self, path: Path) -> None:
        """Write a file with every round, so that other statistics can be made later."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """Read what `write` has written."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if found.pop("format", None) != FORMAT:
        raise SystemExit(f"{path} was written by another version of the benchmarks")
    left_out = tuple(found["effort"].pop("leaves_out"))
    found["effort"] = Effort(**found["effort"], leaves_out=left_out)
    found["cases"] = {name: Timings(**timings) for name, timings in found["cases"].items()}
    return Results(**found)


def full_speed(start: Start, with_imports: bool = False) -> float | None:
    """Find the seconds from the first call to full speed, with those of the import or without."""
    reached, imports = start.get("full_speed"), start.get("import")
    if reached is None or imports is None:
        return None
    return reached + (imports if with_imports else 0.0)
