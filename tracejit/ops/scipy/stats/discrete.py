"""Discrete distributions: no gradient passes through the counts, only through the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from ....dag.op import composite, is_traced
from ...conversions import as_scalar
from ...create import stopped
from .continuous import (
    as_float64,
    beside,
    both,
    bound,
    cast,
    checked,
    dtype_of,
    parameters,
)

Formula = Callable[..., Any]


def discrete(
    distribution: Any,
    valid: Formula,
    high: Callable[..., Any] | None,
    *,
    logpmf: Formula,
    pmf: Formula | None = None,
    cdf: Formula | None = None,
    sf: Formula | None = None,
) -> None:
    """Declare a distribution over 0, 1, ... by its formulas, each (k, *shapes) -> value.

    valid: a condition on the shapes. high: the last count, of the shapes; None: there is none.
    """
    signature = parameters(("k", *distribution.shapes.split(", ")), scale=False)

    def declare(name: str, formula: Formula, below: float, above: float, steps: bool) -> None:
        @composite(getattr(distribution, name))
        def method(*args: Any, **kwargs: Any) -> Any:
            k, *shapes, loc = bound(signature, args, kwargs)
            k, loc = (stopped(value) if is_traced(value) else value for value in (k, loc))
            k = cast(k, np.result_type(dtype_of(k), dtype_of(loc)))
            k = k if type(loc) is int and loc == 0 else k - loc
            right = valid(*shapes)
            shapes = [checked(beside(shape, k), right) for shape in shapes]
            whole = hasattr(k, "dtype") and k.dtype.kind in "biu"
            if steps and not whole:
                k = np.floor(k)
            outside = k < 0 if steps or whole else (k < 0) | (np.floor(k) < k)
            beyond = None if high is None else k >= high(*shapes) if steps else k > high(*shapes)
            if not steps and beyond is not None:
                outside = outside | beyond
            anywhere = outside if not steps or beyond is None else outside | beyond
            value = formula(np.where(anywhere, 0, k), *shapes)
            value = np.where(both(outside, right), below, value)
            if steps and beyond is not None:
                value = np.where(both(beyond, right), above, value)
            return as_scalar(as_float64(value))

    declare("logpmf", logpmf, -math.inf, -math.inf, steps=False)
    declare("pmf", pmf or (lambda *args: np.exp(logpmf(*args))), 0.0, 0.0, steps=False)
    if cdf is not None:
        declare("cdf", cdf, 0.0, 1.0, steps=True)
    if sf is not None:
        declare("sf", sf, 1.0, 0.0, steps=True)


def _poisson(k: Any, mu: Any) -> Any:
    return special.xlogy(k, mu) - special.gammaln(k + 1) - mu


def _binomial(k: Any, n: Any, p: Any) -> Any:
    n = stopped(n) if is_traced(n) else n
    choices = special.gammaln(n + 1) - (special.gammaln(k + 1) + special.gammaln(n - k + 1))
    return choices + special.xlogy(k, p) + special.xlog1py(n - k, -p)


discrete(
    stats.poisson,
    lambda mu: mu >= 0,
    None,
    logpmf=_poisson,
    cdf=special.pdtr,
    sf=special.pdtrc,
)
discrete(
    stats.bernoulli,
    lambda p: (p >= 0) & (p <= 1),
    lambda p: 1,
    logpmf=lambda k, p: special.xlogy(k, p) + special.xlog1py(1 - k, -p),
    pmf=lambda k, p: np.where(k == 0, 1.0 - p, p + 0.0 * k),  # NaN where k is
    cdf=lambda k, p: 1.0 - p + 0.0 * k,
    sf=lambda k, p: p + 0.0 * k,
)
discrete(
    stats.binom,
    lambda n, p: (n >= 0) & (np.floor(n) == n) & (p >= 0) & (p <= 1),
    lambda n, p: n,
    logpmf=_binomial,
)
