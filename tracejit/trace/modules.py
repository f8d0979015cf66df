"""Twins of modules, and of Python's built-in functions and types.

NumPy's and math's twins are made once: their functions record into whatever recorder is open in
the thread, and are the real ones where none is.
"""

from __future__ import annotations

import builtins
import functools
import math
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.op import BY_FUNCTION, COMPOSITES, is_traced
from . import arraylike, dispatch, draws, libraries
from .creators import CREATORS, MATH, to_complex, to_float, to_int
from .places import Place
from .recorder import leave

if TYPE_CHECKING:
    from .world import World

# Modules of Python's library whose functions and classes do nothing but compute.
PURE = {
    "abc", "builtins", "cmath", "collections", "copy", "dataclasses", "decimal", "enum",
    "fractions", "functools", "itertools", "math", "numbers", "operator", "_operator", "string",
    "typing", "types",
}  # fmt: skip
_PURE_BUILTINS = {
    "Ellipsis", "False", "None", "NotImplemented", "True", "__build_class__", "__debug__", "abs",
    "all", "any", "ascii", "bin", "bool", "bytes", "callable", "chr", "classmethod", "complex",
    "dict", "divmod", "enumerate", "filter", "format", "frozenset", "getattr", "hasattr", "hash",
    "hex", "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "next",
    "object", "oct", "ord", "pow", "property", "range", "repr", "reversed", "round", "set",
    "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "zip",
}  # fmt: skip
_C_CALLABLES = {
    types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType,
    types.ClassMethodDescriptorType, type(np.sum), type(np.zeros),
}  # fmt: skip
# NumPy functions that do more than compute: files, settings, state.
_IMPURE = {
    "errstate", "fromfile", "fromregex", "genfromtxt", "load", "loadtxt", "memmap", "nditer",
    "printoptions", "save", "savetxt", "savez", "savez_compressed", "set_printoptions",
    "setbufsize", "seterr", "seterrcall", "show_config", "info",
}  # fmt: skip

Attribute = Callable[[str], tuple[Any, bool]]  # its value, and whether to keep it


class _Twin(type):
    """The type of twins of `float`, `int`, `complex` and `type`: they pass for the real ones."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.make(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__tracejit_real__)

    def __subclasscheck__(cls, other: Any) -> bool:
        return issubclass(other, cls.__tracejit_real__)

    def __eq__(cls, other: Any) -> bool:
        return other is cls or other is cls.__tracejit_real__

    def __hash__(cls) -> int:
        return hash(cls.__tracejit_real__)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.__tracejit_real__, name)


# Twins that pass for the real things.
_PASSING = (draws.Draws, arraylike.Ufunc, libraries.Distribution, libraries.Frozen)


def _type_of(value: Any, *more: Any, **keywords: Any) -> Any:
    if more:
        return type(value, *more, **keywords)
    if isinstance(value, type) and hasattr(value, "__tracejit_real__"):
        return TYPE_TWINS[type]
    found = value.__class__ if is_traced(value) or type(value) in _PASSING else type(value)
    found = found.__mro__[1] if "__tracejit_link__" in vars(found) else found
    return TYPE_TWINS.get(found, found)


def _twin_of(real: Any, make: Any, **more: Any) -> Any:
    return _Twin(real.__name__, (), {"__tracejit_real__": real, "make": staticmethod(make), **more})


def _make_float(*value: Any) -> Any:
    return to_float(*value) if value else 0.0


def _make_int(*value: Any, **base: Any) -> Any:
    return to_int(*value) if len(value) == 1 and not base else int(*value, **base)


# Twins of types that are asked for the type of a traced value, or make numbers of one.
TYPE_TWINS: dict[Any, Any] = {
    float: _twin_of(float, _make_float, dtype=np.dtype(float)),
    int: _twin_of(int, _make_int, dtype=np.dtype(int)),
    complex: _twin_of(complex, to_complex, dtype=np.dtype(complex)),
    type: _twin_of(type, _type_of),
}


def home_of(thing: Any) -> str:
    """Name the package that a function or class comes from."""
    return (thing.__module__ or "").partition(".")[0]


def builtin_twin(world: World, name: str) -> Any:
    """Hand out one of Python's built-in names."""
    value = getattr(builtins, name, None)
    if isinstance(value, type) and value in TYPE_TWINS:
        return TYPE_TWINS[value]
    if name == "id":
        world.abandon("id() is called")
    exception = isinstance(value, type) and issubclass(value, BaseException)
    if name not in _PURE_BUILTINS and not exception and not name.startswith("__"):
        world.leave(f"{name}() is called")
    return value


def is_pure(value: Any) -> bool:
    """Tell whether a callable that is no Python function does nothing but compute."""
    if type(value) not in _C_CALLABLES:
        return False
    if value in BY_FUNCTION or value in COMPOSITES:
        return True
    home = getattr(value, "__module__", None) or ""
    if home.partition(".")[0] == "numpy":
        return getattr(value, "__name__", "") not in _IMPURE and ".random" not in home
    receiver = getattr(value, "__self__", None)
    bound = receiver is not None and not isinstance(receiver, types.ModuleType)
    if home == "builtins":
        return not bound and value.__name__ in _PURE_BUILTINS
    return (home in PURE and not bound) or isinstance(value, types.MethodDescriptorType)


def outside(value: Any) -> Any:
    """Hand out a function that cannot be followed: it gets plain values, where no gradient is lost.

    Tracers that depend on parameters go as they are, and raise where they become plain ones.
    """
    if not isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
        return value

    @functools.wraps(value, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        return value(*dispatch.given_out(args), **dispatch.given_out(kwargs))

    return call


def library_function(world: World, value: Any, place: Place) -> Any:
    """Hand out a Python function of NumPy, of tracejit or of Python's library."""
    from . import twins

    home = home_of(value)
    if home in ("numpy", "tracejit"):
        twins.same(world, value, place)
        return recording_twin(value)
    return (twins.same if home in PURE else twins.opaque)(world, value, place)


# -- modules -------------------------------------------------------------------------------------


class _Module(types.ModuleType):
    """A module's twin: its attributes are handed out when they are read."""

    def __init__(self, real: types.ModuleType, attribute: Attribute) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__["__tracejit_attribute__"] = attribute

    def __getattr__(self, name: str) -> Any:
        value, keep = self.__dict__["__tracejit_attribute__"](name)
        if keep:
            self.__dict__[name] = value
        return value


def twin_module(world: World, value: Any, place: Place) -> Any:
    """Make the twin of a module."""
    place.require("{v} is {0}", value)
    if type(value) is _Module:
        return value
    home = value.__name__.partition(".")[0]
    if home == "numpy" or value is math:
        return recording_module(value)
    if home in PURE or home == "tracejit":
        return value
    if home in sys.stdlib_module_names:
        world.leave(f"the module {value.__name__} is used")
        return _Module(value, lambda name: (outside(getattr(value, name)), True))
    root = world.constant(vars(value), value.__name__)
    lazy = home == "scipy"  # its packages are imported when they are first read
    handed: dict[str, Any] = {}

    def attribute(name: str) -> tuple[Any, bool]:
        if lazy and not name.startswith("__"):
            getattr(value, name)
        if not world.closed and name not in vars(value):
            root.require("{0} not in {v}", name)
            if "__getattr__" in vars(value):
                world.abandon(f"{value.__name__} has a __getattr__")
        real = getattr(value, name)
        if world.closed or name not in vars(value):
            return real, False
        inside = world.step(root, "{p}[{0}]", name, keys=(name,))
        handed[name] = world.hand_out(real, inside)
        return handed[name], True

    twin = _Module(value, attribute)
    known = dict(vars(twin))
    world.remember(value, twin, place)

    def carry_over() -> str | None:
        change = None
        for name, held in {**vars(twin)}.items():
            if handed.get(name, known.get(name)) is not held:
                setattr(value, name, world.plain(held))
                change = f"{value.__name__}.{name} is written"
            if name in handed:
                del twin.__dict__[name]  # from now on the real one is asked
        return change

    world.when_closed(carry_over)
    return twin


@functools.lru_cache(maxsize=64)
def recording_module(module: types.ModuleType) -> Any:
    """Make the twin of a module of NumPy, or of math."""
    if module.__name__ == "numpy.random":
        return _Module(module, draws.attribute)

    def attribute(name: str) -> tuple[Any, bool]:
        value = getattr(module, name)
        if isinstance(value, types.ModuleType):
            return recording_module(value), True
        if name in _IMPURE:
            leave(f"{module.__name__}.{name} is used")
            return value, False
        return recording_twin(value), True

    return _Module(module, attribute)


def recording_twin(value: Any) -> Any:
    """The twin of a function of NumPy or math, which may be the function itself."""
    try:
        return CREATORS.get(value) or MATH.get(value) or arraylike.twin(value)
    except TypeError:  # cannot be hashed
        return value
