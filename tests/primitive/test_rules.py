"""What gradient rules may be and give: every mistake names the rule, its line, and the call."""

import functools

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES
from tracejit import defjvp, defvjp, primitive
from tracejit.errors import GradientRuleError, WriteToArgumentError

X = np.arange(6.0).reshape(2, 3) + 0.5
Y = np.array([1.0, 2.0, 3.0])
SCALE = 3.0
WEIGHTS = np.array([1.0, 2.0, 3.0])


def scaled(rule=None, push=None):
    made = primitive(lambda x, y: x * y)
    made.__name__ = "scaled"
    if rule is not None:
        defvjp(made, rule, None)
    if push is not None:
        defjvp(made, push, None)
    return made


WRONG = {
    "shape": (lambda g, out, x, y: np.sum(g), r"gives f8; .*argument: f8\[2,3\]"),
    "broadcasts": (lambda g, out, x, y: g[:1] * y, r"gives f8\[1,3\]; .*undo what broadcasting"),
    "too large": (lambda g, out, x, y: (g * y)[None], r"gives f8\[1,2,3\]; "),
    "complex": (lambda g, out, x, y: g * y * 1j, r"gives c16\[2,3\]; .*np\.real"),
    "integers": (lambda g, out, x, y: np.ones((2, 3), int), r"gives i8\[2,3\], which is no float"),
    "bools": (lambda g, out, x, y: x > 0, r"gives b1\[2,3\], which is no float"),
    "a list": (lambda g, out, x, y: [g * y], "gives a list; .*one array or number"),
    "a tuple": (lambda g, out, x, y: (g, g), "gives a tuple; .*one array or number"),
    "text": (lambda g, out, x, y: "g", "gives a str; "),
    "a number": (lambda g, out, x, y: 0, "gives int, which is no float.*None where it is zero"),
    "raises": (lambda g, out, x, y: g * y[:2], "raises ValueError: operands could not"),
    "a mistake": (lambda g, out, x, y: g.flatter, "raises AttributeError"),
    "objects": (lambda g, out, x, y: np.array([[None] * 3] * 2), "gives a ndarray"),
}  # fmt: skip


@MODES
@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_vjp_rule_may_not_give(wrong, optimize):
    rule, said = WRONG[wrong]
    bad = scaled(rule)
    here = r"test_rules.py:\d+"
    first = rf"the rule of scaled for argument 0 \(defvjp at .*{here}\) {said}"
    with pytest.raises(GradientRuleError, match=rf"(?s){first}.*scaled is called at .*{here}"):
        tj.grad(lambda x: np.sum(bad(x, Y)), optimize=optimize)(X)


@MODES
def test_what_a_jvp_rule_may_not_give(optimize):
    for rule, said in (
        (lambda t, out, x, y: np.sum(t), r"gives f8; the tangent .* the result: f8\[2,3\]"),
        (lambda t, out, x, y: t * 1j, r"gives c16\[2,3\]"),
        (lambda t, out, x, y: (t,), "gives a tuple"),
    ):
        with pytest.raises(GradientRuleError, match=rf"\(defjvp at .*test_rules.py:\d+\) {said}"):
            tj.jvp(lambda x: scaled(None, rule)(x, Y), (X,), (X,), optimize=optimize)  # noqa: B023


@MODES
def test_what_it_may_give(optimize):
    for rule, expected in (
        (lambda g, out, x, y: None, 0.0),
        (lambda g, out, x, y: np.full((2, 3), np.nan), np.nan),
        (lambda g, out, x, y: np.float32(2) * g.astype("f4"), 2.0),
        (lambda g, out, x, y: g * 0, 0.0),
    ):
        bad = scaled(rule)
        f = lambda x: np.sum(bad(x, Y)) + 0.0 * x[0, 0]  # noqa: B023
        df = tj.grad(f, optimize=optimize)
        for _ in range(CALLS):
            found = df(X)
            assert found.dtype == np.float64
            np.testing.assert_array_equal(found, np.full((2, 3), expected))


@MODES
def test_a_gradient_has_the_dtype_of_its_argument(optimize):
    wide = primitive(lambda x: x.astype(np.float64) * 2)
    defvjp(wide, lambda g, out, x: g * 2)
    for _ in range(CALLS):
        found = tj.grad(lambda x: np.sum(wide(x)), optimize=optimize)(X.astype("f4"))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, np.full((2, 3), 2.0))


STRUCTURES = {
    "another order": (lambda g, out, p: {"b": g, "a": [2 * g, None]}, None),
    "zero": (lambda g, out, p: {"a": None, "b": g}, None),
    "a key less": (lambda g, out, p: {"b": g}, r"gives a dict with 'b'; .*dict with 'a', 'b'"),
    "a list": (lambda g, out, p: [g, g], r"gives a list with 0, 1; .*: a dict with 'a', 'b'"),
    "an array": (lambda g, out, p: g, r"gives f8\[3\]; .*structure of the argument: a dict"),
    "inside": (lambda g, out, p: {"a": (g, g), "b": g}, r'tuple .*argument\["a"\]: a list with 0'),
    "too deep": (lambda g, out, p: {"a": [g, g], "b": [g]}, r'a list; .* as the argument\["b"\]'),
    "a shape": (lambda g, out, p: {"a": [g, g[0]], "b": g}, r'f8; .*argument\["a"\]\[1\]: f8\[3\]'),
}  # fmt: skip


@MODES
@pytest.mark.parametrize("given", STRUCTURES)
def test_what_rules_may_give_for_structures(given, optimize):
    rule, said = STRUCTURES[given]
    made = primitive(lambda p: p["a"][0] + p["b"])
    defvjp(made, rule)
    df = tj.grad(lambda p: np.sum(made(p) * Y), optimize=optimize)
    p = {"a": [Y, Y], "b": Y}
    if said is not None:
        with pytest.raises(GradientRuleError, match=said):
            df(p)
        return
    for _ in range(CALLS):
        found = df(p)
        np.testing.assert_array_equal(found["b"], Y)
        np.testing.assert_array_equal(found["a"][0], (given == "another order") * 2 * Y)


# -- how rules are declared ------------------------------------------------------------------------


def test_rules_of_autograd_are_explained():
    with pytest.raises(GradientRuleError, match="as HIPS autograd has it") as caught:
        defvjp(scaled(), lambda ans, x, y: lambda g: g * y + np.sum(ans))
    assert "lambda g, ans, x, y: g * y + np.sum(ans)" in str(caught.value)
    assert "test_rules.py" in str(caught.value)


def test_rules_of_autograd_that_are_functions():
    def rule(ans, x, y):
        def vjp(upstream):
            return upstream * y

        return vjp

    with pytest.raises(GradientRuleError, match=r"lambda upstream, ans, x, y: \.\.\."):
        defvjp(scaled(), rule)


@MODES
def test_rules_of_autograd_that_take_anything(optimize):
    bad = scaled(lambda ans, *args: lambda g: g * args[1])
    with pytest.raises(GradientRuleError, match=r"lambda g, ans, \*args: g \* args\[1\]"):
        tj.grad(lambda x: np.sum(bad(x, Y)), optimize=optimize)(X)


def test_rules_that_cannot_be_called():
    with pytest.raises(GradientRuleError, match=r"takes 2 positional .*so that it takes 4"):
        defvjp(scaled(), lambda g, x: g)
    with pytest.raises(GradientRuleError, match=r"is no function but 3\.0"):
        defvjp(scaled(), 3.0)
    with pytest.raises(GradientRuleError, match=r"has a rule for argument 2; scaled takes 2"):
        defvjp(scaled(), None, None, None)
    with pytest.raises(GradientRuleError, match=r"2 rules and argnums"):
        defvjp(scaled(), None, None, argnums=(0,))
    with pytest.raises(GradientRuleError, match=r"2 rules and argnums"):
        defjvp(scaled(), None, None, argnums=(1, 1))
    with pytest.raises(TypeError, match="@primitive"):
        defjvp(np.floor, None)


@pytest.mark.parametrize("argnums", [0, "x", ("x",), (1.0,), (-1,), (0, 1)])
def test_arguments_that_are_no_numbers(argnums):
    with pytest.raises(GradientRuleError, match=r"argnums.*\(0, 2\)"):
        defvjp(primitive(np.add), lambda g, out, x, y: g, argnums=argnums)


def test_the_ways_of_other_libraries_are_explained():
    made = scaled()
    with pytest.raises(AttributeError, match=r"defvjp\(scaled, rule, ...\)"):
        made.defvjp(lambda x, y: (x * y, (x, y)), lambda res, g: (g, g))
    with pytest.raises(AttributeError, match=r"defvjp\(scaled, "):
        made.defgrad(lambda ans, x, y: lambda g: g)
    with pytest.raises(AttributeError, match="nothing"):
        made.nothing  # noqa: B018


@MODES
def test_rules_for_some_arguments(optimize):
    three = primitive(lambda x, y, z: x * y * z)
    defvjp(three, lambda g, out, x, y, z: g * x * y, lambda g, out, x, y, z: g * y * z,
           argnums=(2, 0))  # fmt: skip
    df = tj.grad(lambda x, z: np.sum(three(x, Y, z)), (0, 1), optimize=optimize)
    for _ in range(CALLS):
        by_x, by_z = df(Y + 1, Y + 2)
        np.testing.assert_allclose(by_x, Y * (Y + 2))
        np.testing.assert_allclose(by_z, Y * (Y + 1))


@MODES
def test_other_rules_are_followed_by_compiled_code(optimize):
    made = primitive(lambda x: x * 1.0)
    df = tj.grad(lambda x: np.sum(made(x)), optimize=optimize)
    for factor in (1.0, 2.0, 3.0, 1.0):
        defvjp(made, lambda g, out, x, factor=factor: factor * g)
        for _ in range(CALLS):
            np.testing.assert_array_equal(df(Y), [factor] * 3)
    assert df.cache_info().direct == 0
    defjvp(made, lambda t, out, x: 4 * t)
    for factor in (5.0, 6.0):
        defjvp(made, lambda t, out, x, factor=factor: factor * t)
        for _ in range(CALLS):
            found = tj.jvp(lambda x: made(x) + x, (Y,), (Y,), optimize=optimize)[1]
            np.testing.assert_allclose(found, (factor + 1) * Y)


# -- what rules do ---------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("nested", [False, True])
def test_what_a_rule_reads_is_read_anew(optimize, nested, monkeypatch):
    cell = [2.0]
    made = scaled(lambda g, out, x, y: g * SCALE * WEIGHTS * cell[0])
    f = lambda x: np.sum(made(x, Y))
    df = tj.grad(f, optimize=optimize)
    if nested:
        df = tj.grad(lambda x: np.sum(tj.grad(f)(x) * x), optimize=optimize)
    weights = WEIGHTS.copy()
    for scale, factor, held in ((3.0, 1.0, 2.0), (5.0, 1.0, 2.0), (5.0, 4.0, 2.0), (5.0, 4.0, 6.0)):
        monkeypatch.setitem(globals(), "SCALE", scale)
        WEIGHTS[:] = factor * weights
        cell[0] = held
        for _ in range(CALLS):
            expected = scale * factor * held * weights
            np.testing.assert_allclose(df(X), np.broadcast_to(expected, (2, 3)))
    WEIGHTS[:] = weights
    assert df.cache_info().direct == 0


@MODES
def test_rules_are_written_as_traced_functions_are(optimize):
    def by_rows(g, out, x, y):
        found = np.zeros(x.shape)
        for row in range(len(x)):
            if y[0] > 0:
                found[row] = np.array([g[row, 0] * y[0], g[row, 1] * y[1], g[row, 2] * y[2]])
        found *= 1.0
        return found

    made = scaled(by_rows)
    df = tj.jit_grad(lambda x, y: np.sum(made(x, y) ** 2), optimize=optimize)
    for y in (Y, Y, Y, Y + 1):
        np.testing.assert_allclose(df(X, y)[0], 2 * X * y * y)
    assert df.cache_info().direct == 0
    h = tj.hessian(lambda x: np.sum(made(x, Y) ** 2), optimize=optimize)(X)
    np.testing.assert_allclose(h.reshape(6, 6), np.diag(np.tile(2 * Y * Y, 2)))


@MODES
def test_a_rule_may_not_write_to_what_it_gets(optimize):
    def writes(g, out, x, y):
        np.multiply(memoryview(g), 2.0, out=np.asarray(memoryview(g)))
        return g

    def adds(g, out, x, y):
        g += 1.0
        return g

    def puts(g, out, x, y):
        x[0] = 0.0
        return g

    for rule in (writes, adds, puts):
        made = scaled(rule)
        with pytest.raises(WriteToArgumentError, match=r"scaled.*test_rules.py"):
            tj.grad(lambda x: np.sum(made(x, Y) * x), optimize=optimize)(X.copy())  # noqa: B023


@MODES
@pytest.mark.filterwarnings("ignore:.*direct mode")
def test_what_a_rule_changes_outside_is_changed_once_a_call(optimize):
    seen, weights = [], np.ones(3)

    def adds(g, out, x, y):
        weights[0] += 1.0
        return g * weights

    def appends(g, out, x, y):
        seen.append(g[0, 0])
        return g * weights

    def appends_and_leaves(g, out, x, y):
        seen.append(np.array(memoryview(g))[0, 0])
        return g * weights

    for rule in (adds, appends, appends_and_leaves):
        made = scaled(rule)
        df = tj.grad(lambda x: np.sum(made(x, Y)), optimize=optimize)  # noqa: B023
        for n in range(CALLS):
            expected = 2.0 + n if rule is adds else CALLS + 1.0
            np.testing.assert_array_equal(df(X)[:, 0], [expected, expected])
    assert [*map(float, seen)] == [1.0] * (2 * CALLS)
    pushed = primitive(np.positive)
    defjvp(pushed, lambda t, out, x: adds(t, out, x, None))
    df = tj.grad(lambda x: np.sum(pushed(x)), optimize=optimize)
    assert [df(Y)[0] for _ in range(CALLS)] == [CALLS + 2.0 + n for n in range(CALLS)]


@MODES
def test_a_rule_that_gives_what_it_got_or_holds(optimize):
    held = np.ones(3)
    for rule in (lambda g, out, x, y: g, lambda g, out, x, y: held, lambda g, out, x, y: x):
        made = scaled(rule)
        df = tj.grad(lambda x: np.sum(made(x, Y)), optimize=optimize)  # noqa: B023
        x = Y.copy()
        for _ in range(CALLS):
            found = df(x)
            kept = found.copy()
            found[:] = -7.0
            np.testing.assert_array_equal(held, np.ones(3))
            np.testing.assert_array_equal(x, Y)
            np.testing.assert_array_equal(df(x), kept)


@MODES
def test_rules_of_other_kinds(optimize):
    class Rule:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, g, out, x, y):
            return self.factor * g

        def method(self, g, out, x, y):
            return self.factor * g

    def of_two(factor, g, out, x, y):
        return factor * g

    rule = Rule(3.0)
    for given in (rule, rule.method, functools.partial(of_two, 3.0), primitive(rule.method)):
        made = scaled(given)
        df = tj.grad(lambda x: np.sum(made(x, Y)), optimize=optimize)  # noqa: B023
        for _ in range(CALLS):
            np.testing.assert_array_equal(df(X), np.full((2, 3), 3.0))
    made = scaled(rule)
    df = tj.grad(lambda x: np.sum(made(x, Y)), optimize=optimize)
    for rule.factor in (3.0, 3.0, 3.0, 4.0, 4.0):
        np.testing.assert_array_equal(df(X), np.full((2, 3), rule.factor))


@MODES
def test_a_rule_may_take_gradients_itself(optimize):
    inner = lambda x, y: np.sum(np.sin(x) * y)
    total = primitive(lambda x, y: float(np.sum(np.sin(x) * y)))
    defvjp(total, lambda g, out, x, y: g * tj.grad(inner)(x, y), None)
    df = tj.grad(lambda x: total(x, Y), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(X), np.cos(X) * Y)
    v = np.ones((2, 3))
    h = tj.hvp(lambda x: total(x, Y), optimize=optimize)(X, v)
    np.testing.assert_allclose(h, -np.sin(X) * Y)
