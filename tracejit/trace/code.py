"""What a function's code tells before it runs: names it writes, and what cannot be followed."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

# These see the namespaces themselves, where a recorded function has substitutes.
_REFLECTION = {"eval", "exec", "globals", "locals", "breakpoint"}

_OF_CLASSES = {"__base__", "__bases__", "__mro__", "__subclasses__", "mro"}


class Scan(NamedTuple):
    """reflects: a name that needs the real namespaces, or None. early: names that must be in the
    namespace before the code runs. handles: whether it may handle an exception.
    """

    reflects: str | None
    early: frozenset[str]
    handles: bool


@lru_cache(maxsize=4096)
def scan(code: CodeType) -> Scan:
    """Scan a code object and those of the functions and classes defined in it."""
    reflects: str | None = None
    early: set[str] = set()
    handles = False
    for each in _codes(code):
        for instruction in dis.get_instructions(each):
            name = instruction.opname
            if name in ("STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME"):
                early.add(instruction.argval)
            elif name in ("PUSH_EXC_INFO", "SETUP_FINALLY", "SETUP_WITH"):
                handles = True
            if name in ("LOAD_GLOBAL", "LOAD_NAME") and instruction.argval in _REFLECTION:
                reflects = f"{instruction.argval}()"
            elif name in ("LOAD_ATTR", "LOAD_METHOD") and instruction.argval in _OF_CLASSES:
                reflects = f".{instruction.argval}"
    return Scan(reflects, frozenset(early), handles)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
