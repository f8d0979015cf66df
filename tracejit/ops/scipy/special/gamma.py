"""The gamma and beta functions of scipy.special, their logarithms, derivatives and integrals.

The derivatives are those of the NIST Digital Library of Mathematical Functions, chapters 5 and 8;
those by the parameters of incomplete functions are no elementary functions and are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ....dag.op import MISSING, Op, composite, is_traced
from ....errors import MissingGradientError
from ...conversions import as_scalar, is_complex
from ..densities import student_log_density
from .declare import ufunc

psi = special.psi


def _rgamma_rule(g: Any, out: Any, x: Any) -> Any:
    """By the reflection formula left of 1/2, where the function has its zeros."""
    if is_complex(x):
        return -g * out * psi(x)
    left = x < 0.5
    y = np.where(left, 1.0 - x, 0.5)
    turned = np.cos(np.pi * x) - psi(y) * np.sin(np.pi * x) / np.pi
    return g * np.where(left, special.gamma(y) * turned, -out * psi(np.where(left, 1.0, x)))


def _psi_rule(g: Any, out: Any, x: Any) -> Any:
    if is_complex(x):
        raise MissingGradientError(
            "the derivative of scipy.special.psi, which is the second one of gamma and its kin, is "
            "computed for real numbers alone, not for complex ones"
        )
    return g * zeta(2.0, x)


def _beta_rule(g: Any, a: Any, b: Any) -> Any:
    return g * (psi(a) - psi(a + b))


ufunc(special.gamma, [lambda g, out, x: g * out * psi(x)])
ufunc(special.gammaln, [lambda g, out, x: g * psi(x)])
ufunc(special.loggamma, [lambda g, out, x: g * psi(x)])
ufunc(special.rgamma, [_rgamma_rule])
ufunc(special.gammasgn, None)
ufunc(special.psi, [_psi_rule])
# Hurwitz's zeta; no formula for the derivative by the exponent.
zeta: Op = ufunc(
    special.zeta, [MISSING, lambda g, out, s, q: -g * s * zeta(s + 1.0, q)],
    bind=lambda x, q=None: ((x,) if q is None else (x, q), {}),
)  # fmt: skip
polygamma: Op = ufunc(
    special.polygamma, [None, lambda g, out, n, x: g * polygamma(n + 1, x)],
    bind=lambda n, x: ((n, x), {}),
)  # fmt: skip
ufunc(
    special.multigammaln,
    [lambda g, out, a, d: g * np.sum(psi(np.expand_dims(a, -1) - 0.5 * np.arange(d)), -1)],
    bind=lambda a, d: ((a,), {"d": d}),
)  # fmt: skip
ufunc(
    special.poch,
    [
        lambda g, out, z, m: g * out * (psi(z + m) - psi(z)),
        lambda g, out, z, m: g * out * psi(z + m),
    ],
)
ufunc(
    special.beta,
    [
        lambda g, out, a, b: _beta_rule(g * out, a, b),
        lambda g, out, a, b: _beta_rule(g * out, b, a),
    ],
)
ufunc(
    special.betaln,
    [lambda g, out, a, b: _beta_rule(g, a, b), lambda g, out, a, b: _beta_rule(g, b, a)],
)
ufunc(
    special.binom,
    [
        lambda g, out, n, k: g * out * (psi(n + 1.0) - psi(n - k + 1.0)),
        lambda g, out, n, k: g * out * (psi(n - k + 1.0) - psi(k + 1.0)),
    ],
)


def _arrays(*values: Any) -> Any:
    return tuple(value if is_traced(value) else np.asarray(value) for value in values)


@composite(special.comb)
def _comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    if exact:
        raise TypeError("comb() argument exact=True on a traced value: it is for plain integers")
    if repetition:
        return _comb(N + k - 1, k)
    N, k = _arrays(N, k)
    some = (k <= N) & (N >= 0) & (k >= 0)
    found = special.binom(np.where(some, N, 1), np.where(some, k, 0))
    return as_scalar(np.where(some, found, 0.0))


@composite(special.perm)
def _perm(N: Any, k: Any, exact: bool = False) -> Any:
    if exact:
        raise TypeError("perm() argument exact=True on a traced value: it is for plain integers")
    N, k = _arrays(N, k)
    some = (k <= N) & (N >= 0) & (k >= 0)
    found = special.poch(np.where(some, N - k + 1, 1), np.where(some, k, 0))
    return as_scalar(np.where(some, found, 0.0))


@composite(special.factorial)
def _factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    if exact or extend != "zero":
        raise TypeError("factorial() argument exact= or extend= on a traced value")
    (n,) = _arrays(n)
    none = n < 0
    return as_scalar(np.where(none, 0, special.gamma(np.where(none, 0, n) + 1)))


# -- incomplete ones: regularised, and their inverses --------------------------------------------


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1.0, x) - x - special.gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp(special.xlogy(a - 1.0, x) + special.xlog1py(b - 1.0, -x) - special.betaln(a, b))


ufunc(special.gammainc, [MISSING, lambda g, out, a, x: g * _gamma_density(a, x)])
ufunc(special.gammaincc, [MISSING, lambda g, out, a, x: -g * _gamma_density(a, x)])
ufunc(special.gammaincinv, [MISSING, lambda g, out, a, y: np.divide(g, _gamma_density(a, out))])
ufunc(special.gammainccinv, [MISSING, lambda g, out, a, y: np.divide(-g, _gamma_density(a, out))])
ufunc(special.betainc, [MISSING, MISSING, lambda g, out, a, b, x: g * _beta_density(a, b, x)])
ufunc(special.betaincc, [MISSING, MISSING, lambda g, out, a, b, x: -g * _beta_density(a, b, x)])
ufunc(
    special.betaincinv,
    [MISSING, MISSING, lambda g, out, a, b, y: np.divide(g, _beta_density(a, b, out))],
)
ufunc(
    special.betainccinv,
    [MISSING, MISSING, lambda g, out, a, b, y: np.divide(-g, _beta_density(a, b, out))],
)

# -- distribution functions ----------------------------------------------------------------------


def _student_density(df: Any, t: Any) -> Any:
    return np.exp(student_log_density(df, t))


def _poisson_mass(k: Any, m: Any) -> Any:
    k = np.floor(k)
    return np.exp(special.xlogy(k, m) - m - special.gammaln(k + 1.0))


def _chi_square_density(v: Any, x: Any) -> Any:
    return 0.5 * _gamma_density(0.5 * v, 0.5 * x)


ufunc(special.stdtr, [MISSING, lambda g, out, df, t: g * _student_density(df, t)])
ufunc(special.stdtrit, [MISSING, lambda g, out, df, p: np.divide(g, _student_density(df, out))])
ufunc(special.chdtr, [MISSING, lambda g, out, v, x: g * _chi_square_density(v, x)])
ufunc(special.chdtrc, [MISSING, lambda g, out, v, x: -g * _chi_square_density(v, x)])
ufunc(special.chdtri, [MISSING, lambda g, out, v, p: np.divide(-g, _chi_square_density(v, out))])
ufunc(special.pdtr, [None, lambda g, out, k, m: -g * _poisson_mass(k, m)])
ufunc(special.pdtrc, [None, lambda g, out, k, m: g * _poisson_mass(k, m)])
