"""Masked arrays, matrices, other subclasses of ndarray: refused, with what to use instead.

Their operators and functions mean other things than those of plain arrays. Values of such classes
enter, and code of NumPy's that is making one of traced values; errors leave.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

from ..dag.node import location
from ..errors import UnsupportedError
from .source import internal, user_site

_MODULES = {"numpy.ma": "a masked array", "numpy.matrixlib": "a matrix"}
_INSTEAD = {
    "a masked array": "use plain arrays, and np.where with the mask",
    "a matrix": "use plain arrays, and @ for products",
}


def remedy(value: Any) -> str:
    """Say how to make a plain array of one of a subclass."""
    if isinstance(value, np.ma.MaskedArray):
        return "a plain array: array.filled(...)"
    return "a plain array: np.asarray(...)"


def refuse() -> None:
    """Raise an error where NumPy is making a masked array or a matrix of a traced value."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and internal[frame.f_code.co_filename]:
        home = str(frame.f_globals.get("__name__"))
        for module, made in _MODULES.items():
            if home == module or home.startswith(f"{module}."):
                raise UnsupportedError(
                    f"{made} of a traced value at {location(user_site())} cannot be traced; "
                    + _INSTEAD[made]
                )
        frame = frame.f_back
