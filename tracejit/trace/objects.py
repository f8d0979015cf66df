"""Twins of classes and of the objects made of them.

A class has a subclass of itself as its twin, in which methods, properties and class attributes are
handed out when they are used; those of its bases likewise, through twins of the bases. An object
that the function reads has a twin of a further subclass: its attributes are read from the real
object, and written to the twin alone until the call is over.
"""

from __future__ import annotations

import abc
import copy
import enum
import functools
import threading
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from . import modules, twins
from .places import Place

if TYPE_CHECKING:
    from .world import World

_SKIPPED = {
    "__dict__", "__weakref__", "__slots__", "__module__", "__doc__", "__qualname__",
    "__annotations__", "__dataclass_fields__", "__dataclass_params__", "__match_args__",
    "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__", "__static_attributes__",
    "__firstlineno__", "__hash__",
}  # fmt: skip
_OF_NAMEDTUPLES = {
    "__new__", "_make", "_replace", "__replace__", "__repr__", "_asdict", "__getnewargs__",
}  # fmt: skip
# Flags of types: made at run time, may have subclasses.
_HEAP, _BASE = 1 << 9, 1 << 10
_PLAIN = (str, bytes, int, float, tuple, type(None), types.DynamicClassAttribute, property)
_MEMBERS = (types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType)


class _Meta(type):
    """The type of twins of classes: they know what the real class knows."""

    def __getattr__(cls, name: str) -> Any:
        world = vars(cls).get("__tracejit_world__")
        if world is not None and not world.closed:
            _require_absent(world, cls, name)
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or isinstance(instance, _real(cls))

    def __subclasscheck__(cls, other: Any) -> bool:
        return super().__subclasscheck__(other) or issubclass(other, _real(cls))


class _Asked(threading.local):
    """The checks of this thread that are under way: pairs of a twin's class and another."""

    def __init__(self) -> None:
        self.pairs: set[tuple[type, Any]] = set()


_asked = _Asked()


class _AbstractMeta(_Meta, abc.ABCMeta):
    """The same for abstract classes: these ask all their subclasses, and so their twins, too."""

    def __subclasscheck__(cls, other: Any) -> bool:
        pair = (_real(cls) or cls, other)
        if pair in _asked.pairs:
            return False
        _asked.pairs.add(pair)
        try:
            return super().__subclasscheck__(other)
        finally:
            _asked.pairs.discard(pair)


def _real(cls: Any) -> Any:
    return vars(cls).get("__tracejit_real__", ())


_METACLASSES: dict[type, type] = {type: _Meta, abc.ABCMeta: _AbstractMeta}


def twin_class(world: World, value: Any, place: Place) -> Any:
    """Make the twin of a class; NumPy's, Python's and those of exceptions are their own."""
    stand_in = modules.TYPE_TWINS.get(value)
    if stand_in is not None:
        return stand_in
    twins.same(world, value, place)
    home = modules.home_of(value)
    ours = home in modules.PURE or home in ("numpy", "tracejit")
    if ours and not (home == "builtins" and value.__flags__ & _HEAP):
        return value
    if issubclass(value, (BaseException, enum.Enum)):
        if _has_code(value):
            world.abandon(f"{place} is a class with code of its own")
        return value
    if is_plain_namedtuple(value):
        return value
    if not _is_twinable(value):
        twins.give_up(world, f"{place} is the class {value.__qualname__}, with its own ways", home)
        return value
    return _make_class(world, value, place)


def _reads_outside(function: types.FunctionType) -> bool:
    code = function.__code__
    return bool(set(code.co_freevars) - {"__class__"}) or any(
        name in function.__globals__ for name in code.co_names
    )


def _has_code(cls: Any) -> bool:
    """Tell whether a class, of exceptions or an enum, has methods or attributes of the user's."""
    for owner in cls.__mro__:
        if owner.__module__ in ("builtins", "enum"):
            continue
        for name, held in vars(owner).items():
            if not (name.startswith("_") or issubclass(cls, enum.Enum)):
                return True
            held = getattr(held, "_value_", held) if isinstance(held, enum.Enum) else held
            if isinstance(held, types.FunctionType):
                if held.__module__ != "enum" and _reads_outside(held):
                    return True
                continue
            if not name.startswith("_") and not isinstance(held, _PLAIN):
                return True
    return False


def _is_twinable(cls: Any) -> bool:
    """Tell whether a subclass of a class can take its place without anybody noticing."""
    if type(cls) not in _METACLASSES:
        return False
    for owner in cls.__mro__:
        if owner is object or owner.__module__ in ("abc", "typing"):
            continue
        names = vars(owner)
        if not owner.__flags__ & _BASE:
            return False
        made_here = {"__dict__", "__slots__"} & names.keys() or owner.__base__ is not object
        if not made_here:  # by a class statement
            return False
        if "__init_subclass__" in names or "__getattribute__" in names:
            return False
        if any(_is_strange(member) for member in names.values()):
            return False
    return True


def _is_strange(member: Any) -> bool:
    """Tell whether a class attribute takes part in reading or writing attributes of objects."""
    if isinstance(member, (property, *_MEMBERS, type)):
        return False
    return isinstance(member, functools.cached_property) or hasattr(type(member), "__set__")


def is_plain_namedtuple(cls: Any) -> bool:
    """Tell whether a type is a named tuple with no code of the user's own."""
    return (
        issubclass(cls, tuple)
        and hasattr(cls, "_fields")
        and not any(
            isinstance(getattr(v, "__func__", getattr(v, "fget", v)), types.FunctionType)
            for owner in cls.__mro__
            if owner not in (tuple, object)
            for name, v in vars(owner).items()
            if name not in _OF_NAMEDTUPLES
        )
    )


def _make_class(world: World, value: Any, place: Place) -> Any:
    bases = tuple(
        world.hand_out(base, world.step(place, "{p}.__bases__[{0}]", number))
        for number, base in enumerate(value.__bases__)
        if base is not object and base.__module__ not in ("abc", "typing")
    )
    content: dict[str, Any] = {
        "__slots__": (),
        "__module__": value.__module__,
        "__qualname__": value.__qualname__,
        "__doc__": value.__doc__,
        "__tracejit_real__": value,
    }
    for name, held in vars(value).items():
        if name in _SKIPPED or isinstance(held, _MEMBERS):
            continue
        inside = functools.partial(world.step, place, "{p}.__dict__[{0}]", name, keys=(name,))
        content[name] = _member(world, held, inside, name)
    if value.__hash__ is not object.__hash__:
        content["__hash__"] = value.__hash__
    bases = tuple(b for b in bases if "__tracejit_real__" in vars(b))
    make: Any = _METACLASSES[type(value)]
    twin = make(value.__name__, (*bases, value), dict(content, __tracejit_world__=world))
    world.remember(value, twin, place)
    made = dict(vars(twin))

    def carry_over() -> str | None:
        change = None
        for name, held in {**vars(twin)}.items():
            if made.get(name, world) is not held and name not in _SKIPPED:
                setattr(value, name, world.plain(held))
                change = f"{value.__name__}.{name} is written"
        return change

    world.when_closed(carry_over)
    return twin


def _require_absent(world: World, cls: Any, name: str) -> None:
    """Require that no class gets an attribute that would hide the one found, or not found."""
    for owner in cls.__mro__:
        real = vars(owner).get("__tracejit_real__")
        if real is not None and name not in vars(real):
            world.constant(real, real.__name__).require("{0} not in {v}.__dict__", name)
        elif real is not None:
            return


def _member(world: World, held: Any, place: Any, name: str) -> Any:
    """Make what stands for an attribute of a class; what it is asked for is handed out then."""
    if isinstance(held, property):
        parts = [
            None if part is None else _deferred(world, part, place, f"{{p}}.{name}")
            for name, part in (("fget", held.fget), ("fset", held.fset), ("fdel", held.fdel))
        ]
        return property(*parts)
    if isinstance(held, (staticmethod, classmethod)):
        return type(held)(_deferred(world, held.__func__, place, "{p}.__func__"))
    return _Member(world, held, place, name)


def _deferred(world: World, function: Any, place: Any, step: str) -> Any:
    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if world.closed:
            return function(*args, **kwargs)
        return world.hand_out(function, world.step(place(), step))(*args, **kwargs)

    return call


class _Member:
    """An attribute of a class, handed out when it is read."""

    def __init__(self, world: World, held: Any, place: Any, name: str) -> None:
        self._name = name
        self._world = world
        self._held = held
        self._place = place

    def __get__(self, instance: Any, owner: Any) -> Any:
        held = self._held
        if not self._world.closed:
            _require_absent(self._world, owner, self._name)
            held = self._world.hand_out(held, self._place())
        bind = getattr(type(held), "__get__", None)
        return held if bind is None else bind(held, instance, owner)


class _Link:
    """What the twin of an object knows: the world, the real object, what was handed out of it."""

    __slots__ = ("handed", "place", "real", "world")

    def __init__(self, world: World, real: Any, place: Place) -> None:
        self.world = world
        self.real = real
        self.place = place
        self.handed: dict[str, Any] = {}


def twin_object(world: World, value: Any, place: Place) -> Any:
    """Make the twin of an object; None where its class or its making allows none."""
    cls = type(value)
    if not hasattr(value, "__dict__") or isinstance(value, (np.ndarray, BaseException)):
        return None
    if modules.home_of(cls) in ("tracejit", "numpy") or not _is_twinable(cls) or _slots(cls):
        return None
    twin_cls = world.hand_out(cls, world.constant(cls, cls.__name__))
    place.require("type({v}) is {0}", cls)
    make: Any = type(twin_cls)
    content = dict(_SEEN, __tracejit_real__=cls, __doc__=cls.__doc__)
    content |= {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    if vars(object)["__eq__"] is cls.__eq__:
        content |= {"__eq__": _is_same, "__hash__": _hash_of_real}
    seen = make(cls.__name__, (twin_cls,), content)
    twin = object.__new__(seen)
    link = _Link(world, value, place)
    object.__setattr__(twin, "__tracejit_link__", link)
    world.remember(value, twin, place)

    def carry_over() -> str | None:
        now = object.__getattribute__(twin, "__dict__")
        change = None
        for name, held in now.items():
            if link.handed.get(name, link) is not held:
                value.__dict__[name] = world.plain(held)
                change = f"the attribute {place}.{name} is written"
        for name in link.handed.keys() - now.keys():
            value.__dict__.pop(name, None)
            change = f"the attribute {place}.{name} is deleted"
        return change

    world.when_closed(carry_over)
    return twin


def attributes(value: Any) -> list[tuple[str, Any]]:
    """List the attributes that an object itself holds, in its __dict__ or in slots."""
    slots = _slots(type(value))
    held = [(name, getattr(value, name)) for name in slots if hasattr(value, name)]
    return held + list(getattr(value, "__dict__", {}).items())


def _slots(cls: Any) -> list[str]:
    return [
        name
        for owner in cls.__mro__
        for name, held in vars(owner).items()
        if isinstance(held, types.MemberDescriptorType)
    ]


def _read(self: Any, name: str) -> Any:
    link: _Link = object.__getattribute__(self, "__tracejit_link__")
    own = object.__getattribute__(self, "__dict__")
    if link.world.closed:
        return getattr(link.real, name) if name not in own else own[name]
    if name in own and name != "__dict__":
        return object.__getattribute__(self, name)
    world, place, real = link.world, link.place, link.real.__dict__
    if name == "__dict__":
        return world.hand_out(real, world.step(place, "{p}.__dict__", keys=("__dict__",)))
    of_class = next((vars(c)[name] for c in type(self).__mro__ if name in vars(c)), None)
    if name in real and name not in link.handed and not hasattr(type(of_class), "__set__"):
        inside = world.step(place, "{p}.__dict__[{0}]", name, keys=(name,))
        own[name] = link.handed[name] = world.hand_out(real[name], inside)
    elif not name.startswith("__"):
        place.require("{0} not in {v}.__dict__", name)
        _require_absent(world, type(self), name)
    return object.__getattribute__(self, name)


def _delete(self: Any, name: str) -> None:
    getattr(self, name)
    object.__delattr__(self, name)


def _is_same(self: Any, other: Any) -> bool:
    """Be equal to the real object, which containers may hold."""
    link = object.__getattribute__(self, "__tracejit_link__")
    if "__tracejit_link__" not in vars(type(other)) or other is self:
        return other is self or other is link.real
    mine, place = link.place, object.__getattribute__(other, "__tracejit_link__").place
    link.world.places.require_of_both(mine, place, "{v} is not {0}")
    return False


def _hash_of_real(self: Any) -> int:
    return hash(object.__getattribute__(self, "__tracejit_link__").real)


def _copy(self: Any, memo: Any = None) -> Any:
    """Copy an object that is read from outside: the copy is the function's own."""
    made: Any = object.__new__(type(self).__mro__[1])
    if memo is not None:
        memo[id(self)] = made
    for name in object.__getattribute__(self, "__tracejit_link__").real.__dict__:
        held = getattr(self, name)
        made.__dict__[name] = held if memo is None else copy.deepcopy(held, memo)
    return made


_SEEN = {
    "__del__": lambda self: None,  # the object itself lives on
    "__copy__": _copy,
    "__deepcopy__": _copy,
    "__slots__": ("__tracejit_link__",),
    "__getattribute__": _read,
    "__delattr__": _delete,
    "__class__": property(lambda self: type(self).__mro__[1]),
}
