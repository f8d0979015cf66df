"""scipy.linalg: every structure of a matrix, stacks, complex numbers, and what is read of them."""

import numpy as np
import pytest

from tests.ops.cases import orders, rows
from tests.support import spaced

linalg = pytest.importorskip("scipy.linalg")

COMPLEX = np.complex128


def square(n=3, batch=(), dtype=float, seed=12):
    """Well-conditioned matrices, not symmetric."""
    return spaced(-1.0, 0.9, (*batch, n, n), dtype, seed) + 2.0 * np.eye(n, dtype=dtype)


def of(function, **options):
    """A function of SciPy with fixed options."""
    return lambda *args: function(*args, **options)


def band_of(low, up):
    """solve_banded with fixed numbers of diagonals."""
    return lambda ab, b: linalg.solve_banded((low, up), ab, b)


A, Z = square(), square(dtype=COMPLEX)
STACK, DEFINITE = square(2, (3,)), square() + 2.0 * np.eye(3)
HERMITIAN = square(dtype=COMPLEX) + 2.0 * np.eye(3)
V, M = spaced(-1.1, 1.4, (3,), seed=1), spaced(-0.8, 1.2, (3, 2), seed=2)
ZV, ZM = spaced(-1.1, 1.4, (3,), COMPLEX, 1), spaced(-0.8, 1.2, (3, 2), COMPLEX, 2)
BAND = spaced(-0.6, 0.7, (4, 5), seed=5) + 3.0 * (np.arange(4) == 1)[:, None]
BANDED_RIGHT = spaced(-1.0, 1.1, (5,), seed=6)
UPPER = spaced(-0.4, 0.5, (3, 4), seed=7) + 3.0 * (np.arange(3) == 2)[:, None]
F4 = A.astype(np.float32)
LOWER = np.tri(3, dtype=bool)

CASES = [
    *rows(
        linalg.solve_triangular,
        ("vector", linalg.solve_triangular, (A, V)),
        ("lower matrix", of(linalg.solve_triangular, lower=True), (A, M)),
        ("complex C", of(linalg.solve_triangular, trans="C"), (Z, ZM)),
    ),
    *rows(
        linalg.solve_triangular,
        ("unit T", of(linalg.solve_triangular, trans=1, unit_diagonal=True), (A, V)),
        ("lower T", of(linalg.solve_triangular, trans="T", lower=True), (A, M)),
        ("stack and vector", linalg.solve_triangular, (STACK, V[:2])),
        ("stack and stack", of(linalg.solve_triangular, trans=1), (STACK, square(2, (3,), seed=3))),
        ("one matrix of a stack", linalg.solve_triangular, (STACK[:1], square(2, (3,), seed=3))),
        ("complex and real", of(linalg.solve_triangular, lower=True), (Z, V)),
        ("f4", linalg.solve_triangular, (F4, V.astype(np.float32))),
        ("fortran, strided", linalg.solve_triangular, (np.asfortranarray(A), V[::-1])),
        ("empty", linalg.solve_triangular, (np.zeros((0, 0)), np.zeros((0,)))),
        second=False,
    ),
    *rows(
        linalg.solve,
        ("vector", linalg.solve, (A, V)),
        ("pos", of(linalg.solve, assume_a="pos"), (DEFINITE, M)),
        ("complex her", of(linalg.solve, assume_a="her", lower=True), (HERMITIAN, ZM)),
    ),
    *rows(
        linalg.solve,
        ("general", of(linalg.solve, assume_a="gen"), (A, M)),
        ("transposed", of(linalg.solve, transposed=True), (A, M)),
        ("sym lower", of(linalg.solve, assume_a="sym", lower=True), (DEFINITE, V)),
        ("complex sym", of(linalg.solve, assume_a="sym"), (HERMITIAN, ZV)),
        ("complex pos", of(linalg.solve, assume_a="pos"), (HERMITIAN, V)),
        ("upper triangular", of(linalg.solve, assume_a="upper triangular"), (A, V)),
        ("diagonal", of(linalg.solve, assume_a="diagonal"), (A, V)),
        ("tridiagonal", of(linalg.solve, assume_a="tridiagonal"), (A, M)),
        ("stack and vector", linalg.solve, (STACK, V[:2])),
        ("stack and stack", linalg.solve, (STACK, square(2, (3,), seed=3))),
        ("number", linalg.solve, (np.array([[1.7]]), np.ones((1, 3)))),
        ("f4", linalg.solve, (F4, M.astype(np.float32))),
        second=False,
    ),
    *rows(
        linalg.inv,
        ("one", linalg.inv, (A,)),
        ("complex stack", linalg.inv, (square(2, (2,), COMPLEX),)),
        ("pos", of(linalg.inv, assume_a="pos"), (DEFINITE,)),
        ("f4", linalg.inv, (F4,)),
    ),
    *rows(
        linalg.det,
        ("one", linalg.det, (A,)),
        ("stack", linalg.det, (STACK,)),
        ("complex", linalg.det, (Z,)),
    ),
    *rows(
        linalg.norm,
        ("vector", linalg.norm, (V,)),
        ("number", linalg.norm, (1.5,)),
        ("matrix 1", of(linalg.norm, ord=1), (A,)),
        ("axis", of(linalg.norm, axis=0, keepdims=True), (M,)),
    ),
    *rows(
        linalg.solve_banded,
        ("two below", band_of(2, 1), (BAND, BANDED_RIGHT)),
        ("tridiagonal columns", band_of(1, 1), (BAND[:3], BANDED_RIGHT[:, None] * [1.0, -0.7])),
    ),
    *rows(
        linalg.solve_banded,
        ("complex", band_of(0, 2), (1j * BAND[:3] + np.eye(3, 5), BANDED_RIGHT)),
        ("stack", band_of(1, 1), (np.stack([BAND[:3], BAND[:3] + 0.2]), BANDED_RIGHT)),
        ("f4", band_of(1, 2), (BAND[::-1].astype("f4"), BANDED_RIGHT.astype("f4"))),
        second=False,
    ),
    *rows(
        linalg.solveh_banded,
        ("upper", linalg.solveh_banded, (UPPER, V[[0, 1, 2, 0]])),
        ("lower columns", of(linalg.solveh_banded, lower=True), (UPPER[::-1], M[[0, 1, 2, 0]])),
        ("complex", linalg.solveh_banded, (UPPER + 0.3j * UPPER[::-1], ZV[[0, 1, 2, 0]])),
        second=False,
    ),
    *rows(
        linalg.cholesky,
        ("upper", linalg.cholesky, (DEFINITE,)),
        ("complex lower", of(linalg.cholesky, lower=True), (HERMITIAN,)),
    ),
    *rows(
        linalg.cholesky,
        ("lower stack", of(linalg.cholesky, lower=True), (STACK + 2.0 * np.eye(2),)),
        ("complex upper", linalg.cholesky, (HERMITIAN,)),
        ("f4", linalg.cholesky, (DEFINITE.astype("f4"),)),
        second=False,
    ),
    *rows(
        linalg.cho_factor,
        ("upper", lambda a: np.where(LOWER.T, linalg.cho_factor(a)[0], 0), (DEFINITE,)),
        ("lower", lambda a: np.where(LOWER, linalg.cho_factor(a, lower=True)[0], 0), (DEFINITE,)),
        second=False,
    ),
    *rows(
        linalg.cho_solve,
        ("of factor", lambda a, b: linalg.cho_solve(linalg.cho_factor(a), b), (DEFINITE, V)),
        ("lower", lambda c, b: linalg.cho_solve((c, True), b), (A, M)),
    ),
    *rows(
        linalg.cho_solve,
        ("complex", lambda c, b: linalg.cho_solve((c, False), b), (Z, ZM)),
        ("complex lower", lambda c, b: linalg.cho_solve((c, True), b), (Z, V)),
        ("stack", lambda c, b: linalg.cho_solve((c, False), b), (STACK, V[:2])),
        second=False,
    ),
    *rows(
        linalg.lu_factor,
        ("one", lambda a: linalg.lu_factor(a)[0], (A[::-1].copy(),)),
    ),
    *rows(
        linalg.lu_factor,
        ("complex", lambda a: linalg.lu_factor(a)[0], (Z,)),
        ("stack", lambda a: linalg.lu_factor(a)[0], (STACK[:, ::-1].copy(),)),
        second=False,
    ),
    *rows(
        linalg.lu_solve,
        ("of factors", lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), (A[::-1].copy(), V)),
        ("transposed", lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, 1), (A, M)),
        ("complex", lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, 2), (Z, ZM)),
        ("stack", lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), (STACK, V[:2])),
        second=False,
    ),
    *rows(
        linalg.expm,
        ("one", linalg.expm, (A,)),
        ("complex stack", linalg.expm, (square(2, (2,), COMPLEX),)),
    ),
    *rows(
        linalg.expm,
        ("f4", linalg.expm, (F4,)),
        ("fortran", linalg.expm, (np.asfortranarray(A),)),
        ("large", linalg.expm, (0.01 * A, )),
        ("1x1", linalg.expm, (np.array([[0.7]]),)),
        ("number", linalg.expm, (0.7,)),
        second=False,
    ),
    *rows(
        linalg.expm_frechet,
        ("derivative", lambda a, e: linalg.expm_frechet(a, e, compute_expm=False), (A, M @ M.T)),
        ("both", lambda a, e: linalg.expm_frechet(a, e)[0] + 0.0 * e, (A, M @ M.T)),
    ),
    *(
        row
        for function in ("cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm")
        for row in rows(
            getattr(linalg, function), ("one", getattr(linalg, function), (0.3 * A,)), second=False
        )
    ),
    *rows(
        linalg.sqrtm,
        ("one", linalg.sqrtm, (A,)),
        ("complex", linalg.sqrtm, (Z,)),
    ),
    *rows(
        linalg.sqrtm,
        ("complex of real", linalg.sqrtm, (A @ np.diag([1.0, -1.3, 0.8]),)),
        ("f4 stack", linalg.sqrtm, (STACK.astype("f4"),)),
        second=False,
    ),
    *rows(
        linalg.logm,
        ("one", linalg.logm, (DEFINITE,)),
        ("complex", linalg.logm, (Z,)),
        ("complex of real", linalg.logm, (A @ np.diag([1.0, -1.3, 0.8]),)),
        second=False,
    ),
    *rows(
        linalg.solve_sylvester,
        ("one", linalg.solve_sylvester, (A, square(2, seed=4), M)),
    ),
    *rows(
        linalg.solve_sylvester,
        ("complex", linalg.solve_sylvester, (Z, square(2, seed=4), ZM)),
        ("stack", linalg.solve_sylvester, (STACK, STACK[0], STACK[1:2])),
        second=False,
    ),
    *rows(
        linalg.solve_continuous_lyapunov,
        ("one", linalg.solve_continuous_lyapunov, (A, M @ M.T)),
        ("complex", linalg.solve_continuous_lyapunov, (Z, ZM @ ZM.T)),
    ),
    *rows(
        linalg.solve_discrete_lyapunov,
        ("one", linalg.solve_discrete_lyapunov, (0.3 * A, M @ M.T)),
        ("complex bilinear", of(linalg.solve_discrete_lyapunov, method="bilinear"), (0.3 * Z, Z)),
    ),
    *rows(
        linalg.block_diag,
        ("matrix, row, number", linalg.block_diag, (A, V, 1.5)),
        ("stack", linalg.block_diag, (STACK, M)),
        ("complex", linalg.block_diag, (Z, M)),
        ("f4 and empty", linalg.block_diag, (F4, np.zeros((0, 2), "f4"))),
        second=False,
    ),
    *rows(
        linalg.toeplitz,
        ("column", linalg.toeplitz, (V,)),
        ("column and row", linalg.toeplitz, (V, M[:, 0])),
        ("complex", linalg.toeplitz, (ZV,)),
        ("stack", linalg.toeplitz, (M, V[:2])),
        second=False,
    ),
    *rows(
        linalg.circulant, ("one", linalg.circulant, (V,)), ("stack", linalg.circulant, (M,)),
        second=False,
    ),
    *rows(
        linalg.hankel, ("column", linalg.hankel, (V,)), ("both", linalg.hankel, (V, M[:, 0])),
        second=False,
    ),
    *rows(linalg.khatri_rao, ("one", linalg.khatri_rao, (M, A[:, :2])), second=False),
]  # fmt: skip


test_first_order, test_second_order = orders(CASES)
