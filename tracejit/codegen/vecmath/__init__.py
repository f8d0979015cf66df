"""Scalar mathematics for fused loops: `name_f8(x)` and `name_f4(x)`.

Names go in; the text that an emitted module needs to call them comes out. The functions run as they
are on NumPy scalars, and LLVM vectorises a loop that calls them under `@njit`: they are inlined as
machine code, so what `fastmath` allows in the loop that calls them does not reach them.
"""

from collections.abc import Iterable

from tracejit.codegen.paste import pieces_of, text_of
from tracejit.codegen.vecmath import f4, f8

# `nsz` would lose the sign of zeros; `reassoc` would fold what rounds to whole numbers.
PRELUDE = """\
scalar = njit(
    error_model="numpy",
    fastmath={"contract"},
    forceinline=True,
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)
"""
PIECES = pieces_of([f8, f4], "@scalar")


def source_of(names: Iterable[str]) -> str:
    """Write the definitions of these functions and of what they need; `np` and `njit` are there."""
    return PRELUDE + text_of(PIECES, names)
