"""What makes gradients: one small function a contender, from a case to something to call.

A contender gets NumPy arrays and gives NumPy arrays, in the order in which its library returns
them: `Step.read` brings them into one order, outside of what is timed. A contender's package is
imported in its own process, before anything is timed; one that is not installed is reported absent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from benchmarks.case import Case, Function


def nothing_pending() -> None:
    """Return at once: everything was compiled within the calls."""


@dataclass(frozen=True, slots=True)
class Step:
    """A value and all its gradients, ready to be timed: `read(call(*args))` is (loss, grads).

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


def driven(drive: Function, gradient: Step) -> Step:
    """Make a step of a program that asks for gradients: its result stands for loss and grads."""
    call, read, rest = gradient.call, gradient.read, gradient.args[1:]

    def program(params: Any) -> Any:
        return drive(lambda at: read(call(at, *rest)), params)

    return Step(program, gradient.args[:1], lambda end: (end, end), gradient.wait)


def with_backend(case: Case, args: tuple[Any, ...], backend: str) -> Step:
    """Compile; without the audit, whose cost is bounded by a share of the time, not by a call."""
    from tracejit import jit_grad

    df = jit_grad(case.loss, audit=False, backend=backend)
    return Step(df, args, grads_first, df.wait)


@contender("tracejit", "tracejit", exact=True, caches=True)
def compiled(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile for the target that tracejit chooses."""
    return with_backend(case, args, "auto")


@contender("tracejit-numpy", "tracejit", exact=True)
def compiled_to_numpy(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile to calls of NumPy."""
    return with_backend(case, args, "numpy")


@contender("tracejit-direct", "tracejit", exact=True)
def direct(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call."""
    from tracejit import jit_grad

    return Step(jit_grad(case.loss, optimize=False), args, grads_first)


@contender("autograd", "autograd", module="benchmarks.peers.autograd")
def autograd(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call, with HIPS autograd."""
    call = import_module("benchmarks.peers.autograd").value_and_grad(case.loss)
    return Step(call, args, loss_first)


@contender("jax", "jax", module="benchmarks.peers.jax", caches=True)
def jax(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile with JAX; NumPy arrays go in at every call, and NumPy arrays come out."""
    return Step(import_module("benchmarks.peers.jax").on_numpy(case.loss), args, loss_first)


@contender(
    "jax-device",
    "jax",
    module="benchmarks.peers.jax",
    starts=False,  # what JAX compiles is the same
    lacks=lambda case: (
        "SciPy and NumPy around the gradient work on NumPy arrays" if case.drive else ""
    ),
)
def jax_device(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile with JAX; its own arrays go in and come out."""
    peer = import_module("benchmarks.peers.jax")
    return Step(peer.on_device(case.loss), peer.to_device(args), peer.read)


def with_torch(case: Case, args: tuple[Any, ...], compile_loss: bool) -> Step:
    """Differentiate with PyTorch; NumPy arrays go in and come out."""
    peer = import_module("benchmarks.peers.torch")
    call, read = peer.on_numpy(case.loss, args[0], compile_loss)
    return Step(call, args, read)


@contender("torch", "torch", module="benchmarks.peers.torch")
def torch(case: Case, args: tuple[Any, ...]) -> Step:
    """Record and differentiate at every call, with PyTorch."""
    return with_torch(case, args, compile_loss=False)


@contender("torch-compile", "torch", module="benchmarks.peers.torch", caches=True)
def torch_compile(case: Case, args: tuple[Any, ...]) -> Step:
    """Compile with PyTorch."""
    return with_torch(case, args, compile_loss=True)


@contender("numpy", "numpy")
def by_hand(case: Case, args: tuple[Any, ...]) -> Step:
    """Run what a careful NumPy user has written for this case, with `out=`."""
    return Step(case.by_hand(*args), args, grads_first)


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
