"""Contractions that are no products of matrices, written as loops compute them.

    einsum_0 = einsum(x, y, subscripts="ij,ij->i")  ->  multiply_0 = multiply(x, y)
                                                        sum_0 = sum(multiply_0, axis=1)

A graph enters and leaves, before kernels are planned: so the loops take in what is computed before
and after, and the products of the elements are never stored.
"""

from __future__ import annotations

import numpy as np

from ..dag.graph import Graph, rebuild
from ..dag.loop import everywhere, spec_of_operand
from ..dag.node import Node, Spec
from ..dag.passes.stacks import new_node
from .scalars import FLOATS


def spread_contractions(graph: Graph) -> Graph:
    """Rewrite the contractions of floats whose operands have the same axes."""
    return everywhere(lambda each: rebuild(each, _spread))(graph)


def _spread(node: Node) -> Node:
    if node.op.name != "einsum" or node.spec.dtype not in FLOATS or not node.spec.size:
        return node
    if any(spec_of_operand(i).dtype != node.spec.dtype for i in node.inputs):
        return node
    given, _, output = node.attrs["subscripts"].partition("->")
    left, _, right = given.partition(",")
    axes = tuple(i for i, label in enumerate(left) if label not in output)
    if left != right or not axes or [i for i in left if i in output] != [*output]:
        return node
    shape = spec_of_operand(node.inputs[0]).shape
    terms = new_node(node, "multiply", node.inputs, {}, Spec(np.ndarray, shape, node.spec.dtype))
    total = new_node(node, "sum", (terms,), {"axis": axes, "keepdims": False}, node.spec)
    total.hint = node.hint
    return total
