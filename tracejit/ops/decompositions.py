"""Decompositions of matrices: eigenvalues, singular values, Cholesky and QR factors.

Rules: Giles 2008 (An extended collection of matrix derivative results), Murray 2016
(arXiv:1602.07527), Roberts and Roberts 2020 (arXiv:2009.10071), Wan and Zhang 2019
(arXiv:1909.02659). Vectors of equal eigenvalues or singular values do not turn into one another:
that share of a gradient is 0. A loss must not depend on what is arbitrary: phases of complex
vectors, bases of null spaces (complete qr, full svd). Of a Hermitian matrix, only the triangle that
is read gets a gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import _linalg as results

from ..dag.op import composite, op
from .complexes import conj
from .conversions import is_complex
from .matrices import (
    across,
    adjoint,
    down,
    folded,
    half_triangle,
    inverse_gaps,
    plus,
    reciprocal,
)
from .shape import swap

# -- eigenvalues --------------------------------------------------------------------------------


def _eigh_rule(g: Any, out: Any, a: Any, UPLO: str = "L") -> Any:
    (g_values, g_vectors), (values, vectors) = g, out
    turned = swap(vectors)
    inner: Any = None if g_values is None else down(g_values) * turned
    if g_vectors is not None:
        inner = plus(inner, (inverse_gaps(values) * (turned @ g_vectors)) @ turned)
    return folded(conj(vectors) @ inner, UPLO == "U")


eigh_op = op(
    "linalg.eigh", np.linalg.eigh, several=2, vjp=[_eigh_rule], path="np.linalg.eigh", raises=True
)


@composite(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, of which one triangle is read."""
    part = UPLO.upper()
    if part not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return results.EighResult(*eigh_op(a, **({} if part == "L" else {"UPLO": part})))


@composite(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of Hermitian matrices; their gradient needs the eigenvectors."""
    return eigh(a, UPLO)[0]


def _eig(a: Any) -> Any:
    values, vectors = np.linalg.eig(a)
    dtype = np.result_type(values.dtype, np.complex64)
    return values.astype(dtype), vectors.astype(dtype)


def _eig_rule(g: Any, out: Any, a: Any) -> Any:
    """Of vectors of length 1: Boeddeker et al. (2017, arXiv:1701.00392), equation 4.77."""
    (g_values, g_vectors), (values, vectors) = g, out
    turned = swap(vectors)
    inner: Any = None if g_values is None else down(g_values) * turned
    if g_vectors is not None:
        change = turned @ g_vectors
        stretch = np.real(np.sum(vectors * g_vectors, axis=-2))
        change = change - (turned @ np.conj(vectors)) * across(stretch)
        inner = plus(inner, (inverse_gaps(values) * change) @ turned)
    return np.linalg.solve(turned, inner)


# The result is complex for every input, and made real where NumPy's would be.
eig_op = op("linalg.eig", _eig, several=2, vjp=[_eig_rule], raises=True)


@composite(np.linalg.eig)
def eig(a: Any) -> Any:
    """Eigenvalues and eigenvectors, which are real where all eigenvalues of a real stack are."""
    values, vectors = eig_op(a)
    if not is_complex(a) and bool(np.all(np.imag(values) == 0)):  # noted: it depends on values
        values, vectors = np.real(values), np.real(vectors)
    return results.EigResult(values, vectors)


@composite(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """Eigenvalues; their gradient needs the eigenvectors."""
    return eig(a)[0]


# -- singular values ----------------------------------------------------------------------------


def _svd_rule(g: Any, out: Any, a: Any, full_matrices: bool = True, hermitian: bool = False) -> Any:
    (g_u, g_s, g_vh), (u, s, vh) = g, out
    count = s.shape[-1]
    right = conj(vh) if vh.shape[-2] == count else conj(vh[..., :count, :])
    left = conj(u) if u.shape[-1] == count else conj(u[..., :count])
    inner = None if g_s is None else down(g_s) * right  # left @ inner is the cotangent of a
    outer = None
    if g_u is not None:
        turn, leaving = _turned(u, g_u, count)
        mixed = (_square_gaps(s) * (turn - adjoint(turn))) * across(s)
        if is_complex(u):
            mixed = mixed + 1j * np.imag(turn) * (np.eye(count) * across(reciprocal(s)))
        inner = plus(inner, mixed @ right)
        if leaving is not None:
            outer = (leaving * across(reciprocal(s))) @ right
    if g_vh is not None:
        turn, leaving = _turned(adjoint(vh), adjoint(g_vh), count)
        mixed = down(s) * (_square_gaps(s) * (turn - adjoint(turn)))
        inner = plus(inner, mixed @ right)
        if leaving is not None:
            inner = inner + down(reciprocal(s)) * adjoint(leaving)
    found = plus(outer, left @ inner)
    return folded(found) if hermitian else found


def _square_gaps(s: Any) -> Any:
    return reciprocal((across(s) - down(s)) * (across(s) + down(s)))


def _turned(basis: Any, g: Any, count: int) -> Any:
    """Split the cotangent of a basis, of which the first `count` vectors span a range.

    Gives that of a turn of those vectors within the range, and that of their leaving it, or None
    where they span all. Vectors of the null space turn along: they stay orthogonal to the range.
    """
    size, vectors = basis.shape[-2:]
    if vectors == count == size:
        return swap(basis) @ g, None
    first, g_first = basis[..., :count], g[..., :count]
    turn = swap(first) @ g_first
    leaving = g_first - conj(first) @ turn
    if vectors > count:
        rest, g_rest = basis[..., count:], g[..., count:]
        leaving = leaving - conj(rest) @ adjoint(g_rest) @ conj(first)
    return turn, leaving


svd_op = op(
    "linalg.svd", np.linalg.svd, several=3, vjp=[_svd_rule], path="np.linalg.svd", raises=True
)


@composite(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Singular values and vectors; of Hermitian matrices the lower triangle is read."""
    attrs = {} if full_matrices and compute_uv else {"full_matrices": False}
    if hermitian:
        attrs["hermitian"] = True
    found = svd_op(a, **attrs)
    return results.SVDResult(*found) if compute_uv else found[1]


@composite(np.linalg.svdvals)
def svdvals(x: Any, /) -> Any:
    """Singular values; their gradient needs the vectors."""
    return svd(x, compute_uv=False)


# -- triangular factors -------------------------------------------------------------------------


def _cholesky_rule(g: Any, out: Any, a: Any, upper: bool = False) -> Any:
    if upper:
        g, out = adjoint(g), adjoint(out)
    change = (swap(out) @ g) * half_triangle(out)
    inverse = np.linalg.inv(out)
    return folded(swap(inverse) @ change @ conj(inverse), upper)


def _bind_cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return (a,), {"upper": True} if upper else {}


cholesky = op(
    "linalg.cholesky", np.linalg.cholesky, stands_for=(np.linalg.cholesky,), bind=_bind_cholesky,
    vjp=[_cholesky_rule], raises=True,
)  # fmt: skip


def _qr_rule(g: Any, out: Any, a: Any, mode: str = "reduced") -> Any:
    (g_q, g_r), (q, r) = g, out
    rows, columns = a.shape[-2:]
    if rows >= columns:
        return _tall_rule(g_q, g_r, q, r)
    if g_r is None:
        left = _tall_rule(g_q, None, q, r[..., :rows])
        return np.concatenate([left, np.zeros_like(a[..., rows:])], axis=-1)
    # The first columns give q, which turns the others: r = [r_first, q^H a_rest].
    g_first, g_rest = g_r[..., :rows], g_r[..., rows:]
    g_q = plus(g_q, conj(a[..., rows:]) @ adjoint(g_rest))
    left = _tall_rule(g_q, g_first, q, r[..., :rows])
    return np.concatenate([left, conj(q) @ g_rest], axis=-1)


def _tall_rule(g_q: Any, g_r: Any, q: Any, r: Any) -> Any:
    columns = r.shape[-1]
    if q.shape[-1] > columns:
        r = r[..., :columns, :]
        g_r = None if g_r is None else g_r[..., :columns, :]
    turn, leaving = (None, None) if g_q is None else _turned(q, g_q, columns)
    change = None if turn is None else -turn
    if g_r is not None:
        change = plus(change, g_r @ swap(r))
    kept = change * half_triangle(r, upper=True)
    inner = kept + adjoint(kept)
    if turn is not None:
        inner = inner + turn
    first = q if q.shape[-1] == columns else q[..., :columns]
    inner = plus(leaving, conj(first) @ inner)
    return swap(np.linalg.solve(r, swap(inner)))


qr_op = op("linalg.qr", np.linalg.qr, several=2, vjp=[_qr_rule], path="np.linalg.qr")


@composite(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """An orthonormal and a triangular factor."""
    if mode in ("raw", "f", "full", "e", "economic"):
        raise TypeError(f"qr() argument mode={mode!r}")
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"Unrecognized mode '{mode}'")
    tall = mode == "complete" and np.shape(a)[-2] > np.shape(a)[-1]
    found = qr_op(a, **({"mode": mode} if tall else {}))
    return found[1] if mode == "r" else results.QRResult(*found)
