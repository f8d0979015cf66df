"""Averages, covariances, histograms: weights, axes, edges; what is counted has no gradient."""

import numpy as np

from tests.ops.cases import CUBE, INTEGERS, ROW, SMALL, X, orders, raising, rows
from tests.support import CALLS, MODES, assert_same, check, cotangent, numeric, spaced
from tracejit import jit_grad

Z = spaced(-1.3, 1.7, (2, 5), complex, seed=10)
DATA = spaced(-1.2, 1.9, (3, 5), seed=11)
OTHER = spaced(-1.7, 1.1, (2, 5), seed=12)
WEIGHTS = spaced(0.2, 2.0, (5,), seed=13)
COUNTS = np.array([1, 3, 2, 1, 2])
GRID = spaced(0.3, 1.8, (2, 4), seed=14)

EIGHT = spaced(-1.0, 2.0, (8,), seed=15)
EIGHT_WEIGHTS = spaced(0.2, 1.9, (8,), seed=16)
EDGES = np.array([-0.7, 0.1, 0.5, 1.6])
PLACES = np.array([2, 0, 2, 5, 2, 1, 0, 5])


CASES = [
    *rows(
        np.average,
        ("all", np.average, (X,)),
        ("axis", lambda x: np.average(x, axis=1, keepdims=True), (X,)),
        ("weights", lambda x, w: np.average(x, weights=w), (X, abs(X) + 0.1)),
        ("weights of an axis", lambda x, w: np.average(x, 1, w), (CUBE, ROW)),
        ("weights of axes", lambda x, w: np.average(x, (2, 0), w.T, keepdims=True), (CUBE, GRID)),
        ("sum of weights", lambda x, w: np.average(x, 1, w, True)[1] * x[:, 0], (CUBE, ROW)),
        ("number", lambda x: np.average(x, axis=1, returned=True)[1] * x[:, 0], (CUBE,)),
        ("f4", lambda x, w: np.average(x, axis=0, weights=w), (SMALL, SMALL[:, 0])),
        ("integers", lambda w, n: np.average(n, axis=1, weights=w), (ROW,), (INTEGERS,)),
        ("complex", lambda x, w: np.average(x, axis=1, weights=w), (Z, WEIGHTS)),
    ),
    *rows(
        np.cov,
        ("rows", np.cov, (DATA,)),
        ("columns", lambda x: np.cov(x, rowvar=False), (DATA,)),
        ("vector", np.cov, (DATA[0],)),
        ("two vectors", np.cov, (DATA[0], DATA[1])),
        ("two tables", lambda x, y: np.cov(x, y, bias=True), (DATA, OTHER)),
        ("two tables of columns", lambda x, y: np.cov(x, y, rowvar=False), (DATA.T, OTHER.T)),
        ("ddof", lambda x: np.cov(x, ddof=2), (DATA,)),
        ("counts", lambda x, n: np.cov(x, fweights=n), (DATA,), (COUNTS,)),
        ("weights", lambda x, w: np.cov(x, aweights=w), (DATA, WEIGHTS)),
        ("weights, no ddof", lambda x, w: np.cov(x, aweights=w, ddof=0), (DATA, WEIGHTS)),
        ("both", lambda x, w, n: np.cov(x, aweights=w, fweights=n), (DATA, WEIGHTS), (COUNTS,)),
        ("complex", np.cov, (Z,)),
        ("complex weights", lambda x, w: np.cov(x, aweights=w), (Z, WEIGHTS)),
        ("integers", lambda x: x * np.cov(INTEGERS), (X[:, :2],)),
        ("mixed", lambda x: np.cov(x, INTEGERS), (X,)),
    ),
    *rows(
        np.corrcoef,
        ("rows", np.corrcoef, (DATA,)),
        ("columns", lambda x: np.corrcoef(x, rowvar=False), (DATA,)),
        ("two vectors", lambda x, y: np.corrcoef(x, y)[0, 1], (DATA[0], DATA[1])),
        ("vector", np.corrcoef, (DATA[0],)),
        ("complex", np.corrcoef, (Z,)),
    ),
    *rows(
        np.bincount,
        ("weights", lambda w, i: np.bincount(i, w), (EIGHT_WEIGHTS,), (PLACES,)),
        ("length", lambda w, i: np.bincount(i, w, minlength=9), (EIGHT_WEIGHTS,), (PLACES,)),
        ("f4", lambda w: np.bincount([0, 2, 2], w), (SMALL[0],)),
        ("counts", lambda x, i: x[:6] * np.bincount(i), (EIGHT,), (PLACES,)),
        ("of places", lambda x: np.bincount(np.digitize(x, EDGES), x), (EIGHT,)),
    ),
    *rows(np.digitize, ("bins", lambda x: x * np.digitize(x, EDGES, right=True), (EIGHT,))),
    *rows(
        np.histogram_bin_edges,
        ("bins", np.histogram_bin_edges, (EIGHT,)),
        ("f4", lambda x: np.histogram_bin_edges(x, 3), (SMALL,)),
        ("range", lambda x, b: np.histogram_bin_edges(x, 4, (0.0, b)), (EIGHT, 2.5)),
        ("rule", lambda x: np.histogram_bin_edges(x, "sturges"), (EIGHT,)),
        ("given", lambda x, e: np.histogram_bin_edges(x, e) * x[:4], (EIGHT, EDGES)),
    ),
    *rows(
        np.histogram,
        ("weights", lambda w, x: np.histogram(x, 4, weights=w)[0], (EIGHT_WEIGHTS,), (EIGHT,)),
        ("edges", lambda w, x: np.histogram(x, EDGES, weights=w)[0], (EIGHT_WEIGHTS,), (EIGHT,)),
        ("range", lambda w, x: np.histogram(x, 3, (-0.5, 1.0), weights=w)[0], (EIGHT_WEIGHTS,),
         (EIGHT,)),
        ("density", lambda w, x: np.histogram(x, EDGES, density=True, weights=w)[0],
         (EIGHT_WEIGHTS,), (EIGHT,)),
        ("density of data", lambda x: np.histogram(x, 3, density=True)[0], (EIGHT,)),
        ("edges of data", lambda x: np.histogram(x, 3)[1] ** 2, (EIGHT,)),
        ("counts", lambda x: x[:5] * np.histogram(x, 5)[0], (EIGHT,)),
        ("f4", lambda w: np.histogram(SMALL, 4, weights=w)[0], (SMALL,)),
        ("complex", lambda w: np.histogram(EIGHT[:5], 4, weights=w)[0], (Z[0],)),
        ("rule", lambda x: np.histogram(x, "auto")[0] * x[:4], (EIGHT,)),
    ),
    *rows(
        np.histogram2d,
        ("weights", lambda w, x, y: np.histogram2d(x, y, 3, weights=w)[0], (WEIGHTS,),
         (DATA[0], DATA[1])),
        ("bins", lambda w, x, y: np.histogram2d(x, y, [2, EDGES], weights=w)[0], (WEIGHTS,),
         (DATA[0], DATA[1])),
        ("edges", lambda w, x, y: np.histogram2d(x, y, EDGES, weights=w)[0], (WEIGHTS,),
         (DATA[0], DATA[1])),
        ("density", lambda x, y: np.histogram2d(x, y, 2, density=True)[0], (DATA[0], DATA[1])),
        ("edges of data", lambda x, y: np.histogram2d(x, y, 2)[2], (DATA[0], DATA[1])),
    ),
    *rows(
        np.histogramdd,
        ("weights", lambda w, x: np.histogramdd(x, (2, 3, 2), weights=w)[0], (WEIGHTS,), (DATA.T,)),
        ("range", lambda w, x: np.histogramdd(x, 2, [(-1, 1)] * 3, weights=w)[0], (WEIGHTS,),
         (DATA.T,)),
        ("list", lambda x, y: np.histogramdd([x, y], 2, density=True)[0], (DATA[0], DATA[1])),
        ("edges of data", lambda x: np.histogramdd(x, 2)[1][1], (DATA.T,)),
    ),
]

test_first_order, test_second_order = orders(CASES)


@MODES
def test_data_that_moves_to_another_bin(optimize):
    f = lambda w, x: np.sum(np.histogram(x, EDGES, weights=w)[0] ** 2 * np.arange(1.0, 4.0))
    df = jit_grad(f, optimize=optimize)
    for seed in range(5):
        x = spaced(-1.0, 2.0, (8,), seed=seed)
        grad, value = df(EIGHT_WEIGHTS, x)
        assert_same(value, f(EIGHT_WEIGHTS, x))
        np.testing.assert_allclose(grad, numeric(f, (EIGHT_WEIGHTS,), (x,))[0], atol=1e-6)


def test_as_many_counts_as_the_data_asks_for():
    f = lambda w, i: np.sum(np.bincount(i, w) ** 2)
    df = jit_grad(f)
    for high in (2, 5, 3, 5, 2):
        i = np.arange(8) % high
        grad, value = df(EIGHT_WEIGHTS, i)
        assert_same(value, f(EIGHT_WEIGHTS, i))
        np.testing.assert_allclose(grad, 2.0 * np.bincount(i, EIGHT_WEIGHTS)[i])
    assert df.cache_info().direct == 0


@MODES
def test_values_on_an_edge(optimize):
    """The last bin has its right edge, the others have not."""
    edges = [0.0, 1.0, 2.0]
    weighted = lambda w: np.histogram([0.0, 1.0, 2.0, 2.5], edges, weights=w)[0][1]
    check(weighted, (np.array([1.0, 2.0, 3.0, 4.0]),), (), optimize, ([0, 1, 1, 0],))


@MODES
def test_a_covariance_in_f4(optimize):
    in_f4 = lambda x: np.cov(x, dtype=np.float32)
    upstream = cotangent(in_f4(SMALL))
    df = jit_grad(in_f4, partialGrad=True, optimize=optimize)
    expected, _ = jit_grad(lambda x: np.cov(x), partialGrad=True)(SMALL, upstream)
    for _ in range(CALLS):
        grad, value = df(SMALL, upstream)
        assert_same(value, in_f4(SMALL))
        np.testing.assert_allclose(grad, expected, rtol=1e-5)


@MODES
def test_correlation_of_equal_rows(optimize):
    f = lambda x: np.corrcoef(x, 2.0 * x)[0, 1]
    check(f, (ROW,), (), optimize, ([0, 0, 0],))


RAISING = {
    "weights that cancel": (lambda x: np.average(x, weights=x * 0.0), ZeroDivisionError, "zero"),
    "weights of what": (lambda x: np.average(x, weights=x[0]), TypeError, "Axis"),
    "weights of another axis": (lambda x: np.average(x, 0, x[0]), ValueError, "consistent"),
    "negative weights": (lambda x: np.cov(x, aweights=-x[0] ** 2), ValueError, "negative"),
    "broken counts": (lambda x: np.cov(x, fweights=[0.5] * 5), TypeError, "integer"),
    "too many axes": (lambda x: np.cov(x[None]), ValueError, "2 dimensions"),
    "no bins": (lambda x: np.histogram(x, 0), ValueError, "positive"),
    "falling edges": (lambda x: np.histogram(x, [1.0, 0.0]), ValueError, "monotonically"),
    "falling range": (lambda x: np.histogram(x, 3, (1, 0)), ValueError, "larger"),
    "weights of another shape": (lambda x: np.histogram(x, weights=x[0]), ValueError, "same shape"),
    "a rule with weights": (lambda x: np.histogram(x, "fd", weights=x), TypeError, "weighted"),
    "negative places": (lambda x: np.bincount([-1], x[0, :1]), ValueError, "negative"),
}


test_it_raises_what_numpy_raises = raising(RAISING, DATA)
