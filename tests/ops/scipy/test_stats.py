"""scipy.stats: densities, distribution functions and their inverses, by all that has a gradient."""

import numpy as np
import pytest

from tests.ops.cases import orders, rows
from tests.support import CALLS, MODES, assert_same, check, spaced
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
                row = (f"{distribution.name}, shapes given", fixed(method, shapes), (first, LOC, SCALE))
            yield from rows(method, row, second=second)
        if distribution.entropy in COMPOSITES:
            f, method = len(shapes), distribution.entropy
            row = (distribution.name, lambda *p, f=f, m=method: m(*p[:f], 0.5, p[f]), (*shapes, SCALE))
            yield from rows(method, row)


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
