"""Orthogonal polynomials of scipy.special, by their argument.

The derivative of a polynomial of degree n is one of degree n - 1 of the same or a neighbouring
family (NIST Digital Library of Mathematical Functions, 18.9); that of a constant is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ....dag.op import MISSING
from .declare import ufunc


def _of_degree(function: Any, slope: Callable[..., Any]) -> None:
    """Declare a family: slope(n, *parameters, x) is the derivative for n >= 1."""

    def rule(g: Any, out: Any, n: Any, *rest: Any) -> Any:
        constant = np.equal(n, 0)
        return np.where(constant, 0, g * slope(np.where(constant, 1, n), *rest))

    ufunc(function, [MISSING] * (function.nin - 1) + [rule])


_of_degree(
    special.eval_jacobi,
    lambda n, a, b, x: 0.5 * (n + a + b + 1) * special.eval_jacobi(n - 1, a + 1.0, b + 1.0, x),
)
_of_degree(
    special.eval_sh_jacobi,
    lambda n, p, q, x: n * special.eval_sh_jacobi(n - 1, p + 2.0, q + 1.0, x),
)
_of_degree(
    special.eval_gegenbauer,
    lambda n, a, x: 2.0 * a * special.eval_gegenbauer(n - 1, a + 1.0, x),
)
_of_degree(special.eval_legendre, lambda n, x: special.eval_gegenbauer(n - 1, 1.5, x))
_of_degree(
    special.eval_sh_legendre,
    lambda n, x: 2.0 * special.eval_gegenbauer(n - 1, 1.5, 2.0 * x - 1.0),
)
_of_degree(special.eval_chebyt, lambda n, x: n * special.eval_chebyu(n - 1, x))
_of_degree(special.eval_chebyu, lambda n, x: 2.0 * special.eval_gegenbauer(n - 1, 2.0, x))
_of_degree(special.eval_hermite, lambda n, x: 2.0 * n * special.eval_hermite(n - 1, x))
_of_degree(special.eval_hermitenorm, lambda n, x: n * special.eval_hermitenorm(n - 1, x))
_of_degree(special.eval_laguerre, lambda n, x: -special.eval_genlaguerre(n - 1, 1.0, x))
_of_degree(special.eval_genlaguerre, lambda n, a, x: -special.eval_genlaguerre(n - 1, a + 1.0, x))
