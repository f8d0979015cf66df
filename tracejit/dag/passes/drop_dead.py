"""Drop what no output needs.

    sin_0 = sin(x)                  cos_0 = cos(x)
    cos_0 = cos(x)          ->      return cos_0
    return cos_0
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph
from ..node import Node


def drop_dead(graph: Graph) -> Graph:
    """Keep the nodes that an output depends on; inputs stay."""
    needed: set[Node] = {o for o in graph.outputs if type(o) is Node}
    for node in reversed(graph.nodes):
        if node in needed:
            needed.update(node.operands)
    return replace(graph, nodes=tuple(n for n in graph.nodes if n in needed))
