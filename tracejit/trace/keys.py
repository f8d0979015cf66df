"""Index keys: a key of NumPy's indexing enters, a template and the arrays in it leave.

What is selected by a traced mask depends on values; its shape is noted, because what follows holds
for that shape only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import HOLE, is_traced
from ..ops import index as indexing
from . import assemble
from .dispatch import note_shape


def split_key(key: Any) -> tuple[Any, tuple[Any, ...]]:
    """Split an index into a static template and the arrays (or traced integers) in it."""
    if type(key) is int:
        return key, ()
    if type(key) is not tuple:
        return _split_part(key)
    parts = [_split_part(part) for part in key]
    return tuple(t for t, _ in parts), tuple(h for _, holes in parts for h in holes)


def _split_part(part: Any) -> tuple[Any, tuple[Any, ...]]:
    if part is None or part is Ellipsis:
        return part, ()
    if isinstance(part, slice):
        return _concrete(part), ()
    if isinstance(part, np.ndarray) or not hasattr(part, "__index__") or is_traced(part):
        hole: Any = part if hasattr(part, "dtype") or is_traced(part) else _array_of(part)
        if is_traced(hole) and isinstance(hole, (bool, np.bool_)):
            return bool(hole), ()
        return HOLE, (hole,)
    return (bool(part) if isinstance(part, bool) else part.__index__()), ()


def _array_of(part: Any) -> Any:
    """Make the array that a sequence means as an index: an empty one counts as integers."""
    array = assemble.from_list(part)
    if is_traced(array):
        return array
    array = np.asarray(array)
    return array if array.size else array.astype(np.intp)


def _concrete(key: slice) -> slice:
    ends = (key.start, key.stop, key.step)
    return slice(*(None if end is None else end.__index__() for end in ends))


def note_selected(found: Any, holes: tuple[Any, ...]) -> None:
    """Note the shape of what an index with a traced mask in it has selected."""
    if any(_is_mask(hole) for hole in holes):
        note_shape(found)


def _is_mask(hole: Any) -> bool:
    return is_traced(hole) and isinstance(hole, np.ndarray) and hole.dtype.kind == "b"


def note_selection(target: Any, holes: tuple[Any, ...], template: Any, value: Any) -> None:
    """Do the same for an index that is written to; a number that is written fits any shape."""
    recorder = target.recorder
    if not recorder.for_compiling or not (is_traced(value) or np.ndim(value)):
        return
    if any(_is_mask(hole) for hole in holes):
        note_shape(recorder.record(indexing.index, (target, *holes), {"key": template}))
