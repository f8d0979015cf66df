"""Trace trees as emitted code: exits, buffers, draws, commits; on every path what evaluating gives.

Random programs branch and loop on what they compute; a tree of some of their calls answers these
and all that go one of their ways, and raises Unseen for the others.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import assert_same
from tests.trees import commit, draw, grow, record, record_calls
from tracejit import jit_grad, stop_gradient
from tracejit.dag.op import GUARD, LOOKS
from tracejit.ops.index import HOLE
from tracejit.outcome import Wanted
from tracejit.trace import active_recorder
from tracejit.trace.places import Places
from tracejit.tree import flatten

GOLDEN = Path(__file__).parent / "golden"
V = np.array([0.5, -1.0, 2.0])


def steps(params, n):
    h = np.tanh(params["w"] @ params["x"])
    error = np.sum(h * h)
    for _ in range(n):
        if error > 1.0:
            h = np.sin(h) * 0.5
            error = np.sum(h * h)
        else:
            h = h - params["x"]
            error = np.sum(np.exp(h))
    return error


def params(scale):
    return {"w": np.eye(3) * scale, "x": np.array([0.5, -1.0, 2.0])}


STEPS = [(params(2.0), 1), (params(0.1), 1), (params(2.0), 0), (params(0.1), 2)]


def test_golden():
    """Compare with the golden file; TRACEJIT_GOLDEN=1 writes it."""
    text = record_calls(steps, *STEPS).optimized().emit().text
    path = GOLDEN / "steps.py.txt"
    if os.environ.get("TRACEJIT_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
    assert text == record_calls(steps, *STEPS).optimized().emit().text


def leaves(results):
    found = []
    flatten(results, found)
    return found


def test_every_path_is_answered_and_others_are_unseen():
    tree = record_calls(steps, *STEPS).optimized()
    compiled = tree.load()
    for _ in range(2):
        for args in STEPS:
            direct = jit_grad(steps, optimize=False)(*args)
            assert_same(leaves(compiled.run(*args)), leaves(tree.evaluate(*args)), exact=True)
            assert_same(leaves(compiled.run(*args)), leaves(direct))
        with pytest.raises(compiled.unseen) as caught:
            compiled.run(params(2.0), 5)
        assert compiled.drawn(caught.value.__traceback__) == ()
    assert record_calls(steps, (params(2.0), 0)).optimized().load().unseen is not None
    straight = record(lambda x: np.sum(x), V)
    assert straight.load().unseen is None and "Unseen" not in straight.emit().text


def test_lines_cover_exits():
    emitted = record_calls(steps, *STEPS).optimized().emit()
    text = emitted.text.splitlines()
    guards = [node for node in emitted.lines if node.op is GUARD]
    assert len(guards) == 4
    for node, line in emitted.lines.items():
        shown = text[line - 1].strip()
        assert shown.startswith("if ") if node.op is GUARD else " = " in shown
        assert node.site is None or f"test_trees.py:{node.where.split(':')[1]}" in shown
    assert len(set(emitted.lines.values())) == len(emitted.lines)


def test_an_exception_in_an_exit_names_the_users_line():
    def f(x, n):
        return np.sum(np.linalg.inv(x)) if n > 1 else np.sum(x)

    x = np.eye(2)
    compiled = record_calls(f, (x, 0), (x, 2)).optimized().load()
    with pytest.raises(np.linalg.LinAlgError) as caught:
        compiled.run(np.zeros((2, 2)), 2)
    assert compiled.node_at(caught.value.__traceback__).op.name == "linalg.inv"


def test_exits_share_the_slabs():
    def f(x, n):
        h = np.tanh(x) * 2.0
        k = np.sin(h)
        if n > 1:
            for _ in range(4):
                h = np.exp(-h * h) * h
            return np.sum(h)
        if n > 0:
            k = np.cumsum(k) * np.cumsum(x) + k[::-1]
            return np.sum(np.cos(k) * k)
        return np.sum(h[::-1] * k) + np.sum(k)

    x = np.linspace(-1.0, 1.0, 50)
    calls = [(x, 0), (x, 1), (x, 2)]
    tree = record_calls(f, *calls).optimized()
    compiled = tree.load()
    for _ in range(2):
        for args in calls:
            assert_same(compiled.run(*args), tree.evaluate(*args), exact=True)
    one_by_one = [record(f, *args).optimized().emit().nbytes for args in calls]
    assert tree.emit().nbytes < sum(one_by_one)
    assert tree.emit().nbytes <= max(one_by_one) + 2 * x.nbytes


def test_results_of_every_path_own_their_memory():
    def f(x, n):
        h = np.sin(x)
        t = h * 2.0
        if n > 0:
            return np.sum(t), h, h[1:], t
        return np.sum(t), t, x[1:], x

    calls = [(V, 1), (V, 0)]
    for order in (calls, calls[::-1]):
        compiled = record_calls(f, *order).optimized().load()
        for args in calls:
            kept = compiled.run(*args)
            arrays = [kept[0], *kept[2:]]
            copies = [a.copy() for a in arrays]
            for again in calls:
                compiled.run(again[0] * 3.0, again[1])
            for array, copy in zip(arrays, copies, strict=True):
                np.testing.assert_array_equal(array, copy)
                assert array.base is None and not np.may_share_memory(array, V)
            assert_same(kept[1:], f(*args))


def of(x, look):
    """Guard a value as `look` says."""
    outcome = LOOKS[look](x.node.value)
    active_recorder().guard(x.node, look, outcome)
    return len(str(outcome))


KINDS = {
    "truth": [(1.0,), (0.0,)],
    "index": [(3,), (4,), (-1,)],
    "shape": [(V,), (-V,), (V + 9.0,), (V - 9.0,)],
    "value": [(0.0,), (-0.0,), (float("nan"),), (1e-300,), (float("-inf"),)],
    "type": [(4.0,), (-8.0,)],
    "bytes": [(V,), (-V,), (V * 0.0,), (V * -0.0,), (V * np.nan,)],
    "long": [(np.arange(40.0),), (np.arange(40.0)[::-1].copy(),)],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_kinds_of_guards(kind):
    def f(x):
        if kind == "shape":
            chosen = active_recorder().record(SELECT, (x,), {})
            return of(chosen, "shape") * np.sum(chosen)
        if kind == "type":
            return abs(x ** (1 / 3))
        return np.sum(x * 1.0) * of(x, "value" if kind in ("bytes", "long") else kind)

    calls = KINDS[kind]
    wanted = Wanted(gradients=False)
    for count in (1, 2, len(calls)):
        tree = record_calls(f, *calls[:count], wanted=wanted).optimized()
        compiled = tree.load()
        for number, args in enumerate(calls):
            if number < count or (kind == "truth" and count == 2):
                assert_same(compiled.run(*args), tree.evaluate(*args), exact=True)
            else:
                with pytest.raises(compiled.unseen):
                    compiled.run(*args)
                with pytest.raises(LookupError):
                    tree.evaluate(*args)


def _select(x):
    return x[x > 0]


SELECT = type(GUARD)("select", _select, vjp=None)


# -- captured values, draws, commits --------------------------------------------------------------


def test_captured_values_are_further_parameters():
    scale, table = np.float64(3.0), {"x": V * 2.0, "not a name": 2.0}

    def f(x):
        if np.sum(x) > 0:
            return np.sum(x * scale * table["x"])
        return table["not a name"] * x[0]

    tree = record_calls(f, (V,), (-V,))
    emitted = tree.emit()
    captured = ", ".join(emitted.captured)
    assert f"def f(x, {captured}, *, slots):" in emitted.text
    assert "def accepts(x):" in emitted.text
    values = {"scale": scale, "table_x": table["x"], "table_not_a_name": table["not a name"]}
    given = [values[name] for name in emitted.captured]
    for graph in (tree, tree.optimized()):
        compiled = graph.load()
        np.testing.assert_array_equal(compiled.run(V, *given)[0], V * 6.0)
        np.testing.assert_array_equal(compiled.run(-V, *given)[0], [2.0, 0.0, 0.0])


def drawing(rng):
    def f(x):
        a = rng.standard_normal(3)
        b = np.random.uniform(-1.0, high=1.0, size=(3,))
        if np.sum(a) > 0:
            c = rng.normal(stop_gradient(x), 0.5)
            return np.sum(x * (a + b)) if np.sum(c) > 1.5 else np.sum(x * b)
        made = np.random.default_rng([1, 2])
        return np.sum(x * made.choice(3, 3, replace=True, p=None))

    return f


def drawn(seed):
    """Which way `drawing` goes, what it draws before the last guard, and its gradient."""
    np.random.seed(seed)
    rng = np.random.default_rng(np.random.randint(99))
    a, b = rng.standard_normal(3), np.random.uniform(-1.0, high=1.0, size=(3,))
    if np.sum(a) > 0:
        c = rng.normal(V, 0.5)
        large = np.sum(c) > 1.5
        return 1 + large, [a, b, c], a + b if large else b
    return 0, [a, b], np.random.default_rng([1, 2]).choice(3, 3, replace=True, p=None)


def test_draws_are_drawn_at_every_call():
    ways = [drawn(seed)[0] for seed in range(16)]
    graphs, places = [], Places()
    for way in (1, 2, 0):
        np.random.seed(ways.index(way))
        rng = np.random.default_rng(np.random.randint(99))
        graphs.append(record(drawing(rng), V, places=places))
        tree = graphs[0]._replace(graph=grow(*(each.graph for each in graphs))).optimized()
        compiled = tree.load()
        known = (1, 2, 0)[: len(graphs)]
        for seed in range(16):
            way, numbers, grad = drawn(seed)
            np.random.seed(seed)
            rng = np.random.default_rng(np.random.randint(99))
            if way in known:
                np.testing.assert_array_equal(compiled.run(V, rng)[0], grad)
                continue
            with pytest.raises(compiled.unseen) as caught:
                compiled.run(V, rng)
            handed = compiled.drawn(caught.value.__traceback__)
            assert len(handed) == len(numbers)
            np.testing.assert_array_equal(handed, numbers)
    text = tree.emit().text
    for written in (
        "a = rng.standard_normal(3)  # f8[3]",
        " = np.random.uniform(-1.0, high=1.0, size=(3,))",
        "= rng.normal(x, 0.5)",
        "= np.random.default_rng([1, 2])  # Generator",
        ".choice(3, 3, replace=True, p=None)",
    ):
        assert written in text


def test_what_has_no_literal_is_handed_over():
    def f(x):
        bits = draw(None, "PCG64", SEED)
        rng = draw(None, "Generator", HOLE, holes=(bits,))
        return np.sum(x * draw(rng, "standard_normal", 3, dtype=np.float64))

    emitted = record(f, V).optimized().emit()
    assert "np.random.PCG64(const_0)" in emitted.text and emitted.extras == {"const_0": SEED}
    assert "dtype=np.float64" in emitted.text
    assert record(f, V).load().run(V)[0].shape == (3,)


SEED = np.random.SeedSequence(5)


def committing(x, y, n):
    h = np.sin(x) * 2.0
    if n > 0:
        commit(x, y[::-1])
        commit(y, x)
        return np.sum(h) * y[0], x, h
    commit(y, h)
    return np.sum(h * y), y, h


def test_commits_come_last():
    calls = [(V, V * 2.0, 1), (V, V * 2.0, 0)]
    for order in (calls, calls[::-1]):
        tree = record_calls(committing, *order).optimized()
        compiled = tree.load()
        for x, y, n in calls:
            a, b = x.copy(), y.copy()
            results = compiled.run(a, b, n)
            assert_same(results, tree.evaluate(x, y, n))
            np.testing.assert_array_equal(a, y[::-1] if n else x)
            np.testing.assert_array_equal(b, x if n else np.sin(x) * 2.0)
    last = tree.emit().text.split("def accepts")[0].rstrip().splitlines()[-2:]
    assert last[0].strip().startswith("np.copyto(") and last[1].strip().startswith("return results")


# -- random programs ------------------------------------------------------------------------------

MAKES = [
    "np.sin({a})", "{a} * {b}", "{a} - 0.5 * {b}", "{a}[::-1] + {b}", "np.tanh({a} @ {b}.T @ {a})",
    "np.where({a} > {b}, {a}, 0.3)", "{a} - np.mean({b}, axis=0)", "np.exp(-{a} * {a})",
    "{a}.T.reshape(2, 3)", "np.concatenate([{a}[1:], {b}[:1]])", "{a} * np.sum({b})",
]  # fmt: skip
WRITES = ["{w}[0] = {a}[1]", "{w}[:, 1] *= {a}[:, 0]", "{w} += {a}", "{w}[[0, 1], [2, 0]] = {c}",
          "{w}[1:][0, :2] -= {a}[0, 1:]", "np.sin({a}, out={w})"]  # fmt: skip
TESTS = ["np.sum({a}) > {c}", "{a}[0, 1] < {b}[1, 0]", "({a} > {c}).any()", "m > 1",
         "s > {c} and np.max({b}) > 0.4", "not np.all({a} < {b} + {c})"]  # fmt: skip


@st.composite
def programs(draw):
    """The source of a function of two (2, 3) arrays, a float and an int that branches and loops."""
    names, count = ["x", "y"], iter(range(99))

    def pick():
        constant = draw(st.sampled_from([-0.3117, 0.2173, 0.8911]))
        return {"a": draw(st.sampled_from(names)), "b": draw(st.sampled_from(names)), "c": constant}

    def block(depth, indent):
        lines = []
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.integers(0, 6)) if depth < 3 else 0
            if kind == 3:
                lines.append(f"if {draw(st.sampled_from(TESTS)).format(**pick())}:")
                lines += block(depth + 1, "    ")
                lines.append("else:")
                lines += block(depth + 1, "    ")
            elif kind == 4:
                lines.append(f"for _ in range({draw(st.sampled_from(['m', 'm + 1', '2']))}):")
                lines += block(depth + 2, "    ")
            elif kind == 5 and depth:
                lines.append(f"return np.sum({draw(st.sampled_from(names))}), {names[-1]}")
                break
            elif kind == 6 and len(names) > 2:
                write = draw(st.sampled_from(WRITES))
                lines.append(write.format(w=draw(st.sampled_from(names[2:])), **pick()))
            else:
                own = draw(st.booleans()) and len(names) > 2
                name = draw(st.sampled_from(names[2:])) if own else f"v{next(count)}"
                made = f"({draw(st.sampled_from(MAKES)).format(**pick())}) * s"
                lines.append(f"{name} = {made}")
                if depth == 0 and name not in names:
                    names.append(name)
        return [indent + line for line in lines]

    body = block(0, "    ") + block(0, "    ")
    total = " + ".join(f"np.sum({n} * {i + 1})" for i, n in enumerate(names))
    return "\n".join(["def f(x, y, s, m):", *body, f"    return 0.1 * ({total}), {names[-1]}"])


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 99), st.integers(1, 5))
def test_random_programs(source, seed, recorded):
    namespace = {"np": np}
    exec(compile(source, "program.py", "exec"), namespace)
    f = namespace["f"]
    rng = np.random.default_rng(seed)
    calls = [(*rng.uniform(-1.5, 1.5, (2, 2, 3)), 0.9 + 0.2 * rng.random(), i % 4)
             for i in range(8)]  # fmt: skip
    tree = record_calls(f, *calls[:recorded])
    optimized = tree.optimized()
    compiled = optimized.load()
    for number, args in enumerate(calls):
        try:
            expected = tree.evaluate(*args)
        except LookupError:
            assert number >= recorded
            with pytest.raises(compiled.unseen):
                compiled.run(*args)
            continue
        assert_same(expected[1:], f(*args))
        assert_same(expected[0], jit_grad(f, optimize=False)(*args)[0])
        assert_same(compiled.run(*args), optimized.evaluate(*args))
        assert_near(compiled.run(*args), expected)


def assert_near(actual, expected):
    for a, b in zip(actual, expected, strict=True):
        assert type(a) is type(b)
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)
