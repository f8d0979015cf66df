"""Sine and cosine, float64 and float32, for arguments up to `FAR` in magnitude.

Beyond it they return some number, so a loop that calls them has to see whether `abs(x) > FAR` for
any element (`far |= abs(x) > FAR`, which is vectorised, too); if so, another loop has to compute
all elements again with `np.sin(x)`. Quarter turns are taken away in four parts (Cody and Waite,
1980): the first three have 27 bits, so that their products with up to 2**26 are exact.
"""

import numpy as np

FAR = 1e8
TURNS = 6755399441055744.0  # 1.5 * 2**52 rounds to a whole number, which stands in the low bits
INVERSE_PI = 0.3183098861837907
QUARTER_1 = 1.570796325802803
QUARTER_2 = 9.920935739593517e-10
QUARTER_3 = 5.721188709663575e-18
QUARTER_4 = 1.6446256936324258e-26


def sine_of_rest(x: float, quarters: float) -> float:
    """Return the sine of x - quarters * pi / 2, which is between -pi / 2 and pi / 2."""
    r = (x - quarters * QUARTER_1) - quarters * QUARTER_2
    r = (r - quarters * QUARTER_3) - quarters * QUARTER_4
    z = r * r
    # (sin(r) - r) / r**3 in z = r**2
    p = 2.722164788702747e-15
    p = p * z + -7.643090155349023e-13
    p = p * z + 1.6058943693292818e-10
    p = p * z + -2.505210695641822e-08
    p = p * z + 2.7557319212102287e-06
    p = p * z + -0.00019841269841215184
    p = p * z + 0.008333333333333212
    p = p * z + -0.16666666666666666
    return r + r * (p * z)


def sin_f8(x: float) -> float:
    """Return the sine of x, for abs(x) <= FAR."""
    a = abs(x)
    k = a * INVERSE_PI + TURNS
    n = k - TURNS
    p = np.float64(sine_of_rest(a, n + n)).view(np.int64)
    # An odd number of half turns changes the sign, and so does that of x.
    sign = (np.float64(k).view(np.int64) << 63) ^ np.float64(x).view(np.int64)
    sign = sign ^ np.float64(a).view(np.int64)
    return np.int64(p ^ sign).view(np.float64)


def cos_f8(x: float) -> float:
    """Return the cosine of x, for abs(x) <= FAR."""
    k = x * INVERSE_PI - 0.5 + TURNS
    n = k - TURNS
    p = np.float64(sine_of_rest(x, n + n + 1.0)).view(np.int64)
    return np.int64(p ^ (~np.float64(k).view(np.int64) << 63)).view(np.float64)


SIN3_F4 = np.float32(-0.1666666)
SIN5_F4 = np.float32(0.0083330665)
SIN7_F4 = np.float32(-0.00019809384)
SIN9_F4 = np.float32(2.6048529e-06)
PI_HIGH = 3.141592651605606  # 28 bits
PI_LOW = 1.984187159361081e-09


def sine_of_rest_f4(r: np.float32) -> np.float32:
    """Return the sine of r, which is between -pi / 2 and pi / 2."""
    z = r * r
    # (sin(r) - r) / r**3 in z = r**2
    p = SIN9_F4 * z + SIN7_F4
    p = p * z + SIN5_F4
    p = p * z + SIN3_F4
    return r + r * (p * z)


def sin_f4(x: np.float32) -> np.float32:
    """Return the sine of x, for abs(x) <= FAR; only whole turns are taken away in float64."""
    t = np.float64(abs(x))
    k = t * INVERSE_PI + TURNS
    n = k - TURNS
    p = sine_of_rest_f4(np.float32((t - n * PI_HIGH) - n * PI_LOW))
    sign = np.int32(np.int32(np.float64(k).view(np.int64) & 1) << 31)
    sign = sign ^ np.float32(x).view(np.int32) ^ np.float32(abs(x)).view(np.int32)
    return np.int32(np.float32(p).view(np.int32) ^ sign).view(np.float32)


def cos_f4(x: np.float32) -> np.float32:
    """Return the cosine of x, for abs(x) <= FAR; only whole turns are taken away in float64."""
    t = np.float64(x)
    k = t * INVERSE_PI - 0.5 + TURNS
    n = k - TURNS + 0.5
    p = sine_of_rest_f4(np.float32((t - n * PI_HIGH) - n * PI_LOW))
    sign = np.int32(np.int32(~np.float64(k).view(np.int64) & 1) << 31)
    return np.int32(np.float32(p).view(np.int32) ^ sign).view(np.float32)
