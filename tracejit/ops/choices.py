"""Ops that choose: maxima and minima, where, clip, choose, and what is written with them.

A cotangent goes to the operand that was chosen. Operands of a maximum or minimum that are equal
share it; clip passes it on at its bounds. Functions that piecewise calls get the selected elements.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import BY_NAME, composite, is_traced, op
from .complexes import join_parts
from .conversions import as_scalar, cast, is_complex
from .elementwise import elementwise


def _ties(g: Any, x: Any, y: Any, wins: Any) -> Any:
    """Give the whole cotangent where an operand wins and half of it where the two are equal."""
    return np.where(x == y, 0.5 * g, np.where(wins, g, 0))


_NEAR = ((0.23, 2.9), (0.33, 2.21))
maximum = elementwise(
    np.maximum,
    [
        lambda g, out, x, y: _ties(g, x, y, x == out),
        lambda g, out, x, y: _ties(g, x, y, y == out),
    ],
    domain=_NEAR,
)
minimum = elementwise(np.minimum, maximum.vjp, domain=_NEAR)
fmax = elementwise(np.fmax, maximum.vjp, domain=_NEAR)
fmin = elementwise(np.fmin, maximum.vjp, domain=_NEAR)
where = elementwise(
    np.where,
    [None, lambda g, out, c, x, y: np.where(c, g, 0), lambda g, out, c, x, y: np.where(c, 0, g)],
    bind=lambda condition, x, y: ((condition, x, y), {}),
)


def _inside(x: Any, low: Any, high: Any) -> Any:
    """Compare with bounds; by functions, as they order Python's complex numbers, too."""
    if low is None:
        return True if high is None else np.less_equal(x, high)
    above = np.greater_equal(x, low)
    return above if high is None else above & np.less_equal(x, high)


def _bind_clip(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Any:
    return (a, min if a_min is None else a_min, max if a_max is None else a_max), {}


clip = elementwise(
    np.clip,
    [
        lambda g, out, x, low, high: np.where(_inside(x, low, high), g, 0),
        lambda g, out, x, low, high: np.where(np.less(x, low), g, 0),
        lambda g, out, x, low, high: np.where(np.greater(x, high), g, 0),
    ],
    bind=_bind_clip,
)

# -- of several ---------------------------------------------------------------------------------


def _choose(number: Any, *choices: Any, mode: Any) -> Any:
    return np.choose(number, choices, mode=mode)


def _choose_rule(g: Any, out: Any, position: int, values: Any, mode: str) -> Any:
    number, last = values[0], len(values) - 2
    if position == 0:
        return None
    if mode != "raise":
        number = np.clip(number, 0, last) if mode == "clip" else number % (last + 1)
    return np.where(number == position - 1, g, 0)


# Element by element that one of several arrays whose number stands in the first input.
choose = op("choose", _choose, variadic=True, elementwise=True, vjp=_choose_rule, raises=True)


@composite(np.choose)
def _choose_from(a: Any, choices: Any, *, mode: Any = "raise") -> Any:
    kind = {0: "clip", 1: "wrap", 2: "raise"}.get(mode, mode)
    return choose(a, *choices, mode=kind)


@composite(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    conditions, choices = _all_arrays(condlist), _all_arrays(choicelist)
    if len(conditions) != len(choices) or not conditions:
        np.select([True] * len(conditions), [0] * len(choices))  # which raises
    if any(np.result_type(c) != np.bool_ for c in conditions):
        raise TypeError("invalid entry in condlist: should be boolean ndarray")
    chosen = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        chosen = np.where(condition, choice, chosen)
    dtype = np.result_type(*choices, *_all_arrays([default]))
    return cast(chosen, dtype)


def _all_arrays(values: Any) -> list[Any]:
    """Make arrays of what is neither an array nor a number."""
    return [np.asarray(v) if isinstance(v, (list, tuple)) else v for v in values]


@composite(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    if not is_traced(x):
        raise TypeError("piecewise() argument x= that is not traced, with traced conditions")
    x = x if isinstance(x, np.ndarray) else BY_NAME["convert"](x, cls=np.ndarray)
    conditions = _conditions(x, condlist)
    if len(conditions) == len(funclist) - 1:
        met = conditions[0]
        for condition in conditions[1:]:
            met = np.logical_or(met, condition)
        conditions.append(np.logical_not(met))
    if len(conditions) != len(funclist):
        np.piecewise(np.zeros(1), [True] * len(conditions), funclist)  # which raises
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            y[condition] = function
            continue
        selected = x[condition]
        if selected.size > 0:
            y[condition] = function(selected, *args, **kw)
    return y


def _conditions(x: Any, condlist: Any) -> list[Any]:
    """List the conditions; one of them may stand there by itself."""
    one = np.ndim(condlist) == 0 if not isinstance(condlist, (list, tuple)) else False
    if one or (np.ndim(x) and not isinstance(condlist[0], (list, np.ndarray))):
        condlist = [condlist]
    return [c.astype(bool) if hasattr(c, "dtype") else _as_mask(c) for c in condlist]


def _as_mask(condition: Any) -> Any:
    return condition if is_traced(condition) else np.asarray(condition, bool)


# -- not finite ---------------------------------------------------------------------------------


def _where_finite(g: Any, x: Any) -> Any:
    return np.where(np.isfinite(x), g, 0)


def _finite_rule(g: Any, out: Any, x: Any, **replacements: Any) -> Any:
    if not is_complex(x):
        return _where_finite(g, x)
    return _where_finite(np.real(g), np.real(x)) + 1j * _where_finite(np.imag(g), np.imag(x))


finite = op("nan_to_num", np.nan_to_num, vjp=[_finite_rule], elementwise=True, path="np.nan_to_num")


@composite(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    given = {"nan": nan, "posinf": posinf, "neginf": neginf}
    if any(is_traced(value) or np.ndim(value) for value in given.values()):
        result = _replaced(x, **given)
    else:
        result = finite(x, **{name: value for name, value in given.items() if value is not None})
    if copy or not isinstance(x, np.ndarray):
        return result
    x[...] = result
    return x


def _replaced(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    """Replace by arrays or traced numbers."""
    if is_complex(x):
        parts = (_replaced(part, nan, posinf, neginf) for part in (np.real(x), np.imag(x)))
        return as_scalar(join_parts(*parts))
    dtype = getattr(x, "dtype", np.result_type(x))
    if dtype.kind != "f":
        return finite(x)
    high = float(np.finfo(dtype).max) if posinf is None else posinf
    low = float(np.finfo(dtype).min) if neginf is None else neginf
    result = np.where(x == np.inf, high, np.where(x == -np.inf, low, x))
    result = np.where(np.isnan(x), nan, result)
    if not np.can_cast(result.dtype, dtype, "same_kind"):
        raise TypeError(f"Cannot cast array data from {result.dtype!r} to {dtype!r}")
    if result.shape != np.shape(x):
        raise ValueError(f"could not broadcast input array to shape {np.shape(x)}")
    return as_scalar(cast(result, dtype))


# -- one value in the place of another ----------------------------------------------------------

copysign = elementwise(
    np.copysign,
    [lambda g, out, x, y: g * np.copysign(1.0, x) * np.copysign(1.0, y), None],
    domain=((-1.93, 1.67), (-0.9, 2.3)),
)
heaviside = elementwise(np.heaviside, [None, lambda g, out, x, at_zero: np.where(x == 0, g, 0)])
