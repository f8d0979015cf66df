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


def weights(num: int, endpoint: bool, ndim: int) -> Any:
    """How far each of `num` numbers is from the first to the last, as a column of that rank."""
    steps = max(num - 1 if endpoint else num, 1)
    return (np.arange(num) / steps).reshape(-1, *(1,) * (ndim - 1))


def _start_rule(g: Any, out: Any, start: Any, stop: Any, num: int, endpoint: bool, **_: Any) -> Any:
    return g * (1.0 - weights(num, endpoint, np.ndim(out)))


def _stop_rule(g: Any, out: Any, start: Any, stop: Any, num: int, endpoint: bool, **_: Any) -> Any:
    return g * weights(num, endpoint, np.ndim(out))


linspace = op("linspace", np.linspace, vjp=[_start_rule, _stop_rule], path="np.linspace")


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
