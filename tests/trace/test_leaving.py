"""Traced integers that become counts, axes or bounds, and branches: the answer is right."""

import numpy as np
import pytest

from tests.support import CALLS, numeric, spaced
from tracejit import jit_grad

X = spaced(-1.9, 1.7, (2, 3, 4), seed=1)

LEAVING = {
    "axis": lambda x, n: np.sum(x, axis=n) ** 2,
    "axis of a method": lambda x, n: x.mean(axis=n, keepdims=True) * x,
    "axis of cumsum": lambda x, n: np.cumsum(x, axis=n) ** 2,
    "axes": lambda x, n: np.max(x, axis=(0, n)) ** 2,
    "axis of concatenate": lambda x, n: np.concatenate([x, x * x], axis=n),
    "axis of stack": lambda x, n: np.stack([x, x * x], axis=n),
    "axis of expand_dims": lambda x, n: np.expand_dims(x, n) * x[0],
    "axis of squeeze": lambda x, n: np.squeeze(x[:, :1], n) ** 2,
    "axis of swapaxes": lambda x, n: np.swapaxes(x, 0, n) ** 2,
    "axis of moveaxis": lambda x, n: np.moveaxis(x, n, 0) ** 2,
    "axes of transpose": lambda x, n: np.transpose(x, (n, 2, 0)) ** 2,
    "axis of norm": lambda x, n: np.linalg.norm(x, axis=n) ** 2,
    "order of norm": lambda x, n: np.linalg.norm(x, n, axis=2) ** 2,
    "axes of tensordot": lambda x, n: np.tensordot(x, x[0, 0], axes=n) ** 2,
    "shape": lambda x, n: x.reshape(n * 6, 4)[n] ** 2,
    "shape -1": lambda x, n: np.reshape(x, (-1, n + 1)) ** 2,
    "broadcast": lambda x, n: np.broadcast_to(x[0, 0, 0], (n, n + 1)) ** 2,
    "bound of a slice": lambda x, n: x[n:, : n + 1] ** 2,
    "step of a slice": lambda x, n: x[:, :: n + 1] ** 2,
    "range": lambda x, n: sum(x[0] ** (i + 1) for i in range(n + 1)),
    "zeros": lambda x, n: x[0] * np.ones(n * 4),
    "branch": lambda x, n: x**2 if n > 0 else x,
    "list index": lambda x, n: [x, x * x][n],
    "dict key": lambda x, n: {1: x * x}[n],
    "decimals": lambda x, n: x * np.round(x, n),
    "ddof": lambda x, n: np.var(x, axis=0, ddof=n) * 3.0,
    "int()": lambda x, n: x ** int(n + 1),
    "math": lambda x, n: x * float(n + 1),
}
BRANCHES = {
    "loop": lambda x, n: np.sin(x) if x[0, 0, 0] > -9.0 else x,
    "max of elements": lambda x, n: max(x[0, 0, 0], x[1, 1, 1]) * 2.0,
    "any": lambda x, n: x * x if (x > 0).any() else x,
    "and": lambda x, n: x * x if n and x[0, 0, 0] < 9.0 else x,
    "sorted": lambda x, n: sorted(x[0, 0])[n] ** 2,
    "mask": lambda x, n: x[x > 0.1] ** 2,
    "rounded": lambda x, n: x * round(x[0, 0, 0]),
    "in": lambda x, n: x if 99.0 in x else x * x,
    "formatted": lambda x, n: x * len(f"{x[0, 0, 0]:.2f}"),
}


@pytest.mark.parametrize("f", [*LEAVING.values(), *BRANCHES.values()], ids=[*LEAVING, *BRANCHES])
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
@pytest.mark.parametrize("optimize", [True, False], ids=["fallen back", "direct"])
def test_values_are_right(f, optimize):
    df = jit_grad(lambda x, n: np.sum(f(x, n)), optimize=optimize)
    expected = numeric(lambda x: f(x, 1), (X,))[0]
    for _ in range(CALLS):
        grad, value = df(X, 1)
        assert value == pytest.approx(np.sum(f(X, 1)), rel=1e-13)
        np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", BRANCHES.values(), ids=BRANCHES)
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
def test_other_values_take_another_way(f):
    df = jit_grad(lambda x, n: np.sum(f(x, n)))
    df(X, 1)
    for x in (X, -X, X + 20.0, X[:, ::-1] * 7.0):
        grad, value = df(x, 1)
        assert value == pytest.approx(np.sum(f(x, 1)), rel=1e-13)
        np.testing.assert_allclose(grad, numeric(lambda x: f(x, 1), (x,))[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("f", LEAVING.values(), ids=LEAVING)
@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning", "ignore::RuntimeWarning")
def test_other_counts_give_other_results(f):
    """A count that was recorded must not answer for another one."""
    df = jit_grad(lambda x, n: np.sum(f(x, n)))
    x = np.ones((1, 3, 4)) * spaced(0.3, 1.9, (3, 4))
    for n in (0, 0, 0, 1):
        try:
            expected = np.sum(f(x, n))
        except (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError) as error:
            with pytest.raises(type(error)):
                df(x, n)
        else:
            assert df(x, n)[1] == pytest.approx(expected, rel=1e-13, nan_ok=True)
