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

from benchmarks.case import Function, over
from benchmarks.tree import leaves, with_leaves

SAME = ("tanh", "exp", "log", "log1p", "sqrt", "sin", "sum", "mean", "zeros", "eye", "linalg")


def numpy_names() -> ModuleType:
    """Collect PyTorch's functions under the names that the cases use."""
    names = ModuleType("torch_under_numpy_names")
    for name in SAME:
        setattr(names, name, getattr(torch, name))
    vars(names).update(max=torch.amax, var=partial(torch.var, correction=0))
    return names


def parameter(leaf: Any) -> Any:
    """Make a parameter of a number or an array, whose memory it uses."""
    if isinstance(leaf, np.ndarray):
        return torch.from_numpy(leaf).requires_grad_()
    return torch.tensor(leaf, requires_grad=True)


def on_numpy(
    loss: Function, example: Any, compile_loss: bool
) -> tuple[Function, Callable[[Any], tuple[Any, Any]]]:
    """Make what returns the loss and a list of gradients, and what gives that its structure."""
    torch.set_default_dtype(torch.float64)  # what NumPy makes of zeros, eye and numbers
    function = over(numpy_names(), loss)
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
