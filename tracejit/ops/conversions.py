"""Conversions: to another dtype or kind of number, into memory of its own, out of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import COMPOSITES, op


def _convert(value: Any, *, cls: type) -> Any:
    if cls is np.ndarray:
        return np.array(value)
    if isinstance(value, np.ndarray):
        value = value.reshape(())[()]
    return cls(value)


def _astype_rule(g: Any, out: Any, x: Any, dtype: Any) -> Any:
    return g  # the engine gives a cotangent its input's dtype


# To another kind of number: a float, a NumPy scalar, or (np.ndarray) a 0-d array.
convert = op("convert", _convert, vjp=[lambda g, out, x, cls: g])
astype = op("astype", lambda x, *, dtype: x.astype(dtype), vjp=[_astype_rule], elementwise=True)
if hasattr(np, "astype"):  # NumPy 2.1
    COMPOSITES[np.astype] = lambda x, dtype, /, *, copy=True, device=None: x.astype(
        dtype, copy=copy
    )
copy = op(
    "copy", lambda x, *, order="K": np.copy(x, order=order), vjp=[lambda g, out, x, order="K": g],
    stands_for=(np.copy,), elementwise=True,
    bind=lambda a, order="K", subok=False: ((a,), {"order": order}),
)  # fmt: skip
# A detached Python number, as ndarray.item gives it.
item = op("item", lambda x: x.item(), vjp=None)
