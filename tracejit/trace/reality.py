"""Direct mode on the real things: for functions that cannot be given twins of what they read.

Some things cannot have twins, and code that nobody follows sees the real ones: objects with slots,
caches, `globals()`, comparisons with `is`. The first one that a function reads ends the attempt:
`Abandoned` is raised, nothing that the function did has reached the outside yet, and it is run
again as it is, with nothing but its arguments traced.
"""

from __future__ import annotations

import gc
import inspect
import types
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnsupportedError
from ..tree import Tree, build
from .objects import attributes
from .places import Place
from .tracer import Tracer
from .world import World

if TYPE_CHECKING:
    from .recorder import Recorder


class Reality(World):
    """A world in which everything is handed out as it is."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder, following=False)

    def hand_out(self, value: Any, place: Place) -> Any:
        """Hand out the real thing."""
        return value

    def build(self, tree: Tree, children: Sequence[Any]) -> Any:
        """Make a container of the arguments."""
        return build(tree, children)


def require_distinct(leaves: Sequence[Any], function: Any) -> None:
    """Refuse one array in two places where the function compares with `is`: each is traced."""
    arrays = [id(v) for v in leaves if isinstance(v, np.ndarray)]
    if isinstance(function, types.FunctionType):
        outside = inspect.getclosurevars(function)
        values = (*outside.nonlocals.values(), *outside.globals.values())
        read = {id(v) for v in values if isinstance(v, np.ndarray)}
        arrays += [key for key in set(arrays) if key in read]
    if len(set(arrays)) < len(arrays):
        raise UnsupportedError(
            "an array is given that is also given, or read, elsewhere, and the traced function "
            "compares with `is`, which traced arrays cannot answer; give a copy of it"
        )


def leave_plain(recorder: Recorder) -> None:
    """Put plain values in the place of the tracers that a call has left in the user's objects."""
    alive = [tracer for made in recorder.made or () if (tracer := made()) is not None]
    if not alive:
        return
    plain = recorder.world.plain
    for holder in gc.get_referrers(*alive):
        if isinstance(holder, dict):
            holder.update({k: plain(v) for k, v in holder.items() if type(v) is Tracer})
        elif isinstance(holder, (list, deque)) and holder is not alive:
            for position, held in enumerate(holder):
                if type(held) is Tracer:
                    holder[position] = plain(held)
        elif isinstance(holder, set):
            found = [held for held in holder if type(held) is Tracer]
            holder.difference_update(found)
            holder.update(plain(held) for held in found)
        elif isinstance(holder, types.CellType):
            holder.cell_contents = plain(holder.cell_contents)
        elif not isinstance(holder, (types.FrameType, tuple)):
            for name, held in attributes(holder):
                if type(held) is Tracer:
                    object.__setattr__(holder, name, plain(held))
