"""What makes gradients: one small function a contender, from a case to something to call.

A contender gets NumPy arrays and gives NumPy arrays, in the order in which its library returns
them: `Step.read` brings them into one order, outside of what is timed; of a derivative other than
the gradient the loss is None. A contender's package is
imported in its own process, before anything is timed; one that is not installed is reported absent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import Case, Function, over


def nothing_pending() -> None:
    """Return at once: everything was compiled within the calls."""


@dataclass(frozen=True, slots=True)
class Step:
    """A value and its gradients, or a derivative, to be timed: `read(call(*args))`: (loss, grads).

    `wait()` returns when nothing is being compiled beside the calls.
    """

    call: Function
    args: tuple[Any, ...]
    read: Callable[[Any], tuple[Any, Any]]
    wait: Callable[[], None] = nothing_pending


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to make gradients, the package that it needs, and the module that uses that.

    Of an `exact` one dtypes have to be NumPy's, too. `lacks(case)` says why it does not enter a
    case, or nothing. A floor does not compute gradients. What `starts` is also timed from its first
    call on, and what `caches` again with what it has kept on disk.
    """

    name: str
    package: str
    prepare: Callable[[Case, tuple[Any, ...]], Step]
    module: str = ""
    lacks: Callable[[Case], str] = lambda case: ""
    computes: bool = True
    exact: bool = False
    starts: bool = True
    caches: bool = False


CONTENDERS: dict[str, Contender] = {}


def contender(name: str, package: str, **options: Any) -> Callable[[Function], Function]:
    """Enter the decorated function into the table."""

    def enter(prepare: Function) -> Function:
        CONTENDERS[name] = Contender(name, package, prepare, **options)
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


def reading(case: Case, gradient: Callable[[Any], tuple[Any, Any]]) -> Any:
    """Read what comes of a case, whose gradients are read as given."""
    return gradient if case.is_gradient else lambda found: (None, case.arrays(found))


def dense(case: Case) -> str:
    """Say why a peer without sparse derivatives lacks a case."""
    return "no sparse Hessians" if case.operator == "sparse_hessian" else ""


def gradients_alone(case: Case) -> str:
    """Say why what enters with gradients alone lacks a case."""
    return "" if case.is_gradient else "enters the cases of gradients"


def known_to_tracejit(case: Case) -> str:
    """Say why tracejit lacks a case."""
    known = case.is_gradient or hasattr(import_module("tracejit"), case.operator)
    return "" if known else f"this version has no {case.operator}"


def driven(drive: Function, gradient: Step) -> Step:
    """Make a step of a program that asks for gradients: its result stands for loss and grads."""
    call, read, rest = gradient.call, gradient.read, gradient.args[1:]

    def program(params: Any) -> Any:
        return drive(lambda at: read(call(at, *rest)), params)

    return Step(program, gradient.args[:1], lambda end: (end, end), gradient.wait)


def with_tracejit(case: Case, args: tuple[Any, ...], **options: Any) -> Step:
    """Compile; without the audit, whose cost is bounded by a share of the time, not by a call."""
    import tracejit

    loss = case.loss
    if "checkpoint" in loss.__globals__:
        loss = over(np, loss, tracejit.checkpoint)
    if case.is_gradient:
        df: Any = tracejit.jit_grad(loss, audit=False, **options)
    else:
        df = getattr(tracejit, case.operator)(loss, **options)
    return Step(df, args, reading(case, grads_first), getattr(df, "wait", nothing_pending))


@contender("tracejit", "tracejit", exact=True, caches=True, lacks=known_to_tracejit)
def compiled(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile for the target that tracejit chooses."""
    return with_tracejit(case, args)


@contender("tracejit-numpy", "tracejit", exact=True, lacks=known_to_tracejit)
def compiled_to_numpy(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile to calls of NumPy."""
    return with_tracejit(case, args, backend="numpy")


@contender("tracejit-direct", "tracejit", exact=True, lacks=known_to_tracejit)
def direct(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call."""
    return with_tracejit(case, args, optimize=False)


@contender(
    "tracejit-gradient",
    "tracejit",
    lacks=lambda case: "" if case.operator == "hvp" else "stands beside products with Hessians",
    computes=False,
)
def gradient(case: Case, args: tuple[Any, ...]) -> Step:
    """Compute the gradient of a case whose Hessian is multiplied with a vector."""
    from tracejit import grad

    df: Any = grad(case.loss)
    return Step(df, args[:-1], loss_first, df.wait)


@contender("autograd", "autograd", module="benchmarks.peers.autograd", lacks=dense)
def autograd(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call, with HIPS autograd."""
    call = import_module("benchmarks.peers.autograd").derivative(case)
    return Step(call, args, reading(case, loss_first))


@contender("jax", "jax", module="benchmarks.peers.jax", caches=True, lacks=dense)
def jax(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile with JAX; NumPy arrays go in at every call, and NumPy arrays come out."""
    call = import_module("benchmarks.peers.jax").on_numpy(case)
    return Step(call, args, reading(case, loss_first))


@contender(
    "jax-device",
    "jax",
    module="benchmarks.peers.jax",
    starts=False,  # what JAX compiles is the same
    lacks=lambda case: (
        "SciPy and NumPy around the gradient work on NumPy arrays" if case.drive else dense(case)
    ),
)
def jax_device(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile with JAX; its own arrays go in and come out."""
    peer = import_module("benchmarks.peers.jax")
    call = peer.on_device(case)
    return Step(call, peer.to_device(args), peer.read_gradient if case.is_gradient else peer.read)


def with_torch(case: Case, args: tuple[Any, ...], compile_loss: bool) -> Step:
    """Differentiate with PyTorch; NumPy arrays go in and come out."""
    peer = import_module("benchmarks.peers.torch")
    if not case.is_gradient:
        return Step(peer.derivative(case), args, reading(case, loss_first))
    call, read = peer.on_numpy(case.loss, args[0], compile_loss)
    return Step(call, args, read)


@contender("torch", "torch", module="benchmarks.peers.torch", lacks=dense)
def torch(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call, with PyTorch."""
    return with_torch(case, args, compile_loss=False)


@contender(
    "torch-compile", "torch", module="benchmarks.peers.torch", caches=True, lacks=gradients_alone
)
def torch_compile(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile with PyTorch."""
    return with_torch(case, args, compile_loss=True)


@contender("numpy", "numpy")
def by_hand(case: Case, args: tuple[Any, ...]) -> Step:
    """Run what a careful NumPy user has written for this case, with `out=`."""
    return Step(case.by_hand(*args), args, reading(case, grads_first))


@contender(
    "numpy-tuned",
    "numpy",
    lacks=lambda case: "" if case.tuned else "no tricks to play",
)
def tuned(case: Case, args: tuple[Any, ...]) -> Step:
    """Run what an expert has made of it in an afternoon with a profiler."""
    assert case.tuned is not None
    return Step(case.tuned(*args), args, grads_first)


@contender(
    "floor",
    "numpy",
    lacks=lambda case: "" if case.floor else "neither products nor memory bound it",
    computes=False,
    starts=False,
)
def floor(case: Case, args: tuple[Any, ...]) -> Step:
    """Do only the products of the case, or only move its bytes."""
    assert case.floor is not None
    return Step(case.floor.prepare(), (), loss_first)
