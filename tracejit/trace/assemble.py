"""Arrays made of nested lists in which traced values stand, and of traced arrays and numbers.

A list, an array or a number enters, with the array that NumPy makes of the plain values; a traced
array of the same dtype, shape and layout leaves. Each element of the lists keeps its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.op import BY_NAME, is_traced
from ..ops.arrays import array, leaves_of
from . import dispatch

if TYPE_CHECKING:
    from .recorder import Recorder


def is_numeric(value: Any) -> bool:
    """Tell whether a value is a plain array of numbers or bools."""
    return type(value) is np.ndarray and value.dtype.kind in "biufc"


def holds_traced(value: Any) -> bool:
    """Tell whether a value is a list or tuple with a traced value in it, at any depth."""
    return isinstance(value, (list, tuple)) and next(_traced_in(value), None) is not None


def _traced_in(value: Any) -> Iterator[Any]:
    for part in value:
        if is_traced(part):
            yield part
        elif isinstance(part, (list, tuple)):
            yield from _traced_in(part)


def from_list(value: Any) -> Any:
    """Make an array of a list with traced values in it; give anything else back as it is."""
    if not isinstance(value, (list, tuple)):
        return value
    traced = next(_traced_in(value), None)
    if traced is None:
        return value
    plain = np.array(dispatch.plain(value))
    if not traced.recorder.open:
        return plain
    if not is_numeric(plain):
        return dispatch.outside(np.array, (value,), {}, f" of {plain.dtype}")
    return assembled(traced.recorder, plain, value)


def assembled(recorder: Recorder, value: Any, given: Any, places: Any = None) -> Any:
    """Record the array that nested lists with traced elements make."""
    if places is None:
        places = leaves_of(given)
    paths, leaves = zip(*places, strict=True)
    depth = len(paths[0]) + np.ndim(dispatch.plain(leaves[0]))
    attrs = {"paths": paths, "dtype": value.dtype}
    made = recorder.record(array, leaves, attrs)
    if value.flags.f_contiguous and not value.flags.c_contiguous:
        made = BY_NAME["copy"](made, order="F")
    return made if depth == value.ndim else np.reshape(made, value.shape)


def converted(value: Any, given: Any) -> Any:
    """Record the array that a traced array or number makes; it may be that array itself."""
    node = given.current()
    if value is node.value:
        return given
    made = given
    if type(node.value) is not np.ndarray:
        made = BY_NAME["convert"](made, cls=np.ndarray)
    if made.dtype != value.dtype:
        made = BY_NAME["astype"](made, dtype=value.dtype)
    if made is given and not np.may_share_memory(value, node.value):
        made = BY_NAME["copy"](made, order="K")
    made_node = made.current()
    if made_node.value.strides != value.strides and made_node.value.shape == value.shape:
        made = BY_NAME["copy"](made, order="F" if value.flags.f_contiguous else "C")
    return made if made.shape == value.shape else np.reshape(made, value.shape)
