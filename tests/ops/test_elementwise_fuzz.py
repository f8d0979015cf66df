"""Random operands of every elementwise ufunc: kinds, dtypes, shapes and layouts, all mixed.

Values, types and dtypes are NumPy's; gradients have the dtypes of their parameters and the values
of finite differences.
"""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.ops.test_elementwise import IMAGINARY, SMOOTH, STEPS, arity, bounds, takes
from tests.support import check, spaced

UFUNCS = [op for op in (*SMOOTH, *STEPS) if isinstance(op.fn, np.ufunc)]
FLOATS, COMPLEX, WHOLE = ("f2", "f4", "f8"), ("c8", "c16"), ("b1", "i1", "u2", "i4", "i8", "u8")
SHAPES = [(), (1,), (3,), (2, 1), (2, 3), (1, 1, 3), (0, 3)]


@st.composite
def operands(draw, op):
    """An operand for each input of an op, and which of them are parameters."""
    kinds = [*FLOATS, "float", "float64", "float32"] if takes(op, "d" * arity(op)) else []
    kinds += [*COMPLEX, "complex"] if takes(op, "D" * arity(op)) else []
    kinds += [*WHOLE, "int", "bool"]
    values = []
    for position, (low, high) in enumerate(bounds(op)):
        kind = draw(st.sampled_from(kinds))
        values.append(draw(operand(kind, low, high, position)))
    try:
        with np.errstate(all="ignore"):
            finite = np.all(np.isfinite(op.fn(*values)))
    except (TypeError, ValueError, OverflowError):  # bits of floats, shapes that do not go together
        return [np.arange(1, 4)] * arity(op)
    assume(finite)
    return values


@st.composite
def operand(draw, kind, low, high, seed):
    """An operand of a kind, between two bounds."""
    python = {"float": float, "complex": complex, "int": int, "bool": bool,
              "float64": np.float64, "float32": np.float32}.get(kind)  # fmt: skip
    shape = () if python else draw(st.sampled_from(SHAPES))
    array = spaced(low, high, shape, seed=seed)
    if kind in (*WHOLE, "int", "bool"):
        array = np.asarray(1 + np.arange(array.size).reshape(shape) % 3)
    if kind in (*COMPLEX, "complex"):
        array = np.asarray(array + 1j * spaced(*IMAGINARY, shape, seed=seed + 1))
    if python:
        return python(array)
    array = array.astype(kind)
    layout = draw(st.sampled_from(["C", "F", "strided", "fixed"]))
    if layout == "F":
        array = np.asfortranarray(array) if array.ndim else array
    elif layout == "strided" and array.ndim:
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    array.flags.writeable = layout != "fixed"
    return array


def check_operands(op, values, optimize):
    """Check a call with these operands; those with a gradient are the parameters."""
    active = [np.asarray(v).dtype.kind in "fc" for v in values]
    params = tuple(v for v, a in zip(values, active, strict=True) if a)
    rest = tuple(v for v, a in zip(values, active, strict=True) if not a)

    def f(*given):
        given, count = list(given), sum(active)
        floats, others = iter(given[:count]), iter(given[count:])
        return op.fn(*[next(floats if a else others) for a in active])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(f if params else lambda p, *n: p * f(*n), params or (1.5,), rest, optimize)


@pytest.mark.parametrize("optimize", [True, False], ids=["compiled", "direct"])
@pytest.mark.parametrize("op", [pytest.param(op, id=op.name) for op in UFUNCS])
def test_few(op, optimize):
    @settings(max_examples=4, deadline=None, database=None, derandomize=True)
    @given(operands(op))
    def run(values):
        check_operands(op, values, optimize)

    run()


@pytest.mark.fuzz
@pytest.mark.parametrize("op", [pytest.param(op, id=op.name) for op in UFUNCS])
def test_many(op):
    @settings(max_examples=20, deadline=None, database=None)
    @given(operands(op), st.booleans())
    def run(values, optimize):
        check_operands(op, values, optimize)

    run()
