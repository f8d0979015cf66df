"""Recording: tracers, the recorder, where the user's code is, and what it reads from outside."""

from . import operators  # gives Tracer its operators and methods
from .recorder import Recorder, active_recorder
from .tracer import Tracer

__all__ = ["Recorder", "Tracer", "active_recorder", "operators"]
