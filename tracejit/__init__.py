"""tracejit: a tracing JIT compiler for gradients of NumPy functions that emits readable Python."""

from . import optimize, overload
from .api import jit_grad
from .checkpoint import checkpoint
from .errors import TracejitError, TracejitWarning
from .gradcheck import gradcheck
from .implicit import fixed_point, root
from .operators import deriv, ggnvp, hessian, hvp, jacobian, jvp, linearize, vjp
from .operators.gradients import (
    elementwise_grad,
    grad,
    grad_and_aux,
    holomorphic_grad,
    multigrad,
    value_and_grad,
)
from .primitive import defjvp, defvjp, primitive
from .sparse import sparse_hessian, sparse_jacobian
from .trace.creators import stop_gradient
from .tree import register_container

__version__ = "0.1.0"
__all__ = [
    "TracejitError", "TracejitWarning", "checkpoint", "defjvp", "defvjp", "deriv",
    "elementwise_grad", "fixed_point", "ggnvp", "grad", "grad_and_aux", "gradcheck", "hessian",
    "holomorphic_grad", "hvp", "jacobian", "jit_grad", "jvp", "linearize", "multigrad", "optimize",
    "overload", "primitive", "register_container", "root", "sparse_hessian", "sparse_jacobian",
    "stop_gradient", "value_and_grad", "vjp",
]  # fmt: skip
