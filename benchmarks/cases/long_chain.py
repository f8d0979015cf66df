"""A chain of 1,000 ufuncs on 4-vectors, float64: the cost of a node.

The factor and the offset keep the values near 0.15 and the gradient near 1e-3, however long the
chain.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

NODES = 1000
STEPS = NODES // 4


def loss(x: Array) -> Any:
    for _ in range(STEPS):
        x = np.sin(x)
        x = np.tanh(x)
        x = x * 1.01
        x = x + 0.0001
    return np.sum(x)


def by_hand(x: Array) -> Function:
    """Write the forward chain in place, and its derivative as one product over all steps."""
    entered, left = np.empty((STEPS, 4)), np.empty((STEPS, 4))  # each step's sin and tanh
    state = np.empty(4)
    # One column a step, looked up once: `entered[i]` costs as much as a third of a ufunc.
    rows = list(zip(entered, [*entered[1:], state], left, strict=True))
    factor, offset, one = np.array(1.01), np.array(0.0001), np.array(1.0)
    sin, tanh, multiply, add = np.sin, np.tanh, np.multiply, np.add

    def call(x: Array) -> tuple[Array, Any]:
        entered[0] = x
        for before, after, bent in rows:
            sin(before, bent)
            tanh(bent, bent)
            multiply(bent, factor, after)
            add(after, offset, after)
        # d(after) / d(before) = 1.01 * (1 - tanh(sin(before)) ** 2) * cos(before)
        multiply(left, left, left)
        np.subtract(one, left, left)
        multiply(left, factor, left)
        np.cos(entered, entered)
        multiply(left, entered, left)
        return multiply.reduce(left, axis=0), add.reduce(state)

    return call


CASES = (
    Case(
        "long_chain",
        f"chain of {NODES:,} ufuncs on a 4-vector, float64",
        loss,
        lambda: (np.array([0.1, 0.2, 0.3, 0.4]),),
        by_hand,
        judged=False,
    ),
)
