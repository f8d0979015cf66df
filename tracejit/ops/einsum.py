"""np.einsum, whose steps are products of matrices where they can be, and sums and views elsewhere.

Operands of any form enter; each is brought to axes with different labels that others or the result
have, too: axes that are broadcast are dropped, diagonals taken, other axes summed. Then two at a
time are contracted, so that gradients of a contraction are contractions again. `einsum` in the
emitted code is what has no shorter name.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dag.op import Op, composite, op
from .arrays import with_dtype
from .complexes import conj
from .conversions import cast, copy
from .elementwise import multiply
from .products import generalised, matmul
from .shape import reshape, swap, transpose
from .subscripts import labels_of, lengths_of, order_of, read

_SUMMED = "fc"  # kinds of numbers whose sums have their own type

# -- ops -------------------------------------------------------------------------------------------


def _einsum(*operands: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *operands)


def _einsum_rule(g: Any, out: Any, position: int, values: list[Any], subscripts: str) -> Any:
    """The cotangent of one operand: g and the other operand, contracted to its labels."""
    given, _, result = subscripts.partition("->")
    inputs = given.split(",")
    if len(inputs) == 1:
        shape = values[0].shape
        kept = [label in result for label in given]
        g = _arranged(g, result, "".join(i for i in given if i in result))
        return np.reshape(g, tuple(n if k else 1 for n, k in zip(shape, kept, strict=True)))
    other = 1 - position
    return contract(g, result, values[other], inputs[other], inputs[position])


def _einsum_diagonal(x: Any, *, subscripts: str) -> Any:
    return np.einsum(subscripts, x)


def _on_diagonal(g: Any, *, subscripts: str, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, g.dtype)
    np.einsum(subscripts, out)[...] = g
    return out


# Of two operands, each without repeated labels and without labels that no other has.
einsum: Op = op("einsum", _einsum, variadic=True, vjp=_einsum_rule, path="np.einsum", out=True)
# Of one operand: the diagonals of axes with the same label, which NumPy gives as a view.
diagonal: Op = op(
    "einsum_diagonal", _einsum_diagonal, views=True, path="np.einsum",
    vjp=[lambda g, out, x, subscripts: on_diagonal(g, subscripts=subscripts, shape=x.shape)],
)  # fmt: skip
on_diagonal: Op = op(
    "einsum_on_diagonal", _on_diagonal,
    vjp=[lambda g, out, value, subscripts, shape: diagonal(g, subscripts=subscripts)],
)  # fmt: skip

# -- np.einsum -------------------------------------------------------------------------------------


@composite(np.einsum)
def _np_einsum(
    *operands: Any, optimize: Any = False, dtype: Any = None, order: str = "K",
    casting: str = "safe",
) -> Any:  # fmt: skip
    subscripts, given = read(operands)
    arrays = _of_one_dtype([with_dtype(x) for x in given], dtype, casting)
    shapes = tuple(x.shape for x in arrays)
    inputs, output = labels_of(subscripts, shapes)
    lengths = lengths_of(inputs, shapes)
    terms = [_distinct(x, labels, lengths) for x, labels in zip(arrays, inputs, strict=True)]
    path = order_of(tuple(labels for _, labels in terms), output, lengths, optimize)
    for step in path:
        chosen = [terms[i] for i in step]
        terms = [term for i, term in enumerate(terms) if i not in step]
        while len(chosen) > 1:
            (a, left), (b, right), *rest = chosen
            wanted = {*output, *(i for _, labels in (*terms, *rest) for i in labels)}
            kept = output if not (terms or rest) else _in_order(left + right, wanted)
            chosen = [(contract(a, left, b, right, kept), kept), *rest]
        terms += chosen
    ((result, labels),) = terms
    result = _arranged(_summed(result, labels, output), _in_order(labels, output), output)
    if not output:
        return result[()] if isinstance(result, np.ndarray) else result
    return result if order == "K" else copy(result, order=order)


def _of_one_dtype(arrays: list[Any], dtype: Any, casting: Any) -> list[Any]:
    """Convert operands as np.einsum does, before anything is multiplied or summed."""
    kinds = [x.dtype for x in arrays]
    if dtype is None and kinds.count(kinds[0]) == len(kinds):
        return arrays
    common = np.result_type(*kinds) if dtype is None else np.dtype(dtype)
    for i, x in enumerate(arrays):
        if not np.can_cast(x.dtype, common, casting):
            np.einsum(",", x.dtype.type(0), 0, dtype=common, casting=casting)  # which raises
        arrays[i] = cast(x, common)
    return arrays


def _distinct(x: Any, labels: str, lengths: dict[str, int]) -> tuple[Any, str]:
    """Drop the axes that are broadcast, and take the diagonal of those with the same label."""
    shape = x.shape
    kept = [n == lengths[label] for label, n in zip(labels, shape, strict=True)]
    if not all(kept):
        x = np.reshape(x, tuple(n for n, keep in zip(shape, kept, strict=True) if keep))
        labels = "".join(label for label, keep in zip(labels, kept, strict=True) if keep)
    unique = "".join(dict.fromkeys(labels))
    if unique == labels:
        return x, labels
    return diagonal(x, subscripts=f"{labels}->{unique}"), unique


def _in_order(labels: str, wanted: Any) -> str:
    return "".join(dict.fromkeys(label for label in labels if label in wanted))


def _summed(x: Any, labels: str, wanted: Any) -> Any:
    """Sum over the axes whose labels are not wanted."""
    axes = tuple(i for i, label in enumerate(labels) if label not in wanted)
    if not axes:
        return x
    if x.dtype.kind in _SUMMED:
        return np.sum(x, axis=axes[0] if len(axes) == 1 else axes)
    return einsum(x, subscripts=f"{labels}->{_in_order(labels, wanted)}")


def _arranged(x: Any, labels: str, wanted: str) -> Any:
    """Bring the axes into another order; the result is a view."""
    order = tuple(labels.index(label) for label in wanted)
    return x if labels == wanted else transpose(x, axes=order)


# -- contractions of two arrays --------------------------------------------------------------------


def contract(a: Any, left: str, b: Any, right: str, output: str) -> Any:
    """Multiply and sum two arrays, whose axes have these labels, as NumPy does it fastest."""
    a, left = _summed(a, left, {*right, *output}), _in_order(left, {*right, *output})
    b, right = _summed(b, right, {*left, *output}), _in_order(right, {*left, *output})
    inner = "".join(i for i in left if i in right and i not in output)
    batch = "".join(i for i in output if i in left and i in right)
    rows = "".join(i for i in left if i not in right)
    columns = "".join(i for i in right if i not in left)
    if not inner:
        return multiply(_aligned(a, left, output), _aligned(b, right, output))
    if not rows and not columns and (batch or left != right):
        return einsum(a, b, subscripts=f"{left},{right}->{output}")
    if rows and columns and output == batch + columns + rows:
        return contract(b, right, a, left, output)
    if not _is_matrix(left, batch, rows, inner):
        inner = _in_order(right, inner)
    lengths = dict(zip(left + right, a.shape + b.shape, strict=True))
    product = matmul(
        _as_matrices(a, left, batch, rows, inner), _as_matrices(b, right, batch, inner, columns)
    )
    found = batch + rows + columns
    shape = tuple(lengths[label] for label in found)
    product = product if product.shape == shape else reshape(product, shape=shape)
    return _arranged(product, found, output)


def _aligned(x: Any, labels: str, output: str) -> Any:
    """Give an array the axes of the output, those that it does not have with length 1."""
    order = _in_order(output, labels)
    x = _arranged(x, labels, order)
    first = output.index(order[0]) if order else len(output)  # NumPy adds the axes before that
    lengths = dict(zip(order, x.shape, strict=True))
    shape = tuple(lengths.get(label, 1) for label in output[first:])
    return x if x.shape == shape else reshape(x, shape=shape)


def _is_matrix(labels: str, batch: str, rows: str, columns: str) -> bool:
    """Tell whether axes lie so that they can be taken for rows and columns as they are."""
    return labels in (batch + rows + columns, batch + columns + rows)


def _as_matrices(x: Any, labels: str, batch: str, rows: str, columns: str) -> Any:
    """Make a stack of matrices of an array; without a batch, of no rows or columns a vector."""
    turned = bool(rows and columns) and labels == batch + columns + rows
    first, second = (columns, rows) if turned else (rows, columns)
    x = _arranged(x, labels, batch + first + second)
    lengths = dict(zip(batch + first + second, x.shape, strict=True))
    sides = [math.prod(lengths[i] for i in side) for side in (first, second) if side or batch]
    shape = (*(lengths[label] for label in batch), *sides)
    x = x if x.shape == shape else reshape(x, shape=shape)
    return swap(x) if turned else x


# -- np.vecdot -------------------------------------------------------------------------------------


def _vecdot(a: Any, b: Any) -> Any:
    return np.einsum("...i,...i->...", conj(a), b)


generalised(np.vecdot, _vecdot, (1, 1, 0))


@composite(np.linalg.vecdot)
def _vecdot_along(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    axes: Any = [axis, axis]
    return np.vecdot(x1, x2, axes=axes)
