"""Numbers and arrays as one vector, and the vector taken apart again.

Values enter, traced or not; a vector of real numbers leaves, in which complex ones are two. A
Layout keeps type, shape and dtype of each part, so that it comes back as what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from .dag.op import BY_NAME
from .ops.conversions import cast, is_complex


class Part(NamedTuple):
    """What a value is, without what it holds."""

    cls: type
    shape: tuple[int, ...]
    dtype: str

    @property
    def length(self) -> int:
        """How many real numbers it holds."""
        size = int(np.prod(self.shape, dtype=np.int64))
        return size * (2 if np.dtype(self.dtype).kind == "c" else 1)


Layout = tuple[Part, ...]


def layout_of(values: Iterable[Any]) -> Layout:
    """Say what the values are."""
    return tuple(Part(v.__class__, np.shape(v), np.result_type(v).str) for v in values)


def packed(values: Iterable[Any], dtype: Any) -> Any:
    """Join the values in a vector of a real dtype; an empty one is of double precision."""
    parts = []
    for value in values:
        flat = np.reshape(value, -1)
        for part in (np.real(flat), np.imag(flat)) if is_complex(value) else (flat,):
            parts.append(cast(part, dtype))
    return np.concatenate(parts) if parts else np.zeros(0)


def unpacked(vector: Any, layout: Layout) -> list[Any]:
    """Take the vector apart again, each part of the type that it had."""
    parts: list[Any] = []
    start = 0
    for cls, shape, dtype in layout:
        length = Part(cls, shape, dtype).length
        stop, start = start + length, start + length
        if cls is not np.ndarray:
            part = vector[stop - length]
            if np.dtype(dtype).kind == "c":
                part = part + 1j * vector[stop - 1]
            parts.append(part if cls is np.float64 else BY_NAME["convert"](part, cls=cls))
            continue
        part = vector[stop - length : stop]
        if np.dtype(dtype).kind == "c":
            part = part[: length // 2] + 1j * part[length // 2 :]
        part = np.reshape(part, shape)
        parts.append(cast(part, dtype))
    return parts
