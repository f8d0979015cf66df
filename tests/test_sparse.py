"""Sparse Jacobians and Hessians: entries against dense ones and closed forms, patterns, colours."""

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from tests.support import MODES, spaced
from tracejit import (
    checkpoint,
    defvjp,
    errors,
    grad,
    hessian,
    jacobian,
    jit_grad,
    primitive,
    sparse_hessian,
    sparse_jacobian,
)
from tracejit.sparse import _fewer_colors
from tracejit.sparse.coloring import color_columns, color_symmetric, mirrored

N = 12
X = spaced(-1.3, 1.6, (N,), seed=3)
RNG = np.random.default_rng(0)
SPARSE = (RNG.random((N, N)) < 0.2) * RNG.normal(size=(N, N))
DENSE = RNG.normal(size=(N, N))
SMALL = RNG.normal(size=(3, 4))
INDEX = RNG.integers(0, N, 9)


def rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def laplace(x):
    u = np.pad(x.reshape(3, 4), 1)
    inner = u[1:-1, 1:-1]
    return 4.0 * inner - u[:-2, 1:-1] - u[2:, 1:-1] - u[1:-1, :-2] - u[1:-1, 2:]


def in_place(x):
    y = x * 1.0
    y[2:5] = y[2:5] * y[3:6]
    y[::2] += 1.0
    return y


def loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total = total + (x[i + 1] - x[i] ** 2) ** 2
    return total


def block(x):
    return np.sin(x) * np.roll(x, 1)


# A function, and how many entries its Jacobian has.
JACOBIANS = {
    "differences": (lambda x: np.diff(x) ** 2, 22),
    "sparse matrix": (lambda x: np.sin(SPARSE @ x), np.count_nonzero(SPARSE)),
    "from the left": (lambda x: x @ SPARSE, np.count_nonzero(SPARSE)),
    "sparse matrix and a matrix": (lambda x: SPARSE[:4, :4] @ x.reshape(4, 3),
                                   3 * np.count_nonzero(SPARSE[:4, :4])),
    "a matrix and a sparse one": (lambda x: x.reshape(3, 4) @ SPARSE[:4, :4],
                                  3 * np.count_nonzero(SPARSE[:4, :4])),
    "full matrix": (lambda x: DENSE @ x, 144),
    "gather": (lambda x: x[INDEX] * x[INDEX[::-1]], 17),
    "roll": (lambda x: np.roll(x, 1) * x, 24),
    "matmul": (lambda x: x.reshape(3, 4) @ SMALL.T, 36),
    "stacks of matrices": (lambda x: np.matmul(x.reshape(3, 2, 2), x.reshape(3, 2, 2)), 36),
    "vector and matrix": (lambda x: x[:4] @ SMALL.T, 12),
    "einsum": (lambda x: np.einsum("ij,kj->ik", x.reshape(3, 4), SMALL), 36),
    "sums": (lambda x: np.sum(x.reshape(3, 4) ** 2, axis=1), 12),
    "outer": (lambda x: np.outer(x[:2], x[2:5]), 12),
    "along an axis": (lambda x: np.cumsum(x.reshape(3, 4) ** 2, axis=1), 48),
    "sort": (lambda x: np.sort(x) ** 2, 12),
    "laplace": (laplace, 46),
    "everything": (lambda x: np.convolve(x, [1.0, 2.0, 1.0], "same"), 144),
    "where": (lambda x: np.where(x > 0.0, x, 0.0) * x[::-1], 24),
    "concatenate": (lambda x: np.concatenate([x[:3], x[2:5] ** 2, np.ones(2)]), 6),
    "triangle": (lambda x: np.triu(x.reshape(3, 4)), 9),
    "constant": (lambda x: np.ones(3), 0),
    "scalar": (lambda x: np.sum(x**2), 12),
    "itself": (lambda x: x, 12),
    "windows": (lambda x: np.lib.stride_tricks.sliding_window_view(x, 3) @ SMALL[0, :3], 30),
    "repeat": (lambda x: np.repeat(x, 2), 24),
    "in place": (in_place, 15),
    "prod": (lambda x: np.prod(x.reshape(3, 4), axis=0), 12),
    "counts": (lambda x: np.bincount(np.arange(12) % 3, weights=x), 12),
    "fft": (lambda x: np.fft.rfft(x).real, 84),
    "softmax": (lambda x: np.exp(x.reshape(3, 4)) / np.exp(x.reshape(3, 4)).sum(1)[:, None], 48),
    "checkpoint": (lambda x: checkpoint(block)(x), 24),
    "single precision": (lambda x: x.astype("f4")[2:] * 2, 10),
}  # fmt: skip

HESSIANS = {
    "rosen": (rosen, 34),
    "loop": (loop, 34),
    "laplace": (lambda x: np.sum(laplace(x) ** 2), 90),
    "quadratic form": (lambda x: x @ SPARSE @ x, np.count_nonzero(SPARSE + SPARSE.T)),
    "elements": (lambda x: np.sum(np.sin(x[INDEX] * x[INDEX[::-1]])), 16),
    "all": (lambda x: np.log(np.sum(np.exp(x))), 144),
    "arrow": (lambda x: np.sum(np.sin(x[0] * x**2)), 34),
    "separable": (lambda x: np.sum(np.exp(x)), 12),
    "linear": (lambda x: np.sum(x), 0),
    "blocks": (lambda x: np.sum(np.linalg.norm(x.reshape(3, 4), axis=1) ** 3), 48),
    "checkpoint": (lambda x: np.sum(checkpoint(block)(x)), 36),
}


def check(sparse, dense, f, entries, optimize):
    compiled, reference = sparse(f, optimize=optimize), dense(f, optimize=False)
    for seed in range(3):
        x = X if seed == 0 else spaced(-1.5, 1.4, (N,), seed=seed)
        found, expected = compiled(x), np.reshape(reference(x), (-1, N))
        assert isinstance(found, scipy.sparse.csr_array)
        assert found.has_canonical_format and found.dtype == expected.dtype
        assert found.nnz == entries
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-9, atol=1e-12)


@MODES
@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobian(name, optimize):
    check(sparse_jacobian, jacobian, *JACOBIANS[name], optimize)


@MODES
@pytest.mark.parametrize("name", HESSIANS)
def test_hessian(name, optimize):
    check(sparse_hessian, hessian, *HESSIANS[name], optimize)


@MODES
def test_rosenbrock_of_ten_thousand(optimize):
    """Three sweeps for its Hessian; the dense one would have 800 MB."""
    x = np.random.default_rng(1).normal(size=10_000)
    found = sparse_hessian(rosen, optimize=optimize)(x)
    below = -400.0 * x[:-1]
    middle = np.zeros(10_000)
    middle[:-1] += 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    middle[1:] += 200.0
    expected = scipy.sparse.diags_array([below, middle, below], offsets=[-1, 0, 1])
    assert found.nnz == 29_998
    assert abs(found - expected).max() < 1e-9
    np.testing.assert_allclose(
        sparse_hessian(rosen)(x[:20]).toarray(), scipy.optimize.rosen_hess(x[:20])
    )


@MODES
def test_structures_and_arguments(optimize):
    """Rows and columns follow the leaves; other arguments and keywords go through."""
    params = {"a": X[:3], "b": (2.0, X[3:7].reshape(2, 2))}

    def f(t, p, power=2):
        return {"u": p["a"] ** power * t, "v": np.sum(p["b"][1], axis=0) * p["b"][0]}

    found = sparse_jacobian(f, 1, optimize=optimize)(1.5, params, power=3).toarray()
    expected = np.zeros((5, 8))
    expected[:3, :3] = np.diag(4.5 * X[:3] ** 2)
    expected[3:, 3] = X[3:7].reshape(2, 2).sum(0)
    expected[3:, 4:] = 2.0 * np.array([[1, 0, 1, 0], [0, 1, 0, 1]])
    np.testing.assert_allclose(found, expected)
    curved = sparse_hessian(lambda p: np.sum(p["a"] ** 3) * p["b"][0], optimize=optimize)
    found = curved(params)
    assert found.nnz == 9
    expected = np.zeros((8, 8))
    expected[:3, :3] = np.diag(12.0 * X[:3])
    expected[:3, 3] = expected[3, :3] = 3.0 * X[:3] ** 2
    np.testing.assert_allclose(found.toarray(), expected)


@MODES
def test_several_arguments(optimize):
    f = lambda a, b, c: np.sum(a * c) + np.sum(b * c**2)
    found = sparse_hessian(f, (2, 0), optimize=optimize)(X[:2], X[2:4], X[4:6]).toarray()
    expected = np.diag([*(2.0 * X[2:4]), 0.0, 0.0])
    expected += np.diag([1.0, 1.0], 2) + np.diag([1.0, 1.0], -2)
    np.testing.assert_allclose(found, expected)
    found = sparse_jacobian(lambda a, b: a * b, (1, 0), optimize=optimize)(X[:2], X[2:4])
    np.testing.assert_allclose(found.toarray(), np.hstack([np.diag(X[:2]), np.diag(X[2:4])]))


@MODES
def test_a_number_a_matrix_and_nothing(optimize):
    found = sparse_jacobian(np.sin, optimize=optimize)(0.5)
    np.testing.assert_allclose(found.toarray(), [[np.cos(0.5)]])
    found = sparse_jacobian(lambda x: x.T @ SMALL, optimize=optimize)(SMALL)
    expected = jacobian(lambda x: x.T @ SMALL)(SMALL).reshape(16, 12)
    np.testing.assert_allclose(found.toarray(), expected)
    assert sparse_jacobian(np.sin, optimize=optimize)(np.ones(0)).shape == (0, 0)
    single = sparse_hessian(rosen, optimize=optimize)(X.astype("f4"))
    assert single.dtype == np.float32 and single.nnz == 34


@MODES
def test_patterns_follow_the_data(optimize):
    """Places that are read, zeros of a matrix and branches may change between calls."""
    places, matrix = np.array([0, 1, 2]), np.eye(4)

    def f(x):
        if x[0] > 0:
            return matrix @ x
        return np.concatenate([x[places], matrix[0] * np.sum(x)])

    compiled = sparse_jacobian(f, optimize=optimize)
    reference = jacobian(f, optimize=False)
    for step in range(12):
        if step == 4:
            places[1] = 3
        if step == 6:
            matrix[1, 3] = 2.0
        for x in (X[:4], np.abs(X[:4]), -np.abs(X[:4])):
            np.testing.assert_allclose(compiled(x).toarray(), reference(x))


@MODES
def test_opaque_functions_depend_on_everything(optimize):
    @primitive
    def twisted(x):
        return np.array([x[1], x[0] * 2.0, x[2]])

    defvjp(twisted, lambda g, out, x: np.stack([2.0 * g[1], g[0], g[2]]))
    found = sparse_jacobian(lambda x: twisted(x) ** 2, optimize=optimize)(X[:3])
    expected = [[0, 2 * X[1], 0], [8 * X[0], 0, 0], [0, 0, 2 * X[2]]]
    np.testing.assert_allclose(found.toarray(), expected)


@MODES
def test_functions_of_the_user_are_not_tried_out(optimize):
    @primitive
    def flipped(x):
        assert np.all(x >= 0.0)
        return x[::-1]

    defvjp(flipped, lambda g, out, x: flipped(g))
    found = sparse_jacobian(lambda x: flipped(x**2), optimize=optimize)(X[:3])
    np.testing.assert_allclose(found.toarray(), 2 * np.diag(X[:3])[::-1])


@MODES
def test_states_of_differential_equations(optimize):
    def last(p):
        return scipy.integrate.odeint(lambda y, t: p[2] - y * p[:2], p[3:], [0.0, 0.5, 1.0])[-1]

    given = np.array([0.6, 0.95, 0.3, 0.9, 0.4])
    found = sparse_jacobian(last, optimize=optimize)(given).toarray()
    np.testing.assert_allclose(found, jacobian(last, optimize=False)(given), rtol=1e-9, atol=1e-12)


def test_what_is_refused():
    with pytest.raises(errors.UnsupportedError, match="cannot be traced; use hessian"):
        grad(lambda x: sparse_hessian(rosen)(x).sum())(X)
    with pytest.raises(errors.ParameterTypeError, match="argument 0 is complex128"):
        sparse_jacobian(np.sin)(X * 1j)
    with pytest.raises(errors.ParameterTypeError, match="the output is complex128"):
        sparse_jacobian(lambda x: x * 1j)(X)
    with pytest.raises(errors.ParameterTypeError, match="argument 0 is float16"):
        sparse_jacobian(np.sin)(X.astype(np.float16))
    with pytest.raises(errors.ParameterTypeError, match="argument 0, which holds no numbers"):
        sparse_jacobian(lambda p: 1.0)({})
    with pytest.raises(errors.NotScalarError, match="it returns a list"):
        sparse_jacobian(lambda x: [])(X)
    with pytest.raises(TypeError, match="takes a function"):
        sparse_jacobian(3.0)


@MODES
def test_leaves_that_are_no_numbers_have_no_rows(optimize):
    def squares(p):
        return {"name": p["name"], "squares": p["x"] ** 2}

    given = {"name": "x", "on": True, "x": X[:3]}
    jac = sparse_jacobian(squares, optimize=optimize)(given)
    np.testing.assert_allclose(jac.toarray(), 2 * np.diag(X[:3]))
    hess = sparse_hessian(lambda p: np.sum(p["x"] ** 2), optimize=optimize)(given)
    np.testing.assert_allclose(hess.toarray(), 2 * np.eye(3))


def test_a_full_row_is_coloured_once():
    matrix = scipy.sparse.csr_array(np.vstack([np.ones(30), np.eye(30)]), dtype=bool)
    for pattern, by_rows in ((matrix, True), (matrix.T.tocsr(), False)):
        found, colors = _fewer_colors(pattern.T.tocsr(), pattern)
        assert (found, max(colors) + 1) == (by_rows, 2)


def test_it_answers_like_what_jit_grad_returns():
    compiled = sparse_hessian(rosen)
    compiled(X)
    text = compiled.source(X)
    assert "Compute outputs of entries_of_hessian_of_rosen" in text
    assert "[3,11]" in text  # three sums of columns at once
    assert jit_grad(rosen)(X)[0].shape == (N,)


@st.composite
def matrices(draw, symmetric):
    rows = draw(st.integers(1, 12))
    columns = rows if symmetric else draw(st.integers(1, 12))
    bits = draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns))
    matrix = np.reshape(bits, (rows, columns)) & (
        np.random.default_rng(draw(st.integers(0, 99))).random((rows, columns))
        < draw(st.floats(0.1, 1.0))
    )
    return matrix | matrix.T if symmetric else matrix


@given(matrices(symmetric=False))
def test_columns_of_a_color_share_no_row(matrix):
    colors = color_columns(scipy.sparse.csr_array(matrix))
    for color in range(colors.max() + 1):
        assert matrix[:, colors == color].sum(1).max() <= 1


@given(matrices(symmetric=True))
def test_symmetric_entries_can_be_told(matrix):
    values = np.random.default_rng(0).normal(size=matrix.shape)
    values = np.where(matrix, values + values.T, 0.0)
    pattern = scipy.sparse.csr_array(matrix)
    colors = color_symmetric(pattern)
    sums = np.stack([values[:, colors == c].sum(1) for c in range(colors.max() + 1)])
    rows, columns = np.nonzero(matrix)
    chosen, at = mirrored(rows, columns, colors)
    np.testing.assert_allclose(sums[colors[chosen], at], values[rows, columns])


@pytest.mark.parametrize("size", [5, 300])
def test_few_colors(size):
    band = scipy.sparse.diags_array([np.ones(size - 1), np.ones(size), np.ones(size - 1)],
                                    offsets=[-1, 0, 1]).tocsr()  # fmt: skip
    assert color_columns(band).max() == 2 and color_symmetric(band).max() == 2
    arrow = np.eye(size, dtype=bool)
    arrow[0] = arrow[:, 0] = True
    assert color_symmetric(scipy.sparse.csr_array(arrow)).max() == 1
    both = np.eye(size, dtype=bool)
    both[:, -1] = both[-1] = True
    assert color_symmetric(scipy.sparse.csr_array(both)).max() == 1
