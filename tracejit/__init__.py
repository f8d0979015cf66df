"""tracejit: a tracing JIT compiler for gradients of NumPy functions that emits readable Python."""

from .api import jit_grad
from .errors import TracejitError, TracejitWarning
from .operators import elementwise_grad, grad, grad_and_aux, value_and_grad
from .primitive import defvjp, primitive
from .trace.creators import stop_gradient
from .tree import register_container

__version__ = "0.1.0"
__all__ = [
    "TracejitError", "TracejitWarning", "defvjp", "elementwise_grad", "grad", "grad_and_aux",
    "jit_grad", "primitive", "register_container", "stop_gradient", "value_and_grad",
]  # fmt: skip
