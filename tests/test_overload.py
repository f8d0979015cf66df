"""Gradients for functions of other libraries."""

import types

import numpy as np
import pytest

import tracejit as tj
from tests.support import CALLS, MODES
from tracejit.errors import ConfigError, MissingGradientError, UnsupportedError

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
