"""Quotients and remainders of floats, and sums of exponentials, as NumPy's ufuncs give them.

Each takes and returns two floats of one type; zeros have NumPy's signs, and NaN and infinities come
out where NumPy has them.
"""

import numpy as np

from .f4 import softplus_f4
from .f8 import softplus_f8

LN2_F8 = 0.6931471805599453
LN2_F4 = np.float32(0.6931471805599453)


def remainder_f8(x: float, y: float) -> float:
    """Return x - floor(x / y) * y, exactly."""
    r: float = np.fmod(x, y)
    turned = r + y if (r < 0.0) != (y < 0.0) else r
    return turned if r != 0.0 else np.copysign(0.0, y)


def remainder_f4(x: np.float32, y: np.float32) -> np.float32:
    """Return x - floor(x / y) * y, exactly."""
    r: np.float32 = np.fmod(x, y)
    turned = r + y if (r < np.float32(0.0)) != (y < np.float32(0.0)) else r
    return turned if r != np.float32(0.0) else np.copysign(np.float32(0.0), y)


def floor_divide_f8(x: float, y: float) -> float:
    """Return floor(x / y) of the exact quotient."""
    r = np.fmod(x, y)
    q = (x - r) / y
    q = q - 1.0 if r != 0.0 and (r < 0.0) != (y < 0.0) else q
    low = np.floor(q)
    low = low + 1.0 if q - low > 0.5 else low
    low = low if q != 0.0 else np.copysign(0.0, x / y)
    quotient: float = x / y if y == 0.0 else low
    return quotient


def floor_divide_f4(x: np.float32, y: np.float32) -> np.float32:
    """Return floor(x / y) of the exact quotient."""
    one, zero = np.float32(1.0), np.float32(0.0)
    r = np.fmod(x, y)
    q = np.float32(x - r) / y
    q = q - one if r != zero and (r < zero) != (y < zero) else q
    low = np.floor(q)
    low = low + one if q - low > np.float32(0.5) else low
    low = low if q != zero else np.copysign(zero, x / y)
    quotient: np.float32 = x / y if y == zero else low
    return quotient


def logaddexp_f8(x: float, y: float) -> float:
    """Return log(e**x + e**y)."""
    top = x if x > y else y
    return top + LN2_F8 if x == y else top + softplus_f8(-abs(x - y))


def logaddexp_f4(x: np.float32, y: np.float32) -> np.float32:
    """Return log(e**x + e**y)."""
    top = x if x > y else y
    return top + LN2_F4 if x == y else top + softplus_f4(-abs(x - y))
