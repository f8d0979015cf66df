"""Results written where the user wants them: out=, where=, and what does not fit there."""

import numpy as np
import pytest

from tests.support import MODES, check, spaced
from tracejit import jit_grad

X = spaced(-1.9, 1.7, (4, 3), seed=1)
ROW = spaced(0.4, 2.1, (3,), seed=2)


def out_ufunc(x, y):
    z = x * 1.0
    w = np.sin(x, out=z)
    return z * w


def out_is_an_operand(x, y):
    z = x * 1.0
    np.multiply(z, y, out=z)
    np.add(z, z, out=z)
    return z * z


def out_of_a_reduction(x, y):
    z = y * 1.0
    np.sum(x, axis=0, out=z)
    return z * z


def out_of_a_method(x, y):
    z = y * 1.0
    x.sum(axis=0, out=z)
    return z * z


def out_into_a_view(x, y):
    z = x * 1.0
    np.exp(y, out=z[1])
    return z * z


def out_overlaps_its_operands(x, y):
    z = x * 1.0
    np.add(z[1:], z[:-1], out=z[1:])
    np.multiply(z[::-1], z, z)
    return z * z


def out_of_matmul(x, y):
    z = x[:, 0] * 1.0
    np.matmul(x, y, out=z)
    return z * z


def out_of_dot(x, y):
    z = x[:, 0] * 1.0
    np.dot(x, y, out=z)
    return z * z


def out_of_concatenate(x, y):
    z = np.concatenate([y, y]) * 1.0
    np.concatenate([y, x[0]], out=z)
    return z * z


def out_of_clip(x, y):
    z = x * 1.0
    np.clip(x, -1.0, 0.8, out=z)
    z.clip(-0.9, 0.7, out=z)
    return z * z


def where_with_out(x, y):
    z = x * 1.0
    np.multiply(x, y, out=z, where=x > 0)
    return z * z


def where_guards_a_pole(x, y):
    z = np.zeros_like(x)
    np.log(x, out=z, where=x > 0.2)
    np.divide(y, x, out=z, where=x < -0.2)
    return z * z


def where_into_zeros(x, y):
    return np.exp(x, out=np.zeros((4, 3)), where=x > 0.2)


def dtype_and_casting(x, y):
    z = np.zeros((4, 3), np.float32)
    np.multiply(x, y, out=z, casting="unsafe", dtype=float)
    return np.add(x, 1, dtype=np.float64) * (z > 0.0)


def where_constant_mask(x, y):
    z = x * 1.0
    np.add(z, y, out=z, where=[True, False, True])
    return z * z


def where_scalar(x, y):
    z = x * 1.0
    np.add(z, y, out=z, where=True)
    return z * z


def where_with_an_array_of_one_number(x, y):
    return np.tanh(x, out=np.ones_like(x), where=x > 0)


OUT = [
    out_ufunc, out_is_an_operand, out_overlaps_its_operands, out_of_a_reduction,
    out_of_a_method, out_into_a_view,
    out_of_matmul, out_of_dot, out_of_concatenate, out_of_clip, where_with_out,
    where_guards_a_pole, where_constant_mask, where_scalar, where_with_an_array_of_one_number,
    where_into_zeros, dtype_and_casting,
]  # fmt: skip


@MODES
@pytest.mark.parametrize("f", OUT, ids=lambda f: f.__name__)
def test_out_and_where(f, optimize):
    check(f, (X, ROW), (), optimize)


@MODES
def test_out_by_position(optimize):
    """What NumPy takes by position after `out` goes by its name."""
    forms = [
        lambda x: np.sum(x, 0, None, None, True),
        lambda x: np.max(x, 0, np.zeros(3)) * 2.0,
        lambda x: x.mean(1, None, np.zeros(4)) * x[:, 0],
        lambda x: np.quantile(x, 0.3, 0, None, False, "lower"),
        lambda x: np.take(x, [0, 5], 1, None, "wrap"),
        lambda x: np.sinc(x=x),
        lambda x: np.sum([1.0, 2.0], 0, None, np.zeros(())) * x,
    ]
    for f in forms:
        check(f, (X,), (), optimize)


def test_out_must_fit():
    def narrow(x):
        np.add(x, 1.0, out=np.zeros_like(x, dtype=int))

    def short(x):
        np.add(x, 1.0, out=x[0] * 1.0)

    with pytest.raises(TypeError, match="Cannot cast"):
        jit_grad(narrow)(X)
    with pytest.raises(ValueError, match="non-broadcastable output"):
        jit_grad(short)(X)


def test_in_place_must_fit():
    def grows(x):
        z = x[0] * 1.0
        z += x

    def to_integers(x, n):
        m = n * 2
        m += x[0]

    with pytest.raises(ValueError, match="non-broadcastable output"):
        jit_grad(grows)(X)
    with pytest.raises(TypeError, match="Cannot cast"):
        jit_grad(to_integers)(X, np.arange(3))


WIDER = {
    "sum": lambda x, z: np.sum(x, 0, out=z),
    "a method": lambda x, z: x.sum(0, None, z),
    "mean": lambda x, z: np.mean(x, axis=0, out=z),
    "cumsum": lambda x, z: np.cumsum(x[:, 1], out=z),
    "nancumprod": lambda x, z: np.nancumprod(x[:, 1], out=z),
    "a dtype": lambda x, z: np.sum(x, 0, dtype="f4", out=z),
    "reduce": lambda x, z: np.add.reduce(x, out=z),
    "accumulate": lambda x, z: np.multiply.accumulate(x[:, 1], out=z),
    "a narrower one": lambda x, z: np.sum(x, 0, out=z.astype("f2")).astype("f8"),
    "integers": lambda x, z: np.sum(np.rint(10 * x).astype("i4"), 0, out=z),
    "mean of integers": lambda x, z: np.mean(np.rint(10 * x).astype("i4"), 0, out=z),
}


@MODES
@pytest.mark.parametrize("f", WIDER.values(), ids=WIDER)
def test_sums_are_computed_in_the_dtype_of_out(f, optimize):
    x = spaced(-1.9, 1.7, (3, 3), seed=5).astype("f4")
    got, expected = np.zeros(3), np.zeros(3)
    f(x, expected)

    def loss(x):
        z = np.zeros(3)
        f(x, z)
        return np.sum(x * x), z

    compiled = jit_grad(loss, optimize=optimize)
    for _ in range(2):
        got = compiled(x)[2]
    if f is not WIDER["a narrower one"]:
        np.testing.assert_allclose(got, expected, rtol=1e-15)
