"""Convolutions and correlations of vectors, and polynomials.

Two vectors of any lengths enter; a mode says which part of the full result leaves. Both functions
are linear in each vector, so their rules are convolutions of the cotangent, which is first put back
to its place in the full result.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from ..dag.op import composite, op
from .arrays import with_dtype
from .complexes import conj
from .index import unindex

_MODES = {0: "valid", 1: "same", 2: "full"}


def _in_full(g: Any, a: Any, v: Any, mode: str, start: int) -> Any:
    """Put the cotangent of a part of the full result back; start: where mode "same" begins."""
    if mode == "full":
        return g
    start = start if mode == "same" else min(a.size, v.size) - 1
    place = slice(start, start + np.shape(g)[0])
    return unindex(g, key=place, shape=(a.size + v.size - 1,))


def _factor(g: Any, other: Any) -> Any:
    """The cotangent of a vector, from that of its full convolution with another one."""
    return np.convolve(g, other[::-1], mode="valid")


def _convolved(g: Any, a: Any, v: Any, mode: str) -> Any:
    return _in_full(g, a, v, mode, (min(a.size, v.size) - 1) // 2)


def _correlated(g: Any, a: Any, v: Any, mode: str) -> Any:
    short = min(a.size, v.size)  # of an even number NumPy cuts the other half if v is longer
    return _in_full(g, a, v, mode, short // 2 if a.size < v.size else (short - 1) // 2)


def _second_of_correlate(g: Any, out: Any, a: Any, v: Any, mode: str) -> Any:
    return conj(_factor(_correlated(g, a, v, mode), a))[::-1]


convolve = op(
    "convolve", np.convolve, path="np.convolve",
    vjp=[
        lambda g, out, a, v, mode: _factor(_convolved(g, a, v, mode), v),
        lambda g, out, a, v, mode: _factor(_convolved(g, a, v, mode), a),
    ],
)  # fmt: skip
correlate = op(
    "correlate", np.correlate, path="np.correlate",
    vjp=[
        lambda g, out, a, v, mode: _factor(_correlated(g, a, v, mode), conj(v)[::-1]),
        _second_of_correlate,
    ],
)  # fmt: skip


@composite(np.convolve)
def _convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    a, v = (np.reshape(x, 1) if np.ndim(x) == 0 else with_dtype(x) for x in (a, v))
    return convolve(a, v, mode=_name(mode))


@composite(np.correlate)
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    return correlate(with_dtype(a), with_dtype(v), mode=_name(mode))


def _name(mode: Any) -> str:
    if mode in _MODES.values():
        return str(mode)
    if mode not in _MODES:
        np.correlate(np.ones(1), np.ones(1), mode)  # which raises
    return _MODES[mode]


@composite(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """The value of a polynomial, by Horner's scheme; coefficients from the highest power on."""
    if isinstance(x, np.poly1d):
        raise TypeError("polyval() argument x= that is a polynomial")
    x = with_dtype(x)
    value = np.zeros_like(x)
    for coefficient in with_dtype(p):
        value = value * x + coefficient
    return value


@composite(np.polyfit)
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None,
    cov: bool | str = False,
) -> Any:  # fmt: skip
    """The polynomial of least squares, from columns of equal length as np.polyfit has them."""
    if np.ndim(deg):
        raise TypeError("polyfit() argument deg= that is not one number")
    count = operator.index(deg) + 1
    x, y = with_dtype(x) + 0.0, with_dtype(y) + 0.0
    if count < 1 or np.ndim(x) != 1 or not x.size or np.ndim(y) not in (1, 2):
        np.polyfit(np.zeros(np.shape(x)), np.zeros(np.shape(y)), deg)  # which raises
    if len(x) != len(y) or (w is not None and np.shape(w) != np.shape(x)):
        raise TypeError("expected x, y and w to have the same length")
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    powers = np.vander(x, count)
    if w is not None:
        w = (with_dtype(w) + 0.0)[:, None]
        powers, y = powers * w, y * (w if np.ndim(y) == 2 else w[:, 0])
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    powers = np.divide(powers, scale)
    found, residuals, rank, s = np.linalg.lstsq(powers, y, rcond)
    if rank != count and not full:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    fit = np.transpose(np.divide(np.transpose(found), scale))
    if full:
        return fit, residuals, rank, s, rcond
    if not cov:
        return fit
    spread = np.linalg.inv(np.matmul(powers.T, powers)) / np.outer(scale, scale)
    if cov != "unscaled":
        if len(x) <= count:
            raise ValueError(
                "the number of data points must exceed order to scale the covariance matrix"
            )
        spread = (spread if np.ndim(y) == 1 else spread[:, :, None]) * (
            np.divide(residuals, len(x) - count)
        )
    elif np.ndim(y) == 2:
        spread = spread[:, :, None]
    return fit, spread
