"""Layer normalisation of 256 rows of 1024 numbers, float32, with gain and bias."""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import bytes_moved

Params = dict[str, Array]

ROWS, WIDTH = 256, 1024
EPSILON = 1e-5


def loss(params: Params) -> Any:
    x = params["x"]
    deviation = np.sqrt(np.var(x, axis=1, keepdims=True) + EPSILON)
    normal = (x - np.mean(x, axis=1, keepdims=True)) / deviation
    out = normal * params["gain"] + params["bias"]
    return np.mean(out**2)


def data() -> tuple[Params]:
    rng = np.random.default_rng(0)
    params = {
        "x": rng.standard_normal((ROWS, WIDTH)),
        "gain": 1.0 + 0.1 * rng.standard_normal(WIDTH),
        "bias": 0.1 * rng.standard_normal(WIDTH),
    }
    return ({name: array.astype(np.float32) for name, array in params.items()},)


def by_hand(params: Params) -> Function:
    """Write the gradient on two buffers of the size of x; sums are einsum's or products."""
    normal, scratch = np.empty((ROWS, WIDTH), np.float32), np.empty((ROWS, WIDTH), np.float32)
    column, inverse = np.empty((ROWS, 1), np.float32), np.empty((ROWS, 1), np.float32)
    share, epsilon, one = np.float32(1.0 / WIDTH), np.float32(EPSILON), np.float32(1.0)
    factor = np.float32(2.0 / (ROWS * WIDTH))
    ones = np.ones((WIDTH, 1), np.float32)
    row_of_ones = np.ones(ROWS, np.float32)

    def call(params: Params) -> tuple[Params, Any]:
        x, gain, bias = params["x"], params["gain"], params["bias"]
        np.dot(x, ones, out=column)
        np.multiply(column, share, out=column)
        np.subtract(x, column, out=normal)
        np.einsum("ij,ij->i", normal, normal, out=inverse[:, 0])
        np.multiply(inverse, share, out=inverse)
        np.add(inverse, epsilon, out=inverse)
        np.sqrt(inverse, out=inverse)
        np.divide(one, inverse, out=inverse)
        np.multiply(normal, inverse, out=normal)
        dx = np.multiply(normal, gain)
        np.add(dx, bias, out=dx)
        value = np.vdot(dx, dx) * (factor / 2)

        np.multiply(dx, factor, out=dx)  # the cotangent of out
        dbias = np.dot(row_of_ones, dx)
        np.multiply(dx, normal, out=scratch)
        dgain = np.dot(row_of_ones, scratch)
        # dx = (g - mean(g) - normal * mean(g * normal)) / deviation, for g = cotangent * gain
        np.dot(scratch, gain[:, None], out=column)
        np.multiply(column, -share, out=column)
        np.multiply(normal, column, out=scratch)
        np.dot(dx, gain[:, None], out=column)
        np.multiply(column, share, out=column)
        np.multiply(dx, gain, out=dx)
        np.subtract(dx, column, out=dx)
        np.add(dx, scratch, out=dx)
        np.multiply(dx, inverse, out=dx)
        return {"x": dx, "gain": dgain, "bias": dbias}, value

    return call


CASES = (
    Case(
        "layer_norm",
        "layer norm 256x1024, float32",
        loss,
        data,
        by_hand,
        floor=bytes_moved(2 * 4 * ROWS * WIDTH),  # x read, its gradient written
    ),
)
