"""The log-likelihood of a Kalman filter, 100 steps of 4 states and 4 observations, float64.

Tiny matrices, one after the other, among them an inverse and a determinant a step. By hand the
determinants and the gradients of the matrices are left to the end, where they are few large calls.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

Params = dict[str, Array]

STEPS, SIZE = 100, 4


def loss(params: Params, observed: Array) -> Any:
    F, H = params["F"], params["H"]
    mean, P = np.zeros(SIZE), np.eye(SIZE)
    total = 0.0
    for t in range(STEPS):
        mean = F @ mean
        P = F @ P @ F.T + params["Q"]
        S = H @ P @ H.T + params["R"]
        S_inverse = np.linalg.inv(S)
        K = P @ H.T @ S_inverse
        v = observed[t] - H @ mean
        total = total + np.log(np.linalg.det(S)) + v @ S_inverse @ v
        mean = mean + K @ v
        P = P - K @ H @ P
    return 0.5 * total


def data() -> tuple[Params, Array]:
    rng = np.random.default_rng(0)

    def covariance(scale: float) -> Array:
        factor = rng.standard_normal((SIZE, SIZE))
        return scale * (factor @ factor.T / SIZE + np.eye(SIZE))

    params = {
        "F": 0.9 * np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0],
        "H": np.eye(SIZE) + 0.2 * rng.standard_normal((SIZE, SIZE)),
        "Q": covariance(0.1),
        "R": covariance(0.2),
    }
    return params, rng.standard_normal((STEPS, SIZE))


def by_hand(params: Params, observed: Array) -> Function:
    """Write the filter and its adjoint; covariances are symmetric, which saves a product each."""

    def matrices() -> Array:
        return np.empty((STEPS, SIZE, SIZE))

    def vectors() -> Array:
        return np.empty((STEPS, SIZE))

    entered_P, FP, P1, HP, S, inverse, K = (matrices() for _ in range(7))
    dP1, dFP, dS, dPH, dHP = (matrices() for _ in range(5))
    entered_mean, mean1, v, u, dmean1, dv = (vectors() for _ in range(6))
    mean, step, dmean = (np.empty(SIZE) for _ in range(3))
    P, dP, dK, square, other = (np.empty((SIZE, SIZE)) for _ in range(5))
    there = list(zip(entered_mean, entered_P, mean1, FP, P1, HP, S, inverse, K, v, u, strict=True))
    back = list(zip(HP, inverse, K, v, u, dP1, dFP, dS, dPH, dHP, dmean1, dv, strict=True))[::-1]
    rows = {"P1": dP1, "FP": dFP, "S": dS, "PH": dPH, "HP": dHP}
    cotangent = {name: each.reshape(-1, SIZE) for name, each in rows.items()}
    half = np.array(0.5)
    add, subtract, multiply, dot, inv = np.add, np.subtract, np.multiply, np.dot, np.linalg.inv

    def forward(params: Params, observed: Array) -> None:
        F, H, Q, R = params["F"], params["H"], params["Q"], params["R"]
        FT, HT = F.T, H.T
        mean.fill(0.0)
        P[:] = np.eye(SIZE)
        for z, (m0, P0, m1, FP, P1, HP, S, Si, K, v, u) in zip(observed, there, strict=True):
            m0[:] = mean
            P0[:] = P
            F.dot(m0, m1)
            F.dot(P0, FP)
            FP.dot(FT, P1)
            add(P1, Q, P1)
            H.dot(P1, HP)
            HP.dot(HT, S)
            add(S, R, S)
            Si[:] = inv(S)
            dot(HP.T, Si, K)
            H.dot(m1, v)
            subtract(z, v, v)
            Si.dot(v, u)
            K.dot(v, step)
            add(m1, step, mean)
            K.dot(HP, square)
            subtract(P1, square, P)

    def backward(params: Params) -> None:
        F, H = params["F"], params["H"]
        FT, HT = F.T, H.T
        dmean.fill(0.0)
        dP.fill(0.0)
        for HP, Si, K, v, u, dP1, dFP, dS, dPH, dHP, dm1, dv in back:
            KT = K.T
            # P = P1 - K @ HP; mean = m1 + K @ v
            dot(dP, HP.T, dK)
            multiply(dmean[:, None], v, square)
            subtract(square, dK, dK)
            dot(KT, dP, dHP)
            KT.dot(dmean, dv)
            add(dv, u, dv)  # from 0.5 * v @ Si @ v
            # K = PH @ Si, PH = HP.T; Si = inv(S); 0.5 * log(det(S))
            dot(dK, Si, dPH)
            dot(HP, dK, square)
            dot(Si, square, other)
            dot(other, Si, dS)
            multiply(u[:, None], u, square)
            subtract(Si, square, square)
            multiply(square, half, square)
            subtract(square, dS, dS)
            # S = HP @ H.T + R; HP = H @ P1; PH = P1 @ H.T; v = z - H @ m1
            dot(dS, H, square)
            subtract(square, dHP, dHP)
            dot(dPH, H, square)
            add(dP, square, dP1)
            dot(HT, dHP, square)
            add(dP1, square, dP1)
            HT.dot(dv, step)
            subtract(dmean, step, dm1)
            # P1 = FP @ F.T + Q; FP = F @ P; m1 = F @ mean
            dot(dP1, F, dFP)
            dot(FT, dFP, dP)
            FT.dot(dm1, dmean)

    def stacked(left: Array, right: Array) -> Any:
        """Sum `left[t].T @ right[t]` over the steps."""
        return dot(left.T, right.reshape(-1, SIZE))

    def call(params: Params, observed: Array) -> tuple[Params, Any]:
        forward(params, observed)
        value = 0.5 * (np.log(np.linalg.det(S)).sum() + np.vdot(u, v))
        backward(params)
        dF = stacked(cotangent["P1"], FP)
        dF += np.einsum("tij,tkj->ik", dFP, entered_P, optimize=True)
        dF += dot(dmean1.T, entered_mean)
        dH = stacked(cotangent["S"], HP)
        dH += stacked(cotangent["PH"], P1)
        dH += np.einsum("tij,tkj->ik", dHP, P1, optimize=True)
        dH -= dot(dv.T, mean1)
        return {"F": dF, "H": dH, "Q": dP1.sum(axis=0), "R": dS.sum(axis=0)}, value

    return call


CASES = (Case("kalman", "Kalman log-likelihood, 100 steps of 4x4, float64", loss, data, by_hand),)
