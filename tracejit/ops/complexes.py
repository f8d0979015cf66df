"""Complex numbers: parts, conjugates, signs, angles. None of these functions is holomorphic.

Cotangents are du/dx - i du/dy (see dag/vjp.py); the engine takes the real part of one that goes to
real numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import BY_NAME, composite, op
from .conversions import is_complex
from .elementwise import elementwise, square

real_part = op(
    "real", np.real, vjp=[lambda g, out, x: g], elementwise=True, views=True, path="np.real"
)
imag_part = op(
    "imag", np.imag, vjp=[lambda g, out, x: -1j * g], elementwise=True, views=True, path="np.imag"
)
conjugate = elementwise(np.conjugate, [lambda g, out, x: np.conjugate(g) if is_complex(x) else g])


def conj(x: Any) -> Any:
    """Conjugate what is complex; nothing is recorded for what is real."""
    return np.conjugate(x) if is_complex(x) else x


def squared_size(x: Any) -> Any:
    """The squared absolute values; their second derivatives are right at 0, too."""
    return square(np.real(x)) + square(np.imag(x)) if is_complex(x) else square(x)


def _join(re: Any, im: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    joined = np.empty(shape, np.result_type(re, im, np.complex64))
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
    return real_part(val) if is_complex(val) else val


@composite(np.imag)
def imag(val: Any) -> Any:
    """The imaginary part: a view of a complex array, zeros for a real one."""
    return imag_part(val)


# Real signs have no gradient, and what has none may leave the trace: so they are an op apart.
real_sign = op("sign", np.sign, vjp=None, path="np.sign", elementwise=True, out=True)


def _absolute_rule(g: Any, out: Any, x: Any) -> Any:
    if not is_complex(x):
        return g * real_sign(x)
    return g * np.divide(np.conjugate(x), np.where(out == 0, 1, out))


absolute = elementwise(np.absolute, [_absolute_rule], operator=abs, scalar="abs({0})")
fabs = elementwise(np.fabs, absolute.vjp, scalar="abs({0})")


def _sign_rule(g: Any, out: Any, x: Any) -> Any:
    """Only what turns the sign reaches it: the rest changes the absolute value."""
    along = np.conjugate(out) * np.real(g * out)
    return np.divide(g - along, np.where(out == 0, 1, np.absolute(x)))


complex_sign = op(
    "complex_sign", np.sign, vjp=[_sign_rule], path="np.sign", elementwise=True, out=True
)


@composite(np.sign)
def _sign(x: Any) -> Any:
    return complex_sign(x) if is_complex(x) else real_sign(x)


@composite(np.angle)
def _angle(z: Any, deg: Any = False) -> Any:
    angle = np.arctan2(np.imag(z), np.real(z)) if is_complex(z) else np.arctan2(0, z)
    return angle * (180 / np.pi) if deg else angle


@composite(np.real_if_close)
def _real_if_close(a: Any, tol: Any = 100) -> Any:
    if not isinstance(a, np.ndarray):
        a = BY_NAME["convert"](a, cls=np.ndarray)
    if not is_complex(a):
        return a
    if tol > 1:
        tol = tol * np.finfo(np.result_type(a)).eps
    return np.real(a) if np.all(np.absolute(np.imag(a)) < tol) else a
