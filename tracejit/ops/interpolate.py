"""np.interp: gradients by the places, by the known points, and by their values.

The rules are written with the slope of each piece, so that they can be differentiated again. On
a known point the piece behind it counts, on the last one that before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import HOLE, composite, op
from .arrays import unlisted, with_dtype
from .conversions import cast, is_complex
from .index import index, unindex


def piece_of(x: Any, xp: Any) -> Any:
    """Count the known points before each place, but the last two are one piece."""
    return np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)


_piece = op("piece_of", piece_of, vjp=None)
_ascending = op("ascending", np.argsort, vjp=None, path="np.argsort")


def _rule(g: Any, out: Any, position: int, inputs: list[Any]) -> Any:
    x, xp, fp = inputs[:3]
    left, right = inputs[3:] or (None, None)
    below, above = x < xp[0], x > xp[-1]
    if position > 2:
        return np.sum(np.where(below if position == 3 else above, g, 0))
    if position == 2:
        for given, beyond in ((left, below), (right, above)):
            g = g if given is None else np.where(beyond, 0, g)
    if len(xp) == 1:
        return np.reshape(np.sum(g), (1,)) if position == 2 else None
    piece = _piece(x, xp)
    start, end = (index(xp, i, key=HOLE) for i in (piece, piece + 1))
    part = np.divide(x - start, end - start)
    if position < 2:
        rise = index(fp, piece + 1, key=HOLE) - index(fp, piece, key=HOLE)
        g = np.where(below | above, 0, g * np.divide(rise, end - start))
        if position == 0:
            return g
        g = -g
    else:
        part = np.clip(part, 0.0, 1.0)
    ends = ((piece, g * (1.0 - part)), (piece + 1, g * part))
    first, second = (unindex(c, i, key=HOLE, shape=np.shape(xp)) for i, c in ends)
    return first + second


_interp = op("interp", np.interp, variadic=True, vjp=_rule, path="np.interp", raises=True)


@composite(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """The piecewise linear function through known points."""
    if period is not None:
        x, xp, fp = _periodic(x, xp, fp, period)
        left = right = None
    ends = () if left is None and right is None else (left, right)
    return _interp(unlisted(x), with_dtype(xp), with_dtype(fp), *ends)


def _periodic(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Bring all into one period, and give the known points a neighbour at each end."""
    if period == 0:
        raise ValueError("period must be a non-zero value")
    period = np.abs(period)
    x, xp, fp = (with_dtype(v) for v in (x, xp, fp))
    if np.ndim(xp) != 1 or np.ndim(fp) != 1:
        raise ValueError("Data points must be 1-D sequences")
    if len(xp) != len(fp):
        raise ValueError("fp and xp are not of the same length")
    xp = np.remainder(cast(xp, np.float64), period)
    order = _ascending(xp)
    xp = index(xp, order, key=HOLE)
    fp = index(cast(fp, np.complex128 if is_complex(fp) else np.float64), order, key=HOLE)
    xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    fp = np.concatenate([fp[-1:], fp, fp[:1]])
    return np.remainder(cast(x, np.float64), period), xp, fp
