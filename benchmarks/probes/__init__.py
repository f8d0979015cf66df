"""What is measured besides the steady state, one probe a file.

A new file here is a new probe. It defines `TITLE`; `CONTENDERS`, those that it measures;
`measure(effort)`, which returns plain numbers in dicts, for the report and for JSON; and
`describe(values)`, which turns those into lines of Markdown.
"""

import importlib
import pkgutil
from typing import Any, Protocol, cast

from benchmarks.rounds import Effort


class Probe(Protocol):
    """What a file in this folder has to define."""

    TITLE: str
    CONTENDERS: tuple[str, ...]

    def measure(self, effort: Effort) -> dict[str, Any]:
        """Measure, in processes of its own."""

    def describe(self, values: dict[str, Any]) -> list[str]:
        """Write what `measure` returned as lines of Markdown."""


def names() -> list[str]:
    """List the names of all probes: those of the files in this folder."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


def load(name: str) -> Probe:
    """Import a probe."""
    return cast(Probe, importlib.import_module(f"{__name__}.{name}"))
