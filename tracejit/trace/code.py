"""What a function's code tells before it runs: names it writes, and what cannot be followed."""

from __future__ import annotations

import builtins
import dis
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

from ..dag.node import once_for_each

# These see the namespaces themselves, where a recorded function has substitutes.
_REFLECTION = {"eval", "exec", "globals", "locals", "vars", "breakpoint"}
_ATTRIBUTES = {
    "__annotations__", "__base__", "__bases__", "__class__", "__dict__", "__mro__",
    "__subclasses__", "mro",
}  # fmt: skip


class Scan(NamedTuple):
    """reflects: what in it needs the real things, no twins, or None. early: names that must be in
    the namespace before the code runs. handles: whether it may handle an exception.
    """

    reflects: str | None
    early: frozenset[str]
    handles: bool


@once_for_each
def scan(code: CodeType) -> Scan:
    """Scan a code object and those of the functions and classes defined in it."""
    reflects: str | None = None
    early: set[str] = set()
    handles = False
    for each in _codes(code):
        before = None
        asked = False  # whether type() is read in this comparison
        for instruction in dis.get_instructions(each):
            name = instruction.opname
            if name in ("CACHE", "EXTENDED_ARG"):
                continue
            if name in ("STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME"):
                early.add(instruction.argval)
            elif name in ("PUSH_EXC_INFO", "SETUP_FINALLY", "SETUP_WITH"):
                handles = True
            if name in ("LOAD_GLOBAL", "LOAD_NAME") and instruction.argval in _REFLECTION:
                reflects = f"{instruction.argval}()"
            elif name in ("LOAD_ATTR", "LOAD_METHOD") and instruction.argval in _ATTRIBUTES:
                reflects = f".{instruction.argval}"
            elif name == "MATCH_CLASS":
                reflects = "`case` with a class"
            elif name == "IS_OP" and not _is_constant(before) and not asked:
                reflects = "`is`"
            if name == "LOAD_GLOBAL" and instruction.argval == "type":
                asked = True
            elif name.startswith(("STORE_", "POP_JUMP", "RETURN")) or name == "IS_OP":
                asked = False
            before = instruction
    return Scan(reflects, frozenset(early), handles)


def _is_constant(instruction: dis.Instruction | None) -> bool:
    """Tell whether what was loaded is a constant: None, a type, or by its NAME."""
    if instruction is None or instruction.opname == "LOAD_CONST":
        return instruction is not None
    name = str(instruction.argval)
    constant = name.lstrip("_")[:1].isupper() or name.startswith("__")  # dataclasses have such
    return instruction.opname.startswith("LOAD_") and (
        constant or (instruction.opname == "LOAD_GLOBAL" and hasattr(builtins, name))
    )


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
