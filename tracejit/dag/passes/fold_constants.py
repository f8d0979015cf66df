"""Compute at compile time what depends on constants alone.

    multiply_0 = multiply(2.0, 3.0)
    add_0 = add(x, multiply_0)          ->      add_0 = add(x, 6.0)

Arrays are folded only while they stay small, and nothing is folded that would raise or warn:
that has to happen at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..evaluate import compute
from ..graph import Graph, rebuild
from ..node import Node

LIMIT = 1024  # bytes of a folded array


def fold_constants(graph: Graph) -> Graph:
    """Replace nodes without node inputs by their values."""
    return rebuild(graph, _fold)


def _fold(node: Node) -> Any:
    spec = node.spec
    if node.operands or not node.inputs or spec.nbytes > LIMIT:
        return node
    try:
        with np.errstate(all="raise"):
            value = compute(node, node.inputs)
    except Exception:  # whatever it is, the user's call must meet it
        return node
    return value if type(value) is spec.cls else node
