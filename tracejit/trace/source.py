"""Where the user's code is: the frame that called into NumPy or tracejit, and what it assigns.

A site is the pair (code object, instruction offset); file, line and assigned name are worked
out from it only when somebody asks, because taking it must cost next to nothing.
"""

from __future__ import annotations

import dis
import os
import sys
import warnings
from itertools import pairwise
from types import CodeType, FrameType

import numpy as np

from ..dag.node import Site, once_for_each
from ..errors import TracejitWarning

_INTERNAL = (
    os.path.dirname(os.path.dirname(__file__)) + os.sep,
    os.path.dirname(np.__file__) + os.sep,
    "<__array_function__",
)

_INSTALLED = (os.path.dirname(os.path.dirname(np.__file__)) + os.sep,)  # other libraries, too

_REMAINDERS = (6, 19)  # of BINARY_OP: % and %=


class _Internal(dict[str, bool]):
    """Whether a file belongs to tracejit or NumPy, remembered by file name."""

    def __missing__(self, filename: str) -> bool:
        internal = filename.startswith(_INTERNAL)
        self[filename] = internal
        return internal


internal = _Internal()


def user_frame(depth: int = 2) -> FrameType | None:
    """Find the innermost frame that is neither ours nor NumPy's."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and internal[frame.f_code.co_filename]:
        frame = frame.f_back
    return frame


def user_site() -> Site | None:
    """Say where the user's code is now."""
    frame = user_frame(2)
    return None if frame is None else (frame.f_code, frame.f_lasti)


def library_call() -> tuple[str, Site] | None:
    """Name the library that the user's code has called, and say where; None: it has called none."""
    frame, library = user_frame(2), ""
    while frame is not None:
        filename = frame.f_code.co_filename
        if not internal[filename]:
            if not filename.startswith(_INSTALLED):
                return (library, (frame.f_code, frame.f_lasti)) if library else None
            home = str(frame.f_globals.get("__name__"))
            library = home.partition("._")[0]
        frame = frame.f_back
    return None


def is_formatting() -> bool:
    """Tell whether a value is asked for by `"..." % value`, or by Python's logging."""
    frame = sys._getframe(2)
    code, offset = frame.f_code, frame.f_lasti
    if frame.f_globals.get("__name__") == "logging":
        return True
    name, argument = dis.opname[code.co_code[offset]], code.co_code[offset + 1]
    return name == "BINARY_MODULO" or (name == "BINARY_OP" and argument in _REMAINDERS)


def warn(message: str) -> None:
    """Warn at the user's line."""
    frame, level = user_frame(), 2
    walk: FrameType | None = sys._getframe(1)
    while walk is not None and walk is not frame:
        walk, level = walk.f_back, level + 1
    warnings.warn(message, TracejitWarning, stacklevel=level)


def user_stack() -> list[Site]:
    """List the user's frames, innermost first, down to the call of the compiled function."""
    sites = []
    frame = user_frame(2)
    while frame is not None:
        if not internal[frame.f_code.co_filename]:
            sites.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return sites


Names = str | tuple[str, ...]


@once_for_each
def _bindings(code: CodeType) -> dict[int, Names]:
    """Map the offset of each instruction to the name, or names, its result is stored in."""
    found: dict[int, Names] = {}
    instructions = [
        i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "EXTENDED_ARG", "NOP")
    ]
    for number, (before, after) in enumerate(pairwise(instructions)):
        bound: Names | None = None
        if after.opname == "UNPACK_SEQUENCE":  # several results, and one instruction
            stores = (_stored(i) for i in instructions[number + 2 : number + 2 + after.argval])
            bound = tuple(name for names in stores for name in names)[: after.argval]
        elif not before.opname.startswith("UNPACK_"):
            bound = next(iter(_stored(after)), None)
        if bound:  # a call of a Python function stands at the end of its instruction
            found.update(dict.fromkeys(range(before.offset, after.offset, 2), bound))
    return found


def _stored(instruction: dis.Instruction) -> tuple[str, ...]:
    """List the names that an instruction binds: two, for some of CPython 3.13."""
    if not instruction.opname.startswith("STORE_") or not (
        "FAST" in instruction.opname or instruction.opname in ("STORE_DEREF", "STORE_NAME")
    ):
        return ()
    name = instruction.argval
    return name if isinstance(name, tuple) else (name,)


def assigned_name(site: Site | None, result: int | None = None) -> str | None:
    """Find the variable that the statement at a site binds to its result, if it does.

    result: which one, where several are unpacked.
    """
    bound = None if site is None else _bindings(site[0]).get(site[1])
    if isinstance(bound, tuple):
        return bound[result] if result is not None and result < len(bound) else None
    return bound if result is None else None
