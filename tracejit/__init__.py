"""tracejit: a tracing JIT compiler for gradients of NumPy functions that emits readable Python."""

from .api import jit_grad
from .errors import TracejitError, TracejitWarning
from .primitive import defvjp, primitive
from .trace.creators import stop_gradient
from .tree import register_container

__version__ = "0.1.0"
__all__ = [
    "TracejitError", "TracejitWarning", "defvjp", "jit_grad", "primitive", "register_container",
    "stop_gradient",
]  # fmt: skip
