"""Everything that a run has found, on its way to the report, the targets and the JSON file."""

from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.rounds import Effort, Timings

FORMAT = 1  # of the JSON file; raised when old files can no longer be compared


@dataclass(slots=True)
class Results:
    """The machine, the timings by case, the values by probe, and what could not be measured."""

    machine: dict[str, str]
    effort: Effort
    cases: dict[str, Timings] = field(default_factory=dict)
    probes: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def typical(self, case: str, contender: str) -> float | None:
        """Take a contender's median seconds a call; None if it was not measured."""
        return self.cases[case].typical(contender) if case in self.cases else None

    def ratio(self, case: str, contender: str, to: str) -> float | None:
        """Compare two contenders on a case; None if either was not measured."""
        return self.cases[case].ratio(contender, to) if case in self.cases else None

    def json(self) -> dict[str, Any]:
        """Make plain dicts, every round included, so that other statistics can be made later."""
        return {"format": FORMAT, **asdict(self)}
