"""New arrays: of zeros, of evenly spaced numbers, and of what no gradient passes through.

What has no node among its inputs is a constant of the trace; it is recorded all the same, so that
it can be written to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import op
from .shape import on_axis

zeros = op("zeros", np.zeros, vjp=None, path="np.zeros")


# -- spaced numbers ------------------------------------------------------------------------------


def _weights(num: int, endpoint: bool, ndim: int, axis: int) -> Any:
    """How far each of `num` numbers is from the first to the last, along an axis."""
    return on_axis(np.arange(num) / max(num - 1 if endpoint else num, 1), axis, ndim)


def _end(number: int, factor: Any = None) -> Any:
    """The rule for an end: its weight, times what `factor` makes of (g, out, *inputs)."""

    def rule(
        g: Any, out: Any, *inputs: Any, num: int, endpoint: bool, axis: int = 0, **_: Any
    ) -> Any:
        weights = _weights(num, endpoint, np.ndim(out), axis)
        if factor is not None:
            g = factor(g, out, *(_within(i, out, axis) for i in inputs))
        return np.sum(g * (weights if number else 1.0 - weights), axis=axis)

    return rule


def _within(x: Any, out: Any, axis: int) -> Any:
    """Let an end broadcast to the result: give it the axis of the numbers between the ends."""
    if not np.ndim(x):
        return x
    others = list(np.shape(out))
    del others[axis]
    return np.expand_dims(np.broadcast_to(x, tuple(others)), axis)


def _base_rule(
    g: Any, out: Any, start: Any, stop: Any, base: Any, num: int, endpoint: bool, axis: int = 0,
    **_: Any,
) -> Any:  # fmt: skip
    start, stop, base = (_within(i, out, axis) for i in (start, stop, base))
    weights = _weights(num, endpoint, np.ndim(out), axis)
    exponents = start * (1.0 - weights) + stop * weights
    return np.sum(g * out * np.divide(exponents, base), axis=axis)


def _arange_rule(g: Any, out: Any, start: Any, stop: Any, step: Any, dtype: Any = None) -> Any:
    return np.sum(g * np.arange(np.size(out)))


linspace = op("linspace", np.linspace, vjp=[_end(0), _end(1)], path="np.linspace")
logspace = op(
    "logspace", lambda start, stop, base, **attrs: np.logspace(start, stop, base=base, **attrs),
    vjp=[
        _end(0, lambda g, out, start, stop, base: g * out * np.log(base)),
        _end(1, lambda g, out, start, stop, base: g * out * np.log(base)),
        _base_rule,
    ],
)  # fmt: skip
geomspace = op(
    "geomspace", np.geomspace, path="np.geomspace",
    vjp=[
        _end(0, lambda g, out, start, stop: np.divide(g * out, start)),
        _end(1, lambda g, out, start, stop: np.divide(g * out, stop)),
    ],
)  # fmt: skip
# The shape of the result depends on values: who records it notes that.
arange = op(
    "arange", np.arange, path="np.arange",
    vjp=[lambda g, out, start, stop, step, dtype=None: np.sum(g), None, _arange_rule],
)  # fmt: skip

def _stop_gradient(x: Any) -> Any:
    if type(x) is not np.ndarray:
        return x
    view = x.view()
    view.flags.writeable = False  # a write to it would cut the gradient of all of x
    return view


stopped = op("stop_gradient", _stop_gradient, vjp=None, views=True)
