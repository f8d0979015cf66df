"""Methods of ufuncs that have a rule of their own: reduce, accumulate, reduceat and at.

Those that NumPy has functions for (np.sum, np.cumsum, np.max, ...) are declared as those functions.
What is neither is recorded as the calls that it stands for (trace/ufuncs.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..dag.op import Op, op
from .elementwise import LN2, exponential_share
from .index import add_along, fill, index, index_add, like_it
from .reduce import nan_extremum, spread
from .scans import tails
from .shape import on_axis

METHODS: dict[tuple[Any, str], Op] = {}  # (ufunc, name of the method) -> its op

# What a masked-out element counts as: it changes nothing.
NEUTRAL: dict[Any, float] = {
    np.logaddexp: -np.inf, np.logaddexp2: -np.inf, np.hypot: 0.0, np.subtract: 0, np.divide: 1,
}  # fmt: skip


def _declare(function: np.ufunc, method: str, vjp: Any, **fields: Any) -> Op:
    name = f"{function.__name__}.{method}"
    run = fields.pop("run", getattr(function, method))
    declared = op(name, run, vjp=vjp, **fields)
    METHODS[function, method] = declared
    return declared


def _numpys(function: np.ufunc, method: str, vjp: Any, **fields: Any) -> Op:
    """Declare a method that emitted code calls as NumPy has it."""
    return _declare(function, method, vjp, path=f"np.{function.__name__}.{method}", **fields)


@cache
def without_gradient(function: np.ufunc, method: str) -> Op:
    """The op for a method of a ufunc whose gradient is zero."""
    name = f"{function.__name__}.{method}"
    return Op(name, getattr(function, method), vjp=None, path=f"np.{name}")


# -- reduce --------------------------------------------------------------------------------------


def _weighted(weight: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A rule for a reduction whose derivative by an element depends on it and on the result."""

    def rule(g: Any, out: Any, x: Any, axis: Any, keepdims: bool) -> Any:
        shape = np.shape(x)
        out = spread(out, shape, axis, keepdims)
        return spread(g, shape, axis, keepdims) * weight(x, out)

    return rule


def _is_first(x: Any, axis: int) -> Any:
    """True at the first place of an axis, in a shape that broadcasts to that of x."""
    if np.ndim(x) == 0:
        return np.True_
    return on_axis(np.arange(np.shape(x)[axis]) == 0, axis, np.ndim(x))


def _difference(g: Any, out: Any, x: Any, axis: int, keepdims: bool) -> Any:
    g = spread(g, np.shape(x), axis, keepdims)
    return np.where(_is_first(x, axis), g, -g)


def _quotient(g: Any, out: Any, x: Any, axis: int, keepdims: bool) -> Any:
    first, g = _is_first(x, axis), spread(g, np.shape(x), axis, keepdims)
    out = spread(out, np.shape(x), axis, keepdims)
    others = np.where(first, 1, x)
    by_first = quotients(others, axis=axis, keepdims=True)
    return np.where(first, g * by_first, -np.divide(g * out, others))


def _on_hypot(x: Any, out: Any) -> Any:
    return np.where(out == 0, 0, np.divide(x, np.where(out == 0, 1, out)))


_numpys(np.fmax, "reduce", [nan_extremum])
_numpys(np.fmin, "reduce", [nan_extremum])
_numpys(np.logaddexp, "reduce", [_weighted(lambda x, out: np.exp(x - out))])
_numpys(np.logaddexp2, "reduce", [_weighted(lambda x, out: np.exp2(x - out))])
_numpys(np.hypot, "reduce", [_weighted(_on_hypot)])
_numpys(np.subtract, "reduce", [_difference])
quotients = _numpys(np.divide, "reduce", [_quotient])

# -- accumulate ----------------------------------------------------------------------------------


def _running(missing: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The rule of a running extremum: of equal elements the latest counts."""

    def rule(g: Any, out: Any, x: Any, axis: int) -> Any:
        places = on_axis(np.arange(np.shape(x)[axis]), axis, np.ndim(x))
        chosen = np.where((x == out) | missing(x, out), places, 0)
        latest = METHODS[np.maximum, "accumulate"](chosen, axis=axis)
        return add_along(g, latest, shape=np.shape(x), axis=axis)

    return rule


def _summing(unit: float) -> Callable[..., Any]:
    """The rule of a running sum of powers of e**unit: each result has a share in the next one."""

    def rule(g: Any, out: Any, x: Any, axis: int) -> Any:
        g, out, x = (np.swapaxes(v, axis, -1) for v in (g, out, x))
        one, x, before = np.ones_like(x[..., :1]), unit * x[..., 1:], unit * out[..., :-1]
        kept = np.concatenate([one, exponential_share(before, x)], axis=-1)
        added = np.concatenate([one, exponential_share(x, before)], axis=-1)
        return np.swapaxes(tails(g, kept) * added, axis, -1)

    return rule


_numpys(np.logaddexp, "accumulate", [_summing(1.0)])
_numpys(np.logaddexp2, "accumulate", [_summing(LN2)])

_function: Any
for _function in (np.maximum, np.minimum):
    _numpys(_function, "accumulate", [_running(lambda x, out: x != x)])
for _function in (np.fmax, np.fmin):
    _numpys(_function, "accumulate", [_running(lambda x, out: out != out)])

# -- reduceat ------------------------------------------------------------------------------------


def spread_segments(g: Any, indices: Any, *, shape: tuple[int, ...], axis: int) -> Any:
    """Give each element the sum over the segments that it is in: the transpose of add.reduceat."""
    starts = np.asarray(indices)
    ends = np.append(starts[1:], shape[axis])
    lengths = np.maximum(ends - starts, 1)
    owners = np.repeat(np.arange(starts.size), lengths)
    within = np.arange(owners.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    out = np.zeros(shape, g.dtype)
    np.add.at(np.moveaxis(out, axis, 0), starts[owners] + within, np.moveaxis(g, axis, 0)[owners])
    return out


segments_op = op(
    "spread_segments", spread_segments,
    vjp=[lambda g, out, x, i, shape, axis: METHODS[np.add, "reduceat"](g, i, axis=axis), None],
)  # fmt: skip
_numpys(
    np.add, "reduceat",
    [lambda g, out, x, i, axis: segments_op(g, i, shape=np.shape(x), axis=axis), None],
    raises=True,
)  # fmt: skip

# -- at: the result is the array as it is after the call ------------------------------------------


def _at(function: np.ufunc, vjp: Any) -> Op:
    def run(x: Any, value: Any, *arrays: Any, key: Any) -> Any:
        out = like_it(x)
        function.at(out, fill(key, arrays), value)
        return out

    return _declare(function, "at", vjp, run=run, variadic=True, raises=True)


def _added(like: Any, value: Any, arrays: list[Any], key: Any) -> Any:
    """Add a value into zeros, at an index that may name an element several times."""
    return index_add(np.zeros_like(like), value, *arrays, key=key)


def _product_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    x, value, *arrays = values
    if position == 0:
        return products(g, value, *arrays, key=key)
    if position > 1:
        return None
    zero = np.equal(value, 0)  # the product of the others is exact where a factor is zero
    factors = np.where(zero, 1, value)
    rest = index(products(x * g, factors, *arrays, key=key), *arrays, key=key)
    zeros = index(_added(x, np.where(zero, 1, 0), arrays, key), *arrays, key=key)
    one = np.where(zeros == 1, rest, 0)
    return np.where(zero, one, np.where(zeros == 0, np.divide(rest, factors), 0))


def _quotients_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    _, value, *arrays = values
    if position == 0:
        return METHODS[np.divide, "at"](g, value, *arrays, key=key)
    if position > 1:
        return None
    return -np.divide(index(g * out, *arrays, key=key), value)


def _extremum_rule(g: Any, out: Any, position: int, values: list[Any], key: Any) -> Any:
    x, value, *arrays = values
    if position > 1:
        return None
    here = np.equal(value, index(out, *arrays, key=key))
    kept = x == out
    count = _added(x, np.where(here, 1, 0), arrays, key) + np.where(kept, 1, 0)
    share = np.divide(g, np.where(count == 0, 1, count))
    if position == 0:
        return np.where(kept, share, 0)
    return np.where(here, index(share, *arrays, key=key), 0)


products = _at(np.multiply, _product_rule)
_at(np.divide, _quotients_rule)
for _function in (np.maximum, np.minimum, np.fmax, np.fmin):
    _at(_function, _extremum_rule)
