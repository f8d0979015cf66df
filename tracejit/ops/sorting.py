"""Sorting and searching: values in order, the places where they stood, and sets of them.

Sorting only moves elements: a cotangent goes back to the places that NumPy's argsort of the same
kind names, found anew from the data at every call. Places themselves have no gradient.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import HOLE, composite, op
from .arrays import as_array
from .conversions import is_complex
from .index import index, unindex
from .shape import along

# -- moving elements along an axis --------------------------------------------------------------


def _put_back(values: Any, order: Any, *, axis: int) -> Any:
    out = np.empty_like(values)
    if values.ndim == 1:  # the other form takes ten times as long on a short vector
        out[order] = values
    else:
        np.put_along_axis(out, order, values, axis)
    return out


def _take(values: Any, order: Any, *, axis: int) -> Any:
    return np.take_along_axis(values, order, axis)


def _permuted_rule(g: Any, out: Any, values: Any, order: Any, axis: int) -> Any:
    return put_back(g, order, axis=axis)


def _put_back_rule(g: Any, out: Any, values: Any, order: Any, axis: int) -> Any:
    return permuted(g, order, axis=axis)


# Elements in the order of a permutation along an axis, and back.
permuted = op("permuted", _take, path="np.take_along_axis", vjp=[_permuted_rule, None])
put_back = op("put_back", _put_back, vjp=[_put_back_rule, None])

# -- sorting ------------------------------------------------------------------------------------


def _sort_rule(g: Any, out: Any, x: Any, axis: int = -1, kind: Any = None) -> Any:
    return put_back(g, np.argsort(x, axis=axis, kind=kind), axis=axis)


def _partition_rule(g: Any, out: Any, x: Any, kth: Any, axis: int = -1) -> Any:
    # Where np.partition puts the others is nobody's promise: elements are matched by their ranks.
    ranked = permuted(g, np.argsort(out, axis=axis), axis=axis)
    return put_back(ranked, np.argsort(x, axis=axis), axis=axis)


def _axis(a: Any, axis: Any) -> tuple[Any, dict[str, Any]]:
    """Settle the axis to sort along; None: that of all elements."""
    if axis is None:
        return np.ravel(as_array(a)), {}
    number = operator.index(axis)
    return a, {} if number == -1 else {"axis": number}


def _kind(kind: Any, order: Any, stable: Any = None) -> dict[str, Any]:
    if order is not None:
        raise TypeError("sort() argument order= is for arrays with fields, which are not traced")
    if kind is not None and stable is not None:
        raise ValueError("`kind` and `stable` parameters can't be provided at the same time.")
    kind = "stable" if stable else kind
    return {} if kind is None else {"kind": kind}


def _bind_sort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Any:
    a, where = _axis(a, axis)
    return (a,), {**where, **_kind(kind, order, stable)}


def _bind_partition(
    a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
) -> Any:
    if kind != "introselect":
        raise ValueError(f"select kind must be 'introselect' (got {kind!r})")
    a, where = _axis(a, axis)
    several = tuple(operator.index(k) for k in kth) if np.ndim(kth) else operator.index(kth)
    return (a,), {"kth": several, **where, **_kind(None, order)}


sort = op("sort", np.sort, stands_for=(np.sort,), bind=_bind_sort, vjp=[_sort_rule])
argsort = op("argsort", np.argsort, stands_for=(np.argsort,), bind=_bind_sort, vjp=None)
partition = op(
    "partition", np.partition, stands_for=(np.partition,), bind=_bind_partition,
    vjp=[_partition_rule],
)  # fmt: skip
argpartition = op(
    "argpartition", np.argpartition, stands_for=(np.argpartition,), bind=_bind_partition, vjp=None
)


@composite(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """Sort along the last axis, as complex numbers."""
    values = np.sort(a)
    if is_complex(values):
        return values
    return values.astype(np.complex64 if values.dtype.char in "bhBH" else np.complex128)


def _lexsort(*keys: Any, axis: int) -> Any:
    return np.lexsort(keys, axis=axis)


by_keys = op("lexsort", _lexsort, vjp=None)


@composite(np.lexsort, vjp=None)
def lexsort(keys: Any, axis: Any = -1) -> Any:
    """Sort indirectly by several keys, the last one first."""
    return by_keys(*[as_array(key) for key in keys], axis=operator.index(axis))


# -- searching ----------------------------------------------------------------------------------


def _bind_searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    if sorter is not None:
        a = index(as_array(a), as_array(sorter), key=HOLE)
    return (a, v), {} if side == "left" else {"side": side}


def _bind_digitize(x: Any, bins: Any, right: Any = False) -> Any:
    return (x, bins), {"right": True} if right else {}


def _bind_isin(
    element: Any, test_elements: Any, assume_unique: Any = False, invert: Any = False, *,
    kind: Any = None,
) -> Any:  # fmt: skip
    attrs = {"assume_unique": bool(assume_unique), "invert": bool(invert), "kind": kind}
    return (element, test_elements), {key: value for key, value in attrs.items() if value}


searchsorted = op(
    "searchsorted", np.searchsorted, stands_for=(np.searchsorted,), bind=_bind_searchsorted,
    vjp=None,
)  # fmt: skip
digitize = op(
    "digitize", np.digitize, stands_for=(np.digitize,), bind=_bind_digitize, vjp=None, raises=True
)
isin = op("isin", np.isin, stands_for=(np.isin,), bind=_bind_isin, vjp=None)

# -- sets: what is found has the gradient of the first element that is equal to it ---------------


def _first_places(x: Any, values: Any) -> Any:
    flat = x.ravel()
    order = np.argsort(flat, kind="stable")
    return order[np.searchsorted(flat, values, sorter=order)]


def _first_rows(x: Any, *, axis: int) -> Any:
    return np.unique(x, return_index=True, axis=axis)[1]


# Where values stand first among the elements of an array; where its different slices do.
first_places = op("first_places", _first_places, vjp=None)
first_rows = op("first_rows", _first_rows, vjp=None)


def _from_first(g: Any, found: Any, x: Any) -> Any:
    size = int(np.prod(np.shape(x), dtype=np.int64))
    flat = unindex(g, first_places(x, found), key=HOLE, shape=(size,))
    return np.reshape(flat, np.shape(x))


def _unique_rule(g: Any, out: Any, x: Any, axis: int | None = None, **options: Any) -> Any:
    if axis is None:
        return _from_first(g, out, x)
    return unindex(g, first_rows(x, axis=axis), key=along(axis, HOLE), shape=x.shape)


def _unique_parts(x: Any, **options: Any) -> Any:
    return np.unique(x, return_index=True, return_inverse=True, return_counts=True, **options)


def _unique_parts_rule(g: Any, out: Any, x: Any, **options: Any) -> Any:
    return None if g[0] is None else _unique_rule(g[0], out[0], x, **options)


def _common(a: Any, b: Any, **options: Any) -> Any:
    return np.intersect1d(a, b, return_indices=True, **options)


unique = op("unique", np.unique, path="np.unique", vjp=[_unique_rule])
unique_values = op("unique_values", np.unique_values, path="np.unique_values", vjp=[_unique_rule])
# The values, the places where they stand first, what each element is, and how often they are there.
unique_parts = op("unique_parts", _unique_parts, several=4, vjp=[_unique_parts_rule])
intersect1d = op(
    "intersect1d", np.intersect1d, path="np.intersect1d",
    vjp=[lambda g, out, a, b, **options: _from_first(g, out, a), None],
)  # fmt: skip
# The values that two arrays have in common, and where they stand first in each.
intersection = op(
    "intersection", _common, several=3,
    vjp=[lambda g, out, a, b, **options: _from_first(g[0], out[0], a), None],
)  # fmt: skip
setdiff1d = op(
    "setdiff1d", np.setdiff1d, path="np.setdiff1d",
    vjp=[lambda g, out, a, b, **options: _from_first(g, out, a), None],
)  # fmt: skip
