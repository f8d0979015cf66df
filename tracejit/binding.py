"""How a call's arguments come to a function's parameters.

Positional and keyword arguments and defaults enter; one flat tuple of values leaves, in the order
of the parameters, with the names of those that must be passed by keyword. So every way of writing
a call finds the same compiled function, and defaults are inputs like any other argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

import numpy as np


class Binding:
    """The parameters of one function."""

    __slots__ = ("arity", "fills_defaults", "keyword_only", "positional", "signature", "simple")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.signature: inspect.Signature | None
        try:
            self.signature = inspect.signature(function)
        except (TypeError, ValueError):  # C functions without a signature
            self.signature = None
        parameters = list(self.signature.parameters.values()) if self.signature else []
        places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.positional = tuple(p.name for p in parameters if p.kind in places)
        self.keyword_only = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.arity = len(self.positional)
        self.fills_defaults = not isinstance(function, (BuiltinFunctionType, np.ufunc)) and not (
            getattr(function, "__module__", "") or ""
        ).startswith("numpy")
        self.simple = not self.keyword_only

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        """Order the arguments and fill in defaults; TypeError as Python gives it."""
        if self.signature is None:
            return (*args, *kwargs.values()), tuple(kwargs)
        if not kwargs and len(args) == self.arity and self.simple:
            return args, ()
        bound = self.signature.bind(*args, **kwargs)
        if self.fills_defaults:  # defaults of C functions may be markers that mean "not given"
            bound.apply_defaults()
        return (*bound.args, *bound.kwargs.values()), tuple(bound.kwargs)

    def names(self, count: int, keywords: tuple[str, ...]) -> tuple[str, ...]:
        """Name the bound values: parameters by their names, *args by number."""
        places = count - len(keywords)
        extra = tuple(f"arg_{i}" for i in range(places - len(self.positional)))
        return (*self.positional[:places], *extra, *keywords)


def call(function: Callable[..., Any], values: list[Any], keywords: tuple[str, ...]) -> Any:
    """Call a function with bound values."""
    if not keywords:
        return function(*values)
    places = len(values) - len(keywords)
    return function(*values[:places], **dict(zip(keywords, values[places:], strict=True)))
