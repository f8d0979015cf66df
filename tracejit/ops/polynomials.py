"""Arithmetic of polynomials that are given by their coefficients, from the highest power on.

They are written with sums, products and convolutions of the coefficients; roots are eigenvalues.
What is a np.poly1d stays outside: its coefficients cannot be traced.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import composite
from .arrays import as_array


def _coefficients(function: Any, p: Any) -> Any:
    """Make an array with one axis of the coefficients."""
    if isinstance(p, np.poly1d):
        raise TypeError(f"{function.__name__}() argument that is a np.poly1d")
    return np.atleast_1d(as_array(p))


def _padded(p: Any, count: int) -> Any:
    """Put zeros before the coefficients, to so many."""
    more = count - len(p)
    return np.concatenate([np.zeros(more, p.dtype), p]) if more > 0 else p


def _trimmed(p: Any) -> Any:
    """Drop the zeros before the coefficients, but one if there is nothing else."""
    if np.ndim(p) > 1:
        raise ValueError("Polynomial must be 1d only.")
    found = np.trim_zeros(p, "f")
    return found if len(found) else np.zeros(1, p.dtype)


@composite(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials."""
    a, b = (_coefficients(np.polyadd, p) for p in (a1, a2))
    return _padded(a, len(b)) + _padded(b, len(a))


@composite(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials."""
    a, b = (_coefficients(np.polysub, p) for p in (a1, a2))
    return _padded(a, len(b)) - _padded(b, len(a))


@composite(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """The product of two polynomials."""
    a, b = (_coefficients(np.polymul, p) for p in (a1, a2))
    return np.convolve(_trimmed(a), _trimmed(b))


@composite(np.polyder)
def polyder(p: Any, m: Any = 1) -> Any:
    """The derivative of a polynomial, m times."""
    p, times = _coefficients(np.polyder, p), operator.index(m)
    if times < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(times):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composite(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    """The integral of a polynomial, m times, with the constants k."""
    p, times = _coefficients(np.polyint, p), operator.index(m)
    if times < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(times) if k is None else np.atleast_1d(as_array(k))
    if len(constants) == 1 and times > 1:
        constants = constants[0] * np.ones(times)
    if len(constants) < times:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for number in range(times):
        powers = np.arange(len(p), 0, -1)
        p = np.concatenate([np.divide(p, powers), constants[number : number + 1]])
    return p


@composite(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """The polynomial with these roots, or the characteristic one of a matrix."""
    zeros = np.atleast_1d(as_array(seq_of_zeros))
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        zeros = np.linalg.eigvals(zeros)
    elif zeros.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    else:
        zeros = zeros.astype(np.mintypecode(zeros.dtype.char))
    if not len(zeros):
        return 1.0
    one = np.ones(1, zeros.dtype)
    p = one
    for zero in zeros:
        p = np.convolve(p, np.concatenate([one, np.reshape(-zero, (1,))]))
    if p.dtype.kind == "c" and np.all(np.sort(zeros) == np.sort(np.conjugate(zeros))):
        return np.copy(np.real(p))
    return p


@composite(np.roots)
def roots(p: Any) -> Any:
    """The roots of a polynomial, as the eigenvalues of its companion matrix."""
    p = np.atleast_1d(as_array(p))
    if p.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    places = np.flatnonzero(p)
    if not len(places):
        return np.array([])
    first, last = operator.index(places[0]), operator.index(places[-1])
    zeros = len(p) - last - 1
    p = p[first : last + 1]
    p = p if p.dtype.kind in "fc" else p.astype(float)
    count = len(p) - 1
    if not count:
        return np.zeros(zeros)
    row = np.reshape(np.divide(-p[1:], p[0]), (1, count))
    found = np.linalg.eigvals(np.concatenate([row, np.eye(count - 1, count, dtype=p.dtype)]))
    return np.concatenate([found, np.zeros(zeros, found.dtype)]) if zeros else found
