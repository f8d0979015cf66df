"""The network of the README: two small tanh layers, one example at a time, float64.

Small enough that the time goes to calls, not to arithmetic. Written by hand it is the same
mathematics with `out=` in every call; tuned, it is an exercise in making few and cheap calls:
methods rather than `np.` functions, `out` by position, vectors rather than matrices of one row, a
product with ones for a sum.
"""

import math
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

Params = dict[str, list[Array]]


def mlp(params: Params, x: Array, y: Array) -> Any:
    h1 = np.tanh(x @ params["W"][0] + params["b"][0])
    h2 = np.tanh(h1 @ params["W"][1] + params["b"][1])
    y_hat = h2 - np.log(np.sum(np.exp(h2)))
    return -np.sum(y_hat * y)


def mlp_data(dtype: type = np.float64, seed: int = 0) -> tuple[Params, Array, Array]:
    rng = np.random.default_rng(seed)
    params: Params = {
        "W": [
            rng.standard_normal((100, 50)).astype(dtype),
            rng.standard_normal((50, 10)).astype(dtype),
        ],
        "b": [rng.standard_normal(50).astype(dtype), rng.standard_normal(10).astype(dtype)],
    }
    return params, rng.standard_normal((1, 100)).astype(dtype), np.eye(10, dtype=dtype)[3][None]


def by_hand(params: Params, x: Array, y: Array) -> Function:
    """Write the gradient as NumPy calls with `out=`, on buffers made once."""
    h1, h2 = np.empty((1, 50)), np.empty((1, 10))
    d1, d2 = np.empty_like(h1), np.empty_like(h2)
    exp_h2, y_hat = np.empty_like(h2), np.empty_like(h2)

    def call(params: Params, x: Array, y: Array) -> tuple[Params, Any]:
        W1, W2 = params["W"]
        b1, b2 = params["b"]
        np.dot(x, W1, out=h1)
        np.add(h1, b1, out=h1)
        np.tanh(h1, out=h1)
        np.dot(h1, W2, out=h2)
        np.add(h2, b2, out=h2)
        np.tanh(h2, out=h2)
        np.exp(h2, out=exp_h2)
        total = exp_h2.sum()
        np.subtract(h2, np.log(total), out=y_hat)
        np.multiply(y_hat, y, out=y_hat)
        loss = -y_hat.sum()

        np.multiply(exp_h2, y.sum() / total, out=d2)
        np.subtract(d2, y, out=d2)
        np.square(h2, out=h2)
        np.subtract(1.0, h2, out=h2)
        np.multiply(d2, h2, out=d2)
        dW2 = np.dot(h1.T, d2)
        np.dot(d2, W2.T, out=d1)
        np.square(h1, out=h1)
        np.subtract(1.0, h1, out=h1)
        np.multiply(d1, h1, out=d1)
        dW1 = np.dot(x.T, d1)
        return {"W": [dW1, dW2], "b": [d1[0].copy(), d2[0].copy()]}, loss

    return call


def tuned(params: Params, x: Array, y: Array) -> Function:
    """Write the gradient in as few and as cheap calls as will do."""
    h1_row, h2_row = np.empty((1, 50)), np.empty((1, 10))
    h1, h2, h1_column = h1_row[0], h2_row[0], h1_row.T
    exp_h2, slope1, slope2 = np.empty(10), np.empty(50), np.empty(10)
    one, ones = np.array(1.0), np.ones(10)
    add, subtract, multiply, tanh, exp = np.add, np.subtract, np.multiply, np.tanh, np.exp

    def call(params: Params, x: Array, y: Array) -> tuple[Params, Any]:
        W1, W2 = params["W"]
        b1, b2 = params["b"]
        y = y[0]
        x.dot(W1, h1_row)
        add(h1, b1, h1)
        tanh(h1, h1)
        h1_row.dot(W2, h2_row)
        add(h2, b2, h2)
        tanh(h2, h2)
        exp(h2, exp_h2)
        total = exp_h2.dot(ones)
        weight = y.dot(ones)
        loss = weight * math.log(total) - h2.dot(y)

        # The gradients of the biases are those of the sums before tanh: made in what is returned.
        db2 = np.empty(10)
        multiply(exp_h2, weight / total, db2)
        subtract(db2, y, db2)
        multiply(h2, h2, slope2)
        subtract(one, slope2, slope2)
        multiply(db2, slope2, db2)
        dW2 = h1_column.dot(db2[None])
        db1 = W2.dot(db2)
        multiply(h1, h1, slope1)
        subtract(one, slope1, slope1)
        multiply(db1, slope1, db1)
        dW1 = x.T.dot(db1[None])
        return {"W": [dW1, dW2], "b": [db1, db2]}, loss

    return call


TITLE = "README network 100-50-10, batch 1, float64"
CASES = (Case("readme_network", TITLE, mlp, mlp_data, by_hand, tuned),)
