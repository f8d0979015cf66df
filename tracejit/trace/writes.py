"""Writes in place: an array that is made inside a traced function is written to where it is.

The graph knows only new values (`index_set`), and copying the array for each would make a loop of
writes quadratic. So the first write to an array copies it, the copy belongs to the tracer alone,
and all further writes go into it; their nodes share it as their value. What each overwrote is kept:
the reverse sweep undoes the writes one by one, so that every rule sees its node's values as they
were. Views of the array are NumPy's own and show the writes by themselves.

An array from outside is written to when the call ends; until then its tracer has an array of its
own, so that gradients are those at the values on entry.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import ACTIVE, Node, Site, location
from ..dag.op import IDENTITY, INPUT, Op
from ..errors import WriteToArgumentError
from ..ops.index import fill
from .source import user_site
from .tracer import Tracer

if TYPE_CHECKING:
    from .places import Place, Places
    from .recorder import Recorder

PlaceOf = Callable[[Node], "Place"]  # where an input comes from
Step = tuple[Any, Any, Any]  # an array, an index, and what stood there


class WriteLog:
    """The arrays that are written to in place, and what the writes have overwritten.

    enabled: off while a function runs inside another traced one, whose backward pass reads old
    values again later, and while debugging, which looks at all values in the end.
    """

    __slots__ = ("_outside", "_owned", "_redo", "_steps", "enabled")

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self._owned: dict[int, tuple[Any, weakref.ref[Tracer]]] = {}
        self._steps: dict[Node, Step] = {}
        self._redo: list[Step] | None = None
        self._outside: list[tuple[Node, Tracer, Site | None]] = []

    @contextmanager
    def off(self) -> Iterator[None]:
        """Record writes as new values: the ones before are read again."""
        enabled, self.enabled = self.enabled, False
        try:
            yield
        finally:
            self.enabled = enabled

    # -- arrays from outside -----------------------------------------------------------------

    def enter(self, tracer: Tracer) -> None:
        """Note the first write to an argument or to what the function reads from outside."""
        node = tracer.node
        if node.op is IDENTITY or node.level == ACTIVE:
            raise WriteToArgumentError(
                f"the in-place write at {location(user_site())} changes a parameter of the traced "
                "function; write `x = x + ...` instead of `x += ...`, or copy first: x = x.copy()"
            )
        self._outside.append((node, tracer, user_site()))

    def leave(
        self, recorder: Recorder, inputs: Iterable[Node], place_of: PlaceOf
    ) -> list[tuple[Node, Node]]:
        """List what is to be written to which input; `inputs`: those that nobody may overlap."""
        known = {node: node for node in inputs}
        known |= {t.node: t.node for t in recorder.world.arrays if t.node.op is INPUT}
        known |= {node: node for node, _, _ in self._outside}
        done: set[Node] = set()
        for node, _, site in self._outside:
            done.add(node)
            for other in known:
                if other not in done and type(other.value) is np.ndarray:
                    _keep_apart(recorder.world.places, node, other, site, place_of)
        written = [(node, tracer.current()) for node, tracer, _ in self._outside]
        self._outside.clear()  # so that the tracers can go
        return written

    # -- arrays made inside ------------------------------------------------------------------

    def own(self, tracer: Tracer) -> None:
        """Note that a tracer's array is new and nobody else's."""
        if self.enabled:
            array = tracer.node.value
            self._owned[id(array)] = array, weakref.ref(tracer)

    def owned_by(self, tracer: Tracer) -> bool:
        """Tell whether a tracer's array may be written to in place."""
        known = self._owned.get(id(tracer.node.value)) if self.enabled else None
        return known is not None and known[1]() is tracer

    def holds(self, value: Any) -> bool:
        """Tell whether a value lies in an array that is written to in place."""
        while isinstance(value, np.ndarray):
            if id(value) in self._owned:
                return True
            value = value.base
        return False

    def record(self, tracer: Tracer, op: Op, args: tuple[Any, ...], key: Any) -> Any:
        """Record a write to a tracer's own array, and do it in place."""
        kept: list[Step] = []

        def run(array: Any, value: Any, *holes: Any, key: Any) -> Any:
            where = fill(key, holes)
            old = array[where]
            if isinstance(old, np.ndarray) and old.base is not None:
                old = old.copy()
            kept.append((array, where, old))
            return op.in_place(array, value, *holes, key=key)

        written = tracer.recorder.record(op, (tracer, *args), {"key": key}, run)
        self._steps[written.node] = kept[0]
        return written

    def __bool__(self) -> bool:
        return bool(self._steps)

    # -- undoing -----------------------------------------------------------------------------

    def begin_undoing(self) -> None:
        """Prepare to undo the writes; a tracer that is still alive will want them done again."""
        alive = any(tracer() is not None for _, tracer in self._owned.values())
        self._redo = [] if alive else None

    def undo(self, node: Node) -> None:
        """Undo the write that a node did, if it did one."""
        step = self._steps.get(node)
        if step is not None:
            array, where, old = step
            if self._redo is not None:
                self._redo.append((array, where, np.array(array[where])))
            array[where] = old

    def redo(self) -> None:
        """Do the undone writes again."""
        for array, where, new in reversed(self._redo or ()):
            array[where] = new


def _keep_apart(
    places: Places, written: Node, other: Node, site: Site | None, place_of: PlaceOf
) -> None:
    """Refuse that arrays overlap one of which is written to, at this call and at later ones."""
    near = np.may_share_memory(written.value, other.value)  # this is quick, but it errs
    if near and np.shares_memory(written.value, other.value):
        raise WriteToArgumentError(
            f"the array that is written to at {location(site)} shares memory with another one "
            "that the traced function gets or reads; give it a copy of one of them"
        )
    asks = np.shares_memory if near else np.may_share_memory
    places.require_of_both(place_of(written), place_of(other), "not {0}({v}, {1})", asks)
