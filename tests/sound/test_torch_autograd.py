"""The known failings of torch-autograd and of its kind: none of them is ours.

Results that alias each other or a pool, a key without dtypes, wrong assignments, what was frozen at
trace time, a library left patched, constants and long programs that do not survive code generation.
"""

import math
import re
import threading
import warnings

import numpy as np
import pytest

from tests.sound.support import MODES, X, check, module
from tests.support import numeric
from tracejit import TracejitWarning, errors, jit_grad

Y = np.array([3.0, -1.0, 0.5])
ignored = pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")


def arrays_of(value):
    """All arrays in nested results."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [a for v in value for a in arrays_of(v)]
    return [value] if isinstance(value, np.ndarray) else []


def assert_apart(*values):
    """No two of the arrays in the values share memory."""
    arrays = arrays_of(values)
    for number, a in enumerate(arrays):
        assert a.size == 0 or not any(np.may_share_memory(a, b) for b in arrays[:number])


# -- aliases --------------------------------------------------------------------------------------


@MODES
def test_gradients_are_not_accumulated_into_a_shared_array(optimize):
    """A value used twice: the cotangents are added up, and earlier results stay what they were."""

    def f(p):
        h = p["a"] * 1.0 + p["b"]
        return np.sum(h * h) + np.sum(h * p["c"]) + np.sum(h), h

    df = jit_grad(f, optimize=optimize, audit=False)
    kept = []
    for number in range(5):
        p = {"a": X + number, "b": Y, "c": X * 2.0}
        grads, value, h = df(p)
        kept.append((p, grads, value, h))
        for p_, g_, value_, h_ in kept:  # those of earlier calls as well
            expected = 2.0 * (p_["a"] + p_["b"]) + p_["c"] + 1.0
            np.testing.assert_allclose(g_["a"], expected)
            np.testing.assert_allclose(g_["b"], expected)
            np.testing.assert_allclose(g_["c"], p_["a"] + p_["b"])
            np.testing.assert_allclose(value_, f(p_)[0])
            np.testing.assert_allclose(h_, p_["a"] + p_["b"])
    assert_apart([k[1:] for k in kept], [k[0]["a"] for k in kept], Y)


@MODES
def test_adding_to_returned_gradients_in_place_changes_nothing_else(optimize):
    w = {"a": X.copy(), "b": Y.copy()}
    df = jit_grad(lambda p, x: np.sum((p["a"] + p["b"]) * x), optimize=optimize, audit=False)
    total, _ = df(w, X)
    for number in range(2, 6):
        grads, _ = df(w, X)
        for name in total:
            total[name] += grads[name]
            np.testing.assert_allclose(grads[name], X)
            grads[name] *= -7.0
        np.testing.assert_allclose(total["a"], number * X)
        np.testing.assert_allclose(total["b"], number * X)
    np.testing.assert_array_equal(w["a"], X)
    np.testing.assert_array_equal(w["b"], Y)


@MODES
def test_outputs_fed_back_as_inputs(optimize):
    def f(h, x):
        new = np.tanh(h * 0.5 + x)
        return np.sum(new * new), new, h

    df = jit_grad(f, optimize=optimize, audit=False)
    h, expected = np.zeros(3), np.zeros(3)
    for _ in range(6):
        grads, value, new, same = df(h, X)
        plain = f(expected, X)
        np.testing.assert_allclose(value, plain[0])
        np.testing.assert_allclose(new, plain[1])
        np.testing.assert_array_equal(same, expected)
        np.testing.assert_allclose(grads, numeric(lambda h: f(h, X)[0], [expected])[0], atol=1e-8)
        assert_apart(grads, new, same, h)
        h, expected = new, plain[1]


@MODES
def test_gradients_fed_back_as_inputs(optimize):
    df = jit_grad(lambda p, v: np.sum(np.sin(p) * v), optimize=optimize, audit=False)
    p, v, q, u = X.copy(), Y.copy(), X.copy(), Y.copy()
    for _ in range(6):
        grad, _ = df(p, v)
        expected = np.cos(q) * u
        np.testing.assert_allclose(grad, expected)
        p, v, q, u = v, grad, u, expected


@MODES
def test_updates_in_place_while_results_are_kept(optimize):
    p, seen = X.copy(), []
    df = jit_grad(lambda p: (np.sum(p**2), p, p[1:], np.sin(p)), optimize=optimize, audit=False)
    for _ in range(5):
        grad, *outputs = df(p)
        seen.append((p.copy(), grad, outputs))
        p -= 0.1 * grad
    for at, grad, outputs in seen:
        np.testing.assert_allclose(grad, 2.0 * at)
        np.testing.assert_array_equal(outputs[1], at)
        np.testing.assert_array_equal(outputs[2], at[1:])
        np.testing.assert_allclose(outputs[3], np.sin(at))
    assert_apart(p, [s[1:] for s in seen])


SAME_GRADIENTS = [
    lambda p: np.sum(p[0] + p[1]),
    lambda p: np.sum((p[0] + p[1]) ** 2),
    lambda p: np.sum(p[0]) + np.sum(p[1]),
    lambda p: np.sum(np.stack(p) * 3.0),
    lambda p: np.sum(np.concatenate([p[0], p[1]])),
    lambda p: np.sum(X) + 0.0 * p[0][0] * p[1][0],
]


@MODES
@pytest.mark.parametrize("f", SAME_GRADIENTS)
def test_parameters_with_the_same_gradient_get_an_array_each(f, optimize):
    df = jit_grad(f, optimize=optimize, audit=False)
    shared = X.copy()
    for p in ([X, Y], [X, Y], [shared, shared], [X, X]):
        expected = numeric(lambda a, b: f([a, b]), p)
        grads, _ = df(p)
        for g, e in zip(grads, expected, strict=True):
            np.testing.assert_allclose(g, e, atol=1e-8)
        assert_apart(grads, p[:1])
        grads[0] += 100.0
        np.testing.assert_allclose(grads[1], expected[1], atol=1e-8)
        np.testing.assert_array_equal(shared, X)


@MODES
def test_outputs_that_are_one_array_are_returned_apart(optimize):
    def f(x):
        h = x * 2.0
        return np.sum(h), h, h, h[1:], [h, {"h": h}], x, np.broadcast_to(h, (2, 3))

    df = jit_grad(f, optimize=optimize, audit=False)
    for _ in range(4):
        grads, *outputs = df(X)
        assert_apart(grads, outputs, X)
        for array in arrays_of(outputs):
            array += 1.0  # owns its memory, and may be written to
        np.testing.assert_array_equal(X, [0.5, 1.25, 2.0])


@MODES
def test_one_module_used_twice(optimize):
    def layer(p, x):
        h = np.tanh(x @ p["w"] + p["b"])
        return h, np.sum(h)

    def f(p, x):
        one, a = layer(p, x)
        two, b = layer(p, one)
        three, c = layer(p, one)
        return np.sum(one * two * three) + a * b * c

    rng = np.random.default_rng(0)
    p = {"w": rng.standard_normal((2, 2)), "b": rng.standard_normal(2)}
    df = jit_grad(f, optimize=optimize, audit=False)
    for _ in range(4):
        x = rng.standard_normal((3, 2))
        expected = numeric(lambda w, b, x=x: f({"w": w, "b": b}, x), (p["w"], p["b"]))
        grads, value = df(p, x)
        np.testing.assert_allclose(value, f(p, x))
        np.testing.assert_allclose(grads["w"], expected[0], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(grads["b"], expected[1], rtol=1e-6, atol=1e-7)


# -- the key --------------------------------------------------------------------------------------


def as_is(x):
    return x


@MODES
@pytest.mark.parametrize("made", [as_is, np.float32, np.float64], ids=["array", "f4", "f8"])
def test_dtypes_are_part_of_the_key(made, optimize):
    def f(x, y):
        return np.sum(x * y / 3.0), x * 2

    df = jit_grad(f, optimize=optimize, audit=False)
    for x, y in [("f8", "f8"), ("f4", "f4"), ("f8", "f4"), ("f4", "f8"), ("f8", "i8"),
                 ("f4", "i4"), ("f4", "?"), ("f8", "f8")] * 2:  # fmt: skip
        one, two = X.astype(x), Y.astype(y)
        if made is not as_is:
            one = made(0.1)
        grad, value, double = df(one, two)
        expected, doubled = f(one, two)
        assert value.dtype == expected.dtype and double.dtype == doubled.dtype
        assert type(value) is type(expected) and type(double) is type(doubled)
        assert grad.dtype == one.dtype and grad.shape == one.shape
        np.testing.assert_allclose(value, expected, rtol=1e-6 if value.dtype == "f4" else 1e-14)


@MODES
def test_names_lengths_numbers_and_texts_are_part_of_the_key(optimize):
    def f(p, n, mode, flag):
        total = sum(np.sum(v) * (i + 1) for i, v in enumerate(p.values()))
        total = total + (np.sum(p["a"]) if "a" in p else 0.0)
        return total * n if mode == "scale" and not flag else total + n

    df = jit_grad(f, optimize=optimize, audit=False)
    for args in [
        ({"a": X}, 2, "scale", False), ({"a": X}, 3, "scale", False), ({"b": X}, 3, "scale", False),
        ({"a": X, "b": Y}, 3, "scale", False), ({"b": X, "a": Y}, 3, "scale", False),
        ({"b": X, "a": Y}, 3, "shift", False), ({"b": X, "a": Y}, 3, "scale", True),
        ({"a": X}, 2.5, "scale", False), ({"a": X}, 2, "scale", None),
    ] * 2:  # fmt: skip
        grads, value = df(*args)
        expected = f(*args)
        assert value == expected and type(value) is type(expected) and list(grads) == list(args[0])


# -- assignments ----------------------------------------------------------------------------------


def several_assignments():
    def f(x, s):
        z = np.zeros(4)
        z[0] = x[0] * s
        z[1] = x[1] * z[0]
        z[2] = x[2] * z[1]
        z[3] = z[0] + z[1] * z[2]
        z[0] = z[3] * 2.0
        z[1:3] = z[:2] * x[0]
        z[[0, 3]] = z[[3, 0]]
        return np.sum(z * z), z

    yield f
    for number in range(4):
        yield X * 0.4 + number * 0.1, 1.0 + number


def assignments_to_rows():
    def f(x):
        z = np.zeros((3, 3))
        for i in range(3):
            z[i] = x * (i + 1.0)
            z[i, i] += 1.0
            z[:, i] *= x[i]
        return np.sum(np.sin(z)), z, z[1]

    yield f
    for number in range(4):
        yield (X + number,)


def assignments_of_a_recurrence():
    def f(x):
        h = np.empty(8)
        h[0], h[1] = x[0], x[1]
        for t in range(2, len(h)):
            h[t] = 0.5 * h[t - 1] + 0.3 * h[t - 2] * x[2]
        return np.sum(h**2) + h[-1]

    yield f
    for number in range(4):
        yield (X + number,)


@MODES
@pytest.mark.parametrize(
    "scenario", [several_assignments, assignments_to_rows, assignments_of_a_recurrence],
    ids=lambda s: s.__name__,
)  # fmt: skip
def test_any_number_of_assignments(scenario, optimize):
    check(scenario, optimize, compiled=True)


def assign(p):
    p[0] = 1.0  # WRITE


def assign_traced(p):
    p[1] = p[0] * 2.0  # WRITE


def add_in_place(p):
    p += 1.0  # WRITE


def through_a_view(p):
    v = p[1:]
    v *= p[0]  # WRITE


@MODES
@pytest.mark.parametrize("write", [assign, assign_traced, add_in_place, through_a_view])
def test_an_assignment_into_a_parameter_is_an_error_that_names_the_line(write, optimize):
    def f(p):
        h = p["w"] * 2.0
        write(p["w"])
        return np.sum(h)

    with open(__file__) as file:
        lines = [n for n, text in enumerate(file, 1) if text.rstrip().endswith("# WRITE")]
    first = write.__code__.co_firstlineno
    line = next(n for n in lines if n > first)
    df = jit_grad(f, optimize=optimize, audit=False)
    for _ in range(3):
        w = X.copy()
        with pytest.raises(errors.WriteToArgumentError) as caught:
            df({"w": w})
        assert re.search(rf"test_torch_autograd\.py:{line}\b", str(caught.value))
        np.testing.assert_array_equal(w, X)
    np.testing.assert_array_equal(jit_grad(lambda p: np.sum(p["w"]))({"w": X})[0]["w"], 1.0)


# -- what was frozen ------------------------------------------------------------------------------


def control_flow():
    def f(x, n):
        total = np.sum(x * x)
        for _ in range(n):
            if total > 4.0:
                total = total / 2.0
            elif np.any(x < 0.0):
                total = total + np.sum(x)
            else:
                total = total * x[0]
        while total > 20.0:
            total = total * 0.5
        return total

    yield f
    for n in (1, 1, 2, 1, 2):
        for x in (X, X * 3.0, -X * 0.3):
            yield x, n


def dropout_masks():
    rng = np.random.default_rng(0)

    def f(w, x):
        h = np.tanh(x * w)
        mask = rng.random(h.shape) < 0.7
        h = h * mask / 0.7
        return np.sum(h * np.random.binomial(1, 0.5, h.shape))

    yield f, lambda: rng.bit_generator.state
    for _ in range(6):
        yield X, np.linspace(-1.0, 1.0, 12).reshape(4, 3)


def batch_normalisation():
    stats, training = {"mean": np.zeros(3), "var": np.ones(3)}, True

    def f(p, x):
        if training:
            m, v = np.mean(x * p["w"], axis=0), np.var(x * p["w"], axis=0)
            stats["mean"][:] = 0.9 * stats["mean"] + 0.1 * m
            stats["var"][:] = 0.9 * stats["var"] + 0.1 * v
        else:
            m, v = stats["mean"], stats["var"]
        h = (x * p["w"] - m) / np.sqrt(v + 1e-3) * p["g"] + p["b"]
        return np.sum(np.tanh(h) * np.array([1.0, 2.0, 3.0]))

    yield f, lambda: stats
    for number in range(4):
        x = np.sin(np.arange(12.0) + number).reshape(4, 3)
        yield {"w": X, "g": Y, "b": X * 0.1}, x
    training = False
    for number in range(3):
        yield {"w": X, "g": Y, "b": X * 0.1}, np.cos(np.arange(12.0) + number).reshape(4, 3)
    training = True
    yield {"w": X, "g": Y, "b": X * 0.1}, np.sin(np.arange(6.0)).reshape(2, 3)


def captured_tensors():
    one, two, three, whole = Y.copy(), np.ones((2, 3)), np.ones((2, 3, 2)), np.array(2.0)
    index = np.array([[0, 2], [1, 1]])

    def f(x):
        return np.sum(x * one + x * two) + np.sum((x[:, None] * three)[..., 0]) * whole + np.sum(
            x[index]
        )

    yield f
    yield None
    yield None
    two[1] = 5.0
    three *= -1.0
    yield None
    two, three, whole = np.full((2, 3), 7.0), np.full((2, 3, 2), 2.0), np.array(3.0)
    yield None
    index[0] = 1
    yield None


@MODES
@pytest.mark.parametrize(
    "scenario", [control_flow, dropout_masks, batch_normalisation, captured_tensors],
    ids=lambda s: s.__name__,
)  # fmt: skip
def test_nothing_is_frozen(scenario, optimize):
    check(scenario, optimize, compiled=True)


# -- failed traces --------------------------------------------------------------------------------


NAMES = ["zeros", "sum", "array", "sin", "ndarray", "asarray", "where"]


def raises(x):
    raise RuntimeError("mine")


def misses_a_name(x):
    return no_such_name(x)  # noqa: F821


def does_not_fit(x):
    return x @ np.ones((2, 2))


def is_no_scalar(x):
    return x * 2.0


def is_not_supported(x):
    return np.sum(np.polydiv(x, x)[0])


def writes_to_its_argument(x):
    x += 1.0
    return np.sum(x)


def stops(x):
    raise KeyboardInterrupt


@MODES
@ignored
@pytest.mark.parametrize(
    "body",
    [raises, misses_a_name, does_not_fit, is_no_scalar, is_not_supported, writes_to_its_argument,
     stops],
)  # fmt: skip
def test_a_failed_trace_leaves_numpy_as_it_was(body, optimize):
    before = {name: getattr(np, name) for name in NAMES}
    space = dict(globals())

    def f(x):
        y = np.zeros(3) + np.sin(x) * np.random.random()
        return body(x) + np.sum(y)

    seen = []

    def look():
        seen.append(
            {name: getattr(np, name) for name in NAMES} == before
            and type(np.zeros(2)) is np.ndarray
            and type(np.sum(np.ones(2))) is np.float64
            and type(np.random.random()) is float
        )

    df = jit_grad(f, optimize=optimize)
    for _ in range(2):
        with pytest.raises((Exception, KeyboardInterrupt)):
            df(X)
        look()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(30)
        np.testing.assert_array_equal(jit_grad(lambda x: np.sum(x * 2.0))(X)[0], 2.0)
    assert seen == [True] * 4
    assert {k: v for k, v in globals().items() if k in space} == space


# -- constants ------------------------------------------------------------------------------------


CONSTANTS = [
    1e-300, 5e-324, 1e300, math.inf, -math.inf, math.nan, -0.0, -2.0, 0.1, 1 / 3, -1e-17,
    1.7976931348623157e308, 2**53 + 1, -(2**70), True,
    np.float32(0.1), np.float32("nan"), np.float32("-inf"), np.float64(-0.0), np.float64(1e-300),
    np.int8(-3), np.uint64(2**64 - 1), np.array(-0.0), np.array([math.nan, -math.inf, -0.0]),
    np.array([1e-300, 5e-324, -1e300]), np.array([0.1, -0.2, 0.3], "f4"), np.zeros((0, 3)),
]  # fmt: skip


def nothing_special(c, x):
    return np.sum(x * 1.0), x * c, c


def signs(c, x):
    return np.sum(x), np.copysign(x, c), (x * 0.0) * c + c


def powers(c, x):
    return np.sum(x), np.where(x > 1.0, c, x), np.maximum(x, c)


@MODES
@ignored
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("body", [nothing_special, signs, powers])
@pytest.mark.parametrize("constant", CONSTANTS, ids=repr)
def test_constants_survive(constant, body, optimize):
    as_literal = f"lambda x: body({constant!r}, x)"
    space = {
        "np": np, "array": np.array, "body": body, "nan": math.nan, "inf": math.inf,
        "float32": np.float32, "float64": np.float64,
    }  # fmt: skip
    functions = [lambda x: body(constant, x)]
    if type(constant) in (int, float, bool):
        functions.append(eval(as_literal, space))
    for f in functions:
        df = jit_grad(f, optimize=optimize, audit=False)
        expected = f(X)
        for _ in range(3):
            grads, *outputs = df(X)
            np.testing.assert_array_equal(grads, 1.0)
            for a, e in zip(outputs, expected, strict=True):
                assert type(a) is type(e)
                assert getattr(a, "dtype", None) == getattr(e, "dtype", None)
                assert np.shape(a) == np.shape(e)
                np.testing.assert_array_equal(a, e)
                if np.asarray(e).dtype.kind == "f":
                    np.testing.assert_array_equal(np.signbit(a), np.signbit(e))


def test_many_constants_are_told_apart():
    """Constants that are equal, or look so, and are not the same."""

    def f(x):
        return (
            np.sum(x), x * 1, x * 1.0, x * True, x * np.float32(1.0), x * 0.0, x * -0.0,
            x / np.float64(-0.0), 1 * 2, 1.0 * 2.0, x[0] * 0.1, x[0] * np.float32(0.1),
            1e16 + x[0] - 1e16, (x * 1e-300) * 1e300,
        )  # fmt: skip

    df = jit_grad(f, audit=False)
    with np.errstate(all="ignore"):
        for x in (X, X, X, X.astype("f4"), X.astype("f4")):
            for a, e in zip(df(x)[1:], f(x), strict=True):
                assert type(a) is type(e) and getattr(a, "dtype", None) == getattr(e, "dtype", None)
                np.testing.assert_array_equal(a, e)
                np.testing.assert_array_equal(np.signbit(a), np.signbit(e))


# -- long programs --------------------------------------------------------------------------------


def chain(count):
    """The source of a function of that many statements, each on the last two values."""
    lines = ["import numpy as np", "def f(x, s):", "    a = x * 1.0", "    b = x + s"]
    for number in range(count):
        old, new = ("a", "b") if number % 2 else ("b", "a")
        kind = number % 4
        if kind == 0:
            lines.append(f"    {new} = np.sin({old}) + 0.5 * {new}")
        elif kind == 1:
            lines.append(f"    {new} = {new} * 0.75 - {old} * s")
        elif kind == 2:
            lines.append(f"    {new} = {new} - 0.125 * np.mean({old})")
        else:
            lines.append(f"    {new} = {new} + 0.0625 * np.sum({old}) * {old}[0] * 0.01")
    return "\n".join([*lines, "    return np.sum(a * b), a"])


@pytest.mark.parametrize(
    ("count", "optimize"),
    [(2_000, True), (2_000, False), pytest.param(20_000, True, marks=pytest.mark.fuzz)],
)
def test_thousands_of_statements(count, optimize):
    f = module(chain(count), "chain").f
    df = jit_grad(f, optimize=optimize, audit=False)
    directions = np.array([1.0, -0.5, 0.25])
    for s in (0.1, 0.1, 0.2):
        grad, value, last = df(X, s)
        expected, plain_last = f(X, s)
        np.testing.assert_allclose(value, expected, rtol=1e-9)
        np.testing.assert_allclose(last, plain_last, rtol=1e-9, atol=1e-12)
        slopes = [
            (f(X + h * directions, s)[0] - f(X - h * directions, s)[0]) / (2 * h)
            for h in (1e-5, 2e-5)
        ]
        few = 1e-5 + 10.0 * abs(slopes[0] - slopes[1])
        np.testing.assert_allclose(grad @ directions, slopes[0], rtol=1e-5, atol=few)
    assert not optimize or df.cache_info().direct == 0


@pytest.mark.parametrize(
    ("count", "optimize"),
    [(2_000, True), (2_000, False), pytest.param(20_000, True, marks=pytest.mark.fuzz)],
)
def test_thousands_of_elements_written_one_by_one(count, optimize):
    def f(x, s):
        z = np.zeros(count)
        for i in range(count):
            z[i] = x[i] * s
        z[1] = z[0] * z[2]
        return np.sum(z * z)

    x = np.linspace(-1.0, 1.0, count)
    df = jit_grad(f, optimize=optimize, audit=False)
    for s in (2.0, 2.0, 3.0):
        grad, value = df(x, s)
        z = x * s
        z[1] = z[0] * z[2]
        np.testing.assert_allclose(value, np.sum(z * z))
        expected = 2.0 * x * s * s
        expected[0] += 2.0 * z[1] * z[2] * s
        expected[2] += 2.0 * z[1] * z[0] * s
        expected[1] = 0.0
        np.testing.assert_allclose(grad, expected, atol=1e-12)
    assert not optimize or df.cache_info().direct == 0


# -- silence --------------------------------------------------------------------------------------


@MODES
def test_a_loss_without_parameters_warns_once(optimize):
    df = jit_grad(lambda x, y: np.sum(y), optimize=optimize)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(4):
            np.testing.assert_array_equal(df(X, Y)[0], 0.0)
    assert [w.category for w in caught] == [TracejitWarning]
