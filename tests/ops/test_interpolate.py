"""Interpolation: by places, points and values; ends, periods, points themselves."""

import numpy as np
import pytest

from tests.ops.cases import orders, rows
from tests.support import MODES, check, spaced

POINTS = np.array([-1.0, 0.3, 0.9, 2.0, 3.1])
VALUES = spaced(-1.5, 2.0, (5,), seed=1)
AT = np.array([[-0.5, 0.6], [1.7, 2.9]])
BEYOND = np.array([-3.0, 0.5, 4.0])

CASES = rows(
    np.interp,
    ("all", np.interp, (AT, POINTS, VALUES)),
    ("number", np.interp, (0.6, POINTS, VALUES)),
    ("scalar", np.interp, (np.float64(1.2), POINTS, VALUES)),
    ("beyond", np.interp, (BEYOND, POINTS, VALUES)),
    ("left", lambda x, p, v, a: np.interp(x, p, v, left=a), (BEYOND, POINTS, VALUES, 0.7)),
    ("ends", np.interp, (BEYOND, POINTS, VALUES, 0.7, np.float64(1.3))),
    ("one point", np.interp, (BEYOND, POINTS[:1], VALUES[:1])),
    ("lists", lambda x: np.interp(x, [0.0, 1.0, 2.0], [1.0, 3.0, -1.0]), (AT[1] - 1.0,)),
    ("listed places", lambda p, v: np.interp([0.5, 1.0], p, v), (POINTS, VALUES)),
    ("repeated", lambda p, v: np.interp([1.0, 1.1, 1.2], p, v), (POINTS, VALUES)),
    ("period", lambda x, p, v, d: np.interp(x, p, v, period=d), (BEYOND, POINTS, VALUES, 4.5)),
    ("given period", lambda x, v: np.interp(x, POINTS, v, period=-4.5), (BEYOND, VALUES)),
    ("f4", np.interp, (AT.astype("f4"), POINTS.astype("f4"), VALUES.astype("f4"))),
    ("complex", np.interp, (AT, POINTS, VALUES * (1.0 + 0.5j))),
    ("none", np.interp, (np.zeros(0), POINTS, VALUES)),
)

test_first_order, test_second_order = orders(CASES)

HILL = [0.0, 1.0, 2.0], [0.0, 3.0, 1.0]
AT_POINTS = {
    "the piece behind": (lambda x: np.interp(x, *HILL), 1.0, -2.0),
    "the first": (lambda x: np.interp(x, *HILL), 0.0, 3.0),
    "the last": (lambda x: np.interp(x, *HILL), 2.0, -2.0),
    "below": (lambda x: np.interp(x, *HILL), -0.1, 0.0),
    "NaN": (lambda x: np.interp(x, *HILL), np.nan, -2.0),
    "values": (lambda v: np.interp(1.0, HILL[0], v), np.array(HILL[1]), [0, 1, 0]),
    "last value": (lambda v: np.interp(2.0, HILL[0], v), np.array(HILL[1]), [0, 0, 1]),
    "no value": (lambda v: np.interp(2.1, HILL[0], v, right=1.0), np.array(HILL[1]), [0, 0, 0]),
}


@MODES
@pytest.mark.parametrize(("f", "x", "gradient"), AT_POINTS.values(), ids=AT_POINTS)
def test_at_known_points(f, x, gradient, optimize):
    check(f, (x,), (), optimize, (gradient,))
