"""The cases of the registry on the numba target: some interpreted, and a few compiled.

TRACEJIT_TEST_ALL=1 runs all of them both ways, which takes many minutes.
"""

import os

import numpy as np
import pytest

from tests.ops.cases import over
from tests.ops.test_registry import CASES
from tests.support import CALLS, assert_gradients, assert_same, cotangent, on_tuple, tolerance
from tracejit import jit_grad

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore")

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))
MANY = 12  # cases that are compiled together
GROUPS = [CASES[n :: len(CASES) // MANY] for n in range(len(CASES) // MANY)]


@over(CASES if ALL else CASES[::5])
def test_interpreted(interpreted, case):
    expected = case.f(*case.params, *case.rest)
    upstream = cotangent(expected)
    direct = jit_grad(on_tuple(case.f), partialGrad=True, optimize=False)
    gradients, _ = direct(case.params, *case.rest, upstream)
    df = jit_grad(on_tuple(case.f), partialGrad=True, audit=False, backend="numpy")
    for _ in range(CALLS):
        grads, value = df(case.params, *case.rest, upstream)
        assert_same(value, expected)
        assert_gradients(grads, case.params, gradients, tolerance(case.params, case.rest))


@pytest.mark.parametrize("number", range(len(GROUPS)) if ALL else [0, 64])
def test_compiled(number):
    """One function computes several cases, because each compilation takes a while."""
    cases = GROUPS[number]

    def together(params, rests, weights):
        results = [c.f(*p, *r) for c, p, r in zip(cases, params, rests, strict=True)]
        total = 0.0
        for result, weight in zip(results, weights, strict=True):
            part = np.sum(result * weight)
            total = total + (np.real(part) if np.iscomplexobj(part) else part)
        return total, *results

    params, rests = tuple(c.params for c in cases), tuple(c.rest for c in cases)
    weights = tuple(cotangent(c.f(*c.params, *c.rest)) for c in cases)
    df = jit_grad(together, audit=False, backend="numba")
    gradients, *expected = jit_grad(together, optimize=False)(params, rests, weights)
    for _ in range(CALLS):
        grads, *results = df(params, rests, weights)
        for case, g, p, e in zip(cases, grads, params, gradients, strict=True):
            assert_gradients(g, p, e, tolerance(p, case.rest))
        few = {np.dtype("f2"): 4e-3, np.dtype("f4"): 1e-5, np.dtype("c8"): 1e-5}
        for actual, value in zip(results[1:], expected[1:], strict=True):
            assert type(actual) is type(value) and np.shape(actual) == np.shape(value)
            dtype = np.asarray(value).dtype
            assert np.asarray(actual).dtype == dtype
            np.testing.assert_allclose(actual, value, few.get(dtype, 1e-11), few.get(dtype, 1e-11))
    assert df.cache_info().direct == 0, df.explain()
    assert " s)" in df.explain().split("numba target: ")[1], df.explain()
