"""Print as JSON which contenders' packages this Python has: `python -m benchmarks.installed`."""

import json
import platform
from importlib import metadata
from importlib.util import find_spec

from benchmarks.contenders import CONTENDERS


def version(package: str) -> str | None:
    """Name the installed version of a package; None if it is not there."""
    if find_spec(package) is None:
        return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "from the working directory"


if __name__ == "__main__":
    packages = {contender.package for contender in CONTENDERS.values()} | {"numba", "scipy"}
    print(json.dumps({"Python": platform.python_version(), **{p: version(p) for p in packages}}))
