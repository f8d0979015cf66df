"""scipy.integrate: odeint against closed solutions and differences, and what is refused."""

import numpy as np
import pytest

from tests.ops.cases import Case, orders, rows
from tests.support import CALLS, MODES, check_direct, numeric, spaced
from tracejit import checkpoint, jit_grad
from tracejit.errors import UnsupportedError

integrate = pytest.importorskip("scipy.integrate")
expm = pytest.importorskip("scipy.linalg").expm

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


SOLVED = [
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


def sampled(function, **options):
    """An integral of samples at given places, with fixed options."""
    return lambda y, x: function(y, x=x, **options)


Y, X = spaced(-1.0, 1.3, (3, 6), seed=4), np.array([0.0, 0.4, 0.5, 1.3, 2.1, 2.2])
SAMPLES = [
    *(
        row
        for function in (integrate.trapezoid, integrate.cumulative_trapezoid, integrate.simpson)
        for row in (
            *rows(
                function,
                ("places", sampled(function), (Y, X)),
                ("odd number", sampled(function), (Y[0, 1:], X[1:])),
            ),
            *rows(
                function,
                ("distance", lambda y, dx, f=function: f(y, dx=dx, axis=0), (Y, 0.3)),
                ("places along axis 0", sampled(function, axis=0), (Y.T.copy(), Y.T + X[:, None])),
                ("two", lambda y, f=function: f(y), (Y[0, :2],)),
                ("f4", lambda y, f=function: f(y, dx=0.5), (Y.astype("f4"),)),
                ("strided", lambda y, f=function: f(y, axis=0), (Y[::-1, ::2],)),
                ("complex", lambda y, f=function: f(y), (Y + 1j * Y[::-1],)),
                second=False,
            ),
        )
    ),
    *rows(
        integrate.cumulative_trapezoid,
        ("initial", lambda y: integrate.cumulative_trapezoid(y, axis=0, initial=0), (Y,)),
        second=False,
    ),
    *rows(
        integrate.simpson,
        ("places twice", lambda y: integrate.simpson(y, x=X[[0, 1, 1, 2, 3, 4]]), (Y,)),
        second=False,
    ),
]  # fmt: skip
test_samples, test_samples_twice = orders(SAMPLES)

PLAIN = [  # functions that run on plain values
    Case("quad", lambda x: x * integrate.quad(np.sin, 0, 1)[0], (1.5,), (), integrate.quad),
    Case("dblquad", lambda x: x * integrate.dblquad(np.add, 0, 1, 0, 1)[0], (1.5,), (),
         integrate.dblquad),
    Case("tplquad", lambda x: x * integrate.tplquad(lambda a, b, c: a, 0, 1, 0, 1, 0, 1)[0], (1.5,),
         (), integrate.tplquad),
    Case("nquad", lambda x: x * integrate.nquad(np.sin, [[0, 1]])[0], (1.5,), (), integrate.nquad),
    Case("quad_vec", lambda x: x * integrate.quad_vec(np.sin, 0, 1)[0], (1.5,), (),
         integrate.quad_vec),
    Case("solve_ivp", lambda x: x * integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0]).y[0, -1],
         (1.5,), (), integrate.solve_ivp),
]  # fmt: skip
CASES = SOLVED + SAMPLES + PLAIN


@MODES
@pytest.mark.parametrize("case", [pytest.param(c, id=c.title) for c in SOLVED])
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
@pytest.mark.parametrize("case", [pytest.param(c, id=c.title) for c in SOLVED if c.second])
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


def test_the_solution_of_a_linear_system():
    df = jit_grad(lambda p, times: np.sum(by_matrix(*p, times)[-1]))
    for scale in (1.0, 0.5, -0.3):  # each call solves with its own values
        times = TIMES * scale
        (by_a, by_start), value = df((A * scale, START), times)
        last = expm(A * scale * times[-1])
        np.testing.assert_allclose(value, np.sum(last @ START), 1e-8)
        np.testing.assert_allclose(by_start, np.sum(last, axis=0), 1e-8)
        expected = numeric(lambda a, t=times[-1]: expm(a * t) @ START, (A * scale,), (), 1.0)[0]
        np.testing.assert_allclose(by_a, expected, 1e-6, 1e-6)
    assert df.cache_info()[:4] == (2, 1, 1, 0)
    assert df((np.eye(3), np.ones(3)), TIMES)[0][0].shape == (3, 3)  # recorded anew
    assert df.cache_info().misses == 2


def excited(p, times):
    """A neuron after FitzHugh and Nagumo: its way back in time is unstable."""

    def rates(y, t):
        return [y[0] - y[0] ** 3 / 3.0 - y[1] + p[0], p[1] * (y[0] + 0.7 - 0.8 * y[1])]

    return np.sum(odeint(rates, [0.0, 0.0], times, **EXACT)[-1])


def at_rest(p, times):
    return odeint(lambda y, t: p[0] * y * (p[1] - y), 0.1, times, **EXACT)[-1, 0]


@MODES
@pytest.mark.parametrize("f", [excited, at_rest])
@pytest.mark.filterwarnings("error")
def test_solutions_that_cannot_be_followed_backwards_are_cut_into_parts(f, optimize):
    df, p = jit_grad(f, optimize=optimize), np.array([0.5, 0.08] if f is excited else [1.0, 2.0])
    for last in (30.0, 20.0, 25.0):
        times = np.array([0.0, 0.5 * last, last])
        expected = numeric(lambda q, times=times: f(q, times), (p,), (), 1.0, 1e-5)[0]
        np.testing.assert_allclose(df(p, times)[0], expected, 1e-4, 1e-7)


@MODES
@pytest.mark.filterwarnings("error")
def test_an_adjoint_that_takes_too_many_steps_is_cut_into_parts(optimize):
    def swinging(start):  # from rest, which says nothing about the way back
        return odeint(lambda y, t: [y[1], -4.0 * y[0]], start, [0.0, 300.0])[-1, 0]

    df = jit_grad(swinging, optimize=optimize)
    for _ in range(CALLS):
        expected = [np.cos(600.0), 0.5 * np.sin(600.0)]
        np.testing.assert_allclose(df(np.zeros(2))[0], expected, 1e-3, 1e-3)


@MODES
def test_the_second_derivative_of_what_is_cut_into_parts(optimize):
    def slope(p):
        return jit_grad(at_rest, withForward=False, optimize=optimize)(p, [0.0, 15.0])[1]

    plain = jit_grad(at_rest, withForward=False, optimize=False)
    p = np.array([0.6, 1.5])
    expected = numeric(lambda p: plain(p, [0.0, 15.0])[1], (p,), (), 1.0, 1e-5)[0]
    df = jit_grad(slope, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(p)[0], expected, 1e-4, 1e-6)


RATE = 0.4


class Decay:
    """A system whose rates are a method that reads an attribute and a global number."""

    def __init__(self):
        self.matrix = -np.eye(2)

    def rates(self, y, t):
        return RATE * self.matrix @ y


@MODES
def test_what_the_rates_read_from_outside_is_read_at_every_call(optimize, monkeypatch):
    decay = Decay()
    df = jit_grad(lambda y: np.sum(odeint(decay.rates, y, [0.0, 1.0])[-1]), optimize=optimize)
    for rate, matrix in ((0.4, -np.eye(2)), (0.4, -2.0 * np.eye(2)), (0.9, -np.eye(2))):
        monkeypatch.setitem(globals(), "RATE", rate)
        decay.matrix = matrix
        for _ in range(CALLS):
            np.testing.assert_allclose(df(START)[0], np.exp(rate * matrix[0, 0]), 1e-6)


@MODES
def test_rates_with_checkpoints(optimize):
    rates = lambda k: lambda y, t: checkpoint(lambda y: -k * y)(y)
    df = jit_grad(lambda k: odeint(rates(k), 1.0, [0.0, 1.0])[-1, 0], optimize=optimize)
    for k in (0.4, 0.5, 0.3):
        np.testing.assert_allclose(df(k), (-np.exp(-k), np.exp(-k)), 1e-6)


@MODES
def test_branches_on_what_does_not_move(optimize):
    def loss(k, n, grows):
        def rates(y, t):
            total = 0.0 * y
            for _ in range(n):
                total = total + (k * y if grows else -k * y)
            return total if t < 1e9 else y

        return odeint(rates, 1.0, [0.0, 1.0])[-1, 0]

    df = jit_grad(loss, optimize=optimize)
    for n, grows in ((2, True), (3, True), (2, False), (3, True), (2, True)):
        sign = n if grows else -n
        for _ in range(CALLS):
            np.testing.assert_allclose(df(0.3, n, grows)[0], sign * np.exp(sign * 0.3), 1e-6)


@MODES
@pytest.mark.parametrize("case", [pytest.param(c, id=c.title) for c in PLAIN])
def test_functions_without_a_gradient_run_in_direct_mode(case, optimize):
    check_direct(case.f, case.params, "calls a function", optimize)


def written(k):
    """The rates write into an array that is made outside."""
    made = np.zeros(2)

    def rates(y, t):
        made[...] = -k * y
        return made

    return np.sum(odeint(rates, START, TIMES))


REFUSED = {
    "a branch on the state": (
        lambda k: np.sum(odeint(lambda y, t: -k * y if y[0] > 0.7 else k * y, 1.0, TIMES)),
        "another way .* np.where",
    ),
    "random numbers": (
        lambda k: np.sum(odeint(lambda y, t: -k * y * np.random.rand(), 1.0, TIMES)),
        "draws random numbers",
    ),
    "writing outside": (written, "does not make itself"),
    "full_output": (
        lambda k: odeint(lambda y, t: -k * y, 1.0, TIMES, full_output=1)[0][0, 0],
        "full_output",
    ),
    "what is too stiff": (
        lambda k: odeint(lambda y, t: -k * 1e7 * (y**3 - np.cos(t)), 1.5, [0.0, 1.0, 9.0])[-1, 0],
        "too stiff",
    ),
    "quad": (lambda k: integrate.quad(lambda s: s**k, 0, 1)[0], "quad has no gradient.*odeint"),
}


@MODES
@pytest.mark.parametrize(("f", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(f, said, optimize):
    with pytest.raises(UnsupportedError, match=said):
        jit_grad(f, optimize=optimize)(0.8)
