"""The functions of scipy.special: importing this declares them."""

from . import bessel, elementary, gamma, polynomials, probability, softmax

__all__ = ["bessel", "elementary", "gamma", "polynomials", "probability", "softmax"]
