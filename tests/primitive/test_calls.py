"""What primitives take and give: structures, keywords, results that are shared or written to."""

import copy
import os
import pickle
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES, check, check_second, spaced
from tracejit import defjvp, defvjp, jit_grad, primitive, register_container
from tracejit.errors import (
    LostGradientError,
    MissingGradientError,
    TracejitError,
    UnsupportedError,
    WriteToArgumentError,
)

X, Y = spaced(0.3, 1.9, (2, 3)), spaced(-0.7, 1.2, (3,))
Pair = namedtuple("Pair", "left right")


@dataclass
class Layer:
    w: object
    b: object


class Box:
    def __init__(self, inside, label):
        self.inside, self.label = inside, label


register_container(Box, lambda box: [box.inside, box.label], lambda held: Box(*held))


# -- structures ------------------------------------------------------------------------------------


@primitive
def affine(layer, x):
    """Layers in any structure, as a function that nothing follows."""
    w, b = (layer["w"], layer["b"][0]) if isinstance(layer, dict) else (layer.w, layer.b)
    return np.array([[float(v) for v in row] for row in x @ w]) + b


def affine_rule(g, out, layer, x):
    by_w, by_b = x.T @ g, np.sum(g, axis=0)
    if isinstance(layer, dict):
        return {"w": by_w, "b": [by_b, None]}
    return Layer(by_w, by_b)


defvjp(
    affine, affine_rule,
    lambda g, out, layer, x: g @ (layer["w"] if isinstance(layer, dict) else layer.w).T,
)  # fmt: skip


@MODES
@pytest.mark.parametrize("kind", ["dict", "dataclass"])
def test_arguments_in_structures(kind, optimize):
    w, b = spaced(-1.0, 1.0, (3, 2)), spaced(0.1, 0.9, (2,))

    def made(w, b):
        return {"w": w, "b": [b, "unused"]} if kind == "dict" else Layer(w, b)

    check(lambda w, b, x: np.tanh(affine(made(w, b), x)), (w, b, X), (), optimize)
    check_second(lambda w, b, x: np.tanh(affine(made(w, b), x)), (w, b, X), (), optimize)
    df = tj.grad(lambda p, x: np.sum(affine(p, x) ** 2), optimize=optimize)
    for _ in range(CALLS):
        found = df(made(w, b), X)
        by_w = found["w"] if kind == "dict" else found.w
        np.testing.assert_allclose(by_w, 2 * X.T @ (X @ w + b))
    assert df.cache_info().direct == 0


@MODES
def test_structures_that_are_read_from_outside(optimize):
    layer = Layer(spaced(-1.0, 1.0, (3, 2)), np.zeros(2))
    df = tj.grad(lambda x: np.sum(affine(layer, x)), optimize=optimize)
    for w in (layer.w, layer.w, layer.w, layer.w * 2):
        layer.w = w
        np.testing.assert_allclose(df(X), np.broadcast_to(np.sum(w, axis=1), (2, 3)))


@MODES
def test_results_in_structures(optimize):
    @primitive
    def split(x):
        return {"mean": float(np.mean(x)), "rest": (x - np.mean(x), Pair(np.sum(x**2), len(x)))}

    def rule(g, out, x):
        rest, pair = g["rest"]
        centred = rest - np.mean(rest)
        return np.full_like(x, g["mean"] / x.size) + centred + 2 * x * pair.left

    defvjp(split, rule)

    def f(x):
        found = split(x * 1.5)
        rest, pair = found["rest"]
        assert type(pair) is Pair and pair.right == 3
        return found["mean"] * np.sum(rest**3) + pair.left

    def plain(x):
        x = x * 1.5
        return np.mean(x) * np.sum((x - np.mean(x)) ** 3) + np.sum(x**2)

    expected, second = tj.grad(plain, optimize=False)(Y), tj.hessian(plain, optimize=False)(Y)
    df = tj.grad(f, optimize=optimize)
    h = tj.hessian(f, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(Y), expected)
        np.testing.assert_allclose(h(Y), second, atol=1e-12)
    assert df.cache_info().direct == 0


@MODES
@pytest.mark.parametrize("modes", ["vjp", "jvp", "both"])
def test_structures_in_both_modes(modes, optimize):
    @primitive
    def turn(p, angle):
        c, s = np.cos(angle), np.sin(angle)
        return [c * p["x"] - s * p["y"], s * p["x"] + c * p["y"]]

    def back(g, out, p, angle):
        c, s = np.cos(angle), np.sin(angle)
        return {"x": c * g[0] + s * g[1], "y": c * g[1] - s * g[0]}

    def by_angle(g, out, p, angle):
        return np.sum(g[1] * out[0] - g[0] * out[1])

    def forth(t, out, p, angle):
        c, s = np.cos(angle), np.sin(angle)
        return [c * t["x"] - s * t["y"], s * t["x"] + c * t["y"]]

    if modes != "jvp":
        defvjp(turn, back, by_angle)
    if modes != "vjp":
        defjvp(turn, forth, lambda t, out, p, angle: [-t * out[1], t * out[0]])
    f = lambda p, angle: turn(p, angle)[0] * turn(p, angle)[1] ** 2

    def plain(p, angle):
        c, s = np.cos(angle), np.sin(angle)
        return (c * p["x"] - s * p["y"]) * (s * p["x"] + c * p["y"]) ** 2

    total = lambda g: lambda p, a: np.sum(g(p, a))
    p, t = {"x": Y, "y": Y + 0.5}, {"x": Y - 1.0, "y": 0.5 * Y}
    how = {"optimize": optimize}
    for _ in range(CALLS):
        found = tj.jvp(f, (p, 0.7), (t, 0.3), **how)[1]
        np.testing.assert_allclose(found, tj.jvp(plain, (p, 0.7), (t, 0.3), optimize=False)[1])
        found = tj.grad(total(f), (0, 1), **how)(p, 0.7)
        expected = tj.grad(total(plain), (0, 1), optimize=False)(p, 0.7)
        np.testing.assert_allclose(found[0]["y"], expected[0]["y"])
        np.testing.assert_allclose(found[1], expected[1])
        second = tj.hvp(lambda p: total(f)(p, 0.7), **how)(p, t)
        right = tj.hvp(lambda p: total(plain)(p, 0.7), optimize=False)(p, t)
        np.testing.assert_allclose(second["x"], right["x"])


@MODES
def test_registered_containers(optimize):
    @primitive
    def weigh(box):
        return Box(box.inside * 2.0, np.sum(box.inside))

    defvjp(weigh, lambda g, out, box: Box(2.0 * g.inside + g.label, None))

    def f(box):
        found = weigh(box)
        assert type(found) is Box
        return np.sum(found.inside**2) * found.label

    df = tj.grad(f, optimize=optimize)
    for _ in range(CALLS):
        found = df(Box(Y, "name"))
        assert type(found) is Box and found.label is None
        np.testing.assert_allclose(found.inside, 8 * Y * np.sum(Y) + 4 * np.sum(Y**2))


# -- keywords and constants ------------------------------------------------------------------------


@primitive
def power(x, n=2.0, *, scale=1.0, label=None):
    assert label in (None, "b")
    return np.array([v**n for v in x]) * scale


defvjp(
    power,
    lambda g, out, x, n=2.0, *, scale=1.0, label=None: g * n * x ** (n - 1.0) * scale,
    lambda g, out, x, n=2.0, *, scale=1.0, label=None: np.sum(g * out * np.log(x)),
)


@MODES
def test_keywords_and_defaults(optimize):
    x, how = Y + 1.0, {"optimize": optimize}
    check(lambda x: power(x), (x,), (), optimize)
    check(lambda x, n: power(n=n, x=x), (x, 3.0), (), optimize)
    check(lambda x, n: power(x, n=n, label="b"), (x, 3.0), (), optimize)
    check(lambda x, s: power(x, scale=s), (x,), (2.5,), optimize)
    df = tj.grad(lambda x, n, s: np.sum(power(x, n, scale=s)), **how)
    for n, s in ((2.0, 1.0), (2.0, 3.0), (3.0, 3.0), (3, 2)):
        np.testing.assert_allclose(df(x, n, s), n * x ** (n - 1.0) * s)
    with pytest.raises(MissingGradientError, match=r"keyword arguments; pass by"):
        tj.grad(lambda s: np.sum(power(x, scale=s)), **how)(2.0)
    with pytest.raises(TypeError, match=r"missing a required|unexpected keyword"):
        tj.grad(lambda x: np.sum(power(x, wrong=1)), **how)(x)


@MODES
def test_constants_tell_calls_apart(optimize):
    @primitive
    def chosen(x, how, factors):
        return x * factors[0] if how == "first" else x * factors[1]

    defvjp(chosen, lambda g, out, x, how, factors: g * factors[how == "second"])
    f = lambda x, how: np.sum(chosen(x, "first", (2.0, 3.0)) * chosen(x, how, [5, 7.0]))
    df = tj.grad(f, optimize=optimize)
    for how, factor in (("first", 5), ("second", 7), ("first", 5), ("second", 7)) * 2:
        np.testing.assert_allclose(df(Y, how), 4 * factor * Y)
    assert df.cache_info().direct == 0


@MODES
def test_what_a_primitive_does_not_take(optimize):
    @primitive
    def f(*given):
        return given[0]

    class Thing:
        pass

    thing, names = Thing(), np.array(["a"])
    for held in (thing, names, {1, 2}, lambda x: x):
        with pytest.raises(UnsupportedError, match=r"at .*test_calls.py:\d+: a primitive takes"):
            tj.grad(lambda x: np.sum(f(x, {"k": held})), optimize=optimize)(Y)  # noqa: B023


# -- results ---------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("kind", ["float", "np.float64", "0-d", "f4", "F-order"])
def test_results_of_every_kind(kind, optimize):
    @primitive
    def result(x):
        total = np.sum(x**2)
        if kind == "F-order":
            return np.asfortranarray(x**2)
        return {"float": float(total), "np.float64": total, "0-d": np.array(total),
                "f4": np.float32(total)}[kind]  # fmt: skip

    defvjp(result, lambda g, out, x: 2 * x * g)
    check(lambda x: result(x * 1.5), (X,), (), optimize,
          gradients=None if kind != "f4" else (2 * X * 1.5**2,))  # fmt: skip


@MODES
@pytest.mark.parametrize(
    "kind", [int, bool, np.int64, lambda x: np.array(int(x))], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize("listed", [False, True])
def test_results_that_are_no_floats_are_constants(kind, listed, optimize):
    make = primitive(lambda x: [kind(x)] if listed else kind(x))
    defvjp(make, lambda g, out, x: 1.0 * (g[0] if listed else g))
    f = lambda x: x * (make(x)[0] if listed else make(x))
    df, push = tj.grad(f, optimize=optimize), lambda x: tj.jvp(f, (x,), (1.0,), optimize=optimize)
    for x in (2.5, 2.5, 2.5, 0.5):
        assert df(x) == push(x)[1] == kind(x)


@MODES
def test_results_that_are_someone_elses(optimize):
    kept, buffer = np.ones(3), np.zeros(3)

    def filled(x):
        buffer[:] = x**2
        return buffer

    for run, factor in (
        (lambda x: x, 1.0), (lambda x: x[:], 1.0), (lambda x: np.broadcast_to(x, (3,)), 1.0),
        (filled, None), (lambda x: kept, 0.0),
    ):  # fmt: skip
        shared = primitive(run)
        defvjp(shared, lambda g, out, x, f=factor: g * (2 * x if f is None else f))

        def f(x):
            a, b = shared(x), shared(x * 2.0)  # noqa: B023
            a[0] = 5.0
            return np.sum(a[1:] ** 2 * b[1:] + x[1:] * a[0]), a

        def plain(x):
            a, b = run(x).copy(), run(x * 2.0).copy()  # noqa: B023
            return np.sum(a[1:] ** 2 * b[1:] + x[1:] * 5.0)

        df = jit_grad(f, optimize=optimize)
        step = 1e-6 * np.eye(3)
        expected = [(plain(Y + s) - plain(Y - s)) / 2e-6 for s in step]
        for _ in range(CALLS):
            x = Y.copy()
            grads, value, a = df(x)
            np.testing.assert_allclose(value, plain(x))
            np.testing.assert_allclose(grads, expected, atol=1e-7)
            np.testing.assert_array_equal(x, Y)
            a[:] = np.nan
            np.testing.assert_array_equal(kept, np.ones(3))


@MODES
def test_a_primitive_may_not_write_to_its_arguments(optimize):
    @primitive
    def writes(x):
        x += 1.0
        return x.copy()

    defvjp(writes, lambda g, out, x: g)
    with pytest.raises(WriteToArgumentError, match=r"writes\(\), called at .*test_calls.py:\d+"):
        tj.grad(lambda x: np.sum(writes(x * 2.0)), optimize=optimize)(Y)
    large = np.random.default_rng(0).normal(size=(300, 64))
    for rearrange in (
        lambda x: x.ravel().sort(), lambda x: x.sort(axis=0),
        lambda x: np.copyto(x, x[::-1].copy()), lambda x: x.__setitem__([0, 1], x[[1, 0]]),
    ):  # fmt: skip
        moves = primitive(lambda x: rearrange(x) or x.copy())  # noqa: B023
        defvjp(moves, lambda g, out, x: g)
        with pytest.raises(WriteToArgumentError, match="writes to an array that it is given"):
            tj.grad(lambda x: np.sum(moves(x * 2.0)), optimize=optimize)(large)  # noqa: B023


@MODES
def test_results_that_cannot_be(optimize):
    for result, said in (
        ("text", "returns a str"), (None, "returns a NoneType"), ([], "returns nothing"),
        (np.ma.array([1.0]), "returns a MaskedArray"), (np.array([None]), "an array of object"),
    ):  # fmt: skip
        wrong = primitive(lambda x: result)  # noqa: B023
        with pytest.raises(UnsupportedError, match=said):
            tj.grad(lambda x: np.sum(x) + wrong(x), optimize=optimize)(Y)  # noqa: B023


@MODES
def test_a_traced_value_from_outside_is_an_error(optimize):
    def f(x):
        def inner(y):
            return y * x

        outer = primitive(inner)
        defvjp(outer, lambda g, out, y: g)
        return np.sum(outer(x * 2.0))

    with pytest.raises(LostGradientError, match=r"inner.* reads a traced value from outside"):
        tj.grad(f, optimize=optimize)(Y)


def test_results_of_another_shape_are_an_error_in_compiled_code():
    @primitive
    def positive(x):
        return np.array([v for v in x if v > 0.0])

    @primitive
    def total(x):
        return float(np.sum(x))

    defvjp(positive, lambda g, out, x: np.where(x > 0.0, 1.0, 0.0) * np.sum(g) / len(out))
    defvjp(total, lambda g, out, x: np.full_like(x, g))
    f = lambda x: total(positive(x))
    df = tj.grad(f)
    for _ in range(CALLS):
        np.testing.assert_array_equal(df(np.array([1.0, -1.0])), [1.0, 0.0])
    with pytest.raises(TracejitError, match=r"positive\(\) returned \(f8\[1\]\) and now returns"):
        df(np.array([1.0, 1.0]))
    direct = tj.grad(f, optimize=False)
    np.testing.assert_array_equal(direct(np.array([1.0, 1.0])), [1.0, 1.0])
    np.testing.assert_array_equal(direct(np.array([1.0, -1.0])), [1.0, 0.0])


@MODES
def test_functions_that_raise(optimize):
    @primitive
    def checked(x):
        if x[0] > 5.0:
            raise ZeroDivisionError("too large")
        return x * 1.0

    defvjp(checked, lambda g, out, x: g)

    def handled(x):
        try:
            found = checked(x)
        except ZeroDivisionError:
            found = 3.0 * x
        return np.sum(found * x)

    df = tj.grad(lambda x: np.sum(x) + 0.0 * np.sum(checked(x)), optimize=optimize)
    dg = tj.grad(handled, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_array_equal(df(Y), np.ones(3))
        np.testing.assert_allclose(dg(Y), 2 * Y)
    for _ in range(CALLS):
        with pytest.raises(ZeroDivisionError, match="too large"):
            df(Y + 9.0)
        np.testing.assert_allclose(dg(Y + 9.0), 6 * (Y + 9.0))
        np.testing.assert_allclose(dg(Y), 2 * Y)


# -- compiled code ---------------------------------------------------------------------------------


def test_emitted_code_names_the_functions():
    @primitive
    def stretched(p):
        return p["x"] * p["y"]

    defvjp(stretched, lambda g, out, p: {"x": g * p["y"], "y": g * p["x"]})
    text = tj.grad(lambda p: np.sum(stretched(p) ** 2)).source({"x": Y, "y": Y})
    assert "= stretched(x, y)  # f8[3]  test_calls.py" in text
    assert "slots, stretched)" in text


@MODES
def test_primitives_of_one_name_and_of_names_that_are_taken(optimize):
    made = []
    names = ("same", "same", "same", "floor", "sum", "np", "s0", "where", "a_where", "lambda", "x",
             "index", "float", "loop", "matmul")  # fmt: skip
    for number, name in enumerate(names):
        function = lambda x, n=number: x * float(n + 1)
        function.__name__ = name
        made.append(primitive(function))
        defvjp(made[-1], lambda g, out, x, n=number: g * float(n + 1))
    f = lambda x: np.sum([np.sum(p(x) * x**k) for k, p in enumerate(made)])
    plain = lambda x: np.sum([np.sum((k + 1) * x ** (k + 1)) for k in range(len(made))])
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        grads, value = df(Y)
        np.testing.assert_allclose(value, plain(Y))
        expected = sum((k + 1) ** 2 * Y**k for k in range(len(made)))
        np.testing.assert_allclose(grads, expected)
    assert df.cache_info().direct == 0


@MODES
def test_in_a_loop(optimize):
    @primitive
    def step(state, w):
        return Pair(np.sin(state.left) + w, state.right * 0.5)

    defvjp(
        step,
        lambda g, out, state, w: Pair(np.cos(state.left) * g.left, 0.5 * g.right),
        lambda g, out, state, w: g.left,
    )

    def f(w, run):
        state = Pair(w, w * 2.0)
        for _ in range(20):
            state = run(state, w)
        return np.sum(state.left * state.right)

    plain = lambda state, w: Pair(np.sin(state.left) + w, state.right * 0.5)
    expected = tj.grad(lambda w: f(w, plain), optimize=False)(Y)
    df = tj.grad(lambda w: f(w, step), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(Y), expected)
    assert df.cache_info().direct == 0


@MODES
def test_a_primitive_whose_function_uses_tracejit(optimize):
    inner = tj.grad(lambda x: np.sum(np.sin(x)))

    @primitive
    def cosine(x):
        return inner(x)

    defvjp(cosine, lambda g, out, x: -g * np.sin(x))
    check(lambda x: cosine(x) * x, (Y,), (), optimize)


def test_static_methods_and_methods():
    class Model:
        factor = 3.0

        @staticmethod
        @primitive
        def double(x):
            return x * 2.0

        @primitive
        def scaled(self, x):
            return x * self.factor

    defvjp(Model.double, lambda g, out, x: 2.0 * g)
    model = Model()
    np.testing.assert_array_equal(model.scaled(Y), 3.0 * Y)
    for _ in range(CALLS):
        np.testing.assert_array_equal(tj.grad(lambda x: np.sum(model.double(x)))(Y), [2.0] * 3)
    with pytest.raises(UnsupportedError, match=r"Model.*a primitive takes arrays"):
        tj.grad(lambda x: np.sum(model.scaled(x)))(Y)
    with pytest.raises(TypeError, match="takes a function"):
        primitive(3.0)


@MODES
def test_a_primitive_as_an_argument_and_in_containers(optimize):
    double = primitive(lambda x: 2.0 * x)
    defvjp(double, lambda g, out, x: 2.0 * g)
    table = {"double": [double], "label": affine}
    df = tj.jit_grad(lambda x, p: np.sum(p(x) * table["double"][0](x)), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(Y, double)[0], 8.0 * Y)
    assert not hasattr(type(double), "_record")  # by which traced values are known


def test_primitives_are_pickled_by_name_or_by_their_parts():
    assert pickle.loads(pickle.dumps(affine)) is affine
    parts = primitive(np.negative)
    defvjp(parts, np.multiply)
    again = pickle.loads(pickle.dumps(parts))
    assert again is not parts and again.declared.vjp[0].function is np.multiply
    parts.declare(vjp=(), is_zero=True)
    zero = copy.deepcopy(parts)
    np.testing.assert_array_equal(tj.grad(lambda x: np.sum(zero(x) + x))(Y), np.ones(3))


SCRIPT = """
import sys, pickle, cloudpickle, numpy as np, tracejit as tj
if sys.argv[1] == "write":
    @tj.primitive
    def exp(x):
        return np.exp(x)
    tj.defvjp(exp, lambda g, out, x: g * exp(x))
    @tj.jit_grad
    def power(x, n):
        return np.sum(x) if n == 0 else power.__wrapped__(x * x, n - 1)
    both = exp, tj.grad(lambda x: np.sum(exp(x))), power
    assert pickle.loads(cloudpickle.dumps(both))[::2] == (exp, power)
    assert pickle.loads(pickle.dumps(exp)) is exp
    sys.stdout.buffer.write(cloudpickle.dumps(both))
else:
    exp, gradient, power = pickle.load(sys.stdin.buffer)
    print(exp(1.0), tj.hessian(exp)(1.0), gradient(1.0), *power(3.0, 1))
"""


def test_what_a_script_defines_is_pickled_for_other_processes(tmp_path):
    pytest.importorskip("cloudpickle")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command, how = [sys.executable, str(script)], {"cwd": Path(tj.__file__).parents[1]}
    how["env"] = {**os.environ, "PYTHONPATH": str(how["cwd"])}
    data = subprocess.run([*command, "write"], capture_output=True, check=True, **how).stdout
    out = subprocess.run([*command, "load"], input=data, capture_output=True, check=True, **how)
    np.testing.assert_allclose([*map(float, out.stdout.split())], [np.e] * 3 + [6.0, 9.0])


@MODES
def test_writes_before_and_after(optimize):
    square = primitive(lambda x: x * x)
    defvjp(square, lambda g, out, x: 2.0 * g * x)

    def f(x, run):
        z = np.zeros(3)
        z[0] = x[0]
        first = run(z)
        z[1] = x[1]
        second = run(z)
        z[0] = 0.0
        second[2] = x[2]
        first[1] = 5.0 * x[0]
        return np.sum(first) * np.sum(second)

    expected = tj.grad(lambda x: f(x, lambda z: z * z), optimize=False)(Y)
    df = tj.grad(lambda x: f(x, square), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(Y), expected)


@MODES
def test_branches_on_results_and_in_rules(optimize):
    square = primitive(lambda x: x**2)
    defvjp(square, lambda g, out, x: 2 * g * x if x[0] > 1.0 else 10.0 * g)

    def f(x):
        found = square(x)
        return np.sum(found) if found[1] > 9.0 else 3.0 * np.sum(found)

    df = tj.grad(f, optimize=optimize)
    for x in ([0.5, 1.0], [0.5, 4.0], [2.0, 1.0], [2.0, 4.0]) * CALLS:
        slope = 2.0 * np.array(x) if x[0] > 1.0 else np.full(2, 10.0)
        np.testing.assert_allclose(df(np.array(x)), slope if x[1] > 3.0 else 3.0 * slope)
    assert df.cache_info().direct == 0


def test_machine_code_calls_primitives():
    pytest.importorskip("numba")
    square = primitive(lambda x: x * x)
    defvjp(square, lambda g, out, x: 2.0 * g * x)
    defjvp(square, lambda t, out, x: 2.0 * t * x)
    f = lambda x: np.sum(np.tanh(square(np.sin(x) * 2.0) * x))
    plain = lambda x: np.sum(np.tanh((np.sin(x) * 2.0) ** 2 * x))
    for operator in (tj.grad, tj.hessian):
        df = operator(f, backend="numba")
        for _ in range(CALLS):
            np.testing.assert_allclose(df(Y), operator(plain, optimize=False)(Y), atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*direct mode")
def test_the_audit_finds_primitives_that_draw():
    rng = np.random.default_rng(0)
    noisy = primitive(lambda x: x + rng.normal(size=len(x)))
    defvjp(noisy, lambda g, out, x: g)
    df = tj.value_and_grad(lambda x: np.sum(noisy(x) * noisy(x)))
    found = [df(Y)[0] for _ in range(5)]
    assert len({*found}) == 5 and df.cache_info().direct > 0
    assert "differ from those of the plain function" in df.explain()


@MODES
def test_complex_results_of_real_arguments(optimize):
    fft = primitive(lambda x: np.fft.fft(x))
    f, plain = (lambda x, t=t: np.sum(np.abs(t(x)) ** 4) for t in (fft, np.fft.fft))
    z = Y * (1.0 + 0.5j)
    first, second = tj.grad(plain, optimize=False), tj.hvp(plain, optimize=False)
    for rules in ("vjp", "jvp", "both"):
        fft.declare(vjp=(), jvp=())
        if rules != "jvp":
            defvjp(fft, lambda g, out, x: np.real(np.fft.fft(g)))
        if rules != "vjp":
            defjvp(fft, lambda t, out, x: np.fft.fft(t))
        for _ in range(CALLS):
            np.testing.assert_allclose(tj.grad(f, optimize=optimize)(Y), first(Y))
            np.testing.assert_allclose(tj.hvp(f, optimize=optimize)(Y, Y), second(Y, Y))
            along = tj.jvp(tj.grad(f), (Y,), (Y,), optimize=optimize)[1]
            np.testing.assert_allclose(along, second(Y, Y))
    defvjp(fft, lambda g, out, x: np.fft.fft(g))
    for _ in range(CALLS):
        np.testing.assert_allclose(tj.grad(f, optimize=optimize)(z), first(z))


@MODES
def test_sparse_derivatives(optimize):
    square = primitive(lambda x: x * x)
    defvjp(square, lambda g, out, x: 2.0 * g * x)
    f = lambda x: square(x) * np.sin(x)
    plain = lambda x: x * x * np.sin(x)
    by = tj.sparse_jacobian(f, optimize=optimize)(Y)
    assert by.nnz == 3
    np.testing.assert_allclose(by.toarray(), tj.jacobian(plain, optimize=False)(Y))
    by = tj.sparse_hessian(lambda x: np.sum(f(x)), optimize=optimize)(Y)
    right = tj.hessian(lambda x: np.sum(plain(x)), optimize=False)(Y)
    np.testing.assert_allclose(by.toarray(), right, atol=1e-12)
