"""What was written to an array is read where it came from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trees import record_forward
from tracejit import jit_grad
from tracejit.dag.evaluate import evaluate
from tracejit.dag.passes.drop_dead import drop_dead
from tracejit.dag.passes.read_back import read_back
from tracejit.dag.verify import verify

V = np.array([0.5, -1.0, 2.0, 0.25])
SHAPE = (4, 3)
KEYS = [
    0, -1, 1, 3, -4, slice(0, 2), slice(2, None), slice(None, None, 2), slice(None, None, -1),
    slice(1, 1), (0, 2), (3, -1), (slice(None), 0), (slice(1, 3), slice(0, 2)), (1, slice(None)),
    (slice(2, 4), 1), ..., (..., 1), (None, 2), (slice(1, 2), None), slice(None), (1, 1),
]  # fmt: skip


def written(x, *steps):
    """Write and read: each step is a key to write x's sine to, and one to read back."""
    a, found = np.cos(np.arange(12.0)).reshape(SHAPE) + 0 * x[0], []
    for place, (key, other) in enumerate(steps):
        a[key] = np.sin(x[place % 4] + place)
        found.append(np.exp(a[other]))
    return (a, *found)


CASES = {
    "the element written last": (lambda a, v: a[3], 3, "return square_0"),
    "negative numbers count from the end": (lambda a, v: a[-2], 2, "return square_0"),
    "not written": (lambda a, v: a[0], 3, "return index_2"),
    "a part of what is written": (lambda a, v: a[2:4], 3, "return index_2"),
}


@pytest.mark.parametrize("title", CASES)
def test_what_is_read(title):
    read, place, expected = CASES[title]

    def function(x):
        a = 0.0 * x
        a[place] = np.square(x[1])
        a[1] = np.sin(x[0])
        return read(a, x)

    before = record_forward(function, V)
    after = verify(drop_dead(read_back(before)))
    assert str(after).splitlines()[-1].strip() == expected
    assert np.array_equal(evaluate(before, (V,))[0], evaluate(after, (V,))[0])


def test_what_was_written_is_converted():
    def function(x, y):
        a = np.zeros(2, "f4") * x[0].astype("f4")
        a[0], a[1] = 0.1, y[0]
        return a[0], a[1]

    before = record_forward(function, V, V)
    for one, other in zip(
        evaluate(before, (V, V)), evaluate(read_back(before), (V, V)), strict=True
    ):
        assert type(one) is type(other) is np.float32
        assert one == other


def test_later_writes_do_not_show():
    def function(x):
        a = 0.0 * x
        a[1:3] = x[:2]
        old = a[1:3] * 1.0
        row = np.sin(x[:2])
        a[1:3] = row
        row[0] = 5.0
        return old + a[1:3], row

    before = record_forward(function, V)
    for one, other in zip(evaluate(before, (V,)), evaluate(read_back(before), (V,)), strict=True):
        assert np.array_equal(one, other)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), min_size=1, max_size=8))
def test_all_values_stay(steps):
    before = record_forward(lambda x: written(x, *steps), V)
    after = verify(read_back(before))
    for one, other in zip(evaluate(before, (V,)), evaluate(after, (V,)), strict=True):
        assert np.array_equal(one, other)
        assert type(one) is type(other)
        assert one.dtype == other.dtype


def test_a_recurrence_keeps_no_states_of_its_array():
    @jit_grad(backend="numpy")
    def garch(p, r):
        e, h = np.zeros(300), np.zeros(300)
        e[0], h[0] = r[0] - p[0], 0.5
        for t in range(1, 300):
            e[t] = r[t] - p[0] * r[t - 1]
            h[t] = 0.1 + p[1] * e[t - 1] ** 2 + p[2] * h[t - 1]
        return np.sum(np.log(h) + e**2 / h)

    p, r = np.array([0.2, 0.1, 0.3]), np.cos(np.arange(300.0))
    plain = jit_grad(garch.__wrapped__, optimize=False)(p, r)
    for _ in range(3):
        found = garch(p, r)
        assert np.allclose(found[0], plain[0], rtol=1e-12)
        assert np.isclose(found[1], plain[1])
    assert "(300, 300)" not in garch.source(p, r)
