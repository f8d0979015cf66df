"""Fourier transforms: lengths, axes, scalings, real and complex input, both derivatives."""

import numpy as np
import pytest

from tests.ops.cases import Case, X, orders, rows
from tests.support import CALLS, MODES, assert_same, spaced
from tracejit import jit_grad

FFT = np.fft
SIGNAL, WAVES = spaced(-1.3, 1.6, (5,), seed=1), spaced(-1.3, 1.6, (3, 4), seed=2)
Z, ZZ = spaced(-1.3, 1.6, (5,), complex, 3), spaced(-1.3, 1.6, (3, 4), complex, 4)
CUBE, ZZZ = spaced(-1.0, 1.0, (2, 3, 2), seed=5), spaced(-1.0, 1.0, (2, 3, 2), complex, 6)
SINGLE = spaced(-1.0, 1.0, (2, 4), np.float32, seed=7)


def using(f, **options):
    """A transform with fixed options."""
    return lambda x: f(x, **options)


def along_one_axis(f, real):
    """Cases of a transform along one axis; `real`: of real input only."""
    signal, waves = (SIGNAL, WAVES) if real else (Z, ZZ)
    rest = [] if real else [
        ("of real input", f, (SIGNAL,)),
        ("of real input, longer", using(f, n=7), (SIGNAL,)),
        ("c8", f, (Z.astype(np.complex64),)),
    ]  # fmt: skip
    return rows(
        f,
        ("odd", f, (signal,)),
        ("even", f, (signal[:4],)),
        ("strided", f, (signal[::-2],)),
        ("shorter", using(f, n=3), (signal,)),
        ("longer by an odd number", using(f, n=8), (signal,)),
        ("longer", using(f, n=7), (signal,)),
        ("of two", f, (signal[:2],)),
        ("cut to one", using(f, n=1), (signal,)),
        ("axis", using(f, axis=0), (waves,)),
        ("axis and length", using(f, n=5, axis=-2), (waves,)),
        ("f4", f, (SINGLE,)),
        *rest,
    ) + rows(
        f,
        *((norm, using(f, norm=norm), (signal,)) for norm in ("ortho", "forward", "backward")),
        second=False,
    )


def along_several_axes(f, real):
    """Cases of a transform along several axes."""
    waves, cube = (WAVES, CUBE) if real else (ZZ, ZZZ)
    rest = [] if real else [("of real input", f, (WAVES,))]
    return rows(
        f,
        ("2d", f, (waves,)),
        ("axes", using(f, axes=(0, 2)), (cube,)),
        ("axes and lengths", using(f, s=(2, 5), axes=(1, 0)), (waves,)),
        *rest,
    ) + rows(
        f,
        ("ortho", using(f, norm="ortho"), (waves,)),
        ("as long as it is", using(f, s=(-1, 3), axes=(0, 1), norm="forward"), (waves,)),
        ("fortran", f, (np.asfortranarray(waves),)),
        ("one axis", using(f, axes=(0,)), (waves,)),
        ("one axis twice", using(f, axes=(1, 1)), (waves,)),
        ("f4", f, (SINGLE,)),
        second=False,
    )


CASES = [
    *along_one_axis(FFT.fft, real=False),
    *along_one_axis(FFT.ifft, real=False),
    *along_one_axis(FFT.rfft, real=True),
    *along_one_axis(FFT.irfft, real=False),
    *along_one_axis(FFT.hfft, real=False),
    *along_one_axis(FFT.ihfft, real=True),
    *along_several_axes(FFT.fft2, real=False),
    *along_several_axes(FFT.ifft2, real=False),
    *along_several_axes(FFT.rfft2, real=True),
    *along_several_axes(FFT.irfft2, real=False),
    *along_several_axes(FFT.fftn, real=False),
    *along_several_axes(FFT.ifftn, real=False),
    *along_several_axes(FFT.rfftn, real=True),
    *along_several_axes(FFT.irfftn, real=False),
    *(
        case
        for f in (FFT.fftshift, FFT.ifftshift)
        for case in rows(
            f,
            ("odd", f, (SIGNAL,)),
            ("2d", f, (WAVES,)),
            ("axis", using(f, axes=1), (WAVES,)),
            ("axes", using(f, axes=(0,)), (ZZ,)),
        )
    ),
    Case("power spectrum", lambda x: np.real(FFT.rfft(x) * np.conjugate(FFT.rfft(x))), (SIGNAL,),
         second=True),
    Case("filter", lambda x, w: FFT.irfft(FFT.rfft(x) * w, 5), (SIGNAL, Z[:3]), second=True),
    Case("integers", lambda x, n: FFT.rfft(n) * x, (1.5,), (np.arange(4),)),
    Case("frequencies", lambda x, d: x * FFT.fftfreq(5, d) + FFT.rfftfreq(8, d), (SIGNAL, 0.25),
         second=True),
]  # fmt: skip

test_first_order, test_second_order = orders(CASES)


@MODES
@pytest.mark.parametrize("f", [FFT.fft, FFT.rfft, FFT.irfft, FFT.fft2, FFT.rfftn])
def test_half_precision_is_widened_as_in_numpy(f, optimize):
    x = SINGLE.astype(np.float16)
    df = jit_grad(lambda x: (np.sum(np.real(f(x))), f(x)), optimize=optimize)
    for _ in range(CALLS):
        gradient, _, value = df(x)
        assert_same(value, f(x))
        assert gradient.dtype == x.dtype


@MODES
def test_a_length_that_comes_from_the_data_is_looked_at_again(optimize):
    df = jit_grad(lambda x, n: np.sum(x * FFT.fftfreq(n, 0.1) ** 2), optimize=optimize)
    for n in (3, 3, 4, 3):
        slope, _ = df(1.0, n)
        np.testing.assert_allclose(slope, np.sum(FFT.fftfreq(n, 0.1) ** 2))
    assert not optimize or df.cache_info().direct == 0, df.explain()


WRONG = {
    "no terms": (using(FFT.fft, n=0), ValueError),
    "norm": (using(FFT.fft, norm="unitary"), ValueError),
    "norm of hfft": (using(FFT.hfft, norm="unitary"), ValueError),
    "axis": (using(FFT.fft, axis=2), IndexError),
    "axes": (using(FFT.fftn, axes=(3,)), IndexError),
    "lengths of other axes": (using(FFT.fftn, s=(2,), axes=(0, 1)), ValueError),
    "no axis of a real transform": (using(FFT.rfftn, axes=()), IndexError),
    "length": (using(FFT.fft, n=2.5), TypeError),
}


@MODES
@pytest.mark.parametrize(("f", "error"), WRONG.values(), ids=WRONG)
def test_errors_are_numpys(f, error, optimize):
    with pytest.raises(error):
        f(X)
    with pytest.raises(error):
        jit_grad(lambda x: np.sum(np.real(f(x))), optimize=optimize)(X)


@MODES
@pytest.mark.parametrize("axes", [(), None])
def test_nothing_is_done_along_no_axes(axes, optimize):
    x = X if axes == () else np.array(1.5)
    gradient, value = jit_grad(lambda x: np.sum(FFT.fftn(x, axes=axes)), optimize=optimize)(x)
    assert value == np.sum(x)
    np.testing.assert_array_equal(gradient, np.ones_like(x))
