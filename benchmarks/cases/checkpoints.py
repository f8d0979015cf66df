"""A chain of 1,000 steps on vectors of 10,000 numbers, float64, with checkpoints and without.

Without them the backward pass keeps the state of every step; with one every 32 steps those, and the
32 states between two of them. The probe of the same name measures the memory.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

STEPS, SIZE, EVERY = 1000, 10_000, 32
FACTOR = 0.999
LENGTHS = [min(EVERY, STEPS - start) for start in range(0, STEPS, EVERY)]  # of blocks
STATE_BYTES = 8 * SIZE


def checkpoint(function: Function) -> Function:
    """Stand for the contender's own: `over` puts that here."""
    return function


def step(x: Array) -> Any:
    return np.tanh(x * FACTOR)


def block(x: Array) -> Any:
    for _ in range(EVERY):
        x = step(x)
    return x


def end(x: Array) -> Any:
    for _ in range(LENGTHS[-1]):
        x = step(x)
    return x


def whole(x: Array) -> Any:
    for _ in range(STEPS):
        x = step(x)
    return np.sum(x)


def in_blocks(x: Array) -> Any:
    for _ in LENGTHS[:-1]:
        x = checkpoint(block)(x)
    return np.sum(checkpoint(end)(x))


def data() -> tuple[Array]:
    return (np.linspace(-1.0, 2.0, SIZE),)


def forward(states: Array) -> None:
    """Fill in all states behind the first."""
    for before, after in pairwise(states):
        np.multiply(before, FACTOR, after)
        np.tanh(after, after)


def backward(cotangent: Array, states: Array, scratch: Array) -> None:
    """Pull a cotangent from the last state to the first, in place."""
    for after in states[:0:-1]:
        np.multiply(after, after, scratch)
        np.subtract(1.0, scratch, scratch)
        np.multiply(scratch, FACTOR, scratch)
        np.multiply(cotangent, scratch, cotangent)


def by_hand(x: Array) -> Function:
    """Keep all states."""
    states, scratch = np.empty((STEPS + 1, SIZE)), np.empty(SIZE)

    def call(x: Array) -> tuple[Array, Any]:
        states[0] = x
        forward(states)
        cotangent = np.ones(SIZE)
        backward(cotangent, states, scratch)
        return cotangent, states[-1].sum()

    return call


def by_hand_in_blocks(x: Array) -> Function:
    """Keep the first state of each block, and all states of one."""
    kept, states = np.empty((len(LENGTHS), SIZE)), np.empty((EVERY + 1, SIZE))
    scratch = np.empty(SIZE)

    def call(x: Array) -> tuple[Array, Any]:
        state = x
        for first, length in zip(kept, LENGTHS, strict=True):
            first[:] = states[0] = state
            forward(states[: length + 1])
            state = states[length]
        value = state.sum()
        cotangent = np.ones(SIZE)
        for first, length in zip(kept[::-1], LENGTHS[::-1], strict=True):
            states[0] = first
            forward(states[: length + 1])
            backward(cotangent, states[: length + 1], scratch)
        return cotangent, value

    return call


def case(name: str, loss: Function, by_hand: Callable[..., Function], how: str) -> Case:
    """Make a case of one of the two ways."""
    title = f"chain of {STEPS:,} steps on {SIZE:,} numbers, {how}, float64"
    return Case(name, title, loss, data, by_hand, judged=False)


CASES = (
    case("chain_whole", whole, by_hand, "no checkpoints"),
    case("chain_in_blocks", in_blocks, by_hand_in_blocks, f"a checkpoint every {EVERY} steps"),
)
