"""Gradients for functions of other libraries, under the names by which they are called.

>>> overload.module("special", special, lambda m: m.gradient("floor", [lambda g, out, x: g]))
>>> overload.uninstall("special")

Nothing but what is named is replaced: each function by one that does the same outside of traced
functions, and is one recorded operation inside. `uninstall` puts back what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .dag.op import is_traced
from .errors import ConfigError, UnsupportedError
from .primitive import Primitive, defvjp

_INSTALLED: dict[str, Overloads] = {}


class Overloads:
    """What is replaced in one module or class; see `module`."""

    def __init__(self, name: str, target: Any) -> None:
        self.name = name
        self._target = target
        self._replaced: dict[str, Any] = {}  # by name: what was there

    def gradient(self, name: str, rules: Sequence[Callable[..., Any] | None]) -> None:
        """Record the function, with a rule `(g, out, *args) -> cotangent` for each argument."""
        defvjp(self._replace(name, self._original(name)), *rules)

    def static(self, name: str) -> None:
        """Record the function; its gradient is zero."""
        self._replace(name, self._original(name)).declare(is_zero=True)

    def unsupported(self, name: str) -> None:
        """Let the function raise UnsupportedError where it is given a traced value."""
        original = self._original(name)

        def refuse(*args: Any, **kwargs: Any) -> Any:
            if any(map(is_traced, (*args, *kwargs.values()))):
                raise UnsupportedError(f"{self.name}.{name} of a traced value is not supported")
            return original(*args, **kwargs)

        self._put(name, staticmethod(refuse) if isinstance(self._target, type) else refuse)

    def undo(self) -> None:
        """Put back what was there."""
        for name, value in self._replaced.items():
            setattr(self._target, name, value)
        self._replaced.clear()

    def _original(self, name: str) -> Callable[..., Any]:
        found: Any = getattr(self._target, name, None)
        if not callable(found):
            raise ConfigError(f"{self.name} has no function {name!r} to overload")
        if name in self._replaced:
            raise ConfigError(f"{self.name}.{name} is overloaded twice")
        return found  # type: ignore[no-any-return]

    def _replace(self, name: str, original: Callable[..., Any]) -> Primitive:
        made = Primitive(original, borrowed=True)
        self._put(name, made)
        return made

    def _put(self, name: str, value: Any) -> None:
        self._replaced[name] = vars(self._target).get(name, getattr(self._target, name))
        setattr(self._target, name, value)


def module(name: str, target: Any, declare: Callable[[Overloads], Any]) -> Overloads:
    """Give functions of a module gradients.

    Args:
        name: what `uninstall` and messages call it.
        target: a module, or a class with static methods, whose attributes are replaced.
        declare: is given the Overloads, whose methods `gradient`, `static` and `unsupported` name
            functions of the module. If it raises, nothing stays replaced.

    Raises:
        ConfigError: the name is taken; the module has no such function.
    """
    if name in _INSTALLED:
        raise ConfigError(f"{name!r} is overloaded already; overload.uninstall({name!r}) first")
    made = Overloads(name, target)
    try:
        declare(made)
    except BaseException:
        made.undo()
        raise
    _INSTALLED[name] = made
    return made


def uninstall(name: str) -> None:
    """Put back the functions that were replaced under a name."""
    if name not in _INSTALLED:
        known = ", ".join(sorted(_INSTALLED)) or "nothing"
        raise ConfigError(f"{name!r} is not overloaded; overloaded: {known}")
    _INSTALLED.pop(name).undo()
