"""What a function reads from outside: found by scanning its code before it is compiled.

Modules, functions and constants may be read; each such read becomes a Guard, which is checked at
every call, so that a rebound constant or helper is seen. Anything else (arrays, lists, objects,
random generators, functions with effects) gives a reason why the function cannot be compiled.
Helper functions are scanned in the same way, and theirs.
"""

from __future__ import annotations

import builtins
import collections
import dataclasses
import dis
import functools
import itertools
import math
import operator
import reprlib
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..dag.node import location
from ..dag.op import BY_FUNCTION, COMPOSITES
from ..errors import UnsupportedError
from .dispatch import METADATA
from .source import internal

_CONSTANTS = {bool, int, float, complex, str, bytes, type(None), type(...)}
_PURE_BUILTINS = {
    "Ellipsis", "NotImplemented", "abs", "all", "any", "bool", "callable", "complex", "dict",
    "divmod", "enumerate", "filter", "float", "frozenset", "int", "isinstance", "issubclass",
    "len", "list", "map", "max", "min", "pow", "range", "reversed", "round", "set", "slice",
    "sorted", "str", "sum", "tuple", "zip",
}  # fmt: skip
_PURE_MODULES = (math, operator, itertools)
_CREATORS = {
    np.array, np.asarray, np.zeros, np.ones, np.full, np.empty, np.arange, np.linspace, np.eye,
    np.identity, np.tri, np.logspace, np.geomspace, np.ascontiguousarray,
}  # fmt: skip
# Where the methods come from that namedtuples and dataclasses get by themselves.
_GENERATED = {"<string>", *(m.__file__ for m in (collections, dataclasses, reprlib))}
_NOT_READ = {
    "__init__", "__post_init__", "__new__", "__repr__", "__str__", "__reduce__", "_field_defaults",
}  # fmt: skip
_MISSING = object()


class Guard(NamedTuple):
    """A name read from outside, in a namespace or cell, and what it was."""

    place: Any
    name: str
    value: Any

    def change(self) -> str | None:
        """Say how the name's meaning has changed, if it has."""
        if self.holds():
            return None
        now = _read(self.place, self.name)
        return f"{self.name}: {_short(self.value)} -> {_short(now)}"

    def holds(self) -> bool:
        """Tell whether the name still means the same."""
        now = _read(self.place, self.name)
        if now is self.value:
            return True
        return type(now) is type(self.value) and _is_constant(now) and repr(now) == repr(self.value)


class Capture(NamedTuple):
    """The guards of a function, or the reason why it cannot be compiled."""

    guards: tuple[Guard, ...]
    reason: str | None


def capture(function: Callable[..., Any], types: Iterable[type] = ()) -> Capture:
    """Scan a function and all that it calls by name.

    `types` are the dataclasses and other containers among its arguments: their methods may be
    called, and attributes of the class read.

    Raises:
        UnsupportedError: the function asks for the `type` of a value, which is not hidden from it.
    """
    scan = _Scan()
    try:
        scan.function(function)
        for cls in types:
            scan.container(cls)
    except _Opaque as reason:
        return Capture((), str(reason))
    return Capture(tuple(scan.guards.values()), None)


class _Opaque(Exception):
    """Something is read or done that a compiled function could not repeat."""


class _Scan:
    def __init__(self) -> None:
        self.guards: dict[tuple[int, str], Guard] = {}
        self._seen: set[Any] = set()

    def function(self, function: Any) -> None:
        """Scan one function: plain, or one that wraps another."""
        inner = getattr(function, "__tracejit_function__", None)
        if inner is not None:
            function = inner
        if _hashable(function) and function in self._seen:
            return
        if isinstance(function, functools.partial):
            for value in (*function.args, *function.keywords.values()):
                if not _is_constant(value):
                    kind = type(value).__name__
                    raise _Opaque(f"the partial holds an {kind}; pass it as an argument")
            self.function(function.func)
            return
        if isinstance(function, types.MethodType):
            raise _Opaque(
                f"{function.__qualname__} reads attributes of a {type(function.__self__).__name__}"
            )
        if not isinstance(function, types.FunctionType):
            self.callable(function, getattr(function, "__name__", repr(function)), None)
            return
        self._seen.add(function)
        if vars(function).keys() - {"__wrapped__"}:
            raise _Opaque(f"{function.__qualname__} has attributes of its own")
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            if inner is None and self._seen != {function} and not _is_constant(value):
                raise _Opaque(f"{function.__qualname__} has a {type(value).__name__} as default")
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        self.code(function.__code__, function.__globals__, cells)

    def code(
        self, code: types.CodeType, namespace: dict[str, Any], cells: dict[str, Any]
    ) -> None:
        """Scan a code object and those of the functions defined in it."""
        for name, attributes, kind, offset in _reads(code):
            where = (code, offset)
            if kind == "effect":
                raise _Opaque(f"{name} at {location(where)}")
            if kind == "cell" and name not in cells:
                continue  # a variable of the enclosing function that is traced itself
            place = cells[name] if kind == "cell" else namespace
            value = _read(place, name)
            if value is _MISSING:
                value = getattr(builtins, name, _MISSING)
                if value is _MISSING:
                    continue  # the call itself will raise NameError
                if value is type:
                    raise UnsupportedError(
                        f"type() is asked at {location(where)}, and a traced value has a type of "
                        "its own; use isinstance()"
                    )
                if name not in _PURE_BUILTINS and not _is_exception(value):
                    raise _Opaque(f"{name}() is called at {location(where)}")
                self.guards[id(place), name] = Guard(place, name, _MISSING)
            else:
                self.guards[id(place), name] = Guard(place, name, value)
            self.value(value, name, attributes, where)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self.code(constant, namespace, cells)

    def value(self, value: Any, name: str, attributes: list[str], where: Any) -> None:
        """Check what a name, followed by attributes, means."""
        while isinstance(value, types.ModuleType):
            if not attributes:
                raise _Opaque(f"the module {name} is used as a value at {location(where)}")
            module, attribute, *attributes = value, *attributes
            value = getattr(module, attribute, _MISSING)
            name = f"{name}.{attribute}"
            if value is _MISSING:
                return
            file = getattr(module, "__file__", None)
            if module not in _PURE_MODULES and not (file and internal[file]):
                self.guards[id(module), attribute] = Guard(vars(module), attribute, value)
            if isinstance(value, types.ModuleType) and value is np.random:
                raise _Opaque(f"random numbers are drawn ({name}) at {location(where)}")
        known = isinstance(value, (np.ufunc, type(str.join))) or (
            isinstance(value, type) and value.__module__ in ("builtins", "numpy")
        )
        if attributes and not known and not (_is_constant(value) and type(value) is not tuple):
            raise _Opaque(f"{name}.{attributes[0]} is read at {location(where)}")
        if callable(value):
            self.callable(value, name, where)
        elif not _is_constant(value):
            raise _Opaque(
                f"{name} ({type(value).__name__}) is read at {location(where)}; "
                "pass it as an argument"
            )

    def container(self, cls: type) -> None:
        """Scan the methods and class attributes of a type that arguments are made of."""
        fields = set(getattr(cls, "_fields", ())) | set(getattr(cls, "__dataclass_fields__", ()))
        for owner in cls.__mro__:
            if owner in (object, tuple) or owner.__module__ in ("collections", "typing"):
                continue
            for name, value in vars(owner).items():
                if name in fields or name in _NOT_READ:
                    continue
                if isinstance(value, property):
                    value = value.fget
                value = getattr(value, "__func__", value)  # static and class methods
                if isinstance(value, types.FunctionType):
                    if value.__code__.co_filename not in _GENERATED:
                        self.function(value)
                elif _is_constant(value):
                    self.guards[id(owner), name] = Guard(vars(owner), name, value)
                elif not name.startswith("__"):
                    raise _Opaque(f"{cls.__qualname__}.{name} is a {type(value).__name__}")

    def callable(self, value: Any, name: str, where: Any) -> None:
        """Check a function or type that is read."""
        if _hashable(value) and (
            value in BY_FUNCTION or value in COMPOSITES or value in _CREATORS or value in METADATA
        ):
            return
        if isinstance(value, np.ufunc) and getattr(np, value.__name__, None) is value:
            return
        if isinstance(value, types.FunctionType) and not internal[value.__code__.co_filename]:
            self.function(value)
            return
        if hasattr(value, "__tracejit_function__"):
            self.function(value.__tracejit_function__)
            return
        if isinstance(value, type):
            plain = value.__module__ == "builtins" or issubclass(value, np.generic)
            if plain or _is_exception(value) or value is np.ndarray:
                return
            if issubclass(value, tuple) and hasattr(value, "_fields"):
                self.container(value)
                return
        if isinstance(value, types.BuiltinFunctionType):
            if value.__module__ in ("math", "_operator"):
                return
            if value.__module__ == "builtins" and value.__name__ in _PURE_BUILTINS:
                return
        at = f" at {location(where)}" if where else ""
        if str(getattr(value, "__module__", "")).startswith("numpy"):
            raise _Opaque(f"{name}, which is not supported yet, is used{at}")
        raise _Opaque(f"{name} is called{at}: it is not known what else it may do")


def _read(place: Any, name: str) -> Any:
    if isinstance(place, types.CellType):
        try:
            return place.cell_contents
        except ValueError:
            return _MISSING
    return place.get(name, _MISSING)


def _short(value: Any) -> str:
    if value is _MISSING:
        return "absent"
    return repr(value) if _is_constant(value) else f"another {type(value).__name__}"


def _is_constant(value: Any) -> bool:
    """Tell whether a value cannot change: numbers, strings and tuples of them, of exact types."""
    if type(value) is tuple:
        return all(_is_constant(v) for v in value)
    if isinstance(value, (np.generic, np.dtype)):
        return type(value).__module__ in ("numpy", "numpy.dtypes")
    return type(value) in _CONSTANTS


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _reads(code: types.CodeType) -> Iterator[tuple[str, list[str], str, int]]:
    """List the outside names that code reads, with the attributes that follow, kind and offset.

    The kind is "global", "cell", or "effect" for what writes to the outside or imports.
    """
    skipped = ("CACHE", "EXTENDED_ARG", "NOP", "PUSH_NULL", "PRECALL", "RESUME")
    instructions = [i for i in dis.get_instructions(code) if i.opname not in skipped]
    free = set(code.co_freevars)
    for position, instruction in enumerate(instructions):
        kind, name, offset = instruction.opname, instruction.argval, instruction.offset
        if kind in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            yield f"the global {name} is written", [], "effect", offset
        elif kind in ("STORE_DEREF", "DELETE_DEREF") and name in free:
            yield f"the outer variable {name} is written", [], "effect", offset
        elif kind in ("STORE_ATTR", "DELETE_ATTR"):
            yield f"the attribute {name} is written", [], "effect", offset
        elif kind in ("PUSH_EXC_INFO", "SETUP_FINALLY"):  # a handler may run at one call only
            yield "exceptions are handled (try, with)", [], "effect", offset
        elif kind == "LOAD_BUILD_CLASS":
            yield "a class is made", [], "effect", offset
        elif kind == "IMPORT_NAME":
            yield f"{name} is imported inside the function", [], "effect", offset
        elif kind in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield name, _attributes(instructions, position), "global", offset
        elif kind in ("LOAD_DEREF", "LOAD_CLASSDEREF") and name in free:
            yield name, _attributes(instructions, position), "cell", offset


def _attributes(instructions: list[dis.Instruction], position: int) -> list[str]:
    names = []
    for following in instructions[position + 1 :]:
        if following.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            break
        names.append(following.argval)
    return names
