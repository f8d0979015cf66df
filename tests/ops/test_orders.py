"""Every op to second order and some to third, by identities between the modes.

Nothing is written for single ops: the cases of all families are taken as they are. Of each NumPy
function one at least is run in direct mode, and a few of all are compiled; TRACEJIT_TEST_ALL=1 runs
all of them in both.
"""

import os

import numpy as np
import pytest

import tracejit as tj
from tests.ops.cases import over
from tests.ops.test_registry import CASES
from tests.support import MODES, cotangent, tolerance

pytestmark = pytest.mark.filterwarnings("ignore")

ALL = bool(os.environ.get("TRACEJIT_TEST_ALL"))
# Where the identities do not hold, or not to the last digits.
WITHOUT_SECOND = {
    "gamma complex": "its derivative is polygamma, which SciPy has for real numbers alone",
    "loggamma complex": "as gamma",
    "rgamma complex": "as gamma",
    "logm complex of real": "on the branch cut, where logm of the rule's block matrix is arbitrary",
    "odeint nested arguments": "the solver's own error is larger than what is compared",
}


def is_smooth(case):
    """Tell whether the output holds floats; there is nothing to compare of an empty one."""
    out = np.asarray(case.f(*case.params, *case.rest))
    return out.dtype.kind in "fc" and out.size > 0 and case.title not in WITHOUT_SECOND


def some(cases):
    """One case of each function, and every ninth of all."""
    counts = {}
    for number, case in enumerate(cases):
        known = counts[case.covers] = counts.get(case.covers, 0) + 1
        if ALL or (case.covers and known == 1) or number % 9 == 0:
            yield case


CHOSEN = [case for case in some(CASES) if is_smooth(case)]
COMPILED = CHOSEN if ALL else CHOSEN[::40]
THIRD = CHOSEN if ALL else CHOSEN[::30]


class Sample:
    """A case as a function of its parameters alone, and directions to compare along.

    scalar: a sum of the output and its square, so that no derivative of it is zero.
    """

    def __init__(self, case, optimize):
        self.params, self.k = case.params, {"optimize": optimize}
        self.every = tuple(range(len(case.params)))
        self.f = lambda *p: case.f(*p, *case.rest)
        out = self.f(*case.params)
        self.upstream, self.out = cotangent(out), out
        self.along, self.also = (
            tuple(cotangent(p, seed + i) for i, p in enumerate(case.params)) for seed in (30, 60)
        )
        self.few = max(tolerance((*case.params, out), case.rest), 1e-7)

    def scalar(self, *p):
        out = self.f(*p)
        return np.real(np.sum((0.5 * out * out + out) * self.upstream))

    def gradient(self, *p):
        return tj.grad(self.scalar, self.every, **self.k)(*p)

    def slope(self, f, direction):
        """The derivative of a function of the parameters along a direction, in forward mode."""
        return lambda *p: tj.jvp(f, p, direction, **self.k)[1]

    def moved(self, size):
        """The parameters, somewhat along the direction; as they lie in memory."""
        for p, v in zip(self.params, self.along, strict=True):
            wide = np.array(p, np.result_type(p, np.float64), order="K")
            wide += size * v
            yield wide if type(p) is np.ndarray else wide[()]

    def close(self, found, expected, factor=0.1):
        """Compare tuples of arrays; large numbers have large errors."""
        for a, b in zip(found, expected, strict=True):
            scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
            few = self.few * factor
            np.testing.assert_allclose(a, b, rtol=few, atol=few * scale)


def dot(left, right):
    """The real part of the sum of products, which is what cotangents are of."""
    pairs = zip(left, right, strict=True)
    return float(sum(np.real(np.sum(np.asarray(a) * np.asarray(b))) for a, b in pairs))


def first_order(sample):
    """<u, J v> = <J' u, v>."""
    _, tangent = tj.jvp(sample.f, sample.params, sample.along, **sample.k)
    _, pull = tj.vjp(sample.f, *sample.params, **sample.k)
    pulled = pull(sample.upstream)
    pulled = pulled if len(sample.params) > 1 else (pulled,)
    forward, reverse = dot([sample.upstream], [tangent]), dot(pulled, sample.along)
    assert np.isclose(forward, reverse, rtol=sample.few, atol=sample.few)


def second_order(sample):
    """Forward over reverse, reverse over forward, reverse over reverse, and differences."""
    forward_over_reverse = sample.slope(sample.gradient, sample.along)(*sample.params)
    over_forward = tj.grad(sample.slope(sample.scalar, sample.along), sample.every, **sample.k)
    twice_reverse = tj.hvp(sample.scalar, sample.every, **sample.k)(*sample.params, sample.along)
    sample.close(forward_over_reverse, twice_reverse)
    sample.close(over_forward(*sample.params), twice_reverse)
    step = {1e-7: 1e-6, 1e-6: 1e-6, 2e-4: 1e-3}.get(sample.few, 0.05)
    ahead, behind = (sample.gradient(*sample.moved(s)) for s in (step, -step))
    differences = [(np.asarray(a) - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]
    sample.close(twice_reverse, differences, 10.0)


def third_order(sample):
    """The derivative of curvature: reverse over two forward passes, forward over the others."""
    curvature = sample.slope(sample.slope(sample.scalar, sample.along), sample.also)
    reverse = tj.grad(curvature, sample.every, **sample.k)(*sample.params)
    product = lambda *p: tj.hvp(sample.scalar, sample.every, **sample.k)(*p, sample.along)
    forward = sample.slope(product, sample.also)(*sample.params)
    sample.close(reverse, forward)


@over(CHOSEN)
def test_modes_agree(case):
    sample = Sample(case, optimize=False)
    first_order(sample)
    second_order(sample)


@over(COMPILED)
def test_modes_agree_compiled(case):
    for _ in range(2):
        sample = Sample(case, optimize=True)
        first_order(sample)
        second_order(sample)


@MODES
@over(THIRD)
def test_third_order(case, optimize):
    third_order(Sample(case, optimize))


def test_the_exceptions_are_cases():
    assert set(WITHOUT_SECOND) <= {case.title for case in CASES}
