"""Group chains of elementwise nodes: those that one loop could compute.

    add_0 = add(matmul_0, b)                    add_0 = add(matmul_0, b)  group 0
    tanh_0 = tanh(add_0)                ->      tanh_0 = tanh(add_0)      group 0

A node joins the group of its reader if that is its only reader, and both are elementwise with
the same shape. So nothing outside a group depends on its inner nodes, and the group can be
computed where its last node stands. Nodes of a group become neighbours.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph
from ..node import Node


def fuse(graph: Graph) -> Graph:
    """Number the fusion groups and bring each group's nodes together."""
    users = graph.users()
    returned = {o for o in graph.outputs if type(o) is Node}
    last: dict[Node, Node] = {}  # each node -> the last node of its group
    for node in reversed(graph.nodes):
        readers = set(users[node])
        reader = next(iter(readers)) if len(readers) == 1 and node not in returned else None
        joins = (
            reader is not None
            and _fusible(node)
            and _fusible(reader)
            and node.spec.shape == reader.spec.shape
            and node.backward == reader.backward
        )
        last[node] = last[reader] if joins and reader is not None else node
    members: dict[Node, list[Node]] = {}
    for node in graph.nodes:
        members.setdefault(last[node], []).append(node)
    order: list[Node] = []
    groups: dict[Node, int] = {}
    for node in graph.nodes:
        if last[node] is node:
            order.extend(members[node])
            if len(members[node]) > 1:
                number = len(set(groups.values()))
                groups.update(dict.fromkeys(members[node], number))
    return replace(graph, nodes=tuple(order), groups=groups)


def _fusible(node: Node) -> bool:
    return node.op.elementwise and node.spec.is_array and node.spec.nbytes > 0
