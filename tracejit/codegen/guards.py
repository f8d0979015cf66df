"""Guards in emitted code: the tests that tell which way a call goes, and the way out.

A call that goes a way nobody recorded raises the module's own exception `Unseen`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from . import syntax as s

UNSEEN = ast.parse(
    '''class Unseen(Exception):
    """The call goes a way that was not recorded."""
'''
).body

_EQUAL: dict[str, tuple[ast.cmpop, ast.cmpop]] = {"type": (ast.Is(), ast.IsNot())}


def test(
    kind: str, value: ast.expr, outcome: Any, equal: bool, write: Callable[[Any], ast.expr]
) -> ast.expr:
    """Write the test that a value, looked at as `kind` says, is `outcome`, or that it is not."""
    if kind == "truth":
        return value if outcome is equal else ast.UnaryOp(ast.Not(), value)
    if kind == "type":
        value = s.call("type", value)
    elif kind == "shape":
        value = s.attribute(value, "shape")
    elif kind == "value":
        exact = type(outcome) is bytes
        value = s.method(value, "tobytes") if exact else s.call("repr", value)
    same, other = _EQUAL.get(kind, (ast.Eq(), ast.NotEq()))
    return ast.Compare(value, [same if equal else other], [write(outcome)])


def names_read(body: list[ast.stmt]) -> set[str]:
    """Find the names that statements read and do not bind."""
    read: set[str] = set()
    bound: set[str] = set()
    for statement in body:
        for part in ast.walk(statement):
            if isinstance(part, ast.Name):
                (bound if isinstance(part.ctx, ast.Store) else read).add(part.id)
    return read - bound
