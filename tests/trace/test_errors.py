"""What cannot be recorded is an error that says what, where and what to do instead."""

import array
import functools
import json
import math
import pickle
import sys

import numpy as np
import pytest

from tests.support import MODES, check
from tracejit import jit_grad
from tracejit.errors import LostGradientError, TracejitError, UnsupportedError
from tracejit.trace.suggest import advice

pytestmark = pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")

X = np.array([[1.5, 0.5, 2.5], [0.25, 3.0, 1.0]])


def line_of(function):
    """The line of a lambda in this file."""
    return function.__code__.co_firstlineno


def raised(f, optimize, x=X):
    with pytest.raises(TracejitError) as caught:
        jit_grad(f, optimize=optimize)(x)
    return caught.value


UNSUPPORTED = {
    "np.polydiv": lambda x: np.polydiv(x, x)[0],
    ".setflags": lambda x: x.setflags(write=False),
    ".byteswap": lambda x: x.byteswap(),
    ".resize": lambda x: (x * 1.0).resize(2),
}

KEYWORDS = {
    "np.clip to a dtype": (lambda x: np.sum(np.clip(x, 0, 1, dtype=float)), "np.clip", "dtype"),
    "ufunc where": (lambda x: np.sum(np.sqrt(x, where=x > 1.0)), "np.sqrt", "out="),
}


@MODES
@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported_functions(name, optimize):
    f = UNSUPPORTED[name]
    error = raised(f, optimize)
    assert isinstance(error, UnsupportedError)
    assert name in str(error)
    assert f"{__file__}:{line_of(f)}" in str(error)


@MODES
@pytest.mark.parametrize(("f", "function", "word"), KEYWORDS.values(), ids=KEYWORDS)
def test_unsupported_keywords(f, function, word, optimize):
    error = raised(f, optimize)
    assert isinstance(error, UnsupportedError)
    assert function in str(error) and word in str(error)
    assert f"{__file__}:{line_of(f)}" in str(error)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("np.nansum", "np.sum"), ("np.cumulative_trapezoid", None), ("np.stacked", "np.stack"),
        ("np.linalg.inverse", "np.linalg.inv"), ("np.roll", None), ("np.flip", None),
        ("np.poly", None), ("np.roots", None), ("scipy.stats.wishart.logpdf", None),
    ],
)  # fmt: skip
def test_the_nearest_supported_one_is_named(name, nearest):
    known = ["np.all", "np.any", "np.clip", "np.exp", "np.inv", "np.linalg.inv", "np.stack",
             "np.sum", "np.vander", "scipy.stats.uniform.logpdf"]  # fmt: skip
    said = f"; the nearest supported one is {nearest}" if nearest else ""
    assert advice(name, known) == said


def test_errors_say_how_to_declare_a_gradient():
    said = str(raised(lambda x: np.sum(np.frompyfunc(abs, 1, 1)(x)), False))
    assert "not supported yet" in said and "tracejit.primitive and tracejit.defvjp" in said
    said = str(raised(lambda x: (x * 1.0).resize(2), False))
    assert said.endswith("; the nearest supported one is reshape")


LOST = {
    "np.float64": lambda x: np.float64(x[0, 0]),
    "tolist": lambda x: sum(x[0].tolist()),
    "float of NumPy": lambda x: np.asarray(0.0).dtype.type(x[0, 0]),
    "array": lambda x: np.sum(array.array("d", x[0])),
    "pickle": lambda x: pickle.dumps(x),
}


@MODES
@pytest.mark.parametrize("f", LOST.values(), ids=LOST)
def test_gradients_are_never_lost_silently(f, optimize):
    with pytest.raises((TypeError, ValueError, NotImplementedError)) as caught:
        jit_grad(f, optimize=optimize)(X)
    chain = [caught.value]
    while chain[-1].__cause__ or chain[-1].__context__:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    named = [e for e in chain if isinstance(e, LostGradientError | UnsupportedError)]
    assert named, caught.value
    assert f"{__file__}:{line_of(f)}" in str(named[0])


@MODES
def test_what_a_library_loses_is_said_of_the_line_that_calls_it(optimize):
    ndimage = pytest.importorskip("scipy.ndimage")

    def smooth(x):
        return np.sum(ndimage.gaussian_filter(x, 1.0))

    error = raised(smooth, optimize)
    assert isinstance(error, LostGradientError)
    assert f"in scipy.ndimage, called at {__file__}:{line_of(smooth) + 1}," in str(error)
    assert "tracejit.primitive" in str(error)


KEPT = {
    "float": lambda x: float(x[0, 0]) * x[1, 1],
    "complex": lambda x: complex(x[0, 0]).real * complex(2.0, x[0, 1]).imag,
    "list of a list": lambda x: np.sum([x[0, 0], x[0, 1]]),
    "np.r_": lambda x: np.sum(np.r_[x[0], 2.0]),
    "np.fromiter": lambda x: np.sum(np.fromiter((e for e in x[0]), float)),
    "math.sin": lambda x: math.sin(x[0, 0]),
    "math.fsum": lambda x: math.fsum(x[0]),
    "np.array": lambda x: np.sum(np.array([x[0, 0], x[0, 1]])),
    "np.array of arrays": lambda x: np.sum(np.array([x[0], x[1]]) * x),
    "np.array of one": lambda x: np.sum(np.array(x) ** 2),
    "np.array of a view": lambda x: np.sum(np.array(x.T)[0]),
    "np.asarray": lambda x: np.sum(np.asarray(x) ** 2),
    "np.full": lambda x: np.sum(np.full(3, x[0, 0])),
    "np.ascontiguousarray": lambda x: np.sum(np.ascontiguousarray(x.T) * x.T),
    "np.linspace": lambda x: np.sum(np.linspace(0.0, x[0, 0], 3)),
    "np.zeros_like in F order": lambda x: np.sum((np.zeros_like(x, order="F") + x) * x),
    "map": lambda x: sum(map(float, x[0])),
    "reduce": lambda x: functools.reduce(lambda a, b: a * b, [float(v) for v in x[0]]),
}


@MODES
@pytest.mark.parametrize("f", KEPT.values(), ids=KEPT)
def test_gradients_are_kept(f, optimize):
    check(f, (X,), (), optimize)


@pytest.mark.filterwarnings("ignore::tracejit.errors.TracejitWarning")
@MODES
def test_values_without_a_gradient_may_leave(optimize):
    def f(x, n):
        low = float(n[0]) + int(n[1]) + math.floor(n[1])
        names = json.dumps({"n": [int(i) for i in n]})
        assert names == '{"n": [2, 3]}' and n.tolist() == [2.0, 3.0]
        for i in range(int(n[0])):
            low = low + i
        return np.sum(x) * low * np.sum(np.asarray(n))

    df = jit_grad(f, optimize=optimize)
    for _ in range(3):
        grad, _ = df(X, np.array([2.0, 3.0]))
        np.testing.assert_array_equal(grad, np.full(X.shape, 45.0))


@MODES
def test_errors_name_the_line_in_helpers(optimize):
    def helper(x):
        return np.polydiv(x, x)[0]

    error = raised(lambda x: np.sum(helper(x)), optimize)
    assert f"{__file__}:{line_of(helper) + 1}" in str(error)


@MODES
def test_numpys_own_errors_pass_through(optimize):
    cases = [
        (lambda x: np.sum(x + np.ones(5)), ValueError, "broadcast"),
        (lambda x: x[7], IndexError, "out of bounds"),
        (lambda x: x[0, 0, 0], IndexError, "too many indices"),
        (lambda x: np.sum(x.reshape(7)), ValueError, "reshape"),
        (lambda x: np.sum(x, axis=5), ValueError, "axis 5"),
        (lambda x: np.max(x, axis=2), ValueError, "axis 2"),
        (lambda x: np.sum(np.concatenate([x, x[0]])), ValueError, "dimension"),
        (lambda x: np.sum(np.stack([x, x[0]])), ValueError, "same shape"),
        (lambda x: np.sum(np.transpose(x, (0, 0))), ValueError, "axis"),
        (lambda x: np.sum(np.expand_dims(x, 5)), ValueError, "axis 5"),
        (lambda x: np.sum(np.squeeze(x, 0)), ValueError, "squeeze"),
        (lambda x: np.sum(x & 1), TypeError, "bitwise_and"),
        (lambda x: np.max(x[:0]), ValueError, "zero-size"),
        (lambda x: np.sum(np.broadcast_to(x, (2, 2))), ValueError, "broadcast"),
        (lambda x: np.sum(np.swapaxes(x, 0, 4)), ValueError, "axis"),
        (lambda x: np.sum(np.mean(x, axis=4)), ValueError, "axis 4"),
        (lambda x: np.sum(np.tensordot(x, x, 1)), ValueError, "shape-mismatch"),
        (lambda x: np.sum(x.sum(axis=(0, 0))), ValueError, "duplicate"),
        (lambda x: x["a"], IndexError, "integer"),
        (lambda x: x[1.0], IndexError, "integer"),
        (lambda x: x.nothing, AttributeError, "no attribute 'nothing'"),
        (lambda x: np.sum(x) if x else 0.0, ValueError, "ambiguous"),
    ]
    for f, error, message in cases:
        with pytest.raises(error, match=message):
            f(X)
        with pytest.raises(error, match=message):
            jit_grad(f, optimize=optimize)(X)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exceptions have no notes before 3.11")
def test_errors_in_compiled_code_name_the_line():
    f = lambda x: np.sum(np.linalg.inv(x))
    df = jit_grad(f)
    for _ in range(3):
        df(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        df(np.zeros((2, 2)))
    assert f"np.linalg.inv at {__file__}:{line_of(f)}" in " ".join(caught.value.__notes__)


@MODES
def test_a_failed_call_leaves_no_recording_behind(optimize):
    df = jit_grad(lambda x: np.sum(np.polydiv(x, x)[0]), optimize=optimize)
    for _ in range(2):
        with pytest.raises(UnsupportedError):
            df(X)
    assert jit_grad(lambda x: np.sum(x * x), optimize=optimize)(X)[1] == np.sum(X * X)
