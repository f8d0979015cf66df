"""Inverses and determinants of stacks of matrices.

The gradient of a determinant is exact for singular matrices, too, to every order. Where the values
at hand allow a simpler rule it is used: compiled code in which that fails is run again, directly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import _linalg as results

from ..dag.op import HOLE, composite, op, value_of
from .conversions import is_complex
from .index import unindex
from .matrices import real_dtype, to_each
from .shape import swap


def _inverse_rule(g: Any, out: Any, x: Any) -> Any:
    transposed = swap(out)
    return -np.matmul(np.matmul(transposed, g), transposed)


inv = op(
    "linalg.inv", np.linalg.inv, stands_for=(np.linalg.inv,), vjp=[_inverse_rule],
    bind=lambda a: ((a,), {}), raises=True,
)  # fmt: skip


def _inverse_or_nan(x: Any) -> Any:
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        found = np.full(x.shape, np.nan, np.result_type(x, 1.0))
        for place in np.ndindex(x.shape[:-2]):
            try:
                found[place] = np.linalg.inv(x[place])
            except np.linalg.LinAlgError:
                continue
        return found


# The inverses, with NaN for a matrix that has none.
inverse_or_nan = op("linalg.inverse_or_nan", _inverse_or_nan, vjp=[_inverse_rule])


def _det_rule(g: Any, out: Any, x: Any) -> Any:
    if value_of(out).all():  # no determinant is 0
        return to_each(g * out) * swap(np.linalg.inv(x))
    return to_each(g) * cofactors(x)


det = op(
    "linalg.det", np.linalg.det, stands_for=(np.linalg.det,), vjp=[_det_rule],
    bind=lambda a: ((a,), {}),
)  # fmt: skip


def _cofactors(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x)
    alone = np.eye(x.shape[-1], dtype=bool)
    others = np.prod(np.where(alone, 1, s[..., None, :]), axis=-1)
    turned = np.linalg.det(u) * np.linalg.det(vh)
    scaled = (turned[..., None] * others)[..., None, :] * np.conjugate(u)
    return scaled @ np.conjugate(vh)


def _cofactors_rule(g: Any, out: Any, x: Any) -> Any:
    """Each cofactor is the determinant of what is left without a row and a column."""
    n = x.shape[-1]
    if n < 2:
        return None
    left = np.array([[i for i in range(n) if i != k] for k in range(n)])
    rows, columns = left[:, None, :, None], left[None, :, None, :]
    signs = np.array([[(-1) ** (i + k) for i in range(n)] for k in range(n)], real_dtype(x))
    minors = to_each(g * signs) * cofactors(x[..., rows, columns])
    return unindex(minors, rows, columns, key=(Ellipsis, HOLE, HOLE), shape=x.shape)


# The derivatives of a determinant by the elements of its matrix, from singular values.
cofactors = op("linalg.cofactors", _cofactors, vjp=[_cofactors_rule])


def _slogdet_rule(g: Any, out: Any, x: Any) -> Any:
    (g_sign, scale), (sign, logarithm) = g, out
    if g_sign is not None and is_complex(x):  # a real sign is constant
        turn = 1j * np.imag(g_sign * sign)
        scale = turn if scale is None else scale + turn
    if scale is None:
        return None
    singular = (value_of(logarithm) == -np.inf).any()
    return to_each(scale) * swap(inverse_or_nan(x) if singular else np.linalg.inv(x))


slogdet_op = op(
    "linalg.slogdet", np.linalg.slogdet, several=2, vjp=[_slogdet_rule], path="np.linalg.slogdet"
)


@composite(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """The sign and the logarithm of the absolute value of determinants."""
    return results.SlogdetResult(*slogdet_op(a))
