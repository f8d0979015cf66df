"""Arrays made of arguments that may be nested lists or numbers, any of which may be traced.

Three functions, by what they leave as it is: `as_array` gives an array in any case, `with_dtype`
leaves NumPy's numbers, which count in promotion as arrays do, and `unlisted` all numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ..dag.op import BY_NAME, is_traced, op, value_of
from .conversions import convert

Path = tuple[int, ...]  # to an element of nested lists


def nest(paths: Sequence[Path], leaves: Sequence[Any]) -> Any:
    """Put leaves into nested lists, each at its path; the paths are in order."""
    if paths and not paths[0]:
        return leaves[0]
    rows = groupby(zip(paths, leaves, strict=True), key=lambda item: item[0][0])
    parts = ([(path[1:], leaf) for path, leaf in row] for _, row in rows)
    return [nest(*zip(*part, strict=True)) for part in parts]


def leaves_of(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """List the leaves of nested lists with their paths."""
    if not isinstance(value, (list, tuple)):
        yield path, value
        return
    for i, part in enumerate(value):
        yield from leaves_of(part, (*path, i))


def _array(*leaves: Any, paths: tuple[Path, ...], dtype: Any) -> Any:
    return np.array(nest(paths, leaves), dtype)


def _array_rule(g: Any, out: Any, position: int, values: Any, paths: Any, dtype: Any) -> Any:
    path = paths[position]
    return BY_NAME["index"](g, key=path[0] if len(path) == 1 else path)


# What np.array makes of nested lists; `paths` says where in them each input stands.
array = op("array", _array, variadic=True, vjp=_array_rule)


def as_array(x: Any) -> Any:
    """Make an array of a number or of nested lists."""
    if isinstance(x, np.ndarray):
        return x
    if is_traced(x):
        return convert(x, cls=np.ndarray)
    found = list(leaves_of(x))
    if not any(is_traced(leaf) for _, leaf in found):
        return np.asarray(x)
    paths, leaves = zip(*found, strict=True)
    dtype = np.array(nest(paths, [value_of(leaf) for leaf in leaves])).dtype
    return array(*leaves, paths=paths, dtype=dtype)


def with_dtype(x: Any) -> Any:
    """Make an array of a Python number or of nested lists."""
    return x if hasattr(x, "dtype") else as_array(x)


def unlisted(x: Any) -> Any:
    """Make an array of nested lists."""
    return as_array(x) if isinstance(x, (list, tuple)) else x
