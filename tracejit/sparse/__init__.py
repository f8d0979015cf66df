"""Sparse Jacobians and Hessians: as many sweeps as there are colours, not columns.

A function enters; one leaves that gives its derivatives as a scipy.sparse matrix. Its pattern is
found from what was recorded, columns that share no row are computed as their sum, in one pass over
the stack of all such sums, and each entry is read from where it stands alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ParameterTypeError, UnsupportedError
from ..function import JitGrad
from ..operators.batch import Recorded
from ..operators.gradients import grad
from ..operators.recall import Argnum, Body, program_of
from ..operators.tape import Tape, bound, inner, is_numeric
from ..trace import Recorder
from ..trace.creators import stop_gradient
from ..trace.recorder import active_recorder
from ..tree import list_leaves
from .coloring import color_columns, color_symmetric, mirrored
from .pattern import pattern


def sparse_jacobian(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> SparseDerivatives:
    """Make of a function one that gives its Jacobian as a sparse matrix.

    As many sweeps as there are colours are needed, in forward or reverse mode, whichever needs
    fewer: for a banded matrix as many as its band is wide, whatever its size.

    Args:
        f: returns a real array or number of any shape, or a structure of them.
        argnum: the argument that the derivatives are by, or several: a real array, or a structure
            of them.

    Returns:
        A function of the same arguments that returns a scipy.sparse.csr_array with a row for each
        element of the output and a column for each of the argument, in the order of their leaves
        and, in each, of np.ravel. It holds an entry for each that may be nonzero at other values.

    Raises:
        UnsupportedError: when called in a function that is traced itself.
        ParameterTypeError: when called: the argument or output is not real.

    >>> sparse_jacobian(np.diff)(x)                         # of shape (len(x) - 1, len(x))
    """
    program = program_of(_entries_of_jacobian, f, argnum, optimize, backend)
    return SparseDerivatives(program, "jacobian")


def sparse_hessian(
    f: Callable[..., Any], argnum: Argnum = 0, *, optimize: bool = True, backend: str = "auto"
) -> SparseDerivatives:
    """Make of a scalar function one that gives its Hessian as a sparse matrix.

    Of each pair of mirror images one is computed: the Hessian is taken to be symmetric, as it is
    unless gradients of the user's own make it otherwise. See sparse_jacobian.

    >>> sparse_hessian(rosen)(x)                            # tridiagonal: three sweeps
    """
    program = program_of(_entries_of_hessian, f, argnum, optimize, backend)
    return SparseDerivatives(program, "hessian")


class SparseDerivatives:
    """A compiled function that returns a scipy.sparse.csr_array.

    program: computes the entries; what else is asked of this (source, graph, wait ...) it answers.
    """

    def __init__(self, program: JitGrad, name: str) -> None:
        functools.update_wrapper(self, program)
        self.program = program
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from scipy.sparse import csr_array

        if active_recorder() is not None:
            raise UnsupportedError(
                f"sparse_{self._name}() in a function that is traced: a scipy.sparse matrix cannot "
                f"be traced; use {self._name}(), or products with vectors: jvp, vjp, hvp"
            )
        data, columns, starts, shape = self.program(*args, **kwargs)
        return csr_array((data, columns, starts), shape=shape)

    def __reduce__(self) -> Any:
        return SparseDerivatives, (self.program, self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.program, name)


def _entries_of_hessian(f: Callable[..., Any], argnum: Argnum, *_: Any) -> Body:
    first = grad(f, argnum)

    def entries(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        return _entries(recorder, first, argnum, bound(f, args, kwargs), symmetric=True)

    return entries


def _entries_of_jacobian(f: Callable[..., Any], argnum: Argnum, *_: Any) -> Body:
    def entries(recorder: Recorder, *args: Any, **kwargs: Any) -> Any:
        return _entries(recorder, f, argnum, bound(f, args, kwargs), symmetric=False)

    return entries


def _entries(
    recorder: Recorder, f: Callable[..., Any], argnum: Argnum,
    given: tuple[tuple[Any, ...], dict[str, Any]], symmetric: bool,
) -> Any:  # fmt: skip
    """Give (data, indices, indptr, shape) of a CSR matrix."""
    plain = inner(f)
    tape = Tape(recorder, lambda *args, **named: _flat(plain(*args, **named)), argnum, *given)
    places = [i for i, leaf in enumerate(tape.parameters) if is_numeric(leaf)]
    if not places:
        raise ParameterTypeError(f"sparse derivatives by argument {argnum}, which holds no numbers")
    shapes = [np.shape(tape.parameters[i]) for i in places]
    argument, out = _flat([tape.parameters[i] for i in places]), stop_gradient(tape.out)
    for value, which in ((argument, f"argument {argnum}"), (out, "the output")):
        if np.result_type(value).char not in "fdg":  # SciPy has no sparse matrices of float16
            raise ParameterTypeError(
                "sparse derivatives are real, in single precision or better: "
                f"{which} is {np.result_type(value)}"
            )

    def pull(u: Any) -> Any:
        pulled = tape.pull([u])
        return _flat([pulled[i] for i in places])

    def push(tangent: Any) -> Any:
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        parts = zip(places, shapes, [0, *ends[:-1]], ends, strict=True)
        tangents: list[Any] = [None] * len(tape.parameters)
        for i, shape, start, end in parts:
            tangents[i] = np.reshape(tangent[start:end], shape)
        return tape.push(tangents)[0]

    return _compressed(recorder, pull, push, argument, out, symmetric)


def _flat(structure: Any) -> Any:
    """Join all numbers of a structure to one vector; without any it is left as it is."""
    leaves = [np.reshape(leaf, -1) for leaf in list_leaves(structure) if is_numeric(leaf)]
    if len(leaves) < 2:
        return leaves[0] if leaves else structure
    return np.concatenate(leaves)


def _compressed(
    recorder: Recorder, pull: Callable[[Any], Any], push: Callable[[Any], Any], argument: Any,
    out: Any, symmetric: bool,
) -> Any:  # fmt: skip
    """Compute sums of rows, or of columns, and read the entries from them."""
    pulling = Recorded(recorder, lambda u: [pull(u)], out)
    transposed = pattern(recorder, pulling)
    if symmetric:
        transposed = transposed + transposed.T
    found = transposed.T.tocsr()
    found.sort_indices()
    rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    columns = found.indices.astype(np.intp)
    if symmetric:
        colors = color_symmetric(found)
        places, at = mirrored(rows, columns, colors)
        program = pulling
    else:
        by_rows, colors = _fewer_colors(transposed, found)
        places, at, program = rows, columns, pulling
        if not by_rows:
            program = Recorded(recorder, lambda t: [push(t)], stop_gradient(argument))
            places, at = columns, rows
    (stack,) = program.on(_sums(colors, np.result_type(program.root.value)))
    data = stack[colors[places], at]
    return data, found.indices, found.indptr, found.shape


def _fewer_colors(transposed: Any, found: Any) -> tuple[bool, Any]:
    """Colour rows or columns, whichever needs fewer colours; tell whether it is the rows.

    Columns need as many colours as the fullest row has entries. Where fewer do for the rows, the
    columns are not coloured: of a full row that takes a time by the square of its length.
    """
    sides = [(_fullest(transposed), True, transposed), (_fullest(found), False, found)]
    (_, by_rows, matrix), (at_least, others_are_rows, other) = sorted(sides, key=lambda s: s[0])
    colors = color_columns(matrix)
    last = colors.max(initial=0)
    if last >= at_least:
        others = color_columns(other)
        if others.max(initial=0) < last:
            return others_are_rows, others
    return by_rows, colors


def _fullest(matrix: Any) -> int:
    return int(np.max(np.diff(matrix.indptr), initial=0))


def _sums(colors: Any, dtype: Any) -> Any:
    """A row for each colour: 1 where what it belongs to has that colour."""
    count = int(colors.max(initial=0)) + 1
    return (colors == np.arange(count)[:, None]).astype(dtype)
