"""The NumPy target: each node is a NumPy call, with `out=` where it has a slot.

Elementwise chains run in place on one slot. Scalars use Python's operators, which are several
times faster on them than ufuncs; full reductions call the ufunc's `reduce` directly.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from ...dag.graph import Graph
from ...dag.loop import spec_of_operand
from ...dag.node import Node, Spec
from ...dag.op import HOLE, is_draw, numpy_path
from .. import syntax as s
from ..plan import Plan
from . import Number, Operand
from .created import EXPRESSIONS
from .written import STATEMENTS, function_name, key_expression, masked

_BINARY: dict[str, ast.operator] = {
    "+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div(), "//": ast.FloorDiv(),
    "%": ast.Mod(), "**": ast.Pow(), "&": ast.BitAnd(), "|": ast.BitOr(), "^": ast.BitXor(),
    "<<": ast.LShift(), ">>": ast.RShift(),
}  # fmt: skip
_COMPARE: dict[str, ast.cmpop] = {
    "<": ast.Lt(), "<=": ast.LtE(), ">": ast.Gt(), ">=": ast.GtE(), "==": ast.Eq(),
    "!=": ast.NotEq(),
}  # fmt: skip
_UNARY: dict[str, ast.unaryop] = {"-": ast.USub(), "+": ast.UAdd(), "~": ast.Invert()}

_ITEMS: dict[Any, Any] = {  # dtypes whose .item() is of the type
    float: (np.float64, np.float32, np.float16), complex: (np.complex128, np.complex64),
}  # fmt: skip
_WITH_COPYTO = {"where", "astype", "copy", "full", "zeros",
                "index_set", "index_add", "unindex"}  # fmt: skip


def plan(graph: Graph) -> tuple[Graph, Plan]:
    """Compute each node by itself, where it stands."""
    return graph, Plan()


def takes_slot(node: Node) -> bool:
    """Tell whether the node can be computed into a given array."""
    if node.op.name == "where":  # copyto wants a mask where np.where takes any condition
        condition = node.inputs[0]
        known = isinstance(condition, (Node, np.ndarray))
        return known and spec_of_operand(condition).dtype == bool
    return node.op.out or node.op.name in _WITH_COPYTO or node.op.name.endswith("_where")


def overwrites(node: Node, source: Node, nest: object = None) -> bool:
    """Tell whether the node may be computed in the memory of this input."""
    op = node.op
    if op.name in ("index_set", "index_add"):
        return node.inputs[0] is source and all(i is not source for i in node.inputs[1:])
    return op.elementwise and op.out


def is_inlined(node: Node, readers: int) -> bool:
    """Tell whether a node is written inside its reader's line: a transpose that is read once."""
    return node.op.name == "transpose" and node.spec.is_array and readers == 1


def expression(node: Node, operand: Operand) -> ast.expr:
    """Write a node as an expression that makes a new value (or a view)."""
    op, attrs = node.op, node.attrs
    special = _draw if is_draw(node) else _SPECIAL.get(op.name)
    if special is not None:
        return special(node, operand)
    operands = [operand(i) for i in node.inputs]
    if op.symbol is not None and _uses_symbol(node):
        return _with_symbol(op.symbol, operands)
    if node.spec.is_python and op.operator is abs:
        return s.call("abs", *operands)
    if op.reduces is not None:
        return _reduce(node, operands, None)
    keywords = {key: s.literal(value) for key, value in attrs.items()}
    return s.call(function_name(node), *operands, **keywords)


def _uses_symbol(node: Node) -> bool:
    if node.spec.is_python:
        return True
    specs = [_spec(i) for i in node.inputs]
    if all(spec is None or spec.is_python for spec in specs):
        return False  # a ufunc called on Python numbers gives a NumPy scalar, an operator does not
    if _is_python_complex(node.inputs[0]) and specs[-1] and specs[-1].cls is np.float64:
        return False  # complex takes it for the float that it is, too
    return node.op.symbol != "**" or not node.spec.is_array


def _is_python_complex(value: Any) -> bool:
    return (value.spec.cls if type(value) is Node else type(value)) is complex


def _spec(value: Any) -> Spec | None:
    if type(value) is Node:
        return value.spec
    return None if not hasattr(value, "dtype") else Spec(type(value), (), value.dtype)


def _with_symbol(symbol: str, operands: list[ast.expr]) -> ast.expr:
    if len(operands) == 1:
        return ast.UnaryOp(_UNARY[symbol], operands[0])
    if symbol in _COMPARE:
        return ast.Compare(operands[0], [_COMPARE[symbol]], [operands[1]])
    return ast.BinOp(operands[0], _BINARY[symbol], operands[1])


def statements(
    node: Node,
    name: str,
    slot: str | None,
    operand: Operand,
    in_place: bool,
    comment: str,
    number: Number,
) -> list[ast.stmt]:
    """Write a node as statements that bind `name`, computing into `slot` where it has one."""
    op, target = node.op, name
    if op.elementwise and node.spec.cls is np.ndarray:
        operand = _matched(node, operand, number)
    if op.name in STATEMENTS:
        return STATEMENTS[op.name](node, target, slot, operand, in_place, comment)
    if op.variadic and op.name.endswith("_where"):
        return masked(node, target, slot, operand, comment)
    if slot is None:
        return [s.assign(target, expression(node, operand), comment)]
    out = s.name(slot)
    operands = [operand(i) for i in node.inputs]
    if op.name == "where":
        copy = s.call("np.copyto", out, operands[2])
        chosen = s.call("np.copyto", out, operands[1], where=operands[0])
        return [s.expression(copy), s.expression(chosen), s.assign(target, out, comment)]
    if op.name in ("astype", "copy", "full"):
        cast = s.literal("unsafe") if op.name == "astype" else None
        copy = s.call("np.copyto", out, operands[0], casting=cast)
        return [s.expression(copy), s.assign(target, out, comment)]
    if op.name == "zeros":
        fill = s.method(out, "fill", s.literal(0))
        return [s.expression(fill), s.assign(target, out, comment)]
    if op.reduces is not None:
        return [s.assign(target, _reduce(node, operands, out), comment)]
    if op.name == "matmul":
        return [s.assign(target, _matmul(node, operand, out), comment)]
    if op.name == "concatenate":
        return [s.assign(target, _concatenate(node, operand, out), comment)]
    if op.name == "einsum":
        return [s.assign(target, _einsum(node, operand, out), comment)]
    keywords = {key: s.literal(value) for key, value in node.attrs.items()}
    return [s.assign(target, s.call(function_name(node), *operands, **keywords, out=out), comment)]


def _matched(node: Node, operand: Operand, number: Number) -> Operand:
    """Write elementwise operands so that NumPy has the least to do: equal ranks, no conversions.

    A ufunc takes 0.25 us on two small rows, 0.8 us on a row and a vector, and 0.2 us more to
    make an array of a Python float.
    """
    shape, dtype = node.spec.shape, node.spec.dtype

    def is_like_it(value: Any) -> bool:
        spec = value.spec if type(value) is Node else None
        return spec is not None and spec.shape == shape and bool(spec.dtype == dtype)

    def matched(value: Any) -> ast.expr:
        if type(value) is Node and value.spec.cls is np.ndarray:
            row = len(shape) == 2 and shape[0] == 1 and value.spec.shape == shape[1:]
            return s.subscript(operand(value), s.literal(None)) if row else operand(value)
        if type(value) is float and dtype is not None and dtype.kind == "f":
            same = any(is_like_it(i) for i in node.inputs)
            return (number(value, dtype) if same else None) or operand(value)
        return operand(value)

    return matched


def helper(node: Node) -> tuple[str, str] | None:
    """The name and text of a function that the node calls and that NumPy does not have."""
    op = node.op
    if _is_known(node) or not _is_ours(op.fn):
        return None
    definition = ast.parse(textwrap.dedent(inspect.getsource(op.fn))).body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.name, definition.returns = function_name(node), None
    for part in ast.walk(definition.args):
        if isinstance(part, ast.arg):
            part.annotation = None
    return definition.name, ast.unparse(definition)


def functions(node: Node) -> dict[str, Any]:
    """The function of the user or of another library that the node calls, by the op's name."""
    if _is_known(node) or _is_ours(node.op.fn):
        return {}
    return {function_name(node): node.op.fn}


def _is_ours(function: Any) -> bool:
    """Tell whether a function is one of the ops' own, whose text can stand in emitted code."""
    return isinstance(function, FunctionType) and function.__module__.startswith("tracejit.ops.")


def _is_known(node: Node) -> bool:
    """Tell whether NumPy or Python have a name for what the node does."""
    op = node.op
    known = op.path or op.symbol or op.name in _SPECIAL or op.name in STATEMENTS
    return bool(known or is_draw(node))


def _reduce(node: Node, operands: list[ast.expr], out: ast.expr | None) -> ast.expr:
    assert node.op.reduces is not None
    keepdims = s.literal(True) if node.attrs["keepdims"] else None
    return s.call(
        f"{numpy_path(node.op.reduces)}.reduce",
        operands[0],
        axis=s.literal(node.attrs["axis"]),
        keepdims=keepdims,
        out=out,
    )


def _matmul(node: Node, operand: Operand, out: ast.expr | None = None) -> ast.expr:
    specs = [spec_of_operand(i) for i in node.inputs]
    plain = all(len(p.shape) <= 2 and p.dtype == node.spec.dtype for p in specs)
    plain = plain and node.spec.dtype is not None and node.spec.dtype.kind == "f"
    left, right = (operand(i) for i in node.inputs)
    if not plain:
        return s.call("np.matmul", left, right, out=out)
    return s.call(s.attribute(left, "dot"), right, out=out)  # the fastest way on small arrays


def _concatenate(node: Node, operand: Operand, out: ast.expr | None = None) -> ast.expr:
    arrays = ast.Tuple([operand(i) for i in node.inputs], ast.Load())
    return s.call("np.concatenate", arrays, axis=s.literal(node.attrs["axis"]), out=out)


def _einsum(node: Node, operand: Operand, out: ast.expr | None = None) -> ast.expr:
    operands = [operand(i) for i in node.inputs]
    return s.call("np.einsum", s.literal(node.attrs["subscripts"]), *operands, out=out)


def _transpose(node: Node, operand: Operand) -> ast.expr:
    source, axes = node.inputs[0], node.attrs["axes"]
    value = operand(source)
    if type(source) is not Node or source.spec.is_python:
        return s.call("np.transpose", value, s.literal(axes))
    if axes == tuple(range(len(axes)))[::-1]:
        return s.attribute(value, "T")
    return s.method(value, "transpose", s.literal(axes))


def _reshape(node: Node, operand: Operand) -> ast.expr:
    value, shape = operand(node.inputs[0]), node.attrs["shape"]
    order = {"order": s.literal(node.attrs["order"])} if "order" in node.attrs else {}
    if type(node.inputs[0]) is Node and not node.inputs[0].spec.is_python:
        lengths = [s.literal(n) for n in shape] or [s.literal(())]
        return s.method(value, "reshape", *lengths, **order)
    return s.call("np.reshape", value, s.literal(shape), **order)


def _index(node: Node, operand: Operand) -> ast.expr:
    x, *arrays = (operand(i) for i in node.inputs)
    return s.subscript(x, key_expression(node.attrs["key"], arrays))


def _convert(node: Node, operand: Operand) -> ast.expr:
    source, cls = node.inputs[0], node.attrs["cls"]
    value = operand(source)
    if cls is np.ndarray:
        return s.call("np.array", value)
    if type(source) is Node and source.spec.is_array:
        value = s.method(value, "item")
        if source.spec.dtype in _ITEMS.get(cls, ()):
            return value
    return s.call(s.literal(cls), value)


def _astype(node: Node, operand: Operand) -> ast.expr:
    return s.method(operand(node.inputs[0]), "astype", s.literal(node.attrs["dtype"]))


def _item(node: Node, operand: Operand) -> ast.expr:
    return s.method(operand(node.inputs[0]), "item")


def _identity(node: Node, operand: Operand) -> ast.expr:
    return operand(node.inputs[0])


def _draw(node: Node, operand: Operand) -> ast.expr:
    """Write a draw: a method of its first input, or a function of np.random if that is None."""
    generator, *holes = node.inputs
    rest = iter(holes)

    def argument(value: Any) -> ast.expr:
        if type(value) in (tuple, list):
            several = ast.Tuple if type(value) is tuple else ast.List
            return several([argument(v) for v in value], ast.Load())
        return operand(next(rest) if value is HOLE else value)

    function = s.name("np.random") if generator is None else operand(generator)
    args = [argument(value) for value in node.attrs["args"]]
    kwargs = {key: argument(value) for key, value in node.attrs["kwargs"].items()}
    return s.method(function, node.attrs["method"], *args, **kwargs)


_SPECIAL: dict[str, Callable[[Node, Operand], ast.expr]] = {
    "identity": _identity,
    "recomputed": _identity,
    "matmul": _matmul,
    "concatenate": _concatenate,
    "einsum": _einsum,
    "einsum_diagonal": _einsum,
    "transpose": _transpose,
    "reshape": _reshape,
    "index": _index,
    "convert": _convert,
    "astype": _astype,
    "item": _item,
    **EXPRESSIONS,
}
