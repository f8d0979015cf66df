"""Rules as HIPS autograd has them: `lambda ans, x: lambda g: ...`, which is recognised here.

A rule's function enters; the text that explains what to write instead leaves.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rules import Rule


def inner_of(function: Any) -> CodeType | None:
    """Find the function of one argument that a rule defines inside, if it defines one."""
    code = getattr(function, "__code__", None)
    held = code.co_consts if code is not None else ()
    return next((c for c in held if isinstance(c, CodeType) and c.co_argcount == 1), None)


def explain(rule: Rule, inner: CodeType | None) -> str:
    """Say that a rule is curried, and how it is written here."""
    inner = inner or inner_of(rule.function)
    return (
        "gives a function: it is written as HIPS autograd has it. A rule gets what it is applied "
        f"to first, and gives the result: {_rewritten(rule.function, inner)}"
    )


def _rewritten(function: Any, inner: CodeType | None) -> str:
    """Write a rule as it is written here; as far as its text can be found."""
    code = getattr(function, "__code__", None)
    if code is None:
        return "lambda g, ans, *args: ..."
    outer = code.co_varnames[: code.co_argcount]
    first = inner.co_varnames[0] if inner is not None else "g"
    found = _lambda_with(function, outer)
    body = ast.unparse(found) if found is not None else "..."
    names = [first, *outer]
    if code.co_flags & inspect.CO_VARARGS:
        names.append(f"*{code.co_varnames[code.co_argcount + code.co_kwonlyargcount]}")
    return f"lambda {', '.join(names)}: {body}"


def _lambda_with(function: Any, names: tuple[str, ...]) -> ast.expr | None:
    """Find the body of `lambda names: lambda g: body` in the text of a function."""
    try:
        text = textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return None
    for candidate in (text, f"({text.rstrip(',')})", f"f({text.rstrip(',)')})"):
        try:
            tree = ast.parse(candidate)
        except SyntaxError:
            continue
        for part in ast.walk(tree):
            if not isinstance(part, ast.Lambda) or not isinstance(part.body, ast.Lambda):
                continue
            if tuple(a.arg for a in part.args.args) == names:
                return part.body.body
    return None
