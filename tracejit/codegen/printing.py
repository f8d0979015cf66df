"""The printing of syntax trees: astor's text, written for most statements by a faster way.

A syntax tree enters, its text leaves. astor visits a tree piece by piece, which takes longest of
all that compiling a long function does. The kinds of expressions that nearly all emitted
statements consist of are written here, each as one string and by astor's own table of precedences;
whatever else there is, astor prints. The two never differ (tests/codegen/test_printing.py).
"""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable
from typing import Any

from .syntax import Note

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # astor asks for ast.Num on 3.12
    import astor
    from astor.code_gen import set_precedence
    from astor.op_util import Precedence, precedence_data, symbol_data

_HIGHEST: int = Precedence.highest
_COMMA: int = Precedence.Comma
_OF: dict[type, int] = precedence_data
_SYMBOL: dict[type, str] = symbol_data


def expression_text(node: Any, outer: int) -> str:
    """Write an expression that stands in one of a given precedence.

    Raises:
        KeyError: it holds something that astor is to print.
    """
    return _WRITERS[type(node)](node, outer)


def _name(node: ast.Name, outer: int) -> str:
    return node.id


def _attribute(node: ast.Attribute, outer: int) -> str:
    value = node.value
    if type(value) is ast.Name:
        return f"{value.id}.{node.attr}"
    return f"{expression_text(value, _HIGHEST)}.{node.attr}"


def _call(node: ast.Call, outer: int) -> str:
    args: list[Any] = node.args
    inner = _COMMA if len(args) + len(node.keywords) > 1 else Precedence.call_one_arg
    parts = [a.id if type(a) is ast.Name else expression_text(a, inner) for a in args]
    for keyword in node.keywords:
        value = expression_text(keyword.value, _COMMA)
        parts.append(f"{keyword.arg}={value}" if keyword.arg else f"**{value}")
    return f"{expression_text(node.func, _HIGHEST)}({', '.join(parts)})"


def _constant(node: ast.Constant, outer: int) -> str:
    value: Any = node.value
    if value is None:
        return "None"
    if value is Ellipsis:
        return "..."
    kind = type(value)
    if not (kind is int or kind is bool or (kind is float and math.isfinite(value))):
        raise KeyError(kind)
    text = repr(value)
    return text if _OF[ast.Constant] >= outer else f"({text})"


def _subscript(node: ast.Subscript, outer: int) -> str:
    key = expression_text(node.slice, _OF[ast.Subscript])
    return f"{expression_text(node.value, _HIGHEST)}[{key}]"


def _slice(node: ast.Slice, outer: int) -> str:
    inner = _OF[ast.Slice]
    ends = (node.lower, node.upper)
    lower, upper = ("" if end is None else expression_text(end, inner) for end in ends)
    step = "" if node.step is None else ":" + expression_text(node.step, inner)
    return f"{lower}:{upper}{step}"


def _tuple(node: ast.Tuple, outer: int) -> str:
    text = ", ".join([expression_text(item, _COMMA) for item in node.elts])
    if len(node.elts) == 1:
        text += ","
    return text if text and _OF[ast.Tuple] >= outer else f"({text})"


def _list(node: ast.List, outer: int) -> str:
    return f"[{', '.join([expression_text(item, _COMMA) for item in node.elts])}]"


def _binary(node: ast.BinOp, outer: int) -> str:
    own = _OF[type(node.op)]
    power = type(node.op) is ast.Pow
    left = expression_text(node.left, Precedence.Pow + 1 if power else own)
    right = expression_text(node.right, Precedence.PowRHS if power else own + 1)
    text = f"{left} {_SYMBOL[type(node.op)]} {right}"
    return text if own >= outer else f"({text})"


def _unary(node: ast.UnaryOp, outer: int) -> str:
    own, symbol = _OF[type(node.op)], _SYMBOL[type(node.op)]
    space = " " if symbol.isalpha() else ""
    text = f"{symbol}{space}{expression_text(node.operand, own)}"
    return text if own >= outer else f"({text})"


def _compare(node: ast.Compare, outer: int) -> str:
    own = _OF[type(node.ops[0])]
    text = expression_text(node.left, own + 1)
    for op, right in zip(node.ops, node.comparators, strict=True):
        text += f" {_SYMBOL[type(op)]} {expression_text(right, own + 1)}"
    return text if own >= outer else f"({text})"


_WRITERS: dict[type, Callable[[Any, int], str]] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Constant: _constant,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
}


def _statement_text(node: Any) -> str:
    """Write an assignment, an expression or a return; KeyError: astor is to print it."""
    kind = type(node)
    outer = _OF[kind]
    if kind is ast.Assign:
        parts = [expression_text(part, outer) for part in (*node.targets, node.value)]
        return " = ".join(parts)
    if kind is ast.AugAssign:
        target, value = (expression_text(part, outer) for part in (node.target, node.value))
        return f"{target} {_SYMBOL[type(node.op)]}= {value}"
    if kind is ast.Return:
        return "return" + ("" if node.value is None else f" {expression_text(node.value, outer)}")
    return expression_text(node.value, outer)


class Printer(astor.SourceGenerator):  # type: ignore[misc]
    """astor's printer, with comments and without wrapping of lines."""

    def visit_Note(self, node: Note) -> None:
        self.newline(node)
        self.write(f"# {_one_line(node.text)}")

    def _commented(self, node: ast.stmt) -> None:
        comment = getattr(node, "comment", "")
        behind = f"  # {_one_line(comment)}" if comment else ""
        try:
            text = _statement_text(node)
        except KeyError:
            getattr(super(), f"visit_{type(node).__name__}")(node)
            self.write(behind)
        else:
            self.statement(node, text + behind)

    def visit_If(self, node: ast.If) -> None:
        comment = getattr(node, "comment", "")
        set_precedence(node, node.test)
        self.statement(node, "if ", node.test, f":  # {_one_line(comment)}" if comment else ":")
        self.body(node.body)
        self.else_body(node.orelse)

    visit_Assign = visit_Expr = visit_AugAssign = visit_Return = _commented


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def to_source(body: list[ast.stmt]) -> str:
    """Print statements as a module's text."""
    printer = Printer("    ")
    printer.visit(ast.Module(body, []))
    return "".join([str(part) for part in printer.result]).lstrip("\n") + "\n"
