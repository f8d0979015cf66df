"""Buffers: which slot each value is computed in.

Nodes in order enter; leave a slot for each that needs one, and the byte slabs that slots are
views of. A value lives until its last reader, and a view keeps what it views alive. A node may
take the slot of an input that dies with it, if it works element by element on the same shape and
dtype. Values that the call returns get no slot: their memory belongs to the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..dag.graph import Graph
from ..dag.node import Layout, Node, Spec
from ..dag.op import INPUT


@dataclass(frozen=True, slots=True)
class Slot:
    """A typed view of a slab."""

    slab: int
    spec: Spec
    layout: Layout


@dataclass(frozen=True, slots=True)
class Buffers:
    """The assignment: an index into `slots` per node, and the size of each slab in bytes.

    in_place: the nodes that overwrite an input of theirs. owned: the returned nodes whose own
    memory is returned; the others are copied.
    """

    assigned: dict[Node, int]
    slots: tuple[Slot, ...]
    slabs: tuple[int, ...]
    in_place: dict[Node, Node]
    owned: frozenset[Node]

    @property
    def nbytes(self) -> int:
        """Bytes of all slabs."""
        return sum(self.slabs)


def roots_of(graph: Graph) -> dict[Node, Node]:
    """Map each node to the one whose memory it may be a view of: itself, if it views nothing."""
    roots: dict[Node, Node] = {n: n for n in graph.inputs}
    for node in graph.nodes:
        source = node.inputs[0] if node.op.views and node.inputs else None
        roots[node] = roots[source] if type(source) is Node else node
    return roots


def assign_buffers(
    graph: Graph,
    takes_slot: Callable[[Node], bool],
    overwrites: Callable[[Node, Node], bool],
) -> Buffers:
    """Assign slots.

    Args:
        takes_slot: whether the target can compute a node into a given array.
        overwrites: whether a node may be computed in the memory of one of its inputs.
    """
    roots = roots_of(graph)
    end = len(graph.nodes)
    last_use: dict[Node, int] = {}
    for position, node in enumerate(graph.nodes):
        last_use[node] = position
        for source in node.operands:
            last_use[roots[source]] = position
    returned = [o for o in graph.outputs if type(o) is Node]
    owned = frozenset(n for n in returned if roots[n] is n and n.op is not INPUT)
    for node in returned:
        last_use[roots[node]] = end
    dying: dict[int, list[Node]] = {}
    for node, position in last_use.items():
        dying.setdefault(position, []).append(node)

    assigned: dict[Node, int] = {}
    in_place: dict[Node, Node] = {}
    slots: dict[Slot, int] = {}
    slab_of: dict[int, int] = {}
    slabs: list[int] = []
    free: list[int] = []
    for position, node in enumerate(graph.nodes):
        if node.spec.is_array and node not in owned and takes_slot(node):
            reused = next(
                (
                    source
                    for source in node.operands
                    if source in assigned
                    and last_use[source] == position
                    and source.spec == node.spec
                    and source.spec.layout == node.spec.layout
                    and overwrites(node, source)
                ),
                None,
            )
            if reused is not None:
                in_place[node] = reused
                assigned[node] = assigned[reused]
                last_use[reused] = -1  # its slab goes on with this node
            else:
                slab = _take_slab(node.spec.nbytes, free, slabs)
                slot = Slot(slab, node.spec, node.spec.layout)
                assigned[node] = slots.setdefault(slot, len(slots))
                slab_of[assigned[node]] = slab
        for dead in dying.get(position, ()):
            if dead in assigned and last_use[dead] == position:
                free.append(slab_of[assigned[dead]])
    return Buffers(assigned, tuple(slots), tuple(slabs), in_place, owned)


def _take_slab(nbytes: int, free: list[int], slabs: list[int]) -> int:
    """Take the free slab that fits best; enlarge the largest where none does; else make one."""
    fitting = [s for s in free if slabs[s] >= nbytes]
    if fitting or free:
        slab = min(fitting, key=slabs.__getitem__) if fitting else max(free, key=slabs.__getitem__)
        free.remove(slab)
        slabs[slab] = max(slabs[slab], nbytes)
        return slab
    slabs.append(nbytes)
    return len(slabs) - 1
