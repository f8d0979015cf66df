"""Recording: tracers, the recorder, where the user's code is, and what it reads from outside."""

from . import operators, selection, varying  # they give Tracer its operators, NumPy functions
from .recorder import Recorder, active_recorder
from .tracer import Tracer

__all__ = ["Recorder", "Tracer", "active_recorder", "operators", "selection", "varying"]
