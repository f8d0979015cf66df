"""Places: where a function finds what it reads from outside, and what must still hold there.

A place is a step from another one: a closure cell, a global, an attribute, an entry. Each has
checks, made when it was read; some hold a number or array that is an input of the compiled code.
`reader` writes all of this as one Python function, which is run before every compiled call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..dag.node import Node, layout_of
from ..tree import path_text

Reader = Callable[[Any, Any], Any]
_LITERAL = (str, int, bool, type(None), bytes)
_GONE = "(KeyError, AttributeError, IndexError, TypeError, ValueError)"


class Place:
    """One place; see the module's docstring.

    step: Python text that reads it, from {p} (the parent) and {0}, {1}, ... (constants).
    keys: what leads to it from the function, for names and messages.
    checks: texts that are true while nothing has changed, over {v} (the value) and constants.
    node: the input that its value is, in compiled code.
    number: its place in the order in which places are read.
    """

    __slots__ = ("checks", "constants", "key", "keys", "node", "number", "parent", "step")

    def __init__(
        self, parent: Place | None, step: str, constants: tuple[Any, ...], keys: tuple[Any, ...]
    ) -> None:
        self.parent = parent
        self.step = step
        self.constants = constants
        self.keys = keys
        self.checks: list[tuple[str, tuple[Any, ...]]] = []
        self.node: Node | None = None
        self.number = 0
        above = parent.key if parent is not None else ()
        self.key: tuple[Any, ...] = (above, step, tuple(_identity(c) for c in constants))

    @property
    def is_root(self) -> bool:
        """Tell whether it is that of the traced function, which is always the same one.

        What was recorded must not hold it: recordings are kept as long as their function lives.
        """
        return self.parent is None and self.step == "f"

    def __str__(self) -> str:
        name = self.name
        if self.parent is None or not self.parent.keys or len(self.keys) == 1:
            return name
        if "__dict__" in self.step or "{0}" not in self.step:
            return f"{self.parent}.{name}"
        return path_text(str(self.parent), self.keys[-1:])

    @property
    def name(self) -> str:
        """The last word of what leads to it."""
        return str(self.keys[-1]) if self.keys else "the function"

    def require(self, check: str, *constants: Any) -> None:
        """Add a check, unless it is there."""
        known = ((c, [_identity(x) for x in k]) for c, k in self.checks)
        if (check, [_identity(c) for c in constants]) not in known:
            self.checks.append((check, constants))

    def require_array(self, value: Any) -> None:
        """Require what a signature holds of an array."""
        layout = layout_of(value)
        flag = {"C": "{v}.flags.c_contiguous", "F": "{v}.flags.fnc"}.get(str(layout))
        same = flag or "{v}.strides == {3}"
        self.require(
            f"type({{v}}) is {{0}} and {{v}}.shape == {{1}} and {{v}}.dtype == {{2}} and {same}",
            np.ndarray, value.shape, value.dtype, layout,
        )  # fmt: skip


class Places:
    """The places that one recording has read, in order."""

    __slots__ = ("_known", "inputs")

    def __init__(self) -> None:
        self.inputs: list[Place] = []  # the places whose values are inputs, in order
        self._known: dict[tuple[Any, ...], Place] = {}

    def find(
        self, parent: Place | None, step: str, *constants: Any, keys: tuple[Any, ...] = ()
    ) -> Place:
        """The place one step from another; the same object for the same step."""
        place = Place(parent, step, constants, (parent.keys if parent else ()) + keys)
        return self._known.get(place.key) or self._add(place)

    def _add(self, place: Place) -> Place:
        place.number = len(self._known)
        self._known[place.key] = place
        return place

    def make_input(self, place: Place, node: Node) -> None:
        """Let the value at a place be an input of compiled code."""
        place.node = node
        self.inputs.append(place)

    def node_of(self, place: Place) -> Node | None:
        """The input that another recording's place is in this one, if this one read it."""
        known = self._known.get(place.key)
        return None if known is None else known.node

    def include(self, others: Places) -> None:
        """Add the places of another recording that ran under the same conditions."""
        checks: list[tuple[Place, str, tuple[Any, ...]]] = []
        for key, place in others._known.items():
            if key not in self._known:
                if place.parent is not None:
                    place.parent = self._known[place.parent.key]
                self._add(place)
            of_both = [c for c in place.checks if c[1] and type(c[1][-1]) is Place]
            if self._known[key] is place:  # its order among the others may be another one here
                place.checks = [c for c in place.checks if c not in of_both]
                checks += [(place, *c) for c in of_both]
            else:
                checks += [(self._known[key], *c) for c in place.checks]
        for known, check, constants in checks:
            if constants and type(constants[-1]) is Place:
                other = self._known[constants[-1].key]
                self.require_of_both(known, other, check, *constants[:-1])
            else:
                known.require(check, *constants)
        for place in others.inputs:
            known = self._known[place.key]
            if known not in self.inputs:
                self.make_input(known, place.node)  # type: ignore[arg-type]

    def require_of_both(self, a: Place, b: Place, check: str, *constants: Any) -> None:
        """Require something of the values at two places, where the later one is read."""
        if a.number < b.number:
            a, b = b, a
        a.require(check, *constants, b)

    def reader(self) -> Reader:
        """Write and make `read(f, args)`: the inputs' values, or None where a check fails."""
        return self._make("None")

    def changed(self, function: Any, args: Any) -> Place | None:
        """Find the first place where a check fails."""
        found = self._make("index")(function, args)
        return list(self._known.values())[found] if type(found) is int else None

    def _make(self, failure: str) -> Reader:
        constants: dict[Any, tuple[str, Any]] = {}
        names = {key: f"v{number}" for number, key in enumerate(self._known)}

        def spell(text: str, values: Iterable[Any], **more: str) -> str:
            return text.format(*(_spell(value, names, constants) for value in values), **more)

        lines = ["def read(f, args):", "    try:"]
        if failure == "index":
            lines.append("        index = -1")
        for number, (key, place) in enumerate(self._known.items()):
            name = names[key]
            parent = "" if place.parent is None else names[place.parent.key]
            if failure == "index":
                lines.append(f"        index = {number}")
            lines.append(f"        {name} = {spell(place.step, place.constants, p=parent)}")
            for check, values in place.checks:
                lines.append(f"        if not ({spell(check, values, v=name)}): return {failure}")
        inputs = [names[place.key] for place in self.inputs]
        lines += [
            f"    except {_GONE}: return {failure}",
            f"    return ({', '.join(inputs)}{',' * (len(inputs) == 1)})",
        ]
        namespace: dict[str, Any] = dict(constants.values())
        exec(compile("\n".join(lines), "<captured>", "exec"), namespace)
        read: Reader = namespace.pop("read")  # or both would wait for the garbage collector
        return read


class Nowhere(Place):
    """The one place of direct mode, in which nothing is noted."""

    def __init__(self) -> None:
        super().__init__(None, "", (), ())

    def require(self, check: str, *constants: Any) -> None:
        """Note nothing."""

    def require_array(self, value: Any) -> None:
        """Note nothing."""


class NoPlaces(Places):
    """The places of direct mode: nowhere."""

    _nowhere = Nowhere()

    def find(
        self, parent: Place | None, step: str, *constants: Any, keys: tuple[Any, ...] = ()
    ) -> Place:
        """Note nothing."""
        return self._nowhere

    def make_input(self, place: Place, node: Node) -> None:
        """Note nothing."""

    def require_of_both(self, a: Place, b: Place, check: str, *constants: Any) -> None:
        """Note nothing."""


def _identity(constant: Any) -> Any:
    if type(constant) is Place:
        return constant.key
    literal = type(constant) in _LITERAL or type(constant) is tuple
    return (type(constant), constant) if literal else id(constant)


def _spell(value: Any, names: dict[Any, str], constants: dict[Any, tuple[str, Any]]) -> str:
    if type(value) is Place:
        return names[value.key]
    if type(value) in _LITERAL:
        return repr(value)
    known = constants.get(id(value))
    if known is None:
        known = constants[id(value)] = (f"k{len(constants)}", value)
    return known[0]
