"""Complex numbers: their parts, and holomorphic functions on the way."""

import numpy as np
import pytest

from tests.ops.cases import Case, X, orders, rows
from tests.support import CALLS, MODES, check, spaced
from tracejit import jit_grad
from tracejit.errors import NotScalarError, ParameterTypeError

Z, W = spaced(-1.3, 1.6, (2, 3), complex, 1), spaced(0.4, 1.9, (3,), complex, 2)
SINGLE = spaced(-1.3, 1.6, (2, 3), np.complex64, 3)


def _written_to(z, x):
    w = z * 1.0
    np.real(w)[0] = x[0] * 2.0
    np.imag(w)[:, 1] = x[:, 0]
    return w


def _number_as_part(z, y):
    w = z * 1.0
    w.imag = np.sin(y) * 0.3
    return w * z


CASES = [
    *rows(
        np.real,
        ("2d", np.real, (Z,)),
        ("of a real array", lambda x: np.real(x) * x, (X,)),
        ("c8", np.real, (SINGLE,)),
        ("of a product", lambda z, x: np.real(z * x), (Z, X)),
        ("number", np.real, (1.5 - 0.5j,)),
    ),
    *rows(
        np.imag,
        ("2d", np.imag, (Z,)),
        ("of a real array", lambda x: np.imag(x) + x, (X,)),
        ("c8", np.imag, (SINGLE,)),
        ("of a product", lambda z, w: np.imag(z * w), (Z, W)),
    ),
    *rows(
        np.conjugate,
        ("2d", np.conjugate, (Z,)),
        ("real", np.conjugate, (X,)),
        ("size", lambda z: np.real(z * np.conjugate(z)), (Z,)),
    ),
    *rows(
        np.sign,
        ("2d", np.sign, (Z,)),
        ("c8", np.sign, (SINGLE,)),
        ("number", np.sign, (1.5 - 0.5j,)),
        ("of a product", lambda z, w: np.real(np.sign(z * w)), (Z, W)),
        ("of a real array", lambda x: x * np.sign(x), (X,)),
    ),
    *rows(
        np.angle,
        ("2d", np.angle, (Z,)),
        ("degrees", lambda z: np.angle(z, deg=True), (Z,)),
        ("c8", np.angle, (SINGLE,)),
        ("number", np.angle, (1.5 - 0.5j,)),
        ("of a real array", lambda x: np.angle(x) * x, (X,)),
        ("of a float", lambda x: np.angle(x) * x, (-1.5,)),
    ),
    *rows(
        np.real_if_close,
        ("complex", np.real_if_close, (Z,)),
        ("close", lambda x: np.real_if_close(x + 0j) * x, (X,)),
        ("tolerance", lambda z: np.real_if_close(z, tol=5e15) * 2.0, (0.1 * SINGLE,)),
        ("real", lambda x: np.real_if_close(x) * x, (X,)),
    ),
    Case("written to", _written_to, (Z, X)),
    Case("a number as a part", _number_as_part, (Z, 0.7)),
    Case("a number as a part of c8", _number_as_part, (SINGLE, 0.7)),
    Case("product of both kinds", lambda z, x: np.exp(z) * x, (Z, X), second=True),
    Case("broadcast", lambda z, w: np.sin(z) * w, (Z, W), second=True),
    Case("real into complex", lambda x: np.exp(1j * x) * x, (X,), second=True),
    Case("matrix product", lambda z, x: z @ np.tanh(x.T), (Z, X), second=True),
    Case("numbers", lambda a, b: a * b + a, (0.5 + 1j, 2.0 - 0.25j), second=True),
    Case("a number and an array", lambda a, z: a * z, (0.5 + 1j, Z), second=True),
    Case("a real number times a complex array", lambda a, z: a * z, (0.5, Z), second=True),
    Case("sum and mean", lambda z: np.sum(z, axis=0) * np.mean(z), (Z,), second=True),
    Case("indexing", lambda z: z[0, ::-1] * z[1, 0], (Z,), second=True),
]

test_first_order, test_second_order = orders(CASES)


@MODES
def test_the_gradient_is_conjugated_as_in_hips_autograd(optimize):
    """The gradient of |z|**2 = x**2 + y**2 is du/dx - i du/dy = 2 (x - iy)."""
    f = lambda z: np.sum(np.real(z) ** 2 + np.imag(z) ** 2)
    check(f, (Z,), (), optimize, gradients=(2 * np.conjugate(Z),))


@MODES
def test_a_complex_loss_is_refused(optimize):
    with pytest.raises(NotScalarError, match=r"complex128 numbers: take np\.real or np\.abs"):
        jit_grad(lambda z: np.sum(z * z), optimize=optimize)(Z)


@MODES
def test_a_complex_cotangent_of_a_real_output_is_refused(optimize):
    df = jit_grad(lambda x: x * x, partialGrad=True, optimize=optimize)
    with pytest.raises(ParameterTypeError, match="must be real numbers"):
        df(X, X + 1j)


@MODES
def test_gradients_keep_the_kind_of_complex_parameters(optimize):
    f = lambda p: np.real(p[0] * p[1] * np.sum(p[2]))
    df = jit_grad(f, optimize=optimize)
    for _ in range(CALLS):
        (a, b, c), _ = df((1.0 + 2j, np.complex64(0.5 - 1j), SINGLE))
        assert type(a) is complex and type(b) is np.complex64 and c.dtype == np.complex64
    assert not optimize or df.cache_info().direct == 0


AT_KINKS = {
    "absolute of 0": (np.absolute, (np.array([0j, 3 - 4j]),), ([0, 0.6 + 0.8j],)),
    "sign of 0": (lambda z: np.real(np.sign(z)), (np.array([0j, 2j]),), ([1, 0.5],)),
    "maximum shares": (lambda z, w: np.real(np.maximum(z, w)), (np.array([1j]), np.array([1j])),
                       ([0.5], [0.5])),
    "power of a negative number": (lambda y: np.real(np.power(np.array([-1.0]), y)),
                                   (np.array([0.5 + 0j]),), ([1j * np.pi * 1j],)),
    "square of 0": (lambda z: np.real(np.power(z, 2)), (np.array([0j]),), ([0],)),
}  # fmt: skip


@MODES
@pytest.mark.parametrize(("f", "params", "gradients"), AT_KINKS.values(), ids=AT_KINKS)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_conventions_at_kinks(f, params, gradients, optimize):
    check(f, params, (), optimize, gradients)


@MODES
def test_whether_numbers_are_real_is_looked_at_each_time(optimize):
    df = jit_grad(lambda z: np.sum(np.abs(np.real_if_close(z))), optimize=optimize)
    for z in (Z, np.real(Z) + 0j, Z, np.real(Z) + 0j):
        grads, value = df(z)
        assert value == pytest.approx(np.sum(np.abs(z)), rel=1e-14)
        np.testing.assert_allclose(grads, np.conjugate(z) / np.abs(z), rtol=1e-14)
