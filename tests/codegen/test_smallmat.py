"""Small matrices: the same as NumPy, for every size, layout and scale, compiled or not."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejit.codegen import smallmat
from tracejit.codegen.library import source_of

SIZES = st.integers(1, 16)
KINDS = st.sampled_from([np.float64, np.float32])
SEEDS = st.integers(0, 2**32 - 1)
TOLERANCE = {np.float64: 1e-9, np.float32: 2e-3}


def in_layout(array, layout):
    """Copy an array into rows, into columns, or into every other place of something larger."""
    if layout == "C":
        return array.copy()
    if layout == "F":
        return np.asfortranarray(array)
    wide = np.full((2 * array.shape[0], 2 * array.shape[1]), np.nan, array.dtype)
    wide[::2, ::2] = array
    return wide[::2, ::2]


@functools.cache
def compiled(name, arguments):
    """Compile a function that calls one of them; only compiled code may."""
    numba = pytest.importorskip("numba")
    scope = {"np": np, "njit": numba.njit}
    letters = ", ".join("abcd"[:arguments])
    exec(source_of([name]) + f"def call({letters}):\n    return {name}({letters})", scope)
    return numba.njit(error_model="numpy")(scope["call"])


def both_ways(name, *arrays, compile_it):
    """Call the compiled function or the plain one."""
    if compile_it:
        return compiled(name, len(arrays))(*arrays)
    with np.errstate(all="ignore"):
        return getattr(smallmat, name)(*arrays)


def well_conditioned(rng, n, dtype):
    """Make a matrix with a large diagonal, its rows in any order and of any scale."""
    a = rng.standard_normal((n, n)) + 2 * n * np.eye(n)
    scale = 2.0 ** rng.integers(-30, 30, n)
    return (scale[:, None] * a[rng.permutation(n)]).astype(dtype)


@settings(max_examples=60, deadline=None)
@given(SIZES, SIZES, SIZES, KINDS, SEEDS, st.sampled_from("CFS"), st.sampled_from("CFS"))
def test_products(rows, inner, columns, dtype, seed, left, right):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((rows, inner)).astype(dtype)
    b = rng.standard_normal((inner, columns)).astype(dtype)
    expected = a.astype(float) @ b
    tolerance = {"rtol": TOLERANCE[dtype], "atol": 50 * np.finfo(dtype).eps}
    for name, second in (("matmul", b), ("matmul_nt", b.T)):
        out = np.full((rows, columns), np.nan, dtype)
        both_ways(name, in_layout(a, left), in_layout(second, right), out, compile_it=False)
        np.testing.assert_allclose(out, expected, **tolerance)
    out = np.full((rows, columns), np.nan, dtype)
    smallmat.fixed_matmul(a, b, out, rows, inner, columns)
    np.testing.assert_allclose(out, expected, **tolerance)
    out = np.full((rows, columns), np.nan, dtype)
    smallmat.outer(in_layout(a[:, :1], left), in_layout(b[:1], right), out)
    np.testing.assert_array_equal(out, a[:, :1] * b[:1])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layouts", ["CC", "SS"])
@pytest.mark.parametrize("name", ["matmul", "matmul_nt", "outer"])
def test_compiled_products(name, layouts, dtype):
    rng = np.random.default_rng(0)
    for rows, inner, columns in ((1, 100, 50), (4, 4, 4), (7, 13, 5), (1, 1, 1), (33, 20, 41)):
        inner = 1 if name == "outer" else inner
        a = rng.standard_normal((rows, inner)).astype(dtype)
        b = rng.standard_normal((inner, columns)).astype(dtype)
        out = np.full((rows, columns), np.nan, dtype)
        second = b.T if name == "matmul_nt" else b
        arrays = in_layout(a, layouts[0]), in_layout(second, layouts[1]), out
        both_ways(name, *arrays, compile_it=True)
        np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_minor_is_zero_where_its_products_are_equal(dtype):
    for a, b, c in np.random.default_rng(0).standard_normal((50, 3)).astype(dtype):
        assert both_ways("minor", a, b, b, a, compile_it=True) == 0
        few = 4 * np.finfo(dtype).eps
        minor = both_ways("minor", a, b, c, c, compile_it=True)
        np.testing.assert_allclose(minor, a * b - c * c, rtol=few, atol=few)


def test_infinities_and_nan_go_through_products():
    a = np.array([[np.inf, 1.0, -2.0, 2.0, -1.0], [0.0, 1.0, 2.0, np.nan, 4.0]])
    b = np.ones((5, 3))
    for name, second in (("matmul", b), ("matmul_nt", b.T.copy())):
        out = np.empty((2, 3))
        both_ways(name, a, second, out, compile_it=True)
        np.testing.assert_array_equal(out, [[np.inf] * 3, [np.nan] * 3])


def check_solving(n, columns, dtype, seed, layout, compile_it):
    rng = np.random.default_rng(seed)
    a = well_conditioned(rng, n, dtype)
    b = rng.standard_normal((n, columns)).astype(dtype)
    work, out = np.empty_like(a), np.empty_like(b)
    first = in_layout(a, layout)
    assert both_ways("solve", first, b, work, out, compile_it=compile_it)
    expected = np.linalg.solve(a, b)
    np.testing.assert_allclose(out, expected, rtol=0, atol=TOLERANCE[dtype] * abs(expected).max())
    out = np.empty_like(a)
    assert both_ways("inv", first, work, out, compile_it=compile_it)
    expected = np.linalg.inv(a)
    scale = abs(expected).max(0)
    np.testing.assert_allclose(out / scale, expected / scale, rtol=0, atol=TOLERANCE[dtype])
    found = both_ways("det", first, work, compile_it=compile_it)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(found, np.linalg.det(a), rtol=TOLERANCE[dtype])
    symmetric = (a @ a.T / (abs(a).max(1)[:, None] * abs(a).max(1))).astype(dtype)
    symmetric += np.eye(n, dtype=dtype)
    out = np.empty_like(a)
    assert both_ways("cholesky", in_layout(symmetric, layout), out, compile_it=compile_it)
    np.testing.assert_allclose(out, np.linalg.cholesky(symmetric), rtol=0, atol=TOLERANCE[dtype])


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(1, 4), KINDS, SEEDS, st.sampled_from("CFS"))
def test_systems_inverses_and_factors(n, columns, dtype, seed, layout):
    check_solving(n, columns, dtype, seed, layout, compile_it=False)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 4), KINDS, SEEDS)
def test_compiled_systems_inverses_and_factors(n, columns, dtype, seed):
    check_solving(n, columns, dtype, seed, "C", compile_it=True)


@pytest.mark.parametrize("compile_it", [False, True])
@settings(max_examples=30, deadline=None)
@given(n=SIZES, kind=KINDS, seed=SEEDS)
def test_what_numpy_calls_singular_is_reported(compile_it, n, kind, seed):
    rng = np.random.default_rng(seed)
    a = rng.integers(-4, 5, (n, n)).astype(kind)
    a[:, rng.integers(n)] = 0.0
    work, out = np.empty_like(a), np.empty_like(a)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.inv(a)
    assert not both_ways("inv", a, work, out, compile_it=compile_it)
    assert not both_ways("solve", a, a, work, out, compile_it=compile_it)
    assert both_ways("det", a, work, compile_it=compile_it) == 0.0
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(a * a.T)
    assert not both_ways("cholesky", a * a.T, out, compile_it=compile_it)


@pytest.mark.parametrize("compile_it", [False, True])
def test_nan_gives_nan_and_is_not_singular(compile_it):
    for a in ([[np.nan, 1.0], [1.0, 2.0]], [[0.0, 1.0], [np.nan, 1.0]], [[0.0, 0.0], [np.nan, 0]]):
        a = np.array(a)
        work, out = np.empty_like(a), np.empty_like(a)
        both_ways("inv", a, work, out, compile_it=compile_it)
        assert np.isnan(out).any()
        assert np.isnan(both_ways("det", a, work, compile_it=compile_it))
    a = np.array([[np.nan, 1.0], [1.0, 2.0]])
    assert both_ways("cholesky", a, out, compile_it=compile_it)
    assert np.isnan(out).any()


@pytest.mark.parametrize("compile_it", [False, True])
def test_determinants_whose_products_leave_the_range(compile_it):
    a = np.diag([1e200, -1e200, 1e-300, 1e-150])
    found = both_ways("det", a, np.empty_like(a), compile_it=compile_it)
    assert np.isclose(found, -1e-50, rtol=1e-12)
    assert both_ways("det", np.diag([1e300, 1e300]), np.empty((2, 2)), compile_it=compile_it) == (
        np.inf
    )
