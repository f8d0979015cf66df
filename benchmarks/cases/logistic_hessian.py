"""The Hessian of a logistic regression: 100 parameters, 200 samples, float64.

It is X' D X, with the slopes of the logistic function in D: a product that nobody can do without.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import products

PARAMETERS, SAMPLES = 100, 200


def loss(w: Array, x: Array, y: Array) -> Any:
    z = x @ w
    return np.sum(np.logaddexp(0.0, z) - y * z)


def data() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, PARAMETERS))
    y = (rng.random(SAMPLES) > 0.5).astype(float)
    return 0.1 * rng.standard_normal(PARAMETERS), x, y


def by_hand(w: Array, x: Array, y: Array) -> Function:
    """Write the Hessian as a product of scaled rows."""
    z, p, scaled = np.empty(SAMPLES), np.empty(SAMPLES), np.empty(x.shape)

    def call(w: Array, x: Array, y: Array) -> Array:
        np.dot(x, w, out=z)
        np.abs(z, out=z)
        np.negative(z, out=z)
        np.exp(z, out=z)
        np.add(z, 1.0, out=p)
        np.divide(z, p, out=z)
        np.divide(z, p, out=z)  # e**-|z| / (1 + e**-|z|) ** 2
        np.multiply(x, z[:, None], out=scaled)
        return np.dot(scaled.T, x)

    return call


CASES = (
    Case(
        "logistic_hessian",
        "Hessian of logistic regression, 100 parameters, 200 samples, float64",
        loss,
        data,
        by_hand,
        floor=products(np.float64, (PARAMETERS, SAMPLES, PARAMETERS, 1)),
        judged=False,
        operator="hessian",
    ),
)
