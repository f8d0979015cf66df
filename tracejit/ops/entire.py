"""sinc and i0, whose derivatives of every order are exact at 0, too.

Each starts a family of entire functions, where the derivative of one is the next times its argument
(and -1): j_n(x) / x**n of the spherical Bessel functions (DLMF 10.51.2), and I_n(x) / x**n of the
modified ones (DLMF 10.29.4). So no rule divides by what may be 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import Op, op
from .elementwise import elementwise


def _spherical_ratio(x: Any, order: int) -> Any:
    """j_n(x) / x**n: its power series (DLMF 10.53.1), above n + 1 by recurrence (10.51.1)."""
    far = np.abs(x) > order + 1
    near, large = np.where(far, 0, x), np.where(far, x, 1)
    first = 1.0
    for n in range(order):
        first /= 2 * n + 3
    total = term = np.full_like(near, first)
    for k in range(1, 2 * order + 14):
        term = term * (near * near) * (-0.5 / (k * (2 * (order + k) + 1)))
        total = total + term
    before, value = np.cos(large), np.sin(large) / large
    for n in range(order):
        before, value = value, ((2 * n + 1) * value - before) / (large * large)
    return np.where(far, value, total)[()]


def _modified_ratio(x: Any, order: int) -> Any:
    """I_n(x) / x**n: the power series (DLMF 10.25.2), far from 0 the asymptotic one (10.40.1)."""
    size = np.abs(np.asarray(x, np.float64))
    far = size > 30.0 + order * order
    near, large = np.where(far, 0.0, size), np.where(far, size, 60.0)
    first = 1.0
    for n in range(order):
        first /= 2 * n + 2
    total = term = np.full_like(near, first)
    k = 0
    while np.any(term > 1e-17 * total):
        k += 1
        term = term * (0.25 * near * near) / (k * (order + k))
        total = total + term
    last = sum_ = np.exp(large) / np.sqrt(2.0 * np.pi * large) / large**order
    for k in range(1, 26):
        last = last * ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k * large)
        sum_ = sum_ + last
    return np.where(far, sum_, total)[()]


def _spherical_rule(g: Any, out: Any, x: Any, order: int) -> Any:
    return -g * x * spherical_ratio(x, order=order + 1)


def _modified_rule(g: Any, out: Any, x: Any, order: int) -> Any:
    return g * x * modified_ratio(x, order=order + 1)


def _sinc_rule(g: Any, out: Any, x: Any) -> Any:
    return g * (-np.pi * np.pi) * x * spherical_ratio(np.pi * x, order=1)


def _i0_rule(g: Any, out: Any, x: Any) -> Any:
    return g * x * modified_ratio(x, order=1)


spherical_ratio: Op = op(
    "spherical_ratio", _spherical_ratio, vjp=[_spherical_rule], elementwise=True
)
modified_ratio: Op = op("modified_ratio", _modified_ratio, vjp=[_modified_rule], elementwise=True)
elementwise(np.sinc, [_sinc_rule])
elementwise(np.i0, [_i0_rule])
