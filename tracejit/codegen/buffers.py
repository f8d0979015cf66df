"""Buffers: which slot each value is computed in.

Nodes in order enter; leave a slot for each that needs one, and the byte slabs that slots are
views of. A value lives until its last reader, and a view keeps what it views alive. A node may
take the slot of an input that dies with it, if it works element by element on the same shape and
dtype. Values that the call returns get no slot: their memory belongs to the caller.

The exits of a guard use the same slabs: one call takes only one of the ways. What an exit reads
lives up to its guard; from there on, what the exit does not read is free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..dag.graph import Graph
from ..dag.loop import LOOP, PART, Loop, deep_nodes
from ..dag.node import Layout, Node, Spec
from ..dag.op import COMMIT
from .placement import Placement, place_results


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
    memory is returned, by the line that they stand in; the others are copied. loops: of each.
    """

    assigned: dict[Node, int]
    slots: tuple[Slot, ...]
    slabs: tuple[int, ...]
    in_place: dict[Node, Node]
    owned: frozenset[Node]
    loops: dict[Node, Placement]

    @property
    def nbytes(self) -> int:
        """Bytes of all slabs."""
        return sum(self.slabs)


def roots_of(graph: Graph) -> dict[Node, Node]:
    """Map each node to the one whose memory it may be a view of: itself, if it views nothing."""
    roots: dict[Node, Node] = {n: n for n in graph.inputs}
    for node in graph.every_node():
        source = node.inputs[0] if _is_view(node) else None
        roots[node] = roots[source] if type(source) is Node else node
        if node.op is LOOP:
            roots.update(roots_of(node.attrs["loop"].body))
    return roots


def is_whole(node: Node) -> bool:
    """Tell whether a node's own memory may be returned: not what a loop carries in its slots."""
    if node.op is not PART:
        return True
    loop: Loop = node.inputs[0].attrs["loop"]
    return bool(node.attrs["index"] >= loop.carried)


def _is_view(node: Node) -> bool:
    """Tell whether a node's value may lie in the memory of its first input."""
    if not node.op.views or not node.spec.is_array or not node.inputs:
        return False
    return not any(  # an array as an index selects copies
        (i.spec.shape if type(i) is Node else getattr(i, "shape", ())) for i in node.inputs[1:]
    )


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
    assignment = _Assignment(graph, takes_slot, overwrites)
    assignment.assign(graph, {}, [])
    return Buffers(
        assignment.assigned, tuple(assignment.slots), tuple(assignment.slabs),
        assignment.in_place, frozenset(assignment.owned), assignment.loops,
    )  # fmt: skip


class _Assignment:
    """The assignment as it grows, line by line."""

    def __init__(
        self,
        graph: Graph,
        takes_slot: Callable[[Node], bool],
        overwrites: Callable[[Node, Node], bool],
    ) -> None:
        self.takes_slot = takes_slot
        self.overwrites = overwrites
        self.assigned: dict[Node, int] = {}
        self.in_place: dict[Node, Node] = {}
        self.slots: dict[Slot, int] = {}
        self.slab_of: list[int] = []
        self.slabs: list[int] = []
        self.roots = roots_of(graph)
        self.owned: set[Node] = set()
        self.loops: dict[Node, Placement] = {}
        self.parts: dict[Node, dict[int, Node]] = {}  # of each loop, by number
        for node in deep_nodes(graph):
            if node.op is PART:
                self.parts.setdefault(node.inputs[0], {})[node.attrs["index"]] = node
        self.last_uses: dict[int, dict[Node, int]] = {}  # by the id of a line
        for line in reversed([*graph.lines()]):
            self.last_uses[id(line)] = self._last_uses(line)

    def _last_uses(self, line: Graph) -> dict[Node, int]:
        """Say where in a line each root is read last; `len(line.nodes)` is its end."""
        found: dict[Node, int] = {}
        end: list[Node] = [o for o in line.outputs if type(o) is Node]
        own = set(line.nodes)
        self.owned.update(o for o in end if o in own and self.roots[o] is o and is_whole(o))
        for position, node in enumerate(line.nodes):
            found[node] = position
            for source in node.operands:
                found[self.roots[source]] = position
            if node.op is LOOP:
                body = node.attrs["loop"].body
                kept = set(self.owned)
                self.last_uses[id(body)] = self._last_uses(body)
                self.owned = kept
            for other in line.exits.get(node, {}).values():
                inside = set(other.nodes)
                reads = (n for n in self.last_uses[id(other)] if n not in inside)
                found.update(dict.fromkeys(reads, position))
            if node.op is COMMIT:  # written at the very end
                end += node.operands
        found.update({self.roots[node]: len(line.nodes) for node in end})
        return found

    def assign(self, line: Graph, held: dict[Node, None], free: list[int]) -> None:
        """Assign the slots of a line; `held`: the nodes whose slabs are in use where it begins."""
        last_use = self.last_uses[id(line)]
        for node in [n for n in held if n not in last_use]:
            self._release(node, held, free)
        dying: dict[int, list[Node]] = {}
        for node, position in last_use.items():
            dying.setdefault(position, []).append(node)
        for position, node in enumerate(line.nodes):
            if node.op is LOOP:
                taken = [s for s in node.operands if s in held and last_use[s] == position]
                self._loop(node, taken, held, free)
            elif node.op is PART or node in self.assigned:
                pass
            elif node.spec.is_array and node not in self.owned and self.takes_slot(node):
                dies = [s for s in node.operands if s in held and last_use[s] == position]
                self._take(node, dies, held, free)
            for other in line.exits.get(node, {}).values():
                before = len(self.slabs)
                self.assign(other, dict(held), [*free])
                free += range(before, len(self.slabs))  # a call that stays here has no use for them
            for dead in dying.get(position, ()):
                if dead in held:
                    self._release(dead, held, free)

    def _is_last(self, first: Node, loop: Node, dying: list[Node], output: Node) -> bool:
        """Tell whether a loop may go on in the memory of an initial value."""
        read = sum(self.roots[source] is first for source in loop.operands)
        return first in dying and read == 1 and first.spec.layout == output.spec.layout

    def _take(
        self, node: Node, dying: list[Node], held: dict[Node, None], free: list[int]
    ) -> None:
        """Give a node the slot of an input that dies with it, or another one."""
        for source in dying:
            if (
                source.spec == node.spec
                and source.spec.layout == node.spec.layout
                and self.overwrites(node, source)
            ):
                self.in_place[node] = source
                self.assigned[node] = self.assigned[source]
                del held[source]  # its slab goes on with this node
                break
        else:
            self.assigned[node] = self._slot(node.spec, free)
        held[node] = None

    def _slot(self, spec: Spec, free: list[int]) -> int:
        slab = _take_slab(spec.nbytes, free, self.slabs)
        slot = Slot(slab, spec, spec.layout)
        number = self.slots.setdefault(slot, len(self.slots))
        if number == len(self.slab_of):
            self.slab_of.append(slab)
        return number

    def _loop(
        self, node: Node, dying: list[Node], held: dict[Node, None], free: list[int]
    ) -> None:
        """Assign the slots of a loop: those of its results, then those of its body."""
        loop: Loop = node.attrs["loop"]
        body, parts = loop.body, self.parts.get(node, {})
        last_use = self.last_uses[id(body)]
        placement, wanting, in_place = place_results(
            loop, self.roots, last_use, self.takes_slot, self.overwrites
        )
        self.loops[node] = placement
        self.in_place.update(in_place)
        idle: list[int] = []  # slots that nobody needs any more once the loop has ended
        for number in range(loop.carried, loop.first_stack + len(loop.collected)):
            part = parts.get(number)
            slot = None if part in self.owned else self._slot(loop.result_spec(number), free)
            placement.stacks[number] = slot
            if part is not None and slot is not None:
                self.assigned[part] = slot
                held[part] = None
            elif slot is not None:
                idle.append(slot)
        for number in sorted(wanting):
            first, part = node.inputs[number], parts.get(number)
            output: Node = body.outputs[number]
            if type(first) is Node and self._is_last(first, node, dying, output):
                placement.begin[number] = self.assigned[first]
                placement.taken_over.add(number)
                del held[first]
            else:
                placement.begin[number] = self._slot(output.spec, free)
            if first is not None and body.inputs[number] not in in_place.values():
                placement.other[number] = self._slot(output.spec, free)
            last = placement.last(number, loop.count)
            slots = {placement.begin[number], placement.other.get(number, last)}
            if part is not None:
                self.assigned[part] = last
                held[part] = None
                slots.remove(last)
            idle += slots
        for inner, number in placement.direct.items():
            if number < loop.carried:
                slot = placement.other.get(number, placement.begin[number])
            else:
                slot = placement.stacks[number]
            self.assigned[inner] = -1 if slot is None else slot
        before = len(self.slabs)
        self.assign(body, {}, [*free])
        free += [*range(before, len(self.slabs)), *(self.slab_of[slot] for slot in idle)]

    def _release(self, node: Node, held: dict[Node, None], free: list[int]) -> None:
        del held[node]
        free.append(self.slab_of[self.assigned[node]])


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
