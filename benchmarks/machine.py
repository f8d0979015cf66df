"""Describe where a measurement was made: no figure means anything without it."""

import os
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from benchmarks.contenders import CONTENDERS
from benchmarks.process import installed, version

SETTINGS = ("TRACEJIT_", "OPENBLAS_", "OMP_", "MKL_", "NUMBA_", "XLA_", "JAX_", "TORCH")


def describe() -> dict[str, str]:
    """Name processor, cores, system, Python, NumPy, BLAS, contenders and relevant settings."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {c.package: version(name) for name, c in CONTENDERS.items() if c.package != "numpy"}
    settings = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(SETTINGS)]
    return {
        "processor": processor(),
        "cores": f"{usable_cores()} usable of {os.cpu_count()}",
        "system": platform.platform(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "NumPy": np.__version__,
        "BLAS": f"{blas['name']} {blas['version']}",
        "numba": installed(sys.executable)["numba"] or "absent",
        **{package: found or "absent" for package, found in versions.items()},
        "load": f"{load_average()} when the run began",
        "settings": ", ".join(settings) or "none",
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def processor() -> str:
    """Name the processor as precisely as the system does."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def load_average() -> str:
    """Tell how busy the machine was over the last minute: a busy one spoils what uses threads."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    load = os.getloadavg()[0]
    warning = "**too busy to believe what uses threads**, " if load > usable_cores() / 2 else ""
    return f"{warning}{load:.2f}"


def usable_cores() -> int:
    """Count the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
