"""Compute at compile time what depends on constants alone.

    multiply_0 = multiply(2.0, 3.0)
    add_0 = add(x, multiply_0)          ->      add_0 = add(x, 6.0)

A new array that is filled element by element stays: making it at every call costs less than a
copy of the constant. Arrays are folded only while they stay small, and nothing is folded that
would raise or warn: that has to happen at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..evaluate import compute
from ..graph import Graph, rebuild
from ..loop import LOOP
from ..node import FIXED, Node

LIMIT = 1024  # bytes of a folded array
CREATED_LIMIT = 1 << 16  # of one that is evenly filled, which is written in few words
_CREATORS = ("zeros", "full", "linspace")
_WRITES = ("index_set", "index_add")


def fold_constants(graph: Graph) -> Graph:
    """Replace nodes without node inputs by their values."""
    writes = (node for node in graph.every_node() if node.op.name in _WRITES)
    filled = {node.inputs[0] for node in writes if _stays(node)}
    return rebuild(graph, lambda node: node if node in filled else _fold(node))


def _stays(write: Node) -> bool:
    """Tell whether a write is done at every call, into an array that is made for it."""
    source = write.inputs[0]
    made = type(source) is Node and source.op.name in _CREATORS
    return made and (write.level != FIXED or write.spec.nbytes > LIMIT)


def _fold(node: Node) -> Any:
    spec, op = node.spec, node.op
    if node.operands or node.op is LOOP:
        return node
    if op.name == "copy" and type(node.inputs[0]) is np.ndarray:
        return node.inputs[0]
    created = op.name in _CREATORS
    if not (created or node.inputs) or spec.nbytes > (CREATED_LIMIT if created else LIMIT):
        return node
    try:
        with np.errstate(all="raise"):
            value = compute(node, node.inputs)
    except Exception:  # whatever it is, the user's call must meet it
        return node
    return value if type(value) is spec.cls else node
