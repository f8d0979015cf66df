"""The numba target: loop kernels between calls of NumPy, compiled to machine code by Numba.

What kernels do not compute is written as the NumPy target writes it. A node of a kernel may
take the memory of an input that dies with it where every reading of that input is of the same
element.
"""

from __future__ import annotations

from ...dag.node import Node
from ..access import Step, aligned, take_back, viewed
from ..kernels import plan_kernels
from ..nests import PADDED, PERIODIC, Nest
from .numpy import (
    expression,
    functions,
    helper,
    is_inlined,
    statements,
    takes_slot,
)
from .numpy import overwrites as _overwrites

plan = plan_kernels


def overwrites(node: Node, source: Node, nest: Nest | None = None) -> bool:
    """Tell whether the node may be computed in the memory of this input."""
    if nest is None:
        return _overwrites(node, source)
    if nest.product or not nest.is_full(node) or max(nest.stage.values()) > 0:
        return False
    if any(member.op.name in PERIODIC for member in nest.nodes):  # it may run twice
        return False
    mine = tuple(Step(a) for a in nest.axes[node])
    return all(
        nest.is_full(reader) and _reads_at(nest, reader, operand) == mine
        for reader in nest.nodes
        for operand in reader.operands
        if _memory_of(operand) is source
    )


def _memory_of(node: Node) -> Node:
    """Follow views of all kinds, also those that NumPy makes."""
    while node.op.views and type(node.inputs[0]) is Node:
        node = node.inputs[0]
    return node


def _reads_at(nest: Nest, reader: Node, operand: Node) -> tuple[Step, ...] | None:
    """Say at which place a member reads an operand, in its memory; None: elsewhere."""
    index = tuple(Step(a) for a in nest.axes[reader])
    if viewed(reader) is not None:
        root, place = take_back(reader, index)
    elif reader.op.name in PADDED and operand is reader.inputs[-1]:
        return None
    else:
        root, place = take_back(operand, aligned(operand.spec.shape, index))
    return place if root is _memory_of(root) else None


__all__ = [
    "expression", "functions", "helper", "is_inlined", "overwrites", "plan", "statements",
    "takes_slot",
]  # fmt: skip
