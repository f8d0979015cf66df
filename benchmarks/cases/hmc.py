"""Hamiltonian Monte Carlo: a trajectory of 20 leapfrog steps for Bayesian logistic regression.

500 points of 25 features, float64. The trajectory is the user's NumPy code; what differs between
contenders is the gradient that it asks for 21 times.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

POINTS, FEATURES = 500, 25
STEPS, STEP_SIZE = 20, 0.02


def loss(w: Array, x: Array, y: Array) -> Any:
    return np.sum(np.log1p(np.exp(-y * (x @ w)))) + 0.5 * np.sum(w**2)


def data() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((POINTS, FEATURES)) / np.sqrt(FEATURES)
    y = np.sign(x @ rng.standard_normal(FEATURES) + 0.3 * rng.standard_normal(POINTS))
    return 0.1 * rng.standard_normal(FEATURES), x, y


def by_hand(w: Array, x: Array, y: Array) -> Function:
    """Write the gradient on two buffers of a number a point."""
    margin, scratch = np.empty(POINTS), np.empty(POINTS)
    one = np.array(1.0)
    ones = np.ones(POINTS)

    def call(w: Array, x: Array, y: Array) -> tuple[Array, Any]:
        x.dot(w, margin)
        np.multiply(margin, y, margin)
        np.negative(margin, margin)
        np.exp(margin, margin)
        np.log1p(margin, scratch)
        value = scratch.dot(ones) + 0.5 * w.dot(w)
        # by the product x @ w: -y * e / (1 + e)
        np.add(margin, one, scratch)
        np.divide(margin, scratch, margin)
        np.multiply(margin, y, margin)
        grads = margin.dot(x)
        np.subtract(w, grads, grads)
        return grads, value

    return call


def leapfrog(gradient: Function, start: Array) -> Array:
    """Run one trajectory from a fixed momentum; return where it ends and with which momentum."""
    q = start
    p = np.random.default_rng(1).standard_normal(FEATURES)
    _, g = gradient(q)
    for _ in range(STEPS):
        p = p - 0.5 * STEP_SIZE * g
        q = q + STEP_SIZE * p
        _, g = gradient(q)
        p = p - 0.5 * STEP_SIZE * g
    return np.concatenate([q, p])


CASES = (
    Case(
        "hmc",
        "HMC, 20 leapfrog steps of logistic regression 500x25, float64",
        loss,
        data,
        by_hand,
        drive=leapfrog,
    ),
)
