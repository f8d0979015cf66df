"""Convolutions, correlations and linear filters of scipy.signal.

SciPy's own functions compute the values. The transpose of a convolution is one with the reversed
other operand, of the cotangent put back to its place in the full result; that of a filter is the
same filter run backwards. Nothing is conjugated, because all of it is linear in each operand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal

from ...dag.op import BY_NAME, Op, composite, op
from ..complexes import conj
from ..shape import along


def _reversed(x: Any, axes: Any = None) -> Any:
    """Reverse an array along all axes, or along some."""
    ndim = np.ndim(x)
    along = range(ndim) if axes is None else [axis % ndim for axis in axes]
    key = tuple(slice(None, None, -1 if axis in along else None) for axis in range(ndim))
    return x[key] if ndim else x


def _in_full(g: Any, shape: tuple[int, ...], other: tuple[int, ...], axes: Any) -> Any:
    """Put a cotangent where its elements stand in the result of mode="full"."""
    ndim = len(shape)
    along = range(ndim) if axes is None else [axis % ndim for axis in axes]
    full = tuple(
        m + n - 1 if axis in along else max(m, n)
        for axis, (m, n) in enumerate(zip(shape, other, strict=True))
    )
    if full == g.shape:
        return g
    starts = [(length - n) // 2 for length, n in zip(full, g.shape, strict=True)]
    key = tuple(slice(start, start + n) for start, n in zip(starts, g.shape, strict=True))
    return BY_NAME["unindex"](g, key=key, shape=full)


def convolution(function: Any, bind: Any) -> Op:
    """Declare a convolution of two arrays with `mode`, and `axes` where it has them."""

    def rule(g: Any, x: Any, other: Any, attrs: dict[str, Any]) -> Any:
        if not np.size(g):
            return None
        axes = attrs.get("axes")
        whole = _in_full(g, np.shape(x), np.shape(other), axes)
        return declared(whole, _reversed(other, axes), **attrs | {"mode": "valid"})

    declared: Op = op(
        f"scipy.signal.{function.__name__}", function, stands_for=(function,), bind=bind,
        vjp=[
            lambda g, out, x, y, **attrs: rule(g, x, y, attrs),
            lambda g, out, x, y, **attrs: rule(g, y, x, attrs),
        ],
        raises=True,
    )  # fmt: skip
    return declared


def _with_axes(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    axes = None if axes is None else tuple(int(axis) for axis in np.ravel(axes))
    return (in1, in2), {"mode": mode} | ({} if axes is None else {"axes": axes})


def _with_method(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    return (in1, in2), {"mode": mode} | ({} if method == "auto" else {"method": method})


def _with_boundary(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    if boundary != "fill" or fillvalue != 0:
        raise TypeError(
            "convolve2d() argument boundary= or fillvalue=, which pads with other than 0"
        )
    return (in1, in2), {"mode": mode}


convolve = convolution(scipy.signal.convolve, _with_method)
convolution(scipy.signal.fftconvolve, _with_axes)
convolution(scipy.signal.oaconvolve, _with_axes)
convolve2d = convolution(scipy.signal.convolve2d, _with_boundary)


@composite(scipy.signal.correlate)
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Convolve with the reversed conjugate."""
    inputs, attrs = _with_method(in1, conj(_reversed(in2)), mode, method)
    return convolve(*inputs, **attrs)


@composite(scipy.signal.correlate2d)
def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0
) -> Any:
    """Convolve with the reversed conjugate; where lengths are even, "same" has another center."""
    _with_boundary(in1, in2, mode, boundary, fillvalue)
    if mode == "same":
        starts = [n // 2 for n in np.shape(in2)]
        key = tuple(slice(k, k + n) for k, n in zip(starts, np.shape(in1), strict=True))
        return convolve2d(in1, conj(_reversed(in2)), mode="full")[key]
    smaller = any(m < n for m, n in zip(np.shape(in1), np.shape(in2), strict=True))
    if mode == "valid" and smaller:  # SciPy exchanges the operands, and so which one it conjugates
        return convolve2d(_reversed(in2), conj(in1), mode=mode)
    return convolve2d(in1, conj(_reversed(in2)), mode=mode)


# -- filters -------------------------------------------------------------------------------------


def _backwards(b: Any, a: Any, g: Any, axis: int) -> Any:
    """Filter from the end to the beginning."""
    flip = along(axis % np.ndim(g), slice(None, None, -1))
    return lfilter(b, a, g[flip], axis=axis)[flip]


def _lagged(g: Any, x: Any, a: Any, count: int, axis: int) -> Any:
    """Sum what the filter's poles make of a cotangent with the samples so many steps before."""
    back = _backwards(np.ones(1), a, g, axis)
    back, x = np.moveaxis(back, axis, -1), np.moveaxis(x, axis, -1)
    n = x.shape[-1]
    products = (np.sum(back[..., k:] * x[..., : max(n - k, 0)]) for k in range(count))
    return np.concatenate([np.reshape(product, (1,)) for product in products])


lfilter = op(
    "scipy.signal.lfilter", scipy.signal.lfilter, path="scipy.signal.lfilter",
    vjp=[
        lambda g, out, b, a, x, axis: _lagged(g, x, a, np.size(b), axis),
        lambda g, out, b, a, x, axis: -_lagged(g, out, a, np.size(a), axis),
        lambda g, out, b, a, x, axis: _backwards(b, a, g, axis),
    ],
)  # fmt: skip


@composite(scipy.signal.lfilter)
def _lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """Filter along an axis; with zi, from a state, and give the state at the end, too."""
    x = x if isinstance(x, np.ndarray) else np.asarray(x)
    if zi is None:
        return lfilter(b, a, x, axis=int(axis))
    return _from_state(np.reshape(b, -1), np.reshape(a, -1), x, int(axis) % np.ndim(x), zi)


def _from_state(b: Any, a: Any, x: Any, axis: int, zi: Any) -> Any:
    """Run the transposed direct form: its state is what is still to be added to later samples."""
    one, n, state = np.ones(1), x.shape[axis], max(b.shape[0], a.shape[0]) - 1
    b, a = np.divide(b, a[0]), np.divide(a, a[0])
    shape = (*x.shape[:axis], state, *x.shape[axis + 1 :])
    later = np.zeros(shape, np.result_type(b, a, x, zi))
    zi = zi if np.shape(zi) == shape else np.broadcast_to(zi, shape)
    first, last = along(axis, slice(None, n)), along(axis, slice(n, None))
    added = np.concatenate([zi, np.zeros(x.shape, later.dtype)], axis=axis)
    driven = lfilter(b, one, np.concatenate([x, later], axis=axis), axis=axis) + added
    out = lfilter(one, a, driven[first], axis=axis)
    rest = lfilter(a, one, np.concatenate([out, later], axis=axis), axis=axis)
    return out, (driven - rest)[last]
