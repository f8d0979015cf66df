"""What depends on values for its shape, and NumPy functions that write to their argument."""

import numpy as np
import pytest

from tests.ops.cases import ROW, Case, X, over
from tests.support import MODES, check, numeric, spaced
from tracejit import jit_grad


def writing(write):
    """The function that writes to a recorded array and squares it."""

    def f(x, y):
        z = x * 1.0
        write(z, y)
        return z * z

    return f


FOUND = [
    Case("nonzero", lambda x: x[np.nonzero(x > 0)] ** 2, (X,), (), np.nonzero),
    Case("nonzero of a row", lambda x: x[np.nonzero(x > 1.0)[0]] ** 2, (ROW,), (), np.nonzero),
    Case("flatnonzero", lambda x: x.ravel()[np.flatnonzero(x > 0)] ** 2, (X,), (), np.flatnonzero),
    Case("argwhere", lambda x: x[tuple(np.argwhere(x > 0)[0])] ** 2, (X,), (), np.argwhere),
    Case("where", lambda x: x[np.where(x > 0)] ** 2, (X,), (), np.where),
    Case("mask", lambda x: x[x > 0] ** 2, (X,)),
    Case("mask of rows", lambda x: x[x[:, 0] > 0, 1:] ** 2, (X,)),
    Case("mask written", writing(lambda z, y: z.__setitem__(z > 0, 1.5)), (X, ROW)),
    Case("mask set to a number", writing(lambda z, y: z.__setitem__(z > 0, y[0])), (X, ROW)),
    Case("mask set to some", writing(lambda z, y: z.__setitem__(z > 0, z[z > 0] * 2)), (X, ROW)),
    Case("place", writing(lambda z, y: np.place(z, z > 0, y[:2])), (X, ROW), (), np.place),
]  # fmt: skip


def mask_augmented(z, y):
    z[z > 0] *= y[0]
    z[:, y > 1.0] += 2.0


WRITES = {
    "copyto": (np.copyto, lambda z, y: np.copyto(z, y)),
    "copyto where": (np.copyto, lambda z, y: np.copyto(z, y, where=z > 0)),
    "copyto a number": (np.copyto, lambda z, y: np.copyto(z[0], 2.5)),
    "putmask": (np.putmask, lambda z, y: np.putmask(z, z > 0, z * 3.0)),
    "putmask by a number": (np.putmask, lambda z, y: np.putmask(z, z > 0, y[0])),
    "put": (np.put, lambda z, y: np.put(z, [0, 4], y[:2])),
    "put a number": (np.put, lambda z, y: np.put(z, [1, 4], y[0])),
    "fill_diagonal": (np.fill_diagonal, lambda z, y: np.fill_diagonal(z, y[0])),
    "fill_diagonal with a row": (np.fill_diagonal, lambda z, y: np.fill_diagonal(z, y[:2])),
}
WRITING = [Case(t, writing(w), (X, ROW), (), covers) for t, (covers, w) in WRITES.items()]
CASES = [*FOUND, Case("mask augmented", writing(mask_augmented), (X, ROW)), *WRITING]


@MODES
@over(CASES)
def test_first_order(case, optimize):
    check(case.f, case.params, case.rest, optimize)


@over(FOUND)
def test_other_values_select_others(case):
    f = case.f
    df = jit_grad(lambda p: np.sum(f(*p)))
    for seed in range(4):
        params = [spaced(-1.4, 1.9, np.shape(p), seed=seed) for p in case.params]
        grads, value = df(tuple(params))
        assert value == pytest.approx(np.sum(f(*params)), rel=1e-13)
        for grad, expected in zip(grads, numeric(f, params), strict=True):
            np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-6)


@MODES
def test_copyto_that_cannot_cast(optimize):
    def f(x):
        np.copyto((x > 0) * 1, x)

    with pytest.raises(TypeError, match="Cannot cast"):
        jit_grad(f, optimize=optimize)(X)
