"""Solving linear equations as scipy.linalg does, and the determinant and the inverse.

Each op calls SciPy's own function; its rule solves with the transpose, in the same structure.
With out = M^-1 b the cotangents are b' = M^-T g and M' = -b' out^T (Giles 2008), taken to what is
read of the matrix: a triangle, a band. A right side is a vector if it has one axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from ....dag.op import BY_NAME, composite, op, value_of
from ...complexes import conj
from ...conversions import is_complex
from ...shape import swap
from .rules import (
    checked,
    diagonal_only,
    of_one_triangle,
    outer,
    rule_of,
    triangle,
    with_columns,
)

# -- triangles -----------------------------------------------------------------------------------

_TRANS = {"N": 0, "T": 1, "C": 2}


def _bind_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    overwrite_b: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    attrs = {"trans": int(_TRANS.get(trans, trans)), "lower": bool(lower)}
    attrs |= {"unit_diagonal": bool(unit_diagonal)}
    given = {name: value for name, value in attrs.items() if value}
    return (a, b), given | checked(check_finite)


def _triangular_right(g: Any, out: Any, a: Any, b: Any, trans: int = 0, **attrs: Any) -> Any:
    def solve(c: Any) -> Any:
        if trans == 0:
            return solve_triangular(a, c, trans=1, **attrs)
        x = solve_triangular(a, conj(c) if trans == 2 else c, **attrs)
        return conj(x) if trans == 2 else x

    return with_columns(solve, g, a, b)


def _triangular_left(
    g: Any, out: Any, a: Any, b: Any, trans: int = 0, lower: bool = False, **attrs: Any
) -> Any:
    v = _triangular_right(g, out, a, b, trans, **attrs | ({"lower": True} if lower else {}))
    columns = np.ndim(b) > 1
    whole = outer(out, v, columns) if trans else outer(v, out, columns)
    whole = conj(whole) if trans == 2 else whole
    return -triangle(whole, lower, offset=int(attrs.get("unit_diagonal", False)))


solve_triangular = op(
    "scipy.linalg.solve_triangular", scipy.linalg.solve_triangular,
    stands_for=(scipy.linalg.solve_triangular,), bind=_bind_triangular,
    vjp=[_triangular_left, _triangular_right], raises=True,
)  # fmt: skip


# -- matrices of every structure -----------------------------------------------------------------

# inv() knows no long names.
_SHORT = {"general": "gen", "symmetric": "sym", "hermitian": "her", "positive definite": "pos"}
_OF_ONE_TRIANGLE = ("sym", "her", "pos")
_FLIPPED = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}


def _bind_solve(
    a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, assume_a: str | None = None, transposed: bool = False,
) -> Any:  # fmt: skip
    attrs = _structure(assume_a, lower) | checked(check_finite)
    return (a, b), attrs | ({"transposed": True} if transposed else {})


def _structure(assume_a: str | None, lower: bool) -> dict[str, Any]:
    if assume_a is None:
        return {}
    kind = _SHORT.get(assume_a, assume_a)
    lower = bool(lower) and kind in _OF_ONE_TRIANGLE
    return {"assume_a": kind} | ({"lower": True} if lower else {})


def _solve_back(a: Any, g: Any, transposed: bool, attrs: dict[str, Any]) -> Any:
    """Solve with the transpose of what was solved with."""
    kind = attrs.get("assume_a")
    if kind == "sym" or (kind in _OF_ONE_TRIANGLE and not is_complex(a)):
        return solve(a, g, **attrs)
    if kind in _OF_ONE_TRIANGLE:
        return conj(solve(a, conj(g), **attrs))
    if transposed:
        return solve(a, g, **attrs)
    return solve(swap(a), g, **attrs | ({"assume_a": _FLIPPED[kind]} if kind in _FLIPPED else {}))


def _read_of(g: Any, attrs: dict[str, Any]) -> Any:
    """Take the cotangent of a whole matrix to what is read of it."""
    kind = attrs.get("assume_a")
    if kind in _OF_ONE_TRIANGLE:
        return of_one_triangle(g, attrs.get("lower", False), kind != "sym")
    if kind in _FLIPPED:
        return triangle(g, kind == "lower triangular")
    if kind in ("diagonal", "tridiagonal"):
        return diagonal_only(g, within=int(kind == "tridiagonal"))
    return g


def _solve_right(g: Any, out: Any, a: Any, b: Any, transposed: bool = False, **attrs: Any) -> Any:
    def back(c: Any) -> Any:
        return _solve_back(a, c, transposed, attrs)

    return with_columns(back, g, a, b)


def _solve_left(g: Any, out: Any, a: Any, b: Any, transposed: bool = False, **attrs: Any) -> Any:
    v = _solve_right(g, out, a, b, transposed, **attrs)
    if np.size(a) == 1:  # which is a number for SciPy, whatever the length of the right side
        return -np.reshape(np.sum(v * out), np.shape(a))
    columns = np.ndim(b) > 1
    whole = outer(out, v, columns) if transposed else outer(v, out, columns)
    return -_read_of(whole, attrs)


solve = op(
    "scipy.linalg.solve", scipy.linalg.solve, stands_for=(scipy.linalg.solve,), bind=_bind_solve,
    vjp=[_solve_left, _solve_right], raises=True,
)  # fmt: skip


def _bind_inv(
    a: Any, overwrite_a: bool = False, check_finite: bool = True, *, assume_a: str | None = None,
    lower: bool = False,
) -> Any:  # fmt: skip
    return (a,), _structure(assume_a, lower) | checked(check_finite)


def _inv_rule(g: Any, out: Any, a: Any, **attrs: Any) -> Any:
    back = swap(out)
    return -_read_of(np.matmul(np.matmul(back, g), back), attrs)


inv = op(
    "scipy.linalg.inv", scipy.linalg.inv, stands_for=(scipy.linalg.inv,), bind=_bind_inv,
    vjp=[_inv_rule], raises=True,
)  # fmt: skip
det = op(
    "scipy.linalg.det", scipy.linalg.det, stands_for=(scipy.linalg.det,),
    bind=lambda a, overwrite_a=False, check_finite=True: (
        (a,), checked(check_finite)
    ),
    vjp=[lambda g, out, a, **_: rule_of("linalg.det")(g, out, a)],
)  # fmt: skip


@composite(scipy.linalg.norm)
def norm(
    a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True
) -> Any:
    """NumPy's norm; a Python number where SciPy asks BLAS or LAPACK, which look at the layout."""
    if check_finite and not bool(np.all(np.isfinite(a))):
        raise ValueError("array must not contain infs or NaNs")
    value = np.linalg.norm(a, ord, axis, keepdims)
    if axis is not None or keepdims or np.result_type(a).char not in "fdFD" or not np.size(a):
        return value
    array = np.asarray(value_of(a))
    of_vector = np.ndim(a) == 1 and ord in (None, 2)
    one_piece = np.isfortran(array) or np.isfortran(array.T)
    if of_vector or (np.ndim(a) == 2 and ord in (1, np.inf) and one_piece):
        return BY_NAME["convert"](value, cls=float)
    return value


# -- bands ---------------------------------------------------------------------------------------


def _places(low: int, up: int, n: int) -> tuple[Any, Any]:
    """Say for each place of a band which row of the matrix it is, and whether there is one."""
    rows = np.arange(n) + np.arange(-up, low + 1)[:, None]
    inside = (rows >= 0) & (rows < n)
    return np.where(inside, rows, 0), inside


def _band_of_outer(v: Any, x: Any, low: int, up: int, columns: bool) -> Any:
    """The band of the product of one vector, or columns, with the other's transpose."""
    rows, inside = _places(low, up, x.shape[-2] if columns else x.shape[-1])
    if columns:
        products = np.sum(v[..., rows, :] * x[..., None, :, :], axis=-1)
    else:
        products = v[..., rows] * x[..., None, :]
    return np.where(inside, products, 0)


def _transposed_band(ab: Any, low: int, up: int) -> Any:
    rows, inside = _places(up, low, ab.shape[-1])
    diagonal = np.arange(low + up + 1)[::-1, None]
    return np.where(inside, ab[..., diagonal, rows], 0)


def _banded_right(g: Any, out: Any, ab: Any, b: Any, low: int, up: int, **attrs: Any) -> Any:
    def back(c: Any) -> Any:
        return banded(_transposed_band(ab, low, up), c, low=up, up=low, **attrs)

    return with_columns(back, g, ab, b)


def _banded_left(g: Any, out: Any, ab: Any, b: Any, low: int, up: int, **attrs: Any) -> Any:
    v = _banded_right(g, out, ab, b, low, up, **attrs)
    return -_band_of_outer(v, out, low, up, np.ndim(b) > 1)


def _solve_banded(ab: Any, b: Any, *, low: int, up: int, check_finite: bool = True) -> Any:
    return scipy.linalg.solve_banded((low, up), ab, b, check_finite=check_finite)


banded = op(
    "scipy.linalg.solve_banded", _solve_banded, vjp=[_banded_left, _banded_right], raises=True
)  # fmt: skip


@composite(scipy.linalg.solve_banded)
def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """Solve with a matrix that is given by its diagonals."""
    low, up = (int(n) for n in l_and_u)
    return banded(ab, b, low=low, up=up, **checked(check_finite))


def _hermitian_band_right(
    g: Any, out: Any, ab: Any, b: Any, lower: bool = False, **attrs: Any
) -> Any:
    def back(c: Any) -> Any:
        return conj(solveh_banded(ab, conj(c), lower=lower, **attrs))

    return with_columns(back, g, ab, b)


def _hermitian_band_left(
    g: Any, out: Any, ab: Any, b: Any, lower: bool = False, **attrs: Any
) -> Any:
    v = _hermitian_band_right(g, out, ab, b, lower, **attrs)
    low, up = (ab.shape[-2] - 1, 0) if lower else (0, ab.shape[-2] - 1)
    columns = np.ndim(b) > 1
    one = _band_of_outer(v, out, low, up, columns)
    other = conj(_band_of_outer(out, v, low, up, columns))
    main = np.arange(low + up + 1)[:, None] == up
    return -np.where(main, np.real(one) if is_complex(one) else one, one + other)


solveh_banded = op(
    "scipy.linalg.solveh_banded", scipy.linalg.solveh_banded,
    stands_for=(scipy.linalg.solveh_banded,), vjp=[_hermitian_band_left, _hermitian_band_right],
    raises=True,
    bind=lambda ab, b, overwrite_ab=False, overwrite_b=False, lower=False, check_finite=True: (
        (ab, b),
        {"lower": bool(lower)} | checked(check_finite),
    ),
)  # fmt: skip
