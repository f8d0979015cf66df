"""scipy.special: every function, the shapes and dtypes of ufuncs, edges and conventions."""

import numpy as np
import pytest

from tests.ops.cases import EMPTY, INTEGERS, ROW, SMALL, X, Y, orders, rows
from tests.support import CALLS, MODES, check, spaced
from tracejit import jit_grad
from tracejit.errors import MissingGradientError, UnsupportedError

special = pytest.importorskip("scipy.special")

ANY, ABOVE, UNIT = (-1.93, 1.67), (0.31, 2.9), (0.07, 0.91)
INSIDE = (-0.91, 0.83)

UNARY = {
    # gamma functions
    special.gamma: ANY, special.gammaln: ANY, special.loggamma: ABOVE, special.rgamma: ANY,
    special.psi: ABOVE,
    # Bessel functions
    special.j0: ANY, special.j1: ANY, special.y0: ABOVE, special.y1: ABOVE, special.i0: ANY,
    special.i1: ANY, special.k0: ABOVE, special.k1: ABOVE, special.i0e: ANY, special.i1e: ANY,
    special.k0e: ABOVE, special.k1e: ABOVE,
    # errors, logistics, entropies
    special.erf: ANY, special.erfc: ANY, special.erfcx: ANY, special.erfi: ANY, special.dawsn: ANY,
    special.erfinv: INSIDE, special.erfcinv: (0.2, 1.7), special.ndtr: ANY, special.log_ndtr: ANY,
    special.ndtri: UNIT, special.ndtri_exp: (-2.9, -0.2), special.expit: ANY,
    special.log_expit: ANY, special.logit: UNIT, special.entr: ABOVE,
    # elementary functions and integrals
    special.exp2: ANY, special.exp10: ANY, special.expm1: ANY, special.log1p: INSIDE,
    special.cbrt: ABOVE, special.exprel: ANY, special.wrightomega: ANY, special.sindg: ANY,
    special.cosdg: ANY, special.tandg: ANY, special.cotdg: ABOVE, special.cosm1: ANY,
    special.expi: ABOVE, special.exp1: ABOVE, special.spence: ABOVE, special.ellipk: INSIDE,
    special.ellipkm1: UNIT, special.ellipe: INSIDE,
}  # fmt: skip
OF_TWO = {
    special.beta: (ABOVE, ABOVE), special.betaln: (ABOVE, ABOVE), special.poch: (ABOVE, UNIT),
    special.binom: ((3.1, 4.7), ABOVE), special.xlogy: (ANY, ABOVE), special.xlog1py: (ANY, INSIDE),
    special.rel_entr: (ABOVE, ABOVE), special.kl_div: (ABOVE, ABOVE), special.powm1: (ABOVE, ANY),
    special.huber: ((0.5, 0.9), ANY), special.pseudo_huber: (ABOVE, ANY),
    special.boxcox: (ABOVE, ANY), special.boxcox1p: (INSIDE, ANY), special.owens_t: (ANY, ABOVE),
}  # fmt: skip
ORDER = spaced(0.6, 2.7, (3,), seed=12)
# Only the last argument has a derivative; the others are given.
BY_LAST = {
    special.jv: ((ORDER,), ABOVE), special.yv: ((ORDER,), ABOVE), special.iv: ((ORDER,), ABOVE),
    special.kv: ((ORDER,), ABOVE), special.jve: ((ORDER,), ABOVE), special.yve: ((ORDER,), ABOVE),
    special.ive: ((ORDER,), ABOVE), special.kve: ((ORDER,), ABOVE), special.yn: ((2,), ABOVE),
    special.kn: ((3,), ABOVE), special.hankel1: ((ORDER,), ABOVE),
    special.hankel2: ((ORDER,), ABOVE), special.hankel1e: ((ORDER,), ABOVE),
    special.hankel2e: ((ORDER,), ABOVE), special.polygamma: ((2,), ABOVE),
    special.zeta: ((2.5,), ABOVE), special.gammainc: ((ORDER,), ABOVE),
    special.gammaincc: ((ORDER,), ABOVE), special.gammaincinv: ((ORDER,), UNIT),
    special.gammainccinv: ((ORDER,), UNIT), special.betainc: ((ORDER, 1.7), UNIT),
    special.betaincc: ((ORDER, 1.7), UNIT), special.betaincinv: ((ORDER, 1.7), UNIT),
    special.betainccinv: ((ORDER, 1.7), UNIT), special.hyp0f1: ((ORDER,), ANY),
    special.stdtr: ((ORDER,), ANY), special.stdtrit: ((ORDER,), UNIT),
    special.chdtr: ((ORDER,), ABOVE), special.chdtrc: ((ORDER,), ABOVE),
    special.chdtri: ((ORDER,), UNIT), special.pdtr: ((np.array([0.0, 1.0, 2.5]),), ABOVE),
    special.pdtrc: ((np.array([0.0, 1.0, 2.5]),), ABOVE),
    special.expn: ((np.array([0, 1, 3]),), ABOVE), special.hyp1f1: ((ORDER, 1.3), ANY),
    special.hyp2f1: ((ORDER, 1.3, 2.2), INSIDE),
}  # fmt: skip
DEGREE = np.array([0, 1, 4])
BY_LAST |= {
    special.eval_jacobi: ((DEGREE, 0.4, 1.2), INSIDE),
    special.eval_sh_jacobi: ((DEGREE, 2.4, 1.2), UNIT),
    special.eval_gegenbauer: ((DEGREE, 0.7), INSIDE), special.eval_legendre: ((DEGREE,), INSIDE),
    special.eval_sh_legendre: ((DEGREE,), UNIT), special.eval_chebyt: ((DEGREE,), INSIDE),
    special.eval_chebyu: ((DEGREE,), INSIDE), special.eval_hermite: ((DEGREE,), ANY),
    special.eval_hermitenorm: ((DEGREE,), ANY), special.eval_laguerre: ((DEGREE,), ABOVE),
    special.eval_genlaguerre: ((DEGREE, 0.6), ABOVE),
}  # fmt: skip
BY_FIRST = {
    special.ellipkinc: (INSIDE, (0.6,)), special.ellipeinc: (INSIDE, (0.6,)),
    special.inv_boxcox: (UNIT, (1.4,)), special.inv_boxcox1p: (UNIT, (0.7,)),
    special.multigammaln: ((2.1, 4.2), (3,)), special.lambertw: (ABOVE, ()),
}  # fmt: skip
COMPLEX = {
    special.gamma: (), special.loggamma: (), special.rgamma: (), special.erf: (),
    special.erfcx: (), special.wofz: (), special.dawsn: (), special.spence: (),
    special.log_ndtr: (), special.expm1: (), special.wrightomega: (), special.exp1: (),
    special.lambertw: (), special.jv: (1.5,), special.jve: (1.5,), special.yve: (1.5,),
    special.ive: (1.5,), special.kve: (1.5,), special.hankel1e: (1.5,), special.hyp1f1: (0.5, 1.5),
}  # fmt: skip
SEVERAL = {special.airy: ANY, special.fresnel: ANY, special.sici: ABOVE, special.shichi: ABOVE}


def by_first(f, rest):
    return lambda x: f(x, *rest)


def by_last(f, given):
    return lambda x: f(*given, x)


def weighted(f):
    """The results of a function that has several, each with a weight of its own."""
    return lambda x: sum((k + 1.0) * y for k, y in enumerate(f(x)))


def table_cases():
    for f, bounds in UNARY.items():
        yield from rows(f, ("2d", f, (spaced(*bounds, (2, 3)),)))
    for f, (first, second) in OF_TWO.items():
        params = spaced(*first, (3,)), spaced(*second, (2, 1), seed=1)
        yield from rows(f, ("broadcast", f, params))
    for f, (given, bounds) in BY_LAST.items():
        yield from rows(f, ("by its last argument", by_last(f, given), (spaced(*bounds, (2, 3)),)))
    for f, (bounds, rest) in BY_FIRST.items():
        yield from rows(f, ("by its first argument", by_first(f, rest), (spaced(*bounds, (2, 3)),)))
    for f, given in COMPLEX.items():
        z = spaced(0.3, 1.6, (3,), np.complex128)
        yield from rows(f, ("complex", by_last(f, given), (z,)), second=f is special.erf)
    for f, bounds in SEVERAL.items():
        yield from rows(f, ("several", weighted(f), (spaced(*bounds, (3,)),)))


FORTRAN = np.asfortranarray(X)
CASES = [
    *table_cases(),
    *rows(
        special.psi,
        ("left of 0, first order", special.psi, (np.array([-0.6, -2.3]),)),
        second=False,
    ),
    *rows(
        special.gammaln,
        ("empty", special.gammaln, (EMPTY,)),
        ("f4", special.gammaln, (SMALL,)),
        ("0d", special.gammaln, (np.array(1.3),)),
        ("float", special.gammaln, (1.3,)),
        ("float32", special.gammaln, (np.float32(1.3),)),
        ("integers", lambda x: x * special.gammaln(np.abs(INTEGERS)), (X,)),
        ("dtype", lambda x: special.gammaln(x, dtype=np.float64), (SMALL,)),
        second=False,
    ),
    *rows(
        special.erf,
        ("fortran", special.erf, (FORTRAN,)),
        ("strided", special.erf, (spaced(-1.4, 1.2, (4, 9))[::2, ::-3],)),
        ("outer", lambda x, y: special.beta.outer(x, y), (ROW, ORDER)),
        ("out", lambda x: special.erf(x, out=np.zeros_like(x)), (X,)),
        second=False,
    ),
    *rows(
        special.xlogy,
        ("f4 and f8", special.xlogy, (X, SMALL)),
        ("number", lambda x: special.xlogy(x, 1.5), (X,)),
        ("integers", lambda y: special.xlogy(INTEGERS, y), (SMALL.astype(float),)),
        second=False,
    ),
    *rows(
        special.comb,
        ("array", lambda n: special.comb(n, np.array([0, 1, 5])), (np.array([3.3, 4.2, 2.1]),)),
        ("numbers", lambda n, k: special.comb(n, k), (np.float64(4.3), np.float64(1.7))),
        ("repetition", lambda n: special.comb(n, 2, repetition=True), (spaced(2.3, 4.1, (3,)),)),
    ),
    *rows(
        special.perm,
        ("array", lambda n: special.perm(n, np.array([0, 1, 5])), (np.array([3.3, 4.2, 2.1]),)),
        ("numbers", lambda n, k: special.perm(n, k), (np.float64(4.3), np.float64(1.7))),
    ),
    *rows(
        special.factorial,
        ("array", special.factorial, (np.array([-0.5, 1.3, 4.2]),)),
        ("number", special.factorial, (np.float64(2.5),)),
    ),
    *rows(
        special.logsumexp,
        ("all", special.logsumexp, (X,)),
        ("axis", lambda x: special.logsumexp(x, axis=0), (X,)),
        ("keepdims", lambda x: special.logsumexp(x, axis=-1, keepdims=True), (FORTRAN,)),
        ("axes", lambda x: special.logsumexp(x, axis=(0, 1)), (X,)),
        ("weights", lambda x, b: special.logsumexp(x, axis=1, b=b), (X, ROW)),
        (
            "sign",
            lambda x, b: np.multiply(*special.logsumexp(x, axis=1, b=b, return_sign=True)),
            (X, np.array([1.5, -0.3, -2.5])),
        ),
    ),
    *rows(
        special.logsumexp,
        ("f4", lambda x: special.logsumexp(x, 1), (SMALL,)),
        ("empty", lambda x: special.logsumexp(x, 1) + np.sum(x), (np.zeros((2, 0)),)),
        ("small integers", lambda x: x * special.logsumexp(np.uint8([1, 2])), (X,)),
        ("lists", lambda x: special.logsumexp([0.3, 1.2, 0.1], b=x), (X,)),
        ("a list of weights", lambda x: special.logsumexp(x, b=[0.3, 1.2, 0.1]), (X,)),
        ("f4, a weight", lambda x: special.logsumexp(x, b=2.0), (SMALL,)),
        ("f4, weights i4", lambda x: special.logsumexp(x, 1, np.int32([2, 1, 3])), (SMALL,)),
        ("0d", special.logsumexp, (np.array(1.3),)),
        ("number", special.logsumexp, (np.float64(1.3),)),
        ("complex", lambda x: special.logsumexp(x, 1), (X + 1j * Y,)),
        (
            "complex sign",
            lambda x: np.multiply(*special.logsumexp(x, 1, None, False, True)),
            (X + 1j * Y,),
        ),
        ("large", special.logsumexp, (np.array([1e4, 1e4 + 1.0, -1e4]),)),
        second=False,
    ),
    *rows(
        special.softmax,
        ("all", special.softmax, (X,)),
        ("axis", lambda x: special.softmax(x, axis=1), (FORTRAN,)),
    ),
    *rows(special.softmax, ("f4", lambda x: special.softmax(x, axis=-1), (SMALL,)), second=False),
    *rows(
        special.log_softmax,
        ("all", special.log_softmax, (X,)),
        ("axis", lambda x: special.log_softmax(x, axis=0), (X,)),
    ),
    *rows(special.gammasgn, ("factor", lambda x: x * special.gammasgn(x), (X,)), second=False),
    *rows(special.round, ("factor", lambda x: x * special.round(x), (X,)), second=False),
]
if hasattr(special, "softplus"):
    CASES += rows(special.softplus, ("2d", special.softplus, (X,)))

test_first_order, test_second_order = orders(CASES)

INF = np.inf
EDGES = {  # title: the function, its parameters, and their gradients for the cotangent 1
    "xlogy at 0 and 0": (special.xlogy, ([0.0, 0.0], [0.0, 2.0]), ([0.0, np.log(2.0)], [0.0, 0.0])),
    "xlog1py at 0 and -1": (special.xlog1py, ([0.0, 0.0], [-1.0, 1.0]), ([0, np.log(2.0)], [0, 0])),
    "rel_entr": (
        special.rel_entr,
        ([0.0, 1.0, 0.5, -1.0], [0.0, 0.0, 0.5, 1.0]),
        ([0.0, 0.0, 1.0, 0.0], [0.0, 0.0, -1.0, 0.0]),
    ),
    "kl_div": (
        special.kl_div,
        ([1.0, 0.5, -1.0], [0.0, 0.5, 1.0]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ),
    "entr below 0": (special.entr, ([-1.0, 1.0],), ([0.0, -1.0],)),
    "logsumexp of -inf": (special.logsumexp, ([-INF, 1.0, 1.0],), ([0.0, 0.5, 0.5],)),
    "logsumexp of nothing": (special.logsumexp, ([-INF, -INF],), ([0.0, 0.0],)),
    "logsumexp of large ones": (special.logsumexp, ([1e4, 1e4],), ([0.5, 0.5],)),
    "logsumexp without weight": (
        lambda a: special.logsumexp(a, b=np.array([0.0, 1.0])), ([INF, 1.0],), ([0.0, 1.0],),
    ),
    "logsumexp by a weight of 0": (
        lambda a, b: special.logsumexp(a, b=b), ([0.0, np.log(3.0), 0.0], [1.0, 0.0, 0.5]),
        ([2.0 / 3.0, 0.0, 1.0 / 3.0], [2.0 / 3.0, 2.0, 2.0 / 3.0]),
    ),
    "log_softmax of -inf": (lambda x: special.log_softmax(x)[1], ([-INF, 1.0],), ([0.0, 0.0],)),
    "softmax of -inf": (lambda x: special.softmax(x)[1], ([-INF, 1.0],), ([0.0, 0.0],)),
    "rgamma at its zeros": (special.rgamma, ([0.0, -1.0, -2.0],), ([1.0, -1.0, 2.0],)),
    "exprel at 0": (special.exprel, ([0.0],), ([0.5],)),
    "spence at 1": (special.spence, ([1.0],), ([-1.0],)),
    "j1 at 0": (special.j1, ([0.0],), ([0.5],)),
    "i1 at 0": (special.i1, ([0.0],), ([0.5],)),
    "log_ndtr far below": (special.log_ndtr, ([-1e8],), ([1e8],)),
    "erfcx far above": (lambda x: 1e16 * special.erfcx(x), ([1e8],), ([-1.0 / np.sqrt(np.pi)],)),
    "dawsn far out": (lambda x: 1e16 * special.dawsn(x), ([1e8, -1e8],), ([-0.5, -0.5],)),
    "ellipkm1 near 0": (lambda p: 1e-9 * special.ellipkm1(p), ([1e-9],), ([-0.499999997438],)),
    "lambertw at 0": (lambda x: np.real(special.lambertw(x)), ([0.0],), ([1.0],)),
    "ellipk at 0": (special.ellipk, ([0.0],), ([np.pi / 8.0],)),
    "ellipe at 0": (special.ellipe, ([0.0],), ([-np.pi / 8.0],)),
    "gammainc at 0": (
        lambda x: special.gammainc(np.array([1.0, 2.0]), x), ([0.0, 0.0],), ([1.0, 0.0],),
    ),
    "betainc at its ends": (
        lambda x: special.betainc(1.0, np.array([1.0, 2.0]), x), ([0.0, 1.0],), ([1.0, 0.0],),
    ),
    "order 0 without a sign": (
        lambda x: special.jv(np.array([0], "u1"), x) + special.kn(np.array([0], "u1"), x),
        ([1.0],), ([-special.j1(1.0) - special.k1(1.0)],),
    ),
    "comb beyond all": (lambda n: special.comb(n, 5), ([3.0],), ([0.0],)),
    "perm beyond all": (lambda n: special.perm(n, 5), ([3.0],), ([0.0],)),
    "factorial below 0": (special.factorial, ([-1.0, 0.0],), ([0.0, -np.euler_gamma],)),
    "huber at its kink": (lambda r: special.huber(1.0, r), ([-2.0, 1.0, 0.5],), ([-1, 1, 0.5],)),
    "boxcox at 0": (
        special.boxcox, ([2.0], [0.0]), ([0.5], [0.5 * np.log(2.0) ** 2]),
    ),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "params", "gradients"), EDGES.values(), ids=EDGES)
@pytest.mark.filterwarnings("error")
def test_edges(f, params, gradients, optimize):
    params = tuple(np.array(p) for p in params)
    check(f, params, (), optimize, [np.array(g) for g in gradients])


def slopes(f, optimize):
    once = jit_grad(lambda x: np.sum(f(x)), withForward=False, optimize=optimize)
    return lambda x: np.sum(once(x))


@MODES
def test_second_derivatives_at_edges(optimize):
    for f, x, second in (
        (special.exprel, 0.0, 1.0 / 3.0), (special.spence, 1.0, 0.5),
        (special.rgamma, 0.0, 2.0 * np.euler_gamma), (special.log_ndtr, 60.0, 0.0),
        (special.log_ndtr, 0.0, -2.0 / np.pi), (special.log_ndtr, -1e3, -0.999999000006),
    ):  # fmt: skip
        twice = jit_grad(slopes(f, optimize), optimize=optimize)
        for _ in range(CALLS):
            np.testing.assert_allclose(twice(np.array([x]))[0], [second], rtol=1e-12)


REFUSED = {
    "gammainc by a": (special.gammainc, 0), "betainc by b": (special.betainc, 1),
    "jv by the order": (special.jv, 0), "kv by the order": (special.kv, 0),
    "zeta by the exponent": (special.zeta, 0), "stdtr by df": (special.stdtr, 0),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "position"), REFUSED.values(), ids=REFUSED)
def test_parameters_without_a_derivative_are_refused(f, position, optimize):
    given = [1.5, 2.5, 0.4][: 3 if f is special.betainc else 2]

    def by_one(p):
        return f(*given[:position], p, *given[position + 1 :])

    df = jit_grad(by_one, optimize=optimize)
    with pytest.raises(MissingGradientError, match=rf"special.{f.__name__} at .* no gradient rule"):
        df(given[position])


@MODES
def test_exact_combinations_are_refused(optimize):
    df = jit_grad(lambda n: special.comb(n, 2, exact=True) * n, optimize=optimize)
    with pytest.raises(UnsupportedError, match=r"scipy.special.comb.*exact=True"):
        df(4.0)


@MODES
def test_second_derivatives_of_complex_gamma_functions_are_refused(optimize):
    f = lambda z: np.sum(np.real(special.loggamma(z)))
    slope = jit_grad(f, withForward=False, optimize=optimize)
    with pytest.raises(MissingGradientError, match="for real numbers alone"):
        jit_grad(lambda z: np.sum(np.abs(slope(z))), optimize=optimize)(X + 2.5j)
