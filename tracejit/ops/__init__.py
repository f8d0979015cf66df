"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import (  # isort: skip  (the others' rules need these)
    elementwise, complexes, choices, conversions, arrays, index, products, linalg, reduce, shape,
)  # fmt: skip
from . import (
    convolve,
    create,
    decompositions,
    diagonal,
    einsum,
    entire,
    fft,
    folds,
    interpolate,
    joining,
    nans,
    norms,
    number,
    padding,
    parts,
    polynomials,
    quantiles,
    repeating,
    scans,
    solving,
    sorting,
    statistics,
    steps,
)  # fmt: skip

__all__ = [
    "arrays", "choices", "complexes", "conversions", "convolve", "create", "decompositions",
    "diagonal", "einsum", "elementwise", "entire", "fft", "folds", "index", "interpolate",
    "joining", "linalg", "nans", "norms", "number", "padding", "parts", "polynomials", "products",
    "quantiles", "reduce", "repeating", "scans", "shape", "solving", "sorting", "statistics",
    "steps",
]  # fmt: skip
