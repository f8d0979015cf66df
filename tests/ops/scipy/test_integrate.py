"""scipy.integrate: odeint's gradient against closed solutions and differences, and what is refused."""

import numpy as np
import pytest

from tests.ops.cases import rows
from tests.support import CALLS, MODES, numeric
from tracejit import jit_grad
from tracejit.errors import UnsupportedError

integrate = pytest.importorskip("scipy.integrate")
from scipy.linalg import expm  # noqa: E402  (after the question whether there is SciPy)

odeint = integrate.odeint
EXACT = {"rtol": 1e-11, "atol": 1e-12}
A = np.array([[-0.5, 1.0], [-1.2, -0.3]])
START, TIMES = np.array([1.0, 0.4]), np.array([0.0, 0.3, 0.9, 1.7])
RATES = np.array([1.5, 1.0, 3.0, 1.0])


def linear(y, t, matrix):
    return matrix @ y


def driven(t, y, size, given):
    """A driven pendulum, which returns a list; its arguments are a number and a dict."""
    angle, speed = y
    return [speed, -size * np.sin(angle) - given["drag"] * speed + given["force"] * np.cos(2.0 * t)]


def predators(y, t, a, b, c, d):
    return np.array([a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]])


def by_matrix(matrix, start, times):
    return odeint(linear, start, times, args=(matrix,), **EXACT)


def pendulum(size, drag, force, start, times):
    given = {"drag": drag, "force": force, "name": "a"}
    return odeint(driven, start, times, (size, given), tfirst=True, **EXACT)


def closure(a, start):
    """The rates are a function that is made inside, and reads what it needs by closure."""
    powers = [a, a * 2.0]

    def rates(y, t):
        dydt = np.zeros(2)
        dydt[0] = -powers[0] * y[0] + t
        dydt[1] = powers[1] * y[0] - y[1]
        return dydt

    return odeint(rates, start, TIMES, **EXACT)


CASES = [
    *rows(
        odeint,
        ("matrix, start, times", by_matrix, (A, START, TIMES)),
        ("closure", closure, (0.7, START)),
    ),
    *rows(
        odeint,
        ("backwards in time", by_matrix, (A, START, TIMES[::-1].copy())),
        ("nested arguments", pendulum, (9.8, 0.3, np.float64(0.5), START, TIMES)),
        ("one equation", lambda k, y: odeint(lambda y, t: -k * y, y, TIMES, **EXACT), (0.7, 1.3)),
        ("one time", lambda y: odeint(linear, y, [0.5], args=(A,)), (START,)),
        ("times twice", lambda y, t: by_matrix(A, y, np.array([0.0, t, t])), (START, 0.8)),
        ("list of numbers", lambda a, b: odeint(linear, [a, b], TIMES, (A,), **EXACT), (1.0, 0.4)),
        ("f4", lambda m, y: odeint(linear, y, TIMES, (m,), **EXACT), (A.astype("f4"), START)),
        (
            "complex",
            lambda z: odeint(lambda y, t: -np.real(z * z) * y, 1.3, TIMES, **EXACT),
            (0.7 + 0.3j,),
        ),
        (
            "predators",
            lambda r: odeint(predators, [10.0, 5.0], [0.0, 0.4, 1.1], tuple(r), **EXACT),
            (RATES,),
        ),
        (
            "several",
            lambda k: by_matrix(A * k, START, TIMES) * by_matrix(A, k * START, TIMES),
            (0.8,),
        ),
        second=False,
    ),
]  # fmt: skip


@MODES
@pytest.mark.parametrize("case", [pytest.param(c, id=c.title) for c in CASES])
def test_gradients_are_those_of_differences(case, optimize):
    upstream = np.cos(np.arange(case.f(*case.params).size)).reshape(case.f(*case.params).shape)
    expected = numeric(case.f, case.params, (), upstream, 1e-5)
    df = jit_grad(lambda p, u: np.sum(case.f(*p) * u), optimize=optimize)
    for _ in range(CALLS):
        grads, value = df(case.params, upstream)
        np.testing.assert_allclose(value, np.sum(case.f(*case.params) * upstream), 1e-8, 1e-8)
        for g, p, e in zip(grads, case.params, expected, strict=True):
            assert type(g) is type(p)
            np.testing.assert_allclose(g, e, 2e-5, 2e-5)
    assert not optimize or df.cache_info().direct == 0, df.explain()


@MODES
@pytest.mark.parametrize("case", [pytest.param(c, id=c.title) for c in CASES if c.second])
def test_second_derivatives(case, optimize):
    def slope(p):
        inner = jit_grad(lambda p: np.sum(case.f(*p) ** 2), withForward=False, optimize=optimize)
        return sum(np.sum(g * (1.0 + np.cos(p))) for g, p in zip(inner(p), p, strict=True))

    plain = jit_grad(lambda p: np.sum(case.f(*p) ** 2), withForward=False, optimize=False)

    def differences(*p):
        return sum(np.sum(g * (1.0 + np.cos(p))) for g, p in zip(plain(p), p, strict=True))

    expected = numeric(differences, case.params, (), 1.0, 1e-5)
    df = jit_grad(slope, optimize=optimize)
    for _ in range(CALLS):
        for g, e in zip(df(case.params)[0], expected, strict=True):
            np.testing.assert_allclose(g, e, 5e-5, 5e-5)
