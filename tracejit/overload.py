"""Gradients for functions of other libraries, under the names by which they are called.

>>> overload.module("special", special, lambda m: m.gradient("floor", [lambda g, out, x: g]))
>>> overload.uninstall("special")

Nothing but what is named is replaced: each function by one that does the same outside of traced
functions, and is one recorded operation inside. `uninstall` puts back what was there. What has been
imported from the module by name before is the function itself, and is not overloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from .dag.node import location
from .dag.op import is_traced
from .errors import ConfigError, UnsupportedError
from .primitive import Primitive, defjvp, defvjp
from .trace.source import user_site
from .tree import list_leaves

_INSTALLED: dict[str, Overloads] = {}
_ABSENT = object()
_RECORDED = ("math", "numpy", "tracejit")  # whose functions are known in other ways
Rules = Sequence[Callable[..., Any] | None]


class _Refused(Primitive):
    """A function that raises where it is given a traced value."""

    def __init__(self, function: Callable[..., Any], title: str) -> None:
        super().__init__(function, borrowed=True)
        self._title = title

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if any(map(is_traced, list_leaves((args, kwargs)))):
            where = location(user_site())
            raise UnsupportedError(f"{self._title} of a traced value is not supported, at {where}")
        return self.__wrapped__(*args, **kwargs)


class Overloads:
    """What is replaced in one module or class; see `module`."""

    def __init__(self, name: str, target: Any) -> None:
        home = getattr(target, "__module__" if isinstance(target, type) else "__name__", "")
        if not isinstance(target, (ModuleType, type)):
            raise ConfigError(f"{name!r} is no module or class but a {type(target).__name__}")
        if home.partition(".")[0] in _RECORDED:
            raise ConfigError(
                f"functions of {home} are recorded as they are and cannot be overloaded; give a "
                "function of your own a gradient with tracejit.primitive"
            )
        self.name = name
        self._target = target
        self._replaced: dict[str, tuple[Any, Any]] = {}  # by name: what was there, what is there

    def gradient(self, name: str, rules: Rules, jvp: Rules = ()) -> None:
        """Record the function, with rules for its arguments: those of `defvjp`, and of `defjvp`."""
        if callable(rules) or callable(jvp):
            raise ConfigError(f"the rules of {self.name}.{name} are to be in a list, by argument")
        made = Primitive(self._original(name), borrowed=True)
        defvjp(made, *rules)
        if jvp:
            defjvp(made, *jvp)
        self._put(name, made)

    def static(self, name: str) -> None:
        """Record the function; its gradient is zero."""
        made = Primitive(self._original(name), borrowed=True)
        made.declare(is_zero=True)
        self._put(name, made)

    def unsupported(self, name: str) -> None:
        """Let the function raise UnsupportedError where it is given a traced value."""
        self._put(name, _Refused(self._original(name), f"{self.name}.{name}"))

    def undo(self) -> None:
        """Put back what was there; what somebody else has replaced since then stays."""
        for name, (before, ours) in self._replaced.items():
            if vars(self._target).get(name) is not ours:
                continue
            if before is _ABSENT:
                delattr(self._target, name)
            else:
                setattr(self._target, name, before)
        self._replaced.clear()

    def _original(self, name: str) -> Callable[..., Any]:
        found: Any = getattr(self._target, name, None)
        if not callable(found):
            raise ConfigError(f"{self.name} has no function {name!r} to overload")
        if name in self._replaced:
            raise ConfigError(f"{self.name}.{name} is overloaded twice")
        for other in _INSTALLED.values():
            if other._target is self._target and name in other._replaced:
                raise ConfigError(f"{self.name}.{name} is overloaded already, as {other.name!r}")
        if isinstance(found, (Primitive, type)):
            what = "a class" if isinstance(found, type) else "a primitive; use defvjp"
            raise ConfigError(f"{self.name}.{name} is {what}, and cannot be overloaded")
        if isinstance(self._target, type) and _of_instances(self._target, name):
            raise ConfigError(
                f"{self.name}.{name} is a method of instances; functions of modules and static "
                "methods can be overloaded"
            )
        return found  # type: ignore[no-any-return]

    def _put(self, name: str, made: Primitive) -> None:
        ours = staticmethod(made) if isinstance(self._target, type) else made
        before = vars(self._target).get(name, _ABSENT)
        try:
            setattr(self._target, name, ours)
        except TypeError as error:  # a class of C
            raise ConfigError(f"{self.name}.{name} cannot be replaced: {error}") from error
        self._replaced[name] = before, ours


def _of_instances(cls: type, name: str) -> bool:
    """Tell whether an attribute of a class is bound to the instance that it is read from."""
    held = next(vars(base)[name] for base in cls.__mro__ if name in vars(base))
    return not isinstance(held, (staticmethod, classmethod)) and hasattr(type(held), "__get__")


def module(name: str, target: Any, declare: Callable[[Overloads], Any]) -> Overloads:
    """Give functions of a module gradients.

    Args:
        name: what `uninstall` and messages call it.
        target: a module, or a class with static methods, whose attributes are replaced.
        declare: is given the Overloads, whose methods `gradient`, `static` and `unsupported` name
            functions of the module. If it raises, nothing stays replaced.

    Raises:
        ConfigError: the name is taken; the module has no such function, or somebody else has
            overloaded it; it is NumPy.
        GradientRuleError: a rule cannot be called; see `defvjp`.
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
