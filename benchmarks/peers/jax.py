"""JAX: the loss over `jax.numpy`, compiled as a whole, Python loops unrolled, in 64 bits.

Float32 arrays stay float32; without the 64-bit switch the float64 cases would be other problems.
"""

from typing import Any

import jax
import jax.numpy
import numpy as np

from benchmarks.case import Case, Function, over
from benchmarks.tree import with_leaves

jax.config.update("jax_enable_x64", True)


def hvp(loss: Function) -> Function:
    """Make what multiplies the Hessian with a vector: forward over reverse mode."""

    def product(params: Any, *rest: Any) -> Any:
        *others, vector = rest
        return jax.jvp(lambda at: jax.grad(loss)(at, *others), (params,), (vector,))[1]

    return product


OPERATORS: dict[str, Function] = {
    "value_and_grad": jax.value_and_grad,
    "hessian": jax.hessian,
    "jacobian": jax.jacobian,
    "hvp": hvp,
}


def compiled(case: Case) -> Function:
    """Make what returns the loss and its gradients, or a derivative, as JAX's arrays."""
    loss = over(jax.numpy, case.loss, jax.checkpoint)
    made: Function = jax.jit(OPERATORS[case.operator](loss))
    return made


def on_numpy(case: Case) -> Function:
    """Take NumPy arrays and give NumPy arrays."""
    call, get = compiled(case), jax.device_get
    return lambda *args: get(call(*args))


def on_device(case: Case) -> Function:
    """Take JAX's arrays and give them, computed."""
    call, finish = compiled(case), jax.block_until_ready
    return lambda *args: finish(call(*args))


def to_device(args: Any) -> Any:
    """Make JAX's arrays of the arguments, once."""
    return jax.device_put(args)


def read(result: Any) -> tuple[Any, Any]:
    """Make NumPy arrays of a derivative."""
    return None, with_leaves(result, np.asarray)


def read_gradient(result: Any) -> tuple[Any, Any]:
    """Make NumPy arrays of a loss and its gradients."""
    loss, grads = result
    return np.asarray(loss), with_leaves(grads, np.asarray)
