"""Random numbers are drawn again at every call, in program order, from the same generator.

Every scenario shows the state of its generators; NumPy's own is always compared. A draw in a branch
that is not taken does not happen, and an attempt that is given up leaves no trace.
"""

import random

import numpy as np
import pytest

from tests.sound.support import MODES, X, check, module
from tracejit import jit_grad

Y = np.array([3.0, -1.0, 0.5])
POSITIVE, NEGATIVE = X, -X


def calls(count=5):
    for _ in range(count):
        yield None


def states(*generators):
    """A function that shows where generators are."""
    return lambda: [
        g.bit_generator.state if hasattr(g, "bit_generator") else g.get_state() for g in generators
    ]


# -- the ways to draw -----------------------------------------------------------------------------
def legacy_functions():
    def f(x):
        y = x * np.random.random(3) + np.random.randn(3) * np.random.rand()
        y = y + np.random.standard_normal((2, 3)) - np.random.uniform(0.5, 1.5, 3)
        return np.sum(y * np.random.normal(size=3)) + np.random.normal() * x[0]

    yield f
    yield from calls()


def legacy_integers_and_choices():
    def f(x):
        i = np.random.randint(3)
        return x[i] * 2.0 + np.sum(x[np.random.permutation(3)] * Y) + np.sum(
            x[np.random.choice(3, 2)]
        )

    yield f
    yield from calls()


def generator_methods():
    rng = np.random.default_rng(1)

    def f(x):
        y = x * rng.random(3) + rng.standard_normal(3) * rng.uniform(0.5, 1.5)
        y = y * rng.normal(1.0, 0.1, size=(2, 3)) + rng.exponential(2.0, 3)
        mask = rng.random((2, 3)) < 0.7
        return np.sum(np.where(mask, y, 0.0)) / 0.7

    yield f, states(rng)
    yield from calls()


def generator_integers_and_choices():
    rng = np.random.default_rng(1)

    def f(x):
        y = x[rng.permutation(3)] * Y
        i = rng.integers(0, 3, size=4)
        j = rng.choice(3, size=2, replace=False)
        return np.sum(y) + np.sum(x[i]) * 2.0 + np.prod(x[j]) + x[rng.integers(3)]

    yield f, states(rng)
    yield from calls()


def single_precision_and_out():
    rng = np.random.default_rng(1)
    buffer = np.zeros(3)

    def f(x):
        y = x * rng.random(3, dtype=np.float32)
        rng.random(out=buffer)
        return np.sum(y * rng.standard_normal(3, dtype="f4")) + np.sum(buffer * x)

    yield f, lambda: (states(rng)(), buffer)
    yield from calls()


def random_state():
    rng = np.random.RandomState(4)

    def f(x):
        return np.sum(x * rng.randn(3)) * rng.rand() + x[rng.randint(3)]

    yield f, states(rng)
    yield from calls()


def other_bit_generators():
    one, two = np.random.Generator(np.random.MT19937(1)), np.random.Generator(np.random.SFC64(2))
    yield (lambda x: np.sum(x * one.random(3) + two.random(3) * one.random())), states(one, two)
    yield from calls()


def two_names_of_one_generator():
    rng = np.random.default_rng(1)
    other = rng
    fresh = np.random.Generator(rng.bit_generator)

    def f(x):
        return np.sum(x * rng.random(3)) + np.sum(x * other.random(3)) * fresh.random()

    yield f, states(rng)
    yield from calls()


def the_size_is_data():
    rng = np.random.default_rng(1)

    def f(x, n):
        return np.sum(x) * np.sum(rng.random(n)) + np.sum(x * rng.standard_normal(x.shape))

    yield f, states(rng)
    for n in (2, 2, 3, 3, 2, 0):
        yield X, n


def the_arguments_are_data():
    rng = np.random.default_rng(1)

    def f(x, scale, p):
        noise = rng.normal(scale, scale, size=3)
        return np.sum(x * noise) + np.sum(x * rng.choice(Y, size=3, p=p))

    yield f, states(rng)
    for scale in (1.0, 1.0, 2.0, 3.0):
        yield X, scale, np.array([0.5, 0.25, 0.25])
        yield X, scale, np.array([0.0, 0.0, 1.0])


def order_of_draws():
    """What is drawn first must not change when the first result is not used, or used later."""
    rng = np.random.default_rng(1)

    def f(x):
        rng.random(3)  # never used
        late = rng.random(3)
        early = rng.standard_normal(3)
        y = np.sum(x * early)
        np.random.random()
        return y * np.sum(late) + y * np.random.random()

    yield f, states(rng)
    yield from calls()


# -- where the generator comes from ---------------------------------------------------------------
def generator_as_an_argument():
    rng, other = np.random.default_rng(1), np.random.default_rng(2)
    yield (lambda x, r: np.sum(x * r.random(3))), states(rng, other)
    for r in (rng, rng, other, rng, other, other):
        yield X, r


def generator_as_an_attribute_and_in_a_dict():
    class Model:
        def __init__(self):
            self.rng = np.random.default_rng(1)
            self.parts = {"noise": [np.random.default_rng(2)]}

        def loss(self, x):
            return np.sum(x * self.rng.random(3)) + x[0] * self.parts["noise"][0].normal()

    m = Model()
    yield m.loss, lambda: states(m.rng, m.parts["noise"][0])()
    yield from calls()
    m.rng = np.random.default_rng(9)
    yield from calls(3)
    m.parts["noise"][0] = m.rng
    yield from calls(3)


def generator_of_another_module():
    m = module(
        "import numpy as np\nrng = np.random.default_rng(1)\n"
        "def drop(x):\n    return x * (rng.random(x.shape) < 0.5)\n"
    )
    yield (lambda x: np.sum(m.drop(x) + m.drop(x * 2.0))), lambda: states(m.rng)()
    yield from calls()
    m.rng = np.random.default_rng(5)
    yield from calls(3)


def generator_made_inside():
    seed = 3

    def f(x):
        rng = np.random.default_rng(seed)
        return np.sum(x * rng.random(3)) + np.sum(np.random.RandomState(seed).rand(3) * x)

    yield f
    yield from calls(3)
    seed = 4
    yield from calls(3)


def generator_made_inside_from_data():
    def f(x, seed):
        return np.sum(x * np.random.default_rng(seed).random(3))

    yield f
    for seed in (1, 1, 1, 2, 2, 3, 1):
        yield X, seed


def bound_methods_of_a_generator():
    rng = np.random.default_rng(1)
    draw = rng.random
    legacy = np.random.random
    yield (lambda x: np.sum(x * draw(3)) * legacy()), states(rng)
    yield from calls()
    draw = rng.standard_normal
    yield from calls(3)


def set_back_between_calls():
    rng = np.random.default_rng(1)
    yield (lambda x: np.sum(x * rng.random(3)) * np.random.random()), states(rng)
    yield from calls(3)
    start = rng.bit_generator.state
    yield from calls(2)
    rng.bit_generator.state = start
    np.random.seed(0)
    yield from calls(2)
    rng.random(5)
    np.random.random(5)
    yield from calls(2)


def set_inside():
    rng = np.random.default_rng(1)

    def f(x):
        a = np.random.random(3)
        np.random.seed(3)
        state = rng.bit_generator.state
        b = rng.random(3)
        rng.bit_generator.state = state
        return np.sum(x * a * b) + np.sum(x * rng.random(3)) + np.random.random()

    yield f, states(rng)
    yield from calls()


def shuffled_inside():
    rng = np.random.default_rng(1)
    order = np.arange(3)
    rows = [0, 1, 2]

    def f(x):
        np.random.shuffle(order)
        rng.shuffle(rows)
        own = np.arange(3)
        rng.shuffle(own)
        return np.sum(x[order] * Y) + x[rows[0]] + x[own[0]] * 2.0

    yield f, lambda: (states(rng)(), order, rows)
    yield from calls()


def state_copied_and_spawned():
    rng = np.random.default_rng(1)

    def f(x):
        child = rng.spawn(1)[0]
        return np.sum(x * child.random(3)) * rng.random()

    yield f, states(rng)
    yield from calls()


def the_standard_library():
    def f(x):
        return np.sum(x) * random.random() + x[random.randrange(3)] + random.gauss(0.0, 1.0)

    yield f
    yield from calls()


def one_generator_in_two_functions():
    rng = np.random.default_rng(1)
    inner = jit_grad(lambda x: np.sum(x * rng.random(3)), audit=False, withGradients=False)
    plain = inner.__wrapped__

    def f(x):
        return np.sum(x * rng.random(3))

    yield f, lambda: states(rng)()
    for _ in range(4):
        yield None
        plain(X)  # another function draws between the calls


# -- draws and branches ---------------------------------------------------------------------------
def draws_in_branches():
    rng = np.random.default_rng(1)

    def f(x):
        if np.sum(x) > 0.0:
            return np.sum(x * rng.random(3))
        if np.sum(x) < -10.0:
            x = x * np.random.random(3)
        return np.sum(x) * rng.standard_normal()

    yield f, states(rng)
    for x in (X, X, -X, -X, -9.0 * X, -9.0 * X, X, -X, -9.0 * X):
        yield (x,)


def draws_decide():
    rng = np.random.default_rng(1)

    def f(x):
        if rng.random() < 0.5:
            return np.sum(x**2)
        return np.sum(x * rng.random(3)) if rng.integers(2) else np.sum(x)

    yield f, states(rng)
    yield from calls(16)


def draws_decide_how_often():
    def f(x):
        for _ in range(np.random.randint(4)):
            x = x * np.random.random(3)
        while np.random.random() < 0.5:
            x = x + 1.0
        return np.sum(x)

    yield f
    yield from calls(16)


def draws_before_a_guard_that_fails():
    rng = np.random.default_rng(1)

    def f(x):
        noise = rng.random(3)
        legacy = np.random.standard_normal()
        own = np.random.default_rng(7).random()
        if np.sum(x) > 0.0:
            return np.sum(x * noise) * legacy
        other = rng.random(3)
        if x[0] < -5.0:
            return np.sum(x * noise * other) + np.random.random()
        return np.sum(x * noise - other) * own

    yield f, states(rng)
    for x in (X, X, X, -X, X, -X, -X, -20 * X, X, -20 * X, -X, X):
        yield (x,)


def draws_and_writes_before_a_guard_that_fails():
    rng = np.random.default_rng(1)
    mean, count = np.zeros(3), np.zeros(1)

    def f(x):
        noisy = x + 0.1 * rng.standard_normal(3)
        mean[:] = 0.9 * mean + 0.1 * noisy
        count[0] += 1.0
        if count[0] % 2.0 == 0.0:
            return np.sum(noisy * rng.random(3))
        if np.sum(x) > 0.0:
            mean[0] = rng.random()
            return np.sum(noisy * mean)
        return np.sum(noisy**2)

    yield f, lambda: (states(rng)(), mean, count)
    for x in (X, X, -X, -X, X, -X, X, X, -X, X):
        yield (x,)


def an_exception_after_a_draw():
    rng = np.random.default_rng(1)
    total = np.zeros(3)

    def f(x):
        total[:] += rng.random(3)
        if x[0] < 0.0:
            raise RuntimeError("mine")
        return np.sum(x * rng.random(3) * total)

    yield f, lambda: (states(rng)(), total)
    for x in (X, X, -X, X, -X, X):
        yield (x,)


def captured_values_change_after_draws():
    rng = np.random.default_rng(1)
    w, power = Y.copy(), 2

    def f(x):
        noise = rng.random(3)
        return np.sum((x * noise) ** power * w) * rng.random()

    yield f, states(rng)
    yield from calls(3)
    power = 3
    yield from calls(3)
    w = Y.astype("f4")
    yield from calls(3)
    rng = np.random.default_rng(8)
    yield from calls(3)


# Of all of these the contract says that they compile.
COMPILED = [
    legacy_functions, legacy_integers_and_choices, generator_methods,
    generator_integers_and_choices, random_state, two_names_of_one_generator,
    the_arguments_are_data, order_of_draws, generator_as_an_attribute_and_in_a_dict,
    generator_of_another_module, generator_as_an_argument, set_back_between_calls,
    one_generator_in_two_functions, draws_in_branches, draws_decide,
    draws_before_a_guard_that_fails, draws_and_writes_before_a_guard_that_fails,
    captured_values_change_after_draws,
]  # fmt: skip
OTHERS = [
    single_precision_and_out, other_bit_generators, the_size_is_data, generator_made_inside,
    draws_decide_how_often,
    generator_made_inside_from_data, bound_methods_of_a_generator, set_inside, shuffled_inside,
    state_copied_and_spawned, the_standard_library, an_exception_after_a_draw,
]  # fmt: skip
by_name = {"ids": lambda scenario: scenario.__name__}


@MODES
@pytest.mark.parametrize("scenario", COMPILED + OTHERS, **by_name)
def test_draws_are_those_of_plain_python(scenario, optimize):
    check(scenario, optimize)


@pytest.mark.parametrize("scenario", COMPILED, **by_name)
def test_draws_are_compiled(scenario):
    check(scenario, compiled=True)


@MODES
def test_calls_draw_fresh_numbers(optimize):
    rng = np.random.default_rng(0)
    df = jit_grad(lambda x: np.sum(x * (rng.random(1000) < 0.5)), optimize=optimize, audit=False)
    masks = [df(np.ones(1000))[0] for _ in range(6)]
    assert all(set(mask) == {0.0, 1.0} for mask in masks)
    assert len({mask.tobytes() for mask in masks}) == 6


def test_the_audit_draws_nothing():
    """With the audit on, the generator is where plain Python leaves it."""
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    seen = np.zeros(3)

    def f(x):
        seen[:] += 1.0
        return np.sum(x * rng.random(3)) + np.random.random()

    df = jit_grad(f)
    np.random.seed(3)
    values = [df(X)[1] for _ in range(6)]
    left = np.random.random()
    np.random.seed(3)
    expected = [np.sum(X * twin.random(3)) + np.random.random() for _ in range(6)]
    np.testing.assert_allclose(values, expected)
    assert left == np.random.random()
    assert rng.bit_generator.state == twin.bit_generator.state
    np.testing.assert_array_equal(seen, 6.0)


@MODES
def test_a_gradient_of_a_gradient_draws_once(optimize):
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    first = jit_grad(lambda x: np.sum(x**3 * rng.random(3)), withForward=False, audit=False,
                     optimize=optimize)  # fmt: skip
    df = jit_grad(lambda x: np.sum(first(x) ** 2), optimize=optimize, audit=False)
    for _ in range(4):
        grad, value = df(X)
        noise = twin.random(3)
        np.testing.assert_allclose(value, np.sum((3 * X**2 * noise) ** 2))
        np.testing.assert_allclose(grad, 36 * X**3 * noise**2)
        assert rng.bit_generator.state == twin.bit_generator.state


def test_looking_at_the_source_draws_nothing():
    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    df = jit_grad(lambda x: np.sum(x * rng.random(3)), audit=False)
    for _ in range(3):
        df(X)
        df.explain()
        twin.random(3)
        assert rng.bit_generator.state == twin.bit_generator.state
    df.source(X)
    assert rng.bit_generator.state == twin.bit_generator.state


@MODES
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
def test_rows_that_are_shuffled_in_place_stay_whole(optimize):
    rng, data = np.random.default_rng(3), np.arange(12.0).reshape(6, 2)
    plain_rng, plain = np.random.default_rng(3), data.copy()

    def f(w):
        rng.shuffle(data)
        np.random.shuffle(data)
        return np.mean(data[:3] @ w)

    df, w = jit_grad(f, optimize=optimize), np.array([1.0, -0.5])
    for seed in range(4):
        np.random.seed(seed)
        grad, value = df(w)
        np.random.seed(seed)
        plain_rng.shuffle(plain)
        np.random.shuffle(plain)
        np.testing.assert_array_equal(data, plain)
        np.testing.assert_allclose(grad, plain[:3].mean(axis=0))
        assert np.isclose(value, np.mean(plain[:3] @ w))
