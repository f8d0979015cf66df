"""Read what was written to an array where it came from, not out of the array.

    index_set_0 = index_set(x, exp_0, key=3)         index_set_0 = index_set(x, exp_0, key=3)
    index_0 = index(index_set_0, key=3)        ->    sin_0 = sin(exp_0)
    sin_0 = sin(index_0)

So a recurrence through the elements of an array (`h[t] = f(h[t - 1])`) becomes one through values.
Otherwise what reads an element of an old state of the array makes a loop keep all its states. Only
where an index is read that was itself written to: a part of one stays a read, as do arrays in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, rebuild
from ..node import Node, Spec

WRITES = 64  # so many are looked at for a read: what was written long before is seldom read


def read_back(graph: Graph) -> Graph:
    """Replace reads of arrays by what was last written there."""
    return rebuild(graph, _written)


def _written(node: Node) -> Any:
    if node.op.name != "index" or len(node.inputs) > 1:
        return node
    array = node.inputs[0]
    for _ in range(WRITES):
        if type(array) is not Node or array.op.name != "index_set" or len(array.inputs) > 2:
            return node
        source, value = array.inputs
        read, written = (_ranges(n.attrs["key"], array.spec.shape) for n in (node, array))
        if read is None or written is None:
            return node
        if read == written:
            return _as_read(value, node)
        if not _apart(read, written):
            return node
        array = source
    return node


def _ranges(key: Any, shape: tuple[int, ...]) -> list[int | range] | None:
    """Say which places an index of numbers and slices selects along each axis; None: another."""
    parts = key if type(key) is tuple else (key,)
    if len(parts) > len(shape) or not all(type(part) in (int, slice) for part in parts):
        return None
    parts += (slice(None),) * (len(shape) - len(parts))
    return [
        part % length if isinstance(part, int) else range(*part.indices(length))
        for part, length in zip(parts, shape, strict=True)
    ]


def _apart(first: list[int | range], second: list[int | range]) -> bool:
    """Tell whether no element is selected by both."""
    for one, other in zip(first, second, strict=True):
        a, b = (range(r, r + 1) if isinstance(r, int) else r for r in (one, other))
        if a.step == b.step == 1 and (a.stop <= b.start or b.stop <= a.start):
            return True
    return False


def _as_read(value: Any, node: Node) -> Any:
    """Give what was written, if it is what a read gives: of its type, shape and dtype."""
    spec: Spec = node.spec
    if type(value) is Node:
        return value if value.spec == spec and value.spec.layout == spec.layout else node
    if spec.is_array or isinstance(value, np.ndarray):
        return node
    return np.asarray(value).astype(spec.dtype)[()]
