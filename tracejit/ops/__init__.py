"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import elementwise, complexes, index, linalg, reduce, shape  # isort: skip  (the others' rules need these)
from . import create, number

__all__ = ["complexes", "create", "elementwise", "index", "linalg", "number", "reduce", "shape"]
