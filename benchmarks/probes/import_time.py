"""What `import tracejit` costs on top of `import numpy`, in fresh interpreters."""

import os
import subprocess
import sys
import tempfile
from statistics import median
from typing import Any

from benchmarks.process import ROOT
from benchmarks.rounds import Effort

TITLE = "Import time"
CONTENDERS = ("tracejit",)
MODULES = ("numpy", "tracejit")
TIMER = """
import sys, time
started = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - started)
"""


def measure(effort: Effort) -> dict[str, Any]:
    """Import in turns, after one import each that compiles bytecode and fills the disk cache."""
    found: dict[str, list[float]] = {module: [] for module in MODULES}
    with tempfile.TemporaryDirectory() as bytecode:
        for i in range(effort.fresh_processes + 1):
            for module in MODULES:
                taken = import_seconds(module, bytecode)
                if i > 0:
                    found[module].append(taken)
    return {module: median(seconds) for module, seconds in found.items()}


def import_seconds(module: str, bytecode: str) -> float:
    """Time one import in a fresh interpreter that keeps bytecode, as interpreters do by default."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", TIMER, module]
    return float(subprocess.check_output(command, cwd=ROOT, text=True, env=environment))


def describe(values: dict[str, Any]) -> list[str]:
    """List milliseconds."""
    extra = values["tracejit"] - values["numpy"]
    return [
        f"`import numpy` {1e3 * values['numpy']:.1f} ms, "
        f"`import tracejit` {1e3 * values['tracejit']:.1f} ms: {1e3 * extra:.1f} ms more "
        "(medians over fresh interpreters)."
    ]
