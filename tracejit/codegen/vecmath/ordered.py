"""Floats as integers in the same order, for maxima and minima that a loop can be vectorised over.

LLVM vectorises the maximum of integers; that of floats only where NaN may be lost. The bits of a
positive float grow with it; those of a negative one are turned round. NaN comes last, or first
where a minimum is wanted, so that it is the result, as in NumPy.
"""

import numpy as np

SIGN_F4 = np.int32(31)
REST_F4 = np.int32(2147483647)
LOWEST_F4 = np.int32(-2147483648)
SIGN_F8 = np.int64(63)
REST_F8 = np.int64(9223372036854775807)
LOWEST_F8 = np.int64(-9223372036854775808)


def turned_bits_f4(bits: np.int32) -> np.int32:
    """Exchange a float's bits for its place in the order, and back."""
    return np.int32(bits ^ np.int32(np.int32(bits >> SIGN_F4) & REST_F4))


def turned_bits_f8(bits: np.int64) -> np.int64:
    """Exchange a float's bits for its place in the order, and back."""
    return np.int64(bits ^ ((bits >> SIGN_F8) & REST_F8))


def top_place_f4(x: np.float32) -> np.int32:
    """Give the place of x in the order, with NaN above all."""
    place = turned_bits_f4(np.float32(x).view(np.int32))
    return REST_F4 if x != x else place


def bottom_place_f4(x: np.float32) -> np.int32:
    """Give the place of x in the order, with NaN below all."""
    place = turned_bits_f4(np.float32(x).view(np.int32))
    return LOWEST_F4 if x != x else place


def top_place_f8(x: np.float64) -> np.int64:
    """Give the place of x in the order, with NaN above all."""
    place = turned_bits_f8(np.float64(x).view(np.int64))
    return REST_F8 if x != x else place


def bottom_place_f8(x: np.float64) -> np.int64:
    """Give the place of x in the order, with NaN below all."""
    place = turned_bits_f8(np.float64(x).view(np.int64))
    return LOWEST_F8 if x != x else place


def float_at_f4(place: np.int32) -> np.float32:
    """Give the float at a place in the order."""
    return np.int32(turned_bits_f4(place)).view(np.float32)


def float_at_f8(place: np.int64) -> np.float64:
    """Give the float at a place in the order."""
    return np.int64(turned_bits_f8(place)).view(np.float64)
