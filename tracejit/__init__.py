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

_ELSEWHERE = {
    "jacfwd": "jacobian", "jacrev": "jacobian", "make_jvp": "jvp", "make_vjp": "vjp",
    "make_hvp": "hvp", "make_ggnvp": "ggnvp", "hessian_vector_product": "hvp",
    "hessian_tensor_product": "hvp", "make_jvp_reversemode": "jvp", "jit": "jit_grad",
    "custom_vjp": "primitive with defvjp", "custom_jvp": "primitive with defjvp",
    "defgrad": "defvjp", "remat": "checkpoint", "check_grads": "gradcheck",
    "register_pytree_node": "register_container", "vmap": "NumPy's broadcasting",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Explain what others call by another name."""
    hint = f"; what is called so elsewhere is {_ELSEWHERE[name]} here" if name in _ELSEWHERE else ""
    raise AttributeError(f"module 'tracejit' has no attribute {name!r}{hint}")
