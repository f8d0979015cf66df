"""Scalar mathematics for fused loops: `name_f8(x)` and `name_f4(x)`.

`codegen/library.py` gives the text of these functions to emitted modules, which may call them on
each element of a loop. They run as they are on NumPy scalars. Under `@njit` they are inlined as
machine code, and LLVM vectorises the loop.
"""
