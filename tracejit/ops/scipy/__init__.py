"""SciPy's functions: a module or package of declarations for each of its packages.

They import SciPy, so one is loaded when a function of that package is first met, and none because
of `import tracejit`. A SciPy function or method enters; whether it is declared leaves.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ...dag.op import BY_FUNCTION, COMPOSITES, SCIPY

# What is declared above the engine, because its gradient calls it.
_ABOVE = {"integrate": "tracejit.ode"}


def family_of(function: Any) -> str | None:
    """Name the package of SciPy that a function belongs to: "special"; None: it is not SciPy's."""
    home = getattr(function, "__module__", None)
    if home is None:  # a ufunc says nothing, and those of SciPy are here
        special = sys.modules.get("scipy.special")
        name = getattr(function, "__name__", "")
        return "special" if special and getattr(special, name, None) is function else None
    package, _, inside = str(home).partition(".")
    family = inside.partition(".")[0]
    return family if package == "scipy" and family in SCIPY else None


def load(family: str) -> None:
    """Declare what is supported of a package of SciPy."""
    importlib.import_module(f"{__name__}.{family}")
    if family in _ABOVE:
        importlib.import_module(_ABOVE[family])


def is_declared(function: Any) -> bool:
    """Tell whether there is an op or a composite for a function of SciPy."""
    family = family_of(function)
    if family is None:
        return False
    load(family)
    try:
        return function in BY_FUNCTION or function in COMPOSITES
    except TypeError:  # it cannot be hashed
        return False
