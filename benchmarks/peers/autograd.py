"""HIPS autograd: the loss over its copy of NumPy."""

import autograd
import autograd.numpy

from benchmarks.case import Function, over


def value_and_grad(loss: Function) -> Function:
    """Make what returns the loss and its gradients."""
    made: Function = autograd.value_and_grad(over(autograd.numpy, loss))
    return made
