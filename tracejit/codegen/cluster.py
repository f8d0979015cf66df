"""The clustering of a kernel's nodes into nests, which run one after another.

Nodes enter in order; each joins the earliest nest behind all that it reads that has something in
common with it and whose loops can compute it. Cheap nodes wait for a reader, and go where it goes.
"""

from __future__ import annotations

import math

from ..dag.node import Node
from .access import root_of
from .nests import CHEAP, Nest, start
from .scalars import CALLED

LOOKBACK = 12  # nests that a node may still join
# Long functions in a loop with many turns: in a chain of more, the processor does not get to the
# next turn while it waits, and with many arrays to write the compiler does not vectorise.
LONG = CALLED - {"sqrt", "root", "copysign"}
FULL = 8
MANY_TURNS = 256


def cluster(nodes: list[Node]) -> list[Nest]:
    """Put the nodes of a kernel into nests, in an order that works."""
    clustering = _Clustering(nodes)
    for node in nodes:
        if node.op.name not in CHEAP:
            clustering.place(node)
    for node in nodes:
        clustering.place(node)
    for nest in clustering.nests:
        nest.settle()
    return clustering.nests


class _Clustering:
    """Nests as they grow. Cheap nodes wait until one that needs them is placed."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nests: list[Nest] = []
        self.home: dict[Node, int] = {}
        self.own = set(nodes)

    def place(self, node: Node) -> None:
        """Put a node, and what it waits for, into a nest."""
        if node in self.home:
            return
        waiting = self._waiting(node)
        low = 0
        for member in (*waiting, node):
            for root in map(root_of, member.operands):
                low = max(low, self.home.get(root, 0))
        for position in range(max(low, len(self.nests) - LOOKBACK), len(self.nests)):
            nest = self.nests[position]
            if node.op.name in LONG and _is_full(nest):
                continue
            if any(nest.shares(member) for member in (*waiting, node)) and self._joins(
                nest, position, waiting, node
            ):
                return
        first = (*waiting, node)[0]
        self.nests.append(start(first))
        self.home[first] = len(self.nests) - 1
        self.place(node)

    def _joins(self, nest: Nest, position: int, waiting: list[Node], node: Node) -> bool:
        before = nest.mark()
        for member in (*waiting, node):
            if not nest.takes(member):
                nest.forget(before)
                return False
        self.home.update(dict.fromkeys((*waiting, node), position))
        return True

    def _waiting(self, node: Node) -> list[Node]:
        """List the cheap nodes that have no place yet and that a node needs, in order."""
        found: dict[Node, None] = {}

        def visit(reader: Node) -> None:
            for root in map(root_of, reader.operands):
                if root in self.own and root not in self.home and root not in found:
                    visit(root)
                    found[root] = None

        visit(node)
        return [*found]


def _is_full(nest: Nest) -> bool:
    long = sum(node.op.name in LONG for node in nest.nodes)
    return long >= FULL and math.prod(nest.lengths) >= MANY_TURNS
