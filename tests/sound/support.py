"""Scenarios: functions whose surroundings change between calls, played in plain Python and by us.

A scenario is a generator function. It first yields the function, or the function and another one
that shows the state it leaves behind; then it changes what it likes and yields the arguments of
one call (None: the vector X), again and again. `check` plays it in plain Python and with jit_grad,
each time from the beginning, and compares outcome and state after every call. The gradient of a
call is compared with finite differences: the scenario is played again with other parameters at
that call. So neither state nor generators ever have to be set back.
"""

import copy
import dataclasses
import importlib.util
import itertools
import random
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.support import assert_same
from tracejit import TracejitWarning, jit_grad

MODES = pytest.mark.parametrize("optimize", [True, False], ids=["compiled", "direct"])
X = np.array([0.5, 1.25, 2.0])
SEED = 20

Scenario = Callable[[], Iterator[Any]]

_folder = tempfile.TemporaryDirectory(prefix="tracejit-tests-")
_count = itertools.count()


def module(source: str, name: str = "elsewhere") -> types.ModuleType:
    """Import source text as a fresh module from a real file."""
    path = Path(_folder.name) / f"{name}_{next(_count)}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class Call(NamedTuple):
    """What one call gave: outputs or an exception, gradients, and the state afterwards."""

    args: tuple[Any, ...]
    outcome: Any
    grads: Any
    state: Any


class Play(NamedTuple):
    """A scenario as it was played."""

    calls: list[Call]
    df: Any
    warnings: list[str]


def play(
    scenario: Scenario,
    optimize: bool | None = None,
    nudged: int | None = None,
    step: float = 0.0,
    audit: bool = False,
) -> Play:
    """Play a scenario from its beginning: in plain Python where optimize is None.

    nudged: the number of the call whose parameters are moved by step along their direction.
    """
    np.random.seed(SEED)
    random.seed(SEED)
    calls: list[Call] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        steps = scenario()
        first = next(steps)
        f, observe = first if type(first) is tuple else (first, lambda: None)
        called = f if optimize is None else jit_grad(f, optimize=optimize, audit=audit)
        for args in steps:
            args = (X,) if args is None else args
            if len(calls) == nudged:
                args = (moved(args[0], step), *args[1:])
            grads, outcome = None, None
            try:
                outcome = called(*args)
            except Exception as error:
                outcome = error
            else:
                if optimize is not None:
                    grads, *outputs = outcome
                    outcome = tuple(outputs)
                else:  # plain results may alias what is changed later; ours must not
                    outcome = copy.deepcopy(outcome if type(outcome) is tuple else (outcome,))
            state = copy.deepcopy((observe(), np.random.get_state(), random.getstate()))
            calls.append(Call(args, outcome, grads, state))
    ours = [str(w.message) for w in caught if issubclass(w.category, TracejitWarning)]
    return Play(calls, called, ours)


def check(
    scenario: Scenario, optimize: bool = True, compiled: bool = False, gradients: bool = True
) -> Any:
    """Compare a scenario with plain Python; with `compiled`, direct mode must not have answered.

    Returns the function that jit_grad made.
    """
    plain, ours = play(scenario), play(scenario, optimize)
    assert len(plain.calls) == len(ours.calls)
    for number, (expected, actual) in enumerate(zip(plain.calls, ours.calls, strict=True)):
        where = f"call {number} of {scenario.__name__}"
        same_outcome(actual.outcome, expected.outcome, where)
        same_state(actual.state, expected.state, f"state after {where}")
        if gradients and not isinstance(expected.outcome, Exception):
            assert_kinds(actual.grads, actual.args[0], where)
            single = any(_single(leaf) for leaf in leaves(actual.args[0]))
            expected_slope = slope_of(scenario, number, 2**-7 if single else 1e-5)
            if np.isfinite(expected_slope):
                slope, few = along(actual.grads, actual.args[0]), 1e-3 if single else 1e-6
                assert np.isclose(slope, expected_slope, rtol=few, atol=few), (
                    f"{where}: slope {slope}, finite differences {expected_slope}"
                )
    if compiled and optimize:
        assert ours.df.cache_info().direct == 0, ours.df.explain()
    return ours.df


def slope_of(scenario: Scenario, number: int, step: float) -> float:
    """The slope of the first output of one call along the direction of its parameters.

    It is nan where the function raises beside these parameters.
    """
    ends = [play(scenario, nudged=number, step=s).calls[number].outcome for s in (step, -step)]
    if any(isinstance(end, Exception) for end in ends):
        return np.nan
    with np.errstate(all="ignore"):
        return (float(ends[0][0]) - float(ends[1][0])) / (2 * step)


# -- parameters: numbers and arrays, nested -------------------------------------------------------
def leaves(value: Any) -> list[Any]:
    """List the float leaves of nested parameters."""
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in leaves(v)]
    if isinstance(value, (list, tuple)):
        return [leaf for v in value for leaf in leaves(v)]
    if dataclasses.is_dataclass(value):
        return leaves([getattr(value, f.name) for f in dataclasses.fields(value)])
    dtype = getattr(value, "dtype", None)
    return [value] if type(value) is float or (dtype is not None and dtype.kind == "f") else []


def rebuilt(value: Any, new: Iterator[Any]) -> Any:
    """Put other leaves into the structure of nested parameters."""
    if isinstance(value, dict):
        return {k: rebuilt(v, new) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(rebuilt(v, new) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(rebuilt(v, new) for v in value)
    if dataclasses.is_dataclass(value):
        fields = [f.name for f in dataclasses.fields(value)]
        return dataclasses.replace(value, **{n: rebuilt(getattr(value, n), new) for n in fields})
    return next(new) if leaves(value) else value


def directions(value: Any) -> list[Any]:
    """One number for each element of each leaf; no two are equal."""
    rng = np.random.default_rng(3)
    return [rng.permutation(np.linspace(0.5, 1.5, np.size(v))).reshape(np.shape(v))
            for v in leaves(value)]  # fmt: skip


def moved(params: Any, step: float) -> Any:
    """Move parameters along their direction; each keeps its type and dtype."""
    new = []
    for leaf, direction in zip(leaves(params), directions(params), strict=True):
        there = leaf + step * direction
        if isinstance(leaf, np.ndarray):
            like = np.empty_like(leaf)
            like[...] = there
            new.append(like)
        else:
            new.append(type(leaf)(there))
    return rebuilt(params, iter(new))


def along(grads: Any, params: Any) -> float:
    """The slope along the direction of the parameters that the gradients say."""
    pairs = zip(leaves(grads), directions(params), strict=True)
    return float(sum(np.sum(np.asarray(g, float) * d) for g, d in pairs))


def assert_kinds(grads: Any, params: Any, where: str) -> None:
    """Each gradient has the type, shape and dtype of its parameter."""
    for g, p in zip(leaves(grads), leaves(params), strict=True):
        assert type(g) is type(p), where
        assert np.shape(g) == np.shape(p), where
        assert getattr(g, "dtype", None) == getattr(p, "dtype", None), where


# -- comparing ------------------------------------------------------------------------------------
def same_outcome(actual: Any, expected: Any, where: str) -> None:
    """Equal outputs, or the same exception."""
    if isinstance(expected, Exception):
        assert type(actual) is type(expected), f"{where}: {actual!r}, plain: {expected!r}"
        assert str(expected) in str(actual), where
        return
    assert not isinstance(actual, Exception), f"{where}: {actual!r}, plain: {expected!r}"
    try:
        assert_same(actual, expected)
    except AssertionError as error:
        raise AssertionError(f"{where}: {actual!r}, plain: {expected!r}") from error


def same_state(
    actual: Any,
    expected: Any,
    where: str,
    few: float = 1e-12,
    single: float = 1e-6,
    strict: bool = False,
) -> None:
    """Equal state: structure, shapes and dtypes exactly, floats up to the last digits.

    Unless strict, a number that was kept may be a float where plain Python has a np.float64, and
    the other way round; it is never anything else. few and single: tolerances for f8 and f4.
    """
    options = few, single, strict
    if isinstance(expected, dict):
        assert type(actual) is type(expected) and list(actual) == list(expected), where
        for key in expected:
            same_state(actual[key], expected[key], f"{where}[{key!r}]", *options)
    elif isinstance(expected, (list, tuple)):
        assert type(actual) is type(expected) and len(actual) == len(expected), (
            f"{where}: {actual!r}, plain: {expected!r}"
        )
        for number, (a, e) in enumerate(zip(actual, expected, strict=True)):
            same_state(a, e, f"{where}[{number}]", *options)
    elif isinstance(expected, (float, np.floating, np.ndarray)):
        kinds = {type(expected)}
        if not strict and type(expected) in (float, np.float64):
            kinds = {float, np.float64}
        assert type(actual) in kinds, f"{where}: {type(actual)}, plain: {type(expected)}"
        a, e = np.asarray(actual), np.asarray(expected)
        assert a.dtype == e.dtype and a.shape == e.shape, (
            f"{where}: {a.dtype}{a.shape}, plain: {e.dtype}{e.shape}"
        )
        tolerance = 0.0 if e.dtype.kind not in "fc" else single if _single(e) else few
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance, err_msg=where)
    else:
        assert type(actual) is type(expected) and actual == expected, (
            f"{where}: {actual!r}, plain: {expected!r}"
        )


def _single(value: Any) -> bool:
    return value.dtype == np.float32 if hasattr(value, "dtype") else False
