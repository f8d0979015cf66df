"""Logarithms of densities that scipy.special and scipy.stats both need; nothing is declared here.

Quantiles and parameters enter, plain or traced, valid or NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ...dag.op import is_traced


def student_log_density(df: Any, t: Any) -> Any:
    """That of Student's distribution, and where df is infinite of the normal one."""
    normal = np.isinf(df)
    if not is_traced(normal) and not np.any(normal):
        return _finite_log_density(df, t)
    value = _finite_log_density(np.where(normal, 1.0, df), t)
    return np.where(normal, -0.5 * t * t - 0.5 * np.log(2.0 * np.pi), value)


def _finite_log_density(df: Any, t: Any) -> Any:
    factor = np.log(special.poch(0.5 * df, 0.5)) - 0.5 * np.log(np.pi * df)
    return factor - 0.5 * (df + 1.0) * np.log1p(np.divide(t * t, df))
