"""Compute equal things once.

    exp_0 = exp(x)                      exp_0 = exp(x)
    exp_1 = exp(x)              ->      add_0 = add(exp_0, exp_0)
    add_0 = add(exp_0, exp_1)
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from ..graph import Graph, rebuild
from ..loop import LOOP
from ..node import Node

_COMMUTATIVE = {"add", "multiply", "maximum", "minimum"}


def merge_common(graph: Graph) -> Graph:
    """Replace a node by an earlier one with the same op, inputs and attributes."""
    known: dict[Hashable, Node] = {}
    keys: dict[Node, Hashable] = {}

    def merge(node: Node) -> Node:
        if node.op is LOOP:
            return node
        if not node.operands and node.spec.is_array:  # a new array, that is written to
            return node
        inputs = [id(i) if type(i) is Node else _key(i) for i in node.inputs]
        if node.op.name in _COMMUTATIVE and repr(inputs[0]) > repr(inputs[1]):
            inputs.reverse()
        spec = node.spec
        attrs = repr(node.attrs) if node.attrs else ""
        key = (node.op, *inputs, attrs, spec.cls, spec.shape, spec.dtype)
        keys[node] = key
        return known.setdefault(key, node)

    def forget(line: Graph) -> None:
        """Leave an exit: what it computes is not known outside."""
        for node in line.nodes:
            known.pop(keys.get(node), None)

    return rebuild(graph, merge, forget)


def _key(value: Any) -> Hashable:
    """Identify a constant by type and exact value; nodes are identified by themselves."""
    if isinstance(value, np.ndarray):
        small = value.nbytes <= 1024
        return (value.shape, value.dtype.str, value.tobytes() if small else id(value))
    if isinstance(value, np.generic):
        return (value.dtype.str, value.tobytes())
    return (type(value).__name__, repr(value))
