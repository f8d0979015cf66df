"""scipy.stats: densities, distribution functions and their inverses, by all that has a gradient."""

import numpy as np
import pytest

from tests.ops.cases import orders, rows
from tests.support import CALLS, MODES, check, spaced
from tracejit import jit_grad
from tracejit.dag.op import COMPOSITES
from tracejit.errors import MissingGradientError, UnsupportedError
from tracejit.ops.scipy import load

stats = pytest.importorskip("scipy.stats")
load("stats")

LOC, SCALE = np.array([[0.31], [-0.2]]), np.array([1.2, 0.7, 1.6])
SHAPE = np.array([1.3, 2.4, 3.1])
COUNTS = np.array([[0, 2, 1], [3, 5, 2]])
# Quantiles, and shape parameters.
CONTINUOUS = {
    stats.norm: ((-1.9, 1.7), ()), stats.t: ((-1.9, 1.7), (SHAPE,)),
    stats.beta: ((0.4, 0.45), (SHAPE, np.array([1.7]))), stats.gamma: ((0.6, 3.1), (SHAPE,)),
    stats.chi2: ((0.6, 3.1), (SHAPE,)), stats.expon: ((0.6, 3.1), ()),
    stats.uniform: ((0.35, 0.45), ()), stats.lognorm: ((0.6, 3.1), (SHAPE,)),
    stats.cauchy: ((-1.9, 1.7), ()), stats.laplace: ((-1.9, 1.7), ()),
    stats.logistic: ((-1.9, 1.7), ()),
}  # fmt: skip
BY_SHAPE = {stats.lognorm}  # whose distribution functions have a derivative by the shape
DISCRETE = {
    stats.poisson: (np.array([0.7, 2.1, 4.4]),), stats.bernoulli: (np.array([0.3, 0.6, 0.8]),),
    stats.binom: (5, np.array([0.3, 0.6, 0.8])),
}  # fmt: skip
NUMBERS = {stats.bernoulli: np.array([[0, 1, 1], [1, 0, 0]])}


def fixed(method, shapes):
    return lambda x, loc, scale: method(x, *shapes, loc, scale)


def continuous_cases():
    for distribution, (bounds, shapes) in CONTINUOUS.items():
        x, q = spaced(*bounds, (2, 3)), spaced(0.1, 0.9, (2, 3))
        for name in ("logpdf", "pdf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf"):
            method = getattr(distribution, name)
            if method not in COMPOSITES:
                continue
            first = q if name in ("ppf", "isf") else x
            second = name in ("logpdf", "cdf")
            if name.endswith("pdf") or distribution in BY_SHAPE:
                row = (f"{distribution.name}, all", method, (first, *shapes, LOC, SCALE))
            else:
                row = (f"{distribution.name} given", fixed(method, shapes), (first, LOC, SCALE))
            yield from rows(method, row, second=second)
        if distribution.entropy in COMPOSITES:
            f = lambda *p, m=distribution.entropy: m(*p[:-1], 0.5, p[-1])
            yield from rows(distribution.entropy, (distribution.name, f, (*shapes, SCALE)))


def discrete_cases():
    for distribution, shapes in DISCRETE.items():
        k = NUMBERS.get(distribution, COUNTS)
        for name in ("logpmf", "pmf", "cdf", "sf"):
            method = getattr(distribution, name)
            if method in COMPOSITES:
                *given, last = shapes
                f = lambda p, k, m=method, given=given: m(k, *given, p, loc=0)
                yield from rows(method, (distribution.name, f, (last,), (k,)))


SQUARE = spaced(-0.9, 0.8, (3, 3), seed=21)
POINTS = spaced(-1.2, 1.4, (4, 3), seed=22)
MEAN = spaced(-0.6, 0.4, (3,), seed=23)
ALPHA = np.array([1.4, 2.2, 0.7])


def covariance(a):
    return a @ a.T + np.eye(len(a))


def simplex(u):
    return np.exp(u) / np.sum(np.exp(u), axis=0)


NORMAL, DIRICHLET = stats.multivariate_normal, stats.dirichlet
CASES = [
    *continuous_cases(),
    *discrete_cases(),
    *rows(
        NORMAL.logpdf,
        ("points", lambda x, m, a: NORMAL.logpdf(x, m, covariance(a)), (POINTS, MEAN, SQUARE)),
        ("a point", lambda x, m, a: NORMAL.logpdf(x, m, covariance(a)), (MEAN, -MEAN, SQUARE)),
        ("variances", lambda x, v: NORMAL.logpdf(x, np.zeros(3), v), (POINTS, SHAPE)),
        ("a variance", lambda x, m, v: NORMAL.logpdf(x, m, v), (POINTS, MEAN, 1.4)),
        ("one dimension", lambda x, m, v: NORMAL.logpdf(x, m, v), (MEAN, 0.3, np.float64(1.4))),
    ),
    *rows(
        NORMAL.logpdf,
        ("defaults", lambda x: NORMAL.logpdf(x), (MEAN,)),
        ("no mean", lambda x, a: NORMAL.logpdf(x, cov=covariance(a)), (MEAN, SQUARE)),
        ("f4", lambda x, m: NORMAL.logpdf(x, m, np.eye(3)), (POINTS.astype(np.float32), MEAN)),
        ("cube", lambda x, m: NORMAL.logpdf(x, m, np.eye(3)), (POINTS.reshape(2, 2, 3), MEAN)),
        ("frozen", lambda x, a: NORMAL(MEAN, covariance(a)).logpdf(x), (POINTS, SQUARE)),
        second=False,
    ),
    *rows(
        NORMAL.pdf,
        ("points", lambda x, m, a: NORMAL.pdf(x, m, covariance(a)), (POINTS, MEAN, SQUARE)),
        second=False,
    ),
    *rows(
        NORMAL.entropy,
        ("all", lambda a: NORMAL.entropy(np.zeros(3), covariance(a)), (SQUARE,)),
        ("variance", lambda v: NORMAL.entropy(cov=v), (1.7,)),
    ),
    *rows(
        DIRICHLET.logpdf,
        ("a point", lambda u, a: DIRICHLET.logpdf(simplex(u), a), (MEAN, ALPHA)),
        ("columns", lambda u, a: DIRICHLET.logpdf(simplex(u), a), (POINTS.T, ALPHA)),
        ("all but one", lambda u, a: DIRICHLET.logpdf(simplex(u)[:-1], a), (POINTS.T, ALPHA)),
        second=False,
    ),
    *rows(DIRICHLET.pdf, ("a point", lambda u, a: DIRICHLET.pdf(simplex(u), a), (MEAN, ALPHA))),
    *rows(DIRICHLET.entropy, ("all", DIRICHLET.entropy, (ALPHA,))),
    *rows(DIRICHLET.mean, ("all", DIRICHLET.mean, (ALPHA,))),
    *rows(DIRICHLET.var, ("all", DIRICHLET.var, (ALPHA,))),
    *rows(
        stats.norm.logpdf,
        ("f4", stats.norm.logpdf, (spaced(-1.9, 1.7, (3,), np.float32),)),
        ("numbers", stats.norm.logpdf, (0.7, 0.2, 1.3)),
        ("0d", stats.norm.logpdf, (np.array(0.7), 0.2, np.float64(1.3))),
        ("keywords", lambda x, s: stats.norm.logpdf(x, scale=s), (MEAN, 1.3)),
        ("integers", lambda m, s: stats.norm.logpdf(COUNTS, m, s), (0.3, 1.3)),
        ("lists", lambda m, s: stats.norm.logpdf([m, 0.5], 0, [1.0, s]), (0.3, 1.3)),
        ("empty", stats.norm.logpdf, (np.zeros((0, 3)), MEAN)),
        ("frozen", lambda x, m, s: stats.norm(m, scale=s).logpdf(x), (MEAN, 0.3, 1.3)),
        second=False,
    ),
]
test_first_order, test_second_order = orders(CASES)


# -- values, as far out as they go ----------------------------------------------------------------

SHAPES = {
    stats.t: (2.5,), stats.beta: (1.5, 2.5), stats.gamma: (1.7,), stats.chi2: (3.3,),
    stats.lognorm: (0.7,), stats.poisson: (2.3,), stats.bernoulli: (0.3,), stats.binom: (5, 0.4),
}  # fmt: skip
FAR = np.array([-3.0, -0.5, 0, 0.2, 0.5, 0.99, 1, 1.5, 4, 40, np.nan, np.inf, -np.inf])
PROBABILITIES = np.array([-0.1, 0, 0.2, 0.5, 0.9, 1, 1.1, np.nan])
METHODS = [
    getattr(distribution, name)
    for distribution in (*CONTINUOUS, *DISCRETE)
    for name in ("logpdf", "pdf", "logpmf", "pmf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf")
    if getattr(distribution, name, None) in COMPOSITES
]


def invalid(shapes):
    """Shape parameters of which some are not valid."""
    return [np.array([shape, 2 * shape, -1.0, np.nan]) for shape in shapes]


def arguments_of(method):
    shapes = SHAPES.get(method.__self__, ())
    first = PROBABILITIES if method.__name__ in ("ppf", "isf") else FAR
    small = first.astype(np.float32)
    yield from (
        (first, *shapes),
        (small, *shapes),
        (list(first), *shapes),
        (np.array(0.5), *shapes),
    )
    yield from ((0.5, *shapes), (1, *shapes), (np.array([-1, 0, 1, 2]), *shapes))
    yield first, *shapes, 0.5
    yield first[:, None], *invalid(shapes)
    if method.__self__ in CONTINUOUS:
        yield first, *shapes, 0.5, 2.0
        yield first, *shapes, 0, np.array([[1.0], [-1.0], [0.0], [np.nan]])
        yield small, *shapes, np.float32(0.5), np.float32(2.0)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: f"{m.__self__.name}.{m.__name__}")
@np.errstate(all="ignore")
def test_values_are_those_of_scipy(method):
    for arguments in arguments_of(method):
        expected = method(*arguments)
        value = COMPOSITES[method](*arguments)
        assert type(value) is type(expected) and value.dtype == expected.dtype
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-300)


@MODES
@pytest.mark.parametrize(
    ("method", "x", "value"),
    [
        (stats.gamma.logpdf, -0.5, -np.inf), (stats.gamma.pdf, -0.5, 0.0),
        (stats.chi2.logpdf, -0.5, -np.inf), (stats.lognorm.pdf, -0.5, 0.0),
        (stats.gamma.cdf, -0.5, 0.0), (stats.chi2.sf, -0.5, 1.0),
        (stats.gamma.logcdf, -0.5, -np.inf), (stats.lognorm.cdf, -0.5, 0.0),
    ],
    ids=lambda v: getattr(v, "__name__", None) and f"{v.__self__.name}.{v.__name__}",
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_outside_of_the_support_the_gradient_is_zero(method, x, value, optimize):
    def f(x, loc, scale):
        return method(x, 1.7, loc, scale)

    assert f(x, 0.0, 1.0) == value
    check(f, (np.array([x]), 0.1, 1.2), (), optimize, [np.zeros(1), 0.0, 0.0])


@MODES
@pytest.mark.filterwarnings("error")
def test_invalid_parameters_give_nan(optimize):
    for f, p in (
        (lambda s: stats.norm.logpdf(0.3, 0.1, s), -1.0),
        (lambda s: stats.expon.cdf(0.3, 0.1, s), 0.0),
        (lambda a: stats.gamma.logpdf(-0.3, a), -1.0),
        (lambda mu: stats.poisson.pmf(2, mu), -0.5),
        (lambda p: stats.bernoulli.logpmf(1, p), 1.5),
    ):
        df = jit_grad(f, optimize=optimize)
        for _ in range(CALLS):
            _, value = df(p)
            assert np.isnan(value) and type(value) is np.float64


SMOOTH = {  # a method, and its first and second derivative at the centre
    stats.laplace.cdf: (0.5, 0.5), stats.laplace.sf: (-0.5, -0.5),
    stats.logistic.logpdf: (0.0, -0.5), stats.logistic.pdf: (0.0, -0.125),
}  # fmt: skip


@MODES
@pytest.mark.parametrize("method", SMOOTH, ids=lambda method: method.__qualname__)
def test_derivatives_at_the_centre(method, optimize):
    first, second = SMOOTH[method]
    slope = jit_grad(lambda x: np.sum(method(x)), withForward=False, optimize=optimize)
    twice = jit_grad(lambda x: np.sum(slope(x)), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(slope(np.zeros(2)), [first] * 2, atol=1e-15)
        if method.__self__ is stats.logistic:  # that of Laplace's jumps
            np.testing.assert_allclose(twice(np.zeros(2))[0], [second] * 2, rtol=1e-12)


@MODES
@pytest.mark.filterwarnings("error")
def test_students_distribution_with_infinitely_many_degrees_is_normal(optimize):
    df = np.array([np.inf, 3.0])
    for method, of_normal in (
        (stats.t.logpdf, stats.norm.logpdf), (stats.t.pdf, stats.norm.pdf),
        (stats.t.cdf, stats.norm.cdf), (stats.t.logcdf, stats.norm.logcdf),
    ):  # fmt: skip
        found = jit_grad(lambda x, df, m=method: np.sum(m(x, df)), optimize=optimize)
        expected = jit_grad(lambda x, m=of_normal: np.sum(m(x)), optimize=optimize)
        for x in (np.array([0.7, -1.2]), np.array([-0.4, 2.0]), np.array([1.4, 0.0])):
            grads, value = found(x, df)
            np.testing.assert_allclose(grads[:1], expected(x[:1])[0], rtol=1e-12)
            np.testing.assert_allclose(value, np.sum(method(x, df)), rtol=1e-12)


@MODES
def test_no_gradient_passes_through_counts_and_their_location(optimize):
    for method in (stats.poisson.logpmf, stats.poisson.pmf, stats.poisson.cdf):
        df = jit_grad(lambda p, m=method: np.sum(m(COUNTS + 1, *p)), optimize=optimize)
        for _ in range(CALLS):
            (by_mu, by_loc), _ = df((1.3, 1.0))
            assert by_loc == 0.0 and by_mu != 0.0


@MODES
def test_distribution_functions_by_their_shape_are_refused(optimize):
    df = jit_grad(lambda df: stats.t.cdf(0.3, df), optimize=optimize)
    with pytest.raises(MissingGradientError, match=r"special.stdtr at .* no gradient rule"):
        df(2.5)


@MODES
def test_a_covariance_that_is_not_definite_or_does_not_fit_raises(optimize):
    df = jit_grad(lambda cov, x: NORMAL.logpdf(x, None, cov), optimize=optimize)
    for cov in (np.eye(2), np.eye(2), np.array([[1.0, 2.0], [2.0, 1.0]])):
        if cov[0, 1] == 0.0:
            df(cov, np.ones(2))
        else:
            with pytest.raises(np.linalg.LinAlgError):
                df(cov, np.ones(2))
    df = jit_grad(lambda cov: NORMAL.entropy(None, cov), optimize=optimize)
    with pytest.raises(np.linalg.LinAlgError):
        df(-np.eye(2))
    df = jit_grad(lambda x, cov: np.sum(NORMAL.logpdf(x, cov=cov)), optimize=optimize)
    for cov in (np.eye(2), np.float64(2.0)):
        with pytest.raises(ValueError, match="coordinates"):
            df(np.ones((2, 3)), cov)
    df = jit_grad(lambda c, x: NORMAL.logpdf(x, cov=c, allow_singular=True), optimize=optimize)
    with pytest.raises(UnsupportedError, match="allow_singular=True"):
        df(np.eye(2), np.ones(2))


@MODES
def test_points_outside_of_the_simplex_raise_at_every_call(optimize):
    df = jit_grad(lambda a, x: DIRICHLET.logpdf(x, a), optimize=optimize)
    good = np.array([0.2, 0.3, 0.5])
    for _ in range(CALLS):
        df(ALPHA, good)
    for alpha, x, what in (
        (ALPHA, 1.1 * good, "sum to 1"), (ALPHA, good - [0.3, 0, -0.3], "negative"),
        (-ALPHA, good, "greater than 0"), (ALPHA, np.array([0.5, 0.5, 0.0]), "positive"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=what):
            df(alpha, x)
    df(ALPHA, good)
