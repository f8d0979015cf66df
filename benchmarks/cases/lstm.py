"""An LSTM of 33 steps, 100 inputs, 200 units, 10 classes at the end, float32, batch 1 and 32.

By hand the inputs of all steps are one product, and so are the gradients of each matrix; what
remains in the loop is one product with the state each way.
"""

from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import products
from benchmarks.hand import cross_entropy

Params = dict[str, Array]

STEPS, INPUTS, UNITS, CLASSES = 33, 100, 200, 10


def sigmoid(a: Array) -> Any:
    return 1.0 / (1.0 + np.exp(-a))


def loss(params: Params, x: Array, y: Array) -> Any:
    h = np.zeros((x.shape[1], UNITS), dtype=x.dtype)
    c = np.zeros((x.shape[1], UNITS), dtype=x.dtype)
    for t in range(x.shape[0]):
        gates = x[t] @ params["Wx"] + h @ params["Wh"] + params["b"]
        enter = sigmoid(gates[:, :UNITS])
        keep = sigmoid(gates[:, UNITS : 2 * UNITS])
        show = sigmoid(gates[:, 2 * UNITS : 3 * UNITS])
        c = keep * c + enter * np.tanh(gates[:, 3 * UNITS :])
        h = show * np.tanh(c)
    logits = h @ params["Wy"] + params["by"]
    logits = logits - np.max(logits, axis=1, keepdims=True)
    log_p = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.sum(log_p * y) / x.shape[1]


def data(batch: int) -> tuple[Params, Array, Array]:
    rng = np.random.default_rng(0)
    params = {
        "Wx": rng.standard_normal((INPUTS, 4 * UNITS)) / np.sqrt(INPUTS),
        "Wh": rng.standard_normal((UNITS, 4 * UNITS)) / np.sqrt(UNITS),
        "b": 0.1 * rng.standard_normal(4 * UNITS),
        "Wy": rng.standard_normal((UNITS, CLASSES)) / np.sqrt(UNITS),
        "by": 0.1 * rng.standard_normal(CLASSES),
    }
    x = rng.standard_normal((STEPS, batch, INPUTS)).astype(np.float32)
    y = np.eye(CLASSES, dtype=np.float32)[rng.integers(CLASSES, size=batch)]
    return {name: array.astype(np.float32) for name, array in params.items()}, x, y


def by_hand(params: Params, x: Array, y: Array) -> Function:
    """Write the gradient with everything that does not depend on the state outside the loops."""
    batch = x.shape[1]

    def buffer(*shape: int) -> Array:
        return np.zeros(shape, np.float32)

    gates, flow = buffer(STEPS, batch, 4 * UNITS), buffer(STEPS, batch, 4 * UNITS)
    states, cells = buffer(STEPS + 1, batch, UNITS), buffer(STEPS + 1, batch, UNITS)
    bent, partial_slope = buffer(STEPS, batch, UNITS), buffer(STEPS, batch, UNITS)
    product, scratch = buffer(batch, 4 * UNITS), buffer(batch, UNITS)
    dh, dc, logits = buffer(batch, UNITS), buffer(batch, UNITS), buffer(batch, CLASSES)
    flat = gates.reshape(STEPS * batch, 4 * UNITS)
    flat_flow = flow.reshape(STEPS * batch, 4 * UNITS)
    before = states[:-1].reshape(STEPS * batch, UNITS)
    # Views of each step, made once: gates, their sigmoid part, and the four gates one by one.
    quarters = [slice(i * UNITS, (i + 1) * UNITS) for i in range(4)]
    steps = [(g, g[:, : 3 * UNITS], *(g[:, quarter] for quarter in quarters)) for g in gates]
    flows = [(d, *(d[:, quarter] for quarter in quarters)) for d in flow]
    one = np.array(1.0, np.float32)
    ones = np.ones(STEPS * batch, np.float32)
    head = cross_entropy(y.shape, np.float32)
    add, subtract, multiply, tanh, dot = np.add, np.subtract, np.multiply, np.tanh, np.dot

    def forward(params: Params, x: Array) -> None:
        dot(x.reshape(STEPS * batch, INPUTS), params["Wx"], flat)
        add(flat, params["b"], flat)
        Wh = params["Wh"]
        for t, (gate, squashed, enter, keep, show, offer) in enumerate(steps):
            if t:
                dot(states[t], Wh, product)
                add(gate, product, gate)
            np.negative(squashed, squashed)
            np.exp(squashed, squashed)
            add(squashed, one, squashed)
            np.reciprocal(squashed, squashed)
            tanh(offer, offer)
            multiply(enter, offer, scratch)
            multiply(keep, cells[t], cells[t + 1])
            add(cells[t + 1], scratch, cells[t + 1])
            tanh(cells[t + 1], bent[t])
            multiply(show, bent[t], states[t + 1])

    def slopes() -> None:
        """Fill `flow` with what multiplies dc (for the third gate dh) to give its cotangents."""
        enter, _, show, offer = (gates[:, :, quarter] for quarter in quarters)
        d_enter, d_keep, d_show, d_offer = (flow[:, :, quarter] for quarter in quarters)
        squashed, d_squashed = gates[:, :, : 3 * UNITS], flow[:, :, : 3 * UNITS]
        subtract(one, squashed, d_squashed)
        multiply(d_squashed, squashed, d_squashed)
        multiply(d_enter, offer, d_enter)
        multiply(d_keep, cells[:-1], d_keep)
        multiply(d_show, bent, d_show)
        multiply(offer, offer, d_offer)
        subtract(one, d_offer, d_offer)
        multiply(d_offer, enter, d_offer)
        multiply(bent, bent, partial_slope)
        subtract(one, partial_slope, partial_slope)
        multiply(partial_slope, show, partial_slope)

    def call(params: Params, x: Array, y: Array) -> tuple[Params, Any]:
        forward(params, x)
        dot(states[-1], params["Wy"], logits)
        add(logits, params["by"], logits)
        value = head(logits, y)
        dWy, dby = dot(states[-1].T, logits), add.reduce(logits, axis=0)
        dot(logits, params["Wy"].T, dh)
        dc.fill(0)
        slopes()
        back = params["Wh"].T
        for t in range(STEPS - 1, -1, -1):
            d, d_enter, d_keep, d_show, d_offer = flows[t]
            multiply(dh, partial_slope[t], scratch)
            add(dc, scratch, dc)
            multiply(d_enter, dc, d_enter)
            multiply(d_keep, dc, d_keep)
            multiply(d_show, dh, d_show)
            multiply(d_offer, dc, d_offer)
            if t:
                multiply(dc, steps[t][3], dc)
                dot(d, back, dh)
        grads = {
            "Wx": dot(x.reshape(STEPS * batch, INPUTS).T, flat_flow),
            "Wh": dot(before.T, flat_flow),
            "b": dot(ones, flat_flow),
            "Wy": dWy,
            "by": dby,
        }
        return grads, value

    return call


def case(batch: int) -> Case:
    """Make the case for a batch size."""
    rows, gates = STEPS * batch, 4 * UNITS
    floor = products(
        np.float32,
        (rows, INPUTS, gates, 1),
        (batch, UNITS, gates, STEPS - 1),
        (batch, gates, UNITS, STEPS - 1),
        (INPUTS, rows, gates, 1),
        (UNITS, rows, gates, 1),
    )
    title = f"LSTM 33 steps 100-200-10, batch {batch}, float32"
    return Case(f"lstm_b{batch}", title, loss, partial(data, batch), by_hand, floor=floor)


CASES = (case(1), case(32))
