"""float32 functions of one number, without branches or calls, that a loop can be vectorised over.

They are the functions of `f8.py` with shorter polynomials. Each takes and returns np.float32 and
computes in float32 alone. Numba knows no weak Python numbers, so a literal would make an
expression float64: every constant has a name and is an np.float32.
"""

import numpy as np

ZERO_F4 = np.float32(0.0)
HALF_F4 = np.float32(0.5)
ONE_F4 = np.float32(1.0)
TWO_F4 = np.float32(2.0)
NAN_F4 = np.float32(np.nan)
INF_F4 = np.float32(np.inf)
TINY_F4 = np.float32(1e-30)
ROUND_F4 = np.float32(12582912.0)  # 1.5 * 2**23
ROUND_BITS_F4 = 1262485504
LOG2E_F4 = np.float32(1.442695)
LN2_HIGH_F4 = np.float32(0.693145752)  # 15 bits, so that products with whole numbers are exact
LN2_LOW_F4 = np.float32(1.42860677e-06)
SQRT_HALF_BITS_F4 = 1060439283
NORMAL_F4 = np.float32(1.17549435e-38)
SCALE_F4 = np.float32(8388608.0)  # 2**23
SCALE_LOG2_F4 = np.float32(23.0)

EXP_MAX_F4 = np.float32(89.0)
EXP_MIN_F4 = np.float32(-104.5)
EXP2_F4 = np.float32(0.5)
EXP3_F4 = np.float32(0.16666514)
EXP4_F4 = np.float32(0.041666586)
EXP5_F4 = np.float32(0.008369513)
EXP6_F4 = np.float32(0.0013921352)


def exp_f4(x: np.float32) -> np.float32:
    """Return e**x."""
    t = EXP_MAX_F4 if x > EXP_MAX_F4 else x
    t = EXP_MIN_F4 if t < EXP_MIN_F4 else t
    k = t * LOG2E_F4 + ROUND_F4
    n = k - ROUND_F4
    r = (t - n * LN2_HIGH_F4) - n * LN2_LOW_F4
    # (e**r - 1 - r) / r**2 for |r| <= log(2) / 2
    p = EXP6_F4 * r + EXP5_F4
    p = p * r + EXP4_F4
    p = p * r + EXP3_F4
    p = p * r + EXP2_F4
    p = p * r * r + r + ONE_F4
    # 2**n in two factors: either may be normal where their product is not.
    i = np.float32(k).view(np.int32) - ROUND_BITS_F4
    half = i >> 1
    p = p * np.int32((half + 127) << 23).view(np.float32)
    return p * np.int32((i - half + 127) << 23).view(np.float32)


EXPM1_MIN_F4 = np.float32(-20.0)
EXPM1_2_F4 = np.float32(0.5)
EXPM1_3_F4 = np.float32(0.16666667)
EXPM1_4_F4 = np.float32(0.04166635)
EXPM1_5_F4 = np.float32(0.008333272)
EXPM1_6_F4 = np.float32(0.0013941169)
EXPM1_7_F4 = np.float32(0.00019914415)


def expm1_f4(x: np.float32) -> np.float32:
    """Return e**x - 1."""
    t = EXP_MAX_F4 if x > EXP_MAX_F4 else x
    t = EXPM1_MIN_F4 if t < EXPM1_MIN_F4 else t
    k = t * LOG2E_F4 + ROUND_F4
    n = k - ROUND_F4
    r = (t - n * LN2_HIGH_F4) - n * LN2_LOW_F4
    half = np.int32((np.float32(k).view(np.int32) + 126) << 23).view(np.float32)
    p = half * expm1_near_zero_f4(r) + (half - HALF_F4)
    return p + p if abs(x) > TINY_F4 else x


def expm1_near_zero_f4(r: np.float32) -> np.float32:
    """Return e**r - 1 for |r| <= log(2) / 2."""
    # (e**r - 1 - r) / r**2
    p = EXPM1_7_F4 * r + EXPM1_6_F4
    p = p * r + EXPM1_5_F4
    p = p * r + EXPM1_4_F4
    p = p * r + EXPM1_3_F4
    p = p * r + EXPM1_2_F4
    return p * r * r + r


TANH_ONE_F4 = np.float32(10.0)
TANH_MAX_F4 = np.float32(20.0)


def tanh_f4(x: np.float32) -> np.float32:
    """Return the hyperbolic tangent of x."""
    a = abs(x)
    t = TANH_MAX_F4 if a > TANH_ONE_F4 else a + a
    k = t * LOG2E_F4 + ROUND_F4
    n = k - ROUND_F4
    r = (t - n * LN2_HIGH_F4) - n * LN2_LOW_F4
    scale = np.int32((np.float32(k).view(np.int32) + 127) << 23).view(np.float32)
    p = scale * expm1_near_zero_f4(r) + (scale - ONE_F4)
    p = p / (p + TWO_F4)
    p = -p if x < ZERO_F4 else p
    return p if a > TINY_F4 else x


def sigmoid_f4(x: np.float32) -> np.float32:
    """Return 1 / (1 + e**-x)."""
    p = exp_f4(-abs(x))
    return (ONE_F4 if x >= ZERO_F4 else p) / (ONE_F4 + p)


LOG3_F4 = np.float32(0.3333333)
LOG4_F4 = np.float32(-0.25000823)
LOG5_F4 = np.float32(0.20001222)
LOG6_F4 = np.float32(-0.1662335)
LOG7_F4 = np.float32(0.14201865)
LOG8_F4 = np.float32(-0.13160384)
LOG9_F4 = np.float32(0.12760915)
LOG10_F4 = np.float32(-0.07633129)


def log_reduced_f4(f: np.float32, k: np.float32) -> np.float32:
    """Return log(1 + f) + k * log(2) for sqrt(1/2) <= 1 + f <= sqrt(2)."""
    # (log(1 + f) - f + f**2 / 2) / f**3
    p = LOG10_F4 * f + LOG9_F4
    p = p * f + LOG8_F4
    p = p * f + LOG7_F4
    p = p * f + LOG6_F4
    p = p * f + LOG5_F4
    p = p * f + LOG4_F4
    p = p * f + LOG3_F4
    z = f * f
    return k * LN2_HIGH_F4 + (f + (z * (p * f - HALF_F4) + k * LN2_LOW_F4))


def log_f4(x: np.float32) -> np.float32:
    """Return the natural logarithm of x."""
    subnormal = x < NORMAL_F4
    t = x * SCALE_F4 if subnormal else x
    i = np.float32(t).view(np.int32)
    k = np.int32(np.int32(i - SQRT_HALF_BITS_F4) >> 23)
    f = np.int32(i - (k << 23)).view(np.float32) - ONE_F4
    n = np.float32(k)
    p = log_reduced_f4(f, n - SCALE_LOG2_F4 if subnormal else n)
    p = p if x < INF_F4 else x
    return p if x > ZERO_F4 else (-INF_F4 if x == ZERO_F4 else NAN_F4)


def log1p_f4(x: np.float32) -> np.float32:
    """Return the natural logarithm of 1 + x."""
    u = ONE_F4 + x
    i = np.float32(u).view(np.int32)
    k = np.int32(np.int32(i - SQRT_HALF_BITS_F4) >> 23)
    # What rounding 1 + x lost counts only where x is small.
    lost = (x - (u - ONE_F4)) * np.int32((127 - (k if k < 50 else 50)) << 23).view(np.float32)
    f = (np.int32(i - (k << 23)).view(np.float32) - ONE_F4) + lost
    p = log_reduced_f4(x if k == 0 else f, np.float32(k))
    p = p if x < INF_F4 else x
    p = p if x > -ONE_F4 else (-INF_F4 if x == -ONE_F4 else NAN_F4)
    return p if abs(x) > TINY_F4 else x


SQRT2_M1_F4 = np.float32(0.41421357)


def softplus_f4(x: np.float32) -> np.float32:
    """Return log(1 + e**x)."""
    e = exp_f4(-abs(x))
    large = e > SQRT2_M1_F4
    f = HALF_F4 * (e - ONE_F4) if large else e
    return (x if x > ZERO_F4 else ZERO_F4) + log_reduced_f4(f, ONE_F4 if large else ZERO_F4)


def sqrt_f4(x: np.float32) -> np.float32:
    """Return the square root of x."""
    root: np.float32 = np.sqrt(x)
    return root


ERF0_F4 = np.float32(1.1283791)
ERF1_F4 = np.float32(-0.37612325)
ERF2_F4 = np.float32(0.1128018)
ERF3_F4 = np.float32(-0.026711304)
ERF4_F4 = np.float32(0.004917542)
ERF5_F4 = np.float32(-0.0005631381)
ERFC_CENTRE_F4 = np.float32(2.0)
ERFC_MAX_F4 = np.float32(4.0)
ERFC0_F4 = np.float32(-5.364941)
ERFC1_F4 = np.float32(-4.4181604)
ERFC2_F4 = np.float32(-0.9237554)
ERFC3_F4 = np.float32(-0.016481103)
ERFC4_F4 = np.float32(0.0035680882)
ERFC5_F4 = np.float32(-0.00068690814)
ERFC6_F4 = np.float32(0.00019446776)


def erf_f4(x: np.float32) -> np.float32:
    """Return the error function of x."""
    a = abs(x)
    z = a * a
    # erf(a) / a in z = a**2 for a < 1
    p = ERF5_F4 * z + ERF4_F4
    p = p * z + ERF3_F4
    p = p * z + ERF2_F4
    p = p * z + ERF1_F4
    p = p * z + ERF0_F4
    # log(1 - erf(a)) in t = a - 2 for 1 <= a <= 4, where erf(a) is 1
    t = ERFC_MAX_F4 - ERFC_CENTRE_F4 if a > ERFC_MAX_F4 else a - ERFC_CENTRE_F4
    q = ERFC6_F4 * t + ERFC5_F4
    q = q * t + ERFC4_F4
    q = q * t + ERFC3_F4
    q = q * t + ERFC2_F4
    q = q * t + ERFC1_F4
    q = q * t + ERFC0_F4
    q = ONE_F4 - exp_f4(q)
    return p * x if a < ONE_F4 else (-q if x < ZERO_F4 else q)
