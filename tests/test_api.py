"""jit_grad: what it returns, its flags, and what it refuses."""

import warnings
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import tracejit
from tracejit import TracejitWarning, config, errors, jit_grad
from tracejit import audit as auditing
from tracejit.trace.places import Place, Places
from tracejit.trace.world import World

MODES = pytest.mark.parametrize("optimize", [True, False])
Pair = namedtuple("Pair", "a b")


@dataclass
class Net:
    w: np.ndarray
    scale: float


def numeric(f, x, eps=1e-6):
    x = np.array(x, dtype=float)
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = eps
        g[i] = (f(x + step) - f(x - step)) / (2 * eps)
    return g


@MODES
def test_structures_and_kinds(optimize):
    def f(p):
        total = np.sum(p["t"].a * p["t"].b) + p["n"].scale * np.sum(p["n"].w) + p["l"][0][1]
        return total + p["s"] * 2.0 + np.sum(p["z"])

    p = {
        "t": Pair(np.ones(2), np.full(2, 3.0)),
        "n": Net(np.ones(4), 2.0),
        "l": ([1.0, 5.0], np.zeros(2)),
        "s": np.float32(1.0),
        "z": np.array(2.0),
        "none": None,
        "flag": True,
        "text": "x",
    }
    df = jit_grad(f, optimize=optimize)
    for _ in range(3):
        g, loss = df(p)
        assert loss == 6.0 + 8.0 + 5.0 + 2.0 + 2.0
        assert type(g["t"]) is Pair and type(g["n"]) is Net and type(g["l"]) is tuple
        assert list(g) == list(p)
        np.testing.assert_array_equal(g["t"].a, [3.0, 3.0])
        assert type(g["n"].scale) is float and g["n"].scale == 4.0
        assert g["l"][0] == [0.0, 1.0] and type(g["l"][0][0]) is float
        np.testing.assert_array_equal(g["l"][1], np.zeros(2))
        assert type(g["s"]) is np.float32 and g["s"] == 2.0
        assert type(g["z"]) is np.ndarray and g["z"].shape == () and g["z"] == 1.0
        assert g["none"] is None and g["flag"] is None and g["text"] is None
    assert df.cache_info().direct == 0 or not optimize


@MODES
def test_static_leaves_are_seen(optimize):
    df = jit_grad(lambda p: p["w"] * (2.0 if p["double"] else 1.0), optimize=optimize)
    for double in (True, False, True, True):
        grads, _ = df({"w": 1.0, "double": double})
        assert grads["w"] == (2.0 if double else 1.0)


@MODES
@pytest.mark.parametrize(("forward", "gradients"), [(True, True), (True, False), (False, True)])
def test_flags(optimize, forward, gradients):
    w, x = np.arange(3.0), np.full(3, 2.0)
    df = jit_grad(
        lambda w, x: (np.sum(np.sin(w) * x), w * x),
        optimize=optimize,
        withForward=forward,
        withGradients=gradients,
    )
    for _ in range(3):
        result = df(w, x)
        if forward and gradients:
            grads, loss, out = result
        elif gradients:
            grads = result
        else:
            loss, out = result
        if gradients:
            np.testing.assert_allclose(grads, np.cos(w) * x)
        if forward:
            assert np.isclose(loss, np.sum(np.sin(w) * x))
            np.testing.assert_array_equal(out, w * x)


def test_nothing_wanted():
    with pytest.raises(ValueError, match="nothing to compute"):
        jit_grad(lambda x: x, withForward=False, withGradients=False)


@MODES
def test_outputs_alone_need_no_scalar_and_no_float(optimize):
    df = jit_grad(lambda n: n * 2, optimize=optimize, withGradients=False)
    for _ in range(3):
        assert df(10**30) == 2 * 10**30
        np.testing.assert_array_equal(df(np.arange(3)), [0, 2, 4])


@MODES
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_partial_grad(optimize, dtype):
    rng = np.random.default_rng(1)
    w, x = (rng.standard_normal(s).astype(dtype) for s in ((3, 2), (4, 3)))
    up = rng.standard_normal((4, 2))
    df = jit_grad(lambda w, x: np.tanh(x @ w), optimize=optimize, partialGrad=True)
    for scale in (1.0, 2.0, 3.0):
        g, out = df(w, x, up * scale)
        assert g.dtype == dtype
        np.testing.assert_allclose(g, x.T @ (scale * up * (1 - out**2)), rtol=1e-4)
    with pytest.raises(errors.ShapeError, match="shape"):
        df(w, x, up[:2])
    with pytest.raises(TypeError):
        df()


@MODES
def test_what_cannot_be_differentiated(optimize):
    def tries(f, *args):
        return jit_grad(f, optimize=optimize)(*args)

    with pytest.raises(errors.NotScalarError, match="scalar"):
        tries(lambda x: x * 2, np.ones(3))
    with pytest.raises(errors.NotScalarError):
        tries(lambda x: None, np.ones(3))
    with pytest.raises(errors.NotScalarError):
        tries(lambda x: [np.sum(x)], np.ones(3))
    with pytest.raises(errors.NotScalarError):
        tries(lambda x: np.sum(x) * 1j, np.ones(3))
    with pytest.raises(TypeError, match=r'p\["n"\] is int64.*float'):
        tries(lambda p: np.sum(p["n"]), {"n": np.arange(3)})
    with pytest.raises(TypeError, match="int"):
        tries(lambda x: x * 1.5, 3)
    with pytest.raises(errors.NotScalarError, match="complex"):
        tries(lambda x: np.sum(x), np.ones(3, complex))
    with pytest.raises(TypeError, match="not a int"):
        jit_grad(3)
    with pytest.raises(TypeError, match="plain array"):
        tries(lambda x, m: np.sum(x * m), 1.0, np.ma.ones(3))


@MODES
def test_size_one_arrays_are_scalars(optimize):
    df = jit_grad(lambda x: x @ x.T, optimize=optimize)
    for _ in range(3):
        g, value = df(np.ones((1, 3)))
        np.testing.assert_array_equal(g, [[2.0, 2.0, 2.0]])
        assert value.shape == (1, 1)


@MODES
def test_a_loss_without_parameters_warns(optimize):
    df = jit_grad(lambda x, y: np.sum(y), optimize=optimize)
    with pytest.warns(TracejitWarning, match=r"does not depend"):
        g, loss = df(np.ones(3), np.ones(2))
    np.testing.assert_array_equal(g, np.zeros(3))
    assert loss == 2.0


@MODES
def test_users_exceptions_come_through(optimize):
    def f(x):
        if x.shape[0] > 2:
            raise RuntimeError("mine")
        return np.sum(x)

    df = jit_grad(f, optimize=optimize)
    for _ in range(3):
        with pytest.raises(RuntimeError, match=r"^mine$"):
            df(np.ones(3))
        np.testing.assert_array_equal(df(np.ones(2))[0], np.ones(2))
    assert type(np.zeros(2)) is np.ndarray


@MODES
def test_arguments_are_not_changed(optimize):
    def f(p, extra):
        p["new"] = p["w"] * 2
        return np.sum(p["new"])

    p = {"w": np.ones(2)}
    with pytest.raises(errors.TracejitError, match="adds to, or replaces"):
        jit_grad(f, optimize=optimize)(p, 1.0)
    assert list(p) == ["w"]


@MODES
def test_gradient_of_a_gradient(optimize):
    inner = jit_grad(lambda p, x: np.sum(np.exp(p * x)), optimize=optimize)

    def outer(p, x):
        g, _ = inner(p, x)
        return np.sum(g**2)

    df = jit_grad(outer, optimize=optimize)
    p, x = np.array([0.3, -0.2]), np.array([1.0, 2.0])
    for _ in range(3):
        g, _ = df(p, x)
        np.testing.assert_allclose(g, 2 * x**3 * np.exp(2 * p * x))
    assert df.cache_info().direct == 0 or not optimize


@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
@MODES
def test_fourth_derivative(optimize):
    def derive(f):
        return lambda x: jit_grad(lambda x: np.sum(f(x)), optimize=optimize, withForward=False)(x)

    d = np.tanh
    for _ in range(4):
        d = derive(d)
    x = np.linspace(-2, 2, 5)
    t = np.tanh(x)
    expect = 8 * t * (1 - t**2) * (2 - 3 * t**2)
    np.testing.assert_allclose(d(x), expect, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
@MODES
def test_no_perturbation_confusion(optimize):
    def f(x):
        inner = jit_grad(lambda y: x * y, withForward=False)
        return x * inner(2.0)

    assert jit_grad(f, optimize=optimize)(3.0)[0] == 6.0


def test_decorator_forms():
    @jit_grad
    def a(x):
        "Doc."
        return np.sum(x**2)

    @jit_grad(withForward=False)
    def b(x):
        return np.sum(x**2)

    for _ in range(3):
        np.testing.assert_array_equal(a(np.arange(3.0))[0], [0.0, 2.0, 4.0])
        np.testing.assert_array_equal(b(np.arange(3.0)), [0.0, 2.0, 4.0])
    assert a.__name__ == "a" and a.__doc__ == "Doc."


def test_counts():
    df = jit_grad(lambda x: np.sum(x * x))
    for n in (3, 3, 4, 3, 4):
        df(np.ones(n))
    assert df.cache_info() == (3, 2, 2, 0)
    assert "numpy target" in df.explain()
    assert "sum_0" in str(df.graph(np.ones(3)))
    with pytest.raises(errors.ConfigError, match="backend"):
        df.source(np.ones(3), backend="fortran")
    df.wait()


def baked(monkeypatch):
    """Let what is read from outside be recorded as constants that nothing checks."""
    monkeypatch.setattr(World, "hand_out", lambda self, value, place: (
        value if isinstance(value, (float, np.ndarray)) else HAND_OUT(self, value, place)
    ))  # fmt: skip


HAND_OUT = World.hand_out


def reads_a_number():
    held = 1.0

    def f(x):
        return np.sum(x) * held

    def change(value):
        nonlocal held
        held = value

    return f, change


def reads_an_array():
    held = np.ones(2)
    return (lambda x: np.sum(x * held)), lambda value: held.fill(value)


@pytest.mark.parametrize("reads", [reads_a_number, reads_an_array])
@pytest.mark.parametrize("audit", [True, "always"])
def test_the_audit_finds_stale_code(monkeypatch, reads, audit):
    baked(monkeypatch)
    f, change = reads()
    df = jit_grad(f, audit=audit)
    df(np.ones(2))
    if audit == "always":  # the first compiled calls are right
        for _ in range(3):
            assert df(np.ones(2))[1] == 2.0
    change(5.0)
    with pytest.warns(TracejitWarning, match="differ") as caught:
        grads, loss = df(np.ones(2))
    assert loss == 10.0
    np.testing.assert_array_equal(grads, [5.0, 5.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        for value in (7.0, 8.0):
            change(value)
            grads, loss = df(np.ones(2))
            assert loss == 2.0 * value
            np.testing.assert_array_equal(grads, [value, value])
    assert len(caught) == 1 and caught[0].filename == __file__
    assert df.cache_info().direct == 3 and "differ" in df.explain()


def test_the_audit_finds_places_that_are_not_checked(monkeypatch):
    monkeypatch.setattr(Places, "reader", lambda self: lambda f, args: (*READ(self)(f, args),))
    monkeypatch.setattr(Place, "require", lambda self, check, *constants: None)
    mode = "sin"
    df = jit_grad(lambda x: np.sum(getattr(np, mode)(x)))
    assert df(np.ones(2))[1] == 2 * np.sin(1.0)
    mode = "cos"
    with pytest.warns(TracejitWarning, match="differ"):
        assert df(np.ones(2))[1] == 2 * np.cos(1.0)
    mode = "tanh"
    assert df(np.ones(2))[1] == 2 * np.tanh(1.0)


READ = Places.reader


def test_methods_are_audited_as_often_as_asked(monkeypatch):
    class Model:
        @jit_grad(audit="always")
        def loss(self, x):
            return np.sum(x * x)

    audits = []
    audited = auditing.audited
    monkeypatch.setattr(auditing, "audited", lambda *args: (audits.append(1), audited(*args))[1])
    model = Model()
    for _ in range(5):
        model.loss(np.ones(2))
    assert len(audits) == 4  # all but the first, which is recorded


def test_without_an_audit_stale_code_is_not_found(monkeypatch):
    baked(monkeypatch)
    f, change = reads_a_number()
    df = jit_grad(f, audit=False)
    df(np.ones(2))
    change(5.0)
    assert df(np.ones(2))[1] == 2.0  # which shows that the tests above test something


def test_strict_makes_a_fallback_an_error(monkeypatch):
    monkeypatch.setattr(config.settings, "strict", True)
    with pytest.raises(errors.FallbackError, match=r"print\(\) is called at .*test_api\.py:\d+"):
        jit_grad(lambda x: [x, print(end="")][0])(1.0)


@MODES
def test_rosenbrock(optimize):
    from scipy.optimize import rosen, rosen_der

    def f(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    df = jit_grad(f, optimize=optimize)
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal(20)
        g, value = df(x)
        assert np.isclose(value, rosen(x))
        np.testing.assert_allclose(g, rosen_der(x), rtol=1e-10)


def test_threads_may_compile_at_once():
    import threading

    df = jit_grad(lambda x: np.sum(np.sin(x) * x))
    expected = {n: np.cos(np.arange(n)) * np.arange(n) + np.sin(np.arange(n)) for n in range(1, 9)}
    barrier, wrong = threading.Barrier(8), []

    def work():
        barrier.wait()
        for n in [*range(1, 9)] * 5:
            try:
                if not np.allclose(df(np.arange(float(n)))[0], expected[n]):
                    wrong.append(n)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_names_of_other_libraries_are_explained():
    with pytest.raises(AttributeError, match=r"'jacfwd'; what is called so elsewhere is jacobian"):
        tracejit.jacfwd  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute 'nothing'$"):
        tracejit.nothing  # noqa: B018
