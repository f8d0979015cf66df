"""What several of the gradients by hand have in common, on buffers made once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import Array


def cross_entropy(shape: tuple[int, ...], dtype: Any) -> Callable[..., Any]:
    """Make the mean cross-entropy of softmax: its value, its gradient in place of the logits.

    With `out=` the gradient goes there, and the logits are left shifted by their maxima.
    """
    rows, classes = shape
    column, total, weight = (np.empty((rows, 1), dtype) for _ in range(3))
    ones, share = np.ones((classes, 1), dtype), np.array(1.0 / rows, dtype)

    def call(logits: Array, y: Array, out: Array | None = None) -> Any:
        out = logits if out is None else out
        np.maximum.reduce(logits, axis=1, keepdims=True, out=column)
        np.subtract(logits, column, out=logits)
        picked: Any = np.vdot(logits, y)
        np.exp(logits, out=out)
        np.add.reduce(out, axis=1, keepdims=True, out=total)
        np.dot(y, ones, out=weight)
        np.log(total, out=column)
        value = (np.vdot(column, weight) - picked) * share
        # (softmax * sum(y) - y) / rows
        np.divide(weight, total, out=weight)
        np.multiply(out, weight, out=out)
        np.subtract(out, y, out=out)
        np.multiply(out, share, out=out)
        return value

    return call


def through_tanh(dtype: Any) -> Callable[[Array, Array, Array], None]:
    """Make what multiplies a cotangent, in place, by the slope of tanh where that gave h."""
    one = np.array(1.0, dtype)

    def call(cotangent: Array, h: Array, scratch: Array) -> None:
        np.multiply(h, h, out=scratch)
        np.subtract(one, scratch, out=scratch)
        np.multiply(cotangent, scratch, out=cotangent)

    return call
