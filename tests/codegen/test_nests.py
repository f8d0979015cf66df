"""Which nodes share loops, where their values are read, and what an op does to one element."""

import numpy as np
import pytest

from tests.trees import record_forward
from tracejit.codegen.access import (
    FIRST,
    Step,
    aligned,
    axes_through,
    is_block,
    parts_of,
    root_of,
    take_back,
    viewed,
)
from tracejit.codegen.cluster import cluster
from tracejit.codegen.nests import is_loopable
from tracejit.codegen.scalars import computes_in, form_of

A, B = np.arange(12.0).reshape(3, 4), np.ones((3, 4))
ROW, CUBE = np.arange(4.0), np.ones((2, 3, 4))
L0, L1, L2 = Step(0), Step(1), Step(2)


def nests_of(function, *values):
    """The ops of each nest, as text."""
    graph = record_forward(function, *values)
    outputs = set(graph.outputs)
    nodes = [n for n in graph.nodes if is_loopable(n) and (viewed(n) is None or n in outputs)]
    return [" ".join(node.op.name for node in nest.nodes) for nest in cluster(nodes)]


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def normalised(x, w):
    deviation = x - np.mean(x, axis=-1, keepdims=True)
    return deviation / np.sqrt(np.mean(deviation**2, axis=-1, keepdims=True)) * w


def chained(x):
    for number in range(1, 13):
        x = np.exp(x * -number)
    return x


CLUSTERED = {
    "a chain": (lambda x, y: np.tanh(x * y + 1.0), (A, B), ["multiply add tanh"]),
    "with a row": (lambda x, y: np.exp(x + y), (A, ROW), ["add exp"]),
    "a sum of it": (lambda x: np.sum(np.exp(x)), (A,), ["exp sum"]),
    "sums of rows and columns": (
        lambda x: (np.sum(np.exp(x), axis=0), np.sum(x, axis=1)), (A,), ["exp sum sum"],
    ),
    "softmax": (softmax, (A,), ["max subtract exp sum divide"]),
    "normalisation": (
        normalised, (A, ROW),
        ["sum divide subtract square sum divide sqrt divide multiply"],
    ),
    "a transpose": (lambda x, y: np.sin(x).T * y, (A, A.T.copy()), ["sin multiply"]),
    "a total that is read": (lambda x: x - np.sum(x), (A,), ["sum subtract"]),
    "a total of columns that is read": (
        lambda x: np.exp(x - np.sum(x, axis=0)), (A,), ["sum", "subtract exp"],
    ),
    "reversed": (lambda x: np.exp(x) * np.exp(x)[::-1], (A,), ["exp exp", "multiply"]),
    "other shapes": (lambda x, y: (np.exp(x), np.exp(y)), (A, ROW), ["exp", "exp"]),
    "a product between": (
        lambda x, y: np.tanh(np.exp(x) @ y), (A, np.ones((4, 2))), ["exp", "matmul", "tanh"],
    ),
    "numbers behind": (lambda x: np.sum(x) * 2.0 + np.sum(x * x), (A,),
                       ["sum multiply sum multiply add"]),
    "cross products between": (
        lambda x, y: np.exp(np.cross(np.exp(x), y)), (np.ones((5, 3)), np.ones(3)),
        ["exp", "cross", "exp"],
    ),
    "too long a chain": (
        chained, (np.ones(300),), [" ".join(["multiply exp"] * n) for n in (8, 4)],
    ),
    "a chain on few numbers": (chained, (np.ones(30),), [" ".join(["multiply exp"] * 12)]),
    "of length one": (lambda x: np.exp(x + np.sum(x, axis=1)), (np.ones((3, 1)),), None),
    "a broadcast view": (
        lambda x: np.broadcast_to(np.sum(x, axis=1, keepdims=True), (3, 4)), (A,), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLUSTERED)
def test_clustering(name):
    function, values, expected = CLUSTERED[name]
    assert expected is None or nests_of(function, *values) == expected


@pytest.mark.parametrize("name", CLUSTERED)
def test_each_node_is_in_one_nest_behind_all_that_it_reads(name):
    function, values, _ = CLUSTERED[name]
    graph = record_forward(function, *values)
    outputs = set(graph.outputs)
    nodes = [n for n in graph.nodes if is_loopable(n) and (viewed(n) is None or n in outputs)]
    home = {node: number for number, nest in enumerate(cluster(nodes)) for node in nest.nodes}
    assert sorted(map(id, home)) == sorted(map(id, nodes))
    for node in nodes:
        for source in map(root_of, node.operands):
            assert home.get(source, 0) <= home[node]


VIEWS = [
    (lambda x: x.T, (L0, L1), (L1, L0)),
    (lambda x: x[1:, ::-1], (L0, L1), (Step(0, 1, 1), Step(1, -1, 3))),
    (lambda x: x[::2, ::-2], (L0, L1), (Step(0, 2), Step(1, -2, 3))),
    (lambda x: x[-1], (L0,), (Step(None, 1, 2), L0)),
    (lambda x: x[..., 0], (L0,), (L0, FIRST)),
    (lambda x: x[:, None, 1:3], (L0, FIRST, L1), (L0, Step(1, 1, 1))),
    (lambda x: x.reshape(3, 1, 4), (L0, FIRST, L1), (L0, L1)),
    (lambda x: x[0].T[::-1], (L0,), (FIRST, Step(0, -1, 3))),
    (lambda x: np.broadcast_to(x, (2, 3, 4)), (L0, L1, L2), (L1, L2)),
    (lambda x: np.broadcast_to(x[:, :1], (3, 4)), (L0, L1), (L0, FIRST)),
    (lambda x: x.T[1:].T[::-1], (L0, L1), (Step(0, -1, 2), Step(1, 1, 1))),
]


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_an_index_is_taken_back_through_views(number):
    function, index, expected = VIEWS[number]
    graph = record_forward(function, A)
    root, found = take_back(graph.outputs[0], index)
    assert root is graph.inputs[0] is root_of(graph.outputs[0])
    assert found == expected
    view = function(A)
    for place in np.ndindex(view.shape):  # the element is the same at every place
        there = tuple(s.offset + (s.stride * place[s.loop] if s.loop is not None else 0)
                      for s in (_numbered(step, index) for step in found))  # fmt: skip
        assert A[there] == view[place]


def _numbered(step, index):
    """Say along which axis of the view a step runs."""
    if step.loop is None:
        return step
    axis = next(n for n, own in enumerate(index) if own.loop == step.loop)
    return step._replace(loop=axis)


NO_VIEWS = {
    "another shape": lambda x: x.reshape(4, 3),
    "flat": lambda x: x.ravel(),
    "an array as index": lambda x: x[[0, 1]],
    "a mask": lambda x: x[np.array([True, False, True])],
}


@pytest.mark.parametrize("name", NO_VIEWS)
def test_what_loops_cannot_look_through_is_no_view(name):
    graph = record_forward(NO_VIEWS[name], A)
    assert viewed(graph.outputs[0]) is None


def test_axes_follow_views():
    graph = record_forward(
        lambda x: (x.T, x[:, 0], x[1:], x[None], x[:, :], np.broadcast_to(x, (5, 3, 4))), A
    )
    known = {graph.inputs[0]: (0, 1)}
    found = [axes_through(node, known) for node in graph.outputs]
    assert found == [(1, 0), None, None, (None, 0, 1), (0, 1), (None, 0, 1)]
    alone = record_forward(lambda x: x[:, 0], np.ones((3, 1)))
    assert axes_through(alone.outputs[0], {alone.inputs[0]: (0, None)}) == (0,)


def test_keys_are_written_out():
    assert parts_of((0, Ellipsis, None), 3) == [0, slice(None), slice(None), None]
    assert parts_of(slice(1, 2), 2) == [slice(1, 2), slice(None)]
    assert is_block((slice(1, 3), 0), (4, 4)) and is_block(-1, (4, 4))
    assert not is_block((slice(None, None, 2),), (4,)) and not is_block(slice(None, None, -1), (4,))


def test_operands_are_aligned_at_their_last_axes():
    assert aligned((4,), (L0, L1)) == (L1,)
    assert aligned((3, 1), (L0, L1)) == (L0, FIRST)
    assert aligned((), (L0, L1)) == ()


INTEGERS, SINGLE, TRUE = np.arange(3), np.ones(3, "f4"), np.ones(3, bool)
FORMS = [
    (lambda x: x * 2.0, A, "a * b", "f8"),
    (lambda x: x * 2.0, SINGLE, "a * b", "f4"),
    (lambda x: x * np.float64(2.0), SINGLE, "a * b", "f8"),
    (lambda x: x > 0.1, SINGLE, "a > b", "f4"),
    (lambda x: x > np.float64(0.1), SINGLE, "a > b", "f8"),
    (lambda x: x > 0.5, INTEGERS, "a > b", "f8"),
    (lambda x: x > 1, INTEGERS, "a > b", "i8"),
    (lambda x: x > 0.5, TRUE, "a > b", "f8"),
    (lambda x: x + x, INTEGERS, "a + b", "i8"),
    (lambda x: x + x, INTEGERS.astype("i4"), "np.int32(a + b)", "i4"),
    (lambda x: x * 0.5, INTEGERS, "a * b", "f8"),
    (lambda x: np.floor_divide(x, 2), INTEGERS, None, "i8"),
    (lambda x: np.sqrt(x), INTEGERS, "sqrt(a)", "f8"),
    (lambda x: x**2, A, "a * a", "f8"),
    (lambda x: np.power(x, 2.5), A, "power(a, b)", "f8"),
    (lambda x: np.where(x > 0, x, 0.0), SINGLE, "b if a else c", "f4"),
    (lambda x: x.astype("f4"), A, "a", "f4"),
    (lambda x: x.astype(int), A, None, "i8"),
    (lambda x: x & x, TRUE, "a and b", "b1"),
    (lambda x: x + x, TRUE, None, "b1"),
    (lambda x: np.logaddexp(x, x), A, "logaddexp(a, b)", "f8"),
    (lambda x: np.logaddexp2(x, x), A, None, "f8"),
    (lambda x: np.clip(x, None, 1), SINGLE, "a if a < c or a != a else c", "f4"),
    (lambda x: np.round(x), A, "np.rint(a)", "f8"),
    (lambda x: np.round(x, 1), A, None, "f8"),
    (lambda x: x + 1, A.astype("f2"), None, None),
    (lambda x: x + 1, A.astype("c16"), None, None),
    (lambda x: x + 1, INTEGERS.astype("u8"), None, None),
    (lambda x: x + 1, A.astype(">f8"), None, None),
]


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_what_an_op_does_to_an_element(number):
    function, value, form, dtype = FORMS[number]
    node = record_forward(function, value).nodes[-1]
    assert form_of(node) == form
    if form is not None:
        assert computes_in(node) == np.dtype(dtype)
