"""Where the values of a loop live: carried ones in two buffers that change places, rows in stacks.

A carried array is computed into the other one of two slots, and the two are exchanged when the
iteration ends; or in place, where it is read no more. What is collected is computed straight into
its row, if the target can do that. A value that has fresh memory at each time is only renamed.
All that is sure not to be overwritten while the same iteration still reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ..dag.loop import Loop
from ..dag.node import Node

Overwrites = Callable[[Node, Node], bool]


@dataclass(slots=True)
class Placement:
    """How a loop's values are placed.

    begin, other: the slots of a carried array, by its number; without `other` it is computed in
    place. stacks: the slot of each stack among the results, by its number; None for fresh memory.
    direct: the nodes of the body that are computed into the memory of a result, by its number: the
    other slot of a carried array, or a row. fresh: the carried arrays that are renamed alone.
    """

    begin: dict[int, int] = field(default_factory=dict)
    other: dict[int, int] = field(default_factory=dict)
    stacks: dict[int, int | None] = field(default_factory=dict)
    direct: dict[Node, int] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)
    taken_over: set[int] = field(default_factory=set)

    def last(self, number: int, count: int) -> int:
        """The slot in which a carried array is when the loop has ended."""
        other = self.other.get(number)
        return self.begin[number] if other is None or count % 2 == 0 else other


def place_results(
    loop: Loop, roots: dict[Node, Node], last_use: dict[Node, int],
    takes_slot: Callable[[Node], bool], overwrites: Overwrites, place: dict[Node, int],
) -> tuple[Placement, set[int], dict[Node, Node]]:  # fmt: skip
    """Say which nodes are computed into results; which carried arrays want slots; what is in place.

    `roots`, `last_use`: of the body, as in buffers.py.
    """
    body = loop.body
    placement = Placement()
    wanting: set[int] = set()
    in_place: dict[Node, Node] = {}
    own = set(body.nodes)
    times = Counter(o for o in body.outputs if type(o) is Node)
    position = {node: place.get(node, number) for number, node in enumerate(body.nodes)}

    def dying(node: Node, source: Node | None) -> list[Node]:
        """Find the operands that a node may overwrite, if they are computed there, too."""
        return [
            m for m in node.operands
            if (m is source or (m in own and roots[m] is m and takes_slot(m)))
            and m not in placement.direct and not times[m]
            and last_use[m] == position[node] and _fits(node, m, overwrites)
        ]  # fmt: skip

    def chain_to(node: Node, source: Node) -> list[Node] | None:
        """Find the nodes from one back to a carried value that can all work in its memory."""
        waiting = [[node]]
        while waiting:
            chain = waiting.pop()
            if chain[-1] is source:
                return chain
            waiting += [[*chain, before] for before in dying(chain[-1], source)]
        return None

    for number, output in _numbered(loop):
        node = body.outputs[output]
        if type(node) is not Node or not node.spec.is_array:
            continue
        single = node in own and roots[node] is node and times[node] == 1
        if number < loop.carried and single and not takes_slot(node):
            placement.fresh.add(number)
        if not single or not takes_slot(node) or node in placement.direct:
            continue
        chain: list[Node] | None = None
        if number < loop.carried:
            wanting.add(number)
            chain = chain_to(node, body.inputs[number])
        if chain is None:
            chain = [node]
            while before := dying(chain[-1], None):
                chain.append(before[0])
        in_place.update(pairwise(chain))
        placement.direct.update((n, number) for n in chain if n in own)
    return placement, wanting, in_place


def _numbered(loop: Loop) -> Iterator[tuple[int, int]]:
    """Go through the results that a body computes: their numbers, and those of its outputs.

    Of what is carried on and kept, the history is the result.
    """
    yield from enumerate(loop.kept, loop.carried)
    yield from ((n, n) for n in range(loop.carried) if n not in loop.kept)
    yield from enumerate(range(loop.carried, len(loop.body.outputs)), loop.first_stack)


def _fits(node: Node, source: Node, overwrites: Overwrites) -> bool:
    same = node.spec == source.spec and node.spec.layout == source.spec.layout
    return same and overwrites(node, source)
