"""What makes gradients: one small function a contender, from a case to something to call.

A contender gets NumPy arrays and gives NumPy arrays, in the order in which its library returns
them: `Step.read` brings them into one order, outside of what is timed. Nothing is imported before
the contender's own process asks for it, so a contender that is not installed is just skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from benchmarks.case import Case, Function, over


@dataclass(frozen=True, slots=True)
class Step:
    """A value and all its gradients, ready to be timed: `read(call(*args))` is (loss, grads)."""

    call: Function
    args: tuple[Any, ...]
    read: Callable[[Any], tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to make gradients, and the package that it needs."""

    name: str
    package: str
    prepare: Callable[[Case, tuple[Any, ...]], Step]
    enters: Callable[[Case], bool] = lambda case: True

    def version(self) -> str | None:
        """Name the installed version of the package; None if it is not there."""
        if find_spec(self.package) is None:
            return None
        try:
            return metadata.version(self.package)
        except metadata.PackageNotFoundError:
            return "not installed, from the working directory"


CONTENDERS: dict[str, Contender] = {}


def contender(
    name: str, package: str, enters: Callable[[Case], bool] = lambda case: True
) -> Callable[[Function], Function]:
    """Enter the decorated function into the table, for the cases that it `enters`."""

    def enter(prepare: Function) -> Function:
        CONTENDERS[name] = Contender(name, package, prepare, enters)
        return prepare

    return enter


def loss_first(result: Any) -> tuple[Any, Any]:
    """Read `(loss, grads)`."""
    loss, grads = result
    return loss, grads


def grads_first(result: Any) -> tuple[Any, Any]:
    """Read `(grads, loss)`."""
    grads, loss = result
    return loss, grads


@contender("tracejit", "tracejit")
def compiled(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile; without the audit, whose cost is bounded by a share of the time, not by a call."""
    from tracejit import jit_grad

    return Step(jit_grad(case.loss, audit=False), args, grads_first)


@contender("tracejit-direct", "tracejit")
def direct(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call."""
    from tracejit import jit_grad

    return Step(jit_grad(case.loss, optimize=False), args, grads_first)


@contender("autograd", "autograd")
def autograd(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call, with HIPS autograd."""
    import autograd.numpy  # type: ignore[import-untyped]
    from autograd import value_and_grad

    return Step(value_and_grad(over(autograd.numpy, case.loss)), args, loss_first)


@contender("numpy", "numpy")
def by_hand(case: Case, args: tuple[Any, ...]) -> Step:
    """Run what a careful NumPy user has written for this case, with `out=`."""
    return Step(case.by_hand(*args), args, grads_first)


@contender("numpy-tuned", "numpy", enters=lambda case: case.tuned is not None)
def tuned(case: Case, args: tuple[Any, ...]) -> Step:
    """Run what an expert has made of it in an afternoon with a profiler."""
    assert case.tuned is not None
    return Step(case.tuned(*args), args, grads_first)
