"""Nested values come apart and together again as they were."""

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from tracejit import jit_grad, register_container
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
