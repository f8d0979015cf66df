"""Numbers taken apart: quotient and remainder, whole and fractional part, mantissa and exponent.

All but ldexp have two results. Whole numbers among them, floats or not, have no gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import op
from .elementwise import elementwise, remainder


def _in_two(function: np.ufunc, vjp: Any, **fields: Any) -> None:
    op(
        function.__name__, function, several=2, vjp=vjp, stands_for=(function,), elementwise=True,
        **fields,
    )  # fmt: skip


_in_two(
    np.divmod,
    [lambda g, out, x, y: g[1], lambda g, out, x, y: None if g[1] is None else -g[1] * out[0]],
    domain=remainder.domain,
)
_in_two(np.modf, [lambda g, out, x: g[0]])
_in_two(np.frexp, [lambda g, out, x: None if g[0] is None else np.ldexp(g[0], -out[1])])
elementwise(np.ldexp, [lambda g, out, x, exponent: np.ldexp(g, exponent), None])
