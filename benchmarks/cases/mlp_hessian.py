"""The Hessian of a small network, 61 parameters in one vector, 20 samples, float64.

By hand it is the Gauss-Newton matrix and what the curvature of tanh adds, block by block.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

FEATURES, HIDDEN, SAMPLES = 3, 12, 20
INNER = FEATURES * HIDDEN  # weights before the hidden layer; then its biases, weights, a bias
SIZE = INNER + 2 * HIDDEN + 1


def loss(w: Array, x: Array, y: Array) -> Any:
    before = w[:INNER].reshape(FEATURES, HIDDEN)
    h = np.tanh(x @ before + w[INNER : INNER + HIDDEN])
    return np.mean((h @ w[INNER + HIDDEN : -1] + w[-1] - y) ** 2)


def data() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((SAMPLES, FEATURES)), rng.standard_normal(SAMPLES)
    return 0.5 * rng.standard_normal(SIZE), x, y


def by_hand(w: Array, x: Array, y: Array) -> Function:
    """Write it with the features and a one for the bias side by side."""
    wide = np.concatenate([x, np.ones((SAMPLES, 1))], axis=1)
    pairs = wide[:, :, None] * wide[:, None, :]
    slopes = np.ones((SAMPLES, SIZE))  # of the output by the parameters
    # Where unit k's weights, bias and outer weight stand.
    inside = np.arange(FEATURES + 1)[:, None] * HIDDEN + np.arange(HIDDEN)
    outside = INNER + HIDDEN + np.arange(HIDDEN)

    def call(w: Array, x: Array, y: Array) -> Array:
        before, outer = w[:INNER].reshape(FEATURES, HIDDEN), w[outside]
        h = np.tanh(x @ before + w[INNER : INNER + HIDDEN])
        residual = (2 / SAMPLES) * (h @ outer + w[-1] - y)
        slope = 1.0 - h * h
        bent = slope * outer
        slopes[:, : INNER + HIDDEN] = (wide[:, :, None] * bent[:, None, :]).reshape(SAMPLES, -1)
        slopes[:, outside] = h
        hessian = (2 / SAMPLES) * slopes.T @ slopes
        twice = -2.0 * residual[:, None] * h * bent
        hessian[inside[:, None], inside[None]] += np.einsum("nk,nij->ijk", twice, pairs)
        mixed = wide.T @ (residual[:, None] * slope)
        hessian[inside, outside] += mixed
        hessian[outside, inside] += mixed
        return hessian

    return call


CASES = (
    Case(
        "mlp_hessian",
        f"Hessian of a network 3-12-1, {SIZE} parameters, 20 samples, float64",
        loss,
        data,
        by_hand,
        judged=False,
        operator="hessian",
    ),
)
