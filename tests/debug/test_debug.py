"""Checked calls: the hook gets the first NaN or Inf, the code, the line and the graph."""

import numpy as np
import pytest

from tracejit import config, errors, jit_grad
from tracejit.debug import dot_source

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Hook:
    def __init__(self):
        self.calls = []

    def __call__(self, debugger, message, gen):
        self.calls.append((debugger, message, gen))


def check(f, *args, **kwargs):
    hook = Hook()
    result = jit_grad(f, debugHook=hook, **kwargs)(*args)
    return result, hook.calls


def test_nothing_to_report():
    (grads, loss), calls = check(lambda x: np.sum(x**2), np.ones(3))
    assert not calls and loss == 3.0
    np.testing.assert_array_equal(grads, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("optimize", [True, False])
def test_forward(optimize):
    def f(x):
        y = x - 1.0
        z = np.log(y)
        return np.sum(z * 2.0)

    (_, loss), calls = check(f, np.array([1.0, 2.0]), optimize=optimize)
    assert loss == -np.inf
    debugger, message, gen = calls[0]
    assert message.startswith("nan or inf appears in log at") and "test_debug.py" in message
    assert "input 0: min 0 max 1" in message and "in f" in message
    line = gen.source.splitlines()[gen.line - 1]
    assert "np.log" in line and "test_debug.py" in line
    compile(gen.source, "gen.py", "exec")
    assert debugger.culprit.op.name == "log"


def test_backward():
    _, calls = check(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 1.0]))
    debugger, message, gen = calls[0]
    assert "divide" in message and debugger.culprit.backward
    assert "half / sqrt_0" in gen.source.splitlines()[gen.line - 1]


def test_only_where_it_first_appears():
    def f(x):
        return np.sum(np.sin(np.exp(x * 1000.0)) * 2.0)

    _, calls = check(f, np.ones(2), withGradients=False)
    assert [c[0].culprit.op.name for c in calls] == ["exp"]


def test_values_that_come_in_as_nan_are_not_reported():
    _, calls = check(lambda x: np.sum(x * 2.0), np.array([np.nan, 1.0]))
    assert not calls


def test_control_flow_is_checked_too():
    def f(x):
        while x > 1.0:
            x = x / 2.0
        return x / 0.0 if isinstance(x, np.floating) else x

    (_, value), calls = check(f, np.float64(5.0))
    assert np.isinf(value) and calls


def test_the_hook_is_called_when_the_function_raises():
    def f(x):
        np.log(x)
        raise RuntimeError("mine")

    hook = Hook()
    with pytest.raises(RuntimeError, match="mine"):
        jit_grad(f, debugHook=hook)(np.zeros(2))
    assert "log" in hook.calls[0][1]
    assert "np.log" in hook.calls[0][2].source.splitlines()[hook.calls[0][2].line - 1]


def test_without_a_hook_it_is_an_error(monkeypatch):
    monkeypatch.setattr(config.settings, "check", "nan")
    df = jit_grad(lambda x: np.sum(x / 0.0))
    with pytest.raises(FloatingPointError, match="nan or inf appears in divide"):
        df(np.ones(2))
    with pytest.raises(errors.TracejitError):
        df(np.ones(2))


def test_a_hook_may_call_the_function(monkeypatch):
    seen = []

    def hook(debugger, message, gen):
        if len(seen) < 3:
            seen.append(df(np.ones(2))[1])

    df = jit_grad(lambda x: np.sum(np.log(x)), debugHook=hook)
    df(np.zeros(2))
    assert seen[0] == 0.0


def test_dot(tmp_path):
    def f(x):
        return np.sum(np.log(x) * 2.0)

    _, calls = check(f, np.array([0.0, 1.0]))
    calls[0][0].generateDot(tmp_path / "graph.dot")
    text = (tmp_path / "graph.dot").read_text()
    assert text.startswith("digraph") and text.count("->") > 4
    assert "log" in text and "f8[2]" in text and "min 0 max 1" in text and "test_debug.py" in text
    assert text.count("#e53e3e") == 2  # one node, filled and outlined
    assert "#2b6cb0" in text and "#c05621" in text  # forward and backward


def test_dot_of_any_graph():
    df = jit_grad(lambda x: np.sum(x * np.sin(x)))
    text = dot_source(df.graph(np.ones(3)))
    assert text.startswith("digraph") and "d_x" in text


def test_drawing_without_a_program(monkeypatch, tmp_path):
    from tracejit.debug import dot

    monkeypatch.setattr(dot, "find_program", lambda: None)
    with pytest.raises(errors.TracejitError, match="graphviz-pure"):
        dot.draw_dot("digraph {}", tmp_path / "x.svg")
