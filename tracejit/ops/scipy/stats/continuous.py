"""Continuous distributions with location and scale.

A distribution is a table of formulas for the standard form: the quantile and the shape parameters
enter as arrays or numbers, valid or NaN. Everything else is the same for all: standardising,
validity, support, dtypes.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from ....dag.op import BY_NAME, composite, is_traced
from ...conversions import as_scalar
from ..densities import student_log_density

Formula = Callable[..., Any]

F8 = np.dtype(np.float64)
LOG_2 = math.log(2.0)
LOG_PI = math.log(math.pi)
SQRT_2PI = math.sqrt(2.0 * math.pi)
LOG_SQRT_2PI = math.log(SQRT_2PI)
INSIDE = 0.5  # of every support that has an end


# -- arguments -----------------------------------------------------------------------------------


def parameters(names: tuple[str, ...], scale: bool = True) -> inspect.Signature:
    """Make the signature of a method: names, then loc and scale."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    defaults = {"loc": 0, "scale": 1} if scale else {"loc": 0}
    return inspect.Signature(
        [inspect.Parameter(name, kind) for name in names]
        + [inspect.Parameter(name, kind, default=value) for name, value in defaults.items()]
    )


def bound(signature: inspect.Signature, args: Any, kwargs: Any) -> list[Any]:
    """Bring arguments into order, lists as arrays."""
    found = signature.bind(*args, **kwargs)
    found.apply_defaults()
    return [value if _is_number(value) else np.asarray(value) for value in found.arguments.values()]


def _is_number(value: Any) -> bool:
    return is_traced(value) or isinstance(value, (int, float, np.generic, np.ndarray))


def dtype_of(value: Any) -> np.dtype[Any]:
    """The dtype of the array that NumPy makes of a value."""
    number = np.dtype(float if isinstance(value, float) else int)
    found: np.dtype[Any] = getattr(value, "dtype", number)
    return found


def cast(value: Any, dtype: np.dtype[Any]) -> Any:
    """Give an array or NumPy number another dtype; Python numbers follow the other operand."""
    if not hasattr(value, "dtype") or value.dtype == dtype:
        return value
    return value.astype(dtype)


def as_float64(value: Any) -> Any:
    """Make float64 of a value, a NumPy number of a Python number."""
    if hasattr(value, "dtype"):
        return cast(value, F8)
    return BY_NAME["convert"](value, cls=np.float64)


def beside(value: Any, *others: Any) -> Any:
    """Make a NumPy number of a Python number where one of the others is of low precision.

    SciPy makes arrays of all arguments, so that Python numbers count as float64.
    """
    low = any(dtype_of(other).itemsize < F8.itemsize for other in others)
    return as_float64(value) if low and not hasattr(value, "dtype") else value


def _standard(x: Any, loc: Any, scale: Any) -> Any:
    """Compute (x - loc) / scale as SciPy does: Python numbers count as arrays."""
    if not (type(loc) is int and loc == 0):
        dtype = np.result_type(dtype_of(x), dtype_of(loc))
        x = cast(x, dtype) - cast(loc, dtype)
    elif dtype_of(x) != F8:
        x = cast(x, np.result_type(dtype_of(x), np.int64))
    if not (type(scale) is int and scale == 1):
        dtype = np.result_type(dtype_of(x), dtype_of(scale))
        x = np.divide(cast(x, dtype), cast(scale, dtype))
    return as_float64(x)


def checked(value: Any, valid: Any) -> Any:
    """Give a parameter with NaN where it is not valid; plain ones mostly are."""
    if not is_traced(valid) and np.all(valid):
        return value
    return np.where(valid, value, np.nan)


def both(a: Any, b: Any) -> Any:
    """Combine two conditions, of which a plain one that always holds costs nothing."""
    if not is_traced(a) and np.all(a):
        return b
    return a if not is_traced(b) and np.all(b) else np.logical_and(a, b)


# -- what all distributions have -----------------------------------------------------------------


def logarithm(p: Any) -> Any:
    """The logarithm of a probability: of 0 without a warning, and with a zero gradient."""
    none = p == 0
    return np.where(none, -np.inf, np.log(np.where(none, 1, p)))


def _log_of(formula: Formula, complement: Formula) -> Formula:
    """The logarithm of a probability, from the complement where that is the smaller one."""

    def run(*args: Any) -> Any:
        p = formula(*args)
        small = p < 0.5
        rest = np.where(small, 0, complement(*args))
        return np.where(small, logarithm(np.where(small, p, 1)), np.log1p(-rest))

    return run


def _exp_of(formula: Formula) -> Formula:
    return lambda *args: np.exp(formula(*args))


def continuous(
    distribution: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    logpdf: Formula,
    cdf: Formula,
    sf: Formula,
    pdf: Formula | None = None,
    logcdf: Formula | None = None,
    logsf: Formula | None = None,
    ppf: Formula | None = None,
    isf: Formula | None = None,
    entropy: Formula | None = None,
) -> None:
    """Declare a distribution by the formulas of its standard form, each (z, *shapes) -> value.

    low, high: the support. entropy has the shapes alone. Shape parameters are positive.
    """
    names = tuple(distribution.shapes.split(", ")) if distribution.shapes else ()

    def declare(name: str, first: str, run: Formula) -> None:
        signature = parameters((first, *names) if first else names)

        @composite(getattr(distribution, name))
        def method(*args: Any, **kwargs: Any) -> Any:
            *given, loc, scale = bound(signature, args, kwargs)
            at, shapes, valid = given[: bool(first)], [], True
            for shape in given[bool(first) :]:
                right = shape > 0
                shapes.append(checked(beside(shape, *at), right))
                valid = both(valid, right)
            scale = checked(scale, scale > 0)
            value = run(*at, shapes, loc, scale, valid)
            return as_scalar(as_float64(value))

    def density(formula: Formula, nothing: float, scaled: Formula) -> Formula:
        def run(x: Any, shapes: Any, loc: Any, scale: Any, valid: Any) -> Any:
            z = _standard(x, loc, scale)
            outside = _outside(z, low, high)
            if outside is None:
                return _scaled(formula(z, *shapes), scale, scaled)
            value = formula(np.where(outside, INSIDE, z), *shapes)
            return np.where(both(outside, valid), nothing, _scaled(value, scale, scaled))

        return run

    def integral(formula: Formula) -> Formula:
        def run(x: Any, shapes: Any, loc: Any, scale: Any, valid: Any) -> Any:
            z = _standard(x, loc, scale)
            if math.isinf(low):
                return formula(z, *shapes)
            return formula(np.clip(z, low, None if math.isinf(high) else high), *shapes)

        return run

    def inverse(formula: Formula) -> Formula:
        def run(q: Any, shapes: Any, loc: Any, scale: Any, valid: Any) -> Any:
            z = formula(checked(q, (q >= 0) & (q <= 1)), *shapes)
            z = z if type(scale) is int and scale == 1 else z * scale
            return z if type(loc) is int and loc == 0 else z + loc

        return run

    def run_entropy(shapes: Any, loc: Any, scale: Any, valid: Any) -> Any:
        assert entropy is not None
        value = _scaled(entropy(*shapes), scale, lambda value, by: value + np.log(by))
        return value + np.zeros(np.shape(loc)) if np.ndim(loc) else value

    declare("logpdf", "x", density(logpdf, -np.inf, lambda value, by: value - np.log(by)))
    declare("pdf", "x", density(pdf or _exp_of(logpdf), 0.0, np.divide))
    for name, formula in (
        ("cdf", cdf), ("sf", sf),
        ("logcdf", logcdf or _log_of(cdf, sf)), ("logsf", logsf or _log_of(sf, cdf)),
    ):  # fmt: skip
        declare(name, "x", integral(formula))
    for name, of in (("ppf", ppf), ("isf", isf)):
        if of is not None:
            declare(name, "q", inverse(of))
    if entropy is not None:
        declare("entropy", "", run_entropy)


def _outside(z: Any, low: float, high: float) -> Any:
    if math.isinf(low):
        return None
    return z < low if math.isinf(high) else (z < low) | (z > high)


def _scaled(value: Any, scale: Any, apply: Formula) -> Any:
    return value if type(scale) is int and scale == 1 else apply(value, scale)


# -- the distributions ---------------------------------------------------------------------------


def _gamma_entropy(a: Any) -> Any:
    """With Stirling's series where the terms of the plain formula cancel."""
    r = np.divide(1.0, a)
    series = 0.5 * (1.0 + np.log(2.0 * math.pi * a)) - r * (
        1.0 / 3.0 + r * (1.0 / 12.0 + r * (1.0 / 90.0 - r / 120.0))
    )
    plain = a + special.gammaln(a) + (1.0 - a) * special.psi(a)
    return np.where(a < 250.0, plain, series)


def _student_quantile(q: Any, df: Any) -> Any:
    return np.where((q == 0) & (df == df), -np.inf, special.stdtrit(df, q))


def _lognorm_logpdf(z: Any, s: Any) -> Any:
    none = z == 0
    y = np.log(np.where(none, 1, z))
    u = np.divide(y, s)
    value = -0.5 * np.square(u) - y - np.log(s) - LOG_SQRT_2PI
    return np.where(none & (s == s), -np.inf, value)


def _of_logarithm(formula: Formula, sign: float, at_zero: float) -> Formula:
    """A function of log(z) / s, without a gradient where z is 0."""

    def run(z: Any, s: Any) -> Any:
        none = z == 0
        value = formula(np.divide(sign * np.log(np.where(none, 1, z)), s))
        return np.where(none & (s == s), at_zero, value)

    return run


def _folded(z: Any) -> Any:
    """-abs(z), for what is smooth at 0: with a derivative there, which is that from below."""
    return np.where(z > 0, -z, z)


def _laplace_cdf(z: Any) -> Any:
    tail = 0.5 * np.exp(_folded(z))
    return np.where(z > 0, 1.0 - tail, tail)


def _laplace_logcdf(z: Any) -> Any:
    tail = 0.5 * np.exp(-np.abs(z))
    return np.where(z > 0, np.log1p(-tail), z - LOG_2)


continuous(
    stats.norm,
    logpdf=lambda z: -0.5 * np.square(z) - LOG_SQRT_2PI,
    pdf=lambda z: np.exp(-0.5 * np.square(z)) / SQRT_2PI,
    cdf=special.ndtr,
    sf=lambda z: special.ndtr(-z),
    logcdf=special.log_ndtr,
    logsf=lambda z: special.log_ndtr(-z),
    ppf=special.ndtri,
    isf=lambda q: -special.ndtri(q),
    entropy=lambda: 0.5 + LOG_SQRT_2PI,
)
continuous(
    stats.t,
    logpdf=lambda z, df: student_log_density(df, z),
    cdf=lambda z, df: special.stdtr(df, z),
    sf=lambda z, df: special.stdtr(df, -z),
    ppf=_student_quantile,
    isf=lambda q, df: -_student_quantile(q, df),
)
continuous(
    stats.beta, 0.0, 1.0,
    logpdf=lambda z, a, b: (
        special.xlog1py(b - 1.0, -z) + special.xlogy(a - 1.0, z) - special.betaln(a, b)
    ),
    cdf=lambda z, a, b: special.betainc(a, b, z),
    sf=lambda z, a, b: special.betaincc(a, b, z),
    ppf=lambda q, a, b: special.betaincinv(a, b, q),
    isf=lambda q, a, b: special.betainccinv(a, b, q),
)  # fmt: skip
continuous(
    stats.gamma, 0.0,
    logpdf=lambda z, a: special.xlogy(a - 1.0, z) - z - special.gammaln(a),
    cdf=lambda z, a: special.gammainc(a, z),
    sf=lambda z, a: special.gammaincc(a, z),
    ppf=lambda q, a: special.gammaincinv(a, q),
    isf=lambda q, a: special.gammainccinv(a, q),
    entropy=_gamma_entropy,
)  # fmt: skip
continuous(
    stats.chi2, 0.0,
    logpdf=lambda z, df: (
        special.xlogy(0.5 * df - 1.0, z) - 0.5 * z - special.gammaln(0.5 * df) - 0.5 * LOG_2 * df
    ),
    cdf=lambda z, df: special.chdtr(df, z),
    sf=lambda z, df: special.chdtrc(df, z),
    ppf=lambda q, df: 2.0 * special.gammaincinv(0.5 * df, q),
    isf=lambda q, df: special.chdtri(df, q),
    entropy=lambda df: LOG_2 + _gamma_entropy(0.5 * df),
)  # fmt: skip
continuous(
    stats.expon, 0.0,
    logpdf=lambda z: -z,
    cdf=lambda z: -np.expm1(-z),
    sf=lambda z: np.exp(-z),
    logsf=lambda z: -z,
    ppf=lambda q: -special.log1p(-q),
    isf=lambda q: -logarithm(q),
    entropy=lambda: 1.0,
)  # fmt: skip
continuous(
    stats.uniform, 0.0, 1.0,
    logpdf=lambda z: 0.0 * z,
    pdf=lambda z: np.where(np.isnan(z), z, 1.0),
    cdf=lambda z: z,
    sf=lambda z: 1.0 - z,
    ppf=lambda q: q,
    isf=lambda q: 1.0 - q,
    entropy=lambda: 0.0,
)  # fmt: skip
continuous(
    stats.lognorm, 0.0,
    logpdf=_lognorm_logpdf,
    cdf=_of_logarithm(special.ndtr, 1.0, 0.0),
    sf=_of_logarithm(special.ndtr, -1.0, 1.0),
    logcdf=_of_logarithm(special.log_ndtr, 1.0, -np.inf),
    logsf=_of_logarithm(special.log_ndtr, -1.0, 0.0),
    ppf=lambda q, s: np.exp(s * special.ndtri(q)),
    isf=lambda q, s: np.exp(-s * special.ndtri(q)),
    entropy=lambda s: 0.5 + LOG_SQRT_2PI + np.log(s),
)  # fmt: skip
continuous(
    stats.cauchy,
    logpdf=lambda z: -LOG_PI - 2.0 * np.log(np.hypot(1.0, z)),
    pdf=lambda z: np.divide(1.0 / math.pi, 1.0 + z * z),
    cdf=lambda z: np.arctan2(1.0, -z) / math.pi,
    sf=lambda z: np.arctan2(1.0, z) / math.pi,
    entropy=lambda: LOG_PI + 2.0 * LOG_2,
)
continuous(
    stats.laplace,
    logpdf=lambda z: -np.abs(z) - LOG_2,
    cdf=_laplace_cdf,
    sf=lambda z: _laplace_cdf(-z),
    logcdf=_laplace_logcdf,
    logsf=lambda z: _laplace_logcdf(-z),
    entropy=lambda: LOG_2 + 1.0,
)
continuous(
    stats.logistic,
    logpdf=lambda z: _folded(z) - 2.0 * np.log1p(np.exp(_folded(z))),
    cdf=special.expit,
    sf=lambda z: special.expit(-z),
    logcdf=special.log_expit,
    logsf=lambda z: special.log_expit(-z),
    ppf=special.logit,
    isf=lambda q: -special.logit(q),
    entropy=lambda: 2.0,
)
