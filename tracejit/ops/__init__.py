"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import (  # isort: skip  (the others' rules need these)
    elementwise, complexes, index, products, linalg, reduce, shape,
)  # fmt: skip
from . import (
    convolve, create, einsum, fft, interpolate, nans, number, quantiles, scans, statistics,
)  # fmt: skip

__all__ = [
    "complexes", "convolve", "create", "einsum", "elementwise", "fft", "index", "interpolate",
    "linalg", "nans", "number", "products", "quantiles", "reduce", "scans", "shape", "statistics",
]  # fmt: skip
