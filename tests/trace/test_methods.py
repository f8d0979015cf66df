"""The methods and attributes of traced arrays, and what Python itself asks of an array."""

import copy

import numpy as np
import pytest

from tests.support import MODES, check, spaced
from tracejit import jit_grad
from tracejit.dag.op import BY_FUNCTION, COMPOSITES
from tracejit.trace import dispatch

X = spaced(-1.9, 1.7, (2, 3, 4), seed=1)
MATRIX = spaced(-1.9, 1.7, (3, 4), seed=2)

METHODS = {
    "sum": lambda x: x.sum(),
    "sum axis": lambda x: x.sum(axis=0, keepdims=True),
    "sum positional": lambda x: x.sum(1),
    "mean": lambda x: x.mean(axis=(0, 2)),
    "max": lambda x: x.max(axis=1),
    "min": lambda x: x.min(keepdims=True),
    "prod": lambda x: x.prod(axis=-1),
    "var": lambda x: x.var(axis=0, ddof=1),
    "std": lambda x: x.std(axis=1),
    "any": lambda x: x * (x > 1.5).any(axis=0),
    "all": lambda x: x * (x < 1.5).all(axis=0),
    "argmax": lambda x: x * x.argmax(axis=0),
    "argmin": lambda x: x * x.argmin(),
    "cumsum": lambda x: x.cumsum(axis=1),
    "cumsum flat": lambda x: x.cumsum(),
    "dot": lambda x: x.dot(np.array([1.0, -2.0, 3.0, 0.5])),
    "squeeze": lambda x: x[:1].squeeze() * 2.0,
    "squeeze axis": lambda x: x[:1].squeeze(axis=0) * 2.0,
    "swapaxes": lambda x: x.swapaxes(0, -1) * 2.0,
    "ravel": lambda x: x.ravel() * 2.0,
    "ravel F": lambda x: x.ravel("F") * 2.0,
    "flatten": lambda x: x.flatten() * 2.0,
    "flatten F": lambda x: x.flatten("F") * 2.0,
    "clip": lambda x: x.clip(-1.0, 1.2),
    "clip keywords": lambda x: x.clip(max=0.5),
    "round": lambda x: x * x.round(1),
    "round whole": lambda x: x * x.round(),
    "copy": lambda x: x.copy() * 2.0,
    "reshape numbers": lambda x: x.reshape(4, 6) * 2.0,
    "reshape tuple": lambda x: x.reshape((4, -1)) * 2.0,
    "reshape -1": lambda x: x.reshape(-1) * 2.0,
    "reshape F": lambda x: x.reshape(4, 6, order="F") * 2.0,
    "transpose": lambda x: x.transpose() * 2.0,
    "transpose numbers": lambda x: x.transpose(1, 2, 0) * 2.0,
    "transpose tuple": lambda x: x.transpose((1, -1, 0)) * 2.0,
    "transpose None": lambda x: x.transpose(None) * 2.0,
    "astype": lambda x: x.astype(np.float64) * 2.0,
    "astype no copy": lambda x: x.astype("f8", copy=False) * 2.0,
    "item": lambda x: x * (x > 0).sum().item(),
    "item of a place": lambda x: x * (x > 0).item(0, 1, 2),
    "item of a flat place": lambda x: x * (x > 0).item(7),
    "T": lambda x: x.T * 2.0,
    "mT": lambda x: x.mT * 2.0,
    "shape": lambda x: x * x.shape[1] + x.ndim + x.size,
    "nbytes": lambda x: x * x.nbytes + x.itemsize,
    "dtype": lambda x: x * np.ones(4, x.dtype),
    "len": lambda x: x * len(x),
    "take": lambda x: x.take([1, 0, 1], axis=1) * 2.0,
    "compress": lambda x: x.compress([True, False, True], axis=1) * 2.0,
    "nonzero": lambda x: x[(x > 0).nonzero()] * 2.0,
    "view": lambda x: x.view() * x.view(np.ndarray) * x.view(x.dtype),
    "astype in order": lambda x: x.astype(float, order="F", casting="safe") * 2.0,
    "strides": lambda x: x * x.strides[0] * x.flags.c_contiguous * (x.device == "cpu"),
    "flat": lambda x: x.flat[3] * x.flat[[1, 2]] * len(x.flat) + sum(x.flat) * x.flat.copy()[:2],
    "real": lambda x: x.real * 2.0,
    "imag": lambda x: x + x.imag,
    "conj": lambda x: x.conj() * 2.0,
    "conjugate": lambda x: x.conjugate() * 2.0,
    "conj of reals is the array": lambda x: (lambda z: z.conj().fill(3.0) or z * x)(x * 1.0),
    "tobytes": lambda x: x * len((x.shape, np.zeros(3).tobytes())),
    "cumprod": lambda x: x.cumprod(axis=1),
    "repeat": lambda x: x.repeat(2, axis=0) * 2.0,
    "choose": lambda x: (x[0] > 0).choose([x[0], x[1]]) * 2.0,
    "diagonal": lambda x: x.diagonal(0, 1, 2) * 2.0,
    "trace": lambda x: x.trace(0, 1, 2) * 2.0,
    "searchsorted": lambda x: x * np.arange(3.0).searchsorted(x),
    "argsort": lambda x: x * x.argsort(axis=0),
    "argpartition": lambda x: x * x.argpartition(0, axis=0),
    "np.shape": lambda x: x * np.shape(x)[2] + np.ndim(x) + np.size(x),
    "np.size axis": lambda x: x * np.size(x, 1),
}


def is_declared(name):
    """Tell whether the NumPy function behind a method has an op."""
    function = getattr(np, name.split()[0], None)
    return name not in REORDERING or function in BY_FUNCTION or function in COMPOSITES


REORDERING = {
    "cumprod", "repeat", "choose", "diagonal", "trace", "searchsorted", "argsort", "argpartition",
    "sort", "partition",
}  # fmt: skip


@MODES
@pytest.mark.parametrize("name", [name for name in METHODS if is_declared(name)])
def test_methods(name, optimize):
    check(METHODS[name], (X,), (), optimize)


def fill(z, y):
    z[1].fill(3.0)


def put(z, y):
    z.put([0, -1, 2], y)
    z.T.put([1, 99], y[0] * 2.0, mode="clip")


def flat(z, y):
    z[0].flat = y
    z.flat[5] = y[0] * y[1]
    z.T.flat[[0, 1]] = [y[2], 1.5]


def real(z, y):
    z.real = z * 2.0
    z[0].real[0] = y[0]


def sort(z, y):
    z.sort(axis=1)


def partition(z, y):
    z.partition(1)


WRITES = [fill, put, flat, real, sort, partition]


@MODES
@pytest.mark.parametrize("write", [w for w in WRITES if is_declared(w.__name__)])
def test_methods_that_write(write, optimize):
    def f(x, y):
        z = x * 1.0
        write(z, y)
        return z * x

    check(f, (MATRIX, MATRIX[0, :3] * 2.0), (), optimize)


@MODES
def test_parts_of_complex_arrays(optimize):
    def f(x, y):
        z = x * (1.0 + 2.0j)
        z.real = y
        z[0].imag = [y[0], 1.0, 2.0, 3.0]
        z.imag[1, 1:] = y[1:]
        return (z * z).real + (z.conj() * z.imag).imag

    check(f, (MATRIX, MATRIX[2]), (), optimize)


NUMBERS = {
    "real and imag": lambda a, n: a.real * 2.0 + a.imag + n.real * a + n.imag,
    "conjugate": lambda a, n: a.conjugate() * n.conjugate(),
    "bit_length": lambda a, n: a * n.bit_length(),
    "complex": lambda a, n: complex(a, a * a).imag + complex(n).real + (a * 1j).imag,
    "parts": lambda a, n: (lambda z: z.real * z.imag + z.conjugate().imag)(complex(a, 2.0 * a)),
    "power of 1j": lambda a, n: ((a + 1j) ** 2).real,
}


@MODES
@pytest.mark.parametrize("f", NUMBERS.values(), ids=NUMBERS)
def test_methods_of_python_numbers(f, optimize):
    check(f, (1.25,), (6,), optimize)


@MODES
def test_methods_of_floats(optimize):
    def f(a):
        whole = a.is_integer() + 2 * (a * 4).is_integer()
        return a * whole * len(a.hex()) * a.as_integer_ratio()[1]

    df = jit_grad(f, optimize=optimize)
    for a in (1.25, 1.25, 1.25, 2.5, 3.0):
        assert df(a) == (f(a) / a, f(a))


def test_methods_are_those_of_the_value():
    def f(x, a):
        asked = [hasattr(x, name) for name in ("sum", "flat", "hex", "real", "is_integer")]
        assert asked == [True, True, False, True, False]
        assert [hasattr(a, name) for name in ("take", "hex", "real")] == [False, True, True]
        with pytest.raises(AttributeError, match="read-only"):
            x.take = x
        with pytest.raises(TypeError, match="imaginary"):
            (x * 1.0).imag = 2.0
        return np.sum(x) * a

    jit_grad(f, optimize=False)(MATRIX, 2.0)


def test_every_method_is_tested():
    text = " ".join([*METHODS, *NUMBERS, *(write.__name__ for write in WRITES)])
    text += "strides flags device hex as_integer_ratio is_integer"
    assert {name for name in dispatch.METHODS if name not in text} == {
        "bit_count", "to_bytes", "tofile", "dump", "dumps",
    }  # fmt: skip


SCALARS = {
    "sum": lambda x: np.sin(x).sum() * 2.0,
    "reshape": lambda x: np.sin(x).reshape(1, 1) * 2.0,
    "T": lambda x: np.sin(x).T * 2.0,
    "astype": lambda x: np.sin(x).astype(np.float64) * 2.0,
    "max": lambda x: np.sin(x).max(),
    "clip": lambda x: np.sin(x).clip(-2.0, 2.0),
    "ravel": lambda x: np.sin(x).ravel() * 1.0,
    "copy": lambda x: np.sin(x).copy() * 2.0,
    "index": lambda x: np.sin(x)[None] * 2.0,
    "all of it": lambda x: np.sin(x)[()] * 2.0,
    "shape": lambda x: x * (np.sin(x).ndim + np.sin(x).size),
}


@MODES
@pytest.mark.parametrize("f", SCALARS.values(), ids=SCALARS)
def test_methods_of_numpy_scalars(f, optimize):
    check(f, (np.float64(0.7),), (), optimize)


def loop(x):
    total = 0.0
    for row in x:
        total = total + np.sin(row) * row[0]
    return total


ITERATIONS = {
    "for": loop,
    "unpacking": lambda x: (lambda a, b, c: a * b - c)(*x),
    "starred": lambda x: (lambda first, *rest: first + rest[-1])(*x),
    "enumerate": lambda x: sum(i * row for i, row in enumerate(x)),
    "zip": lambda x: sum(a * b for a, b in zip(x, np.sin(x), strict=True)),
    "reversed": lambda x: sum(i * row for i, row in enumerate(reversed(x))),
    "list": lambda x: list(x)[1] * 2.0,
    "sum": lambda x: sum(x),
    "comprehension": lambda x: np.stack([row[0] * row[1] for row in x]),
    "range(len)": lambda x: sum(x[i] ** (i + 1) for i in range(len(x))),
    "elements": lambda x: sum(e * e for row in x for e in row),
}


@MODES
@pytest.mark.parametrize("f", ITERATIONS.values(), ids=ITERATIONS)
def test_iteration(f, optimize):
    check(f, (MATRIX,), (), optimize)


def test_iterating_over_a_0d_array_is_a_type_error():
    def f(x):
        with pytest.raises(TypeError):
            iter(x)
        with pytest.raises(TypeError):
            len(x)
        return x * 2.0

    assert jit_grad(f, optimize=False)(np.array(1.0)) == (2.0, 2.0)
    assert jit_grad(f, optimize=False)(1.0) == (2.0, 2.0)


def test_isinstance_and_attributes():
    def f(x, n):
        assert isinstance(x, np.ndarray) and isinstance(x * 2.0, np.ndarray)
        assert x.dtype == np.float64 and (x > 0).dtype == bool and n.dtype.kind == "i"
        assert x.shape == (3, 4) and x[0].shape == (4,) and x.T.shape == (4, 3)
        assert (x.ndim, x.size, len(x), x.nbytes, x.itemsize) == (2, 12, 3, 96, 8)
        assert np.result_type(x, np.float32) == np.float64
        assert np.isrealobj(x) and not np.iscomplexobj(x) and np.isscalar(x.sum())
        assert callable(x.mean) and not hasattr(x, "nothing")
        return np.sum(x)

    grad, _ = jit_grad(f, optimize=False)(MATRIX, np.arange(3))
    np.testing.assert_array_equal(grad, np.ones((3, 4)))


def test_copies_do_not_alias():
    def f(x):
        z = x * 1.0
        for copied in (copy.copy(z), copy.deepcopy(z), z.copy(), np.copy(z)):
            copied[0] = 0.0
        return np.sum(z * x)

    grad, value = jit_grad(f, optimize=False)(MATRIX)
    np.testing.assert_allclose(grad, 2 * MATRIX)
    assert np.isclose(value, np.sum(MATRIX**2))


def test_text_and_hash_show_the_value():
    def f(x):
        shown.append((str(x), repr(x), f"{x[0]:.3f}"))
        return np.sum(x)

    shown = []
    x = np.array([1.5, 2.5])
    jit_grad(f, optimize=False)(x)
    assert shown == [(str(x), repr(x), "1.500")]


def test_membership_looks_at_values():
    def f(x):
        assert 2.5 in x and 9.0 not in x
        return np.sum(x)

    assert jit_grad(f, optimize=False)(np.array([1.5, 2.5]))[1] == 4.0


def test_tracers_that_escape_act_as_their_values():
    kept = []

    def f(x):
        y = x * 2.0
        kept.append(y)
        return np.sum(y)

    x = np.array([1.5, 2.5])
    jit_grad(f, optimize=False)(x)
    (y,) = kept
    np.testing.assert_array_equal(np.asarray(y), [3.0, 5.0])
    assert type(y + 1.0) is np.ndarray and (y + 1.0).tolist() == [4.0, 6.0]
    assert float(y[0]) == 3.0 and np.sum(y) == 8.0
