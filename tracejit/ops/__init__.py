"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import (  # isort: skip  (the others' rules need these)
    elementwise, complexes, index, products, linalg, reduce, shape,
)  # fmt: skip
from . import (
    convolve, create, decompositions, diagonal, einsum, fft, interpolate, joining, nans, norms,
    number, padding, quantiles, repeating, scans, solving, sorting, statistics,
)  # fmt: skip

__all__ = [
    "complexes", "convolve", "create", "decompositions", "diagonal", "einsum", "elementwise", "fft",
    "index", "interpolate", "joining", "linalg", "nans", "norms", "number", "padding", "products",
    "quantiles", "reduce", "repeating", "scans", "shape", "solving", "sorting", "statistics",
]  # fmt: skip
