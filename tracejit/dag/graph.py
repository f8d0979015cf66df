"""A graph: the sealed nodes of one recorded call, forward and backward together.

Nodes are in an order in which each comes after its inputs. Graphs are values: a pass takes one
and returns another, and `rebuild` is how it does so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .node import Node


@dataclass(frozen=True, slots=True)
class Graph:
    """A joint graph.

    name: of the user's function. inputs: one node per argument leaf that is a number or array.
    nodes: all others, in order. outputs: what the call returns, leaf by leaf, each a node or a
    constant; the first `gradients` of them are the gradients.
    groups: fusion group of each node that is in one (set by the `fuse` pass).
    """

    name: str
    inputs: tuple[Node, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Any, ...]
    gradients: int = 0
    groups: dict[Node, int] = field(default_factory=dict)

    def users(self) -> dict[Node, list[Node]]:
        """Map each node to the nodes that read it, once per reading."""
        users: dict[Node, list[Node]] = {n: [] for n in (*self.inputs, *self.nodes)}
        for node in self.nodes:
            for source in node.operands:
                users[source].append(node)
        return users

    def __str__(self) -> str:
        from .text import to_text

        return to_text(self)


Rewrite = Callable[[Node], Any]  # a node with final inputs -> a node or constant in its place


def rebuild(graph: Graph, rewrite: Rewrite) -> Graph:
    """Rewrite a graph from first to last node.

    `rewrite` sees each node with its inputs already rewritten and returns the node itself, an
    earlier node, a constant, or a new node (which may hold new nodes among its inputs: they are
    inserted before it).
    """
    now: dict[Node, Any] = {n: n for n in graph.inputs}
    nodes: list[Node] = []
    placed: set[Node] = set(graph.inputs)

    def place(node: Node) -> None:
        for source in node.operands:
            if source not in placed:
                place(source)
        placed.add(node)
        nodes.append(node)

    for old in graph.nodes:
        inputs = tuple(now[i] if type(i) is Node else i for i in old.inputs)
        same = all(a is b for a, b in zip(inputs, old.inputs, strict=True))
        new = rewrite(old if same else old.like(old.op, inputs, old.attrs))
        if type(new) is Node:
            if new not in placed:
                place(new)
            if new.hint is None:
                new.hint = old.hint
        now[old] = new
    outputs = tuple(now[o] if type(o) is Node else o for o in graph.outputs)
    return replace(graph, nodes=tuple(nodes), outputs=outputs)
