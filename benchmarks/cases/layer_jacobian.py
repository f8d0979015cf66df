"""The Jacobian of a layer from 50 to 30 units, one example at a time, float64."""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

WIDE, NARROW = 50, 30


def layer(x: Array, weights: Array, bias: Array) -> Any:
    return np.tanh(weights @ x + bias)


def data() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((NARROW, WIDE)) / np.sqrt(WIDE)
    return rng.standard_normal(WIDE), weights, 0.1 * rng.standard_normal(NARROW)


def by_hand(x: Array, weights: Array, bias: Array) -> Function:
    """Scale the rows of the weights."""
    slope = np.empty(NARROW)
    column, one = slope[:, None], np.array(1.0)

    def call(x: Array, weights: Array, bias: Array) -> Array:
        weights.dot(x, slope)
        np.add(slope, bias, slope)
        np.tanh(slope, slope)
        np.multiply(slope, slope, slope)
        np.subtract(one, slope, slope)
        return np.multiply(weights, column)

    return call


CASES = (
    Case(
        "layer_jacobian",
        "Jacobian of a tanh layer 50-30, float64",
        layer,
        data,
        by_hand,
        judged=False,
        operator="jacobian",
    ),
)
