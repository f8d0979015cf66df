"""Drop what no output needs, but for what may raise: plain Python would raise there too.

    sin_0 = sin(x)                  cos_0 = cos(x)
    cos_0 = cos(x)          ->      return cos_0
    return cos_0
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph
from ..node import Node


def drop_dead(graph: Graph) -> Graph:
    """Keep the nodes that an output depends on or that may raise; inputs stay."""
    needed: set[Node] = {o for o in graph.outputs if type(o) is Node}
    for node in reversed(graph.nodes):
        if node not in needed and _may_raise(node):
            needed.add(node)
        if node in needed:
            needed.update(node.operands)
    return replace(graph, nodes=tuple(n for n in graph.nodes if n in needed))


def _may_raise(node: Node) -> bool:
    """Tell whether the user's own operation raises for some values: 1 / 0, a singular matrix."""
    if node.backward:
        return False
    if node.spec.is_python:
        return node.op.name in ("divide", "floor_divide", "remainder", "power")
    return node.op.name == "linalg.inv" or (node.op.name == "index" and len(node.operands) > 1)
