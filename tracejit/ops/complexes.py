"""Complex numbers: their parts. None of these functions is holomorphic.

Cotangents are du/dx - i du/dy (see dag/vjp.py); the engine takes the real part of one that goes to
real numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import composite, op
from .elementwise import elementwise

real_part = op(
    "real", np.real, vjp=[lambda g, out, x: g], elementwise=True, views=True, path="np.real"
)
imag_part = op(
    "imag", np.imag, vjp=[lambda g, out, x: -1j * g], elementwise=True, views=True, path="np.imag"
)
conjugate = elementwise(np.conjugate, [lambda g, out, x: np.conjugate(g)])


def _join(re: Any, im: Any) -> Any:
    joined = np.empty(np.broadcast_shapes(re.shape, im.shape), np.result_type(re, im, np.complex64))
    joined.real, joined.imag = re, im
    return joined


# A complex array of its parts, NaN and Inf included: what multiplying by 1j does not give.
join_parts = op(
    "join_parts", _join, elementwise=True,
    vjp=[lambda g, out, re, im: np.real(g), lambda g, out, re, im: -np.imag(g)],
)  # fmt: skip


@composite(np.real)
def real(val: Any) -> Any:
    """The real part: a view of a complex array, a real one itself."""
    return real_part(val) if np.iscomplexobj(val) else val


@composite(np.imag)
def imag(val: Any) -> Any:
    """The imaginary part: a view of a complex array, zeros for a real one."""
    return imag_part(val)
