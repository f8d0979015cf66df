"""What an error suggests in place of a function that is not supported.

The name of the function and those of what is supported enter, the end of the message leaves.
"""

from __future__ import annotations

from collections.abc import Collection

DECLARE = "; or declare a gradient with tracejit.primitive and tracejit.defvjp"

# What does the same work, or most of it, under a name that does not show it.
_NEIGHBOURS = {
    "np.as_strided": "np.take", "np.asmatrix": "np.array", "np.bmat": "np.block",
    "np.frompyfunc": "np.stack", "np.fromstring": "np.array",
    "np.lib.stride_tricks.as_strided": "np.take",
    "np.lib.stride_tricks.sliding_window_view": "np.take", "np.matrix": "np.array",
    "np.packbits": "np.sum", "np.poly": "np.convolve", "np.polyadd": "np.add",
    "np.polyder": "np.diff", "np.polyint": "np.cumsum", "np.polymul": "np.convolve",
    "np.roots": "np.linalg.eigvals", "np.vectorize": "np.stack",
    "byteswap": "astype", "resize": "reshape", "setflags": "copy", "getfield": "astype",
}  # fmt: skip


def advice(name: str, known: Collection[str]) -> str:
    """Say what comes nearest to a function among those that are known."""
    near = _nearest(name, known)
    return f"; the nearest supported one is {near}" if near else ""


def _nearest(name: str, known: Collection[str]) -> str | None:
    neighbour = _NEIGHBOURS.get(name)
    if neighbour in known:
        return neighbour
    home, _, bare = name.rpartition(".")
    if home.startswith("scipy.stats."):  # no distribution stands for another
        return None
    best = max(((_likeness(bare, home, k), k) for k in sorted(known)), default=(0.0, ""))
    return best[1] if best[0] > 0.6 else None


def _likeness(bare: str, home: str, other: str) -> float:
    """Rate how much of two names is one common part: a whole name, or the begin or end of both."""
    from difflib import SequenceMatcher

    its_home, _, its = other.rpartition(".")
    match = SequenceMatcher(None, bare, its, autojunk=False)
    a, b, length = match.find_longest_match(0, len(bare), 0, len(its))
    shorter = min(len(bare), len(its))
    begins, ends = a == b == 0, a + length == len(bare) and b + length == len(its)
    whole = length == shorter >= 3
    if not whole and not (length >= max(4.0, 0.6 * shorter) and (begins or ends)):
        return 0.0
    return 2 * length / (len(bare) + len(its)) + 0.1 * (begins or ends) + 0.05 * (home == its_home)
