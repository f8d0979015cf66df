"""Matrices whose rows are those of several others, for passes that join products.

Parts enter: nodes and constant arrays of two axes, equal in columns and dtype. Leaves one node
that holds them one below the other. Where they are neighbouring slices of one array, or have been
stacked before, that is a view. Otherwise it is a concatenation, into which a target may have the
parts computed directly (codegen/buffers.py); what it costs is told beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..node import Node, Spec, unshaped
from ..op import BY_NAME

# What things cost on small machines, in microseconds: calling a function on arrays, and moving a
# byte from cache to cache. They decide only what is near to equal, so they need not be exact.
CALL = 1.0
BYTE = 1e-4


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of an array from start to stop, along its first axis; or a part as it is."""

    source: Any
    start: int = 0
    stop: int = 0
    rows: int = 0

    def follows(self, before: _Piece) -> bool:
        return before.stop > 0 and self.source is before.source and self.start == before.stop


class Stacks:
    """The stacks of one segment: nodes that are read before and after a guard are never shared."""

    def __init__(self) -> None:
        self._matrices: dict[tuple[Node, tuple[int, ...]], Node] = {}
        self._placed: dict[Node, _Piece] = {}  # what is in a stack, by base
        self._slices: dict[tuple[Node, int, int], Node] = {}

    def matrix(self, value: Any, rows: int, at: Node) -> Any:
        """Give a node or constant array two axes, the first of them of a given length."""
        shape = (rows, _size(value) // rows) if rows else (0, _size(value))
        if type(value) is not Node:
            return value.reshape(shape)
        return self._reshaped(value, shape, at)

    def _reshaped(self, value: Node, shape: tuple[int, ...], at: Node) -> Node:
        base = unshaped(value)
        if base.spec.shape == shape:
            return base
        key = (base, shape)
        if key not in self._matrices:
            spec = Spec(np.ndarray, shape, base.spec.dtype)
            self._matrices[key] = new_node(at, "reshape", (base,), {"shape": shape}, spec)
        return self._matrices[key]

    def cost(self, parts: Sequence[Any]) -> float:
        """Estimate what stacking costs beside computing the parts, in microseconds."""
        pieces = self._pieces(parts)
        if len(pieces) == 1:
            return CALL / 2
        copied = (p.source for p in pieces if p.stop or not self._is_written_there(p.source))
        return CALL + 2 * BYTE * sum(_nbytes(value) for value in copied)

    def _is_written_there(self, part: Any) -> bool:
        """Guess whether a part can be computed in its place; no target is asked here."""
        if type(part) is not Node:
            return False
        base = unshaped(part)
        computed = base.op.out or base.op.in_place is not None
        return computed and base not in self._placed

    def is_run(self, parts: Sequence[Any]) -> bool:
        """Tell whether parts lie one behind the other in one array."""
        return len(self._pieces(parts)) == 1

    def place(self, value: Any) -> tuple[int, int] | None:
        """Say where a value stands in what has been stacked: which stack, and from which row."""
        piece = self._placed.get(unshaped(value)) if type(value) is Node else None
        return None if piece is None else (id(piece.source), piece.start)

    def stack(self, parts: Sequence[Any], at: Node) -> Node:
        """Make the stack of parts, or find it."""
        columns, dtype = _spec(parts[0]).shape[1], _spec(parts[0]).dtype
        pieces = self._pieces(parts)
        arrays = [self._read(piece, columns, at) for piece in pieces]
        if len(arrays) == 1 and type(arrays[0]) is Node:
            return arrays[0]
        count = sum(_spec(part).shape[0] for part in parts)
        spec = Spec(np.ndarray, (count, columns), dtype)
        node = new_node(at, "concatenate", tuple(arrays), {"axis": 0}, spec)
        start = 0
        for part in parts:
            rows = _spec(part).shape[0]
            if type(part) is Node:
                piece = _Piece(node, start, start + rows, rows)
                self._placed.setdefault(unshaped(part), piece)
            start += rows
        return node

    def _pieces(self, parts: Sequence[Any]) -> list[_Piece]:
        """Take neighbours in one array together: in what is stacked already, or in the user's."""
        found = [self._joined([self._stacked(part) for part in parts])]
        if len(found[0]) > 1:
            found.append(self._joined([_sliced(part) for part in parts]))
        return min(found, key=len)

    def _stacked(self, part: Any) -> _Piece:
        piece = self._placed.get(unshaped(part)) if type(part) is Node else None
        if piece is None or _spec(part).shape != (piece.rows, piece.source.spec.shape[1]):
            return _Piece(part)
        return piece

    def _joined(self, pieces: list[_Piece]) -> list[_Piece]:
        joined: list[_Piece] = []
        for piece in pieces:
            if joined and piece.follows(joined[-1]):
                last = joined[-1]
                rows = last.rows + piece.rows
                joined[-1] = _Piece(last.source, last.start, piece.stop, rows)
            else:
                joined.append(piece)
        return joined

    def _read(self, piece: _Piece, columns: int, at: Node) -> Any:
        if not piece.stop:
            return piece.source
        source = piece.source
        if piece.stop - piece.start < source.spec.shape[0]:
            shape = (piece.stop - piece.start, *source.spec.shape[1:])
            spec = Spec(np.ndarray, shape, source.spec.dtype)
            key = (source, piece.start, piece.stop)
            if key not in self._slices:
                attrs = {"key": slice(piece.start, piece.stop)}
                self._slices[key] = new_node(at, "index", (source,), attrs, spec)
            source = self._slices[key]
        return self._reshaped(source, (piece.rows, columns), at)


def _sliced(part: Any) -> _Piece:
    """See a part as a slice of an array along its first axis, where it is one."""
    base = unshaped(part) if type(part) is Node else None
    if base is None or base.op.name != "index" or len(base.inputs) > 1:
        return _Piece(part)
    source, key = base.inputs[0], base.attrs["key"]
    key = key[0] if type(key) is tuple and len(key) == 1 else key
    if type(source) is not Node or not source.spec.is_array or source.spec.layout != "C":
        return _Piece(part)
    length = source.spec.shape[0] if source.spec.shape else 0
    if type(key) is int:
        start = key % length if length else 0
        stop = start + 1
    elif type(key) is slice:
        start, stop, step = key.indices(length)
        if step != 1 or stop <= start:
            return _Piece(part)
    else:
        return _Piece(part)
    return _Piece(source, start, stop, _spec(part).shape[0])


def new_node(
    at: Node, name: str, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec
) -> Node:
    """Make a node that stands where another one does."""
    node = at.like(BY_NAME[name], inputs, attrs, spec)
    node.hint = None
    return node


def transposed(value: Any, at: Node) -> Any:
    """Transpose a node or constant of two axes; a transpose is undone."""
    if type(value) is not Node:
        return value.T
    if value.op.name == "transpose" and type(value.inputs[0]) is Node:
        return value.inputs[0]
    spec, layout = value.spec, value.spec.layout
    if type(layout) is tuple:
        layout = layout[::-1]
    else:  # what is contiguous in both orders is called C
        layout = "F" if layout == "C" and 1 not in spec.shape and spec.size else "C"
    turned = Spec(np.ndarray, spec.shape[::-1], spec.dtype, layout)
    return new_node(at, "transpose", (value,), {"axes": (1, 0)}, turned)


def _spec(value: Any) -> Spec:
    return value.spec if type(value) is Node else Spec(np.ndarray, value.shape, value.dtype)


def _size(value: Any) -> int:
    return value.spec.size if type(value) is Node else int(value.size)


def _nbytes(value: Any) -> int:
    return value.spec.nbytes if type(value) is Node else int(value.nbytes)
