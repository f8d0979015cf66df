"""An emitted module taken apart: what Numba compiles, and the Python around it.

The machine part holds the jitted functions and what they read, without comments: from it alone
machine code is made, so neither a moved line of the user nor another driver around equal kernels
compiles anything again. The driver is the rest, with line numbers as in the module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .entries import without_comments

JIT = "njit"  # the decorator, by this bare name


@dataclass(frozen=True, slots=True)
class Parts:
    """machine: text that defines the functions `names`. driver: the module without them."""

    machine: str
    names: tuple[str, ...]
    driver: ast.Module


def take_apart(text: str) -> Parts:
    """Take an emitted module apart."""
    tree = ast.parse(text)
    lines = without_comments(text).split("\n")
    segments = [(node, _segment(node, lines)) for node in map(_without_jit, tree.body) if node]
    compiled = [(node, part) for node, part in segments if _decorated(node)]
    wanted = {word for _, part in compiled for word in _words(part)}
    chosen = {
        id(node) for node, part in segments
        if (_is_import(node) and not part.startswith("import scipy.")) or _decorated(node)
    }  # fmt: skip
    growing = True
    while growing:
        growing = False
        for node, part in segments:
            if id(node) not in chosen and not wanted.isdisjoint(_binds(node)):
                chosen.add(id(node))
                wanted.update(_words(part))
                growing = True
    machine = "\n".join(part for node, part in segments if id(node) in chosen)
    names = tuple(name for node, _ in compiled if _is_jitted(node) for name in _binds(node))
    tree.body = [
        node for node, part in segments if not _decorated(node) and JIT not in _words(part)
    ]
    return Parts(machine, names, tree)


def _segment(node: ast.stmt, lines: list[str]) -> str:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return ast.unparse(node)
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return "\n".join(line for line in lines[first - 1 : node.end_lineno] if line)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text))


def _without_jit(node: ast.stmt) -> ast.stmt | None:
    """Leave the decorator out of an import: whoever runs the text brings it along."""
    if isinstance(node, ast.ImportFrom) and node.module == "numba":
        node.names = [alias for alias in node.names if alias.name != JIT]
        return node if node.names else None
    return node


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _decorated(node: ast.stmt) -> bool:
    """Tell whether a statement defines something for the compiler."""
    return isinstance(node, ast.FunctionDef) and bool(node.decorator_list)


def _is_jitted(node: ast.stmt) -> bool:
    decorators = getattr(node, "decorator_list", ())
    calls = [d.func if isinstance(d, ast.Call) else d for d in decorators]
    return any(isinstance(d, ast.Name) and d.id == JIT for d in calls)


def _binds(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (n.id for target in node.targets for n in ast.walk(target)
                    if isinstance(n, ast.Name))  # fmt: skip
