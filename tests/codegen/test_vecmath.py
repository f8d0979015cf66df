"""Scalar mathematics: 4 ulp of the right value, NumPy's special values, compiled or not."""

import functools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejit.codegen.library import PIECES, source_of
from tracejit.codegen.vecmath import ordered
from tracejit.codegen.vecmath.circular import FAR

mp = pytest.importorskip("mpmath")
LIMIT = 4.0
DTYPES = {"f8": np.float64, "f4": np.float32}


def reference(function):
    """Take a function of mpmath at 200 bits, with NaN where it is not real."""

    def compute(*values):
        with mp.workprec(200):
            result = function(*map(mp.mpf, values))
            return mp.nan if isinstance(result, mp.mpc) else +result

    return compute


def exact_log(x):
    return mp.log(x) if x > 0 else (mp.ninf if x == 0 else mp.nan)


def exact_log1p(x):
    return mp.log1p(x) if x > -1 else exact_log(x + 1)


def exact_softplus(x):
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


# What it should be, and where it is interesting.
UNARY = {
    "exp": (mp.exp, (-750, 712)),
    "expm1": (mp.expm1, (-50, 712)),
    "tanh": (mp.tanh, (-25, 25)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), (-750, 50)),
    "softplus": (exact_softplus, (-750, 50)),
    "log": (exact_log, (0.1, 10)),
    "log1p": (exact_log1p, (-1, 3)),
    "sqrt": (lambda x: mp.sqrt(x) if x >= 0 else mp.nan, (0, 10)),
    "erf": (mp.erf, (-7, 7)),
    "sin": (mp.sin, (-FAR, FAR)),
    "cos": (mp.cos, (-FAR, FAR)),
}
CASES = [(name, kind) for name in UNARY for kind in DTYPES]
# For these NumPy has no function, or SciPy has: values at NaN, infinities and signed zeros.
EXTREMES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
AT_EXTREMES = {
    "sigmoid": [np.nan, 1.0, 0.0, 0.5, 0.5],
    "softplus": [np.nan, np.inf, 0.0, np.log(2.0), np.log(2.0)],
    "erf": [np.nan, 1.0, -1.0, 0.0, -0.0],
}


@functools.cache
def compiled(name, arguments=1):
    """Compile a loop that calls one function; it takes and returns arrays."""
    numba = pytest.importorskip("numba")
    scope = {"np": np, "njit": numba.njit}
    names = ["x", "y"][:arguments]
    elements = ", ".join(f"{letter}[i]" for letter in names)
    loop = f"def loop({', '.join(names)}, out):\n    for i in range(out.size):\n"
    exec(source_of([name]) + loop + f"        out[i] = {name}({elements})", scope)
    array = f"{name[-2:]}[::1]"
    signature = f"void({', '.join([array] * (arguments + 1))})"
    return numba.njit(signature, error_model="numpy", fastmath={"contract"})(scope["loop"])


def call_compiled(name, *arrays):
    out = np.empty_like(arrays[0])
    compiled(name, len(arrays))(*arrays, out)
    return out


@functools.cache
def interpreted(name):
    """Execute the pasted text without Numba."""
    scope = {"np": np, "njit": lambda **options: lambda function: function}
    exec(source_of([name]), scope)
    return scope[name]


def call_interpreted(name, *arrays):
    with np.errstate(all="ignore"):
        values = [interpreted(name)(*scalars) for scalars in zip(*arrays, strict=True)]
    return np.array(values, arrays[0].dtype)


def ulps(got, exact, dtype):
    """Measure how far one number is from the exact value, in ulp of that value."""
    info = np.finfo(dtype)
    with np.errstate(over="ignore"):
        rounded = dtype(float(exact))
    if np.isnan(rounded) or np.isinf(rounded) or not np.isfinite(got):
        same = got == rounded or (np.isnan(got) and np.isnan(rounded))
        # At the threshold of overflow both neighbours are right.
        return 0.0 if same or (np.isinf(got) and abs(exact) > 0.9999999 * info.max) else np.inf
    exponent = mp.frexp(exact)[1] - 1 - info.nmant if exact else info.minexp
    unit = mp.ldexp(1, max(int(exponent), info.minexp - info.nmant))
    return float(abs(mp.mpf(float(got)) - exact) / unit)


def worst(got, exact, *arrays):
    dtype = got.dtype.type
    lists = [array.tolist() for array in arrays]
    found = [
        (ulps(value, exact(*inputs), dtype), inputs)
        for value, *inputs in zip(got, *lists, strict=True)
    ]
    return max(found, key=lambda pair: pair[0])


def samples(kind, interval, count, seed=0):
    """Draw from all exponents, from exponents near 0, and evenly from an interval."""
    dtype = DTYPES[kind]
    info = np.finfo(dtype)
    rng = np.random.default_rng(seed)
    exponents = np.concatenate(
        [
            rng.integers(info.minexp - info.nmant, info.maxexp, count),
            rng.integers(-info.nmant - 6, 11, count),
        ]
    )
    spread = np.ldexp(rng.uniform(1, 2, 2 * count), exponents) * rng.choice([-1, 1], 2 * count)
    low, high = interval
    if kind == "f4":
        low, high = max(low, -110), min(high, 90) if high < 1000 else high
    even = rng.uniform(low, high, count)
    edges = [info.max, info.tiny, info.smallest_subnormal, info.eps, 1.0, 1 + info.eps, 0.5, 22.0]
    edges = np.concatenate([edges, np.negative(edges), EXTREMES])
    with np.errstate(over="ignore"):
        return np.concatenate([spread, even, edges]).astype(dtype)


def inside(name, x):
    """Keep what a function is there for."""
    return x[~(abs(x) > FAR)] if name in ("sin", "cos") else x


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_compiled_functions_are_right_over_the_whole_range(name, kind):
    function, interval = UNARY[name]
    x = inside(name, samples(kind, interval, 800))
    error, where = worst(call_compiled(f"{name}_{kind}", x), reference(function), x)
    assert error <= LIMIT, where


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_same_text_is_right_without_numba(name, kind):
    function, interval = UNARY[name]
    x = inside(name, samples(kind, interval, 150, seed=1))
    got = call_interpreted(f"{name}_{kind}", x)
    error, where = worst(got, reference(function), x)
    assert error <= LIMIT, where


@pytest.mark.parametrize("call", [call_compiled, call_interpreted])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_nan_infinities_and_signed_zeros_are_numpys(name, kind, call):
    x = np.tile(EXTREMES, 5).astype(DTYPES[kind])  # enough for whole vectors and a rest
    with np.errstate(all="ignore"):
        expected = np.tile(AT_EXTREMES[name], 5) if name in AT_EXTREMES else getattr(np, name)(x)
    if name in ("sin", "cos"):
        x, expected = (np.where(np.isinf(x), np.nan, values) for values in (x, expected))
        x, expected = x.astype(DTYPES[kind]), expected.astype(DTYPES[kind])
    got = call(f"{name}_{kind}", x)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    whole = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[whole], np.signbit(expected)[whole])


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_any_number_that_hypothesis_finds(name, kind):
    exact = reference(UNARY[name][0])
    bound = FAR if name in ("sin", "cos") else None
    numbers = st.floats(
        width=64 if kind == "f8" else 32,
        min_value=bound and -bound,
        max_value=bound,
        allow_nan=bound is None,
    )

    @settings(max_examples=30, deadline=None)
    @given(st.lists(numbers, min_size=1, max_size=20))
    def check(values):
        x = np.array(values, DTYPES[kind])
        error, where = worst(call_compiled(f"{name}_{kind}", x), exact, x)
        assert error <= LIMIT, where

    check()


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_quarter_turns_leave_an_exact_rest(name, kind):
    turns = np.random.default_rng(2).integers(1, int(FAR / 1.6), 1000)
    x = (turns * (np.pi / 2)).astype(DTYPES[kind])
    error, where = worst(call_compiled(f"{name}_{kind}", x), reference(UNARY[name][0]), x)
    assert error <= LIMIT, where


def power_samples(kind, count):
    """Draw bases from everywhere, and exponents that take them to the ends of the range."""
    dtype = DTYPES[kind]
    info = np.finfo(dtype)
    rng = np.random.default_rng(3)
    bases = np.concatenate(
        [
            np.abs(samples(kind, (0.5, 2.0), count)),
            rng.uniform(0.99, 1.01, count),
            1 + np.ldexp(rng.uniform(-1, 1, count), rng.integers(-info.nmant, 0, count)),
        ]
    ).astype(dtype)
    bases = bases[(bases > 0) & (bases < np.inf) & (bases != 1)]
    reach = rng.uniform(info.minexp - info.nmant - 2, info.maxexp + 1, bases.size)
    with np.errstate(over="ignore"):
        exponents = (reach / np.log2(bases.astype(float))).astype(dtype)
    exponents[::5] = rng.uniform(-3, 3, exponents[::5].size)
    whole = np.isfinite(exponents)
    return bases[whole], exponents[whole]


@pytest.mark.parametrize("kind", DTYPES)
def test_powers_are_right_up_to_the_ends_of_the_range(kind):
    x, y = power_samples(kind, 800)
    error, where = worst(call_compiled(f"pow_{kind}", x, y), reference(mp.power), x, y)
    assert error <= LIMIT, where
    got = call_interpreted(f"pow_{kind}", x[::8], y[::8])
    error, where = worst(got, reference(mp.power), x[::8], y[::8])
    assert error <= LIMIT, where


@pytest.mark.parametrize("call", [call_compiled, call_interpreted])
@pytest.mark.parametrize("kind", DTYPES)
def test_powers_of_special_numbers_are_numpys(kind, call):
    info = np.finfo(DTYPES[kind])
    positive = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 2.0**23 + 1, 2.0**53, 1e10, np.inf, info.max]
    positive += [info.tiny, info.smallest_subnormal, 1 + info.eps, 1 - info.eps]
    every = np.array([*positive, *np.negative(positive), np.nan], DTYPES[kind])
    x, y = (grid.ravel() for grid in np.meshgrid(every, every))
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    got = call(f"pow_{kind}", x, y)
    np.testing.assert_allclose(got, expected, rtol=8 * info.eps)
    whole = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[whole], np.signbit(expected)[whole])


@pytest.mark.parametrize(("name", "kind"), [*CASES, ("pow", "f8"), ("pow", "f4")])
def test_loops_become_vectors(name, kind):
    vector = r"<\d+ x (float|double)>"
    (text,) = compiled(f"sqrt_{kind}").inspect_llvm().values()
    if not re.search(vector, text):
        pytest.skip("this processor has no vectors")
    loop = compiled(f"{name}_{kind}", 2 if name == "pow" else 1)
    (text,) = loop.inspect_llvm().values()
    assert re.search(vector, text)
    if kind == "f4" and name not in ("pow", "sin", "cos"):
        assert "double" not in text


def test_float32_functions_return_float32():
    places = vars(ordered)
    for name in PIECES.keys() - places.keys():
        if PIECES[name].is_function and name.endswith("_f4") and "power" not in name:
            arguments = len(re.search(rf"def {name}\((.*)\)", PIECES[name].text)[1].split(","))
            assert type(interpreted(name)(*[np.float32(0.5)] * arguments)) is np.float32, name


def test_a_text_defines_what_it_needs_once_and_in_one_order():
    text = source_of(["softplus_f8", "log_f8", "sigmoid_f8"])
    assert text == source_of(["sigmoid_f8", "softplus_f8", "log_f8"])
    assert text.count("def exp_f8(") == text.count("def log_reduced_f8(") == 1
    assert "tanh" not in text and "_F4" not in text
    for name in PIECES:
        if PIECES[name].is_function:
            assert interpreted(name)


@pytest.mark.parametrize("size", ["f4", "f8"])
def test_places_are_in_the_order_of_floats(size):
    dtype = DTYPES[size]
    tiny = np.finfo(dtype).smallest_subnormal
    values = np.array([-np.inf, -2.5, -tiny, -0.0, 0.0, tiny, 1.0, np.inf], dtype)
    top, bottom, back = (
        getattr(ordered, f"{name}_{size}") for name in ("top_place", "bottom_place", "float_at")
    )
    places = [top(value) for value in values]
    assert places == sorted(places) and places == [bottom(value) for value in values]
    assert [back(place) for place in places] == [*values]
    negative = -np.array(np.nan, dtype)[()]
    for nan in (dtype("nan"), negative):
        assert top(nan) > places[-1] and bottom(nan) < places[0]
        assert np.isnan(back(top(nan))) and np.isnan(back(bottom(nan)))
