"""logsumexp, softmax and log_softmax, written with ops: loops of their own are fused with others.

The largest element is subtracted first, and no gradient passes through that. Where all elements
are -inf the gradient is zero.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ....dag.op import composite
from ...conversions import is_complex
from ...create import stopped


def _largest(a: Any, axis: Any) -> Any:
    return stopped(np.max(np.real(a) if is_complex(a) else a, axis=axis, keepdims=True))


def _finite(m: Any) -> Any:
    return np.where(np.isfinite(m), m, 0)


@composite(special.logsumexp)
def _logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    a, b = (np.asarray(value) if type(value) in (list, tuple) else value for value in (a, b))
    if np.ndim(a) == 0:
        a = np.reshape(a, (1,))
    dtype = np.result_type(a) if b is None else np.result_type(a, b)
    dtype = dtype if dtype.kind in "fc" else np.dtype(float)
    a = a if np.result_type(a) == dtype else a.astype(dtype)
    weighted = a if b is None else np.where(np.equal(b, 0), -np.inf, a)
    if np.size(weighted) == 0:
        found = np.sum(weighted, axis=axis, keepdims=keepdims) - np.inf
        return (found, np.sign(found)) if return_sign else found
    m = _largest(weighted, axis)
    exponents = a - _finite(m)
    if b is not None:  # what has no weight has a derivative by it, unless it overflows
        beyond = ~(np.real(exponents) <= math.log(np.finfo(dtype).max))
        exponents = np.where(np.equal(b, 0) & beyond, -np.inf, exponents)
    terms = np.exp(exponents)
    s = np.sum(terms if b is None else b * terms, axis=axis, keepdims=keepdims)
    if not keepdims:
        m = np.reshape(m, np.shape(s))
    if b is None and not return_sign:
        return np.log(np.where(s == 0, 1, s)) + m
    m = np.where(s == 0, -np.inf, m)
    turned = is_complex(s)
    if not return_sign:
        kept = s if turned else np.where(s < 0, np.nan, s)
        return np.log(np.where(s == 0, 1, kept)) + m
    size = np.hypot(np.real(s), np.imag(s)) if turned else np.abs(s)
    size = np.where(s == 0, 1, size)
    sign = np.divide(s, size) if turned else np.sign(s)
    return np.log(size) + m, sign


@composite(special.softmax)
def _softmax(x: Any, axis: Any = None) -> Any:
    terms = np.exp(x - _largest(x, axis))
    return terms / np.sum(terms, axis=axis, keepdims=True)


@composite(special.log_softmax)
def _log_softmax(x: Any, axis: Any = None) -> Any:
    shifted = x - _finite(_largest(x, axis))
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
