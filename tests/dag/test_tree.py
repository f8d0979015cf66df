"""Trace trees: paths grafted onto a tree, passes through exits; values on every path stay."""

import inspect
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.trees import (
    commit,
    draw,
    grow,
    record_calls,
    record_forward,
)
from tracejit.dag.evaluate import evaluate
from tracejit.dag.graph import Graph
from tracejit.dag.op import GUARD, LOOKS
from tracejit.dag.passes import optimize
from tracejit.dag.passes.drop_dead import drop_dead
from tracejit.dag.passes.fold_constants import fold_constants
from tracejit.dag.passes.fuse import fuse
from tracejit.dag.passes.merge_common import merge_common
from tracejit.dag.passes.simplify import simplify
from tracejit.dag.tree import busiest_guard, graft, paths
from tracejit.dag.verify import verify
from tracejit.errors import GraphError
from tracejit.trace import active_recorder

V = np.array([0.5, -1.0, 2.0])
UP, DOWN = (V, V), (-V, V)


def shared(x, y):
    s = np.exp(x)
    if np.sum(x) > 0:
        return np.exp(x) * y + np.sin(y)
    return np.exp(x) - np.sin(y) * s


def unused(x, y):
    s, t = np.exp(x), np.cos(x)
    if np.sum(x) > 0:
        np.tanh(s)
        return y * 2.0
    np.tanh(y)
    return t * 2.0


def rewritten(x, y):
    s = x * 1.0
    if np.sum(s) > 0:
        return y * y - -s
    return s * s + -y


def constants(x, y):
    s = np.zeros_like(x)
    if np.sum(x) > 0:
        return np.full(3, 2.0) * 1.0 + s
    return x * (np.float64(2.0) * 3.0)


def chains(x, y):
    s = np.sin(x) * 2.0
    if np.sum(x) > 0:
        return np.exp(s) + 1.0
    t = np.cos(s)
    if np.sum(t) > 9:
        return y
    return np.tanh(t) + y


def read_outside(x, y):
    s = np.sin(x)
    t = s * 2.0
    if np.sum(y) > 0:
        return t + 1.0
    return s


CASES = {
    "what an exit knows is unknown outside, what stands before the guard known inside": (
        merge_common,
        shared,
        (UP, DOWN),
        """x: f8[3]
        y: f8[3]
        exp_0 = exp(x)  # f8[3]
        sum_0 = sum(x, axis=None, keepdims=False)  # f8
        greater_0 = greater(sum_0, 0)  # b1
        guard truth(greater_0) is True
        else False:
            sin_1 = sin(y)  # f8[3]
            multiply_1 = multiply(sin_1, exp_0)  # f8[3]
            subtract_0 = subtract(exp_0, multiply_1)  # f8[3]
            return subtract_0
        multiply_0 = multiply(exp_0, y)  # f8[3]
        sin_0 = sin(y)  # f8[3]
        add_0 = add(multiply_0, sin_0)  # f8[3]
        return add_0""",
    ),
    "dead is what no path needs": (
        drop_dead,
        unused,
        (UP, DOWN),
        """x: f8[3]
        y: f8[3]
        cos_0 = cos(x)  # f8[3]
        sum_0 = sum(x, axis=None, keepdims=False)  # f8
        greater_0 = greater(sum_0, 0)  # b1
        guard truth(greater_0) is True
        else False:
            multiply_1 = multiply(cos_0, 2.0)  # f8[3]
            return multiply_1
        multiply_0 = multiply(y, 2.0)  # f8[3]
        return multiply_0""",
    ),
    "exits are simplified where they stand": (
        simplify,
        rewritten,
        (UP, DOWN),
        """x: f8[3]
        y: f8[3]
        sum_0 = sum(x, axis=None, keepdims=False)  # f8
        greater_0 = greater(sum_0, 0)  # b1
        guard truth(greater_0) is True
        else False:
            square_1 = square(x)  # f8[3]
            negative_1 = negative(y)  # f8[3]
            subtract_0 = subtract(square_1, y)  # f8[3]
            return subtract_0
        square_0 = square(y)  # f8[3]
        negative_0 = negative(x)  # f8[3]
        add_0 = add(square_0, x)  # f8[3]
        return add_0""",
    ),
    "guards are not computed": (
        fold_constants,
        constants,
        (UP, DOWN),
        """x: f8[3]
        y: f8[3]
        sum_0 = sum(x, axis=None, keepdims=False)  # f8
        greater_0 = greater(sum_0, 0)  # b1
        guard truth(greater_0) is True
        else False:
            multiply_0 = multiply(x, f8(6.0))  # f8[3]
            return multiply_0
        return array(f8[3])""",
    ),
    "groups end at guards": (
        fuse,
        chains,
        (UP, DOWN),
        """x: f8[3]
        y: f8[3]
        sin_0 = sin(x)  # f8[3] group 0
        multiply_0 = multiply(sin_0, 2.0)  # f8[3] group 0
        sum_0 = sum(x, axis=None, keepdims=False)  # f8
        greater_0 = greater(sum_0, 0)  # b1
        guard truth(greater_0) is True
        else False:
            cos_0 = cos(multiply_0)  # f8[3]
            sum_1 = sum(cos_0, axis=None, keepdims=False)  # f8
            greater_1 = greater(sum_1, 9)  # b1
            guard truth(greater_1) is False
            tanh_0 = tanh(cos_0)  # f8[3] group 0
            add_1 = add(tanh_0, y)  # f8[3] group 0
            return add_1
        exp_0 = exp(multiply_0)  # f8[3] group 1
        add_0 = add(exp_0, 1.0)  # f8[3] group 1
        return add_0""",
    ),
    "a reader in an exit is a reader": (
        fuse,
        read_outside,
        (UP, (V, -V)),
        """x: f8[3]
        y: f8[3]
        sin_0 = sin(x)  # f8[3]
        multiply_0 = multiply(sin_0, 2.0)  # f8[3]
        sum_0 = sum(y, axis=None, keepdims=False)  # f8
        greater_0 = greater(sum_0, 0)  # b1
        guard truth(greater_0) is True
        else False:
            return sin_0
        add_0 = add(multiply_0, 1.0)  # f8[3]
        return add_0""",
    ),
}


def dedent(text):
    return "\n".join(line.removeprefix(" " * 8) for line in text.splitlines())


def assert_identical(a, b):
    for left, right in zip(a, b, strict=True):
        assert np.asarray(left).tobytes() == np.asarray(right).tobytes()
        assert type(left) is type(right)


@pytest.mark.parametrize("title", CASES)
def test_before_and_after(title):
    one_pass, function, calls, expected = CASES[title]
    before = grow(*(record_forward(function, *values) for values in calls))
    after = verify(one_pass(before))
    assert str(after) == dedent(expected)
    for values in calls:
        assert_identical(evaluate(before, values), [function(*values)])
        assert_identical(evaluate(after, values), [function(*values)])


@pytest.mark.parametrize("title", CASES)
def test_the_pipeline_keeps_values_on_every_path(title):
    _, function, calls, _ = CASES[title]
    before = grow(*(record_forward(function, *values) for values in calls))
    after = optimize(before, check=verify)
    for values in calls:
        np.testing.assert_allclose(evaluate(after, values)[0], function(*values), rtol=1e-14)


# -- grafting -------------------------------------------------------------------------------------


def counted(x, n):
    total = np.sum(x)
    for _ in range(n):
        total = total * 0.5
        if total < 1.0:
            break
    return total


CALLS = [(V * 4.0, n) for n in (2, 5, 0, 1)] + [(V * 64.0, n) for n in (5, 7, 2)]


def test_paths_share_their_beginning():
    graphs = [record_forward(counted, *call) for call in CALLS]
    tree = grow(*graphs)
    assert paths(tree) == 6 and paths(graphs[0]) == 1
    for call, graph in zip(CALLS, graphs, strict=True):
        assert evaluate(tree, call) == [counted(*call)]
        assert graft(tree, record_forward(counted, *call)) is tree
        assert len(graph.nodes) == len(record_forward(counted, *call).nodes)  # and is no other
    with pytest.raises(LookupError, match=r"no path for 9 at .*test_tree\.py:\d+"):
        evaluate(tree, (V, 9))
    sites = sum(1 for node in tree.every_node() if node.op.name == "sum")
    assert sites == 1
    assert next(tree.lines()) is tree
    most = busiest_guard(tree)
    assert most.attrs["kind"] == "index" and most.where.endswith(
        str(counted.__code__.co_firstlineno + 2)
    )
    assert busiest_guard(graphs[0]) is None


def test_the_tree_that_is_grafted_onto_stays_as_it_is():
    tree = record_forward(shared, *UP)
    text = str(tree)
    other = record_forward(shared, *DOWN)
    both = graft(tree, other)
    assert str(tree) == text and both is not tree and not tree.exits
    inner = next(iter(next(iter(both.exits.values())).values()))
    assert inner.inputs == () and inner.gradients == tree.gradients


CONSTANTS = [0.0, -0.0, 1, 1.0, np.float64(1.0), np.float32(1.0), np.nan, V, V.astype("f4"), -V]


@pytest.mark.parametrize("mine", range(len(CONSTANTS)))
@pytest.mark.parametrize("other", range(len(CONSTANTS)))
def test_paths_that_differ_without_a_guard_are_refused(mine, other):
    """Constants have to be the same in type and every bit, or something was not seen."""
    values = [V.copy()]
    a, b = (record_forward(lambda x, c=CONSTANTS[i]: x * c, *values) for i in (mine, other))
    assert (graft(a, b) is a) == (mine == other)


def test_other_differences_are_refused():
    def graph(f, x=V):
        return record_forward(f, x)

    sine = graph(lambda x: np.sin(x) * 2.0)
    assert graft(sine, graph(lambda x: np.cos(x) * 2.0)) is None
    assert graft(sine, graph(lambda x: np.sin(x))) is None
    assert graft(sine, graph(lambda x: np.sin(x) * 2.0 + x)) is None
    assert graft(sine, graph(lambda x: np.sin(x) * 2.0, V.astype("f4"))) is None
    assert graft(sine, graph(lambda x: (np.sin(x) * 2.0, 1.0))) is None
    assert graft(sine, graph(lambda x: x * np.sin(x))) is None
    axis = graph(lambda x: np.sum(x[None], axis=0))
    assert graft(axis, graph(lambda x: np.sum(x[None], axis=1))) is None
    returned = graph(lambda x: (x, 0.0))
    assert graft(returned, graph(lambda x: (x, -0.0))) is None
    assert graft(returned, graph(lambda x: (x, 0.0))) is returned


KINDS = {
    "truth": [True, np.bool_(False)],
    "index": [3, np.int64(4), np.array(-1)],
    "type": [2.0, 3, 1j],
    "shape": [np.ones(3), np.ones(2), np.ones((2, 1))],
    "value": [0.0, -0.0, float("nan"), 1e-300, 0, 0j, np.float64(0.0), -np.zeros(2), np.zeros(2)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_outcomes_tell_values_apart(kind):
    outcomes = [LOOKS[kind](value) for value in KINDS[kind]]
    assert len(set(outcomes)) == len(outcomes)


def test_gradients_and_captured_values_on_every_path():
    first, second = np.array(3.0), np.arange(3.0)

    def f(x):
        y = x * first
        if np.sum(y) > 0:
            return np.sum(y)
        return np.sum(y * second)

    tree = record_calls(f, (V,), (-V,))
    assert [n.hint for n in tree.graph.inputs] == ["x", "first", "second"]
    for graph in (tree, tree.optimized()):
        grad, value = graph.evaluate(V, captured=(first, second))
        np.testing.assert_array_equal(grad, np.full(3, 3.0))
        grad, value = graph.evaluate(-V, captured=(first, second))
        np.testing.assert_array_equal(grad, 3.0 * second)
        assert value == np.sum(-V * 3.0 * second)


# -- effects --------------------------------------------------------------------------------------


def test_effects_stay_in_their_order():
    """Draws are not merged, dropped or simplified, not even one that is called as an op is."""

    def f(x):
        a, b = draw(None, "random", 3), draw(None, "random", 3)
        c = draw(None, "power", 2.0)
        draw(None, "random", 3)
        if np.sum(x) > 0:
            commit(x, a + b)
            return x * c
        d = draw(None, "random", 3)
        return d + draw(None, "random", 3)

    tree = grow(record_forward(f, V), record_forward(f, -V))
    after = optimize(tree, check=verify)
    effects = [n.op.name for n in tree.every_node() if n.op.effect]
    assert effects == [n.op.name for n in after.every_node() if n.op.effect]
    assert effects == ["random", "random", "power", "random", "guard", "commit"] + ["random"] * 2
    for sign in (1.0, -1.0):
        np.random.seed(7)
        expected = evaluate(tree, [sign * V])
        np.random.seed(7)
        assert_identical(expected, evaluate(after, [sign * V]))


def test_a_guard_whose_input_is_known_stays():
    def f(x):
        active_recorder().guard((x * 0.0 + 1.0).node, "truth", True)
        return x

    assert [n.op for n in optimize(record_forward(f, 2.0)).nodes][-1] is GUARD


# -- invariants -----------------------------------------------------------------------------------


def broken(change):
    tree = grow(record_forward(shared, *UP), record_forward(shared, *DOWN))
    ((guard, others),) = tree.exits.items()
    return change(tree, guard, others[False])


def test_verify_looks_into_exits():
    def check(match, change):
        with pytest.raises(GraphError, match=match):
            verify(broken(change))

    def with_exit(tree, guard, other, outcome=False):
        return replace(tree, exits={guard: {outcome: other}})

    check("stands twice", lambda t, g, e: with_exit(t, g, replace(e, nodes=e.nodes + t.nodes[:1])))
    check(
        "does not stand before",
        lambda t, g, e: with_exit(t, g, replace(e, outputs=(), nodes=e.nodes[1:])),
    )
    check("output .* missing", lambda t, g, e: with_exit(t, g, replace(e, outputs=t.outputs)))
    check("output .* missing", lambda t, g, e: replace(t, outputs=e.outputs))
    check("is none", lambda t, g, e: with_exit(t, g, e, True))
    check("is none", lambda t, g, e: with_exit(t, g, replace(e, inputs=t.inputs)))
    check("is none", lambda t, g, e: with_exit(t, t.nodes[0], e))
    check("has exits but is not", lambda t, g, e: with_exit(t, e.nodes[0], e))

    def committed(x):
        commit(x, x * 2.0)
        return 1.0 if x > 0 else x

    with pytest.raises(GraphError, match="after a commit"):
        record_forward(committed, 1.0)


def test_many_paths_take_little_stack():
    """One exit inside another, as the calls of a loop leave them."""

    def f(x):
        while np.sum(x) > 1.0:
            x = x * 0.5
        return np.sum(x * x)

    calls = [(np.full(2, 0.75 * 2.0**n),) for n in range(130)]
    tree = record_calls(f, *calls)
    assert paths(tree.graph) == 130
    limit = sys.getrecursionlimit()
    depth = len(inspect.stack())
    sys.setrecursionlimit(depth + 330)
    try:
        optimized = tree.optimized()
        str(optimized.graph)
        emitted = optimized.emit()
    finally:
        sys.setrecursionlimit(limit)
    assert "f_else_129(" in emitted.text
    grads, value = optimized.evaluate(*calls[77])
    assert value == f(*calls[77])
    np.testing.assert_allclose(grads, np.full(2, 1.5 * 2.0**77 * 0.25**78), rtol=1e-12)


def test_an_empty_exit():
    tree = grow(
        record_forward(lambda x: x * 2.0 if x > 0 else 1.0, 3.0),
        record_forward(lambda x: x * 2.0 if x > 0 else 1.0, -3.0),
    )
    assert str(tree).count("return 1.0") == 1
    assert isinstance(tree, Graph) and evaluate(optimize(tree, verify), [-1.0]) == [1.0]
