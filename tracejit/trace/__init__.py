"""Recording: tracers, the recorder, where the user's code is, and what it reads from outside."""

from .recorder import Recorder, active_recorder
from .tracer import Tracer

__all__ = ["Recorder", "Tracer", "active_recorder"]
