"""Group chains of elementwise nodes: those that one loop could compute.

    add_0 = add(matmul_0, b)                    add_0 = add(matmul_0, b)  group 0
    tanh_0 = tanh(add_0)                ->      tanh_0 = tanh(add_0)      group 0

A node joins the group of its reader if that is its only reader, and both are elementwise with
the same shape. So nothing outside a group depends on its inner nodes, and the group can be
computed where its last node stands. Nodes of a group become neighbours. A guard may end the
call, so no group has nodes on both sides of one.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from ..graph import Graph, rebuild_lines
from ..node import Node


def fuse(graph: Graph) -> Graph:
    """Number the fusion groups and bring each group's nodes together."""
    users = graph.users()
    returned = graph.every_output()
    segments = graph.segments()

    def fuse_line(line: Graph) -> Graph:
        last: dict[Node, Node] = {}  # each node -> the last node of its group
        for node in reversed(line.nodes):
            readers = set(users[node])
            reader = next(iter(readers)) if len(readers) == 1 and node not in returned else None
            joins = (
                reader is not None
                and _fusible(node)
                and _fusible(reader)
                and node.spec.shape == reader.spec.shape
                and node.backward == reader.backward
                and segments[node] == segments[reader]
            )
            last[node] = last[reader] if joins and reader is not None else node
        members: dict[Node, list[Node]] = {}
        for node in line.nodes:
            members.setdefault(last[node], []).append(node)
        order: list[Node] = []
        groups: dict[Node, int] = {}
        numbers = count()
        for node in line.nodes:
            if last[node] is node:
                order.extend(members[node])
                if len(members[node]) > 1:
                    groups.update(dict.fromkeys(members[node], next(numbers)))
        return replace(line, nodes=tuple(order), groups=groups)

    return rebuild_lines(graph, fuse_line)


def _fusible(node: Node) -> bool:
    return node.op.elementwise and node.spec.is_array and node.spec.nbytes > 0
