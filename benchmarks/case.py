"""What a benchmark case is, and where the cases are found.

A case is written once, for NumPy, as a user of NumPy writes it. Contenders with an array namespace
of their own get the same function, with `np` bound to that namespace (`over`).
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, Literal

from numpy.typing import NDArray

from benchmarks import cases

Array = NDArray[Any]
Function = Callable[..., Any]
Operator = Literal["value_and_grad", "hessian", "jacobian", "hvp", "sparse_hessian"]


@dataclass(frozen=True, slots=True)
class Floor:
    """Work that no contender can do without: the products of a case, or the moving of its bytes.

    `prepare()` makes the operands and returns a function that does only that work.
    """

    bound: Literal["products", "memory"]
    prepare: Callable[[], Function]


def as_it_is(result: Any) -> Any:
    """Give what is given."""
    return result


@dataclass(frozen=True, slots=True)
class Case:
    """One problem: `loss(params, *rest)` and its gradient by `params`.

    With another `operator`, named as in tracejit, it is that derivative of `loss` by `params`, and
    `by_hand` makes a function that returns it alone; hvp takes the direction as a last argument.
    `arrays` makes arrays of a derivative that is none, to be compared.

    `data()` makes the arguments, always the same. `by_hand(*arguments)` allocates its buffers for
    arguments of those shapes and returns a function that maps them to `(grads, loss)`, the grads
    in arrays that the caller may keep. `tuned` is the same after every trick has been played, for
    cases where tricks matter. `drive`, where it is given, is the program around the gradient that
    is timed: it takes a function from params to `(loss, grads)`, and the params, and returns an
    array. Only `judged` cases count in the targets.
    """

    name: str
    title: str
    loss: Function
    data: Callable[[], tuple[Any, ...]]
    by_hand: Callable[..., Function]
    tuned: Callable[..., Function] | None = None
    floor: Floor | None = None
    drive: Callable[[Function, Any], Array] | None = None
    judged: bool = True
    operator: Operator = "value_and_grad"
    arrays: Function = as_it_is

    @property
    def is_gradient(self) -> bool:
        """Tell whether the loss and its gradient are wanted."""
        return self.operator == "value_and_grad"


@cache
def all_cases() -> dict[str, Case]:
    """Import every file under `cases/` and list the cases that they define, by name."""
    modules = [
        importlib.import_module(f"{cases.__name__}.{module.name}")
        for module in pkgutil.iter_modules(cases.__path__)
    ]
    found = [case for module in modules for case in module.CASES]
    assert len({case.name for case in found}) == len(found), "two cases have the same name"
    return {case.name: case for case in found}


def names() -> list[str]:
    """List the names of all cases."""
    return list(all_cases())


def load(name: str) -> Case:
    """Find a case by its name."""
    return all_cases()[name]


def over(namespace: ModuleType, function: Function, checkpoint: Function) -> Function:
    """Copy a function, and the functions of its module, with `np` bound to another namespace.

    `checkpoint`, where they use it, is that of the library.
    """
    assert isinstance(function, FunctionType)
    scope = {**function.__globals__, "np": namespace}

    def rebind(original: FunctionType) -> FunctionType:
        return FunctionType(
            original.__code__,
            scope,
            original.__name__,
            original.__defaults__,
            original.__closure__,
        )

    for name, value in function.__globals__.items():
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            scope[name] = rebind(value)
    scope["checkpoint"] = checkpoint
    return rebind(function)
