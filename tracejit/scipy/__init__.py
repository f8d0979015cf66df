"""SciPy with functions that record: `from tracejit.scipy.special import logsumexp`.

A function that tracejit has a gradient for records where an argument, or what a list holds, is
traced; every other name is SciPy's own. Needs SciPy: `pip install tracejit[scipy]`.
"""

from . import integrate, linalg, signal, special, stats

__all__ = ["integrate", "linalg", "signal", "special", "stats"]
