"""where, clip and what chooses by conditions, numbers or finiteness."""

import numpy as np
import pytest

from tests.ops.cases import (
    COLUMN,
    EMPTY,
    INTEGERS,
    MASK,
    ROW,
    SMALL,
    X,
    Y,
    orders,
    rows,
)
from tests.support import CALLS, MODES, check, spaced
from tracejit import jit_grad

Z = spaced(-1.3, 1.6, (2, 3), complex, 1)
NUMBERS = np.array([[0, 2, 1], [2, 0, 0]])
GAPS = np.array([[np.nan, 0.5, np.inf], [-np.inf, 2.0, -1.5]])
GAPS_4 = GAPS.astype(np.float32)
COMPLEX_GAPS = np.stack([GAPS, GAPS[::-1, ::-1]], axis=-1).view(complex)[..., 0]


def mean_of(v, scale):
    """A function of all elements at once, to be called by piecewise."""
    return np.mean(v) * v * scale


def filled_in(x):
    y = x * 1.0
    np.nan_to_num(y, copy=False)
    return y * y


CASES = [
    *rows(
        np.clip,
        ("both bounds", lambda x: np.clip(x, -1.0, 0.8), (X,)),
        ("complex number", lambda z: np.clip(z, -1.0, 0.8) * z, (0.5 + 1j,)),
        ("no lower", lambda x: np.clip(x, None, 0.8), (X,)),
        ("no upper", lambda x: np.clip(x, -1.0, None), (X,)),
        ("traced bounds", np.clip, (X, COLUMN - 1.0, ROW)),
        ("traced number", lambda x, low: np.clip(x, low, 1.0), (X, -0.45)),
        ("keywords", lambda x: np.clip(x, a_min=-1.0, a_max=0.8), (X,)),
        ("integer bounds", lambda x: np.clip(x, -1, 1), (X,)),
        ("no bounds", lambda x: np.clip(x, None, None) * 2.0, (X,)),
        ("float", lambda x: np.clip(x, -1.0, 0.8), (0.3,)),
        ("f4", lambda x: np.clip(x, 0.5, 1.0), (SMALL,)),
        ("empty", lambda x: np.clip(x, 0.5, 1.0), (EMPTY,)),
    ),
    *rows(
        np.where,
        ("2d", lambda x, y, c: np.where(c, x, y), (X, Y), (MASK,)),
        ("broadcast", lambda x, y, c: np.where(c, x, y), (ROW, COLUMN), (MASK,)),
        ("mask grows", lambda x, y, c: np.where(c, x, y), (ROW, 1.5), (MASK,)),
        ("number", lambda x: np.where(x > 0, x, 0.0), (X,)),
        ("integer", lambda x: np.where(x > 0, x, 0), (X,)),
        ("list", lambda x: np.where(x > 0, [1.0, 2.0, 3.0], x), (X,)),
        ("floats", lambda x, y: np.where(x > y, x, y), (0.5, 1.5)),
        ("f4", lambda x: np.where(x > 1.0, x, 0.0), (SMALL,)),
        ("guards", lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), x), (X,)),
    ),
    *rows(
        np.select,
        ("two", lambda x, y: np.select([x > 0, y > 0], [x * y, y]), (X, Y)),
        ("default", lambda x: np.select([x > 1.0, x < -1.0], [1.0, x], 2 * x), (X,)),
        ("broadcast", lambda x, r, c: np.select([x > 0, c > 0], [r, c], 0.5), (X, ROW, COLUMN)),
        ("tuples", lambda x, m: np.select((m, ~m), (x, 3)), (X,), (MASK,)),
        ("lists", lambda x: np.select([[True, False, True]], [x], [1, 2, 3]), (X,)),
        ("f4", lambda x: np.select([x > 1.0], [x], 0), (SMALL,)),
        ("f4 and f8", lambda x, r: np.select([x > 1.0], [x], r), (SMALL, ROW)),
        ("complex", lambda x, z: np.select([x > 0], [z], x), (X, Z)),
        ("floats", lambda x: np.select([x > 0.0, x < 1.0], [x, x * x]), (0.5,)),
        ("empty", lambda x: np.select([x > 0.0], [x * 2.0]), (EMPTY,)),
    ),
    *rows(
        np.choose,
        ("arrays", lambda x, y, n: np.choose(n, [x, y, x * y]), (X, Y), (NUMBERS,)),
        ("broadcast", lambda x, n: np.choose(n, (x, 0.5, x[0])), (X,), (NUMBERS[0],)),
        ("rows", lambda x, n: np.choose(n, x), (np.concatenate([X, Y[:1]]),), (NUMBERS[0],)),
        ("wrap", lambda x, y, n: np.choose(n, [x, y], mode="wrap"), (X, Y), (INTEGERS,)),
        ("clip", lambda x, y, n: np.choose(n, [x, y], mode="clip"), (X, Y), (INTEGERS,)),
        ("numbered mode", lambda x, y, n: np.choose(n, [x, y], mode=0), (X, Y), (INTEGERS,)),
        ("by a test", lambda x, y: np.choose(x > y, [x, y]), (X, Y)),
        ("f4", lambda x, n: np.choose(n, [x, x * x, x]), (SMALL,), (NUMBERS,)),
        ("one", lambda x, y: np.choose(1, [x, y]) * x, (1.5, 2.5)),
    ),
    *rows(
        np.piecewise,
        ("functions", lambda x: np.piecewise(x, [x < 0, x >= 0], [np.exp, np.sin]), (X,)),
        ("otherwise", lambda x: np.piecewise(x, [x < -1], [np.exp, lambda v: v * v]), (X,)),
        ("numbers", lambda x: x * np.piecewise(x, [x < 0, x > 1], [-1, 2, 0.5]), (X,)),
        ("traced number", lambda x, a: np.piecewise(x, [x < 0], [a, np.exp]), (X, 0.7)),
        ("one condition", lambda x: np.piecewise(x, x < 0, [np.exp, np.sin]), (X[0],)),
        ("overlap", lambda x: np.piecewise(x, [x < 1, x < 0], [np.exp, np.sin, 0]), (X,)),
        ("none selected", lambda x: np.piecewise(x, [x > 9], [np.exp, 1]) * x, (X,)),
        ("arguments", lambda x: np.piecewise(x, [x < 0], [mean_of, 0], scale=2.0), (X,)),
        ("mask", lambda x, m: np.piecewise(x, [m], [np.exp, np.sin]), (X,), (MASK,)),
        ("f4", lambda x: np.piecewise(x, [x > 1], [np.exp, np.sin]), (SMALL,)),
        ("float", lambda x: np.piecewise(x, [x < 0, x >= 0], [np.exp, np.sin]), (0.5,)),
        ("0d", lambda x: np.piecewise(x, [x < 0, x >= 0], [np.exp, np.sin]), (np.array(0.5),)),
    ),
    *rows(
        np.nan_to_num,
        ("2d", lambda x, y: np.nan_to_num(y) * x, (X,), (X / 0.5,)),
        ("finite", np.nan_to_num, (X,)),
        ("f4", np.nan_to_num, (SMALL,)),
        ("complex", lambda z: np.nan_to_num(z * z), (Z,)),
        ("float", lambda x: np.nan_to_num(x) * x, (0.5,)),
        ("replacements", lambda x: np.nan_to_num(x, True, 1.0, 2.0, -2.0), (X,)),
        ("in place", filled_in, (X,)),
        ("of integers", lambda x, n: np.nan_to_num(n) * x, (X,), (INTEGERS,)),
        ("traced", lambda x, a, y: np.nan_to_num(x * y, nan=a), (X, 0.7), (np.log(Y + 1.5),)),
        ("arrays", lambda x, y: np.nan_to_num(x, nan=y, posinf=y), (X, ROW)),
        ("complex, arrays", lambda z, y: np.nan_to_num(z, nan=y), (Z, ROW)),
    ),
]

test_first_order, test_second_order = orders(CASES)

AT_KINKS = {
    "nan_to_num": (np.nan_to_num, (GAPS,), ([[0, 1, 0], [0, 1, 1]],)),
    "nan_to_num of f4": (np.nan_to_num, (GAPS_4,), ([[0, 1, 0], [0, 1, 1]],)),
    "nan_to_num to a traced number": (lambda x, a: np.nan_to_num(x, nan=a, neginf=a), (GAPS, 0.5),
                                      ([[0, 1, 0], [0, 1, 1]], 2.0)),
    "nan_to_num of complex numbers": (
        lambda z: np.real(np.nan_to_num(z)) + 0.5 * np.imag(np.nan_to_num(z, posinf=3.0)),
        (COMPLEX_GAPS,), ([[-0.5j, 1 - 0.5j, 0], [0, 1 - 0.5j, 1]],),
    ),
    "select takes the first": (lambda x, y: np.select([x > 0, x > 0], [x, y]),
                               (np.array([1.0, -1.0]), np.array([5.0, 6.0])), ([1, 0], [0, 0])),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "params", "gradients"), AT_KINKS.values(), ids=AT_KINKS)
def test_conventions_at_kinks(f, params, gradients, optimize):
    check(f, params, (), optimize, gradients)


@MODES
def test_a_bound_that_clips_gets_the_gradient(optimize):
    f = lambda p: np.sum(np.clip(p[0], p[1], p[2]) * np.array([1.0, 2.0, 4.0]))
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        (x, low, high), _ = df((np.array([-3.0, 0.5, 3.0]), 0.0, 1.0))
        assert x.tolist() == [0.0, 2.0, 0.0]
        assert (low, high) == (1.0, 4.0)
    assert not optimize or df.cache_info().direct == 0


@MODES
def test_piecewise_follows_its_conditions(optimize):
    """What is selected at one call is not what is selected at the next."""
    f = lambda x: np.sum(np.piecewise(x, [x < 0, x > 1], [np.exp, mean_of, 0.5], 2.0))
    wrong = lambda v, s=2.0: np.exp(v)
    df = jit_grad(lambda x: np.sum(np.piecewise(x, [x < 0, x > 1], [wrong, mean_of, 0.5], 2.0)),
                  optimize=optimize)  # fmt: skip
    for shift in (0.0, 0.5, -3.0, 3.0, 0.0):
        x = X + shift
        expected = np.piecewise(x, [x < 0, x > 1], [wrong, mean_of, 0.5], 2.0)
        assert df(x)[1] == pytest.approx(np.sum(expected), rel=1e-14)
    assert callable(f)


@MODES
def test_errors_are_those_of_numpy(optimize):
    calls = [
        (lambda x: np.select([x > 0], [x, x]), ValueError, "same length"),
        (lambda x: np.select([], []), ValueError, "empty"),
        (lambda x: np.select([x], [x]), TypeError, "boolean"),
        (lambda x: np.choose(np.array([0, 9, 0]), [x, x]), ValueError, "invalid entry"),
        (lambda x: np.piecewise(x, [x > 0], [1, 2, 3]), ValueError, "functions are expected"),
        (lambda x: np.where(x > 0, x), ValueError, "both or neither"),
    ]
    for f, kind, said in calls:
        with pytest.raises(kind, match=said):
            jit_grad(f, optimize=optimize)(X[0])
