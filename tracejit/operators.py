"""Differential operators: the gradient and its kin, each a thin word for the one engine.

A function enters, a function leaves that is called with the same arguments. It is recorded,
compiled and cached as that of jit_grad is, and can be called inside other traced functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .batch import over_stack
from .config import check_backend
from .errors import ShapeError
from .function import JitGrad
from .outcome import Wanted
from .trace import Recorder
from .trace.creators import stop_gradient
from .trace.recorder import active_recorder
from .tree import flatten, list_leaves, unflatten

Argnum = int | tuple[int, ...]


def _made(f: Callable[..., Any], wanted: Wanted, optimize: bool, backend: str) -> JitGrad:
    """Make the callable of an operator."""
    if not callable(f):
        raise TypeError(f"a differential operator takes a function, not a {type(f).__name__}")
    check_backend(backend)
    return JitGrad(f, wanted, optimize, None, True, backend)


def grad(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a scalar function one that gives its gradient.

    >>> grad(lambda w, x: np.sum(np.tanh(x @ w)))(w, x)     # of the shape of w

    Args:
        f: returns a real scalar, or a tuple whose first item is one.
        argnum: the argument that the gradient is by; of several a tuple of gradients is returned.
            An argument may hold numbers and arrays in nested lists, dicts and the like.
        optimize, backend: as in jit_grad.

    Returns:
        A function of the same arguments; the gradient is du/dx - i du/dy where they are complex.

    Raises:
        NotScalarError, ParameterTypeError: when called; see jit_grad.
    """
    return _made(f, Wanted(forward=False, argnum=argnum), optimize, backend)


def value_and_grad(
    f: Callable[..., Any], argnum: Argnum = 0, *, has_aux: bool = False, optimize: bool = True,
    backend: str = "auto",
) -> Callable[..., Any]:  # fmt: skip
    """Make of a scalar function one that gives (value, gradient).

    With has_aux=True f returns (value, aux), and the result is ((value, aux), gradient).
    """
    order = "value with aux" if has_aux else "value first"
    return _made(f, Wanted(argnum=argnum, order=order), optimize, backend)


def grad_and_aux(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function that returns (value, aux) one that gives (gradient, aux)."""
    return _made(f, Wanted(argnum=argnum, order="gradients with aux"), optimize, backend)


def elementwise_grad(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function that works element by element one that gives all its derivatives.

    It is the gradient of the sum of the outputs, so its elements are derivatives only if each
    output depends on one element alone. May be applied to its own result: the n-th derivative.

    >>> elementwise_grad(np.tanh)(x)                        # 1 - np.tanh(x) ** 2
    """
    return _made(f, Wanted(forward=False, argnum=argnum, ones=True), optimize, backend)


def holomorphic_grad(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a holomorphic function of complex numbers one that gives its derivative.

    f returns one complex number, or an array whose elements each depend on one element alone.

    >>> holomorphic_grad(np.exp)(1j)                        # np.exp(1j)
    """
    return elementwise_grad(f, argnum, optimize=optimize, backend=backend)


def multigrad(
    f: Callable[..., Any], argnums: tuple[int, ...] = (0,), *, optimize: bool = True,
    backend: str = "auto",
) -> Callable[..., Any]:  # fmt: skip
    """Make of a scalar function one that gives its gradients by several arguments, as a tuple."""
    return grad(f, tuple(argnums), optimize=optimize, backend=backend)


# -- along directions ------------------------------------------------------------------------------


def _options(optimize: bool, backend: str) -> dict[str, Any]:
    return {"optimize": optimize, "backend": backend}


def _outputs(f: Callable[..., Any], optimize: bool, backend: str) -> JitGrad:
    """Make of a function one that computes the same, compiled."""
    return _made(f, Wanted(gradients=False), optimize, backend)


@functools.lru_cache(maxsize=1024)
def _program(
    make: Callable[..., Callable[..., Any]], f: Callable[..., Any], argnum: Argnum, optimize: bool,
    backend: str, *more: Any,
) -> JitGrad:  # fmt: skip
    """Compile what `make` makes of a function: once for each, so that a loop finds it again."""
    program = make(f, argnum, optimize, backend, *more)
    program.__name__ = f"{make.__name__.strip('_')}_of_{getattr(f, '__name__', 'function')}"
    return _outputs(program, optimize, backend)


def _of_argument(
    f: Callable[..., Any], args: Sequence[Any], argnum: int, kwargs: dict[str, Any]
) -> Callable[[Any], Any]:
    """Make of a function one of a single argument, with the others as they are."""
    return lambda value: f(*args[:argnum], value, *args[argnum + 1 :], **kwargs)


def _paired(left: Any, right: Any) -> Any:
    """The sum of products of two equal structures, leaf by leaf; nothing is conjugated."""
    ours: list[Any] = []
    theirs: list[Any] = []
    if flatten(left, ours) != flatten(right, theirs):
        raise ShapeError("a direction must have the structure of what it is a direction of")
    total: Any = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a is None:
            continue
        if np.shape(a) != np.shape(b):
            raise ShapeError(
                f"a direction must have the shape of what it is a direction of: {np.shape(a)}; "
                f"its shape is {np.shape(b)}"
            )
        total = total + np.sum(a * b)
    return total


def _pushing(
    f: Callable[..., Any], argnum: Argnum, optimize: bool, backend: str
) -> Callable[..., Any]:
    """Forward mode by transposing the reverse sweep: u -> J'u is linear, so its own vjp is J.

    Nothing but its linear part is left once what is not needed is dropped.
    """
    plain, options = _outputs(f, optimize, backend), _options(optimize, backend)

    def push(primals: Any, tangents: Any) -> Any:
        every = tuple(range(len(primals)))
        pulled = _made(f, Wanted(False, True, True, every, transposed=True), optimize, backend)
        out = plain(*primals)
        along = elementwise_grad(lambda u: _paired(pulled(*primals, u), tangents), **options)
        return out, along(stop_gradient(out))

    return push


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *,
    optimize: bool = True, backend: str = "auto",
) -> tuple[Any, Any]:  # fmt: skip
    """Give (f(*primals), J @ tangents): forward mode.

    Args:
        f: returns one array or number of any shape.
        primals: the positional arguments: numbers and arrays, in nested structures.
        tangents: a direction for each, of its structure and shapes.

    >>> jvp(np.sin, (x,), (v,))                             # np.sin(x), np.cos(x) * v
    """
    return _program(_pushing, f, 0, optimize, backend)(tuple(primals), tuple(tangents))  # type: ignore[no-any-return]


def linearize(
    f: Callable[..., Any], *primals: Any, optimize: bool = True, backend: str = "auto"
) -> tuple[Any, Callable[..., Any]]:
    """Give f(*primals) and the function that maps tangents to J @ tangents there."""
    options = _options(optimize, backend)
    out = _outputs(f, **options)(*primals)
    return out, lambda *tangents: jvp(f, primals, tangents, **options)[1]


def vjp(
    f: Callable[..., Any], *primals: Any, optimize: bool = True, backend: str = "auto"
) -> tuple[Any, Callable[[Any], Any]]:
    """Give f(*primals) and the function that maps a cotangent to its products with J: reverse mode.

    Args:
        f: returns one array or number of any shape.
        primals: the positional arguments: numbers and arrays, in nested structures.

    Returns:
        The output, and `pull(cotangent)`: the gradient by the argument, or by each of several as a
        tuple, of the sum of the products of output and cotangent, which has the output's shape.

    >>> out, pull = vjp(np.sin, x); pull(v)                 # np.cos(x) * v
    """
    every = tuple(range(len(primals)))
    wanted = Wanted(forward=False, partial=True, argnum=every if len(every) > 1 else 0)
    pulled = _made(f, wanted, optimize, backend)
    out = _outputs(f, optimize, backend)(*primals)
    return out, lambda cotangent: pulled(*primals, cotangent)


def deriv(
    f: Callable[..., Any], argnum: int = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function of a number one that gives its derivative, in forward mode.

    The result has the shape of f's, which may be any.

    >>> deriv(lambda t: np.stack([np.cos(t), np.sin(t)]))(0.0)      # array([-0.,  1.])
    """
    return _program(_derivative, f, argnum, optimize, backend)


def _derivative(
    f: Callable[..., Any], argnum: int, optimize: bool, backend: str
) -> Callable[..., Any]:
    plain = _outputs(f, optimize, backend)

    def derivative(*args: Any, **kwargs: Any) -> Any:
        number = args[argnum]
        if np.ndim(number):
            shape = np.shape(number)
            raise ShapeError(f"deriv() is by a number; argument {argnum} has the shape {shape}")

        push = _pushing(_of_argument(plain, args, argnum, kwargs), 0, optimize, backend)
        return push((number,), (np.ones_like(number)[()],))[1]

    return derivative


def hvp(
    f: Callable[..., Any], argnum: int = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a scalar function one that gives products of its Hessian with a vector.

    The result is called with f's positional arguments and the vector behind them, which has the
    structure and shapes of the argument; so has what it returns.

    >>> hvp(rosen)(x, v)                                    # hessian(rosen)(x) @ v
    """
    return _program(_hessian_product, f, argnum, optimize, backend)


def _hessian_product(
    f: Callable[..., Any], argnum: int, optimize: bool, backend: str
) -> Callable[..., Any]:
    options = _options(optimize, backend)
    first = grad(f, argnum, **options)

    def product(*args: Any, **kwargs: Any) -> Any:
        *given, vector = args
        along = grad(lambda *at: _paired(first(*at, **kwargs), vector), argnum, **options)
        return along(*given)

    return product


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
    return _program(_gauss_newton, f, argnum, optimize, backend, g)


def _gauss_newton(
    f: Callable[..., Any], argnum: int, optimize: bool, backend: str,
    g: Callable[..., Any] | None,
) -> Callable[..., Any]:  # fmt: skip
    plain, options = _outputs(f, optimize, backend), _options(optimize, backend)

    def product(*args: Any) -> Any:
        *given, vector = args
        of_it = _of_argument(plain, given, argnum, {})
        out, tangent = _pushing(of_it, 0, optimize, backend)((given[argnum],), (vector,))
        curved = tangent if g is None else hvp(g, **options)(out, tangent)
        return vjp(of_it, given[argnum], **options)[1](curved)

    return product


# -- all derivatives at once -----------------------------------------------------------------------


def jacobian(
    f: Callable[..., Any], argnum: int = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function one that gives all its derivatives, of shape out.shape + in.shape.

    Reverse mode where the output has fewer elements than the argument, forward mode where it has
    more; either goes over all directions at once, as one pass over stacks.

    Args:
        f: returns one array or number of any shape.
        argnum: the argument that the derivatives are by: an array or number, or a structure of
            them, whose structure the result then has.

    >>> jacobian(lambda x: np.sin(x) * x[0])(x)             # of shape (len(x), len(x))
    """
    return _program(_derivatives, f, argnum, optimize, backend)


def hessian(
    f: Callable[..., Any], argnum: int = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a scalar function of an array one that gives its Hessian, of shape in.shape * 2.

    >>> hessian(rosen)(x)                                   # of shape (len(x), len(x))
    """
    return _program(_second_derivatives, f, argnum, optimize, backend)


def _second_derivatives(
    f: Callable[..., Any], argnum: int, optimize: bool, backend: str
) -> Callable[..., Any]:
    first = grad(f, argnum, optimize=optimize, backend=backend)
    return _derivatives(first, argnum, optimize, backend)


def _derivatives(
    f: Callable[..., Any], argnum: int, optimize: bool, backend: str
) -> Callable[..., Any]:
    plain = _outputs(f, optimize, backend)
    pulled, transposed = (
        _made(f, Wanted(False, True, True, argnum, transposed=forward), optimize, backend)
        for forward in (False, True)
    )

    def derivatives(*args: Any, **kwargs: Any) -> Any:
        recorder = active_recorder()
        if recorder is None:  # an audit asks what it does as plain Python
            return _outputs(derivatives, False, backend)(*args, **kwargs)
        out = stop_gradient(plain(*args, **kwargs))
        leaves: list[Any] = []
        tree = flatten(args[argnum], leaves)

        reverse = np.size(out) <= sum(int(np.size(leaf)) for leaf in leaves)

        def pull(u: Any) -> list[Any]:
            return list_leaves((pulled if reverse else transposed)(*args, u, **kwargs))

        if reverse:
            found = over_stack(recorder, pull, out, _directions(out))
        else:
            found = [_columns(recorder, pull, out, i, leaf) for i, leaf in enumerate(leaves)]
        shapes = [(*np.shape(out), *np.shape(leaf)) for leaf in leaves]
        pairs = zip(found, shapes, strict=True)
        return unflatten(tree, iter([np.reshape(stack, shape) for stack, shape in pairs]))

    return derivatives


def _directions(like: Any) -> Any:
    """All unit vectors of the shape of an array, as a stack."""
    size = int(np.size(like))
    return np.reshape(np.eye(size, dtype=np.result_type(like)), (size, *np.shape(like)))


def _columns(
    recorder: Recorder, pull: Callable[[Any], list[Any]], out: Any, number: int, leaf: Any
) -> Any:
    """The derivatives by one leaf in forward mode, the axes of the output first."""

    def push(tangent: Any) -> list[Any]:
        along = elementwise_grad(lambda u: np.sum(pull(u)[number] * tangent))
        return [along(out)]

    (stack,) = over_stack(recorder, push, stop_gradient(leaf), _directions(leaf))
    return np.moveaxis(stack, 0, -1)
