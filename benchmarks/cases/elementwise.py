"""A chain of 12 elementwise operations and a sum: 1,000 and 1,000,000 numbers, float32 and float64.

The small sizes are a matter of calls, the large ones of memory and of the mathematics itself.
"""

from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import bytes_moved

BLOCK = 16384  # of the tuned variant: its buffers stay in the second-level cache


def loss(x: Array) -> Any:
    bent = np.tanh(0.5 * x)
    gate = 1.0 / (1.0 + np.exp(-x))
    size = np.log(1.0 + bent * bent)
    return np.sum((gate * size - bent) ** 2)


def data(count: int, dtype: Any) -> tuple[Array]:
    return (np.random.default_rng(0).standard_normal(count).astype(dtype),)


def by_hand(x: Array) -> Function:
    """Write the gradient on five buffers, the sum as a product of BLAS."""
    run = piece(len(x), x.dtype)

    def call(x: Array) -> tuple[Array, Any]:
        grads = np.empty_like(x)
        return grads, run(x, grads)

    return call


def tuned(x: Array) -> Function:
    """Do the same block by block, so that the buffers stay in the caches."""
    run = piece(BLOCK, x.dtype)
    rest = piece(len(x) % BLOCK, x.dtype)

    def call(x: Array) -> tuple[Array, Any]:
        grads = np.empty_like(x)
        total = x.dtype.type(0)
        whole = len(x) - len(x) % BLOCK
        for start in range(0, whole, BLOCK):
            total += run(x[start : start + BLOCK], grads[start : start + BLOCK])
        return grads, total + rest(x[whole:], grads[whole:])

    return call


def piece(count: int, dtype: Any) -> Function:
    """Make what computes so many entries of the gradient, and returns their part of the loss."""
    bent, gate, total, size, scratch = (np.empty(count, dtype) for _ in range(5))
    half, one, two = (np.array(value, dtype) for value in (0.5, 1.0, 2.0))
    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide

    def run(x: Array, grads: Array) -> Any:
        multiply(x, half, bent)
        np.tanh(bent, bent)
        np.negative(x, gate)
        np.exp(gate, gate)
        add(gate, one, gate)
        np.reciprocal(gate, gate)
        multiply(bent, bent, scratch)
        add(scratch, one, total)
        np.log(total, size)
        multiply(gate, size, grads)
        subtract(grads, bent, grads)  # the residual r; half of its cotangent
        value = grads.dot(grads)
        # By bent: r * (gate * 2 * bent / total - 1), times its slope 0.5 * (1 - bent ** 2).
        divide(bent, total, total)
        multiply(total, gate, total)
        multiply(total, two, total)
        subtract(total, one, total)
        subtract(one, scratch, scratch)
        multiply(scratch, half, scratch)
        multiply(total, scratch, total)
        # By gate: r * size, times its slope gate * (1 - gate).
        multiply(size, gate, size)
        subtract(one, gate, gate)
        multiply(size, gate, size)
        add(total, size, total)
        multiply(grads, total, grads)
        multiply(grads, two, grads)
        return value

    return run


def case(name: str, count: int, dtype: Any) -> Case:
    """Make the case for a size and a dtype; the large ones have a floor, and tricks to play."""
    large = count > 10 * BLOCK
    kind = np.dtype(dtype)
    return Case(
        name,
        f"12-op elementwise chain, {count:,} numbers, {kind.name}",
        loss,
        partial(data, count, dtype),
        by_hand,
        tuned=tuned if large else None,
        floor=bytes_moved(2 * kind.itemsize * count) if large else None,
    )


CASES = (
    case("elementwise_1k_f32", 1_000, np.float32),
    case("elementwise_1k_f64", 1_000, np.float64),
    case("elementwise_1m_f32", 1_000_000, np.float32),
    case("elementwise_1m_f64", 1_000_000, np.float64),
)
