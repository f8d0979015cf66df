"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import elementwise, index, linalg, reduce, shape  # isort: skip  (the others' rules need these)
from . import create, number

__all__ = ["create", "elementwise", "index", "linalg", "number", "reduce", "shape"]
