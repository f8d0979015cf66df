"""Run a graph on plain values, node by node: slow, and as plain as can be.

It says what a graph means. Passes are tested against it, and emitted code is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph import Graph
from .node import Node
from .op import COMMIT, GUARD, LOOKS


def evaluate(graph: Graph, values: Sequence[Any]) -> list[Any]:
    """Compute a graph's outputs from the values of its inputs; nothing is committed.

    Raises:
        LookupError: at some guard the call goes a way that is not in the graph.
    """
    known: dict[Node, Any] = dict(zip(graph.inputs, values, strict=True))
    line: Graph | None = graph
    while line is not None:
        taken, line = line, None
        for node in taken.nodes:
            inputs = [known[i] if type(i) is Node else i for i in node.inputs]
            if node.op is GUARD:
                outcome = LOOKS[node.attrs["kind"]](inputs[0])
                if outcome != node.attrs["outcome"]:
                    line = taken.exits.get(node, {}).get(outcome)
                    if line is None:
                        raise LookupError(f"no path for {outcome!r} at {node.where}")
                    break
            elif node.op is not COMMIT:
                known[node] = compute(node, inputs)
    return [known[o] if type(o) is Node else o for o in taken.outputs]


def compute(node: Node, inputs: Sequence[Any]) -> Any:
    """Compute a node's value: Python numbers by Python's operators, all else by the op."""
    run = node.op.operator if node.spec.is_python and node.op.operator else node.op.fn
    return run(*inputs, **node.attrs)
