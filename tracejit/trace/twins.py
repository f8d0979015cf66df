"""Twins: what a traced function gets in place of a value that it reads from outside.

One maker per kind of value. Each notes in the value's Place what must still hold at a later call
for the recording to be right: the identity of what cannot change inside, the type, length and keys
of containers, shape and dtype of arrays, the code of functions. What no maker knows is handed out
as it is, and the recording is not compiled.
"""

from __future__ import annotations

import enum
import functools
import os
import sys
import sysconfig
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import VARIES, Node
from ..dag.op import INPUT
from . import arraylike, draws, libraries, modules, objects
from .code import scan
from .places import Place
from .source import internal
from .tracer import Tracer

if TYPE_CHECKING:
    from .world import World

FEW = 64  # entries; in direct mode larger containers of numbers are handed out themselves
MANY_LEAVES = 10_000  # of captured containers; beyond it direct mode answers
_CONSTANTS = (str, bytes, range, slice)
_HOLDERS = {"collections", "contextlib", "functools", "types", "weakref"}  # of the user's things
_KEYS = (str, bytes, int, float, complex, bool, type(None), tuple, np.generic)
_SINGLE = (bool, type(None), type(...), type(NotImplemented))
_STDLIB = tuple(
    {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")} - {os.sep}
)


def make(world: World, value: Any, place: Place) -> Any:
    """Make the twin of a value found at a place."""
    cls = type(value)
    maker = _MAKERS.get(cls)
    if maker is None:
        maker = next((m for kind, m in _GENERAL if isinstance(value, kind)), None)
        if maker is None:
            maker = _other
    twin = libraries.hand_out(world, value, place) if maker in _CALLED else None
    return maker(world, value, place) if twin is None else twin


def same(world: World, value: Any, place: Place) -> Any:
    """Hand out the real thing: its identity tells all."""
    if not place.is_root:
        place.require("{v} is {0}", value)
    return value


def opaque(world: World, value: Any, place: Place) -> Any:
    """Hand out what may do or be anything: such a call cannot be compiled.

    What comes from libraries goes on; what may hold or read the user's own things must see the
    real ones.
    """
    named = isinstance(value, (types.BuiltinFunctionType, types.FunctionType, type))
    what = f"{value.__name__}()" if named else f"a {type(value).__name__}"
    what = f"{place} is {what}, of which it is not known what it does or reads"
    home = modules.home_of(type(value))
    if home == "tracejit":
        return same(world, value, place)
    if named and isinstance(value, types.FunctionType):
        home = "" if value.__closure__ else modules.home_of(value)
    give_up(world, what, home)
    return modules.outside(value)


def give_up(world: World, what: str, home: str) -> None:
    """Leave the trace for what a library does; go back to the real things for the user's own."""
    installed = "-packages" in (getattr(sys.modules.get(home), "__file__", None) or "")
    if (home in sys.stdlib_module_names and home not in _HOLDERS) or installed:
        world.leave(what)
    else:
        world.abandon(what)


def _array(world: World, value: Any, place: Place) -> Any:
    if value.dtype.kind not in "biufc":
        return opaque(world, value, place)
    place.require_array(value)
    twin = _input(world, value, place)
    world.remember(value, twin, place)
    world.arrays.append(twin)
    return twin


def _input(world: World, value: Any, place: Place) -> Tracer:
    node = place.node
    if node is None:
        node = Node(INPUT, (), {}, value, None, VARIES)
        world.places.make_input(place, node)
    return Tracer(node, world.recorder)


def _number(world: World, value: Any, place: Place) -> Any:
    if not world.following:
        return value
    place.require("type({v}) is {0}", type(value))
    return _input(world, value, place)


def _integer(world: World, value: Any, place: Place) -> Any:
    return (_number if place.key in world.promoted else _constant)(world, value, place)


def _constant(world: World, value: Any, place: Place) -> Any:
    if world.following:
        place.require("type({v}) is {0} and {v} == {1}", type(value), value)
    return value


def _generic(world: World, value: Any, place: Place) -> Any:
    if isinstance(value, np.number) and type(value).__module__ == "numpy":
        return _number(world, value, place)
    return _constant(world, value, place)


# -- containers ----------------------------------------------------------------------------------


def _dict(world: World, value: Any, place: Place) -> Any:
    place.require("type({v}) is {0} and [*{v}] == {1}", type(value), [*value])
    if any(type(key) is not str for key in value):
        place.require("[*map(type, {v})] == {0}", [type(key) for key in value])
    if _is_raw(world, value, value.values()):
        return value
    twin: Any = type(value)()
    world.remember(value, twin, place)
    if type(value) is defaultdict:
        twin.default_factory = world.hand_out(
            value.default_factory, world.step(place, "{p}.default_factory")
        )
    for key, held in value.items():
        if not isinstance(key, _KEYS):  # a function, a class: it is looked up by its twin
            inside = world.hand_out(key, world.constant(key, place.name))
            twin[inside] = world.hand_out(held, world.step(place, "{p}[{0}]", key))
            continue
        twin[key] = world.hand_out(held, world.step(place, "{p}[{0}]", key, keys=(key,)))
    handed = dict(twin)

    def carry_over() -> str | None:
        if [*twin] == [*handed] and all(twin[key] is handed[key] for key in handed):
            return None
        now = {world.plain(key): world.plain(held) for key, held in twin.items()}
        value.clear()
        value.update(now)
        return f"{place} is changed"

    world.when_closed(carry_over)
    return twin


def _list(world: World, value: Any, place: Place) -> Any:
    place.require("type({v}) is {0} and len({v}) == {1}", type(value), len(value))
    if _is_raw(world, value, value):
        return value
    twin: Any = [] if type(value) is list else deque(maxlen=value.maxlen)
    world.remember(value, twin, place)
    for number, held in enumerate(value):
        twin.append(world.hand_out(held, world.step(place, "{p}[{0}]", number, keys=(number,))))
    handed = list(twin)

    def carry_over() -> str | None:
        if len(twin) == len(handed) and all(a is b for a, b in zip(twin, handed, strict=True)):
            return None
        now = [world.plain(held) for held in twin]
        value.clear()
        value.extend(now)
        return f"{place} is changed"

    world.when_closed(carry_over)
    return twin


def _tuple(world: World, value: Any, place: Place) -> Any:
    cls = type(value)
    if cls is not tuple and not objects.is_plain_namedtuple(cls):
        return opaque(world, value, place)
    place.require("type({v}) is {0} and len({v}) == {1}", cls, len(value))
    held = [
        world.hand_out(v, world.step(place, "{p}[{0}]", i, keys=(i,))) for i, v in enumerate(value)
    ]
    if all(a is b for a, b in zip(held, value, strict=True)):
        return value
    twin = tuple(held) if cls is tuple else cls(*held)
    world.remember(value, twin, place)
    return twin


def _set(world: World, value: Any, place: Place) -> Any:
    place.require("type({v}) is {0} and {v} == {1}", type(value), frozenset(value))
    plain = isinstance(value, frozenset) and all(isinstance(v, _KEYS) for v in value)
    if plain:
        return value
    twin = type(value)(
        v if isinstance(v, _KEYS) else world.hand_out(v, world.constant(v, place.name))
        for v in value
    )
    world.remember(value, twin, place)
    if type(value) is frozenset:
        return twin
    handed = frozenset(twin)

    def carry_over() -> str | None:
        if twin == handed:
            return None
        value.clear()
        value.update(world.plain(held) for held in twin)
        return f"{place} is changed"

    world.when_closed(carry_over)
    return twin


def _is_raw(world: World, value: Any, held: Any) -> bool:
    """Tell whether a container is handed out itself: in direct mode one of numbers alone."""
    world.leaves += len(value)
    if world.following and world.leaves > MANY_LEAVES:
        world.leave(f"it reads containers with more than {MANY_LEAVES} entries")
    elif world.following or len(value) <= FEW or not _only_numbers(value, held):
        return False
    if isinstance(value, dict) and not all(isinstance(key, _KEYS) for key in value):
        return False
    world.raw.append(value)
    return True


def _only_numbers(value: Any, held: Any) -> bool:
    """Look at a container's entries; of a long list at both ends."""
    if type(value) is list:
        held = (*value[:16], *value[-16:])
    plain = (*_CONSTANTS, *_SINGLE, int, float, complex, np.generic)
    return all(isinstance(v, plain) for v in held)


# -- functions -----------------------------------------------------------------------------------


def _function(world: World, value: types.FunctionType, place: Place) -> Any:
    from .world import Names

    if type(value.__globals__) is Names:  # made by the function itself
        return value
    code = value.__code__
    if internal[code.co_filename] or _is_of_python(code.co_filename):
        return modules.library_function(world, value, place)
    scanned = scan(code)
    if scanned.reflects is not None:
        reason = f"{value.__qualname__} uses {scanned.reflects}"
        give_up(world, reason, modules.home_of(value))
        return modules.outside(value)
    world.handles |= scanned.handles
    if place.is_root:  # but it may be given other code
        place.require("{v}.__code__ is {0}", code)
    else:
        place.require(
            "type({v}) is {0} and {v}.__code__ is {1} and {v}.__globals__ is {2}",
            types.FunctionType, code, value.__globals__,
        )  # fmt: skip
    names = world.names(value.__globals__)
    cells = value.__closure__ or ()
    mirrors = tuple(world.cell(cell) for cell in cells)
    twin = types.FunctionType(code, names, value.__name__, None, mirrors)
    twin.__qualname__ = value.__qualname__
    twin.__doc__ = value.__doc__
    twin.__annotations__ = value.__annotations__
    world.remember(value, twin, place)
    for number, (name, cell) in enumerate(zip(code.co_freevars, cells, strict=True)):
        text = f"{{p}}.__closure__[{number}].cell_contents"
        world.fill_cell(cell, name, functools.partial(world.named, place, text, name))
    for name in ("__defaults__", "__kwdefaults__"):
        held = getattr(value, name)
        if held is None:
            place.require(f"{{v}}.{name} is None")
        else:
            setattr(twin, name, world.hand_out(held, world.step(place, f"{{p}}.{name}")))
    for name in scanned.early:
        if name in value.__globals__:
            names[name]
    _attributes(world, value, twin, place)
    return twin


def _attributes(world: World, value: Any, twin: Any, place: Place) -> None:
    """Give a function's twin the attributes that the function has."""
    place.require("not {v}.__dict__" if not value.__dict__ else "{v}.__dict__")
    if not world.following:
        twin.__dict__ = value.__dict__
        return
    if value.__dict__:
        held = _dict(world, value.__dict__, world.step(place, "{p}.__dict__"))
        twin.__dict__.update(held)
    handed = dict(twin.__dict__)

    def carry_over() -> str | None:
        now = twin.__dict__
        if now.keys() == handed.keys() and all(now[key] is handed[key] for key in handed):
            return None
        value.__dict__.clear()
        value.__dict__.update({key: world.plain(held) for key, held in now.items()})
        return f"an attribute of {place} is written"

    world.when_closed(carry_over)


def _is_of_python(file: str) -> bool:
    """Tell whether a file belongs to Python's library."""
    return file.startswith(_STDLIB) and "-packages" not in file


def _method(world: World, value: types.MethodType, place: Place) -> Any:
    place.require("type({v}) is {0}", types.MethodType)
    if draws.is_generator(value.__self__):
        receiver = world.hand_out(value.__self__, world.step(place, "{p}.__self__"))
        place.require("{v}.__name__ == {0}", value.__name__)
        return getattr(receiver, value.__name__)
    if type(value.__func__) is not types.FunctionType:
        return opaque(world, value, place)
    function = world.hand_out(value.__func__, world.step(place, "{p}.__func__"))
    receiver = world.hand_out(value.__self__, world.named(place, "{p}.__self__", "self"))
    twin = types.MethodType(function, receiver)
    world.remember(value, twin, place)
    return twin


def _partial(world: World, value: Any, place: Place) -> Any:
    place.require("type({v}) is {0}", functools.partial)
    parts = [
        world.hand_out(getattr(value, name), world.step(place, f"{{p}}.{name}"))
        for name in ("func", "args", "keywords")
    ]
    twin = functools.partial(parts[0], *parts[1], **parts[2])
    world.remember(value, twin, place)
    return twin


def _class(world: World, value: Any, place: Place) -> Any:
    return objects.twin_class(world, value, place)


def _ufunc(world: World, value: Any, place: Place) -> Any:
    home = "scipy.special" if "scipy.special" in sys.modules else "numpy"
    known = getattr(np, value.__name__, None) is value
    known = known or getattr(sys.modules[home], value.__name__, None) is value
    if not known and type(value) is not arraylike.Ufunc:
        return opaque(world, value, place)
    return arraylike.twin(same(world, value, place))


def _other(world: World, value: Any, place: Place) -> Any:
    """A callable of another library, an object of a class that Python code defines, or unknown."""
    if type(value) is Tracer:
        return value
    if getattr(type(value), "__tracejit_jit__", False):
        if any(not name.startswith("_") for name in vars(value)):
            world.abandon(f"{place} has attributes of its own")
        return same(world, value, place)
    if draws.is_generator(value):
        return draws.twin(world, value, place)
    home = modules.home_of(type(value))
    if home in modules.PURE | {"numpy"} and callable(value) and modules.is_pure(value):
        same(world, value, place)
        return modules.recording_twin(value)
    if home == "numpy" and modules.recording_twin(value) is not value:  # np.r_ and the like
        return modules.recording_twin(same(world, value, place))
    twin = objects.twin_object(world, value, place)
    return opaque(world, value, place) if twin is None else twin


Maker = Callable[["World", Any, Place], Any]
_MAKERS: dict[Any, Maker] = {
    np.ndarray: _array, float: _number, complex: _number, int: _integer,
    **dict.fromkeys(_CONSTANTS, _constant), **dict.fromkeys(_SINGLE, same),
    dict: _dict, OrderedDict: _dict, defaultdict: _dict, list: _list, deque: _list, tuple: _tuple,
    set: _set, frozenset: _set,
    types.FunctionType: _function, types.MethodType: _method, functools.partial: _partial,
    types.ModuleType: modules.twin_module,
}  # fmt: skip
_CALLED = (_function, _method, _other)
_GENERAL: tuple[tuple[Any, Maker], ...] = (
    (np.generic, _generic), (np.dtype, same), (enum.Enum, same), (type, _class),
    (np.ufunc, _ufunc), (tuple, _tuple), (types.ModuleType, modules.twin_module),
)  # fmt: skip
