"""How results are checked: values against plain NumPy, gradients against finite differences.

A function under test takes its parameters and then other arguments; `on_tuple` gives it the form
that jit_grad differentiates. Compiled functions are called three times: the first call records,
the second compiles, the third goes the short way.
"""

import warnings

import numpy as np
import pytest

from tracejit import TracejitWarning, jit_grad

MODES = pytest.mark.parametrize("optimize", [True, False], ids=["compiled", "direct"])
CALLS = 3


def on_tuple(f):
    """Let a function of several parameters take them as one tuple."""
    return lambda p, *rest: f(*p, *rest)


def spaced(low, high, shape=(), dtype=float, seed=0):
    """Evenly spaced numbers between two bounds, shuffled: no two are equal.

    Complex ones have imaginary parts between the same bounds.
    """
    count = int(np.prod(shape))
    rng, numbers = np.random.default_rng(seed), np.linspace(low, high, count + 2)[1:-1]
    shuffled = rng.permutation(numbers)
    if np.dtype(dtype).kind == "c":
        shuffled = shuffled + 1j * rng.permutation(numbers)
    return shuffled.reshape(shape).astype(dtype)


def cotangent(like, seed=7):
    """A cotangent for an output: no two elements are equal, none is 0."""
    array = np.asarray(like)
    kind = array.dtype.kind
    numbers = spaced(0.4, 1.9, array.shape, np.complex128 if kind == "c" else np.float64, seed)
    if kind in "fc":
        numbers = numbers.astype(array.dtype)
    return numbers if type(like) is np.ndarray else numbers[()]


def numeric(f, params, rest=(), upstream=1.0, step=1e-6):
    """The gradient of sum(f * upstream) with respect to every parameter, in float64.

    By a complex parameter it is du/dx - i du/dy, u being the real part of the sum.
    """
    params = [np.array(p, np.result_type(p, np.float64), order="K") for p in params]

    def total():
        value = np.asarray(f(*(p.copy("K") for p in params), *rest))
        return float(np.real(np.sum(value * upstream)))

    def slope(p, place, step):
        kept = p[place]
        p[place] = kept + step
        above = total()
        p[place] = kept - step
        below = total()
        p[place] = kept
        return (above - below) / (2 * abs(step))

    grads = []
    for p in params:
        grad = np.zeros_like(p)
        for place in np.ndindex(p.shape):
            grad[place] = slope(p, place, step)
            if p.dtype.kind == "c":
                grad[place] -= 1j * slope(p, place, 1j * step)
        grads.append(grad)
    return grads


def assert_same(actual, expected, exact=False):
    """Equal in type, shape, dtype, and value up to the last digits."""
    assert type(actual) is type(expected)
    if isinstance(expected, (tuple, list)):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            assert_same(a, e, exact)
        return
    assert np.shape(actual) == np.shape(expected)
    assert getattr(actual, "dtype", None) == getattr(expected, "dtype", None)
    if exact or np.asarray(expected).dtype.kind not in "fc":
        np.testing.assert_array_equal(actual, expected)
    else:
        few = 64 * np.finfo(np.asarray(expected).dtype).eps
        np.testing.assert_allclose(actual, expected, rtol=few, atol=few)


def assert_gradients(grads, params, expected, rtol=1e-6):
    """Each gradient has the kind, shape and dtype of its parameter, and the expected value."""
    assert len(grads) == len(params)
    for g, p, e in zip(grads, params, expected, strict=True):
        assert type(g) is type(p)
        assert np.shape(g) == np.shape(p)
        assert getattr(g, "dtype", None) == getattr(p, "dtype", None)
        np.testing.assert_allclose(g, e, rtol=rtol, atol=rtol)


def tolerance(params, rest=()):
    """How well a gradient can agree with finite differences, for the dtypes that take part."""
    dtypes = {getattr(v, "dtype", None) for v in (*params, *rest)}
    if np.dtype("f2") in dtypes:
        return 2e-2
    return 2e-4 if dtypes & {np.dtype("f4"), np.dtype("c8")} else 1e-6


def check(f, params, rest=(), optimize=True, gradients=None):
    """Check value and gradients of f(*params, *rest), and that its arguments stay as they were.

    gradients: the gradients for the cotangent 1, where finite differences do not have them.
    """
    before = [np.array(a) for a in (*params, *rest)]
    expected = f(*params, *rest)
    upstream = cotangent(expected) if gradients is None else np.ones_like(expected)[()]
    if gradients is None:
        gradients = numeric(f, params, rest, upstream)
    df = jit_grad(on_tuple(f), partialGrad=True, optimize=optimize)
    for _ in range(CALLS):
        grads, value = df(tuple(params), *rest, upstream)
        assert_same(value, expected)
        assert_gradients(grads, params, gradients, tolerance((*params, expected), rest))
    assert not optimize or df.cache_info().direct == 0, df.explain()
    for argument, kept in zip((*params, *rest), before, strict=True):
        np.testing.assert_array_equal(argument, kept)
    apart = [a for a in (*params, *rest, upstream, *grads, value) if type(a) is np.ndarray]
    results = [a for a in (*grads, value) if type(a) is np.ndarray]
    for result in results:
        assert not any(a is not result and np.may_share_memory(a, result) for a in apart)
    assert len({id(r) for r in results}) == len(results)


def gradient_of(f, optimize):
    """A function of parameters, cotangent and weights: the weighted sum of f's gradients."""
    first = jit_grad(on_tuple(f), partialGrad=True, withForward=False, optimize=optimize)

    def weighted(p, upstream, weights, *rest):
        total = 0.0
        for g, w in zip(first(p, *rest, upstream), weights, strict=True):
            part = np.sum(g * w)
            total = total + (np.real(part) if np.iscomplexobj(part) else part)
        return total

    return weighted


def check_second(f, params, rest=(), optimize=True):
    """Check the gradient of the gradient, by parameters and by cotangent."""
    upstream = cotangent(f(*params, *rest))
    weights = tuple(cotangent(p, seed) for seed, p in enumerate(params, 11))
    plain, count = gradient_of(f, optimize=False), len(params)
    expected = numeric(
        lambda *q: plain(q[:count], q[count], weights, *rest), (*params, upstream)
    )
    traced = gradient_of(f, optimize)
    df = jit_grad(lambda q, weights, *rest: traced(q[0], q[1], weights, *rest), optimize=optimize)
    for _ in range(CALLS):
        (grads, by_upstream), _ = df((tuple(params), upstream), weights, *rest)
        assert_gradients((*grads, by_upstream), (*params, upstream), expected, 1e-5)
    assert not optimize or df.cache_info().direct == 0, df.explain()


def check_direct(f, params, said, optimize=True):
    """Check a function that runs in direct mode: it is right at every call and says why, once."""
    expected = f(*params)
    gradients = numeric(f, params, (), 1.0)
    df = jit_grad(on_tuple(f), optimize=optimize)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(CALLS):
            grads, value = df(tuple(params))
            assert_same(value, expected)
            assert_gradients(grads, params, gradients)
    messages = [str(w.message) for w in caught if issubclass(w.category, TracejitWarning)]
    if optimize:
        assert df.cache_info().direct == CALLS, df.explain()
        assert len(messages) == 1 and "direct mode" in messages[0] and said in messages[0], messages
    else:
        assert not messages
