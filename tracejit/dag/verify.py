"""The graph's invariants, checked between passes in tests and in debug mode."""

from __future__ import annotations

from ..errors import GraphError
from .graph import Graph
from .node import Node
from .op import COMMIT, GUARD, INPUT


def verify(graph: Graph) -> Graph:
    """Check a graph and return it.

    Raises:
        GraphError: a node stands before one of its inputs or twice, an input is not an input
            node, a spec is missing, an output or group member is not in the graph, the backward
            pass feeds the forward pass, an exit is no other outcome of a guard of its line, or a
            guard comes after a commit.
    """
    for node in graph.inputs:
        _require(node.op is INPUT, f"{node} is among the inputs but is no input node")
    _verify_line(graph, set(graph.inputs), set(), False)
    return graph


def _verify_line(graph: Graph, seen: set[Node], stood: set[Node], committed: bool) -> None:
    """Check a line; `seen`: what it may read. `stood`: the nodes of all lines so far."""
    for node in graph.nodes:
        _require(node not in stood, f"{node} stands twice")
        _require(node.op is not INPUT, f"{node} is an input node that is no input of the graph")
        _require(hasattr(node, "spec"), f"{node} has no spec")
        for source in node.operands:
            _require(source in seen, f"{node} reads {source}, which does not stand before it")
            _require(
                node.backward or not source.backward,
                f"{node} is of the forward pass and reads {source} of the backward pass",
            )
        _require(not committed or node.op is not GUARD, f"{node} comes after a commit")
        committed = committed or node.op is COMMIT
        seen.add(node)
        stood.add(node)
        for outcome, other in graph.exits.get(node, {}).items():
            fits = node.op is GUARD and outcome != node.attrs["outcome"] and not other.inputs
            _require(fits, f"the exit for {outcome!r} at {node} is none")
            _verify_line(other, seen, stood, committed)
            seen.difference_update(other.nodes)
    for output in graph.outputs:
        _require(type(output) is not Node or output in seen, f"the output {output} is missing")
    for node in graph.groups:
        _require(node in seen, f"{node} is in a fusion group but not in the graph")
    for node in graph.exits:
        _require(node in seen, f"{node} has exits but is not in the graph")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise GraphError(message)
