"""The audit: is a compiled result what plain Python gives?

The compiled outputs are compared with those of the plain function on plain arrays, and the
gradients with direct mode. It finds what no guard foresaw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .binding import call
from .cache import Signature
from .tree import flatten, unflatten

if TYPE_CHECKING:
    from .function import JitGrad


class Wrong(NamedTuple):
    """Where compiled code is wrong, and the right answer."""

    reason: str
    answer: Any


def differs(df: JitGrad, signature: Signature, upstream: Any, compiled: Any) -> Wrong | None:
    """Compare one compiled answer; None where it is right up to rounding."""
    direct = df._run_directly(signature, upstream)
    if not _close(compiled, direct):
        return Wrong("compiled and direct results differ", direct)
    wanted = df._wanted
    if wanted.forward:
        leaves = iter(signature.leaves)
        values = [unflatten(tree, leaves) for tree in signature.trees]
        plain = call(df.__wrapped__, values, signature.keywords)
        outputs = compiled[1:] if wanted.gradients else compiled
        expected = plain if type(plain) is tuple or not wanted.gradients else (plain,)
        if not _close(outputs, expected):
            return Wrong("compiled results differ from those of the plain function", direct)
    return None


def _close(actual: Any, expected: Any) -> bool:
    """Tell whether two results agree up to rounding, relative to the size of each array."""
    left: list[Any] = []
    right: list[Any] = []
    if flatten(actual, left) != flatten(expected, right):
        return False
    return all(_leaf_close(a, b) for a, b in zip(left, right, strict=True))


def _leaf_close(a: Any, b: Any) -> bool:
    if not hasattr(a, "dtype") and not isinstance(a, float):
        return bool(a == b)
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return False
    scale = float(np.max(np.abs(b[finite]), initial=0.0))
    tolerance = float(np.finfo(a.dtype).eps) ** 0.5
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(a[finite] - b[finite]) <= tolerance * (scale + 1e-300)))
