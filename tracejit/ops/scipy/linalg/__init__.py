"""The functions of scipy.linalg: importing this declares them.

Their ops call SciPy's own functions, with its options; `overwrite_a=` and the like are taken and
not followed, because the values are needed for the gradient.
"""

from . import decompositions, equations, factors, functions, structured

__all__ = ["decompositions", "equations", "factors", "functions", "structured"]
