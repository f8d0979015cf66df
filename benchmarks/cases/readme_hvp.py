"""A product of the Hessian of the README's network with a vector, float64.

By hand it is the gradient's derivative along the vector, line by line (Pearlmutter 1994, Fast exact
multiplication by the Hessian).
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.cases.readme_network import Params, mlp, mlp_data


def data() -> tuple[Params, Array, Array, Params]:
    vector, _, _ = mlp_data(seed=1)
    return (*mlp_data(), vector)


def by_hand(params: Params, x: Array, y: Array, vector: Params) -> Function:
    """Differentiate each line of the gradient: what is along the vector is called `v_`."""

    def call(params: Params, x: Array, y: Array, vector: Params) -> Any:
        (W1, W2), (b1, b2) = params["W"], params["b"]
        (v_W1, v_W2), (v_b1, v_b2) = vector["W"], vector["b"]
        h1 = np.tanh(x @ W1 + b1)
        slope1 = 1.0 - h1 * h1
        v_h1 = slope1 * (x @ v_W1 + v_b1)
        h2 = np.tanh(h1 @ W2 + b2)
        slope2 = 1.0 - h2 * h2
        v_h2 = slope2 * (v_h1 @ W2 + h1 @ v_W2 + v_b2)
        p = np.exp(h2)
        p *= y.sum() / p.sum()
        v_p = p * (v_h2 - np.vdot(p, v_h2) / y.sum())
        d2 = p - y
        v_d2 = slope2 * v_p - 2.0 * h2 * v_h2 * d2
        d2 = slope2 * d2
        d1 = d2 @ W2.T
        v_d1 = slope1 * (v_d2 @ W2.T + d2 @ v_W2.T) - 2.0 * h1 * v_h1 * d1
        v_dW = [x.T @ v_d1, v_h1.T @ d2 + h1.T @ v_d2]
        return {"W": v_dW, "b": [v_d1[0], v_d2[0]]}

    return call


CASES = (
    Case(
        "readme_hvp",
        "Hessian of the README network times a vector, float64",
        mlp,
        data,
        by_hand,
        judged=False,
        operator="hvp",
    ),
)
