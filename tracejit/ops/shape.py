"""Shape: what gives the same elements other axes, and what repeats them without storing them.

Results share the memory of the argument wherever NumPy's do, so that writes show in both.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..dag.op import composite, op, value_of
from .arrays import as_array
from .conversions import copy as copy_op


def along(axis: int, *parts: Any) -> Any:
    """Write an index whose parts stand at an axis and after it."""
    return parts[0] if len(parts) == 1 and axis == 0 else (slice(None),) * axis + parts


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation of axes that undoes one."""
    return tuple(axes.index(i) for i in range(len(axes)))


def _ndim(x: Any) -> int:
    """Count the axes, without the detour that NumPy's function takes to a tracer."""
    ndim: int = x.ndim if hasattr(x, "ndim") else np.ndim(x)
    return ndim


def axis_of(axis: Any, ndim: int) -> int:
    """Count an axis from the first one on."""
    return normalize_axis_index(operator.index(axis), ndim)


def axis_if_any(a: Any, axis: Any) -> Any:
    """Give None for the first axis of what has no axes: some functions of NumPy allow it."""
    return None if np.ndim(a) == 0 and axis in (0, -1) else axis


def _shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, np.ndarray) and np.ndim(shape):
        shape = tuple(shape)
    if isinstance(shape, (tuple, list)):
        return tuple(int(n) for n in shape)
    return (int(shape),)


# -- the same elements in another shape ---------------------------------------------------------


def _bind_reshape(
    a: Any, /, shape: Any = None, order: Any = "C", *, newshape: Any = None, copy: Any = None
) -> Any:
    wanted = _shape(newshape if shape is None else shape)
    if -1 in wanted:
        known = -int(np.prod(wanted, dtype=np.int64))
        if known > 0 and np.size(a) % known == 0:
            wanted = tuple(np.size(a) // known if n == -1 else n for n in wanted)
    settled = _order(a, order)
    plain = value_of(a)
    if copy is False and not np.may_share_memory(np.reshape(plain, wanted, **settled), plain):
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return (copy_op(a) if copy else a,), {"shape": wanted, **settled}


def _order(a: Any, order: Any) -> dict[str, Any]:
    """Settle in which order elements are read: C, F, or A (F for what lies so in memory)."""
    kind = str(order).upper()
    if kind == "A":
        flags = getattr(value_of(a), "flags", None)
        kind = "F" if flags is not None and flags.fnc else "C"
    if kind not in ("C", "F"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return {} if kind == "C" else {"order": kind}


def _bind_ravel(a: Any, order: Any = "C") -> Any:
    if str(order).upper() != "K":
        return (a,), _order(a, order)
    strides = getattr(value_of(a), "strides", ())
    axes = sorted(range(len(strides)), key=lambda i: -abs(strides[i]))
    return (a if axes == sorted(axes) else np.transpose(a, axes),), {}


def _bind_transpose(a: Any, axes: Any = None) -> Any:
    ndim = _ndim(a)
    if axes is None:
        return (a,), {"axes": tuple(range(ndim))[::-1]}
    counted = normalize_axis_tuple(tuple(axes), ndim)
    if len(counted) != ndim:
        raise ValueError("axes don't match array")
    return (a,), {"axes": counted}


reshape = op(
    "reshape", lambda x, *, shape, order="C": np.reshape(x, shape, order=order),
    stands_for=(np.reshape,), bind=_bind_reshape, views=True,
    vjp=[lambda g, out, x, shape, order="C": np.reshape(g, np.shape(x), order=order)],
)  # fmt: skip
ravel = op(
    "ravel", np.ravel, stands_for=(np.ravel,), views=True, bind=_bind_ravel,
    vjp=[lambda g, out, x, order="C": np.reshape(g, np.shape(x), order=order)],
)  # fmt: skip
transpose = op(
    "transpose", lambda x, *, axes: np.transpose(x, axes), stands_for=(np.transpose,),
    bind=_bind_transpose, views=True,
    vjp=[lambda g, out, x, axes: np.transpose(g, inverse(axes))],
)  # fmt: skip
broadcast_to = op(
    "broadcast_to", lambda x, *, shape: np.broadcast_to(x, shape), stands_for=(np.broadcast_to,),
    bind=lambda array, shape, subok=False: ((array,), {"shape": _shape(shape)}), views=True,
    vjp=[lambda g, out, x, shape: g],
)  # fmt: skip

# -- axes ---------------------------------------------------------------------------------------


@composite(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    """Insert axes of length 1."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = _ndim(a) + len(axes)
    new = normalize_axis_tuple(axes, ndim)
    lengths = iter(np.shape(a))
    return np.reshape(a, tuple(1 if i in new else next(lengths) for i in range(ndim)))


@composite(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    """Drop axes of length 1."""
    shape = np.shape(a)
    if axis_if_any(a, axis) is None:
        return np.reshape(a, tuple(n for n in shape if n != 1))
    axes = normalize_axis_tuple(axis, len(shape))
    if any(shape[i] != 1 for i in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return np.reshape(a, tuple(n for i, n in enumerate(shape) if i not in axes))


@composite(np.swapaxes)
def swapaxes(a: Any, axis1: Any, axis2: Any) -> Any:
    """Exchange two axes."""
    axes = list(range(_ndim(a)))
    i, j = axis_of(axis1, len(axes)), axis_of(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return np.transpose(a, axes)


def swap(x: Any) -> Any:
    """Exchange the last two axes, by the op itself: rules do it at every step of long loops."""
    *batch, rows, columns = range(x.ndim)
    return transpose(x, axes=(*batch, columns, rows))


def last_axis(x: Any, axis: int) -> Any:
    """Move an axis to the end."""
    return x if axis in (-1, np.ndim(x) - 1) else np.moveaxis(x, axis, -1)


@composite(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """Exchange the last two axes."""
    if _ndim(x) < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {_ndim(x)}")
    return np.swapaxes(x, -1, -2)


@composite(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Move axes to new places; the others keep their order."""
    ndim = _ndim(a)
    sources, targets = normalize_axis_tuple(source, ndim), normalize_axis_tuple(destination, ndim)
    if len(sources) != len(targets):
        raise ValueError("source and destination arguments must have the same number of elements")
    moved = dict(zip(targets, sources, strict=True))
    rest = iter(i for i in range(ndim) if i not in sources)
    return np.transpose(a, [moved[i] if i in moved else next(rest) for i in range(ndim)])


@composite(np.rollaxis)
def rollaxis(a: Any, axis: Any, start: Any = 0) -> Any:
    """Move an axis backwards until it stands before another one."""
    ndim = _ndim(a)
    moved, before = axis_of(axis, ndim), operator.index(start)
    before = axis_of(before + ndim if before < 0 else before, ndim + 1)
    axes = [i for i in range(ndim) if i != moved]
    axes.insert(before - (moved < before), moved)
    return np.transpose(a, axes)


def _at_least(ndim: int) -> Any:
    def at_least(*arys: Any) -> Any:
        made = tuple(with_axes(as_array(a), ndim) for a in arys)
        return made[0] if len(made) == 1 else made

    return at_least


def with_axes(a: Any, ndim: int) -> Any:
    """Give an array at least 1, 2 or 3 axes, as np.atleast_1d and its like place them."""
    shape = a.shape
    if len(shape) >= ndim:
        return a
    if ndim == 3 and shape:
        return np.reshape(a, (1, *shape, 1) if len(shape) == 1 else (*shape, 1))
    return np.reshape(a, (1,) * (ndim - len(shape)) + shape)


for _number, _function in enumerate((np.atleast_1d, np.atleast_2d, np.atleast_3d), 1):
    composite(_function)(_at_least(_number))

# -- several arrays in one shape ----------------------------------------------------------------


@composite(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """Broadcast arrays against each other."""
    arrays = [as_array(a) for a in args]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return tuple(a if a.shape == shape else np.broadcast_to(a, shape) for a in arrays)


@composite(np.meshgrid)
def meshgrid(*xi: Any, copy: Any = True, sparse: Any = False, indexing: str = "xy") -> Any:
    """Spread coordinate vectors over a grid."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    places = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        places[:2] = 1, 0
    grids: Any = [on_axis(x, i, len(xi)) for x, i in zip(xi, places, strict=True)]
    if not sparse:
        grids = np.broadcast_arrays(*grids)
    return tuple(copy_op(x) for x in grids) if copy else tuple(grids)


def on_axis(x: Any, axis: int, ndim: int) -> Any:
    """Lay the elements of an array along one of several axes."""
    lengths = [1] * ndim
    lengths[axis] = -1
    return np.reshape(as_array(x), lengths)


@composite(np.ix_)
def ix_(*args: Any) -> Any:
    """Make of sequences an index that selects all combinations of their elements."""
    made = []
    for axis, given in enumerate(args):
        numbers = as_array(given)
        if numbers.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if numbers.size == 0:
            numbers = numbers.astype(np.intp)
        if numbers.dtype.kind == "b":
            (numbers,) = np.nonzero(numbers)
        made.append(on_axis(numbers, axis, len(args)))
    return tuple(made)


# A new array filled with one value, or with an array broadcast to its shape.
full = op(
    "full", lambda x, *, shape, dtype, order="C": np.full(shape, x, dtype, order), path="np.full",
    vjp=[lambda g, out, x, shape, dtype, order="C": g], elementwise=False,
)  # fmt: skip
