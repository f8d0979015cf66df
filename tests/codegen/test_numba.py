"""The numba target against direct mode: interpreted, as with NUMBA_DISABLE_JIT, and compiled.

Compiling takes a second a program, so that is done to those where the compiler matters: layouts in
memory, rounding, types. TRACEJIT_TEST_ALL=1 compiles all of them.
"""

import os
import warnings

import numpy as np
import pytest

from tests.codegen.numba_programs import PROGRAMS
from tracejit import TracejitWarning, jit_grad
from tracejit.ops.index import like_it
from tracejit.tree import flatten

pytest.importorskip("numba")

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))
COMPILED = [
    "one element", "returned views", "Fortran carried", "Fortran through NumPy", "filtered",
    "compared again", "far arguments", "mixed", "named like parts", "strides", "history",
    "element behind a guard", "recursion", "scalar equations", "rotated", "rows by rows",
    "stacks of products",
]  # fmt: skip


def leaves(value):
    found = []
    flatten(value, found)
    return [v for v in found if type(v) is float or isinstance(v, (np.ndarray, np.generic))]


def scaled(value, factor):
    """Scale the floats in nested arguments; arrays keep their strides."""
    if isinstance(value, tuple):
        return tuple(scaled(v, factor) for v in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        new = like_it(value)
        if new.flags.writeable:
            new *= factor
        return new
    return type(value)(value * factor) if isinstance(value, (float, np.floating)) else value


def assert_close(actual, expected, single):
    a, b = [], []
    assert flatten(actual, a) == flatten(expected, b)
    for x, y in zip(a, b, strict=True):
        assert type(x) is type(y)
        assert getattr(x, "dtype", None) == getattr(y, "dtype", None)
        few = 1e-4 if single else 1e-9
        np.testing.assert_allclose(x, y, rtol=few, atol=few / 100)


def check(df, function, args):
    """Compare calls with direct ones: values, types, that results last and share no memory."""
    direct = jit_grad(function, optimize=False)
    single = any(getattr(v, "dtype", None) == np.float32 for v in leaves(args))
    earlier = []
    for factor in (1.0, 1.0, 0.9, 1.1, 1.0):
        given = scaled(args, factor)
        kept = [np.array(leaf) for leaf in leaves(given)]
        with np.errstate(all="ignore"):
            result, expected = df(*given), direct(*given)
        assert_close(result, expected, single)
        for argument, before in zip(leaves(given), kept, strict=True):
            np.testing.assert_array_equal(argument, before)
        earlier.append((result, expected))
        arrays = [v for v in leaves((given, result)) if isinstance(v, np.ndarray)]
        for number, a in enumerate(arrays):
            assert not any(np.may_share_memory(a, b) for b in arrays[number + 1 :] if a is not b)
    for result, expected in earlier:
        assert_close(result, expected, single)
    assert df.cache_info().direct == 0, df.explain()


@pytest.mark.parametrize("name", PROGRAMS)
def test_interpreted(interpreted, name):
    function, *args = PROGRAMS[name]
    check(jit_grad(function, audit=False, backend="numpy"), function, tuple(args))


@pytest.mark.parametrize("name", PROGRAMS if ALL else COMPILED)
def test_compiled(name):
    function, *args = PROGRAMS[name]
    df = jit_grad(function, audit=False, backend="numba")
    check(df, function, tuple(args))
    if name != "nothing to do":
        assert "(" in compiled_kernels(df), df.explain()


def compiled_kernels(df):
    """What explain() says of the machine code."""
    text = df.explain().split("numba target: ")[1]
    return text if text.startswith(("compiled in this", "loaded from", "shared with")) else ""


def test_a_vector_crossed_with_itself_is_zero_in_machine_code():
    df = jit_grad(lambda x: np.sum(np.abs(np.cross(x, 2.0 * x))), audit=False, backend="numba")
    x = np.random.default_rng(0).normal(size=(64, 3))
    for _ in range(3):
        assert df(x)[1] == 0.0
    assert "minor" in df.source(x, backend="numba") and compiled_kernels(df)


def test_small_matrices_that_are_singular_raise(interpreted):
    df = jit_grad(lambda x: np.sum(np.linalg.inv(x * 1.0)), audit=False, backend="numpy")
    for _ in range(3):
        df(np.eye(3))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        df(np.ones((3, 3)))
    grads, value = df(np.eye(3))
    assert value == 3.0
    np.testing.assert_array_equal(grads, -np.ones((3, 3)))


def test_singular_matrices_raise_in_machine_code():
    df = jit_grad(lambda x: np.sum(np.linalg.inv(x * 1.0)), audit=False, backend="numba")
    for _ in range(3):
        assert df(np.eye(3))[1] == 3.0
    assert compiled_kernels(df)
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        df(np.ones((3, 3)))
    assert df(np.eye(3))[1] == 3.0


SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, np.nan, np.inf, -np.inf, 1e-310, 1e300, -1e300, 1e-20,
    700.0, -750.0, 1e8, -3e12, 2.5, 1.5, -1.5,
]  # fmt: skip
UNARY = [
    "exp", "log", "log1p", "expm1", "tanh", "sqrt", "sin", "cos", "abs", "sign", "square",
    "reciprocal", "floor", "ceil", "trunc", "rint", "exp2", "isnan", "isinf", "isfinite",
]  # fmt: skip
BINARY = ["maximum", "minimum", "fmax", "fmin", "divide", "power", "arctan2", "copysign", "hypot"]


def special(x, y):
    """All functions of one element and of two."""
    one = [getattr(np, name)(x) for name in UNARY]
    two = [getattr(np, name)(x, y) for name in BINARY]
    powers = [np.power(x, n) for n in (-2, -1, 0.5, 1, 2, 3, 4)]
    return 0.0, *one, *two, *powers, np.where(x > 0, x, -0.0), np.where(np.isnan(x), 1.0, x)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.filterwarnings("ignore")
def test_special_values(interpreted, dtype):
    """NaN, infinities and signed zeros are NumPy's."""
    x, y = np.array([(a, b) for a in SPECIAL for b in SPECIAL]).T.astype(dtype)
    df = jit_grad(lambda x, y: (np.sum(x) * 0.0, *special(x, y)[1:]), audit=False, backend="numpy")
    df(x.copy(), y.copy())
    _, _, *results = df(x.copy(), y.copy())
    assert df.cache_info().direct == 0 and "exp2_f" in df.source(x, y)
    names = [*UNARY, *BINARY, *(["power"] * 7), "where", "where"]
    for name, actual, expected in zip(names, results, special(x, y)[1:], strict=True):
        assert actual.dtype == expected.dtype, name
        few = 1e-12 if dtype == "f8" else 3e-6
        np.testing.assert_allclose(actual, expected, rtol=few, atol=0.0, err_msg=name)
        if actual.dtype.kind == "f":
            zero = (actual == 0) & (expected == 0)
            np.testing.assert_array_equal(
                np.signbit(actual)[zero], np.signbit(expected)[zero], err_msg=name
            )


def reduced(x):
    results = []
    for axis in (None, 0, 1):
        for name in ("sum", "max", "min", "prod"):
            results.append(getattr(np, name)(x, axis=axis))
            results.append(getattr(np, name)(x * 2.0, axis=axis, keepdims=True))
    return np.sum(x) * 0.0, *results


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.filterwarnings("ignore")
def test_special_values_in_reductions(interpreted, dtype):
    x = np.array([
        [1, 2, np.nan, 0], [-1, -2, -2, -1], [-np.inf] * 4, [np.inf, -np.inf, 1, 2], [np.nan] * 4,
        [np.inf, np.inf, 0, 0],
    ], dtype)  # fmt: skip
    df = jit_grad(reduced, audit=False, backend="numpy")
    df(x)
    assert "njit" in df.source(x)
    for actual, expected in zip(df(x)[1:], reduced(x), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_sines_are_tried_fast_first(interpreted):
    text = jit_grad(lambda x: np.sum(np.sin(x)), backend="numpy").source(np.ones(3))
    assert text.index("sin_f8(x[i])") < text.index("if far:") < text.index("np.sin(x[i])")


DTYPES = ["f2", "g", "c16", "i1", "u8", ">f8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_other_dtypes_are_left_to_numpy(interpreted, dtype):
    x, k = np.array([0.5, 1.5, -0.25]), np.array([1, 2, 3]).astype(dtype)
    df = jit_grad(lambda x: (np.sum(x * x), k * k + k, np.sum(k), x * k), audit=False,
                  backend="numpy")  # fmt: skip
    direct = jit_grad(lambda x: (np.sum(x * x), k * k + k, np.sum(k), x * k), optimize=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracejitWarning)
        df(x)
        assert_close(df(x), direct(x), False)


def test_integers_wrap_around():
    n = np.array([2**31 - 1, -(2**31), 7], "i4")

    def f(x):
        return np.sum(x * ((n + n) * n - n)), np.sum(x * -(n * 2))

    df, direct = jit_grad(f, audit=False, backend="numba"), jit_grad(f, optimize=False)
    x = np.ones(3)
    df(x)
    assert_close(df(x), direct(x), False)
    assert compiled_kernels(df)
