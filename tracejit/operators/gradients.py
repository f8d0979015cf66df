"""The gradient and its kin: thin words for the one engine.

A function enters, a function leaves that is called with the same arguments. It is recorded,
compiled and cached as that of jit_grad is, and can be called inside other traced functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..outcome import Wanted
from .recall import Argnum, made


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
    return made(f, Wanted(forward=False, argnum=argnum), optimize, backend)


def value_and_grad(
    f: Callable[..., Any], argnum: Argnum = 0, *, has_aux: bool = False, optimize: bool = True,
    backend: str = "auto",
) -> Callable[..., Any]:  # fmt: skip
    """Make of a scalar function one that gives (value, gradient).

    With has_aux=True f returns (value, aux), and the result is ((value, aux), gradient).
    """
    order = "value with aux" if has_aux else "value first"
    return made(f, Wanted(argnum=argnum, order=order), optimize, backend)


def grad_and_aux(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function that returns (value, aux) one that gives (gradient, aux)."""
    return made(f, Wanted(argnum=argnum, order="gradients with aux"), optimize, backend)


def elementwise_grad(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> Callable[..., Any]:
    """Make of a function that works element by element one that gives all its derivatives.

    It is the gradient of the sum of the outputs, so its elements are derivatives only if each
    output depends on one element alone. May be applied to its own result: the n-th derivative.

    >>> elementwise_grad(np.tanh)(x)                        # 1 - np.tanh(x) ** 2
    """
    return made(f, Wanted(forward=False, argnum=argnum, ones=True), optimize, backend)


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
