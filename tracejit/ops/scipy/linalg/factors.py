"""Cholesky's and the LU factorisation of scipy.linalg, and solving with their factors.

Matrices enter, of which Cholesky's reads one triangle; factors and solutions leave. Gradients are
those by the entries that are read (Murray 2016 for Cholesky's, de Hoog et al. 2011 for LU).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from ....dag.op import composite, op
from ...complexes import conj
from ...conversions import is_complex
from ...shape import swap
from .equations import solve_triangular
from .rules import checked, of_one_triangle, outer, triangle, with_columns


def _solve(factor: Any, b: Any, trans: int, lower: bool = True) -> Any:
    attrs = {name: value for name, value in (("trans", trans), ("lower", lower)) if value}
    return solve_triangular(factor, b, **attrs)


def _cholesky_rule(g: Any, out: Any, a: Any, lower: bool = False, **_: Any) -> Any:
    factor, g = (out, g) if lower else (conj(swap(out)), conj(swap(g)))
    inner = np.matmul(swap(factor), g)
    eye = np.eye(inner.shape[-1], dtype=bool)
    real = np.real(inner) if is_complex(inner) else inner
    halved = np.where(eye, 0.5 * real, triangle(inner, True, 1))
    left = _solve(factor, halved, trans=1)
    whole = swap(_solve(factor, swap(left), trans=2))
    if lower:
        return of_one_triangle(whole, True)
    return conj(swap(of_one_triangle(whole, True)))


cholesky = op(
    "scipy.linalg.cholesky", scipy.linalg.cholesky, stands_for=(scipy.linalg.cholesky,),
    bind=lambda a, lower=False, overwrite_a=False, check_finite=True: (
        (a,), {"lower": bool(lower)} | checked(check_finite)
    ),
    vjp=[_cholesky_rule], raises=True,
)  # fmt: skip


def _cho_factor(a: Any, *, lower: bool = False, check_finite: bool = True) -> Any:
    return scipy.linalg.cho_factor(a, lower, check_finite=check_finite)[0]


def _cho_factor_rule(g: Any, out: Any, a: Any, lower: bool = False, **_: Any) -> Any:
    return _cholesky_rule(triangle(g, lower), triangle(out, lower), a, lower)


packed_cholesky = op("scipy.linalg.cho_factor", _cho_factor, vjp=[_cho_factor_rule], raises=True)


@composite(scipy.linalg.cho_factor)
def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """Cholesky's factor in one triangle of an array; the other triangle is of no use."""
    return packed_cholesky(a, lower=bool(lower), **checked(check_finite)), lower


def _cho_solve(c: Any, b: Any, *, lower: bool = False, check_finite: bool = True) -> Any:
    return scipy.linalg.cho_solve((c, lower), b, check_finite=check_finite)


def _cho_right(g: Any, out: Any, c: Any, b: Any, **attrs: Any) -> Any:
    def back(d: Any) -> Any:
        return conj(solve_cholesky(c, conj(d), **attrs))

    return with_columns(back, g, c, b)


def _cho_left(g: Any, out: Any, c: Any, b: Any, lower: bool = False, **attrs: Any) -> Any:
    v = _cho_right(g, out, c, b, lower=lower, **attrs)
    whole = -outer(v, out, np.ndim(b) > 1)
    factor = triangle(c, lower)
    if lower:
        both = np.matmul(whole, conj(factor)) + conj(np.matmul(swap(whole), factor))
    else:
        both = np.matmul(conj(factor), whole) + conj(np.matmul(factor, swap(whole)))
    return triangle(both, lower)


solve_cholesky = op("scipy.linalg.cho_solve", _cho_solve, vjp=[_cho_left, _cho_right])


@composite(scipy.linalg.cho_solve)
def cho_solve(
    c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """Solve with a matrix that is given by Cholesky's factor."""
    c, lower = c_and_lower
    return solve_cholesky(c, b, lower=bool(lower), **checked(check_finite))


# -- LU ------------------------------------------------------------------------------------------


def _order_of(piv: Any, *, back: bool) -> Any:
    """Which row comes where by the exchanges of an LU factorisation, or by taking them back."""
    rows = np.empty((*piv.shape[:-1], piv.shape[-1]), np.intp)
    rows[...] = np.arange(piv.shape[-1])
    for index in np.ndindex(piv.shape[:-1]):
        order = rows[index]
        for step, other in enumerate(piv[index]):
            order[step], order[other] = order[other], order[step]
    return np.argsort(rows, axis=-1) if back else rows


row_order = op("scipy.linalg.row_order", _order_of, vjp=None)


def _exchanged(x: Any, piv: Any, back: bool) -> Any:
    """Exchange the rows of matrices as a factorisation did, or exchange them back."""
    stack = (numbers[..., None] for numbers in np.indices(x.shape[:-2]))
    return x[(*stack, row_order(piv, back=back))]


def _halves(lu: Any) -> tuple[Any, Any]:
    unit = triangle(lu, True, 1) + np.eye(lu.shape[-1], dtype=np.result_type(lu))
    return unit, triangle(lu, False)


def _lu_rule(g: Any, out: Any, a: Any, **_: Any) -> Any:
    if a.shape[-1] != a.shape[-2]:
        raise NotImplementedError("the gradient of lu_factor() needs square matrices")
    (by_lu, _), (lu, piv) = g, out
    unit, upper = _halves(lu)
    inner = triangle(np.matmul(swap(unit), triangle(by_lu, True, 1)), True, 1)
    inner = inner + triangle(np.matmul(triangle(by_lu, False), swap(upper)), False)
    left = _solve(unit, inner, trans=1)
    whole = swap(_solve(upper, swap(left), trans=0, lower=False))
    return _exchanged(whole, piv, back=True)


lu_factor = op(
    "scipy.linalg.lu_factor", scipy.linalg.lu_factor, stands_for=(scipy.linalg.lu_factor,),
    several=2, vjp=[_lu_rule],
    bind=lambda a, overwrite_a=False, check_finite=True: ((a,), checked(check_finite)),
)  # fmt: skip


def _lu_solve(lu: Any, piv: Any, b: Any, *, trans: int = 0, check_finite: bool = True) -> Any:
    return scipy.linalg.lu_solve((lu, piv), b, trans, check_finite=check_finite)


def _lu_right(g: Any, out: Any, lu: Any, piv: Any, b: Any, trans: int = 0, **attrs: Any) -> Any:
    def back(c: Any) -> Any:
        if trans == 2:
            return conj(solve_lu(lu, piv, conj(c), trans=0, **attrs))
        return solve_lu(lu, piv, c, trans=1 - trans, **attrs)

    return with_columns(back, g, lu, b)


def _lu_left(g: Any, out: Any, lu: Any, piv: Any, b: Any, trans: int = 0, **attrs: Any) -> Any:
    v = _lu_right(g, out, lu, piv, b, trans, **attrs)
    columns = np.ndim(b) > 1
    whole = outer(out, v, columns) if trans else outer(v, out, columns)
    whole = _exchanged(-conj(whole) if trans == 2 else -whole, piv, back=False)
    unit, upper = _halves(lu)
    by_unit = triangle(np.matmul(whole, swap(upper)), True, 1)
    return by_unit + triangle(np.matmul(swap(unit), whole), False)


solve_lu = op("scipy.linalg.lu_solve", _lu_solve, vjp=[_lu_left, None, _lu_right])


@composite(scipy.linalg.lu_solve)
def lu_solve(
    lu_and_piv: Any, b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """Solve with a matrix that is given by its LU factorisation."""
    lu, piv = lu_and_piv
    return solve_lu(lu, piv, b, trans=int(trans), **checked(check_finite))
