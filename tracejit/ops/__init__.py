"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import (  # isort: skip  (the others' rules need these)
    elementwise, complexes, index, products, linalg, reduce, shape,
)  # fmt: skip
from . import (
    convolve, create, diagonal, einsum, fft, interpolate, joining, nans, number, padding, quantiles,
    repeating, scans, sorting, statistics,
)  # fmt: skip

__all__ = [
    "complexes", "convolve", "create", "diagonal", "einsum", "elementwise", "fft", "index",
    "interpolate", "joining", "linalg", "nans", "number", "padding", "products", "quantiles",
    "reduce", "repeating", "scans", "shape", "sorting", "statistics",
]  # fmt: skip
