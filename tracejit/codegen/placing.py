"""Where the parts of a concatenation are computed: in the memory of the whole, if they can be.

A graph enters; leaves the place of each node that need not be copied into the whole: the node of
the concatenation and an offset in bytes. The parts of a whole lie one behind the other in its
memory. A part that is written element by element stands in its place from the first write on.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..dag.graph import Graph
from ..dag.node import Node, unshaped
from ..dag.op import INPUT
from . import syntax as s


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of another node's memory, from an offset in bytes on."""

    whole: Node
    offset: int


def find_places(graph: Graph, takes_slot: Callable[[Node], bool]) -> dict[Node, Place]:
    """Find the nodes that are computed as a part of a concatenation."""
    wholes = [
        [n for n in line.nodes if n.op.name == "concatenate" and takes_slot(n)]
        for line in graph.lines()
    ]
    if not any(wholes):
        return {}
    search = _Search(graph, takes_slot)
    for line, found in zip(graph.lines(), wholes, strict=True):
        own = set(line.nodes) if found else set()
        for whole in found:
            search.place_parts(whole, own)
    return search.resolved()


def parts_of(whole: Node) -> Iterator[tuple[Any, int, int]]:
    """Go through the inputs of a concatenation, with where each begins and ends along the axis."""
    start = 0
    for part in whole.inputs:
        shape = part.spec.shape if type(part) is Node else part.shape
        stop = start + shape[whole.attrs["axis"]]
        yield part, start, stop
        start = stop


class _Search:
    def __init__(self, graph: Graph, takes_slot: Callable[[Node], bool]) -> None:
        self.places: dict[Node, Place] = {}
        self.returned = graph.every_output()
        self.takes_slot = takes_slot
        self.users = graph.users()

    def place_parts(self, whole: Node, own: set[Node]) -> None:
        """Place the parts of a concatenation that are computed in the same line."""
        spec, axis = whole.spec, whole.attrs["axis"]
        if whole in self.returned or spec.layout != "C" or not spec.size:
            return
        if axis < 0 or any(length != 1 for length in spec.shape[:axis]):
            return
        step = spec.nbytes // spec.shape[axis]
        for part, start, _ in parts_of(whole):
            chain = self._computed_as(part) if type(part) is Node else []
            if chain and all(self._can_be(n, whole) and n in own for n in chain):
                self.places.update(dict.fromkeys(chain, Place(whole, start * step)))

    def _can_be(self, node: Node, whole: Node) -> bool:
        spec = node.spec
        return (
            spec.is_array and spec.dtype == whole.spec.dtype and spec.layout == "C"
            and node.op is not INPUT and node not in self.places and node not in self.returned
            and self.takes_slot(node)
        )  # fmt: skip

    def _computed_as(self, part: Node) -> list[Node]:
        """The node that computes a part, and those whose arrays it goes on to write to."""
        node = unshaped(part)
        chain = [node]
        while node.op.in_place is not None:
            source = node.inputs[0]
            if type(source) is not Node or len(self.users[source]) > 1:
                break
            if source.op is INPUT or source.op.views or not self.takes_slot(source):
                break
            node = source
            chain.append(node)
        return chain

    def resolved(self) -> dict[Node, Place]:
        """Give places in the outermost whole, where one is a part of another."""
        for node, place in self.places.items():
            outer = self.places.get(place.whole)
            while outer is not None:
                place = Place(outer.whole, outer.offset + place.offset)
                outer = self.places.get(place.whole)
            self.places[node] = place
        return self.places


def copy_parts(
    whole: Node, slot: str, parts: list[tuple[Any, int, int]], operand: Callable[[Any], ast.expr]
) -> list[ast.stmt]:
    """Write the copying of parts into the slot of their whole."""
    before = (slice(None),) * whole.attrs["axis"]
    statements = []
    for part, start, stop in parts:
        stretch = slice(start, stop)
        place = s.subscript(s.name(slot), s.literal((*before, stretch) if before else stretch))
        statements.append(s.expression(s.call("np.copyto", place, operand(part))))
    return statements
