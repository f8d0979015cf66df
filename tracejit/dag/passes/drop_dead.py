"""Drop what no output needs, but for what may raise: plain Python would raise there too.

    sin_0 = sin(x)                  cos_0 = cos(x)
    cos_0 = cos(x)          ->      return cos_0
    return cos_0
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, rebuild_lines
from ..node import Node

_RAISING = ("divide", "floor_divide", "remainder", "power", "int", "round_number")



def drop_dead(graph: Graph) -> Graph:
    """Keep the nodes that an output depends on, have an effect or may raise; inputs stay."""
    needed: set[Node] = graph.every_output()

    def keep_needed(line: Graph) -> Graph:
        for node in reversed(line.nodes):
            if node in needed or node.op.effect or _may_raise(node):
                needed.add(node)
                needed.update(node.operands)
        return replace(line, nodes=tuple(n for n in line.nodes if n in needed))

    return rebuild_lines(graph, keep_needed)  # what exits need is known before the lines they leave


def _may_raise(node: Node) -> bool:
    """Tell whether the user's own operation raises for some values: 1 / 0, a singular matrix."""
    if node.backward:
        return False
    if node.spec.is_python:
        name = node.op.name
        return name in _RAISING or name.startswith("math.")
    return node.op.name == "linalg.inv" or (node.op.name == "index" and len(node.operands) > 1)
