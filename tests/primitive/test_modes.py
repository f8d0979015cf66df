"""Both modes of primitives, from rules for one of them or for both, to third order."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracejit as tj
from tests.support import CALLS, MODES
from tracejit import defjvp, defvjp, primitive
from tracejit.errors import GradientRuleError, MissingGradientError

X, T = np.array([0.5, 1.0, 2.0]), np.array([1.0, -1.0, 0.5])


def as_bytes(x):
    """The same array, by a way that nothing follows."""
    return np.frombuffer(bytes(memoryview(np.ascontiguousarray(x))), np.float64).copy()


def make_cube(pull, push):
    """A primitive x ** 3 with rules: "traced", "opaque" or None for each mode."""

    @primitive
    def cube(x):
        return as_bytes(x) ** 3

    rules = {
        "traced": lambda v, out, x: v * 3 * x**2,
        "opaque": lambda v, out, x: as_bytes(v) * 3 * as_bytes(x) ** 2,
    }
    if pull:
        defvjp(cube, rules[pull])
    if push:
        defjvp(cube, rules[push])
    return cube


KINDS = (None, "traced", "opaque")
TRACED = [("traced", None), (None, "traced"), ("traced", "traced")]


def same(made, args, expected):
    for _ in range(CALLS):
        np.testing.assert_allclose(made(*args), expected, rtol=1e-12, atol=1e-12)


@MODES
@pytest.mark.parametrize("kinds", TRACED, ids=str)
def test_every_mode_and_order(kinds, optimize):
    cube = make_cube(*kinds)
    how = {"optimize": optimize}
    f, h = lambda x: np.sum(cube(x) * x), lambda x: cube(x) * x
    long = lambda x: np.concatenate([h(x), h(x)])
    df = tj.grad(f, **how)
    same(df, (X,), 4 * X**3)
    assert not optimize or df.cache_info().direct == 0
    forward = lambda g: lambda x: tj.jvp(g, (x,), (T,), **how)[1]
    same(forward(h), (X,), 4 * X**3 * T)
    same(tj.jacobian(h, **how), (X,), np.diag(4 * X**3))
    same(tj.jacobian(long, **how), (X,), np.tile(np.diag(4 * X**3), (2, 1)))
    same(tj.hessian(f, **how), (X,), np.diag(12 * X**2))
    same(tj.hvp(f, **how), (X, T), 12 * X**2 * T)
    inner = lambda x: tj.jvp(h, (x,), (T,))[1]
    same(forward(tj.grad(f)), (X,), 12 * X**2 * T)
    same(forward(inner), (X,), 12 * X**2 * T**2)
    same(tj.grad(lambda x: np.sum(inner(x)), **how), (X,), 12 * X**2 * T)
    same(tj.grad(lambda x: np.sum(tj.hvp(f)(x, T)), **how), (X,), 24 * X * T)
    same(forward(tj.grad(lambda x: np.sum(inner(x)))), (X,), 24 * X * T**2)
    same(forward(forward(inner)), (X,), 24 * X * T**3)


@MODES
@pytest.mark.parametrize("kinds", [*itertools.product(KINDS, KINDS)], ids=str)
def test_each_mode_to_first_order(kinds, optimize):
    pull, push = kinds
    cube = make_cube(pull, push)
    back = pull is not None or push == "traced"
    forth = push is not None or pull == "traced"
    df = tj.grad(lambda x: np.sum(cube(x) * x), optimize=optimize)
    along = lambda: tj.jvp(lambda x: cube(x) * x, (X,), (T,), optimize=optimize)[1]
    for works, run, expected in ((back, lambda: df(X), 4 * X**3), (forth, along, 4 * X**3 * T)):
        if works:
            for _ in range(CALLS):
                np.testing.assert_allclose(run(), expected, rtol=1e-12)
        else:
            with pytest.raises(MissingGradientError, match=r"cube.*test_modes.py:\d+ has no"):
                run()
    assert not optimize or df.cache_info().direct == 0


@MODES
def test_each_mode_asks_for_its_own_rule(optimize):
    twice = primitive(lambda x: 2 * x)
    defvjp(twice, lambda g, out, x: 5 * g)
    defjvp(twice, lambda t, out, x: 7 * t)
    how = {"optimize": optimize}
    f, wide = lambda x: np.sum(twice(x)), lambda x: np.concatenate([twice(x), x])
    same(tj.grad(f, **how), (X,), [5.0, 5.0, 5.0])
    same(lambda x: tj.jvp(twice, (x,), (T,), **how)[1], (X,), 7 * T)
    same(tj.jacobian(twice, **how), (X,), 5 * np.eye(3))  # as many results as arguments: reverse
    same(tj.jacobian(wide, **how), (X,), np.vstack([7 * np.eye(3), np.eye(3)]))
    along = lambda x: tj.jvp(tj.grad(lambda x: np.sum(twice(x) ** 2)), (x,), (T,), **how)[1]
    same(along, (X,), 70 * T)  # 2 * (5 * 7): back by one rule, forth by the other


@MODES
def test_an_opaque_rule_has_no_second_derivative_and_says_what_to_declare(optimize):
    cube = make_cube("opaque", None)
    f = lambda x: np.sum(cube(x))
    with pytest.raises(MissingGradientError, match=r"argument 0 \(defvjp at .*test_modes.py:\d+\)"):
        tj.hvp(f, optimize=optimize)(X, T)
    with pytest.raises(MissingGradientError, match="declare defjvp, too"):
        tj.jvp(cube, (X,), (T,), optimize=optimize)


@MODES
def test_an_opaque_rule_may_call_a_primitive_that_has_rules(optimize):
    slope = make_cube("traced", "traced")

    @primitive
    def fourth(x):
        return as_bytes(x) ** 4

    defvjp(fourth, lambda g, out, x: 4 * g * slope(x))
    same(tj.hessian(lambda x: np.sum(fourth(x)), optimize=optimize), (X,), np.diag(12 * X**2))


@MODES
def test_rules_for_several_arguments_each_in_its_mode(optimize):
    @primitive
    def product(x, y, n):
        return as_bytes(x) * as_bytes(y) * n

    defvjp(product, lambda g, out, x, y, n: g * y * n, None)
    defjvp(product, lambda t, out, x, y, n: t * x * n, argnums=(1,))
    how = {"optimize": optimize}
    f = lambda x, y: np.sum(product(x, y, 2))
    same(tj.grad(f, **how), (X, T), 2 * T)
    same(lambda y: tj.jvp(lambda y: product(X, y, 2), (y,), (T,), **how)[1], (X,), 2 * X * T)
    same(lambda x: tj.jvp(lambda x: product(x, X, 2), (x,), (T,), **how)[1], (X,), 2 * X * T)
    g, count = tj.grad(lambda y: np.sum(product(X, y, 2) + y), **how), 0
    while count < CALLS:  # zero in reverse mode, as declared
        np.testing.assert_array_equal(g(T), np.ones(3))
        count += 1


@MODES
@pytest.mark.parametrize("kinds", TRACED, ids=str)
def test_modes_agree(kinds, optimize):
    cube = make_cube(*kinds)
    f = lambda x: np.tanh(np.sum(cube(np.sin(x)))) * cube(x)
    u = np.array([0.3, -0.2, 1.1])
    out, tangent = tj.jvp(f, (X,), (T,), optimize=optimize)
    _, pull = tj.vjp(f, X, optimize=optimize)
    np.testing.assert_allclose(np.sum(u * tangent), np.sum(pull(u) * T), rtol=1e-12)
    assert tj.gradcheck(f, X, optimize=optimize)


@MODES
def test_modes_agree_for_complex_numbers(optimize):
    z, t = X + 1j * T, T - 0.5j * X

    @primitive
    def square(z):
        return np.array([v * v for v in z])

    defvjp(square, lambda g, out, z: 2 * g * z)
    defjvp(square, lambda t, out, z: 2 * t * z)
    for _ in range(CALLS):
        out, tangent = tj.jvp(square, (z,), (t,), optimize=optimize)
        np.testing.assert_allclose(tangent, 2 * z * t)
        d = tj.holomorphic_grad(square, optimize=optimize)(z)
        np.testing.assert_allclose(d, 2 * z)


@MODES
def test_a_rule_is_differentiated_by_the_result_too(optimize):
    @primitive
    def root(x):
        return as_bytes(x) ** 0.5

    defvjp(root, lambda g, out, x: 0.5 * g / out)
    defjvp(root, lambda t, out, x: 0.5 * t / out)
    h = tj.hessian(lambda x: np.sum(root(x)), optimize=optimize)
    same(h, (X,), np.diag(-0.25 * X**-1.5))
    second = lambda x: tj.jvp(lambda x: tj.jvp(root, (x,), (T,))[1], (x,), (T,), optimize=optimize)
    same(lambda x: second(x)[1], (X,), -0.25 * X**-1.5 * T**2)


@MODES
@pytest.mark.parametrize("kinds", TRACED, ids=str)
def test_inside_a_checkpoint(kinds, optimize):
    cube = make_cube(*kinds)
    block = tj.checkpoint(lambda x: cube(np.sin(x)) * x)
    plain = lambda x: np.sin(x) ** 3 * x
    f, g = lambda x: np.sum(block(block(x))), lambda x: np.sum(plain(plain(x)))
    same(tj.grad(f, optimize=optimize), (X,), tj.grad(g, optimize=False)(X))
    same(tj.hvp(f, optimize=optimize), (X, T), tj.hvp(g, optimize=False)(X, T))


@MODES
@given(st.lists(st.sampled_from(TRACED), min_size=1, max_size=3), st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_modes_agree_for_chains(optimize, kinds, seed):
    chain = [make_cube(*kind) for kind in kinds]

    def f(x):
        for cube in chain:
            x = np.sin(cube(x)) + x[::-1] * x
        return x

    def plain(x):
        for _ in chain:
            x = np.sin(x**3) + x[::-1] * x
        return x

    rng = np.random.default_rng(seed)
    x, t, u = rng.normal(size=(3, 4))
    tangent = tj.jvp(f, (x,), (t,), optimize=optimize)[1]
    pulled = tj.vjp(f, x, optimize=optimize)[1](u)
    np.testing.assert_allclose(np.sum(u * tangent), np.sum(pulled * t), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(tangent, tj.jvp(plain, (x,), (t,), optimize=False)[1], rtol=1e-9)
    total = lambda g: lambda x: np.sum(g(x) * u)
    forth = tj.jvp(tj.grad(total(f)), (x,), (t,), optimize=optimize)[1]  # forward over reverse
    back = tj.hvp(total(f), optimize=optimize)(x, t)  # reverse over reverse
    right = tj.hvp(total(plain), optimize=False)(x, t)
    np.testing.assert_allclose(forth, right, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(back, right, rtol=1e-8, atol=1e-8)


NOT_LINEAR = {
    "clipped": lambda g, out, x: np.clip(g, -1.0, 1.0),
    "normalised": lambda g, out, x: g / np.sqrt(np.sum(g * g)),
    "positive": lambda g, out, x: np.maximum(g, 0.0),
}


@MODES
@pytest.mark.parametrize("rule", NOT_LINEAR.values(), ids=NOT_LINEAR)
def test_what_is_not_linear_is_not_transposed(rule, optimize):
    """It is a gradient of its own, as far as it is asked for; forward mode does not follow."""

    @primitive
    def same(x):
        return x * 1.0

    defvjp(same, rule)
    x = np.array([0.3, 1.7, -2.2])
    loss = lambda x: np.sum(same(x) ** 2)
    curved = tj.hessian(loss, optimize=optimize)(x)  # by the rule as it is written
    np.testing.assert_allclose(tj.grad(loss, optimize=optimize)(x), rule(2 * x, x, x))
    with pytest.raises(GradientRuleError, match=r"not linear in g.* declare that with defjvp"):
        tj.jvp(same, (x,), (x,), optimize=optimize)
    defjvp(same, lambda t, out, x: t)
    np.testing.assert_allclose(tj.jvp(same, (x,), (x,), optimize=optimize)[1], x)
    np.testing.assert_allclose(tj.hessian(loss, optimize=optimize)(x), curved)


@MODES
def test_a_jvp_rule_that_is_not_linear_gives_no_gradient(optimize):
    @primitive
    def same(x):
        return x * 1.0

    defjvp(same, lambda t, out, x: np.tanh(t))
    with pytest.raises(GradientRuleError, match=r"not linear in t.* declare that with defvjp"):
        tj.grad(lambda x: np.sum(same(x)), optimize=optimize)(np.ones(2))
