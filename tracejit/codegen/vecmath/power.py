"""Powers, float64 and float32.

The logarithm of the base has about 64 bits, in two numbers, because its error counts as often as
the exponent says. The method is that of FDLIBM's pow (Sun Microsystems, 1993), in one interval and
without branches: what is cut to 32 high bits has exact products. Polynomials are evaluated in pairs
of terms (Estrin, 1960), because a loop waits for so long a chain of operations.
"""

import numpy as np

from tracejit.codegen.vecmath.f4 import (
    HALF_F4,
    INF_F4,
    NAN_F4,
    NORMAL_F4,
    ONE_F4,
    SCALE_F4,
    SCALE_LOG2_F4,
    SQRT_HALF_BITS_F4,
    TWO_F4,
    ZERO_F4,
)
from tracejit.codegen.vecmath.f8 import (
    INF_F8,
    NAN_F8,
    ROUND_BITS_F8,
    ROUND_F8,
    SQRT_HALF_BITS_F8,
)

HIGH_BITS = -4294967296
LOG2E_THIRDS_F8 = 0.9617966939259756  # 2 / (3 log(2)) and its two parts
LOG2E_THIRDS_HIGH_F8 = 0.9617962837219238
LOG2E_THIRDS_LOW_F8 = 4.102040517767816e-07


def high_f8(x: float) -> float:
    """Clear the 32 low bits of x."""
    return np.int64(np.float64(x).view(np.int64) & HIGH_BITS).view(np.float64)


def pow_f8(x: float, y: float) -> float:
    """Return x**y."""
    a = abs(x)
    subnormal = a < 2.2250738585072014e-308
    t = a * 18014398509481984.0 if subnormal else a
    i = np.float64(t).view(np.int64)
    k = (i - SQRT_HALF_BITS_F8) >> 52
    m = np.int64(i - (k << 52)).view(np.float64)
    n = np.int64(k + ROUND_BITS_F8).view(np.float64) - ROUND_F8
    n = n - 54.0 if subnormal else n
    # s = s_high + s_low = (m - 1) / (m + 1)
    u: float = m - 1.0
    inverse = 1.0 / (m + 1.0)
    s = u * inverse
    s_high = high_f8(s)
    t_high = high_f8(m + 1.0)
    s_low = inverse * ((u - s_high * t_high) - s_high * (u - (t_high - 2.0)))
    # 3 log(m) / (2 s) = 3 + z + z**2 p in z = s**2, then times s, each in two parts
    z: float = s * s
    z2 = z * z
    p = (0.23080169465041553 + 0.19884406687360812 * z) + 0.1980244036596346 * z2
    p = (0.33333333787125213 + 0.2727267586713251 * z) + p * z2
    p = (0.6000000000000345 + 0.4285714285511264 * z) + p * z2
    p = z2 * p + s_low * (s_high + s)
    z = s_high * s_high
    t_high = high_f8(3.0 + z + p)
    v = s_low * t_high + (p - ((t_high - 3.0) - z)) * s
    u = s_high * t_high
    p_high = high_f8(u + v)
    p_low = v - (p_high - u)
    # log2(a) = l_high + l_low
    u = LOG2E_THIRDS_HIGH_F8 * p_high
    v = LOG2E_THIRDS_LOW_F8 * p_high + p_low * LOG2E_THIRDS_F8
    l_high = high_f8((u + v) + n)
    l_low = v - ((l_high - n) - u)
    # Beyond this bound powers overflow or vanish, unless the base is 1.
    w = 1e25 if y > 1e25 else y
    w = -1e25 if w < -1e25 else w
    w_high = high_f8(w)
    v = (w - w_high) * l_high + w * l_low
    # So far nothing says that a is NaN.
    return special_power_f8(x, y, a, two_to_f8(w_high * l_high + (a - a), v))


def exp2_f8(x: float) -> float:
    """Return 2**x."""
    return two_to_f8(x, 0.0)


def two_to_f8(u: float, v: float) -> float:
    """Return 2**(u + v), where v is small against u."""
    v = v if abs(u) < 1100.0 else 0.0
    u = 1100.0 if u > 1100.0 else u
    u = -1100.0 if u < -1100.0 else u
    k = (u + v) + ROUND_F8
    r = (u - (k - ROUND_F8)) + v
    # (2**r - 1) / r for |r| <= 1 / 2
    r2 = r * r
    r4 = r2 * r2
    low = (0.6931471805599453 + 0.24022650695910133 * r) + (
        0.055504108664821736 + 0.0096181291075931 * r
    ) * r2
    mid = (0.0013333558146380322 + 0.0001540353045841619 * r) + (
        1.525273386656161e-05 + 1.3215434630695308e-06 * r
    ) * r2
    top = (1.0178046796171122e-07 + 7.073894871593796e-09 * r) + 4.4573449638104776e-10 * r2
    p = 1.0 + r * (low + r4 * (mid + r4 * top))
    i = np.float64(k).view(np.int64) - ROUND_BITS_F8
    half = i >> 1
    p = p * np.int64((half + 1023) << 52).view(np.float64)
    return p * np.int64((i - half + 1023) << 52).view(np.float64)


def special_power_f8(x: float, y: float, a: float, q: float) -> float:
    """Return x**y from q = a**y, a = abs(x), where q holds for finite a above 0 alone."""
    # y is whole if rounding leaves it; odd if half of it is not.
    whole = np.rint(y) == y
    q = NAN_F8 if x < 0.0 and not whole else q
    zero = a == 0.0
    extreme = zero or a == INF_F8
    q = a if extreme and y > 0.0 else q
    q = (INF_F8 if zero else 0.0) if extreme and y < 0.0 else q
    h = 0.5 * y
    q = -q if np.float64(x).view(np.int64) < 0 and whole and np.rint(h) != h else q
    return 1.0 if x == 1.0 or y == 0.0 else q


COUNT_F4 = ROUND_F8 + 1024.0  # its 12 low bits are a whole number and 1024
BOUND_F4 = np.float32(1e30)  # powers beyond it overflow or vanish, unless the base is 1
TWO_TO_1_F4 = np.float32(0.6931472)
TWO_TO_2_F4 = np.float32(0.2402265)
TWO_TO_3_F4 = np.float32(0.05550406)
TWO_TO_4_F4 = np.float32(0.009618065)
TWO_TO_5_F4 = np.float32(0.0013337183)
TWO_TO_6_F4 = np.float32(0.00015461781)


def pow_f4(x: np.float32, y: np.float32) -> np.float32:
    """Return x**y; float64 gives the logarithm enough bits."""
    a = abs(x)
    subnormal = a < NORMAL_F4
    t = a * SCALE_F4 if subnormal else a
    i = np.float32(t).view(np.int32)
    k = np.int32(np.int32(i - SQRT_HALF_BITS_F4) >> 23)
    u = np.int32(i - (k << 23)).view(np.float32) - ONE_F4
    # So far nothing says that a is NaN.
    n = np.float32(k) + (a - a)
    n = n - SCALE_LOG2_F4 if subnormal else n
    # s = (m - 1) / (m + 1) = u / (u + 2): the quotient in float32, then what it lacks
    inverse = ONE_F4 / (u + TWO_F4)
    first = u * inverse
    f = np.float64(first)
    s = f + (np.float64(u) - f * (np.float64(u) + 2.0)) * np.float64(inverse)
    # log2(m) / s in z = s**2
    z = s * s
    p = 0.340811959229923 * z + 0.4116684928853463
    p = p * z + 0.5770836517645267
    p = p * z + 0.9617966730132766
    p = p * z + 2.8853900817903284
    b = BOUND_F4 if y > BOUND_F4 else y
    b = -BOUND_F4 if b < -BOUND_F4 else b
    w: float = np.float64(b) * (np.float64(n) + s * p)
    w = 200.0 if w > 200.0 else w
    w = -200.0 if w < -200.0 else w
    c = w + COUNT_F4
    r = np.float32(w - (c - COUNT_F4))
    # (2**r - 1) / r for |r| <= 1 / 2
    q = TWO_TO_6_F4 * r + TWO_TO_5_F4
    q = q * r + TWO_TO_4_F4
    q = q * r + TWO_TO_3_F4
    q = q * r + TWO_TO_2_F4
    q = q * r + TWO_TO_1_F4
    q = q * r + ONE_F4
    e = np.int32(np.float64(c).view(np.int64) & 4095) - 1024
    half = e >> 1
    q = q * np.int32((half + 127) << 23).view(np.float32)
    q = q * np.int32((e - half + 127) << 23).view(np.float32)
    return special_power_f4(x, y, a, q)


def special_power_f4(x: np.float32, y: np.float32, a: np.float32, q: np.float32) -> np.float32:
    """Return x**y from q = a**y, a = abs(x), where q holds for finite a above 0 alone."""
    whole = np.rint(y) == y
    q = NAN_F4 if x < ZERO_F4 and not whole else q
    zero = a == ZERO_F4
    extreme = zero or a == INF_F4
    q = a if extreme and y > ZERO_F4 else q
    q = (INF_F4 if zero else ZERO_F4) if extreme and y < ZERO_F4 else q
    h = HALF_F4 * y
    q = -q if np.float32(x).view(np.int32) < 0 and whole and np.rint(h) != h else q
    return ONE_F4 if x == ONE_F4 or y == ZERO_F4 else q
