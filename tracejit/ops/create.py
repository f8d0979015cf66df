"""New arrays: of one value, of evenly spaced numbers, or put together from single elements.

What has no node among its inputs is a constant of the trace; it is recorded all the same, so that
it can be written to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ..dag.op import BY_NAME, is_traced, op
from .index import index

Path = tuple[int, ...]

zeros = op("zeros", np.zeros, vjp=None, path="np.zeros")


# -- spaced numbers ------------------------------------------------------------------------------


def _weights(num: int, endpoint: bool, ndim: int, axis: int) -> Any:
    """How far each of `num` numbers is from the first to the last, along an axis."""
    lengths = [1] * ndim
    lengths[axis] = -1
    return (np.arange(num) / max(num - 1 if endpoint else num, 1)).reshape(lengths)


def _end(number: int, factor: Any = None) -> Any:
    """The rule for an end: its weight, times what `factor` makes of (g, out, *inputs)."""

    def rule(
        g: Any, out: Any, *inputs: Any, num: int, endpoint: bool, axis: int = 0, **_: Any
    ) -> Any:
        weights = _weights(num, endpoint, np.ndim(out), axis)
        if factor is not None:
            g = factor(g, out, *(_within(i, out, axis) for i in inputs))
        return np.sum(g * (weights if number else 1.0 - weights), axis=axis)

    return rule


def _within(x: Any, out: Any, axis: int) -> Any:
    """Let an end broadcast to the result: give it the axis of the numbers between the ends."""
    if not np.ndim(x):
        return x
    others = list(np.shape(out))
    del others[axis]
    return np.expand_dims(np.broadcast_to(x, tuple(others)), axis)


def _base_rule(
    g: Any, out: Any, start: Any, stop: Any, base: Any, num: int, endpoint: bool, axis: int = 0,
    **_: Any,
) -> Any:  # fmt: skip
    start, stop, base = (_within(i, out, axis) for i in (start, stop, base))
    weights = _weights(num, endpoint, np.ndim(out), axis)
    exponents = start * (1.0 - weights) + stop * weights
    return np.sum(g * out * np.divide(exponents, base), axis=axis)


def _arange_rule(g: Any, out: Any, start: Any, stop: Any, step: Any, dtype: Any = None) -> Any:
    return np.sum(g * np.arange(np.size(out)))


linspace = op("linspace", np.linspace, vjp=[_end(0), _end(1)], path="np.linspace")
logspace = op(
    "logspace", lambda start, stop, base, **attrs: np.logspace(start, stop, base=base, **attrs),
    vjp=[
        _end(0, lambda g, out, start, stop, base: g * out * np.log(base)),
        _end(1, lambda g, out, start, stop, base: g * out * np.log(base)),
        _base_rule,
    ],
)  # fmt: skip
geomspace = op(
    "geomspace", np.geomspace, path="np.geomspace",
    vjp=[
        _end(0, lambda g, out, start, stop: np.divide(g * out, start)),
        _end(1, lambda g, out, start, stop: np.divide(g * out, stop)),
    ],
)  # fmt: skip
# The shape of the result depends on values: who records it notes that.
arange = op(
    "arange", np.arange, path="np.arange",
    vjp=[lambda g, out, start, stop, step, dtype=None: np.sum(g), None, _arange_rule],
)  # fmt: skip

# -- arrays of elements --------------------------------------------------------------------------


def nest(paths: Sequence[Path], leaves: Sequence[Any]) -> Any:
    """Put leaves into nested lists, each at its path; the paths are in order."""
    if paths and not paths[0]:
        return leaves[0]
    rows = groupby(zip(paths, leaves, strict=True), key=lambda item: item[0][0])
    parts = ([(path[1:], leaf) for path, leaf in row] for _, row in rows)
    return [nest(*zip(*part, strict=True)) for part in parts]


def _array(*leaves: Any, paths: tuple[Path, ...], dtype: Any) -> Any:
    return np.array(nest(paths, leaves), dtype)


def _array_rule(g: Any, out: Any, position: int, values: Any, paths: Any, dtype: Any) -> Any:
    path = paths[position]
    return index(g, key=path[0] if len(path) == 1 else path)


# What np.array makes of nested lists; `paths` says where in them each input stands.
array = op("array", _array, variadic=True, vjp=_array_rule)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """List the leaves of nested lists with their paths."""
    if not isinstance(value, (list, tuple)) or is_traced(value):
        yield path, value
        return
    for i, part in enumerate(value):
        yield from _leaves(part, (*path, i))


def arrayed(x: Any) -> Any:
    """Make an array of a number or of nested lists, traced elements included."""
    if hasattr(x, "dtype"):
        return x
    if is_traced(x):
        return BY_NAME["convert"](x, cls=np.ndarray)
    found = list(_leaves(x, ()))
    if not any(is_traced(leaf) for _, leaf in found):
        return np.asarray(x)
    paths, leaves = zip(*found, strict=True)
    plain = [leaf.value if is_traced(leaf) else leaf for leaf in leaves]
    return array(*leaves, paths=paths, dtype=np.array(nest(paths, plain)).dtype)


def unlisted(x: Any) -> Any:
    """Make an array of nested lists, and leave a number as it is."""
    return arrayed(x) if isinstance(x, (list, tuple)) and not is_traced(x) else x


def _stop_gradient(x: Any) -> Any:
    if type(x) is not np.ndarray:
        return x
    view = x.view()
    view.flags.writeable = False  # a write to it would cut the gradient of all of x
    return view


stopped = op("stop_gradient", _stop_gradient, vjp=None, views=True)
