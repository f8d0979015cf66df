"""Small builders of Python syntax trees; printing.py prints them.

Negative constants are unary minus on a positive one, because astor prints `-2.0 ** 2.0` for the
constant -2.0 in a power. Statements may carry a comment, printed at the end of their line.
"""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from ..dag.node import Node, dtype_name, file_name, line_number

_LOAD, _STORE = ast.Load(), ast.Store()


class Note(ast.stmt):
    """A comment on a line of its own."""

    _fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


@lru_cache(maxsize=4096)
def name(identifier: str) -> ast.expr:
    """Read a variable, or a dotted path like np.add.reduce; never to be changed."""
    first, *rest = identifier.split(".")
    expression: ast.expr = ast.Name(first, _LOAD)
    for attribute in rest:
        expression = ast.Attribute(expression, attribute, _LOAD)
    return expression


def call(function: str | ast.expr, *args: ast.expr, **kwargs: ast.expr | None) -> ast.Call:
    """Call a function; keywords whose value is None are left out."""
    keywords = [ast.keyword(key, value) for key, value in kwargs.items() if value is not None]
    target = name(function) if isinstance(function, str) else function
    return ast.Call(target, list(args), keywords)


def method(value: ast.expr, attribute: str, *args: ast.expr, **kwargs: ast.expr) -> ast.Call:
    """Call a method."""
    return call(ast.Attribute(value, attribute, _LOAD), *args, **kwargs)


def attribute(value: ast.expr, of: str) -> ast.expr:
    """Read an attribute."""
    return ast.Attribute(value, of, _LOAD)


def subscript(value: ast.expr, key: ast.expr) -> ast.Subscript:
    """Index a value."""
    return ast.Subscript(value, key, _LOAD)


def literal(value: Any) -> ast.expr:
    """Write a constant: numbers, strings, tuples, slices, dtypes, NumPy's and Python's types.

    Raises:
        TypeError: it has no literal.
    """
    if type(value) is int and value >= 0:
        return ast.Constant(value)
    if isinstance(value, np.dtype):
        if not value.isnative:
            return call("np.dtype", ast.Constant(value.str))
        return name(dtype_name(value))
    if isinstance(value, tuple):
        return ast.Tuple([literal(v) for v in value], _LOAD)
    if isinstance(value, slice):
        ends = (None if v is None else literal(v) for v in (value.start, value.stop, value.step))
        return ast.Slice(*ends)
    if isinstance(value, (bool, str, bytes, type(None))) or value is Ellipsis:
        return ast.Constant(value)
    if isinstance(value, complex):
        return call("complex", literal(value.real), literal(value.imag))
    if isinstance(value, float) and not math.isfinite(value):
        return name("nan") if value != value else name("inf") if value > 0 else negative("inf")
    if isinstance(value, type):
        for prefix, module in (("", builtins), ("np.", np)):
            path = prefix + value.__name__
            if getattr(module, value.__name__, None) is value:
                return name(path)
    if not hasattr(value, "__neg__"):
        raise TypeError(f"a {type(value).__name__} cannot be written as a literal")
    if value < 0 or (value == 0 and math.copysign(1.0, value) < 0):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def negative(identifier: str) -> ast.expr:
    """Write -identifier."""
    return ast.UnaryOp(ast.USub(), name(identifier))


def assign(target: str, value: ast.expr, comment: str = "") -> ast.stmt:
    """Bind a name."""
    return commented(ast.Assign([ast.Name(target, _STORE)], value), comment)


def unpack(targets: Iterable[str], value: ast.expr) -> ast.stmt:
    """Bind several names to the items of one value."""
    names: list[ast.expr] = [ast.Name(t, _STORE) for t in targets]
    return ast.Assign([ast.Tuple(names, _STORE)], value)


def store(target: ast.expr, value: ast.expr, comment: str = "") -> ast.stmt:
    """Assign to a variable or a subscript."""
    if isinstance(target, ast.Name):  # shared by all that read it
        target = ast.Name(target.id, _STORE)
    target.ctx = _STORE  # type: ignore[attr-defined]
    return commented(ast.Assign([target], value), comment)


def expression(value: ast.expr, comment: str = "") -> ast.stmt:
    """A call for its effect."""
    return commented(ast.Expr(value), comment)


def commented(statement: ast.stmt, comment: str) -> ast.stmt:
    """Hang a comment on a statement."""
    statement.comment = comment  # type: ignore[attr-defined]
    return statement


def function(
    title: str, args: list[str], keyword_only: list[str], doc: str, body: list[ast.stmt]
) -> ast.FunctionDef:
    """Define a function with a docstring."""
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(a) for a in args], vararg=None,
        kwonlyargs=[ast.arg(a) for a in keyword_only], kw_defaults=[None] * len(keyword_only),
        kwarg=None, defaults=[],
    )  # fmt: skip
    content = [ast.Expr(ast.Constant(doc)), *body] if doc else body
    definition = ast.FunctionDef(title, arguments, content, [])
    definition.type_params = []  # type: ignore[attr-defined, unused-ignore]
    definition.returns = None
    return definition


def described(node: Node) -> str:
    """Write what stands behind a node's line: type, shape, and the user's file and line."""
    return f"{node.spec}  {where(node)}".rstrip()


def described_several(node: Node, results: dict[int, Node]) -> str:
    """Write the same for several results."""
    specs = ", ".join(str(results[number].spec) for number in sorted(results))
    return f"{specs}  {where(node)}".strip()


def where(node: Node) -> str:
    """Write the user's file and line, without the folder."""
    if node.site is None:
        return ""
    code, offset = node.site
    return f"{file_name(code)}:{line_number(code, offset)}"
