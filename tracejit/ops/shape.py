"""Shape and joining: what rearranges elements without computing with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import composite, op


def _shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, (tuple, list)):
        return tuple(int(n) for n in shape)
    return (int(shape),)


def _bind_reshape(a: Any, /, shape: Any = None, order: str = "C", *, newshape: Any = None) -> Any:
    wanted = _shape(newshape if shape is None else shape)
    if -1 in wanted:
        known = -int(np.prod(wanted, dtype=np.int64))
        if known > 0 and np.size(a) % known == 0:
            wanted = tuple(np.size(a) // known if n == -1 else n for n in wanted)
    return (a,), {"shape": wanted, **_order(order)}


def _order(order: str) -> dict[str, Any]:
    if order not in ("C", "F"):
        raise TypeError(f"argument order={order!r} asks for the memory layout; use 'C' or 'F'")
    return {} if order == "C" else {"order": order}


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation of axes that undoes one."""
    return tuple(axes.index(i) for i in range(len(axes)))


def _ndim(x: Any) -> int:
    """Count the axes, without the detour that NumPy's function takes to a tracer."""
    ndim: int = x.ndim if hasattr(x, "ndim") else np.ndim(x)
    return ndim


def _bind_transpose(a: Any, axes: Any = None) -> Any:
    ndim = _ndim(a)
    if axes is None:
        axes = range(ndim)[::-1]
    return (a,), {"axes": tuple(int(i) % ndim for i in axes) if ndim else ()}


reshape = op(
    "reshape", lambda x, *, shape, order="C": np.reshape(x, shape, order=order),
    stands_for=(np.reshape,), bind=_bind_reshape, views=True,
    vjp=[lambda g, out, x, shape, order="C": np.reshape(g, np.shape(x), order=order)],
)  # fmt: skip
ravel = op(
    "ravel", np.ravel, stands_for=(np.ravel,), views=True,
    bind=lambda a, order="C": ((a,), _order(order)),
    vjp=[lambda g, out, x, order="C": np.reshape(g, np.shape(x), order=order)],
)  # fmt: skip
transpose = op(
    "transpose", lambda x, *, axes: np.transpose(x, axes), stands_for=(np.transpose,),
    bind=_bind_transpose, views=True,
    vjp=[lambda g, out, x, axes: np.transpose(g, inverse(axes))],
)  # fmt: skip
broadcast_to = op(
    "broadcast_to", lambda x, *, shape: np.broadcast_to(x, shape), stands_for=(np.broadcast_to,),
    bind=lambda array, shape: ((array,), {"shape": _shape(shape)}), views=True,
    vjp=[lambda g, out, x, shape: g],
)  # fmt: skip


def _concatenate_rule(g: Any, out: Any, position: int, inputs: list[Any], axis: int) -> Any:
    axis = axis % np.ndim(inputs[0])
    start = sum(np.shape(x)[axis] for x in inputs[:position])
    stop = start + np.shape(inputs[position])[axis]
    return g[(slice(None),) * axis + (slice(start, stop),)]


concatenate = op(
    "concatenate", lambda *arrays, axis=0: np.concatenate(arrays, axis=axis), variadic=True,
    vjp=_concatenate_rule, out=True, path="np.concatenate",
)  # fmt: skip


@composite(np.concatenate)
def _concatenate(arrays: Any, /, axis: int | None = 0) -> Any:
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    return concatenate(*arrays, axis=int(axis))


@composite(np.stack)
def stack(arrays: Any, axis: int = 0) -> Any:
    """Join equal shapes along a new axis."""
    return _concatenate([np.expand_dims(a, axis) for a in _same_shapes(arrays)], axis)


def _same_shapes(arrays: Any) -> Any:
    if len({np.shape(a) for a in arrays}) > 1:
        raise ValueError("all input arrays must have the same shape")
    return arrays


@composite(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    """Insert axes of length 1."""
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    ndim = _ndim(a) + len(axes)
    new = {_axis(i, ndim) for i in axes}
    if len(new) < len(axes):
        raise ValueError("repeated axis")
    lengths = iter(np.shape(a))
    return np.reshape(a, tuple(1 if i in new else next(lengths) for i in range(ndim)))


@composite(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    """Drop axes of length 1."""
    shape = np.shape(a)
    if axis is None:
        return np.reshape(a, tuple(n for n in shape if n != 1))
    axes = {_axis(i, len(shape)) for i in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    if any(shape[i] != 1 for i in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return np.reshape(a, tuple(n for i, n in enumerate(shape) if i not in axes))


@composite(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    axes = list(range(_ndim(a)))
    i, j = _axis(axis1, len(axes)), _axis(axis2, len(axes))
    axes[i], axes[j] = axes[j], axes[i]
    return np.transpose(a, axes)


@composite(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Move axes to new places; the others keep their order."""
    sources = source if isinstance(source, (tuple, list)) else (source,)
    targets = destination if isinstance(destination, (tuple, list)) else (destination,)
    ndim = _ndim(a)
    moved = {_axis(t, ndim): _axis(s, ndim) for s, t in zip(sources, targets, strict=True)}
    rest = iter(i for i in range(ndim) if i not in moved.values())
    return np.transpose(a, [moved[i] if i in moved else next(rest) for i in range(ndim)])


def _axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


# A new array filled with one value, or with an array broadcast to its shape.
full = op(
    "full", lambda x, *, shape, dtype, order="C": np.full(shape, x, dtype, order), path="np.full",
    vjp=[lambda g, out, x, shape, dtype, order="C": g], elementwise=False,
)  # fmt: skip
