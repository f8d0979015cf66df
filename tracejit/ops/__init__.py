"""The ops: declarations only, a module per family. Importing this package registers them all."""

from . import elementwise, index, linalg, reduce, shape

__all__ = ["elementwise", "index", "linalg", "reduce", "shape"]
