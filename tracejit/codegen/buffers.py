"""Buffers: which slot each value is computed in.

Nodes in order enter; leave a slot for each that needs one, and the byte slabs that slots are
views of. A value lives until its last reader, and a view keeps what it views alive. A node may
take the slot of an input that dies with it, if it works element by element on the same shape and
dtype. Values that the call returns get no slot: their memory belongs to the caller.

The exits of a guard use the same slabs: one call takes only one of the ways. What an exit reads
lives up to its guard; from there on, what the exit does not read is free.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..dag.graph import Graph
from ..dag.loop import LOOP, PART, Loop, deep_nodes
from ..dag.node import Layout, Node, Spec, unshaped
from ..dag.op import COMMIT
from .access import root_of
from .placement import Placement, place_results
from .placing import Place, find_places, parts_of
from .plan import Plan

_END = 2**62  # behind every place of a line


@dataclass(frozen=True, slots=True)
class Slot:
    """A typed view of a slab, from an offset in bytes on."""

    slab: int
    spec: Spec
    layout: Layout
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Buffers:
    """The assignment: an index into `slots` per node, and the size of each slab in bytes.

    in_place: the nodes that overwrite an input of theirs. owned: the returned nodes whose own
    memory is returned, by the line that they stand in; the others are copied. loops: of each.
    places: the nodes that are computed as a part of a concatenation.
    """

    assigned: dict[Node, int]
    slots: tuple[Slot, ...]
    slabs: tuple[int, ...]
    in_place: dict[Node, Node]
    owned: frozenset[Node]
    loops: dict[Node, Placement]
    places: dict[Node, Place]

    @property
    def nbytes(self) -> int:
        """Bytes of all slabs."""
        return sum(self.slabs)

    def base(self, node: Node) -> Node:
        """The node whose memory this one is computed in."""
        while node in self.in_place:
            node = self.in_place[node]
        return node

    def to_copy(self, whole: Node) -> list[tuple[Any, int, int]] | None:
        """The parts of a concatenation that do not lie in it, with their ends; None: all."""
        missing = [
            (part, start, stop)
            for part, start, stop in parts_of(whole)
            if type(part) is not Node or not self._lies_in(unshaped(part), whole, start)
        ]
        return missing if len(missing) < len(whole.inputs) else None

    def _lies_in(self, part: Node, whole: Node, start: int) -> bool:
        place, outer = self.places.get(part), self.places.get(whole, Place(whole, 0))
        step = whole.spec.nbytes // max(whole.spec.shape[whole.attrs["axis"]], 1)
        return place == Place(outer.whole, outer.offset + start * step)


def roots_of(graph: Graph, plan: Plan) -> dict[Node, Node]:
    """Map each node to the one whose memory it may be a view of: itself, if it views nothing.

    What a kernel computes has memory of its own; what it reads through views nothing else.
    """
    roots: dict[Node, Node] = {n: n for n in graph.inputs}
    for node in graph.every_node():
        views = node in plan.silent or (_is_view(node) and node not in plan.kernel)
        source = node.inputs[0] if views else None
        roots[node] = roots[source] if type(source) is Node else node
        if node.op is LOOP:
            roots.update(roots_of(node.attrs["loop"].body, plan))
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
    plan: Plan,
) -> Buffers:
    """Assign slots.

    Args:
        takes_slot: whether the target can compute a node into a given array.
        overwrites: whether a node may be computed in the memory of one of its inputs.
        plan: which nodes are computed together: they read and write at the same time.
    """
    assignment = _Assignment(graph, takes_slot, overwrites, plan)
    assignment.assign(graph, {}, _Free(assignment.slabs, [], 0))
    return Buffers(
        assignment.assigned, tuple(assignment.slots), tuple(assignment.slabs),
        assignment.in_place, frozenset(assignment.owned), assignment.loops, assignment.places,
    )  # fmt: skip


class _Assignment:
    """The assignment as it grows, line by line."""

    def __init__(
        self,
        graph: Graph,
        takes_slot: Callable[[Node], bool],
        overwrites: Callable[[Node, Node], bool],
        plan: Plan,
    ) -> None:
        self.plan = plan
        self.place = plan.place
        self.takes_slot = takes_slot
        self.overwrites = overwrites
        self.assigned: dict[Node, int] = {}
        self.in_place: dict[Node, Node] = {}
        self.slots: dict[Slot, int] = {}
        self.slab_of: list[int] = []
        self.slabs: list[int] = []
        # What kernels compute is not put into stacks: another call costs more than the copy.
        self.places = {} if plan.kernel else find_places(graph, takes_slot)
        self.roots = {
            node: self.places[root].whole if root in self.places else root
            for node, root in roots_of(graph, plan).items()
        }
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
        """Say at which place of a line each root is read last; the end comes after all."""
        found: dict[Node, int] = {}
        end: list[Node] = [o for o in line.outputs if type(o) is Node]
        own = set(line.nodes)
        self.owned.update(o for o in end if o in own and self.roots[o] is o and is_whole(o))
        for number, node in enumerate(line.nodes):
            position = self.place.get(node, number)
            found[node] = position
            for root in self._read_by(node):
                found[root] = max(found.get(root, 0), position)
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
        found.update({self.roots[node]: _END for node in end})
        return found

    def _read_by(self, node: Node) -> list[Node]:
        """List whose memory a node reads; a kernel looks through all views, copied or not."""
        found = [self.roots[source] for source in node.operands]
        if node in self.plan.kernel or node.op is LOOP:
            found += [self.roots[root_of(source)] for source in node.operands]
        return found

    def assign(self, line: Graph, held: dict[Node, None], free: _Free) -> None:
        """Assign the slots of a line; `held`: the nodes whose slabs are in use where it begins."""
        last_use = self.last_uses[id(line)]
        for node in [n for n in held if n not in last_use]:
            self._release(node, held, free)
        dying: dict[int, list[Node]] = {}
        for node, position in last_use.items():
            dying.setdefault(position, []).append(node)
        after = (*line.nodes[1:], None)
        for number, (node, following) in enumerate(zip(line.nodes, after, strict=False)):
            position = self.place.get(node, number)
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
                self.assign(other, dict(held), free.copy())
                free.settle(range(before, len(self.slabs)))  # of no use to a call that stays here
            if following is not None and self.place.get(following, number + 1) == position:
                continue
            for dead in dying.get(position, ()):
                if dead in held:
                    self._release(dead, held, free)

    def _is_last(self, first: Node, loop: Node, dying: list[Node], output: Node) -> bool:
        """Tell whether a loop may go on in the memory of an initial value."""
        if first not in dying or sum(self.roots[source] is first for source in loop.operands) > 1:
            return False
        return [*self.slots][self.assigned[first]].layout == self._layout(output)

    def _take(
        self, node: Node, dying: list[Node], held: dict[Node, None], free: _Free
    ) -> None:
        """Give a node its place, or the slot of an input that dies with it, or another one."""
        if node in self.places:
            self._take_place(node, self.places[node], held, free)
            return
        if node in held:  # a concatenation that has parts already
            return
        for source in dying:
            if (
                source.spec == node.spec
                and self._layout(source) == self._layout(node)
                and self.overwrites(node, source)
            ):
                self.in_place[node] = source
                self.assigned[node] = self.assigned[source]
                del held[source]  # its slab goes on with this node
                break
        else:
            self.assigned[node] = self._slot(node.spec, free, self._layout(node))
        held[node] = None

    def _take_place(
        self, node: Node, place: Place, held: dict[Node, None], free: _Free
    ) -> None:
        if place.whole not in held:
            self._take(place.whole, [], held, free)
        slab = self.slab_of[self.assigned[place.whole]]
        self.assigned[node] = self._number(Slot(slab, node.spec, node.spec.layout, place.offset))
        source = node.inputs[0] if node.op.in_place is not None else None
        if type(source) is Node and self.places.get(source) == place:
            self.in_place[node] = source

    def _slot(self, spec: Spec, free: _Free, layout: Layout | None = None) -> int:
        slab = free.take(spec.nbytes)
        slot = Slot(slab, spec, spec.layout if layout is None else layout)
        return self._number(slot)

    def _number(self, slot: Slot) -> int:
        number = self.slots.setdefault(slot, len(self.slots))
        if number == len(self.slab_of):
            self.slab_of.append(slot.slab)
        return number

    def _loop(
        self, node: Node, dying: list[Node], held: dict[Node, None], free: _Free
    ) -> None:
        """Assign the slots of a loop: those of its results, then those of its body."""
        loop: Loop = node.attrs["loop"]
        body, parts = loop.body, self.parts.get(node, {})
        last_use = self.last_uses[id(body)]
        placement, wanting, in_place = place_results(
            loop, self.roots, last_use, self.takes_slot, self.overwrites, self.place
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
                placement.begin[number] = self._slot(output.spec, free, self._layout(output))
            if first is not None and body.inputs[number] not in in_place.values():
                placement.other[number] = self._slot(output.spec, free, self._layout(output))
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
        self.assign(body, {}, free.copy())
        free.settle([*range(before, len(self.slabs)), *(self.slab_of[slot] for slot in idle)])

    def _layout(self, node: Node) -> Layout:
        return "C" if node in self.plan.kernel else node.spec.layout

    def _release(self, node: Node, held: dict[Node, None], free: _Free) -> None:
        del held[node]
        free.add(self.slab_of[self.assigned[node]])


class _Free:
    """The slabs that nobody uses: by size, those of one size in the order in which they came."""

    __slots__ = ("_count", "_found", "_slabs")

    def __init__(self, slabs: list[int], found: list[tuple[int, int, int]], count: int) -> None:
        self._slabs = slabs  # the size of each
        self._found = found
        self._count = count

    def copy(self) -> _Free:
        return _Free(self._slabs, [*self._found], self._count)

    def settle(self, more: Iterable[int]) -> None:
        """Add slabs; meanwhile an exit may have enlarged others."""
        self._found = sorted((self._slabs[slab], number, slab) for _, number, slab in self._found)
        for slab in more:
            self.add(slab)

    def add(self, slab: int) -> None:
        insort(self._found, (self._slabs[slab], self._count, slab))
        self._count += 1

    def take(self, nbytes: int) -> int:
        """Take the free slab that fits best; enlarge the largest where none does; else make one."""
        found, slabs = self._found, self._slabs
        if not found:
            slabs.append(nbytes)
            return len(slabs) - 1
        wanted = min(nbytes, found[-1][0])
        slab = found.pop(bisect_left(found, (wanted, -1, -1)))[2]
        slabs[slab] = max(slabs[slab], nbytes)
        return slab
