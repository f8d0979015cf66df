"""PyTorch: the loss over its functions under NumPy's names, eager or by `torch.compile`.

NumPy's memory is used as it is on the way in (`torch.from_numpy`) and out (`.numpy()`). PyTorch
knows `axis` and `keepdims`, so that most functions need nothing but their names.
"""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch.utils import checkpoint as checkpoints

from benchmarks.case import Case, Function, over
from benchmarks.tree import leaves, with_leaves

SAME = ("tanh", "exp", "log", "log1p", "sqrt", "sin", "sum", "mean", "zeros", "eye", "linalg")


def numpy_names() -> ModuleType:
    """Collect PyTorch's functions under the names that the cases use."""
    names = ModuleType("torch_under_numpy_names")
    for name in SAME:
        setattr(names, name, getattr(torch, name))
    vars(names).update(max=torch.amax, var=partial(torch.var, correction=0), logaddexp=logaddexp)
    return names


def logaddexp(x: Any, y: Any) -> Any:
    """Take numbers, too."""
    return torch.logaddexp(torch.as_tensor(x), torch.as_tensor(y))


def checkpoint(function: Function) -> Function:
    """Make a function keep none of its values."""
    return partial(checkpoints.checkpoint, function, use_reentrant=False)


def over_torch(loss: Function) -> Function:
    """Bind the names of a loss to PyTorch's functions."""
    torch.set_default_dtype(torch.float64)  # what NumPy makes of zeros, eye and numbers
    return over(numpy_names(), loss, checkpoint)


def hvp(loss: Function) -> Function:
    """Make what multiplies the Hessian with a vector: forward over reverse mode."""

    def product(params: Any, *rest: Any) -> Any:
        *others, vector = rest
        gradient = torch.func.grad(lambda at: loss(at, *others))
        return torch.func.jvp(gradient, (params,), (vector,))[1]

    return product


OPERATORS: dict[str, Function] = {
    "hessian": torch.func.hessian,
    "jacobian": torch.func.jacrev,
    "hvp": hvp,
}


def derivative(case: Case) -> Function:
    """Make what returns a derivative; NumPy arrays go in and come out."""
    call = OPERATORS[case.operator](over_torch(case.loss))

    def on_arrays(*args: Any) -> Any:
        result = call(*(with_leaves(arg, torch.from_numpy) for arg in args))
        return with_leaves(result, lambda leaf: leaf.detach().numpy())

    return on_arrays


def parameter(leaf: Any) -> Any:
    """Make a parameter of a number or an array, whose memory it uses."""
    if isinstance(leaf, np.ndarray):
        return torch.from_numpy(leaf).requires_grad_()
    return torch.tensor(leaf, requires_grad=True)


def on_numpy(
    loss: Function, example: Any, compile_loss: bool
) -> tuple[Function, Callable[[Any], tuple[Any, Any]]]:
    """Make what returns the loss and a list of gradients, and what gives that its structure."""
    function = over_torch(loss)
    if compile_loss:
        function = torch.compile(function, dynamic=False)
    from_numpy, grad = torch.from_numpy, torch.autograd.grad

    def call(params: Any, *rest: Any) -> tuple[Any, list[Any]]:
        tracked = with_leaves(params, parameter)
        value = function(tracked, *map(from_numpy, rest))
        return value.detach().numpy(), [g.numpy() for g in grad(value, leaves(tracked))]

    def read(result: Any) -> tuple[Any, Any]:
        value, grads = result
        found = iter(grads)
        return value, with_leaves(example, lambda _: next(found))

    return call, read
