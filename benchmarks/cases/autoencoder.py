"""A tied autoencoder 1024-50-25-10 and back, tanh, batch 100, float64: each matrix serves twice."""

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import products
from benchmarks.hand import through_tanh

Params = dict[str, list[Array]]

SIZES = (1024, 50, 25, 10)
BATCH = 100


def loss(params: Params, x: Array) -> Any:
    h = x
    for W, b in zip(params["W"], params["b"], strict=True):
        h = np.tanh(h @ W + b)
    for W, c in zip(reversed(params["W"]), reversed(params["c"]), strict=True):
        h = np.tanh(h @ W.T + c)
    return np.mean((h - x) ** 2)


def data() -> tuple[Params, Array]:
    rng = np.random.default_rng(0)
    layers = list(pairwise(SIZES))
    params = {
        "W": [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in layers],
        "b": [0.1 * rng.standard_normal(width) for _, width in layers],
        "c": [0.1 * rng.standard_normal(width) for width, _ in layers],
    }
    return params, np.tanh(rng.standard_normal((BATCH, SIZES[0])))


def by_hand(params: Params, x: Array) -> Function:
    """Write the gradient as products and in-place ufuncs on buffers made once."""
    widths = [*SIZES, *SIZES[-2::-1]]  # of the layers, there and back again
    hidden = [np.empty((BATCH, width)) for width in widths[1:]]
    cotangents = [np.empty((BATCH, width)) for width in widths[1:]]
    scratch = [np.empty((BATCH, width)) for width in widths[1:]]
    slope = through_tanh(np.float64)

    def call(params: Params, x: Array) -> tuple[Params, Any]:
        W, b, c = params["W"], params["b"], params["c"]
        matrices = [*W, *(w.T for w in reversed(W))]
        before = x
        for matrix, bias, h in zip(matrices, [*b, *reversed(c)], hidden, strict=True):
            np.dot(before, matrix, out=h)
            np.add(h, bias, out=h)
            np.tanh(h, out=h)
            before = h
        g = cotangents[-1]
        np.subtract(hidden[-1], x, out=g)
        value = np.vdot(g, g) / g.size
        np.multiply(g, 2.0 / g.size, out=g)

        biases: list[Array] = []
        grads: list[Array] = []
        entered = [x, *hidden[:-1]]
        for i in range(len(matrices) - 1, -1, -1):
            slope(cotangents[i], hidden[i], scratch[i])
            biases.append(np.add.reduce(cotangents[i], axis=0))
            if i >= len(W):  # the decoder: a gradient of the matrix transposed
                grads.append(np.dot(cotangents[i].T, entered[i]))
            else:
                grads[i] += np.dot(entered[i].T, cotangents[i])
            if i:
                np.dot(cotangents[i], matrices[i].T, out=cotangents[i - 1])
        return {"W": grads, "b": biases[:2:-1], "c": biases[:3]}, value

    return call


def sizes() -> list[tuple[int, int, int, int]]:
    """List the products: each layer forward, for its matrix, and but for the first backward."""
    found = []
    for layer, (wide, narrow) in enumerate(pairwise(SIZES)):
        found += [(BATCH, wide, narrow, 1), (BATCH, narrow, wide, 1), (wide, BATCH, narrow, 2)]
        found += [(BATCH, wide, narrow, 1), (BATCH, narrow, wide, 1)][: 2 if layer else 1]
    return found


CASES = (
    Case(
        "autoencoder",
        "tied autoencoder 1024-50-25-10, batch 100, float64",
        loss,
        data,
        by_hand,
        floor=products(np.float64, *sizes()),
    ),
)
