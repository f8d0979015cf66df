"""Bugs that were found, each with what plain NumPy gives."""

import functools
import math
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from tracejit import TracejitWarning, errors, grad_and_aux, jit_grad, value_and_grad

MODES = pytest.mark.parametrize("optimize", [True, False])
A = np.arange(27.0).reshape(3, 9)


def same(f, *args, grads=None, optimize=True):
    """Call several times and compare with plain Python; return the last gradients."""
    df = jit_grad(f, optimize=optimize, audit=False)
    for _ in range(3):
        got, *outputs = df(*args)
        expected = f(*args)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for a, b in zip(outputs, expected, strict=True):
            assert type(a) is type(b) and np.shape(a) == np.shape(b)
            assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
            np.testing.assert_array_equal(a, b)
        if grads is not None:
            np.testing.assert_allclose(got, grads, rtol=1e-12)
            assert np.shape(got) == np.shape(args[0])
    return got


BROADCAST = [
    (lambda x: np.sum(x - x[0]), np.array([1.0, 2, 3]), [-2.0, 1, 1]),
    (lambda x: np.sum(x + np.ones(3)), np.array(2.0), 3.0),
    (lambda x: np.sum(x + np.ones(3)), np.float64(2.0), 3.0),
    (lambda x: np.sum(x + np.ones(3)), 2.0, 3.0),
    (lambda x: np.sum(x - np.mean(x)), np.arange(3.0), [0.0, 0, 0]),
    (lambda x: np.sum(x + np.ones((4, 3))), np.ones((1, 3)), [[4.0, 4, 4]]),
    (lambda x: np.sum(x.sum(1, keepdims=True) + np.ones((2, 3))), np.ones((2, 1)), [[3.0], [3]]),
]


@MODES
@pytest.mark.parametrize(("f", "x", "grads"), BROADCAST)
def test_small_cotangents_of_broadcast_operands_are_counted(f, x, grads, optimize):
    same(f, x, grads=grads, optimize=optimize)


def test_negation_is_not_moved_through_unsigned_integers():
    u, v = np.array([5, 0, 200], np.uint8), np.array([1, 2, 3], np.uint16)
    def f(x, u, v):
        return np.sum(x + (-u)) + np.sum((-u) * (-v)) + np.sum(v - (-u))

    same(f, np.ones(3), u, v)


def test_a_square_of_booleans_is_boolean():
    same(lambda x, m: (np.sum(x * (m * m)), m * m), np.ones(2), np.array([True, False]))


def test_a_power_that_broadcasts():
    same(lambda x: (np.sum(x ** np.full((2, 3), 2.0)), x ** np.full((2, 3), 2.0)), np.ones(3))


def test_handled_exceptions_are_not_baked_in():
    def f(x, y):
        try:
            r = 1.0 / y
        except ZeroDivisionError:
            r = 0.0
        return x * r

    df = jit_grad(f, audit=False)
    with pytest.warns(TracejitWarning, match=r"that divide raises is handled at .*\.py:\d+"):
        assert df(2.0, 0.0)[1] == 0.0
    assert df(2.0, 0.0)[1] == 0.0 and df(2.0, 4.0)[1] == 0.5


def test_an_unused_division_still_raises():
    def f(x, y):
        1.0 / y
        return x * 2.0

    df = jit_grad(f, withForward=False, audit=False)
    for _ in range(3):
        assert df(1.0, 2.0) == 2.0
    with pytest.raises(ZeroDivisionError):
        df(1.0, 0.0)


def helper(x):
    return x * helper.scale


helper.scale = 2.0
ZERO = 0.0


@dataclass
class Shifted:
    w: np.ndarray
    shift = 1.0

    def scaled(self):
        return self.w * FACTOR

    def __call__(self, x):
        return self.w * x * FACTOR


FACTOR = 2.0
Point = namedtuple("Point", "a")


class Named(Point):
    extra = 2.0

    def twice(self):
        return self.a * FACTOR


@pytest.mark.filterwarnings("ignore::tracejit.TracejitWarning")
def test_captures_in_every_corner(monkeypatch):
    def follow(f, change, *args, calls=2):
        df = jit_grad(f, audit=False)
        for _ in range(calls):
            assert df(*args)[1] == f(*args)
        change()
        for _ in range(calls):
            assert df(*args)[1] == f(*args)

    x = np.ones(2)
    follow(lambda x: np.sum(helper(x)), lambda: monkeypatch.setattr(helper, "scale", 9.0), x)
    follow(
        lambda p: np.sum(p.w) * p.shift,
        lambda: monkeypatch.setattr(Shifted, "shift", 5.0),
        Shifted(x),
    )
    follow(
        lambda p: np.sum(p.scaled()),
        lambda: monkeypatch.setitem(globals(), "FACTOR", 3.0),
        Shifted(x),
    )
    follow(
        lambda p: np.sum(p(2.0)),
        lambda: monkeypatch.setitem(globals(), "FACTOR", 7.0),
        Shifted(x),
    )
    follow(
        lambda x: np.sum(Named(x).twice()) * Named.extra,
        lambda: monkeypatch.setitem(globals(), "FACTOR", 4.0),
        x,
    )
    follow(
        lambda x: np.sum(x) * math.copysign(1.0, ZERO),
        lambda: monkeypatch.setitem(globals(), "ZERO", -0.0),
        x,
    )
    follow(
        lambda x: np.sum(x) * abs(-2.0),
        lambda: monkeypatch.setitem(globals(), "abs", lambda v: 7.0),
        x,
    )
    scale = [2.0]
    double = np.frompyfunc(lambda v: v * scale[0], 1, 1)
    follow(lambda x: np.sum(x) * float(double(2.0)), lambda: scale.__setitem__(0, 5.0), x)


@MODES
def test_the_type_is_that_of_the_value(optimize):
    f = lambda x: x * 2.0 if type(x) is float else np.sum(x) * 3.0
    for x, grad in ((1.0, 2.0), (np.float64(1.0), 3.0), (np.array(1.0), 3.0)):
        same(f, x, grads=grad, optimize=optimize)


def test_keyword_only_values_are_not_taken_from_positions():
    def f(x, *args, scale=1.0):
        return np.sum(x) * scale + sum(args)

    df = jit_grad(f, audit=False)
    for _ in range(3):
        assert df(np.ones(2), scale=3.0)[1] == 6.0
        assert df(np.ones(2), 3.0)[1] == 5.0

    def g(x, *, scale):
        return np.sum(x) * scale

    dg = jit_grad(g)
    for _ in range(3):
        dg(np.ones(2), scale=1.0)
    with pytest.raises(TypeError):
        dg(np.ones(2), 1.0)


def reads_a_view(x):
    a = np.ones(3)
    b = np.broadcast_to(a, (2, 3))
    y = x * b
    a[:] = 7.0
    return np.sum(y)


@MODES
def test_constants_are_kept_as_they_were(optimize):
    same(reads_a_view, np.ones((2, 3)), grads=np.ones((2, 3)), optimize=optimize)


@MODES
@pytest.mark.parametrize("make", [np.ones, lambda n: np.repeat(1.0, n)], ids=["ones", "repeat"])
def test_a_large_array_that_changes_is_an_error_or_right(make, optimize):
    def f(x):
        a = make(20_000)
        y = x * a
        a[:] = 7.0
        return np.sum(y)

    x = np.ones(20_000)
    if optimize or make is np.ones:
        same(f, x, grads=x, optimize=optimize)
    else:  # direct mode does not copy what is large and not recorded
        with pytest.raises(errors.TracejitError, match="written to afterwards"):
            jit_grad(f, optimize=False)(x)


def test_strides_decide_whether_a_reshape_copies():
    def f(x):
        y = x.reshape(-1) * 1.0
        return np.sum(y * y)

    df = jit_grad(f, audit=False)
    for x in (A[:, :8:2], A[:, :8:2], A[:, :8][:, ::2], A[::2, ::2], A[:, :8:2]):
        np.testing.assert_array_equal(df(x)[0], 2 * x)


@MODES
def test_constants_of_every_kind_come_back(optimize):
    same(
        lambda x: (np.sum(x), np.zeros((0, 3)), np.bool_(True), np.float32(2.0), -0.0),
        np.ones(2),
        optimize=optimize,
    )


@MODES
def test_the_gradient_of_an_empty_parameter(optimize):
    df = jit_grad(lambda p: np.sum(p[0]) + np.sum(p[1]), optimize=optimize)
    for _ in range(3):
        grads, _ = df([np.zeros((0, 3)), np.ones(2)])
        assert grads[0].shape == (0, 3)


def test_where_takes_any_condition():
    same(lambda x, c: np.sum(np.where(c, x, x * 2.0) * 3.0), np.ones(3), np.array([0, 1, 2]))


def test_products_of_fortran_arrays():
    a = np.asfortranarray(np.random.default_rng(0).standard_normal((4, 4)))
    same(lambda a: np.sum((a @ (a * 2.0)) ** 2), a)


NESTED_KEYS = ["a b", "it's", "-", "#", "{}", -1, 1.5, "a\x00b", "\ud800", (1, 2)]


@pytest.mark.parametrize("key", NESTED_KEYS, ids=ascii)
def test_any_key_around_a_container(key):
    df = jit_grad(lambda p: np.sum(p[key]["c"] ** 2))
    for value in (1.0, 2.0, 3.0):
        grads, _ = df({key: {"c": np.full(2, value)}})
        np.testing.assert_array_equal(grads[key]["c"], [2 * value] * 2)


@pytest.mark.parametrize("name", ["np", "f8", "allocate", "accepts", "type", "slots", "class"])
def test_any_name_of_a_function(name):
    def f(x):
        return np.sum(x * x)

    f.__name__ = name
    same(f, np.ones(2))


def test_helper_functions_have_names_of_their_own(tmp_path):
    def f(products_of_others):
        return np.prod(products_of_others)

    same(f, np.array([0.0, 2.0, 3.0]), grads=[6.0, 0.0, 0.0])
    text = jit_grad(f).source(np.ones(3))
    namespace = {}
    exec(compile(text, "alone.py", "exec", dont_inherit=True), namespace)


def test_huge_integers():
    same(lambda x, n: (x * 1.0, n * 10**400), 2.0, 3)


def test_the_cache_folder_may_vanish(tmp_path, monkeypatch):
    import shutil

    from tracejit import config
    from tracejit.codegen.compile import cache_folder

    folder = tmp_path / "gone"
    monkeypatch.setattr(config.settings, "cache_dir", str(folder))
    cache_folder.cache_clear()
    same(lambda x: np.sum(x * 3.0), np.ones(2))
    shutil.rmtree(folder)
    with pytest.warns(TracejitWarning, match="emitted files go to"):
        same(lambda x: np.sum(x * 4.0), np.ones(2))
    cache_folder.cache_clear()


@MODES
def test_writing_all_of_a_0d_array(optimize):
    def f(x):
        t = np.zeros_like(x)
        t[...] = x * 2.0
        return np.sum(t)

    same(f, np.array(3.0), grads=2.0, optimize=optimize)


@MODES
def test_callables_that_are_no_functions(optimize):
    def f(scale, x):
        return np.sum(x) * scale

    f.source = "not a method"
    same(functools.partial(f, 2.0), np.ones(2), grads=[2.0, 2.0], optimize=optimize)
    assert callable(jit_grad(f).source)
    same(np.sum, np.ones(2), grads=[1.0, 1.0], optimize=optimize)


class Holder:
    def __init__(self):
        self.w = np.zeros(2)

    @functools.partial(jit_grad, debugHook=lambda debugger, message, gen: SEEN.append(gen.source))
    def loss(self, x):
        return np.sum(np.log(self.w * x))


SEEN = []


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_hook_on_a_method():
    Holder().loss(np.ones(2))
    assert SEEN and "np.log" in SEEN[0]


@MODES
def test_wrong_options_and_arguments(optimize):
    with pytest.raises(ValueError, match="withGradients"):
        jit_grad(lambda x: x, withGradients=False, partialGrad=True)
    with pytest.raises(TypeError, match="argument 5"):
        jit_grad(lambda x: x, argnum=5, optimize=optimize)(1.0)
    with pytest.raises(TypeError, match="holds no numbers"):
        jit_grad(lambda x, y: y, optimize=False)(object(), 1.0)
    assert jit_grad(lambda x: (), withGradients=False, optimize=optimize)(1.0) == ()
    df = jit_grad(lambda x: x, partialGrad=True, optimize=optimize)
    for bad in (np.ones(2, complex), np.ones(2, bool), None):
        with pytest.raises(TypeError, match="real numbers"):
            df(np.ones(2), bad)


@MODES
def test_the_gradient_has_its_parameters_dtype_whatever_the_cotangents(optimize):
    df = jit_grad(lambda x: x, partialGrad=True, optimize=optimize)
    for _ in range(3):
        assert df(np.ones(2, "f4"), np.ones(2, "f8"))[0].dtype == np.float32


@MODES
def test_results_stored_into_arrays(optimize):
    def f(x, row):
        t = np.zeros_like(x)
        t += x
        t[...] = t * 2.0
        wide = row * 1.0
        np.exp(x, out=wide)
        return np.sum(wide) + t[()], t, wide

    same(f, np.array(0.5), np.ones(3), grads=3 * np.exp(0.5) + 2.0, optimize=optimize)


@MODES
def test_dot_gives_python_numbers_a_dtype(optimize):
    same(lambda x: (np.sum(x), np.dot(2.0, x), np.dot(x, 3)), np.ones(2, "f4"), optimize=optimize)


@MODES
def test_products_of_empty_batches(optimize):
    def f(b, a):
        return np.sum(a @ b)

    same(f, np.ones((3, 2)), np.ones((0, 4, 3)), grads=np.zeros((3, 2)), optimize=optimize)


@MODES
def test_the_same_array_by_another_name_is_written(optimize):
    def f(x, y):
        b = np.asarray(y)
        b += 1.0
        return np.sum(x * y)

    y = np.ones(2)
    df = jit_grad(f, optimize=optimize)
    for number in (2.0, 3.0, 4.0):
        grad, value = df(np.ones(2), y)
        np.testing.assert_array_equal(y, [number, number])
        np.testing.assert_array_equal(grad, y)


@MODES
def test_a_loss_that_only_steps_warns(optimize):
    for f in (lambda x: np.sum(np.floor(x)), lambda x: x[0].item() * 2.0):
        with pytest.warns(TracejitWarning, match="does not depend") as caught:
            jit_grad(f, optimize=optimize)(np.ones(2))
        assert caught[0].filename == __file__


def test_a_container_as_loss_is_named():
    with pytest.raises(errors.NotScalarError, match="it is a dict"):
        jit_grad(lambda x: {"loss": np.sum(x)})(np.ones(2))


def test_matrix_times_vector_reads_as_written_by_hand():
    df = jit_grad(lambda w, X, y: np.sum((X @ w - y) ** 2))
    args = np.ones(3), np.ones((5, 3)), np.zeros(5)
    text = df.source(*args)
    assert "d_w = X.T.dot(" in text and "reshape" not in text.split("def accepts")[0]
    same(lambda w, X, y: np.sum((X @ w - y) ** 2), *args)


def test_slices_add_up_in_one_array():
    df = jit_grad(lambda x: np.sum((x[1:] - x[:-1]) ** 2) + x[0])
    text = df.source(np.arange(4.0))
    assert text.count("np.zeros(") + text.count(".fill(0)") + text.count("np.copyto(") == 1
    np.testing.assert_array_equal(df(np.arange(4.0))[0], [-1.0, 0.0, 0.0, 2.0])


def test_gradients_of_numpy_scalars_stay_scalars():
    def f(p):
        v = p[0][..., None]
        return np.sum(np.fmax(v, p[1]) * p[0])

    df = jit_grad(f, audit=False)
    for _ in range(3):
        grads, _ = df([np.float32(2.0), np.array(1.0)])
        assert type(grads[0]) is np.float32 and grads[0] == 4.0


@MODES
def test_a_power_of_booleans(optimize):
    same(lambda x, m: (np.sum(x), m**2), np.ones(2), np.array([True, False]), optimize=optimize)
    same(lambda x, n: (np.sum(x), n**2), np.ones(2), np.array([3, -4]), optimize=optimize)


@MODES
def test_the_condition_of_where_does_not_fix_the_dtype(optimize):
    def f(x, c):
        return np.sum(x), np.where(c, x, np.float64(0.7)), np.where(c, x, np.full(2, 0.5))

    same(f, np.ones(2, "f4"), np.array([0.0, 1.0]), optimize=optimize)


@MODES
def test_the_norm_of_a_number(optimize):
    same(lambda x: x * np.linalg.norm(x < 5.0), 2.0, grads=1.0, optimize=optimize)


ORDERED = {
    "gradients first": jit_grad, "value first": value_and_grad,
    "gradients with aux": lambda f: grad_and_aux(lambda a: (f(a), f(a))),
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERED)
@pytest.mark.parametrize("a", [0.3, 0.3 + 0.2j])
def test_results_in_any_order_are_audited_up_to_rounding(interpreted, order, a):
    x = np.linspace(0.1, 1.0, 1000)
    large = 1e14 if type(a) is float else 1.0
    df = ORDERED[order](lambda a: np.sin(large * np.sum(np.sin(np.abs(a) * x) ** 2)))
    for factor in (1.0, 1.1, 1.2):
        df(a * factor)
    assert df.cache_info().direct == 0, df.explain()
