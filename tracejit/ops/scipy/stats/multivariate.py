"""The multivariate normal and the Dirichlet distribution.

The logarithm of a covariance's determinant comes from its Cholesky factor, so that what is not
positive definite raises LinAlgError as in SciPy; its derivative is the inverse (Petersen and
Pedersen, The Matrix Cookbook, 2012, equation 57).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special, stats

from ....dag.op import composite, is_traced, op
from ...conversions import as_scalar
from .continuous import as_float64

LOG_2PI = math.log(2.0 * math.pi)
TOLERANCE = 1e-9  # of SciPy, for the sum of a point of the simplex


def _squeezed(value: Any) -> Any:
    return as_scalar(np.squeeze(value))


def _array(value: Any) -> Any:
    return as_float64(value if is_traced(value) else np.asarray(value))


def log_det(cov):  # type: ignore[no-untyped-def]
    """The logarithm of the determinant of a positive definite matrix."""
    return 2.0 * np.sum(np.log(np.diagonal(np.linalg.cholesky(cov))))


_log_det = op("log_det", log_det, vjp=[lambda g, out, cov: g * np.linalg.inv(cov)])


class _Normal:
    """A mean and a covariance, brought into shape.

    cov: a matrix, or where that is all there is a variance or several. log_det: of the matrix.
    """

    def __init__(self, mean: Any, cov: Any, allow_singular: bool) -> None:
        if allow_singular:
            raise TypeError("multivariate_normal argument allow_singular=True on a traced value")
        if isinstance(cov, stats.Covariance):
            raise TypeError("multivariate_normal argument cov= as a Covariance with traced values")
        cov = _array(1.0 if cov is None else cov)
        if mean is None:
            self.dim = 1 if np.ndim(cov) < 2 else len(cov)
            self.mean = None
        else:
            self.mean = _array(mean)
            self.dim = int(np.size(self.mean))
            self.mean = np.reshape(self.mean, (self.dim,))
        if self.dim == 1:
            cov = np.reshape(cov, (1,))
        self.cov = cov
        if np.ndim(cov) < 2:
            logs = np.log(cov)
            self.log_det = self.dim * logs if np.ndim(cov) == 0 else np.sum(logs)
        else:
            self.log_det = _log_det(cov)

    def logpdf(self, x: Any) -> Any:
        """The density at points along the last axis."""
        x = _array(x)
        if np.ndim(x) < 2:
            x = np.reshape(x, (-1, 1) if self.dim == 1 else (1, -1))
        deviation = x if self.mean is None else x - self.mean
        if deviation.shape[-1] != self.dim:
            raise ValueError(f"points of {self.dim} coordinates are needed, not {np.shape(x)}")
        if np.ndim(self.cov) < 2:
            distance = np.sum(np.square(deviation) / self.cov, axis=-1)
        else:
            precision = np.linalg.inv(self.cov)  # which the gradient needs, too
            rows = np.reshape(deviation, (-1, self.dim))
            distance = np.sum(rows * np.matmul(rows, precision), axis=-1)
            distance = np.reshape(distance, np.shape(deviation)[:-1])
        return -0.5 * (self.dim * LOG_2PI + self.log_det + distance)


@composite(stats.multivariate_normal.logpdf)
def _normal_logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    return _squeezed(_Normal(mean, cov, allow_singular).logpdf(x))


@composite(stats.multivariate_normal.pdf)
def _normal_pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    return _squeezed(np.exp(_Normal(mean, cov, allow_singular).logpdf(x)))


@composite(stats.multivariate_normal.entropy)
def _normal_entropy(mean: Any = None, cov: Any = 1) -> Any:
    normal = _Normal(mean, cov, False)
    return 0.5 * (normal.dim * (LOG_2PI + 1.0) + normal.log_det)


# -- Dirichlet -----------------------------------------------------------------------------------


def _require(holds: Any, what: str) -> None:
    if not holds:
        raise ValueError(f"scipy.stats.dirichlet: {what}")


def _concentrations(alpha: Any) -> Any:
    alpha = alpha if is_traced(alpha) else np.asarray(alpha)
    _require(np.ndim(alpha) == 1, "alpha must have one dimension")
    _require(np.min(alpha) > 0, "alpha must be greater than 0")
    return alpha


def _log_beta(alpha: Any) -> Any:
    return np.sum(special.gammaln(alpha)) - special.gammaln(np.sum(alpha))


def _point(x: Any, alpha: Any) -> Any:
    """Complete a point of the simplex, and refuse what is none."""
    x = x if is_traced(x) else np.asarray(x)
    _require(len(x) in (len(alpha) - 1, len(alpha)), "x and alpha must have as many entries")
    if len(x) != len(alpha):
        last = 1 - np.sum(x, axis=0)
        x = np.concatenate([x, np.reshape(last, (1, *np.shape(x)[1:]))])
    _require(np.min(x) >= 0, "the entries of x must not be negative")
    columns = np.reshape(alpha, (-1, *[1] * (np.ndim(x) - 1)))
    _require(not np.any((x == 0) & (columns < 1)), "x must be positive where alpha is less than 1")
    sums = np.abs(np.sum(x, axis=0) - 1.0)
    _require(np.max(sums) <= TOLERANCE, "the entries of x must sum to 1")
    return x


@composite(stats.dirichlet.logpdf)
def _dirichlet_logpdf(x: Any, alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    x = _point(x, alpha)
    powers = np.reshape(alpha - 1, (-1, *[1] * (np.ndim(x) - 1)))
    return _squeezed(np.sum(special.xlogy(powers, x), axis=0) - _log_beta(alpha))


@composite(stats.dirichlet.pdf)
def _dirichlet_pdf(x: Any, alpha: Any) -> Any:
    return np.exp(_dirichlet_logpdf(x, alpha))


@composite(stats.dirichlet.entropy)
def _dirichlet_entropy(alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    total = np.sum(alpha)
    return (
        _log_beta(alpha)
        + (total - len(alpha)) * special.psi(total)
        - np.sum((alpha - 1) * special.psi(alpha))
    )


@composite(stats.dirichlet.mean)
def _dirichlet_mean(alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    return _squeezed(np.divide(alpha, np.sum(alpha)))


@composite(stats.dirichlet.var)
def _dirichlet_var(alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    total = np.sum(alpha)
    return _squeezed(alpha * (total - alpha) / (total * total * (total + 1)))
