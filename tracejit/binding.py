"""How a call's arguments come to a function's parameters.

Positional and keyword arguments and defaults enter; one flat tuple of values leaves, in the order
of the parameters, with the names of those that must be passed by keyword. So every way of writing
a call finds the same compiled function, and defaults are inputs like any other argument.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any


class Binding:
    """The parameters of one function."""

    __slots__ = (
        "_marks", "arity", "extra", "fills_defaults", "keyword_only", "positional", "signature",
        "simple",
    )  # fmt: skip

    def __init__(self, function: Callable[..., Any]) -> None:
        self._marks = _marks(function)
        self.signature: inspect.Signature | None
        try:
            self.signature = inspect.signature(function, follow_wrapped=False)
        except (TypeError, ValueError):  # C functions without a signature
            self.signature = None
        parameters = list(self.signature.parameters.values()) if self.signature else []
        places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.positional = tuple(p.name for p in parameters if p.kind in places)
        self.keyword_only = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
        self.arity = len(self.positional)
        # Of other callables they may be markers that mean "not given", or change (of a partial).
        self.fills_defaults = isinstance(function, (FunctionType, MethodType)) and not (
            function.__module__ or ""
        ).startswith("numpy")
        self.simple = not self.keyword_only
        self.extra: tuple[str, ...] = getattr(function, "argument_names", ())  # of *args

    def outdated(self, function: Callable[..., Any]) -> bool:
        """Tell whether the function has been given other code or defaults."""
        if type(function) is not FunctionType:
            return False
        code, defaults, keyword_defaults = self._marks
        return (
            function.__code__ is not code
            or function.__defaults__ is not defaults
            or function.__kwdefaults__ is not keyword_defaults
        )

    def fills_in(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether a call may leave arguments to their defaults."""
        return self.fills_defaults and (len(args) + len(kwargs) < self.arity or not self.simple)

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], tuple[str, ...]]:
        """Order the arguments and fill in defaults; TypeError as Python gives it."""
        if self.signature is None:
            return (*args, *kwargs.values()), tuple(kwargs)
        if not kwargs and len(args) == self.arity and self.simple:
            return args, ()
        bound = self.signature.bind(*args, **kwargs)
        if self.fills_defaults:
            bound.apply_defaults()
        return (*bound.args, *bound.kwargs.values()), tuple(bound.kwargs)

    def names(self, count: int, keywords: tuple[str, ...]) -> tuple[str, ...]:
        """Name the bound values: parameters by their names; of *args, some by number."""
        places = count - len(keywords)
        known = [name for name in self.extra if name not in keywords]
        count = places - len(self.positional)
        extra = *known[:count], *(f"arg_{i}" for i in range(len(known), count))
        return (*self.positional[:places], *extra, *keywords)


def _marks(function: Any) -> tuple[Any, ...]:
    names = ("__code__", "__defaults__", "__kwdefaults__")
    return tuple(getattr(function, name, None) for name in names)


def call(function: Callable[..., Any], values: list[Any], keywords: tuple[str, ...]) -> Any:
    """Call a function with bound values."""
    if not keywords:
        return function(*values)
    places = len(values) - len(keywords)
    return function(*values[:places], **dict(zip(keywords, values[places:], strict=True)))
