"""Eigenvalues, singular values, Cholesky and QR factors, with losses that no phase changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ops.cases import orders, rows
from tests.support import CALLS, MODES, check, numeric, spaced
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

A = spaced(-1.0, 0.9, (3, 3), seed=21) + np.diag([0.0, 1.0, 2.5])
STACK = spaced(-1.0, 0.9, (2, 3, 3), seed=22) + np.diag([0.0, 1.0, 2.5])
Z = spaced(-1.0, 0.9, (3, 3), complex, seed=23) + np.diag([0.0, 1.0, 2.5])
ZS = spaced(-1.0, 0.9, (2, 2, 2), complex, seed=24) + np.diag([0.0, 2.0])
TALL, WIDE = spaced(-1.2, 1.5, (4, 2), seed=25), spaced(-1.2, 1.5, (2, 4), seed=26)
Z_TALL, Z_WIDE = spaced(-1.2, 1.5, (4, 2), complex, 27), spaced(-1.2, 1.5, (2, 4), complex, 28)
TALLS = spaced(-1.2, 1.5, (2, 3, 2), seed=29)
POSITIVE = A @ A.T + np.eye(3)
POSITIVES = STACK @ np.swapaxes(STACK, 1, 2) + np.eye(3)
Z_POSITIVE = Z @ Z.conj().T + np.eye(3)
SPIRAL = np.array([[0.5, -1.2, 0.3], [1.1, 0.4, -0.2], [0.1, 0.3, 1.5]])  # two complex eigenvalues
SINGLE = A.astype(np.float32)
WEIGHTS = spaced(0.3, 1.7, (3, 3), seed=30)


def adjoint(x):
    return np.conjugate(np.swapaxes(x, -1, -2))


def heads(f):
    """Let the first of several results be multiplied by all others, so that all of them count."""

    def product(a):
        first, *others = f(a)
        return sum([np.sum(np.sin(part)) for part in others], 0.0) * first

    return product


def spectral(a, **options):
    """A function of a Hermitian matrix, in which no phase is left."""
    w, v = np.linalg.eigh(a, **options)
    return (v * np.exp(0.3 * w)[..., None, :]) @ adjoint(v)


def sizes(a):
    """The squared sizes of the elements of the vectors."""
    w, v = np.linalg.eigh(a)
    return np.real(v * np.conjugate(v)) * w[..., None, :]


def of_eig(a):
    """A matrix function by eigenvectors that are not orthogonal."""
    w, v = np.linalg.eig(a)
    return np.real((v * np.sin(w)[..., None, :]) @ np.linalg.inv(v))


def sizes_of_eig(a):
    """The squared sizes of the elements of vectors of length 1."""
    w, v = np.linalg.eig(a)
    return np.real(v * np.conjugate(v)) * np.real(w * w)[..., None, :]


def of_svd(a, **options):
    """A function of singular values and both kinds of vectors."""
    u, s, vh = np.linalg.svd(a, **options)
    k = s.shape[-1]
    return (u[..., :k] * np.sin(s)[..., None, :]) @ vh[..., :k, :]


def null_space(a):
    """The projections on both null spaces, of which the bases are arbitrary."""
    u, s, vh = np.linalg.svd(a)
    k = s.shape[-1]
    left, right = u[..., k:], vh[..., k:, :]
    return np.sum(np.sin(left @ adjoint(left))) + np.exp(adjoint(right) @ right) * s[0]


def of_qr(a, mode="reduced"):
    q, r = np.linalg.qr(a, mode)
    return q @ np.sin(r)


def beyond(a):
    """The projection on what a complete QR adds."""
    q, r = np.linalg.qr(a, "complete")
    rest = q[:, a.shape[1] :]
    return np.sin(rest @ adjoint(rest)) * np.real(r[0, 0])


CASES = [
    *rows(
        np.linalg.eigh,
        ("vectors", lambda a: heads(np.linalg.eigh)(a + a.T), (A,)),
        ("lower triangle", lambda a: np.linalg.eigh(a).eigenvectors, (A,)),
        ("upper triangle", lambda a: np.linalg.eigh(a, "U").eigenvectors, (A,)),
        ("stack", spectral, (STACK,)),
        ("complex", spectral, (Z,)),
        ("complex upper", lambda a: spectral(a, UPLO="U"), (Z,)),
    ),
    *rows(
        np.linalg.eigh,
        ("complex stack", sizes, (ZS,)),
        ("f4", spectral, (SINGLE,)),
        ("c8", spectral, (Z.astype(np.complex64),)),
        ("fortran", spectral, (np.asfortranarray(A),)),
        ("strided", spectral, (STACK[:, ::-1, ::2][:, :2],)),
        ("1x1", lambda a: spectral(a), (np.array([[1.5]]),)),
        ("empty", lambda a: spectral(a), (np.zeros((0, 2, 2)),)),
        ("integers", lambda x, n: x * np.linalg.eigh(n)[0], (A,), (np.diag([1, 2, 5]),)),
        second=False,
    ),
    *rows(
        np.linalg.eigvalsh,
        ("one", np.linalg.eigvalsh, (A,)),
        ("upper", lambda a: np.linalg.eigvalsh(a, UPLO="U"), (Z,)),
        ("stack", np.linalg.eigvalsh, (STACK,)),
    ),
    *rows(
        np.linalg.eig,
        ("real", of_eig, (A,)),
        ("real vectors", lambda a: np.linalg.eig(a)[1], (A,)),
        ("complex of real", of_eig, (SPIRAL,)),
        ("sizes", sizes_of_eig, (SPIRAL,)),
    ),
    *rows(
        np.linalg.eig,
        ("stack, partly complex", of_eig, (np.stack([A, SPIRAL]),)),
        ("complex", sizes_of_eig, (Z,)),
        ("f4", of_eig, (SINGLE,)),
        second=False,
    ),
    *rows(
        np.linalg.eigvals,
        ("real", np.linalg.eigvals, (A,)),
        ("complex of real", np.linalg.eigvals, (SPIRAL,)),
        ("complex stack", np.linalg.eigvals, (ZS,)),
    ),
    *rows(
        np.linalg.svd,
        ("square", of_svd, (A,)),
        ("tall", lambda a: of_svd(a, full_matrices=False), (TALL,)),
        ("wide", lambda a: of_svd(a, full_matrices=False), (WIDE,)),
        ("left vectors", lambda a: np.linalg.svd(a, full_matrices=False).U, (TALL,)),
        ("right vectors", lambda a: np.linalg.svd(a, False).Vh, (WIDE,)),
        ("full, tall", null_space, (TALL,)),
        ("complex", of_svd, (Z,)),
    ),
    *rows(
        np.linalg.svd,
        ("complex tall", lambda a: of_svd(a, full_matrices=False), (Z_TALL,)),
        ("complex wide", lambda a: of_svd(a, full_matrices=False), (Z_WIDE,)),
        ("full, wide", null_space, (WIDE,)),
        ("full, complex tall", null_space, (Z_TALL,)),
        ("full, complex wide", null_space, (Z_WIDE,)),
        ("stack", of_svd, (TALLS,)),
        ("f4", of_svd, (SINGLE,)),
        ("hermitian", lambda a: of_svd(a, hermitian=True), (A,)),
        ("complex hermitian", lambda a: of_svd(a, hermitian=True), (Z,)),
        ("hermitian values", lambda a: np.linalg.svd(a, compute_uv=False, hermitian=True), (A,)),
        ("empty", lambda a: np.linalg.svd(a, full_matrices=False)[1], (np.zeros((0, 3)),)),
        second=False,
    ),
    *rows(
        np.linalg.svdvals,
        ("one", np.linalg.svdvals, (A,)),
        ("complex stack", np.linalg.svdvals, (ZS,)),
    ),
    *rows(
        np.linalg.cholesky,
        ("one", np.linalg.cholesky, (POSITIVE,)),
        ("stack", np.linalg.cholesky, (POSITIVES,)),
        ("complex", np.linalg.cholesky, (Z_POSITIVE,)),
        ("complex upper", lambda a: np.linalg.cholesky(a, upper=True), (Z_POSITIVE,)),
    ),
    *rows(
        np.linalg.cholesky,
        ("of a product", lambda a: np.linalg.cholesky(a @ a.T + np.eye(3)), (A,)),
        ("upper", lambda a: np.linalg.cholesky(a, upper=True), (POSITIVE,)),
        ("f4", np.linalg.cholesky, (POSITIVE.astype(np.float32),)),
        ("empty", np.linalg.cholesky, (np.zeros((0, 0)),)),
        second=False,
    ),
    *rows(
        np.linalg.qr,
        ("tall", of_qr, (TALL,)),
        ("wide", of_qr, (WIDE,)),
        ("square", lambda a: heads(np.linalg.qr)(a), (A,)),
        ("complex wide", of_qr, (Z_WIDE,)),
        ("complete", beyond, (TALL,)),
    ),
    *rows(
        np.linalg.qr,
        ("q", lambda a: np.linalg.qr(a).Q, (TALL,)),
        ("r", lambda a: np.linalg.qr(a, mode="r"), (TALL,)),
        ("r of wide", lambda a: np.linalg.qr(a, mode="r"), (WIDE,)),
        ("q of wide", lambda a: np.linalg.qr(a)[0], (WIDE,)),
        ("complete and wide", lambda a: of_qr(a, "complete"), (WIDE,)),
        ("complete, first columns", lambda a: np.linalg.qr(a, "complete")[0][:, :2], (TALL,)),
        ("complex complete", beyond, (Z_TALL,)),
        ("complex tall", lambda a: np.real(heads(np.linalg.qr)(a)), (Z_TALL,)),
        ("stack", of_qr, (TALLS,)),
        ("f4", of_qr, (SINGLE,)),
        ("fortran", of_qr, (np.asfortranarray(TALL),)),
        second=False,
    ),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)


DECOMPOSITIONS = {
    "svd": lambda a: of_svd(a, full_matrices=False),
    "svdvals": np.linalg.svdvals,
    "qr": of_qr,
    "complete qr": lambda a: of_qr(a, "complete"),
    "cholesky": lambda a: np.linalg.cholesky(a @ adjoint(a) + np.eye(a.shape[-2])),
    "eigh": lambda a: spectral(a @ adjoint(a)),
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([*DECOMPOSITIONS]),
    st.lists(st.integers(0, 2), max_size=2),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([np.float64, np.complex128]),
    st.integers(0, 100),
    st.booleans(),
)
def test_any_shapes(name, batch, rows, columns, dtype, seed, optimize):
    if name == "eigh":  # no eigenvalue 0 that is there twice
        columns = max(rows, columns)
    apart = np.eye(rows, columns) * (1.0 + np.arange(columns))  # singular values, far from 0
    a = apart + spaced(-0.3, 0.4, (*batch, rows, columns), dtype, seed)
    check(DECOMPOSITIONS[name], (a,), (), optimize)


TURN = np.linalg.qr(spaced(-1.0, 1.0, (3, 3), seed=31))[0]
TWICE = TURN @ np.diag([1.0, 1.0, 2.0]) @ TURN.T  # an eigenvalue that is there twice
SYMMETRIC = (A + A.T) / 2.0


def values_only(decompose):
    return lambda a: np.sum(np.sin(decompose(a)))


EQUAL = {
    "eigvalsh of a multiple of 1": (values_only(np.linalg.eigvalsh), 2.0 * np.eye(3)),
    "eigvalsh": (values_only(np.linalg.eigvalsh), np.diag([1.0, 1.0, 2.0])),
    "eigvals": (values_only(np.linalg.eigvals), 2.0 * np.eye(3)),
    "svdvals": (values_only(np.linalg.svdvals), 2.0 * np.eye(3)),
    "svdvals of a rotation": (values_only(np.linalg.svdvals), TURN),
    "eigvalsh, rounded": (values_only(lambda a: np.linalg.eigvalsh(a + a.T)), TWICE),
}


@MODES
@pytest.mark.parametrize(("f", "x"), EQUAL.values(), ids=EQUAL)
def test_equal_values_have_right_gradients(f, x, optimize):
    check(f, (x,), (), optimize)


VECTORS = {
    "eigh": lambda a: np.linalg.eigh(a)[1],
    "eig": lambda a: np.linalg.eig(a)[1],
    "left": lambda a: np.linalg.svd(a)[0],
    "right": lambda a: np.linalg.svd(a)[2],
}


@MODES
@pytest.mark.parametrize("x", [np.zeros((2, 2)), np.eye(2), np.eye(2) + 0j, np.diag([1.0, 0.0])])
@pytest.mark.parametrize("f", VECTORS.values(), ids=VECTORS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_vectors_of_equal_values_have_finite_gradients(f, x, optimize):
    slope = jit_grad(lambda x: np.sum(np.real(f(x)) ** 3), withForward=False, optimize=optimize)
    df = jit_grad(lambda x: np.sum(np.real(slope(x) * (x + 1.0))), optimize=optimize)
    for _ in range(CALLS):
        assert np.isfinite(slope(x)).all() and np.isfinite(df(x)[0]).all()


@MODES
def test_values_decide_whether_eigenvalues_are_real(optimize):
    """The matrix turns from real to complex eigenvalues and back; each path is compiled."""
    df = jit_grad(lambda a: (np.sum(of_eig(a)), np.linalg.eig(a)[0]), optimize=optimize)
    for a in (A, A, SPIRAL, SPIRAL, A, SPIRAL, A.T.copy()):
        grad, value, eigenvalues = df(a)
        expected = np.linalg.eig(a)[0]
        assert eigenvalues.dtype == expected.dtype
        np.testing.assert_allclose(eigenvalues, expected)
        np.testing.assert_allclose(value, np.sum(of_eig(a)))
        np.testing.assert_allclose(grad, numeric(lambda a: np.sum(of_eig(a)), (a,))[0], rtol=1e-6)
    assert not optimize or df.cache_info().direct == 0, df.explain()


@MODES
def test_results_have_names(optimize):
    def f(a):
        w, u, q = np.linalg.eigh(a), np.linalg.svd(a), np.linalg.qr(a)
        e, d = np.linalg.eig(a), np.linalg.slogdet(a)
        return np.sum(w.eigenvalues) + np.sum(u.S) + q.R[0, 0] + d.logabsdet + e.eigenvalues[0]

    grad, value = jit_grad(f, optimize=optimize)(SYMMETRIC)
    np.testing.assert_allclose(value, f(SYMMETRIC))
    assert np.isfinite(grad).all()


def test_large_triangles_are_written_out():
    """Emitted code stands alone: it makes the constants of these rules itself."""
    a = np.eye(12) + 0.1
    lower = jit_grad(lambda a: np.sum(np.linalg.cholesky(a)), backend="numpy")
    upper = jit_grad(lambda a: np.sum(np.linalg.qr(a)[1]), backend="numpy")
    assert "= np.tri(12, dtype=f8) - np.eye(12, dtype=f8) / 2.0" in lower.source(a)
    assert "= np.triu(np.ones((12, 12), f8)) - np.eye(12, dtype=f8) / 2.0" in upper.source(a)
    for df in (lower, upper):
        check(df.__wrapped__, (a,), (), True)
        check(df.__wrapped__, (a.astype(np.float32),), (), True)


@MODES
def test_errors_are_numpys(optimize):
    cholesky = jit_grad(lambda a: np.sum(np.linalg.cholesky(a)), optimize=optimize)
    cholesky(POSITIVE)
    for _ in range(CALLS):
        with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
            cholesky(-POSITIVE)
    for f, message in [
        (lambda a: np.linalg.eigh(a, "X")[0], "UPLO argument must be 'L' or 'U'"),
        (lambda a: np.linalg.qr(a, "some")[0], "Unrecognized mode 'some'"),
        (lambda a: np.linalg.eigvalsh(a[:2]), "must be square"),
    ]:
        with pytest.raises(ValueError, match=message):
            jit_grad(lambda a: np.sum(f(a)), optimize=optimize)(A)  # noqa: B023
    with pytest.raises(UnsupportedError, match=r"np\.linalg\.qr\(argument mode='raw'\)"):
        jit_grad(lambda a: np.linalg.qr(a, mode="raw")[0][0, 0], optimize=optimize)(A)


def chain(a, x):
    """Equations and eigenvalues in a loop."""
    total = 0.0
    for _ in range(20):
        x = np.linalg.solve(a, x)
        total = total + np.linalg.slogdet(a)[1] + np.linalg.eigvalsh(a)[0]
        a = 0.9 * a
    return total + x[0]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_loop_of_decompositions(backend):
    df = jit_grad(lambda p: chain(*p), backend=backend, audit=False)
    direct = jit_grad(lambda p: chain(*p), optimize=False)
    for scale in (1.0, 1.0, 1.3, 0.7):
        p = (POSITIVE * scale, np.array([1.0, -0.5, 2.0]))
        (a, x), value = df(p)
        (expected_a, expected_x), expected = direct(p)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        np.testing.assert_allclose(a, expected_a, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(x, expected_x, rtol=1e-9, atol=1e-12)
    assert df.cache_info().direct == 0
    assert "for t in range(19)" in df.source(p, backend="numpy")
