"""Recording: tracers, the recorder, where the user's code is, and what it reads from outside."""

# These give Tracer what arrays have, and NumPy more functions.
from . import methods, operators, selection, spacing, varying
from .recorder import Recorder, active_recorder
from .tracer import Tracer

__all__ = [
    "Recorder", "Tracer", "active_recorder", "methods", "operators", "selection", "spacing",
    "varying",
]  # fmt: skip
