"""Ops of elements whose gradient is zero: comparisons, rounding, logic, bits, and tests of numbers.

As they let no gradient through, what they give may leave the trace.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.op import composite, op
from .elementwise import elementwise

_WITH_OPERATOR: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (np.less, "<", operator.lt), (np.less_equal, "<=", operator.le),
    (np.greater, ">", operator.gt), (np.greater_equal, ">=", operator.ge),
    (np.equal, "==", operator.eq), (np.not_equal, "!=", operator.ne),
    (np.bitwise_and, "&", operator.and_), (np.bitwise_or, "|", operator.or_),
    (np.bitwise_xor, "^", operator.xor), (np.left_shift, "<<", operator.lshift),
    (np.right_shift, ">>", operator.rshift), (np.floor_divide, "//", operator.floordiv),
)  # fmt: skip
for _function, _symbol, _operator in _WITH_OPERATOR:
    elementwise(
        _function, None, symbol=_symbol, operator=_operator, scalar=f"{{0}} {_symbol} {{1}}"
    )
elementwise(np.invert, None, symbol="~", operator=operator.invert)
for _function in (
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.isnan, np.isinf, np.isfinite,
    np.signbit, np.floor, np.ceil, np.rint, np.trunc, np.fix, np.spacing, np.nextafter,
    np.isposinf, np.isneginf,
    np.iscomplex, np.isreal, np.gcd, np.lcm, np.bitwise_count,
):  # fmt: skip
    elementwise(_function, None)

_round = elementwise(np.round, None, bind=lambda a, decimals=0: ((a,), {"decimals": decimals}))
composite(np.around, vjp=None)(lambda a, decimals=0: _round(a, decimals=decimals))


def _bind_close(
    a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: Any = False
) -> Any:
    return (a, b, rtol, atol), {"equal_nan": equal_nan}


def _bind_equal(a1: Any, a2: Any, **options: Any) -> Any:
    return (a1, a2), options


elementwise(np.isclose, None, bind=_bind_close)
for _function, _bind in (
    (np.allclose, _bind_close), (np.array_equal, _bind_equal), (np.array_equiv, _bind_equal),
):  # fmt: skip
    op(_function.__name__, _function, vjp=None, stands_for=(_function,), bind=_bind)
