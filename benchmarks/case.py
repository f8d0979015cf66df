"""What a benchmark case is, and where the cases are found.

A case is written once, for NumPy, as a user of NumPy writes it. Contenders with an array namespace
of their own get the same function, with `np` bound to that namespace (`over`).
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from numpy.typing import NDArray

from benchmarks import cases

Array = NDArray[Any]
Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One problem: `loss(params, *rest)` and its gradient by `params`.

    `data()` makes the arguments, always the same. `by_hand(*arguments)` allocates its buffers for
    arguments of those shapes and returns a function that maps them to `(grads, loss)`, the grads
    in arrays that the caller may keep. `tuned` is the same after every trick has been played, for
    cases where tricks matter.
    """

    title: str
    loss: Function
    data: Callable[[], tuple[Any, ...]]
    by_hand: Callable[..., Function]
    tuned: Callable[..., Function] | None = None


def names() -> list[str]:
    """List the names of all cases: those of the files under `cases/`."""
    return [module.name for module in pkgutil.iter_modules(cases.__path__)]


def load(name: str) -> Case:
    """Import the case that the file `cases/<name>.py` defines."""
    case = importlib.import_module(f"{cases.__name__}.{name}").CASE
    assert isinstance(case, Case)
    return case


def over(namespace: ModuleType, function: Function) -> Function:
    """Copy a function, and the functions of its module, with `np` bound to another namespace."""
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
    return rebind(function)
