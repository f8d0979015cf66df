"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import elementwise, complexes, index, linalg, products, reduce, shape  # isort: skip  (others' rules need them)
from . import convolve, create, einsum, fft, number

__all__ = [
    "complexes", "convolve", "create", "einsum", "elementwise", "fft", "index", "linalg", "number",
    "products", "reduce", "shape",
]  # fmt: skip
