"""Gradients for functions of other libraries."""

import contextlib
import types

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES
from tracejit.errors import (
    ConfigError,
    GradientRuleError,
    MissingGradientError,
    UnsupportedError,
)

library = types.ModuleType("library")
library.floor = lambda x: np.floor(x)
library.rate = lambda x: np.array([float(v) for v in x])
library.lookup = lambda x: np.array([float(v) for v in x])


class Special:
    @staticmethod
    def floor(x):
        return np.floor(x)


@pytest.fixture
def overloaded():
    def declare(m):
        m.gradient("floor", [lambda g, out, x: g])
        m.static("rate")
        m.unsupported("lookup")

    before = dict(vars(library))
    tj.overload.module("library", library, declare)
    yield
    tj.overload.uninstall("library")
    assert dict(vars(library)) == before


@MODES
def test_functions_of_a_module(overloaded, optimize):
    f = lambda a: np.sum(library.floor(a**3) * library.rate(a))
    df = tj.grad(f, optimize=optimize)
    for x in (np.array([0.5, 2.0]), np.array([0.5, 2.0]), np.array([1.5, 3.0])):
        np.testing.assert_allclose(df(x), 3 * x**2 * x)
    assert df.cache_info().direct == 0
    with pytest.raises(UnsupportedError, match=r"library\.lookup of a traced value"):
        tj.grad(lambda a: np.sum(library.lookup(a)), optimize=optimize)(np.ones(2))


def test_outside_traced_functions_they_do_what_they_did(overloaded):
    x = np.array([0.5, 2.5])
    for name in ("floor", "rate", "lookup"):
        assert type(getattr(library, name)(x)) is np.ndarray
    np.testing.assert_array_equal(library.floor(x), [0.0, 2.0])


@MODES
def test_static_methods_of_a_class(optimize):
    before = vars(Special)["floor"]
    tj.overload.module("Special", Special, lambda m: m.gradient("floor", [lambda g, out, x: g]))
    try:
        for _ in range(CALLS):
            g = tj.grad(lambda a: np.sum(Special.floor(a**3)), optimize=optimize)(np.eye(3))
            np.testing.assert_allclose(g, 3 * np.eye(3))
    finally:
        tj.overload.uninstall("Special")
    assert vars(Special)["floor"] is before
    assert tj.grad(lambda a: np.sum(Special.floor(a)) + np.sum(a))(np.eye(3)).max() == 1.0


def test_a_compiled_function_sees_that_it_is_uninstalled():
    df = tj.grad(lambda a: np.sum(Special.floor(a) + a))
    for _ in range(2):
        tj.overload.module("Special", Special, lambda m: m.gradient("floor", [lambda g, out, x: g]))
        for _ in range(CALLS):
            np.testing.assert_allclose(df(np.ones(2)), [2.0, 2.0])
        tj.overload.uninstall("Special")
        for _ in range(CALLS):
            np.testing.assert_allclose(df(np.ones(2)), [1.0, 1.0])


def test_mistakes_leave_nothing_behind():
    before = dict(vars(library))
    with pytest.raises(ConfigError, match="no function 'flor'"):
        tj.overload.module(
            "library", library, lambda m: (m.static("floor"), m.gradient("flor", []))
        )
    assert dict(vars(library)) == before
    with pytest.raises(ConfigError, match="'library' is not overloaded"):
        tj.overload.uninstall("library")


def test_twice_is_an_error(overloaded):
    with pytest.raises(ConfigError, match="already"):
        tj.overload.module("library", library, lambda m: None)


def test_an_argument_without_a_rule_is_an_error():
    tj.overload.module("Special", Special, lambda m: m.gradient("floor", []))
    try:
        with pytest.raises(MissingGradientError, match="floor"):
            tj.grad(lambda a: np.sum(Special.floor(a)))(np.ones(2))
    finally:
        tj.overload.uninstall("Special")


# -- what else can be overloaded, and what cannot --------------------------------------------------


@pytest.fixture
def installed():
    names = []

    def install(name, target, declare):
        tj.overload.module(name, target, declare)
        names.append(name)

    yield install
    for name in names:
        with contextlib.suppress(ConfigError):
            tj.overload.uninstall(name)


G = [lambda g, out, x: 3.0 * g]


@MODES
def test_functions_of_c_and_imports_inside(installed, optimize):
    import scipy.ndimage as ndimage

    from_before = ndimage.gaussian_filter1d
    blur = lambda g, out, x, sigma, **how: from_before(g, sigma, **how)
    installed("ndimage", ndimage, lambda m: m.gradient("gaussian_filter1d", [blur, None]))

    def f(x):
        from scipy.ndimage import gaussian_filter1d

        return np.sum(gaussian_filter1d(x, 1.5, mode="constant") ** 2)

    x = np.linspace(0.0, 1.0, 7) ** 2
    step = 1e-6 * np.eye(7)
    plain = lambda x: np.sum(from_before(x, 1.5, mode="constant") ** 2)
    expected = [(plain(x + s) - plain(x - s)) / 2e-6 for s in step]
    df = tj.grad(f, optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_allclose(df(x), expected, atol=1e-8)
    assert df.cache_info().direct == 0
    assert ndimage.gaussian_filter1d.__doc__ == from_before.__doc__
    out = np.zeros(7)
    assert ndimage.gaussian_filter1d(x, 1.5, output=out) is out
    tj.overload.uninstall("ndimage")
    assert ndimage.gaussian_filter1d is from_before


@MODES
def test_other_rules_after_another_install(installed, optimize):
    df = tj.grad(lambda a: np.sum(library.floor(a)), optimize=optimize)
    for factor in (2.0, 5.0, 2.0):
        rule = lambda g, out, x, k=factor: k * g
        installed("library", library, lambda m: m.gradient("floor", [rule]))  # noqa: B023
        for _ in range(CALLS):
            np.testing.assert_array_equal(df(np.ones(2)), [factor] * 2)
        tj.overload.uninstall("library")
    installed("library", library, lambda m: m.static("floor"))
    total = tj.grad(lambda a: np.sum(library.floor(a) + a), optimize=optimize)
    for _ in range(CALLS):
        np.testing.assert_array_equal(total(np.ones(2)), [1.0, 1.0])


@MODES
def test_both_modes(installed, optimize):
    installed("library", library, lambda m: m.gradient("floor", G, [lambda t, out, x: 7.0 * t]))
    x = np.ones(2)
    for _ in range(CALLS):
        f = lambda a: library.floor(a)
        np.testing.assert_array_equal(tj.jvp(f, (x,), (x,), optimize=optimize)[1], 7 * x)
        total = tj.grad(lambda a: np.sum(library.floor(a)), optimize=optimize)
        np.testing.assert_array_equal(total(x), 3 * x)


def test_classes(installed):
    class Base:
        @staticmethod
        def floor(x):
            return np.floor(x)

        @classmethod
        def ceil(cls, x):
            return np.ceil(x)

        def method(self, x):
            return x

    class Derived(Base):
        pass

    before = dict(vars(Derived)), dict(vars(Base))
    installed("Derived", Derived, lambda m: (m.gradient("floor", G), m.unsupported("ceil")))
    x = np.array([0.5, 1.5])
    for thing in (Derived, Derived()):
        np.testing.assert_array_equal(thing.floor(x), np.floor(x))
        np.testing.assert_array_equal(thing.ceil(x), np.ceil(x))
        np.testing.assert_array_equal(tj.grad(lambda a: np.sum(thing.floor(a)))(x), [3, 3])  # noqa: B023
        with pytest.raises(UnsupportedError, match=r"Derived.ceil of .*test_overload.py:\d+"):
            tj.grad(lambda a: np.sum(thing.ceil([a[0]])))(x)  # noqa: B023
    tj.overload.uninstall("Derived")
    assert (dict(vars(Derived)), dict(vars(Base))) == before
    with pytest.raises(ConfigError, match="a method of instances"):
        installed("Base", Base, lambda m: m.gradient("method", G))


def test_what_cannot_be_overloaded(installed):
    installed("one", library, lambda m: m.gradient("floor", G))
    with pytest.raises(ConfigError, match=r"two.floor is overloaded already, as 'one'"):
        installed("two", library, lambda m: (m.static("rate"), m.static("floor")))
    assert not isinstance(library.rate, tj.primitive.__globals__["Primitive"])
    with pytest.raises(ConfigError, match="numpy are recorded as they are"):
        installed("np", np, lambda m: m.static("floor"))
    with pytest.raises(ConfigError, match=r"rules of two.rate are to be in a list"):
        installed("two", library, lambda m: m.gradient("rate", lambda g, out, x: g))
    with pytest.raises(ConfigError, match="is no module or class but a dict"):
        installed("dict", {}, lambda m: None)
    with pytest.raises(ConfigError, match=r"bytes.fromhex is"):
        installed("bytes", bytes, lambda m: m.static("fromhex"))
    with pytest.raises(GradientRuleError, match="as HIPS autograd has it"):
        installed("rules", Special, lambda m: m.gradient("floor", [lambda out, x: lambda g: g]))
    assert type(vars(Special)["floor"]) is staticmethod
    assert Special.floor.__module__ == __name__


def test_what_somebody_else_replaces_stays(installed, monkeypatch):
    installed("library", library, lambda m: m.gradient("floor", G))
    ours = library.floor
    theirs = lambda x: x
    monkeypatch.setattr(library, "floor", theirs)
    tj.overload.uninstall("library")
    assert library.floor is theirs
    monkeypatch.undo()
    assert library.floor is ours  # as it was for them
    library.floor = ours.__wrapped__
