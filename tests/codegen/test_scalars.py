"""What loops do to one element is what NumPy does: values, zeros' signs, NaN and infinities."""

import re

import numpy as np
import pytest

from tracejit import jit_grad
from tracejit.dag.op import BY_NAME

pytest.importorskip("numba")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

SPECIAL = [0.0, -0.0, 0.5, -1.0, 1.5, -2.5, 3.0, 1e-310, 1e300, np.inf, -np.inf, np.nan]
QUOTIENTS = [(1.0, 0.1), (0.3, 0.1), (-0.7, 0.1), (6.0, -0.2), (1e17, 3.0), (5e-324, 2.0)]
PAIRS = np.array([*((a, b) for a in SPECIAL for b in SPECIAL), *QUOTIENTS]).T
with np.errstate(over="ignore"):
    SINGLES = PAIRS.astype(np.float32)
WHOLE = np.array([(a, b) for a in (-7, -1, 0, 2, 9) for b in (-3, 1, 4, 8)]).T

EXACT = {
    "remainder": np.remainder, "floor_divide": np.floor_divide, "fmod": np.fmod,
    "copysign": np.copysign, "heaviside": np.heaviside, "maximum": np.maximum, "fmin": np.fmin,
    "clip": lambda a, b: np.clip(a, b, 1.0), "clip low": lambda a, b: np.clip(a, b, None),
    "clip high": lambda a, b: np.clip(a, None, b), "clip both": lambda a, b: np.clip(1.0, a, b),
    "nan_to_num": lambda a, b: np.nan_to_num(a) + b, "sign": lambda a, b: np.sign(a) + b,
    "round": lambda a, b: np.round(a) + b, "rint": lambda a, b: np.rint(a) + b,
    "fix": lambda a, b: np.fix(a) + b, "isposinf": lambda a, b: np.isposinf(a) & (b > 0),
    "isneginf": lambda a, b: np.isneginf(a) & (b > 0), "logical_and": np.logical_and,
    "logical_or": np.logical_or, "logical_xor": np.logical_xor,
    "logical_not": lambda a, b: np.logical_not(a) | (b > 0),
    "isfinite": lambda a, b: np.isfinite(a) & (b > 0), "where": lambda a, b: np.where(a > b, a, b),
}  # fmt: skip
TIES = ("clip", "clip low", "clip high", "clip both", "maximum", "fmin")  # of 0.0 and -0.0
CLOSE = {
    "logaddexp": np.logaddexp, "float_power": np.float_power, "power": np.power,
    "arctan2": np.arctan2, "hypot": np.hypot, "rad2deg": lambda a, b: np.rad2deg(a) * b,
    "degrees": lambda a, b: np.degrees(a) * b, "radians": lambda a, b: np.radians(a) * b,
    "exponential_share": BY_NAME["exponential_share"],
}  # fmt: skip
OF_INTEGERS = {
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
    "invert": lambda a, b: ~a + b, "maximum": np.maximum, "minimum": np.minimum,
    "square": lambda a, b: np.square(a) + b, "positive": lambda a, b: +a - b,
    "logical_and": np.logical_and, "logical_xor": np.logical_xor,
}  # fmt: skip


def compare(functions, a, b, exact):
    """Compute all functions in one compiled kernel, and by NumPy."""
    df = jit_grad(
        lambda x, a, b: (np.sum(x), *(f(a, b) for f in functions.values())),
        audit=False, backend="numba", withGradients=False,
    )  # fmt: skip
    for _ in range(3):
        _, *results = df(np.ones(3), a, b)
    source = df.source(np.ones(3), a, b)
    for name, value in zip(functions, results, strict=True):
        expected = functions[name](a, b)
        assert value.dtype == expected.dtype, name
        if exact:
            np.testing.assert_array_equal(value, expected, name)
            if value.dtype.kind == "f" and name not in TIES:
                same = np.signbit(value) == np.signbit(expected)
                assert np.all(same | np.isnan(value)), name
        else:
            few = 8 * np.finfo(value.dtype).eps
            np.testing.assert_allclose(value, expected, few, 0, err_msg=name)
    return source


@pytest.mark.parametrize("pairs", [PAIRS, SINGLES], ids=["f8", "f4"])
def test_exact_forms(pairs):
    source = compare(EXACT, *pairs, exact=True)
    driver = source.split("def accepts")[0].rsplit("\ndef ", 1)[1]
    left = set(re.findall(r"np\.\w+", driver)) - {"np.empty", "np.float64"}
    assert not left, "something is left to NumPy"


@pytest.mark.parametrize("pairs", [PAIRS, SINGLES], ids=["f8", "f4"])
def test_functions(pairs):
    compare(CLOSE, *pairs, exact=False)


@pytest.mark.parametrize("dtype", ["i8", "i4"])
def test_forms_of_integers(dtype):
    compare(OF_INTEGERS, *WHOLE.astype(dtype), exact=True)
