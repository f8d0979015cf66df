"""Write a gradient that is put together slice by slice as a concatenation.

    unindex_0 = unindex(a, key=slice(2, 4), shape=(4,))
    index_add_0 = index_add(unindex_0, b, key=slice(0, 2))   ->   concatenate_0 = concatenate(b, a)

This is what the sweep leaves of a value that was read in slices, like the gates of an LSTM or the
steps of a sequence. The slices must be all of one axis, each once. The forward pass is not touched:
zeros that slices are added to turn -0.0 into 0.0, which means nothing in a gradient only.
"""

from __future__ import annotations

from typing import Any

from ..graph import Graph, substitute
from ..node import Node, Spec
from ..op import BY_NAME
from .drop_dead import drop_dead
from .stacks import new_node


def join_slices(graph: Graph) -> Graph:
    """Replace the last addition of each chain that fills an array."""
    if not any(node.op.name == "index_add" for node in graph.every_node()):
        return graph
    users = graph.users()
    returned = graph.every_output()
    segments = graph.segments()

    def goes_on(node: Node, reader: Node) -> bool:
        """Tell whether a node is read only to be added to."""
        return (
            len(users[node]) == 1 and node not in returned and reader.op.name == "index_add"
            and reader.inputs[0] is node and segments[node] == segments[reader]
        )  # fmt: skip

    def written(last: Node) -> list[tuple[Any, Any]] | None:
        """Collect the keys and values of a chain that begins with nothing but zeros."""
        found = []
        node = last
        while node.op.name == "index_add" and len(node.inputs) == 2:
            found.append((node.attrs["key"], node.inputs[1]))
            source = node.inputs[0]
            if type(source) is not Node or source not in segments or not goes_on(source, node):
                return None
            node = source
        if node.op.name != "unindex" or len(node.inputs) != 1:
            return None
        return [*found, (node.attrs["key"], node.inputs[0])]

    instead: dict[Node, Node] = {}
    for node in graph.every_node():
        if node.op.name != "index_add" or not node.backward or node.spec.layout != "C":
            continue
        readers = users[node]
        if len(readers) == 1 and goes_on(node, readers[0]):
            continue
        parts = written(node)
        new = None if parts is None else _joined(node, parts)
        if new is not None:
            instead[node] = new
    return drop_dead(substitute(graph, instead)) if instead else graph


def _joined(node: Node, parts: list[tuple[Any, Any]]) -> Node | None:
    """Write an array as the concatenation of its slices, if they are all of one axis."""
    shape = node.spec.shape
    stretches = []
    for key, value in parts:
        stretch = _stretch(key, shape)
        if stretch is None:
            return None
        stretches.append((*stretch, value))
    axis = stretches[0][0]
    stretches.sort(key=lambda stretch: stretch[1])
    end = 0
    values = []
    for own_axis, start, stop, value in stretches:
        wanted = Spec(node.spec.cls, (*shape[:axis], stop - start, *shape[axis + 1 :]),
                      node.spec.dtype)  # fmt: skip
        if own_axis != axis or start != end or type(value) is not Node:
            return None
        end = stop
        if value.spec != wanted:
            dropped = wanted.shape[:axis] + wanted.shape[axis + 1 :]
            squeezed = stop - start == 1 and value.spec.shape == dropped
            if not squeezed or value.spec.dtype != wanted.dtype or not value.spec.is_array:
                return None
            value = new_node(node, "reshape", (value,), {"shape": wanted.shape}, wanted)
        values.append(value)
    if end != shape[axis]:
        return None
    return node.like(BY_NAME["concatenate"], tuple(values), {"axis": axis})


def _stretch(key: Any, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """See a key as a slice of one axis and all of the others: (axis, start, stop)."""
    parts = list(key) if type(key) is tuple else [key]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - len(parts) + 1)
    if len(parts) > len(shape) or any(type(part) not in (int, slice) for part in parts):
        return None
    found = None
    for axis, part in enumerate(parts):
        if part == slice(None):
            continue
        if found is not None:
            return None
        if type(part) is int:
            start = part % shape[axis]
            found = axis, start, start + 1
        else:
            start, stop, step = part.indices(shape[axis])
            if step != 1 or stop <= start:
                return None
            found = axis, start, stop
    return found
