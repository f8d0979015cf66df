"""The text of functions and constants that emitted modules contain copies of.

A module of such functions goes in; for each of its top-level names a `Piece` comes out: its text, a
function's with a decorator, and the names that it needs. `text_of` puts the pieces for some names
together, what they need included, each once, in the order in which the modules have them.
"""

import ast
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Piece:
    """One definition: its text, the names of the pieces that it reads, and whether it is `def`."""

    text: str
    needs: tuple[str, ...]
    is_function: bool


def pieces_of(modules: Iterable[ModuleType], decorator: str) -> dict[str, Piece]:
    """Take the functions and constants of modules apart; `decorator` goes before each function."""
    found: dict[str, tuple[str, ast.stmt]] = {}
    for module in modules:
        source = inspect.getsource(module)
        lines = source.splitlines()
        for node in ast.parse(source).body:
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if isinstance(node, ast.FunctionDef):
                found[node.name] = f"{decorator}\n{text}", node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = text, node
    return {
        name: Piece(text, reads(node, name, found), isinstance(node, ast.FunctionDef))
        for name, (text, node) in found.items()
    }


def reads(node: ast.stmt, name: str, known: Iterable[str]) -> tuple[str, ...]:
    """List which of the `known` names, other than its own, a definition reads."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return tuple(other for other in known if other in names and other != name)


def text_of(pieces: Mapping[str, Piece], names: Iterable[str]) -> str:
    """Write the pieces for these names and for all that they need, constants first."""
    wanted: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name not in wanted:
            wanted.add(name)
            open_names += pieces[name].needs
    chosen = [piece for name, piece in pieces.items() if name in wanted]
    constants = "".join(f"{piece.text}\n" for piece in chosen if not piece.is_function)
    return constants + "".join(f"\n\n{piece.text}\n" for piece in chosen if piece.is_function)
