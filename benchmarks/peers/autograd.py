"""HIPS autograd: the loss over its copy of NumPy."""

from typing import Any

import autograd
import autograd.numpy
from autograd.differential_operators import make_hvp

from benchmarks.case import Case, Function, over


def hvp(loss: Function) -> Function:
    """Make what multiplies the Hessian, at its arguments but the last, with that."""

    def product(*args: Any) -> Any:
        *at, vector = args
        return make_hvp(loss)(*at)[0](vector)

    return product


OPERATORS: dict[str, Function] = {
    "value_and_grad": autograd.value_and_grad,
    "hessian": autograd.hessian,
    "jacobian": autograd.jacobian,
    "hvp": hvp,
}


def derivative(case: Case) -> Function:
    """Make what returns the loss and its gradients, or the derivative that is wanted."""
    loss = over(autograd.numpy, case.loss, autograd.checkpoint)
    made: Function = OPERATORS[case.operator](loss)
    return made
