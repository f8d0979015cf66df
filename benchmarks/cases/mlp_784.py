"""A 784-1024-1024-10 tanh network with softmax cross-entropy, batch 128, float32.

Eight matrix products take nearly all of the time. By hand, what can be saved is the traffic of the
elementwise work between them.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import products
from benchmarks.hand import cross_entropy, through_tanh

Params = dict[str, list[Array]]

SIZES = (784, 1024, 1024, 10)
BATCH = 128


def loss(params: Params, x: Array, y: Array) -> Any:
    h = np.tanh(x @ params["W"][0] + params["b"][0])
    h = np.tanh(h @ params["W"][1] + params["b"][1])
    logits = h @ params["W"][2] + params["b"][2]
    logits = logits - np.max(logits, axis=1, keepdims=True)
    log_p = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.sum(log_p * y) / x.shape[0]


def data() -> tuple[Params, Array, Array]:
    rng = np.random.default_rng(0)
    layers = list(pairwise(SIZES))
    params = {
        "W": [(rng.standard_normal(s) / np.sqrt(s[0])).astype(np.float32) for s in layers],
        "b": [(0.1 * rng.standard_normal(s[1])).astype(np.float32) for s in layers],
    }
    x = rng.standard_normal((BATCH, SIZES[0])).astype(np.float32)
    return params, x, np.eye(SIZES[-1], dtype=np.float32)[rng.integers(SIZES[-1], size=BATCH)]


def by_hand(params: Params, x: Array, y: Array) -> Function:
    """Write the gradient as BLAS calls and in-place ufuncs on buffers made once."""
    h1, h2, g, scratch = (np.empty((BATCH, 1024), np.float32) for _ in range(4))
    logits = np.empty((BATCH, 10), np.float32)
    head, slope = cross_entropy(y.shape, np.float32), through_tanh(np.float32)

    def call(params: Params, x: Array, y: Array) -> tuple[Params, Any]:
        W1, W2, W3 = params["W"]
        b1, b2, b3 = params["b"]
        np.dot(x, W1, out=h1)
        np.add(h1, b1, out=h1)
        np.tanh(h1, out=h1)
        np.dot(h1, W2, out=h2)
        np.add(h2, b2, out=h2)
        np.tanh(h2, out=h2)
        np.dot(h2, W3, out=logits)
        np.add(logits, b3, out=logits)
        value = head(logits, y)

        dW3, db3 = np.dot(h2.T, logits), np.add.reduce(logits, axis=0)
        np.dot(logits, W3.T, out=g)
        slope(g, h2, scratch)
        dW2, db2 = np.dot(h1.T, g), np.add.reduce(g, axis=0)
        np.dot(g, W2.T, out=h2)  # h2 is needed no more
        slope(h2, h1, scratch)
        dW1, db1 = np.dot(x.T, h2), np.add.reduce(h2, axis=0)
        return {"W": [dW1, dW2, dW3], "b": [db1, db2, db3]}, value

    return call


FLOOR = products(
    np.float32,
    *((BATCH, wide, narrow, 1) for wide, narrow in pairwise(SIZES)),
    *((wide, BATCH, narrow, 1) for wide, narrow in pairwise(SIZES)),
    *((BATCH, narrow, wide, 1) for wide, narrow in pairwise(SIZES[1:])),
)
TITLE = "tanh network 784-1024-1024-10, batch 128, float32"
CASES = (Case("mlp_784", TITLE, loss, data, by_hand, floor=FLOOR),)
