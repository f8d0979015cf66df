"""Conversions: to another dtype or kind of number, into memory of its own, out of the gradient.

Also what rules and composites ask and do about dtypes: nothing is recorded where nothing changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import COMPOSITES, is_traced, op


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


# -- by dtype -----------------------------------------------------------------------------------


def kind_of(x: Any) -> str:
    """The kind of a value's dtype: "f", "c", "i", "u" or "b"."""
    dtype: np.dtype[Any] = x.dtype if hasattr(x, "dtype") else np.result_type(x)
    return dtype.kind


def is_complex(x: Any) -> bool:
    """Tell whether an array or number is complex."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else bool(dtype.kind == "c")


def cast(x: Any, dtype: Any) -> Any:
    """Give an array, a scalar or a number the dtype."""
    dtype, have = np.dtype(dtype), getattr(x, "dtype", None)
    if have is None:
        return convert(x, cls=dtype.type) if is_traced(x) else np.asarray(x, dtype)
    return x if have == dtype else x.astype(dtype)


def inexact(x: Any) -> Any:
    """Make f8 of integers, as averages and norms do."""
    return cast(x, np.float64) if kind_of(x) in "biu" else x


def as_scalar(x: Any) -> Any:
    """Make a NumPy number of an array without axes, as ufuncs do."""
    return x if np.ndim(x) else x[()]
