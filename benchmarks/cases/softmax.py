"""Softmax cross-entropy of 128 rows of 1000 logits, float32: reductions, and work around them."""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import bytes_moved
from benchmarks.hand import cross_entropy

ROWS, CLASSES = 128, 1000


def loss(logits: Array, y: Array) -> Any:
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.sum(log_p * y) / logits.shape[0]


def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((ROWS, CLASSES)).astype(np.float32)
    return logits, np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=ROWS)]


def by_hand(logits: Array, y: Array) -> Function:
    """Write the gradient into the array that is returned, but for one buffer."""
    shifted = np.empty_like(logits)
    head = cross_entropy(logits.shape, np.float32)

    def call(logits: Array, y: Array) -> tuple[Array, Any]:
        np.copyto(shifted, logits)
        grads = np.empty_like(logits)
        value = head(shifted, y, out=grads)
        return grads, value

    return call


CASES = (
    Case(
        "softmax",
        "softmax cross-entropy 128x1000, float32",
        loss,
        data,
        by_hand,
        floor=bytes_moved(3 * 4 * ROWS * CLASSES),  # logits and y read, the gradient written
    ),
)
