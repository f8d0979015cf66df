"""Loops in emitted code: a golden file, and where the values of loops live."""

import os
from pathlib import Path

import numpy as np

from tests.trees import record
from tracejit import jit_grad
from tracejit.dag.loop import bodies
from tracejit.outcome import Wanted

GOLDEN = Path(__file__).parent / "golden"


def rnn(p, x):
    h, states = p["h"], []
    for t in range(len(x)):
        h = np.tanh(x[t] @ p["W"] + h @ p["U"] + p["b"])
        states.append(h)
    return np.sum(np.stack(states) ** 2)


def params():
    rows = np.arange(24.0).reshape(4, 6) / 24.0
    return {"W": rows[:3], "U": np.eye(6) * 0.5, "b": rows[0], "h": rows[1:3]}


def test_golden():
    """Compare with the golden file; TRACEJIT_GOLDEN=1 writes it."""
    recorded = record(rnn, params(), np.ones((10, 2, 3))).optimized()
    text = recorded.emit().text
    path = GOLDEN / "rnn.py.txt"
    if os.environ.get("TRACEJIT_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def forward_lines(function, *args, wanted=None):
    """The lines of the forward pass without comments, from the first loop on."""
    text = record(function, *args, wanted=wanted).optimized().emit().text
    lines = [line.split("  #")[0].strip() for line in text.splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith("for t in"))
    return lines[first - 2 :]


def scanned(p):
    y = p["y"]
    for _ in range(9):
        y = p["A"] @ y
        y = y * 0.5 + np.sum(y)
    return np.sum(y)


def test_a_kept_value_is_computed_into_its_row():
    lines = forward_lines(scanned, {"A": np.eye(3), "y": np.ones(3)})
    assert lines[:9] == [
        "stack_y[0] = y",
        "y_1 = stack_y[0]",
        "for t in range(9):",
        "y_1_next = stack_y[t + 1]",
        "y_2 = A.dot(y_1, out=y_1_next)",
        "sum_0 = np.add.reduce(y_2, axis=None)",
        "multiply_0 = np.multiply(y_2, half, out=y_1_next)",
        "y_1_next = np.add(multiply_0, sum_0, out=y_1_next)",
        "y_1 = y_1_next",
    ]


def test_carried_buffers_are_exchanged():
    given = {"A": np.eye(3), "y": np.ones(3)}
    lines = forward_lines(scanned, given, wanted=Wanted(gradients=False))
    assert lines[:8] == [
        "y_1, y_1_next = s0, s1",
        "np.copyto(y_1, y)",
        "for t in range(9):",
        "y_2 = A.dot(y_1, out=y_1_next)",
        "sum_0 = np.add.reduce(y_2, axis=None)",
        "multiply_0 = np.multiply(y_2, half, out=y_1_next)",
        "y_1_next = np.add(multiply_0, sum_0, out=y_1_next)",
        "y_1, y_1_next = y_1_next, y_1",
    ]


def summed(x):
    total = x[0] * 1.0
    for _ in range(12):
        total = total + np.sin(total * 0.5) + x[1]
    return np.sum(total)


def test_what_is_added_to_is_written_in_place():
    lines = forward_lines(summed, np.ones((2, 3)), wanted=Wanted(gradients=False))
    assert lines[2:7] == [
        "for t in range(12):",
        "multiply_0 = np.multiply(total_1, half, out=s1)",
        "sin_0 = np.sin(multiply_0, out=s1)",
        "add_0 = np.add(total_1, sin_0, out=s0)",
        "total_1 = np.add(add_0, index_0, out=s0)",
    ]


def test_values_that_change_places():
    def exchanged(p):
        a, b = p
        for _ in range(9):
            a, b = b, a
        return np.sum(a * 2.0 - b)

    recorded = record(exchanged, (np.ones(3), np.zeros(3)))
    assert not [*bodies(recorded.optimized().graph.nodes)]  # nothing is computed there

    def mixed(p):
        a, b, c = p
        for _ in range(9):
            a, b, c = b, a, c + a * b
        return np.sum(a * 2.0 - b * c)

    values = (np.ones(3), np.arange(3.0), np.full(3, 0.5))
    compiled = record(mixed, values).optimized().load()
    np.testing.assert_allclose(compiled.run(values)[1], mixed(values))


def test_lines_of_a_loop_are_known():
    recorded = record(rnn, params(), np.ones((10, 2, 3))).optimized()
    emitted = recorded.emit()
    text = emitted.text.splitlines()
    for node, line in emitted.lines.items():
        if node.op.name == "tanh":
            assert "np.tanh" in text[line - 1]
            return
    raise AssertionError("there is no tanh")


def kept_and_collected(p):
    y, z = p["x"].copy(), p["x"] * 0.3
    for _ in range(12):
        y, z = z * 0.5, np.sin(y + p["row"])
    return np.sum(np.tanh(y + z))


def test_a_kept_value_goes_on_in_its_row_when_it_is_collected_too():
    args = ({"x": np.linspace(-1.0, 1.0, 12).reshape(3, 4), "row": np.arange(4.0)},)
    compiled = jit_grad(kept_and_collected, audit=False, backend="numpy")
    expected, _ = jit_grad(kept_and_collected, optimize=False)(*args)
    for _ in range(3):
        grads, _ = compiled(*args)
        for name in grads:
            np.testing.assert_allclose(grads[name], expected[name], rtol=1e-12)
