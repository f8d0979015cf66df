"""200 Runge-Kutta steps of a differential equation of 4 variables, float64: y' = tanh(A @ y + b).

Nothing but a long sequence of tiny operations. The gradients are those by A, b and the start.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

Params = dict[str, Array]

STEPS, SIZE = 200, 4
H = 0.05


def slope(params: Params, y: Array) -> Any:
    return np.tanh(params["A"] @ y + params["b"])


def loss(params: Params, goal: Array) -> Any:
    y = params["y0"]
    for _ in range(STEPS):
        k1 = slope(params, y)
        k2 = slope(params, y + 0.5 * H * k1)
        k3 = slope(params, y + 0.5 * H * k2)
        k4 = slope(params, y + H * k3)
        y = y + H / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum((y - goal) ** 2)


def data() -> tuple[Params, Array]:
    rng = np.random.default_rng(0)
    params = {
        "A": rng.standard_normal((SIZE, SIZE)) / 2.0,
        "b": 0.1 * rng.standard_normal(SIZE),
        "y0": rng.standard_normal(SIZE),
    }
    return params, rng.standard_normal(SIZE)


def by_hand(params: Params, goal: Array) -> Function:
    """Keep every stage; in the way back only what is sequential is done step by step."""
    entered, slopes, bent, flow = (np.empty((STEPS, 4, SIZE)) for _ in range(4))
    y, g, sixth, third, back = (np.empty(SIZE) for _ in range(5))
    stages = [(tuple(entered[i]), tuple(slopes[i])) for i in range(STEPS)]
    returns = [(tuple(bent[i]), tuple(flow[i])) for i in range(STEPS)][::-1]
    half, whole, one = np.array(0.5 * H), np.array(H), np.array(1.0)
    h6, h3 = np.array(H / 6.0), np.array(H / 3.0)
    weights = np.array([H / 6.0, H / 3.0, H / 3.0, H / 6.0])
    add, multiply, tanh = np.add, np.multiply, np.tanh

    def forward(A: Array, b: Array) -> None:
        for i, ((y1, y2, y3, y4), (k1, k2, k3, k4)) in enumerate(stages):
            y1[:] = y
            A.dot(y1, k1)
            add(k1, b, k1)
            tanh(k1, k1)
            for before, k, at, here in (
                (k1, k2, half, y2),
                (k2, k3, half, y3),
                (k3, k4, whole, y4),
            ):
                multiply(before, at, here)
                add(here, y, here)
                A.dot(here, k)
                add(k, b, k)
                tanh(k, k)
            weights.dot(slopes[i], back)
            add(y, back, y)

    def call(params: Params, goal: Array) -> tuple[Params, Any]:
        A = params["A"]
        y[:] = params["y0"]
        forward(A, params["b"])
        np.subtract(y, goal, g)
        value = g.dot(g)
        multiply(g, 2.0, g)
        multiply(slopes, slopes, bent)
        np.subtract(one, bent, bent)
        AT = A.T.copy()
        for (s1, s2, s3, s4), (d1, d2, d3, d4) in returns:
            multiply(g, h6, sixth)
            multiply(g, h3, third)
            multiply(sixth, s4, d4)
            AT.dot(d4, back)
            add(g, back, g)
            for s, d, at, share in (
                (s3, d3, whole, third),
                (s2, d2, half, third),
                (s1, d1, half, sixth),
            ):
                multiply(back, at, d)
                add(d, share, d)
                multiply(d, s, d)
                AT.dot(d, back)
                add(g, back, g)
        rows = flow.reshape(-1, SIZE)
        dA = np.dot(rows.T, entered.reshape(-1, SIZE))
        return {"A": dA, "b": add.reduce(rows, axis=0), "y0": g.copy()}, value

    return call


CASES = (Case("rk4", "RK4, 200 steps of a 4-vector, float64", loss, data, by_hand),)
