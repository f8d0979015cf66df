"""The distributions of scipy.stats: importing this declares their methods, as composites.

What is recorded are the functions of scipy.special and NumPy that a density is made of, so emitted
code has nothing of the machinery of scipy.stats. Results are those of SciPy: float64; NaN where a
parameter is invalid; 0 or -inf outside of the support, with a zero gradient.
"""

from . import continuous, discrete, multivariate

__all__ = ["continuous", "discrete", "multivariate"]
