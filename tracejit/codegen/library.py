"""The text of functions and constants that emitted modules contain copies of.

Names of functions of `vecmath` and `smallmat` go in; a text that defines them and all that they
need comes out, each definition once, constants first, in the order in which the modules have them.
The text needs `np` and `njit`. Every function is decorated with a name of `PRELUDE`, or with
`exact`. None has a wrapper for CPython: calling one from Python code, unless `NUMBA_DISABLE_JIT` is
set, crashes.
"""

import ast
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

from tracejit.codegen import smallmat
from tracejit.codegen.vecmath import circular, division, f4, f8, ordered, power

# LLVM inlines `scalar` functions with their own `fastmath`, whatever their caller has: `reassoc`
# would fold away what rounds to whole numbers, and `nsz` loses the sign of zeros. Only a sum that
# is built with `plus` may be reordered.
PRELUDE = """\
OPTIONS = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
scalar = njit(fastmath={"contract"}, forceinline=True, **OPTIONS)
reorder = njit(fastmath={"contract", "reassoc"}, forceinline=True, **OPTIONS)
shared = njit(fastmath={"contract"}, **OPTIONS)
"""
EXACT = "exact = njit(fastmath=False, forceinline=True, **OPTIONS)\n"  # not its caller's
_EXACT_ONES = {"minor"}  # products round alike there: their difference is 0 where they are equal


@dataclass(frozen=True, slots=True)
class Piece:
    """One definition: its text, the names of the pieces that it reads, and whether it is `def`."""

    text: str
    needs: tuple[str, ...]
    is_function: bool


def pieces_of(module: ModuleType, known: dict[str, Piece]) -> dict[str, Piece]:
    """Take a module apart, without annotations; it may read its own names and `known` ones."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    nodes: dict[str, ast.stmt] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            nodes[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            nodes[node.targets[0].id] = node
    nodes = {name: node for name, node in nodes.items() if name != "Array"}  # a type
    names = (*known, *nodes)
    found = {}
    for name, node in nodes.items():
        if isinstance(node, ast.FunctionDef):
            arguments = ", ".join(argument.arg for argument in node.args.args)
            head = f"@{decorator_of(name, module)}\ndef {name}({arguments}):"
            text = "\n".join([head, *lines[node.body[0].lineno - 1 : node.end_lineno]])
        else:
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        found[name] = Piece(text, reads(node, name, names), isinstance(node, ast.FunctionDef))
    return found


def decorator_of(name: str, module: ModuleType) -> str:
    """Choose which name of `PRELUDE` decorates a function."""
    if name == "plus":
        return "reorder"
    if name in _EXACT_ONES:
        return "exact"
    return "shared" if module is smallmat and name != "fixed_matmul" else "scalar"


def reads(node: ast.stmt, name: str, known: Iterable[str]) -> tuple[str, ...]:
    """List which of the `known` names, other than its own, a definition reads."""
    inside = node.body if isinstance(node, ast.FunctionDef) else [node]
    parts = (part for statement in inside for part in ast.walk(statement))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return tuple(other for other in known if other in names and other != name)


PIECES: dict[str, Piece] = {}
for _module in (f8, f4, circular, ordered, power, division, smallmat):
    _pieces = pieces_of(_module, PIECES)
    assert PIECES.keys().isdisjoint(_pieces), "two functions have one name"
    PIECES |= _pieces


def source_of(names: Iterable[str]) -> str:
    """Write the definitions of these functions and of all that they need."""
    wanted: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name not in wanted:
            wanted.add(name)
            open_names += PIECES[name].needs
    chosen = [piece for name, piece in PIECES.items() if name in wanted]
    constants = "".join(f"{piece.text}\n" for piece in chosen if not piece.is_function)
    functions = "".join(f"\n\n{piece.text}\n" for piece in chosen if piece.is_function)
    exact = EXACT if wanted & _EXACT_ONES else ""
    return PRELUDE + exact + constants + functions
