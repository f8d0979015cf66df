"""The world of a traced function: what it reads from outside, seen and made to record.

A function runs as a twin over `Names`, a namespace that asks here for every global. Closure cells,
helper functions, containers, objects and modules are handed out as twins in the same way; arrays,
and numbers when compiling, as tracers. Every read is noted as a Place. What the function changes,
it changes in the twins: `close` carries that over to the real ones, as plain values, and notes
that such a call cannot be compiled.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import location
from ..dag.op import INPUT
from ..errors import Abandoned
from ..tree import Tree, build, is_registered
from . import objects, twins
from .arraylike import Ufunc
from .modules import builtin_twin, recording_twin
from .places import NoPlaces, Place, Places
from .source import internal, user_site
from .tracer import Tracer

if TYPE_CHECKING:
    from ..cache import Signature
    from .recorder import Recorder

_MISSING = object()
_SIMPLE = {float, int, bool, str, type(None), np.float64}
Change = Callable[[], "str | None"]  # carries a change over to the real thing and says what it was


class World:
    """What one recording sees of the outside.

    following: note every read as a place with its checks. Without it (in direct mode) numbers are
    handed out as they are, and so are containers that hold numbers alone.
    promoted: keys of places whose integers are inputs, because they have changed often.
    """

    def __init__(
        self, recorder: Recorder, following: bool, promoted: frozenset[Any] = frozenset()
    ) -> None:
        self.recorder = recorder
        self.following = following
        self.promoted = promoted
        self.places = Places() if following else NoPlaces()
        self.arrays: list[Tracer] = []
        self.handles = False  # whether code that ran may handle exceptions
        self.closed = False
        self.wants_reality: str | None = None
        self.leaves = 0
        self.raw: list[Any] = []  # real containers in the function's hands
        self._changes: list[Change] = []
        self._twins: dict[int, tuple[Any, Any, Place]] = {}  # by id: the real one, its twin, where
        self._reals: dict[int, tuple[Any, Any]] = {}  # by id of the twin: the twin, the real one
        self._names: dict[int, Names] = {}
        self._cells: dict[int, list[Any]] = {}

    # -- handing out -------------------------------------------------------------------------

    def enter(self, function: Any) -> Any:
        """Give the twin of the function that is traced."""
        return self.hand_out(function, self.places.find(None, "f"))

    def hand_out(self, value: Any, place: Place) -> Any:
        """Give the function what it may see of a value that it reads."""
        known = self._twins.get(id(value))
        if known is not None and known[0] is value:
            _, twin, first = known
            if first is not place:
                self.places.require_of_both(place, first, "{v} is {0}")
            return twin
        return twins.make(self, value, place)

    def inner(self, function: Any) -> Any:
        """Give the twin of a function that is traced inside the traced one, or of its receiver."""
        # A place of a twin, or of a program that holds one, would keep this world alive.
        receiver = function.__self__ if type(function) is types.MethodType else function
        cls = type(receiver)
        code = function.__wrapped__ if hasattr(cls, "__tracejit_jit__") else function
        is_twin = type(getattr(code, "__globals__", None)) is Names
        if is_twin or hasattr(cls, "__tracejit_real__"):
            return function
        if cls is types.FunctionType and internal[function.__code__.co_filename]:
            return recording_twin(function)
        return self.hand_out(function, self.constant(function, getattr(function, "__name__", "")))

    def argument(self, signature: Signature, position: int) -> Place | None:
        """The place of an argument's leaf; None, and no compiling, where it cannot be told."""
        for number, tree in enumerate(signature.trees):
            if position < tree.leaves:
                place = self.step_to(number, signature.names[number], tree, position)
                if place is None:
                    self.leave(f"{signature.leaf_name(position)} is held by a registered container")
                return place
            position -= tree.leaves
        raise IndexError(position)

    def step_to(self, number: int, name: str, tree: Tree, position: int) -> Place | None:
        """Step from an argument down to one of its leaves."""
        place = self.places.find(None, "args[{0}]", number, keys=(name,))
        while tree.cls is not None:
            number = 0
            while position >= tree.children[number].leaves:
                position -= tree.children[number].leaves
                number += 1
            key, child = tree.keys[number], tree.children[number]
            if is_registered(tree.cls):
                return None
            if issubclass(tree.cls, (dict, list, tuple)):
                place = self.step(place, "{p}[{0}]", key, keys=(key,))
            else:
                place = self.step(place, f"{{p}}.{key}", keys=(key,))
            tree = child
        return place

    def build(self, tree: Tree, children: Sequence[Any]) -> Any:
        """Make a container of the arguments; one of the user's classes gets the class's twin."""
        made = build(tree, children)
        cls = tree.cls
        if isinstance(made, (dict, list, tuple)) and not hasattr(made, "__dict__"):
            if isinstance(made, tuple) and type(made) is not tuple:
                self.hand_out(cls, self.constant(cls, type(made).__name__))
            return made
        twin = self.hand_out(cls, self.constant(cls, type(made).__name__))
        if twin is not cls:
            object.__setattr__(made, "__class__", twin)
        return made

    def constant(self, value: Any, name: str) -> Place:
        """The place of something that never changes: a module, a namespace, a class."""
        return self.places.find(None, "{0}", value, keys=(name,))

    def step(self, place: Place, text: str, *constants: Any, keys: tuple[Any, ...] = ()) -> Place:
        """The place one step from another."""
        return self.places.find(place, text, *constants, keys=keys)

    def named(self, place: Place, text: str, name: str, *constants: Any) -> Place:
        """The place one step from another that has a name of its own."""
        found = self.step(place, text, *constants, keys=(name,))
        found.keys = (name,)
        return found

    def remember(self, value: Any, twin: Any, place: Place) -> None:
        """Let the same value have the same twin wherever it is found."""
        self._twins[id(value)] = (value, twin, place)
        self._reals[id(twin)] = (twin, value)

    def leave(self, what: str) -> None:
        """Note that what was recorded cannot be compiled, and why."""
        self.recorder.leave(what)

    def abandon(self, what: str) -> None:
        """Give this attempt up: the function needs the real things.

        Where it has called something already that may have had an effect, this call goes on, and
        later ones are made on the real things.

        Raises:
            Abandoned: to be caught where the call began.
        """
        if not self.recorder.open or self.closed:
            return
        reason = f"{what} at {location(user_site())}"
        if self.recorder.left is None and not self.raw:
            raise Abandoned(reason)
        self.wants_reality = reason

    def discard(self) -> None:
        """Forget what the function did, all of it to twins."""
        self._changes.clear()
        self.raw.clear()
        self.recorder.rewind()
        self.closed = True

    def when_closed(self, change: Change) -> None:
        """Let a change be carried over when the call is over."""
        self._changes.append(change)

    def names(self, namespace: dict[str, Any]) -> Names:
        """The twin of a module's namespace."""
        found = self._names.get(id(namespace))
        if found is None:
            found = self._names[id(namespace)] = Names(self, namespace)
            self.when_closed(found.carry_over)
        return found

    def cell(self, cell: Any) -> Any:
        """The twin of a closure cell; empty until `fill_cell`."""
        return self._cells.setdefault(id(cell), [cell, types.CellType(), None])[1]

    def fill_cell(self, cell: Any, name: str, place: Callable[[], Place]) -> None:
        """Put the twin of a cell's content into the cell's twin."""
        known = self._cells[id(cell)]
        _, twin, first = known
        value = _content(cell)
        if value is _MISSING:
            handed = _MISSING
            self.constant(cell, name).require("{0}({v}) is {1}", _content, _MISSING)
        elif first is not None:
            self.places.require_of_both(place(), first, "{v} is {0}")
            return
        else:
            known[2] = place()
            handed = twin.cell_contents = self.hand_out(value, known[2])

        def carry_over() -> str | None:
            now = _content(twin)
            change = None
            if now is not handed:
                change = f"the outer variable {name} is written"
                if now is _MISSING:
                    del cell.cell_contents
                else:
                    cell.cell_contents = self.plain(now)
            real = _content(cell)  # for functions that outlive the call
            if real is not _MISSING:
                twin.cell_contents = real
            return change

        self.when_closed(carry_over)

    # -- afterwards --------------------------------------------------------------------------

    def close(self) -> None:
        """Carry over what the function changed; twins that outlive this stand for the real ones."""
        if self.closed:
            return
        for change in self._changes:
            what = change()
            if what is not None and self.recorder.left is None:  # where, nobody has seen
                self.recorder.left = f"{what}, which only plain Python can do again"
        for container in self.raw:
            _sweep_out(self, container)
        self.closed = True
        for names in self._names.values():
            names.forget()

    def plain(self, value: Any) -> Any:
        """Give what a value is outside the call: no tracer, no twin."""
        known = self._reals.get(id(value))
        if known is not None and known[0] is value:
            return known[1]
        cls = type(value)
        if cls is Tracer:
            node = value.current()
            if type(node.value) is not np.ndarray or node.op is INPUT:
                return node.value
            return node.value.copy()
        if cls is list:
            value[:] = [self.plain(v) for v in value]
        elif cls is dict:
            for key, held in value.items():
                value[key] = self.plain(held)
        elif cls is tuple or (isinstance(value, tuple) and hasattr(cls, "_fields")):
            held = [self.plain(v) for v in value]
            if any(a is not b for a, b in zip(held, value, strict=True)):
                return tuple(held) if cls is tuple else cls(*held)
        elif cls is types.FunctionType and type(value.__globals__) is Names:
            return self._real_function(value)
        elif cls in (types.FunctionType, Ufunc):
            return getattr(value, "__tracejit_real__", value)
        elif "__tracejit_real__" in vars(cls):  # made by the function, of a twin class
            object.__setattr__(value, "__class__", cls.__tracejit_real__)
            for name, held in objects.attributes(value):
                object.__setattr__(value, name, self.plain(held))
        return value

    def _real_function(self, made: types.FunctionType) -> types.FunctionType:
        """Make of a function that was defined in the call one that reads the real names."""
        reals = {id(twin): cell for cell, twin, _ in self._cells.values()}
        cells = tuple(reals.get(id(cell), cell) for cell in made.__closure__ or ())
        names: Any = made.__globals__
        real = types.FunctionType(made.__code__, names.real, made.__name__, None, cells)
        self.remember(real, made, self.constant(real, made.__name__))
        for cell in made.__closure__ or ():
            if id(cell) not in reals and _content(cell) is not _MISSING:
                cell.cell_contents = self.plain(cell.cell_contents)
        real.__defaults__ = self.plain(made.__defaults__)
        real.__kwdefaults__ = self.plain(made.__kwdefaults__)
        real.__dict__.update(made.__dict__)
        return real


class Names(dict[str, Any]):
    """The twin of a namespace: asks for a name the first time it is read in a call."""

    def __init__(self, world: World, real: dict[str, Any]) -> None:
        super().__init__(__builtins__=BUILTINS, __name__=real.get("__name__"))
        self.world = world
        self.real = real
        self._handed: dict[str, Any] = dict(self)

    def __missing__(self, name: str) -> Any:
        if self.world.closed:
            return self.real[name] if name in self.real else BUILTINS[name]
        world, real = self.world, self.real
        root = world.constant(real, "")
        if name in real:
            handed = world.hand_out(real[name], world.named(root, "{p}[{0}]", name, name))
        elif name in BUILTINS:
            root.require("{0} not in {v}", name)
            handed = builtin_twin(world, name)
        else:
            root.require("{0} not in {v}", name)
            raise KeyError(name)
        self[name] = self._handed[name] = handed
        return handed

    def carry_over(self) -> str | None:
        """Do to the real namespace what was done to this one."""
        change = None
        for name, value in self.items():
            if self._handed.get(name, _MISSING) is not value:
                self.real[name] = self.world.plain(value)
                change = f"the global {name} is written"
        for name in self._handed.keys() - self.keys():
            del self.real[name]
            change = f"the global {name} is deleted"
        return change

    def forget(self) -> None:
        """Read the real names from now on."""
        for name in self.keys() - {"__builtins__", "__name__"}:
            del self[name]


def _import(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> Any:
    """Import inside a traced function: what comes is handed out as a global would be."""
    if type(globals) is not Names:
        return builtins.__import__(name, globals, locals, fromlist, level)
    world = globals.world
    try:
        module = builtins.__import__(name, globals.real, locals, fromlist, level)
    except ImportError:
        world.leave(f"the import of {name} fails")
        raise
    if world.closed:
        return module
    known = world.constant(sys.modules, "sys.modules")
    return world.hand_out(module, world.step(known, "{p}[{0}]", module.__name__, keys=(name,)))


BUILTINS = {**vars(builtins), "__import__": _import}


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _MISSING


def _sweep_out(world: World, container: Any) -> None:
    """Replace tracers that were put into a real container; they are found near its end."""
    if isinstance(container, dict):
        if len(container) <= twins.MANY_LEAVES:
            for key, value in container.items():
                container[key] = world.plain(value)
        return
    start = max(0, len(container) - twins.MANY_LEAVES)
    for position in range(start, len(container)):
        if type(container[position]) not in _SIMPLE:
            container[position] = world.plain(container[position])
