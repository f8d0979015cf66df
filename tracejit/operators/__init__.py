"""Differential operators beyond the gradient: along directions, and all derivatives at once.

A function enters; a function of the same arguments, or its values along a direction leave. Each is
a small program around a Tape of the function: recorded, compiled and found again like a gradient,
and callable inside other traced functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import ParameterTypeError, ShapeError, UnsupportedError
from ..ops.conversions import cast, is_complex
from ..trace import Recorder
from ..trace.creators import stop_gradient
from ..trace.recorder import active_recorder
from ..tree import list_leaves, unflatten
from .batch import over_stack
from .gradients import grad
from .later import asked_later
from .recall import Argnum, Body, program_of
from .tape import Tape, bound, is_number, is_numeric, matching

# -- along directions ------------------------------------------------------------------------------


def _running() -> Recorder | None:
    """The recorder of the traced function that this is called in, if any."""
    recorder = active_recorder()
    return recorder if recorder is not None and recorder.is_running() else None


def _tape_of(recorder: Recorder, f: Callable[..., Any], primals: Sequence[Any]) -> Tape:
    if not primals:
        raise TypeError("it takes at least one argument that f is differentiated by")
    return Tape(recorder, f, tuple(range(len(primals))), primals)


def _pushed(tape: Tape, tangents: tuple[Any, ...]) -> Any:
    pushed = tape.push(matching(tangents, tape.given, "tangent"))
    return unflatten(tape.out_tree, iter(pushed))


def _pulled(tape: Tape, cotangent: Any) -> Any:
    """The gradient: bare by one primal, a tuple by several."""
    gradients = unflatten(tape.tree, iter(tape.pull(matching(cotangent, tape.out, "cotangent"))))
    return gradients if len(gradients) > 1 else gradients[0]


def _pushing(f: Callable[..., Any], *_: Any) -> Body:
    def push(recorder: Recorder, primals: Any, tangents: Any) -> Any:
        tape = _tape_of(recorder, f, primals)
        return tape.out, _pushed(tape, tangents)

    return push


def _pulling(f: Callable[..., Any], *_: Any) -> Body:
    def pull(recorder: Recorder, primals: Any, cotangent: Any) -> Any:
        tape = _tape_of(recorder, f, primals)
        return tape.out, _pulled(tape, cotangent)

    return pull


def _running_once(f: Callable[..., Any], *_: Any) -> Body:
    """The output alone, of a function that is going to run again for its derivatives."""

    def once(recorder: Recorder, primals: Any) -> Any:
        tape = _tape_of(recorder, f, primals)
        if tape.draws:
            raise UnsupportedError(
                "the function draws random numbers, which it would draw anew when its derivatives "
                "are asked for; draw them before and pass them, or call vjp() or linearize() "
                "inside of a traced function"
            )
        return tape.out

    return once


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *,
    optimize: bool = True, backend: str = "auto",
) -> tuple[Any, Any]:  # fmt: skip
    """Give (f(*primals), J @ tangents): forward mode.

    Args:
        f: returns numbers and arrays, in nested structures.
        primals: the positional arguments: numbers and arrays, in nested structures.
        tangents: a direction for each, of its structure and shapes.

    Returns:
        The output, and its derivative along the tangents, in the same structure.

    >>> jvp(np.sin, (x,), (v,))                             # np.sin(x), np.cos(x) * v
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("jvp() takes primals and tangents as tuples: jvp(f, (x,), (v,))")
    if len(primals) != len(tangents):
        raise ShapeError(f"jvp() got {len(tangents)} tangents for {len(primals)} primals")
    push = program_of(_pushing, f, 0, optimize, backend)
    return push(tuple(primals), tuple(tangents))  # type: ignore[no-any-return]


def linearize(
    f: Callable[..., Any], *primals: Any, optimize: bool = True, backend: str = "auto"
) -> tuple[Any, Callable[..., Any]]:
    """Give f(*primals) and the function that maps tangents to J @ tangents there."""
    recorder = _running()
    if recorder is not None:
        tape = _tape_of(recorder, f, primals)
        return tape.out, lambda *tangents: _pushed(tape, tangents)
    out, ask = asked_later(_running_once, _pushing, f, primals, optimize, backend)
    return out, lambda *tangents: ask(tangents)


def vjp(
    f: Callable[..., Any], *primals: Any, optimize: bool = True, backend: str = "auto"
) -> tuple[Any, Callable[[Any], Any]]:
    """Give f(*primals) and the function that maps a cotangent to its products with J: reverse mode.

    Args:
        f: returns numbers and arrays, in nested structures.
        primals: the positional arguments: numbers and arrays, in nested structures.

    Returns:
        The output, and `pull(cotangent)`: the gradient by the argument, or by each of several as a
        tuple, of the sum of the products of output and cotangent, which has the output's structure
        and shapes.

    Raises:
        UnsupportedError: by `pull`; f reads other things from outside than when vjp() was called.

    >>> out, pull = vjp(np.sin, x); pull(v)                 # np.cos(x) * v
    """
    recorder = _running()
    if recorder is not None:
        tape = _tape_of(recorder, f, primals)
        return tape.out, lambda cotangent: _pulled(tape, cotangent)
    return asked_later(_running_once, _pulling, f, primals, optimize, backend)


def deriv(
    f: Callable[..., Any], argnum: int = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function of a number one that gives its derivative, in forward mode.

    The result has the structure and shapes of f's, which may be any.

    >>> deriv(lambda t: np.stack([np.cos(t), np.sin(t)]))(0.0)      # array([-0.,  1.])
    """
    return program_of(_deriv, f, argnum, optimize, backend)


def _deriv(f: Callable[..., Any], argnum: Argnum, *_: Any) -> Body:
    def derivative(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        tape = Tape(recorder, f, argnum, args, kwargs)
        if tape.tree.cls is not None or np.ndim(tape.given):
            what = f"has the shape {np.shape(tape.given)}" if tape.tree.cls is None else (
                f"is a {tape.tree.cls.__name__}"
            )
            raise ShapeError(f"deriv() is by a number; argument {argnum} {what}")
        return unflatten(tape.out_tree, iter(tape.push([np.ones_like(tape.given)[()]])))

    return derivative


def hvp(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a scalar function one that gives products of its Hessian with a vector.

    The result is called with f's positional arguments and the vector behind them, which has the
    structure and shapes of the argument (of several arguments, a tuple); so has what it returns.

    >>> hvp(rosen)(x, v)                                    # hessian(rosen)(x) @ v
    """
    return program_of(_hvp, f, argnum, optimize, backend)


def _hvp(f: Callable[..., Any], argnum: Argnum, *_: Any) -> Body:
    first = grad(f, argnum)

    def product(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        given, vector = _with_vector(f, args, kwargs)
        tape = Tape(recorder, first, argnum, *given)
        pulled = tape.pull(matching(vector, tape.out, "direction"))
        return unflatten(tape.tree, iter(pulled))

    return product


def _with_vector(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Tell f's arguments, with defaults, from the vector behind them."""
    try:
        return bound(f, args[:-1], kwargs), args[-1]
    except (TypeError, IndexError) as error:
        raise TypeError(f"{error}; a product takes f's arguments, then the vector") from None


def ggnvp(
    f: Callable[..., Any], g: Callable[..., Any] | None = None, argnum: int = 0, *,
    optimize: bool = True, backend: str = "auto",
) -> Callable[..., Any]:  # fmt: skip
    """Make products of a generalised Gauss-Newton matrix J' H J with a vector.

    J is the Jacobian of f, H the Hessian of g at f's output; of g left out, half of the sum of
    squares, H is the identity. Schraudolph 2002 (Fast curvature matrix-vector products).

    The result is called with f's positional arguments and the vector behind them.

    >>> ggnvp(residuals)(w, v)                              # J.T @ (J @ v)
    """
    return program_of(_ggnvp, f, argnum, optimize, backend, g)


def _ggnvp(
    f: Callable[..., Any], argnum: Argnum, optimize: bool, backend: str,
    g: Callable[..., Any] | None,
) -> Body:  # fmt: skip
    def product(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        given, vector = _with_vector(f, args, kwargs)
        tape = Tape(recorder, f, argnum, *given)
        curved = tape.push(matching(vector, tape.given, "direction"))
        if g is not None:
            tangent = unflatten(tape.out_tree, iter(curved))
            curved = list_leaves(hvp(g)(tape.out, tangent))
        return unflatten(tape.tree, iter(tape.pull(curved)))

    return product


# -- all derivatives at once -----------------------------------------------------------------------


def jacobian(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function one that gives all its derivatives, of shape out.shape + in.shape.

    Reverse mode where the output has fewer elements than the argument, forward mode where it has
    more; either goes over all directions at once, as one pass over stacks.

    Args:
        f: returns an array or number of any shape; of a structure of them, the result is that
            structure of what follows.
        argnum: the argument that the derivatives are by: an array or number, or a structure of
            them, whose structure the result then has; of several arguments, a tuple.

    By complex numbers, f is holomorphic where it is complex; where it is real, the derivatives are
    du/dx - i du/dy, as those of `grad` are.

    >>> jacobian(lambda x: np.sin(x) * x[0])(x)             # of shape (len(x), len(x))
    """
    return program_of(_jacobian, f, argnum, optimize, backend)


def hessian(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a scalar function of an array one that gives its Hessian, of shape in.shape * 2.

    Of a structure (of several arguments: a tuple) it is a structure of structures: by its first
    leaf, and then by each.

    >>> hessian(rosen)(x)                                   # of shape (len(x), len(x))
    """
    return program_of(_hessian, f, argnum, optimize, backend)


def _hessian(f: Callable[..., Any], argnum: Argnum, *_: Any) -> Body:
    first = grad(f, argnum)

    def derivatives(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        tape = Tape(recorder, first, argnum, *bound(f, args, kwargs))
        if any(is_number(leaf) and is_complex(leaf) for leaf in tape.parameters):
            raise ParameterTypeError(
                "hessian() is by real numbers: differentiate by real and imaginary parts, or use "
                "hvp(), which takes complex ones"
            )
        return _all_derivatives(tape)

    return derivatives


def _jacobian(f: Callable[..., Any], argnum: Argnum, *_: Any) -> Body:
    return lambda recorder, *args, **kwargs: _all_derivatives(
        Tape(recorder, f, argnum, args, kwargs)
    )


def _all_derivatives(tape: Tape) -> Any:
    """All derivatives, in the structure of the output, each leaf in that of the parameters."""
    return unflatten(tape.out_tree, iter([_of_leaf(tape, n) for n in range(len(tape.leaves))]))


def _of_leaf(tape: Tape, number: int) -> Any:
    """All derivatives of one leaf of the output."""
    out = stop_gradient(tape.leaves[number])
    places = [i for i, leaf in enumerate(tape.parameters) if is_number(leaf)]
    leaves = [tape.parameters[i] for i in places]
    if not is_number(out):  # integers, or nothing that has a shape
        zeros = [np.zeros(np.shape(out) + np.shape(leaf)) for leaf in leaves]
        return tape.structured(places, zeros) if is_numeric(out) else None

    def pull(u: Any) -> list[Any]:
        cotangents = [u if n == number else None for n in range(len(tape.leaves))]
        pulled = tape.pull(cotangents)
        return [pulled[place] for place in places]

    few = np.size(out) <= sum(int(np.size(leaf)) for leaf in leaves)
    backward = [
        few if is_complex(leaf) == is_complex(out) else is_complex(leaf) for leaf in leaves
    ]
    found: list[Any] = [None] * len(leaves)
    if any(backward):
        found = over_stack(tape.recorder, pull, out)
    for i in range(len(leaves)):
        if not backward[i]:
            found[i] = _columns(tape, number, places[i])
    shaped = [
        np.reshape(stack, (*np.shape(out), *np.shape(leaf)))
        for stack, leaf in zip(found, leaves, strict=True)
    ]
    kind = np.complex64 if is_complex(out) else np.float16
    pairs = zip(shaped, leaves, strict=True)
    return tape.structured(places, [cast(j, _dtype(leaf, kind)) for j, leaf in pairs])


def _dtype(leaf: Any, kind: Any) -> Any:
    """The dtype of derivatives: as precise as what they are by, complex where the output is."""
    dtype = leaf.dtype if hasattr(leaf, "dtype") else np.result_type(leaf)
    return np.result_type(dtype, kind) if dtype.kind == "f" else dtype


def _columns(tape: Tape, number: int, place: int) -> Any:
    """The derivatives of an output by one leaf in forward mode, the axes of the output first."""

    def push(tangent: Any) -> list[Any]:
        tangents = [tangent if n == place else None for n in range(len(tape.parameters))]
        return [tape.push(tangents, only=number)[number]]

    leaf = stop_gradient(tape.parameters[place])
    (stack,) = over_stack(tape.recorder, push, leaf, as_columns=True)
    return np.moveaxis(stack, 0, -1)
