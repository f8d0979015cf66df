"""How the NumPy target writes new arrays, and values that need no function of their own."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ...dag.node import Node
from ...ops.arrays import nest
from .. import syntax as s
from . import Operand


def _filled(node: Node, operand: Operand) -> ast.expr:
    """Write zeros and full: shape, the number if there is one, dtype."""
    attrs = node.attrs
    order = s.literal(attrs["order"]) if "order" in attrs else None
    number = [operand(i) for i in node.inputs]
    shape, dtype = s.literal(attrs["shape"]), s.literal(attrs["dtype"])
    return s.call(str(node.op.path), shape, *number, dtype, order=order)


def _array(node: Node, operand: Operand) -> ast.expr:
    rows = nest(node.attrs["paths"], [operand(i) for i in node.inputs])
    return s.call("np.array", _listed(rows), s.literal(node.attrs["dtype"]))


def _listed(rows: Any) -> ast.expr:
    if isinstance(rows, list):
        return ast.List([_listed(row) for row in rows], ast.Load())
    expression: ast.expr = rows
    return expression


def _logspace(node: Node, operand: Operand) -> ast.expr:
    start, stop, base = (operand(i) for i in node.inputs)
    keywords = {key: s.literal(value) for key, value in node.attrs.items()}
    return s.call("np.logspace", start, stop, base=base, **keywords)


def _fsum(node: Node, operand: Operand) -> ast.expr:
    return s.call("math.fsum", ast.Tuple([operand(i) for i in node.inputs], ast.Load()))


def _same_value(node: Node, operand: Operand) -> ast.expr:
    return operand(node.inputs[0])


EXPRESSIONS: dict[str, Callable[[Node, Operand], ast.expr]] = {
    "full": _filled,
    "zeros": _filled,
    "array": _array,
    "logspace": _logspace,
    "math.fsum": _fsum,
    "stop_gradient": _same_value,
}
