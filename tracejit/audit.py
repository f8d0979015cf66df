"""The audit: is a compiled result what plain Python gives?

The compiled outputs are compared with those of the plain function on plain arrays, and the
gradients with direct mode. It finds what no guard foresaw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .binding import call
from .cache import Signature
from .tree import flatten

if TYPE_CHECKING:
    from .function import JitGrad


class Wrong(NamedTuple):
    """Where compiled code is wrong, and the right answer."""

    reason: str
    answer: Any


def differs(df: JitGrad, signature: Signature, upstream: Any, compiled: Any) -> Wrong | None:
    """Compare one compiled answer; None where it is right up to rounding."""
    with np.errstate(all="ignore"):  # the compiled call has warned already
        return _differs(df, signature, upstream, compiled)


def _differs(df: JitGrad, signature: Signature, upstream: Any, compiled: Any) -> Wrong | None:
    direct = df._run_directly(signature, upstream)
    scale = _scale([direct, signature.leaves])
    if not _close(compiled, direct, scale):
        return Wrong("compiled and direct results differ", direct)
    wanted = df._wanted
    if wanted.forward:
        values = signature.arguments(signature.leaves)
        plain = call(df.__wrapped__, values, signature.keywords)
        outputs = compiled[1:] if wanted.gradients else compiled
        expected = plain if type(plain) is tuple or not wanted.gradients else (plain,)
        if not _close(outputs, expected, scale):
            return Wrong("compiled results differ from those of the plain function", direct)
    return None


def _scale(values: Any) -> float:
    """The largest finite number among all leaves: what rounding errors are measured by."""
    leaves: list[Any] = []
    flatten(values, leaves)
    arrays = (np.asarray(v) for v in leaves if isinstance(v, (float, np.ndarray, np.number)))
    sizes = (np.abs(a[np.isfinite(a)]) for a in arrays if a.dtype.kind in "fc")
    return max((float(np.max(s, initial=0.0)) for s in sizes), default=0.0)


def _close(actual: Any, expected: Any, scale: float) -> bool:
    """Tell whether two results agree up to rounding."""
    left: list[Any] = []
    right: list[Any] = []
    if flatten(actual, left) != flatten(expected, right):
        return False
    return all(_leaf_close(a, b, scale) for a, b in zip(left, right, strict=True))


def _leaf_close(a: Any, b: Any, scale: float) -> bool:
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
    tolerance = float(np.finfo(a.dtype).eps) ** 0.5
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(a[finite] - b[finite]) <= tolerance * scale))
