"""How the NumPy target writes what changes an array: index_set and its kin, ufuncs with a mask."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ...dag.loop import spec_of_operand
from ...dag.node import Node
from ...dag.op import HOLE
from ...ops.index import is_basic
from .. import syntax as s
from . import Operand


def function_name(node: Node) -> str:
    """How emitted code calls the function of a node."""
    return node.op.path or node.op.name.replace(".", "_")


def key_expression(key: Any, arrays: list[ast.expr]) -> ast.expr:
    """Write an index, with the arrays in their places."""
    rest = iter(arrays)
    if key is HOLE:
        return next(rest)
    if type(key) is not tuple:
        return s.literal(key)
    parts = [next(rest) if part is HOLE else s.literal(part) for part in key]
    return ast.Tuple(parts, ast.Load())


def _as_argument(key: Any, arrays: list[ast.expr]) -> ast.expr:
    """Write an index as an argument of a call."""
    where = key_expression(key, arrays)
    if type(key) is slice or (type(key) is tuple and any(type(part) is slice for part in key)):
        where = s.subscript(s.name("np.s_"), where)  # a slice is written in brackets only
    return where


def _written_array(
    node: Node, target: str, slot: str | None, operand: Operand, in_place: bool, comment: str
) -> list[ast.stmt]:
    """unindex, index_set, index_add: an array to start from, then the write into it."""
    name, key = node.op.name, node.attrs["key"]
    if name == "unindex":
        value, *arrays = (operand(i) for i in node.inputs)
        if slot is None:
            shape, dtype = s.literal(node.spec.shape), s.literal(node.spec.dtype)
            lines = [s.assign(target, s.call("np.zeros", shape, dtype), comment)]
        else:
            zero = s.expression(s.method(s.name(slot), "fill", s.literal(0)))
            lines = [zero, s.assign(target, s.name(slot), comment)]
    else:
        x, value, *arrays = (operand(i) for i in node.inputs)
        if not in_place:
            lines = _copy_first(x, target, slot, comment)
        else:  # a kernel has computed it into memory that has no name yet
            named = isinstance(x, ast.Name) and x.id == target
            lines = [] if named else [s.assign(target, x, comment)]
    note = "" if lines else comment
    where = key_expression(key, arrays)
    single = all(type(i) is Node and not i.spec.is_array for i in node.inputs[-len(arrays) :])
    if name != "index_set" and not is_basic(key) and not single:
        where = _as_argument(key, arrays)
        return [*lines, s.expression(s.call("np.add.at", s.name(target), where, value), note)]
    place = s.subscript(s.name(target), where)
    if name == "index_add":
        place.ctx = ast.Store()
        return [*lines, s.commented(ast.AugAssign(place, ast.Add(), value), note)]
    return [*lines, s.store(place, value, note)]


def _copy_first(x: ast.expr, target: str, slot: str | None, comment: str) -> list[ast.stmt]:
    if slot is None:
        return [s.assign(target, s.call("np.array", x), comment)]
    copy = s.expression(s.call("np.copyto", s.name(slot), x))
    return [copy, s.assign(target, s.name(slot), comment)]


def masked(
    node: Node, target: str, slot: str | None, operand: Operand, comment: str
) -> list[ast.stmt]:
    *inputs, mask, out = (operand(i) for i in node.inputs)
    shape = node.spec.shape
    if slot is None and spec_of_operand(node.inputs[-1]).shape != shape:  # one number for all
        full = s.call("np.full", s.literal(shape), out, s.literal(node.spec.dtype))
        lines: list[ast.stmt] = [s.assign(target, full, comment)]
    else:
        lines = _copy_first(out, target, slot, comment)
    write = s.call(
        function_name(node), *inputs, out=s.name(target), where=mask,
        casting=s.literal("same_kind"),
    )  # fmt: skip
    return [*lines, s.expression(write)]


def _last_writer(
    node: Node, target: str, slot: str | None, operand: Operand, in_place: bool, comment: str
) -> list[ast.stmt]:
    shape, where = s.literal(node.attrs["shape"]), node.attrs["key"]
    key = key_expression(where, [operand(i) for i in node.inputs])
    mine = s.method(
        s.call("np.arange", s.literal(node.spec.size)), "reshape", s.literal(node.spec.shape)
    )
    numbers = s.name("number")
    return [
        s.assign("number", s.call("np.zeros", shape, s.name("np.intp"))),
        s.store(s.subscript(numbers, key), mine),
        s.assign(target, ast.Compare(s.subscript(s.name("number"), key), [ast.Eq()], [mine]),
                 comment),
    ]  # fmt: skip


def _at(
    node: Node, target: str, slot: str | None, operand: Operand, in_place: bool, comment: str
) -> list[ast.stmt]:
    """A ufunc's `at`, of which the op is what the array is afterwards."""
    x, value, *arrays = (operand(i) for i in node.inputs)
    where = _as_argument(node.attrs["key"], arrays)
    call = s.call(f"np.{node.op.name}", s.name(target), where, value)
    return [*_copy_first(x, target, slot, comment), s.expression(call)]


STATEMENTS: dict[str, Callable[..., list[ast.stmt]]] = {
    "unindex": _written_array,
    "index_set": _written_array,
    "index_add": _written_array,
    "last_writer": _last_writer,
    **{f"{name}.at": _at for name in ("multiply", "divide", "maximum", "minimum", "fmax", "fmin")},
}
