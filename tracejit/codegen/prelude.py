"""What stands at the top of an emitted module: the imports and names that its text needs.

The text of the functions enters, without comments; statements leave.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from . import syntax as s
from .kernel_code import PRELUDE


def prelude(code: str, dtypes: Iterable[str], has_kernels: bool) -> list[ast.stmt]:
    """Write imports, inf and nan, and the dtypes."""
    lines: list[ast.stmt] = [ast.Import([ast.alias("numpy", "np")])]
    if "math." in code and re.search(r"(?<![\w.])math\.", code):
        lines.insert(0, ast.Import([ast.alias("math", None)]))
    packages = sorted({*re.findall(r"(?<![\w.])scipy\.\w+(?=\.)", code)})
    lines += [ast.Import([ast.alias(package, None)]) for package in packages]
    if has_kernels:
        lines += PRELUDE
    if "LinAlgError" in code:
        lines.append(ast.parse("from numpy.linalg import LinAlgError").body[0])
    for name in ("inf", "nan"):
        if name in code and re.search(rf"(?<![\w.]){name}\b", code):
            lines.append(s.assign(name, s.call("float", ast.Constant(name))))
    for name in sorted(dtypes):
        lines.append(s.assign(name, s.call("np.dtype", ast.Constant(name))))
    return lines
