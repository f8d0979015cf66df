"""Nested values come apart and together again as they were."""

import pickle
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES
from tracejit import jit_grad, register_container
from tracejit.errors import ConfigError, ParameterTypeError
from tracejit.tree import LEAF, flatten, path_text, unflatten

Pair = namedtuple("Pair", "a b")


@dataclass
class Layer:
    w: object
    scale: float


VALUES = [
    3.0,
    [1.0, [2.0, (3.0,)]],
    {"b": 1.0, "a": {"x": 2.0}},
    OrderedDict(z=1.0, a=2.0),
    Pair(1.0, [2.0]),
    Layer([1.0], 2.0),
    [],
    {},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_there_and_back(value):
    leaves = []
    tree = flatten(value, leaves)
    again = unflatten(tree, iter(leaves))
    assert again == value and type(again) is type(value)
    assert tree.leaves == len(leaves) == len(list(tree.paths()))


def test_default_factory_is_kept():
    value = defaultdict(list, a=1.0)
    leaves = []
    again = unflatten(flatten(value, leaves), iter(leaves))
    assert again == value and again.default_factory is list


def test_key_order_is_part_of_the_structure():
    assert flatten({"a": 1, "b": 2}, []) != flatten({"b": 2, "a": 1}, [])


def test_subclasses_of_containers_are_leaves():
    class Special(dict):
        pass

    assert flatten(Special(a=1.0), []) is LEAF


def test_paths_are_written_as_python():
    tree = flatten({"W": [1.0, 2.0], 3: 4.0}, [])
    assert [path_text("p", path) for path in tree.paths()] == ['p["W"][0]', 'p["W"][1]', "p[3]"]


@pytest.mark.parametrize("optimize", [True, False])
def test_registered_containers(optimize):
    class Box:
        def __init__(self, inside):
            self.inside = inside

    register_container(Box, lambda box: [box.inside], lambda children: Box(*children))
    df = jit_grad(lambda p: np.sum(p[0].inside ** 2), optimize=optimize)
    for value in (1.0, 2.0, 3.0):
        grads, loss = df([Box(np.full(2, value))])
        assert type(grads[0]) is Box and loss == 2 * value**2
        np.testing.assert_allclose(grads[0].inside, 2 * value)


# -- registered containers -------------------------------------------------------------------------


class Model:
    """Holds an array, a number and a text."""

    def __init__(self, w, rate, title="first"):
        self.w, self.rate, self.title = w, rate, title


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


class Named(dict):
    pass


register_container(Model, lambda m: [m.w, m.rate, m.title], lambda c: Model(*c))
register_container(Slotted, lambda s: (s.a, s.b), lambda c: Slotted(*c))
register_container(Named, lambda d: [*d.values()], lambda c: Named(zip("ab", c, strict=True)))
HELD = Model(np.array([1.0, 2.0]), 0.5)
X = np.array([3.0, 4.0])


def energy(model, x):
    factor = 2.0 if model.title == "first" else 3.0
    return factor * np.sum(model.w**2 * x) * model.rate


@MODES
def test_a_registered_container_as_parameter(optimize):
    df = tj.grad(energy, optimize=optimize)
    for title, factor in (("first", 2.0), ("other", 3.0)) * CALLS:
        model = Model(np.array([1.0, 2.0]), 0.5, title)
        found = df(model, X)
        assert type(found) is Model and found.title is None
        np.testing.assert_allclose(found.w, factor * model.w * X)
        assert found.rate == factor * 19.0 and type(found.rate) is float
    assert df.cache_info().direct == 0


@MODES
def test_registered_containers_in_one_another(optimize):
    def f(p):
        return np.sum(p["k"][0].a.w * p["k"][0].b) + p["n"]["a"] * np.sum(p["n"]["b"])

    df = tj.grad(f, optimize=optimize)
    for _ in range(CALLS):
        p = {"k": [Slotted(Model(X, 1.0), 2.0)], "n": Named(a=3.0, b=X)}
        found = df(p)
        assert type(found["n"]) is Named and type(found["k"][0]) is Slotted
        np.testing.assert_array_equal(found["k"][0].a.w, [2.0, 2.0])
        assert found["k"][0].b == 7.0 and found["n"]["a"] == 7.0
        np.testing.assert_array_equal(found["n"]["b"], [3.0, 3.0])


@MODES
def test_a_registered_container_as_result(optimize):
    def f(x):
        return np.sum(x**2), Model(x * 2.0, np.sum(x), "made")

    df = tj.grad_and_aux(f, optimize=optimize)
    for _ in range(CALLS):
        grads, made = df(X)
        assert type(made) is Model and made.title == "made" and made.rate == 7.0
        np.testing.assert_array_equal(made.w, 2.0 * X)
        np.testing.assert_array_equal(grads, 2.0 * X)
    by = tj.jacobian(lambda m: m.w**2 * m.rate, optimize=optimize)(Model(X, 2.0))
    np.testing.assert_array_equal(by.w, np.diag(4.0 * X))
    np.testing.assert_array_equal(by.rate, X**2)
    along = Model(np.ones(2), 1.0, "first")
    _, tangent = tj.jvp(lambda m: m.w * m.rate, (Model(X, 2.0),), (along,), optimize=optimize)
    np.testing.assert_array_equal(tangent, 2.0 + X)


@MODES
@pytest.mark.parametrize("how", ["read", "stop_gradient", "checkpoint", "grad"])
def test_a_registered_container_that_is_read_from_outside(how, optimize, monkeypatch):
    inner = tj.grad(lambda m: np.sum(m.w**2) / 2.0)
    f = {
        "read": lambda x: np.sum(x * HELD.w),
        "stop_gradient": lambda x: np.sum(x * tj.stop_gradient(HELD).w),
        "checkpoint": lambda x: tj.checkpoint(lambda x, m: np.sum(x * m.w))(x, HELD),
        "grad": lambda x: np.sum(x * inner(HELD).w),
    }[how]
    df = tj.grad(f, optimize=optimize)
    for factor in (1.0, 1.0, 1.0, 2.0, 2.0, 2.0):
        monkeypatch.setattr(HELD, "w", factor * np.array([1.0, 2.0]))
        np.testing.assert_array_equal(df(X), factor * np.array([1.0, 2.0]))


@MODES
def test_as_many_children_as_there_are(optimize):
    class Several:
        def __init__(self, *held):
            self.held = held

    register_container(Several, lambda s: s.held, lambda c: Several(*c))
    df = tj.grad(lambda s: sum(np.sum(x**2) for x in s.held), optimize=optimize)
    for count in (1, 2, 2, 1, 3, 2):
        found = df(Several(*[X] * count))
        assert len(found.held) == count
        np.testing.assert_array_equal(found.held[-1], 2.0 * X)


def test_a_function_of_registered_containers_is_pickled():
    df = tj.grad(energy)
    again = pickle.loads(pickle.dumps(df))
    model = pickle.loads(pickle.dumps(HELD))
    for _ in range(CALLS):
        np.testing.assert_array_equal(again(model, X).w, df(HELD, X).w)


WRONG = {
    "a number": (lambda b: b.a, lambda c: Bad(*c), "flatten .* gives a float, no list or tuple"),
    "nothing": (lambda b: None, lambda c: Bad(*c), "flatten .* gives a NoneType"),
    "flatten raises": (lambda b: [b.c], lambda c: Bad(*c), "flatten .* raises AttributeError"),
    "unflatten raises": (lambda b: [b.a], lambda c: c[1], "unflatten .* raises IndexError"),
    "another thing": (lambda b: [b.a], lambda c: c, "unflatten .* gives a list"),
    "lost": (lambda b: [b.a, b.b][: b.b], lambda c: Bad(c[0], 1), "does not have the children"),
    "swapped": (lambda b: [b.a, b.b], lambda c: Bad(c[1], c[0]), "does not have the children"),
}  # fmt: skip


class Bad:
    def __init__(self, a, b=2):
        self.a, self.b = a, b


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_functions_are_explained(wrong):
    apart, together, said = WRONG[wrong]
    register_container(Bad, apart, together)
    with pytest.raises(ParameterTypeError, match=r"register_container\(Bad.*test_tree.py:\d+\)"):
        tj.grad(lambda b: b.a**2)(Bad(3.0))
    register_container(Bad, apart, together)
    with pytest.raises(ParameterTypeError, match=said):
        tj.grad(lambda b: b.a**2, optimize=False)(Bad(3.0))


@MODES
def test_a_type_may_be_registered_anew(optimize):
    class Pair:
        def __init__(self, left, right):
            self.left, self.right = left, right

    orders = {
        "forth": (lambda p: [p.left, p.right], lambda c: Pair(*c)),
        "back": (lambda p: [p.right, p.left], lambda c: Pair(*reversed(c))),
        "one": (lambda p: [p.left], lambda c: Pair(c[0], 5.0)),
    }
    df = tj.grad(lambda p: p.left**2 * p.right, optimize=optimize)
    for order in ("forth", "back", "forth", "one"):
        register_container(Pair, *orders[order])
        for _ in range(CALLS):
            found = df(Pair(2.0, 3.0))
            expected = (20.0, 5.0) if order == "one" else (12.0, 4.0)
            assert (found.left, found.right) == expected


def test_what_cannot_be_registered():
    for cls in (list, dict, np.ndarray, float, Bad(1.0), None):
        with pytest.raises(ConfigError, match="wants a class that holds values"):
            register_container(cls, lambda b: [b], lambda c: c[0])
    with pytest.raises(ConfigError, match="wants two functions"):
        register_container(Bad, lambda b: [b.a], None)
