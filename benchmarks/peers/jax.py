"""JAX: the loss over `jax.numpy`, compiled as a whole, Python loops unrolled, in 64 bits.

Float32 arrays stay float32; without the 64-bit switch the float64 cases would be other problems.
"""

from typing import Any

import jax
import jax.numpy
import numpy as np

from benchmarks.case import Function, over
from benchmarks.tree import with_leaves

jax.config.update("jax_enable_x64", True)


def compiled(loss: Function) -> Function:
    """Make what returns the loss and its gradients, as JAX's arrays."""
    made: Function = jax.jit(jax.value_and_grad(over(jax.numpy, loss)))
    return made


def on_numpy(loss: Function) -> Function:
    """Take NumPy arrays and give NumPy arrays."""
    call, get = compiled(loss), jax.device_get
    return lambda *args: get(call(*args))


def on_device(loss: Function) -> Function:
    """Take JAX's arrays and give them, computed."""
    call, finish = compiled(loss), jax.block_until_ready
    return lambda *args: finish(call(*args))


def to_device(args: Any) -> Any:
    """Make JAX's arrays of the arguments, once."""
    return jax.device_put(args)


def read(result: Any) -> tuple[Any, Any]:
    """Make NumPy arrays of the results."""
    loss, grads = result
    return np.asarray(loss), with_leaves(grads, np.asarray)
