"""Products of arrays: matmul is an op, and the others are written with it.

Only np.cross is an op of its own; sums of products over named axes are in `einsum.py`. Rules are
holomorphic: they conjugate nothing, and vdot and vecmat conjugate before they multiply.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..dag.op import BY_NAME, Op, composite, op
from .arrays import with_dtype
from .complexes import conj
from .shape import axis_of, last_axis, reshape, swap

# The rules of products are used at every step of long loops: they call ops, not NumPy's functions,
# which take a detour to a tracer.


def _column(x: Any) -> Any:
    return reshape(x, shape=(*x.shape, 1))


def _row(x: Any) -> Any:
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def _matmul_left(g: Any, out: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return np.multiply(_column(g) if a.ndim > 1 else g, b)
    if a.ndim == 1:
        return np.matmul(b, g) if b.ndim == 2 else np.matmul(b, _column(g))[..., 0]
    return np.matmul(g, swap(b))


def _matmul_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1:
        return np.multiply(_column(a), _row(g)) if b.ndim > 1 else g * a
    if b.ndim == 1:
        if a.ndim == 2:
            return np.matmul(swap(a), g)
        return np.matmul(swap(a), _column(g))[..., 0]
    if a.ndim > 2 and b.ndim == 2:  # one product over all of the batch
        count = int(np.prod(a.shape[:-1], dtype=np.int64))
        rows = np.reshape(a, (count, a.shape[-1]))
        return np.matmul(rows.T, np.reshape(g, (count, g.shape[-1])))
    return np.matmul(swap(a), g)


matmul = op(
    "matmul", np.matmul, stands_for=(np.matmul,), vjp=[_matmul_left, _matmul_right], out=True,
    operator=np.matmul,
)  # fmt: skip


def refuse(function: Any, *arrays: Any, **options: Any) -> NoReturn:
    """Raise the error that a NumPy function raises for arrays of these shapes."""
    function(*(np.broadcast_to(0.0, np.shape(x)) for x in arrays), **options)
    raise TypeError(f"{function.__name__}() argument of the shape {np.shape(arrays[0])}")


# -- of vectors and matrices ----------------------------------------------------------------------


@composite(np.dot)
def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: a product of scalars, vectors or matrices, else over last and last but one."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(with_dtype(a), with_dtype(b))
    if np.ndim(b) == 1 or (np.ndim(a) <= 2 and np.ndim(b) == 2):
        return np.matmul(a, b)
    return tensordot(a, b, ((-1,), (-2,)))


@composite(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """Sums of products over the last axes of both."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(with_dtype(a), with_dtype(b))
    return np.matmul(a, b) if np.ndim(b) == 1 else tensordot(a, b, ((-1,), (-1,)))


@composite(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    """The product of two flattened arrays, the first of them conjugated."""
    return np.matmul(np.ravel(conj(with_dtype(a))), np.ravel(with_dtype(b)))


@composite(np.outer)
def outer(a: Any, b: Any) -> Any:
    """All products of the elements of two flattened arrays."""
    return np.multiply(np.reshape(a, (-1, 1)), np.reshape(b, (1, -1)))


@composite(np.linalg.outer)
def _outer_of_vectors(x1: Any, x2: Any, /) -> Any:
    return outer(x1, x2) if np.ndim(x1) == np.ndim(x2) == 1 else refuse(np.linalg.outer, x1, x2)


@composite(np.kron)
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: each element of the first times the whole of the second."""
    a, b = with_dtype(a), with_dtype(b)
    ndim = max(np.ndim(a), np.ndim(b))
    left, right = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = np.multiply(
        np.reshape(a, tuple(n for length in left for n in (length, 1))),
        np.reshape(b, tuple(n for length in right for n in (1, length))),
    )
    return np.reshape(blocks, tuple(n * m for n, m in zip(left, right, strict=True)))


@composite(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes, as one product of matrices."""
    a_ndim, b_ndim = np.ndim(a), np.ndim(b)
    if isinstance(axes, (tuple, list)):
        left, right = (tuple(np.atleast_1d(side).tolist()) for side in axes)
    else:
        left, right = tuple(range(a_ndim - axes, a_ndim)), tuple(range(axes))
    left = tuple(axis_of(i, a_ndim) for i in left)
    right = tuple(axis_of(i, b_ndim) for i in right)
    a_shape, b_shape = np.shape(a), np.shape(b)
    if [a_shape[i] for i in left] != [b_shape[i] for i in right]:
        raise ValueError("shape-mismatch for sum")
    a_kept = tuple(i for i in range(a_ndim) if i not in left)
    b_kept = tuple(i for i in range(b_ndim) if i not in right)
    inner = int(np.prod([a_shape[i] for i in left], dtype=np.int64))
    rows = int(np.prod([a_shape[i] for i in a_kept], dtype=np.int64))
    columns = int(np.prod([b_shape[i] for i in b_kept], dtype=np.int64))
    product = np.matmul(
        np.reshape(np.transpose(a, (*a_kept, *left)), (rows, inner)),
        np.reshape(np.transpose(b, (*right, *b_kept)), (inner, columns)),
    )
    shape = (*(a_shape[i] for i in a_kept), *(b_shape[i] for i in b_kept))
    return np.reshape(product, shape)


@composite(np.linalg.tensordot)
def _tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return tensordot(x1, x2, axes)


@composite(np.linalg.matmul)
def _matmul(x1: Any, x2: Any, /) -> Any:
    return np.matmul(x1, x2)


@composite(np.linalg.trace)
def _trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    options = {} if dtype is None else {"dtype": dtype}
    return np.trace(x, offset, axis1=-2, axis2=-1, **options)


# -- the cross product ----------------------------------------------------------------------------

cross: Op = op(
    "cross", np.cross, path="np.cross",
    vjp=[lambda g, out, a, b: cross(b, g), lambda g, out, a, b: cross(g, a)],
)  # fmt: skip


@composite(np.cross)
def _cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = with_dtype(a), with_dtype(b)
    lengths = tuple(np.shape(x)[i] if np.ndim(x) else 0 for x, i in ((a, axisa), (b, axisb)))
    if lengths != (3, 3):
        left, right = map(np.zeros, lengths)
        np.cross(left, right)  # raises, or warns of vectors of length 2
    a, b = last_axis(a, axisa), last_axis(b, axisb)
    if lengths == (2, 2):
        turn = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
        return turn if np.ndim(turn) else BY_NAME["convert"](turn, cls=np.ndarray)
    crossed = cross(_in_space(a), _in_space(b))
    return crossed if axisc in (-1, crossed.ndim - 1) else np.moveaxis(crossed, -1, axisc)


def _in_space(x: Any) -> Any:
    """Give vectors of length 2 a third element, which is 0."""
    if np.shape(x)[-1] == 3:
        return x
    return np.concatenate([x, np.zeros((*np.shape(x)[:-1], 1), x.dtype)], axis=-1)


@composite(np.linalg.cross)
def _cross_in_space(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    if np.shape(x1)[axis] != 3 or np.shape(x2)[axis] != 3:
        refuse(np.linalg.cross, x1, x2, axis=axis)
    return _cross(x1, x2, axis=axis)


# -- the generalised ufuncs: their keywords, and those that are written with matmul ----------------


def generalised(function: Any, run: Callable[[Any, Any], Any], core: tuple[int, int, int]) -> None:
    """Declare a product that works on at least so many last axes of its operands and result."""

    @composite(function)
    def product(
        a: Any, b: Any, /, *, axes: Sequence[Any] | None = None, axis: Any = None,
        dtype: Any = None, casting: str = "same_kind",
    ) -> Any:  # fmt: skip
        a, b = with_dtype(a), with_dtype(b)
        if dtype is not None:
            a, b = (_cast_by(x, np.dtype(dtype), casting) for x in (a, b))
        if np.ndim(a) < core[0] or np.ndim(b) < core[1]:
            refuse(function, a, b)
        if axis is not None:  # NumPy takes it where one axis is summed and none is left
            axes = [axis, axis]
        if axes is None:
            return run(a, b)
        if len(axes) < 2 + core[2]:
            refuse(function, a, b, **({"axes": axes} if axis is None else {"axis": axis}))
        left, right, *back = (i if isinstance(i, (tuple, list)) else (i,) for i in axes)
        found = run(np.moveaxis(a, left, _ends(left)), np.moveaxis(b, right, _ends(right)))
        return np.moveaxis(found, _ends(*back), *back) if back and back[0] else found


def _cast_by(x: Any, dtype: np.dtype[Any], casting: Any) -> Any:
    if not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(f"Cannot cast from {x.dtype!r} to {dtype!r} with casting rule {casting!r}")
    return x.astype(dtype)


def _ends(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple(range(-len(axes), 0))


def _matvec(a: Any, x: Any) -> Any:
    return np.matmul(a, x) if np.ndim(x) == 1 else np.matmul(a, _column(x))[..., 0]


def _vecmat(x: Any, a: Any) -> Any:
    x = conj(x)
    return np.matmul(x, a) if np.ndim(x) == 1 else np.matmul(_row(x), a)[..., 0, :]


generalised(np.matmul, matmul, (1, 1, 1))
if hasattr(np, "matvec"):  # NumPy 2.2
    generalised(np.matvec, _matvec, (2, 1, 1))
    generalised(np.vecmat, _vecmat, (1, 2, 1))

# -- of many matrices -----------------------------------------------------------------------------


@composite(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any]) -> Any:
    """A chain of products, in the order that takes the fewest multiplications."""
    shapes = [np.shape(a) for a in arrays]
    inner = shapes[1:-1]
    if len(shapes) < 2 or any(len(s) != 2 for s in inner) or {*map(len, shapes)} - {1, 2}:
        np.linalg.multi_dot([np.broadcast_to(0.0, s) for s in shapes])  # which raises
    first, last = shapes[0], shapes[-1]
    sizes = [first[0] if len(first) == 2 else 1, *(s[0] for s in shapes[1:]), last[-1]]
    if len(last) == 1:
        sizes[-1] = 1
    splits = _best_splits(sizes)

    def product(start: int, stop: int) -> Any:
        if stop - start == 1:
            return arrays[start]
        middle = splits[start, stop]
        return np.matmul(product(start, middle), product(middle, stop))

    return product(0, len(arrays))


def _best_splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to split each part of a chain of matrices; matrix i is sizes[i] by sizes[i + 1].

    Cormen et al., Introduction to Algorithms, section 15.2 (matrix-chain multiplication).
    """
    count = len(sizes) - 1
    cost = {(i, i + 1): 0 for i in range(count)}
    splits: dict[tuple[int, int], int] = {}
    for length in range(2, count + 1):
        for i in range(count - length + 1):
            j = i + length
            cost[i, j], splits[i, j] = min(
                (cost[i, k] + cost[k, j] + sizes[i] * sizes[k] * sizes[j], k)
                for k in range(i + 1, j)
            )
    return splits


@composite(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """A square matrix times itself, by squaring; a negative power is one of the inverse."""
    n = operator.index(n)
    if np.ndim(a) < 2 or np.shape(a)[-1] != np.shape(a)[-2]:
        refuse(np.linalg.matrix_power, a, n=n)
    if n == 0:
        return np.zeros_like(a) + np.eye(np.shape(a)[-1], dtype=a.dtype)
    power, result = (a if n > 0 else np.linalg.inv(a)), None
    for step, digit in enumerate(reversed(f"{abs(n):b}")):
        power = power if step == 0 else np.matmul(power, power)
        if digit == "1":
            result = power if result is None else np.matmul(result, power)
    return result
