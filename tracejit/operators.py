"""Differential operators: the gradient and its kin, each a thin word for the one engine.

A function enters, a function leaves that is called with the same arguments. It is recorded,
compiled and cached as that of jit_grad is, and can be called inside other traced functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .config import check_backend
from .errors import ConfigError
from .function import JitGrad
from .outcome import Wanted

Argnum = int | tuple[int, ...]


def _made(f: Callable[..., Any], wanted: Wanted, optimize: bool, backend: str) -> JitGrad:
    """Make the callable of an operator."""
    if not callable(f):
        raise TypeError(f"a differential operator takes a function, not a {type(f).__name__}")
    check_backend(backend)
    numbers = wanted.argnums
    if not numbers or not all(type(number) is int for number in numbers):
        raise ConfigError(f"argnum={wanted.argnum!r} must be an integer or a tuple of integers")
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
