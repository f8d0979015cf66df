"""The Rosenbrock function of 100 variables, float64, and its minimisation by SciPy's L-BFGS-B.

Small vectors and slices: calls again, not arithmetic. In the minimisation SciPy's own work, the
same for everybody, comes on top of some hundred gradients.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

SIZE = 100


def loss(x: Array) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def data() -> tuple[Array]:
    return (np.tile([-1.2, 1.0], SIZE // 2),)  # the usual start


def by_hand(x: Array) -> Function:
    """Write the gradient on two buffers, the sums as products of BLAS."""
    steep, flat = np.empty(SIZE - 1), np.empty(SIZE - 1)
    one = np.array(1.0)
    factor, twice = np.array(-200.0), np.array(2.0)
    multiply, subtract = np.multiply, np.subtract

    def call(x: Array) -> tuple[Array, Any]:
        low = x[:-1]
        multiply(low, low, steep)
        subtract(steep, x[1:], steep)  # x0 ** 2 - x1
        subtract(low, one, flat)
        value = 100.0 * steep.dot(steep) + flat.dot(flat)
        # by x0: 400 * steep * x0 + 2 * flat; by x1: -200 * steep
        grads = np.zeros(SIZE)
        multiply(steep, factor, grads[1:])
        multiply(steep, low, steep)
        multiply(steep, np.float64(200.0), steep)
        np.add(steep, flat, steep)
        multiply(steep, twice, steep)
        np.add(grads[:-1], steep, grads[:-1])
        return grads, value

    return call


def minimise(gradient: Function, start: Array) -> Array:
    """Walk to the minimum, where every entry is 1."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    found = minimize(gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    return np.asarray(found.x)


CASES = (
    Case("rosenbrock", "Rosenbrock n=100, float64", loss, data, by_hand),
    Case(
        "rosenbrock_minimise",
        "minimising Rosenbrock n=100 with SciPy's L-BFGS-B",
        loss,
        data,
        by_hand,
        drive=minimise,
    ),
)
