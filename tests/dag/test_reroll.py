"""Loops in traces: functions with Python loops, compiled, against direct mode; printed graphs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trees import record, record_forward
from tracejit import hvp, jit_grad
from tracejit.dag.evaluate import evaluate
from tracejit.dag.loop import bodies, deep_nodes
from tracejit.dag.passes import optimize
from tracejit.dag.passes.reroll import reroll
from tracejit.dag.verify import verify
from tracejit.tree import flatten


def numbers(*shape, seed=0, dtype="f8", scale=0.5):
    return (np.random.default_rng(seed).normal(size=shape) * scale).astype(dtype)


def leaves(values):
    found = []
    flatten(values, found)
    return [v for v in found if type(v) in (float, np.ndarray) or isinstance(v, np.generic)]


def assert_close(actual, expected):
    a, b = [], []
    assert flatten(actual, a) == flatten(expected, b)
    for x, y in zip(a, b, strict=True):
        assert type(x) is type(y)
        assert getattr(x, "dtype", None) == getattr(y, "dtype", None)
        assert np.shape(x) == np.shape(y)
        single = getattr(x, "dtype", None) == np.float32
        far, near = (2e-4, 1e-5) if single else (1e-9, 1e-11)
        np.testing.assert_allclose(x, y, rtol=far, atol=near)


def loops_of(function, *args):
    """Count the iterations of each loop in the optimised graph; both sides are evaluated."""
    recorded = record(function, *args)
    rerolled = verify(reroll(recorded.graph))
    values = leaves(args)
    before, after = evaluate(recorded.graph, values), evaluate(rerolled, values)
    for a, b in zip(before, after, strict=True):
        assert type(a) is type(b)
        np.testing.assert_array_equal(a, b)  # to the last bit, but for the sign of zeros
    optimized = optimize(recorded.graph, check=verify)
    assert_close(evaluate(optimized, values), before)
    return [loop.count for _, loop in bodies(deep_nodes(optimized))]


def check(function, *args):
    """Compare compiled calls with direct ones, also with other data."""
    compiled, direct = jit_grad(function, audit=False), jit_grad(function, optimize=False)
    for factor in (1.0, 1.0, 0.9, 1.1):
        given = [scaled(a, factor) for a in args]
        kept = [leaf.copy() if hasattr(leaf, "copy") else leaf for leaf in leaves(given)]
        assert_close(compiled(*given), direct(*given))
        for a, b in zip(leaves(given), kept, strict=True):
            np.testing.assert_array_equal(a, b)
    assert compiled.cache_info().direct == 0, compiled.explain()
    first, second = compiled(*args), compiled(*args)
    arrays = [a for a in (*leaves(first), *leaves(second), *leaves(args)) if type(a) is np.ndarray]
    for number, a in enumerate(arrays):
        assert not any(np.may_share_memory(a, b) for b in arrays[number + 1 :] if a is not b)
    return loops_of(function, *args)


def scaled(value, factor):
    if isinstance(value, dict):
        return {k: scaled(v, factor) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(scaled(v, factor) for v in value)
    if type(value) is float or (hasattr(value, "dtype") and value.dtype.kind == "f"):
        return value * factor if type(value) is float else value * value.dtype.type(factor)
    return value


# -- functions ------------------------------------------------------------------------------------


def rk4(p):
    y, dt = p["y"], 0.05

    def slope(t, y):
        return np.tanh(p["A"] @ y) - 0.1 * y * t

    for i in range(20):
        t = i * dt
        k1 = slope(t, y)
        k2 = slope(t + dt / 2, y + dt / 2 * k1)
        k3 = slope(t + dt / 2, y + dt / 2 * k2)
        k4 = slope(t + dt, y + dt * k3)
        y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(y**2)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(p, x, y):
    size = p["U"].shape[0]
    h = np.zeros((x.shape[1], size), x.dtype)
    c = np.zeros((x.shape[1], size), x.dtype)
    for x_t in x:
        z = x_t @ p["W"] + h @ p["U"] + p["b"]
        i, f = sigmoid(z[:, :size]), sigmoid(z[:, size : 2 * size])
        o = sigmoid(z[:, 2 * size : 3 * size])
        c = f * c + i * np.tanh(z[:, 3 * size :])
        h = o * np.tanh(c)
    return np.mean((h @ p["V"] - y) ** 2)


def kalman(p, ys):
    m, covariance = np.zeros(3), np.eye(3)
    total = 0.0
    for y in ys:
        m, covariance = p["A"] @ m, p["A"] @ covariance @ p["A"].T + p["Q"]
        s = p["C"] @ covariance @ p["C"].T + p["R"]
        inverse = np.linalg.inv(s)
        e = y - p["C"] @ m
        total = total - 0.5 * (e @ inverse @ e + np.log(np.linalg.det(s)))
        gain = covariance @ p["C"].T @ inverse
        m, covariance = m + gain @ e, covariance - gain @ p["C"] @ covariance
    return total


def rnn(p, x):
    h, hidden = p["h"], []
    for t in range(len(x)):
        h = np.tanh(x[t] @ p["W"] + h @ p["U"] + p["b"])
        hidden.append(h)
    return np.sum(np.stack(hidden) ** 2), h


RNN = {"W": numbers(5, 6), "U": numbers(6, 6, seed=1), "b": numbers(6), "h": numbers(3, 6)}


def descent(w, x, y):
    for _ in range(30):
        w = w - 0.01 * (x.T @ (x @ w - y))
    return np.sum((x @ w - y) ** 2)


def summed(x):
    total = 0.0
    for t in range(len(x)):
        total = total + np.sum(np.sin(x[t]) * x[t])
    return total


def products(x):
    total, product = 0.0, 1.0
    for value in x:
        product = product * value
        total = total + product
    return total


def running(x):
    total = 0
    parts = []
    for t in range(len(x)):
        total = total + x[t] * x[t]
        parts.append(total)
    return total, parts


def differences(x):
    total = 0.0
    for t in range(1, len(x)):
        total += np.sum((x[t] - 0.5 * x[t - 1]) ** 2) * (t * 0.1)
    return total


def backwards(x, w):
    h = np.zeros(x.shape[1])
    for t in reversed(range(len(x))):
        h = np.tanh(h @ w + x[t])
    return np.sum(h)


def columns(x, w):
    h = np.ones(x.shape[0])
    for t in range(x.shape[1]):
        h = np.tanh(w @ h + x[:, t])
    return np.sum(h * h)


def swapping(p):
    a, b = p
    for _ in range(13):
        a, b = b, a * 0.9 + np.sin(b)
    return np.sum(a * b)


def exchanged(p):
    a, b = p
    for _ in range(11):
        a, b = b, a
        c = np.tanh(a) * 0.5
        a = c + b
    return np.sum(a - b)


def two_back(p):
    older, old = p, p * 0.5
    for _ in range(12):
        older, old = old, np.sin(old) + 0.3 * older
    return np.sum(old * older)


def two_loops(w):
    y = w["y"]
    for _ in range(15):
        y = np.tanh(w["A"] @ y)
    z = y * 2.0
    for _ in range(12):
        z = np.sin(w["A"] @ z) + y
    return np.sum(z)


def same_twice(w):
    total = 0.0
    for start in (w["y"], w["y"] * 2.0):
        y = start
        for _ in range(12):
            y = np.tanh(w["A"] @ y) + 0.1 * y
        total = total + np.sum(y)
    return total


def nested(w):
    y = w["y"]
    for i in range(9):
        z = y
        for _ in range(10):
            z = np.tanh(w["A"] @ z) + 0.1 * y
        y = y + z * (0.1 * i)
    return np.sum(y**2)


def step(w, y, rate):
    return y - rate * np.tanh(w["A"] @ y)


def helped(w):
    y = w["y"]
    for t in range(16):
        y = step(w, y, 1.0 / (1 + t))
    return np.sum(y)


def written(p, x):
    out = np.zeros((12, 3))
    h = p["h"]
    for t in range(12):
        h = np.tanh(p["A"] @ h + x[t])
        out[t] = h
    return np.sum(out * out)


def filled(p):
    out = np.empty((12, 3))
    out[0] = p["h"]
    for t in range(1, 12):
        out[t] = np.tanh(p["A"] @ out[t - 1])
    return np.sum(out[-1]), out


def in_place(p):
    h = p["h"] * 1.0
    for _ in range(14):
        h *= 0.9
        h += np.sin(p["A"] @ h)
    return np.sum(h)


def scalars(x):
    a, b = x
    for _ in range(20):
        a, b = a * 0.9 + 0.1 * b, b - 0.05 * a * b
    return a * b


def layers(p, x):
    h = x
    for w, b in zip(p["w"], p["b"], strict=True):
        h = np.tanh(h @ w + b)
    return np.sum(h)


def conditional(p):
    y = p["h"]
    for t in range(24):
        y = np.tanh(p["A"] @ y) if t % 2 else np.sin(p["A"].T @ y)
    return np.sum(y)


def singles(p, x):
    h = np.zeros(3, np.float32)
    for t in range(len(x)):
        h = np.tanh(p["A"] @ h + x[t]) * 0.5
    return np.sum(h)


def attention(p, x):
    total = np.zeros(3)
    keys = x @ p["A"]
    for t in range(len(x)):
        weights = np.exp(keys @ x[t])
        weights = weights / np.sum(weights)
        total = total + weights @ x
    return np.sum(total * p["h"])


def joined(p, x):
    h, rows = p["h"], []
    for t in range(len(x)):
        h = np.tanh(p["A"] @ h + x[t])
        rows.append(h[None, :])
    return np.sum(np.concatenate(rows) ** 2 * x)


def of_list(p, x, targets):
    h, total = p["h"], 0.0
    for x_t, target in zip(x, targets, strict=True):
        h = np.tanh(p["A"] @ h + x_t)
        total = total + np.sum((h - target) ** 2)
    return total / len(x)


def gradient_inside(p, x):
    inner = jit_grad(lambda w: np.sum(np.tanh(x @ w) ** 2))
    w = p["h"]
    for _ in range(10):
        (g, _) = inner(w)
        w = w - 0.1 * g
    return np.sum(w)


def powers(x):
    total = 0.0
    for k in range(1, 14):
        total = total + x**k / k
    return np.sum(total)


def leapfrog(p):
    q, momentum = p["h"], p["h"] * 0.3
    for _ in range(15):
        momentum = momentum - 0.05 * (p["A"] @ q)
        q = q + 0.1 * momentum
        momentum = momentum - 0.05 * (p["A"] @ q)
    return np.sum(q * q) + np.sum(momentum**2)


def symmetric(p):
    m = p["A"]
    for _ in range(10):
        m = np.tanh(m.T @ p["A"]) + m
    return np.sum(m)


P = {"A": numbers(3, 3), "h": numbers(3, seed=2)}
W = {"A": numbers(4, 4), "y": numbers(4, seed=3)}
SYMMETRIC = {k: np.eye(3) * 0.8 + numbers(3, 3, scale=0.05) for k in "AC"}
def smoothed(x):
    """The body gives constant arrays on, and adds them to what is carried."""
    total = np.zeros(3)
    for k in range(12):
        x = np.fft.irfft(np.fft.rfft(x) * np.exp(-0.1 * np.arange(2.0)), 3) + 0.01 * k
        total = np.arange(3.0) + total + np.sin(x)
    return np.sum(total * x)


CASES = {
    "RK4 with times": (rk4, [{"y": numbers(4), "A": numbers(4, 4)}], [20, 20]),
    "LSTM": (lstm, [{"W": numbers(5, 16), "U": numbers(4, 16), "b": numbers(16),
                     "V": numbers(4, 2)}, numbers(14, 3, 5), numbers(3, 2)], [14, 14]),
    "Kalman filter": (kalman, [{**SYMMETRIC, "Q": np.eye(3) * 0.1, "R": np.eye(3) * 0.2},
                               numbers(15, 3)], [15, 14]),
    "RNN with all states": (rnn, [RNN, numbers(20, 3, 5)], [20, 19]),
    "descent inside": (descent, [numbers(3), numbers(10, 3), numbers(10)], [30, 30]),
    "sum over rows": (summed, [numbers(20, 3)], [20, 20]),
    "cumulative products of numbers": (products, [1.0 + numbers(20)], None),
    "running totals": (running, [numbers(20)], None),
    "this row and the one before": (differences, [numbers(20, 3)], None),
    "reversed": (backwards, [numbers(12, 3), numbers(3, 3)], [12, 11]),
    "columns": (columns, [numbers(3, 12), numbers(3, 3)], [12, 11]),
    "values change places": (swapping, [(numbers(3), numbers(3, seed=1))], None),
    "values are exchanged": (exchanged, [(numbers(3), numbers(3, seed=1))], None),
    "two iterations back": (two_back, [numbers(4)], None),
    "two loops": (two_loops, [W], None),
    "the same loop twice": (same_twice, [W], None),
    "nested": (nested, [W], None),
    "constant arrays": (smoothed, [numbers(3)], None),
    "in a helper": (helped, [W], [16, 15]),
    "rows are written": (written, [P, numbers(12, 3)], None),
    "rows are written and read": (filled, [P], None),
    "in place": (in_place, [P], None),
    "Python numbers": (scalars, [(0.3, 0.7)], None),
    "NumPy scalars": (scalars, [(np.float64(0.3), np.float64(0.7))], None),
    "single scalars": (scalars, [(np.float32(0.3), np.float32(0.7))], None),
    "layers": (layers, [{"w": [numbers(3, 3, seed=i) for i in range(10)],
                         "b": [numbers(3, seed=i) for i in range(10)]}, numbers(4, 3)], None),
    "two kinds of steps": (conditional, [P], [12, 11]),
    "single precision": (singles, [{"A": numbers(3, 3, dtype="f4")},
                                   numbers(12, 3, dtype="f4")], None),
    "softmax": (attention, [P, numbers(10, 3)], None),
    "rows are joined": (joined, [P, numbers(12, 3)], None),
    "lists of inputs": (of_list, [P, [numbers(3, seed=i) for i in range(10)],
                                  [numbers(3, seed=i + 20) for i in range(10)]], None),
    "a gradient inside": (gradient_inside, [P, numbers(5, 3)], None),
    "integers as exponents": (powers, [1.0 + 0.1 * numbers(4)], None),
    "leapfrog": (leapfrog, [P], None),
    "transposed": (symmetric, [P], None),
}


@pytest.mark.parametrize("title", CASES)
def test_loops_are_found_and_right(title):
    function, args, expected = CASES[title]
    found = check(function, *args)
    assert found
    if expected is not None:
        assert found == expected


def scanned(x, w):
    total = 0.0
    for t in range(10):
        x = np.tanh(w.T @ x) * (0.1 * t)
        total = total + x[0]
    return x, total


def test_before_and_after():
    before = record_forward(scanned, numbers(3), numbers(3, 3))
    after = verify(reroll(before))
    assert len(before.nodes) == 60
    assert str(after) == AFTER
    values = [numbers(3), numbers(3, 3)]
    for a, b in zip(evaluate(before, values), evaluate(after, values), strict=True):
        assert a.tobytes() == b.tobytes()


AFTER = """\
x: f8[3]
y: f8[3,3]
transpose_0 = transpose(y, axes=(1, 0))  # f8[3,3]
loop_0 = loop
  10 times:
        input_0: f8[3] = carried, from x
        input_1: f8 = carried, from f8(0.0)
        input_2: float = row of array(f8[10])
        input_3: f8[3,3] = transpose_0
        matmul_0 = matmul(input_3, input_0)  # f8[3]
        tanh_0 = tanh(matmul_0)  # f8[3]
        multiply_0 = multiply(tanh_0, input_2)  # f8[3]
        index_0 = index(multiply_0, key=0)  # f8
        add_0 = add(input_1, index_0)  # f8
        carry multiply_0, add_0
part_0 = part(loop_0, index=0)  # f8[3]
part_1 = part(loop_0, index=1)  # f8
return part_0, part_1"""


@pytest.mark.parametrize("count", range(1, 13))
def test_few_iterations_stay_as_they_are(count):
    source = f"""
def f(p, x):
    h, total = p["h"], 0.0
    for t in range({count}):
        h = np.tanh(p["A"] @ h + x[t]) * (t * 0.1 + 0.3)
        total = total + np.sum(h)
    return total
"""
    namespace = {"np": np}
    exec(compile(source, "<counted>", "exec"), namespace)
    found = check(namespace["f"], P, numbers(count, 3))
    assert bool(found) == (count > 8)
    assert all(n >= 8 for n in found)


def test_products_and_sums_leave_the_loop():
    graph = optimize(record(rnn, RNN, numbers(20, 3, 5)).graph, check=verify)
    inside = [node.op.name for _, loop in bodies(graph.nodes) for node in loop.body.nodes]
    assert inside.count("matmul") == 2  # by what is carried: forward and backward
    assert "sum" not in inside and "transpose" not in inside


def branching(p, x):
    h, states = p["h"], []
    for t in range(12):
        h = np.tanh(p["A"] @ h + x[t])
        states.append(h)
    if np.sum(h) > 0:
        for t in range(11):
            h = np.sin(p["A"] @ h) + states[t]
        return np.sum(h)
    return np.sum(states[11] * states[10]) + np.sum(h)


def test_exits_read_what_loops_before_their_guard_give():
    compiled, direct = jit_grad(branching, audit=False), jit_grad(branching, optimize=False)
    signs = enumerate((1.0, -1.0, 0.5, -0.5))
    calls = [(P, numbers(12, 3, seed=seed) + sign) for seed, sign in signs]
    for _ in range(3):
        for args in calls:
            assert_close(compiled(*args), direct(*args))
    assert compiled.cache_info().direct == 0
    graph = verify(compiled.graph(*calls[0]))
    assert len([*graph.lines()]) == 2
    assert all([*bodies(line.nodes)] for line in graph.lines())


def noisy(p, generator):
    h = p["h"]
    for _ in range(12):
        h = np.tanh(p["A"] @ h)
    noise = generator.normal(size=3)
    for _ in range(12):
        h = np.tanh(p["A"] @ h + noise)
    return np.sum(h)


def test_loops_around_a_draw():
    compiled, direct = jit_grad(noisy, audit=False), jit_grad(noisy, optimize=False)
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    for _ in range(4):
        assert_close(compiled(P, first), direct(P, second))
    assert compiled.cache_info().direct == 0
    loops = [loop for _, loop in bodies(compiled.graph(P, first).nodes)]
    assert len(loops) == 4


def outside(p, written):
    h = p["h"]
    for t in range(12):
        h = np.tanh(p["A"] @ h)
        written[t] = h
    return np.sum(h) + np.sum(written)


def test_rows_of_an_array_from_outside():
    compiled, direct = jit_grad(outside, audit=False), jit_grad(outside, optimize=False)
    first, second = np.zeros((12, 3)), np.zeros((12, 3))
    for _ in range(4):
        assert_close(compiled(P, first), direct(P, second))
        np.testing.assert_array_equal(first, second)
    assert compiled.cache_info().direct == 0


def energy(p):
    h = p["h"]
    for _ in range(10):
        h = np.tanh(p["A"] @ h + 0.1 * h)
    return np.sum(h * h)


def test_gradients_of_gradients():
    inner = jit_grad(energy)

    def squared(p):
        g, _ = inner(p)
        return np.sum(g["A"] ** 2) + np.sum(g["h"] ** 2)

    assert len(check(squared, P)) == 4


def scaled_between(x):
    for _ in range(9):
        x = np.tanh(x * x + 0.5)
    x = y = x * np.sum(x)
    for _ in range(9):
        y = y[::-1] * 0.5 + np.sin(y) * x
    return np.sum(y)


def test_a_sum_that_begins_inside_of_the_loop():
    """The first of the sums has nothing before it but what its own iteration gives."""
    x = np.linspace(0.1, 0.5, 4)
    expected = hvp(scaled_between, optimize=False)(x, x[::-1])
    for backend in ("numpy", "numba"):
        product = hvp(scaled_between, backend=backend)
        for _ in range(3):
            np.testing.assert_allclose(product(x, x[::-1]), expected, rtol=1e-11)


def test_a_loop_that_raises_names_the_line_of_the_user():
    def inverted(p):
        m = p["A"]
        for t in range(10):
            m = np.linalg.inv(m * (t < 100)) + p["h"]
        return np.sum(m)

    df = jit_grad(inverted, audit=False)
    for _ in range(2):
        df({"A": np.eye(3), "h": numbers(3)})
    with pytest.raises(np.linalg.LinAlgError) as caught:
        df({"A": np.zeros((3, 3)), "h": numbers(3)})
    assert "test_reroll.py" in "".join(caught.value.__notes__)


# -- random bodies --------------------------------------------------------------------------------

UNARY = ("np.tanh({a})", "np.sin({a}) * 0.5", "{a} * 0.7", "{a}[::-1]", "-{a}", "{a} * (0.1 * t)",
         "np.maximum({a}, 0.1)", "np.cumsum({a}) * 0.2")  # fmt: skip
BINARY = ("{a} + {b}", "{a} - 0.5 * {b}", "{a} * {b}", "np.outer({a}, {b}) @ {a} * 0.1",
          "p['A'] @ {a} + {b}", "{a} * np.sum({b} * {b})", "np.where({a} > {b}, {a}, 0.3 * {b})",
          "{a} @ p['A'] - {b}", "np.concatenate([{a}[:1], {b}[1:]])")  # fmt: skip


@st.composite
def programs(draw):
    """A loop over some variables, with rows of x, lists and sums."""
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    operands = [*names, "x[t]", "p['h']"]
    if draw(st.booleans()):
        operands.append("x[t - 1]")
    lines = []
    for number in range(draw(st.integers(1, 6))):
        template = draw(st.sampled_from((*UNARY, *BINARY)))
        chosen = {k: draw(st.sampled_from(operands)) for k in "ab"}
        target = draw(st.sampled_from([*names, f"v{number}"]))
        lines.append(f"{target} = {template.format(**chosen)}")
        if target not in operands:
            operands.append(target)
    if draw(st.booleans()) and len(names) > 1:
        lines.append(f"{', '.join(names)} = {', '.join(names[1:] + names[:1])}")
    if draw(st.booleans()):
        lines.append(f"total = total + np.sum({draw(st.sampled_from(operands))})")
    if draw(st.booleans()):
        lines.append(f"states.append({draw(st.sampled_from(operands))})")
    order = draw(st.sampled_from(["range(1, 11)", "reversed(range(12))", "range(0, 12)"]))
    body = "".join(f"        {line}\n" for line in lines)
    return (
        "def f(p, x):\n    total, states = 0.0, []\n    a = b = c = p['h']\n"
        f"    b = b * 0.5\n    for t in {order}:\n{body}"
        "    result = total + np.sum(a * b) + np.sum(c)\n"
        "    if states:\n        result = result + np.sum(np.stack(states) ** 2)\n"
        "    return result, a\n"
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tracejit.TracejitWarning")
@given(programs())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_loops(source):
    namespace = {"np": np}
    exec(compile(source, "<random loop>", "exec"), namespace)
    check(namespace["f"], P, numbers(12, 3))


def from_the_first(join, start, step):
    """A function that puts together all states, the first of which no iteration has made."""

    def function(x):
        states = [start(x)]
        for t in range(1, 16):
            states.append(step(states[-1], x, t))
        return np.sum(join(states) ** 2)

    return function


TRAJECTORIES = {
    "numbers": from_the_first(np.array, lambda x: x[0], lambda s, x, t: np.hypot(s, x[t])),
    "numbers, stacked": from_the_first(np.stack, lambda x: x[0], lambda s, x, t: np.hypot(s, x[t])),
    "arrays": from_the_first(np.array, np.tanh, lambda s, x, t: np.sin(s) * x),
    "arrays, stacked": from_the_first(np.stack, np.tanh, lambda s, x, t: np.sin(s) * x),
}


@pytest.mark.parametrize("title", TRAJECTORIES)
def test_the_first_state_stands_before_the_others(title):
    f = TRAJECTORIES[title]
    x = np.linspace(0.4, 1.7, 16)
    expected = jit_grad(f, optimize=False)(x)
    for backend in ("numpy", "numba"):
        df = jit_grad(f, backend=backend)
        for _ in range(3):
            grads, value = df(x)
            np.testing.assert_allclose(grads, expected[0], rtol=1e-12)
            assert value == pytest.approx(expected[1], rel=1e-12)
    text = jit_grad(f, backend="numpy").source(x).partition("# backward")[0]
    assert "np.array([" not in text and "np.concatenate(" not in text
