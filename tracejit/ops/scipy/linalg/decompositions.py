"""Eigenvalues, singular values, QR factors, pseudo-inverses and least squares of scipy.linalg.

SciPy's own functions compute them, with its signs and orders; the rules are those of NumPy's
(ops/decompositions.py, ops/solving.py), with their conventions for equal eigenvalues and phases.
The generalised Hermitian problem has a rule of its own. Parts of a spectrum, pivots and left
vectors are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from ....dag.op import composite, op
from ...complexes import conj, squared_size
from ...conversions import is_complex
from ...matrices import across, inverse_gaps
from ...shape import swap
from .rules import checked, of_one_triangle, rule_of, triangle


def _plain_only(function: str, **options: Any) -> None:
    """Refuse options that ask for what has no rule."""
    for name, value in options.items():
        if value is not None and value is not False:
            raise TypeError(f"{function}() argument {name}={value!r}")


# -- Hermitian matrices --------------------------------------------------------------------------


def _turned(g: Any, out: Any) -> tuple[Any, Any, Any]:
    """The cotangents of the values, of the turns of vectors, and of their lengths."""
    (by_values, by_vectors), (values, vectors) = g, out
    eye = np.eye(values.shape[-1], dtype=bool)
    along = 0 if by_values is None else np.where(eye, across(by_values), 0)
    if by_vectors is None:
        return along, 0, 0
    change = np.matmul(swap(vectors), by_vectors)
    return along, inverse_gaps(values) * change, np.where(eye, change, 0)


def _back(inner: Any, vectors: Any, lower: bool) -> Any:
    return of_one_triangle(np.matmul(np.matmul(conj(vectors), inner), swap(vectors)), lower)


def _eigh_by_matrix(g: Any, out: Any, a: Any, *b: Any, lower: bool = True, **_: Any) -> Any:
    along, turns, _lengths = _turned(g, out)
    return _back(along + turns, out[1], lower)


def _eigh_by_metric(g: Any, out: Any, a: Any, b: Any, lower: bool = True, **_: Any) -> Any:
    along, turns, lengths = _turned(g, out)
    inner = (along + turns) * across(out[0]) + 0.5 * lengths
    return -_back(inner, out[1], lower)


eigh_op = op(
    "scipy.linalg.eigh", scipy.linalg.eigh, several=2, path="scipy.linalg.eigh", raises=True,
    vjp=[_eigh_by_matrix, _eigh_by_metric],
)  # fmt: skip


@composite(scipy.linalg.eigh)
def eigh(
    a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False,
    overwrite_a: bool = False, overwrite_b: bool = False, type: int = 1,
    check_finite: bool = True, subset_by_index: Any = None, subset_by_value: Any = None,
    driver: str | None = None,
) -> Any:  # fmt: skip
    """All eigenvalues and vectors of Hermitian matrices; with b, of a v = w b v."""
    _plain_only("eigh", subset_by_index=subset_by_index, subset_by_value=subset_by_value)
    _plain_only("eigh", type=None if type == 1 else type)
    attrs: dict[str, Any] = {} if lower else {"lower": False}
    attrs |= checked(check_finite) | ({} if driver is None else {"driver": driver})
    found = eigh_op(a, **attrs) if b is None else eigh_op(a, b, **attrs)
    return found[0] if eigvals_only else found


@composite(scipy.linalg.eigvalsh)
def eigvalsh(a: Any, b: Any = None, **options: Any) -> Any:
    """Eigenvalues of Hermitian matrices; their gradient needs the vectors."""
    return eigh(a, b, eigvals_only=True, **options)


# -- all matrices --------------------------------------------------------------------------------


def _eig(a: Any, *, check_finite: bool = True) -> Any:
    values, vectors = scipy.linalg.eig(a, check_finite=check_finite)
    return values, vectors.astype(values.dtype)


# The vectors are complex for every matrix, and made real where SciPy's would be.
eig_op = op(
    "scipy.linalg.eig", _eig, several=2, raises=True,
    vjp=[lambda g, out, a, **_: rule_of("linalg.eig")(g, out, a)],
)  # fmt: skip


@composite(scipy.linalg.eig)
def eig(
    a: Any, b: Any = None, left: bool = False, right: bool = True, overwrite_a: bool = False,
    overwrite_b: bool = False, check_finite: bool = True, homogeneous_eigvals: bool = False,
) -> Any:  # fmt: skip
    """Eigenvalues, which are complex always, and eigenvectors of length 1."""
    _plain_only("eig", b=b, left=left, homogeneous_eigvals=homogeneous_eigvals)
    values, vectors = eig_op(a, **checked(check_finite))
    if not right:
        return values
    real = not is_complex(a) and bool(np.all(np.imag(values) == 0))  # it depends on values
    return values, np.real(vectors) if real else vectors


@composite(scipy.linalg.eigvals)
def eigvals(
    a: Any, b: Any = None, overwrite_a: bool = False, check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:  # fmt: skip
    """Eigenvalues; their gradient needs the vectors."""
    return eig(a, b, False, False, False, False, check_finite, homogeneous_eigvals)


# -- singular values, QR -------------------------------------------------------------------------


def _svd_rule(g: Any, out: Any, a: Any, full_matrices: bool = True, **_: Any) -> Any:
    return rule_of("linalg.svd")(g, out, a, full_matrices)


svd_op = op(
    "scipy.linalg.svd", scipy.linalg.svd, several=3, path="scipy.linalg.svd", vjp=[_svd_rule],
    raises=True,
)  # fmt: skip


@composite(scipy.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False,
    check_finite: bool = True, lapack_driver: str = "gesdd",
) -> Any:  # fmt: skip
    """Singular values and vectors."""
    attrs: dict[str, Any] = {} if full_matrices and compute_uv else {"full_matrices": False}
    attrs |= {} if lapack_driver == "gesdd" else {"lapack_driver": lapack_driver}
    found = svd_op(a, **attrs, **checked(check_finite))
    return found if compute_uv else found[1]


@composite(scipy.linalg.svdvals)
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Singular values; their gradient needs the vectors."""
    return svd(a, True, False, False, check_finite)


qr_op = op(
    "scipy.linalg.qr", scipy.linalg.qr, several=2, path="scipy.linalg.qr",
    vjp=[lambda g, out, a, mode="full", **_: rule_of("linalg.qr")(g, out, a)],
)  # fmt: skip


@composite(scipy.linalg.qr)
def qr(
    a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full",
    pivoting: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    """An orthonormal and a triangular factor; a tuple of the latter alone with mode="r"."""
    _plain_only("qr", pivoting=pivoting, mode="raw" if mode == "raw" else None)
    attrs = {} if mode in ("full", "r") else {"mode": mode}
    found = qr_op(a, **attrs, **checked(check_finite))
    return (found[1],) if mode == "r" else found


# -- pseudo-inverses, least squares --------------------------------------------------------------


def _bind_pinv(
    a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    _plain_only("pinv", return_rank=return_rank)
    given = {"atol": atol, "rtol": rtol}
    return (a,), {k: v for k, v in given.items() if v is not None} | checked(check_finite)


op(
    "scipy.linalg.pinv", scipy.linalg.pinv, stands_for=(scipy.linalg.pinv,), bind=_bind_pinv,
    vjp=[lambda g, out, a, **_: rule_of("linalg.pinv")(g, out, a)], raises=True,
)  # fmt: skip


def _pinvh_rule(g: Any, out: Any, a: Any, lower: bool = True, **_: Any) -> Any:
    off = triangle(a, lower, 1)
    whole = np.where(np.eye(a.shape[-1], dtype=bool), np.real(a), off + conj(swap(off)))
    return of_one_triangle(rule_of("linalg.pinv")(g, out, whole), lower)


def _bind_pinvh(
    a: Any, atol: Any = None, rtol: Any = None, lower: bool = True, return_rank: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    inputs, attrs = _bind_pinv(
        a, atol=atol, rtol=rtol, return_rank=return_rank, check_finite=check_finite
    )
    return inputs, attrs | ({} if lower else {"lower": False})


op(
    "scipy.linalg.pinvh", scipy.linalg.pinvh, stands_for=(scipy.linalg.pinvh,), bind=_bind_pinvh,
    vjp=[_pinvh_rule], raises=True,
)  # fmt: skip


def _lstsq(a: Any, b: Any, *, cond: Any = None, check_finite: bool = True) -> Any:
    x, _, rank, s = scipy.linalg.lstsq(a, b, cond, check_finite=check_finite)
    return x, rank, s


lstsq_op = op(
    "scipy.linalg.lstsq", _lstsq, several=3, raises=True,
    vjp=[
        lambda g, out, a, b, cond=None, **_: rule_of("linalg.lstsq")(g, out, a, b, cond),
        lambda g, out, a, b, cond=None, **_: rule_of("linalg.lstsq", 1)(g, out, a, b, cond),
    ],
)  # fmt: skip


@composite(scipy.linalg.lstsq)
def lstsq(
    a: Any, b: Any, cond: Any = None, overwrite_a: bool = False, overwrite_b: bool = False,
    check_finite: bool = True, lapack_driver: str | None = None,
) -> Any:  # fmt: skip
    """The solution of least squares, its residuals, and the matrix's rank and singular values."""
    _plain_only("lstsq", lapack_driver=None if lapack_driver == "gelsd" else lapack_driver)
    if np.ndim(a) > 2 or np.ndim(b) > 2:
        raise TypeError("lstsq() argument a= or b= that is a stack of matrices")
    attrs: dict[str, Any] = {} if cond is None else {"cond": float(cond)}
    x, rank, s = lstsq_op(a, b, **attrs, **checked(check_finite))
    rows, columns = np.shape(a)
    residuals = np.zeros(0, np.result_type(s))
    if rows > columns and bool(rank == columns):  # it depends on values
        change = b - np.matmul(a, x)
        residuals = np.sum(squared_size(change), axis=0)
    return x, residuals, rank, s
