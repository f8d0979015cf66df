"""Masked arrays and matrices are refused: as arguments, captured, and made inside."""

import numpy as np
import pytest

from tests.support import MODES
from tracejit import jit_grad
from tracejit.errors import ParameterTypeError, UnsupportedError

X = np.arange(4.0).reshape(2, 2) + 0.5
MATRIX = np.asmatrix(X)
MASKED = np.ma.masked_array(X, mask=X > 2)
HELD = {"matrix": MATRIX, "masked": MASKED}


def product(x, other):
    return np.sum(x * other)


@MODES
@pytest.mark.parametrize(
    ("other", "said"),
    [(MATRIX, r"matrix; pass a plain array: np\.asarray"),
     (MASKED, r"MaskedArray; pass a plain array: array\.filled"),
     ([MASKED], r"other\[0\] is a numpy\.ma\.MaskedArray")],
)  # fmt: skip
def test_as_arguments(other, said, optimize):
    for args in ((X, other), (other, X)):
        with pytest.raises(ParameterTypeError, match=said.replace("other", "(other|x)")):
            jit_grad(product, optimize=optimize)(*args)


@MODES
@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: np.sum(x * MATRIX), r"matrix at .*np\.asarray"),
        (lambda x: np.sum(x * MASKED), r"MaskedArray at .*array\.filled"),
        (lambda x: np.sum(np.where(MASKED > 0, x, 0)), r"MaskedArray at .*array\.filled"),
        (lambda x: np.sum(x * HELD["masked"]), r"MaskedArray at .*array\.filled"),
        (lambda x: np.sum(MATRIX * x), "a matrix of a traced value at .*plain arrays, and @"),
        (lambda x: np.sum(MASKED * x), r"a masked array of a traced value .*np\.where"),
        (lambda x: np.sum(np.asmatrix(x)), "a matrix of a traced value at .*plain arrays, and @"),
        (lambda x: np.sum(np.ma.masked_where(x > 1, x)), "a masked array of a traced value"),
        (lambda x: np.sum(np.ma.masked_array(x, mask=X > 1)), "a masked array of a traced value"),
    ],
)
def test_inside(f, said, optimize):
    with pytest.raises(UnsupportedError, match=rf"{said}") as raised:
        jit_grad(f, optimize=optimize)(X)
    assert __file__ in str(raised.value)


@MODES
@pytest.mark.filterwarnings("ignore:.*direct mode")
def test_of_data_they_may_be_made(optimize):
    f = lambda x, y: np.sum(x) * float(np.ma.masked_where(y > 1, y).sum())
    df = jit_grad(f, optimize=optimize)
    for _ in range(2):
        assert df(X, X)[1] == f(X, X)
