"""Random straight-line programs: compiled, direct and plain NumPy agree, and so do gradients.

A program keeps a list of named (2, 3) arrays; each line makes one, views one or writes to one.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import CALLS, assert_gradients, assert_same, numeric, spaced
from tracejit import jit_grad

MAKES = [
    "np.sin({a})", "np.tanh({a} + {b})", "{a} * {b}", "{a} - 0.5 * {b}", "{a} / (2.0 + {b} * {b})",
    "{a} @ {b}.T @ {c}", "np.exp(-{a} * {a})", "{a}[::-1] * 1.5", "{a}[:, [2, 0, 2]]",
    "np.where({a} > {b} + 0.0317, {a}, {c})", "{a} - np.mean({b}, axis=0)",
    "{a} * np.sum({b}, axis=1)[:, None]",
    "np.concatenate([{a}[1:], {b}[:1]])", "np.stack([{a}[0], {b}[1]])",
    "np.maximum({a}, {b} + 0.0731)",
    "{a} + {b}[0]", "{a}.T.reshape(2, 3)", "np.cumsum({a}, axis=1)", "{a} * {b}[0, 1]",
    "np.clip({a}, -0.7123, 0.8317)", "-{a}", "{a} ** 2", "np.zeros_like({a})",
    "{a} + np.prod({b}, axis=0)",
    "np.outer({a}[:, 0], {b}[1])", "np.broadcast_to({a}[0], (2, 3)) * {b}", "{a}.copy()",
]  # fmt: skip
WRITES = [
    "{w}[0] = {a}[1]", "{w}[:, 1] *= {a}[:, 0]", "{w} += {a}", "{w} *= 0.5",
    "{w}[[0, 1], [2, 0]] = {a}[0, :2]",
    "{w}[::-1, ::-1][0] += 1.5", "{w}.T[1] = 0.25", "{w}[1:][0, :2] -= {a}[0, 1:]",
    "np.sin({a}, out={w})", "{w}[1] = {w}[0] * {a}[1]",
    "np.add({w}, {a}, out={w}, where={b} > 0.1713)",
    "np.add.at({w}, ([0, 0], [1, 1]), {a}[1, :2])", "{w}.reshape(-1)[2:4] = {a}[0, 0]",
    "{w} -= {w}[::-1]",
]  # fmt: skip


@st.composite
def programs(draw):
    """The source of a function of two (2, 3) arrays and a number."""
    names, own, lines = ["x", "y"], [], ["def f(x, y, s):"]
    for number in range(draw(st.integers(2, 9))):
        pick = {k: draw(st.sampled_from(names)) for k in "abc"}
        if own and draw(st.integers(0, 2)) == 0:
            write = draw(st.sampled_from(WRITES)).format(w=draw(st.sampled_from(own)), **pick)
            lines.append(f"    {write}")
            continue
        name = f"v{number}"
        make = draw(st.sampled_from(MAKES)).format(**pick)
        lines.append(f"    {name} = ({make}) * {draw(st.sampled_from(['s', '1.0']))}")
        names.append(name)
        own.append(name)
    total = " + ".join(f"np.sum({n} * {i + 1})" for i, n in enumerate(names))
    lines.append(f"    return 0.1 * np.tanh(0.05 * ({total})), {names[-1]}")
    return "\n".join(lines)


@pytest.mark.fuzz
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.integers(0, 50))
def test_random_programs(source, seed):
    namespace = {"np": np}
    exec(compile(source, "program.py", "exec"), namespace)
    f = namespace["f"]
    params = spaced(-1.4, 1.3, (2, 3), seed=seed), spaced(-0.9, 1.7, (2, 3), seed=seed + 1), 0.7
    expected = f(*params)
    gradients = numeric(lambda *p: f(*p)[0], params)
    for optimize in (False, True):
        df = jit_grad(lambda p: f(*p), optimize=optimize, audit=False)
        for _ in range(CALLS):
            grads, *outputs = df(params)
            assert_same(tuple(outputs), expected)
            assert_gradients(grads, params, gradients, 1e-5)
        assert not optimize or df.cache_info().direct == 0


def test_gradients_that_cancel_stay_compiled():
    """The gradient of a bias before a normalisation is rounding noise: no reason for an alarm."""

    def f(bias, x):
        h = np.tanh(x) * 0.3 + bias
        h = (h - np.mean(h, axis=0)) / (0.1 + np.std(h, axis=0))
        return 0.1 * np.sum(0.7 * np.tanh(0.3 * h))

    df = jit_grad(f)
    for _ in range(CALLS):
        grad, _ = df(spaced(-1, 1, (3,)), spaced(-1, 1, (7, 3)))
        np.testing.assert_allclose(grad, np.zeros(3), atol=1e-12)
    assert df.cache_info().direct == 0
