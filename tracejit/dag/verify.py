"""The graph's invariants, checked between passes in tests and in debug mode."""

from __future__ import annotations

from ..errors import GraphError
from .graph import Graph
from .node import Node
from .op import INPUT


def verify(graph: Graph) -> Graph:
    """Check a graph and return it.

    Raises:
        GraphError: a node stands before one of its inputs or twice, an input is not an input
            node, a spec is missing, an output or group member is not in the graph, or the
            backward pass feeds the forward pass.
    """
    seen: set[Node] = set()
    for node in graph.inputs:
        _require(node.op is INPUT, f"{node} is among the inputs but is no input node")
        seen.add(node)
    for node in graph.nodes:
        _require(node not in seen, f"{node} stands twice")
        _require(node.op is not INPUT, f"{node} is an input node that is no input of the graph")
        _require(hasattr(node, "spec"), f"{node} has no spec")
        for source in node.operands:
            _require(source in seen, f"{node} reads {source}, which does not stand before it")
            _require(
                node.backward or not source.backward,
                f"{node} is of the forward pass and reads {source} of the backward pass",
            )
        seen.add(node)
    for output in graph.outputs:
        _require(type(output) is not Node or output in seen, f"the output {output} is missing")
    for node in graph.groups:
        _require(node in seen, f"{node} is in a fusion group but not in the graph")
    return graph


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise GraphError(message)
