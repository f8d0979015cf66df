"""Functions with a gradient of the user's own: the function runs as it is, and is one node.

A function enters, and later its gradient rules; an op leaves that is called like the function.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .dag.op import MISSING, Op


class Primitive(Op):
    """A function that is recorded as one operation, with the rules that `defvjp` gives it."""

    __slots__ = ("__dict__",)


def primitive(function: Callable[..., Any]) -> Primitive:
    """Make a function one operation of traced functions; `defvjp` says what its gradient is.

    The function gets plain arrays and numbers, so it may call anything, and returns one array or
    number. What can be traced must be passed by position; keyword arguments must be constants that
    have a literal (numbers, strings, tuples of them).

    >>> @primitive
    ... def floor(x):
    ...     return np.floor(x)
    >>> defvjp(floor, lambda g, out, x: g)      # a straight-through gradient
    >>> jit_grad(lambda x: np.sum(floor(x)))(np.ones(2))
    (array([1., 1.]), 2.0)
    """
    name = getattr(function, "__name__", "")
    made = Primitive(name if name.isidentifier() else "primitive", function, vjp=MISSING)
    functools.update_wrapper(made, function)
    return made


def defvjp(function: Primitive, *rules: Callable[..., Any] | None) -> None:
    """Say what the gradient of a primitive is: one rule for each positional argument.

    rules: `rule(g, out, *args, **kwargs)` gives the cotangent of its argument from that of the
        result, g, with the argument's shape; None says that it is zero. Rules are written with
        NumPy's functions, so that they can be differentiated, too.

    Raises:
        TypeError: the function was not made by `primitive`.
    """
    if not isinstance(function, Primitive):
        raise TypeError(f"defvjp() wants a function that @primitive decorates; got {function!r}")
    function.vjp = list(rules)
