"""The sparse Hessian of the Rosenbrock function of 10,000 variables, float64.

It has three diagonals, so time and memory are to be those of a few gradients. Peers without sparse
derivatives would make a matrix of 800 MB.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.cases.rosenbrock import loss

SIZE = 10_000


def data() -> tuple[Array]:
    return (np.tile([-1.2, 1.0], SIZE // 2),)


def by_hand(x: Array) -> Function:
    """Write the diagonals, and make the matrix of them."""
    from scipy.sparse import diags_array

    def call(x: Array) -> Any:
        low = x[:-1]
        main, beside = np.zeros(x.size), -400.0 * low
        main[:-1] = 1200.0 * low * low - 400.0 * x[1:] + 2.0
        main[1:] += 200.0
        return diags_array([beside, main, beside], offsets=[-1, 0, 1]).tocsr()

    return call


def diagonals(matrix: Any) -> list[Array]:
    """Give the three diagonals of a sparse matrix, which has no others."""
    assert matrix.nnz <= 3 * SIZE - 2, f"{matrix.nnz} entries"
    return [np.asarray(matrix.diagonal(k)) for k in (-1, 0, 1)]


CASES = (
    Case(
        "sparse_hessian",
        f"sparse Hessian of Rosenbrock n={SIZE:,}, float64",
        loss,
        data,
        by_hand,
        judged=False,
        operator="sparse_hessian",
        arrays=diagonals,
    ),
)
