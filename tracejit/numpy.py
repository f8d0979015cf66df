"""NumPy under another name, whose functions record wherever a function is being traced.

>>> import tracejit.numpy as np

All of NumPy's names are here, and outside traced functions they do what NumPy's do. Inside, what
NumPy hands over to nobody is recorded, too: `array`, `zeros`, `linspace`, `r_`, `mean([t, t])`.
Functions that jit_grad can follow get the same in place of plain `import numpy as np`; this
namespace is for the others, and for code that should say what it does.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy

from .trace.modules import recording_module

_recording = recording_module(numpy)
__all__ = list(numpy.__all__)


def __getattr__(name: str) -> Any:
    """Give the recording twin of one of NumPy's names."""
    value = getattr(_recording, name)
    if name in vars(_recording):
        globals()[name] = value
    return value


def __dir__() -> list[str]:
    return dir(numpy)


# So that `import tracejit.numpy.linalg` and `from tracejit.numpy.fft import fft` work.
for _name in ("fft", "linalg", "random"):
    sys.modules[f"{__name__}.{_name}"] = getattr(_recording, _name)
