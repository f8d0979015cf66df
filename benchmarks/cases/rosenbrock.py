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
    one, two, by_x0, by_x1 = (np.array(value) for value in (1.0, 2.0, 400.0, -200.0))
    add, subtract, multiply = np.add, np.subtract, np.multiply

    def call(x: Array) -> tuple[Array, Any]:
        low, grads = x[:-1], np.empty(SIZE)
        first, last = grads[:-1], grads[1:]
        multiply(low, low, steep)
        subtract(steep, x[1:], steep)  # x0 ** 2 - x1
        subtract(low, one, flat)
        value = 100.0 * steep.dot(steep) + flat.dot(flat)
        grads[0] = 0.0
        multiply(steep, by_x1, last)
        multiply(steep, low, steep)
        multiply(steep, by_x0, steep)
        multiply(flat, two, flat)
        add(first, steep, first)
        add(first, flat, first)
        return grads, value

    return call


def minimise(gradient: Function, start: Array) -> Array:
    """Walk to the minimum, where every entry is 1."""
    from scipy.optimize import minimize

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
