"""Running what was recorded again on many inputs at once: one pass over stacks, not a Python loop.

A function of one array and a stack of such arrays enter; the stack of its results leaves. The
function is recorded once; then every operation that depends on the array runs on stacks, whose new
first axis it is told how to keep apart. What is not told that runs once for each row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.node import Node, recorded_value
from ..dag.op import BY_NAME, GUARD, HOLE, IDENTITY, PICK
from ..dag.vjp import depending_on
from ..ops.index import is_basic
from ..ops.reduce import axes_of
from ..ops.shape import swap
from ..trace import Recorder, Tracer
from .stacks import Stack, structured, units

Stacks = dict[Node, Any]  # a Stack, and for an op that has several results a list of them


class Recorded:
    """A function of one array, recorded: it runs on stacks of them.

    Args:
        recorder: open; everything is recorded into it.
        function: of one array or number; returns a list of arrays and numbers.
        like: such an array, of any value.

    root, nodes, leaves: the node of the array, those that were recorded, and the results.
    """

    def __init__(self, recorder: Recorder, function: Callable[[Any], Any], like: Any) -> None:
        self.recorder = recorder
        self.function = function
        self.like = like
        start = len(recorder.nodes)
        root = recorder.record(IDENTITY, (like,), {})
        self.root: Node = root.node
        self.leaves: list[Any] = function(root)
        self.nodes = recorder.nodes[start:]

    def on(self, stack: Any = None, as_columns: bool = False) -> list[Any]:
        """Give the results for each row of a stack, as stacks.

        Args:
            stack: left out, it is that of all unit vectors.
            as_columns: the caller moves the new axis to the end; what is computed so may stay so.
        """
        directions = units(self.like)
        if stack is not None:
            directions = _stack_of(stack, len(stack), np.shape(self.like))
        stacks: Stacks = {self.root: directions}
        reached = depending_on(self.nodes, [self.root])
        rows = directions.rows
        for node in self.nodes:
            if node in reached and node not in stacks:
                if node.op is GUARD or node.op.effect:
                    each = [self.function(row) for row in directions.whole]
                    return [_joined([leaves[i] for leaves in each]) for i in range(len(each[0]))]
                stacks[node] = _run(self.recorder, node, stacks, rows, as_columns)
        return [_stacked(leaf, stacks, rows) for leaf in self.leaves]


def over_stack(
    recorder: Recorder, function: Callable[[Any], Any], like: Any, as_columns: bool = False
) -> Any:
    """Give the results of a function for all unit vectors, as a list of stacks; see Recorded."""
    return Recorded(recorder, function, like).on(as_columns=as_columns)


def _stack_of(array: Any, rows: int, shape: tuple[int, ...]) -> Stack:
    return Stack(array, shape, rows, np.result_type(array))


def _stacked(leaf: Any, stacks: Stacks, rows: int) -> Any:
    node = leaf.current() if type(leaf) is Tracer else None
    if node in stacks:
        return stacks[node].whole
    return np.broadcast_to(leaf, (rows, *np.shape(leaf)))


def _run(
    recorder: Recorder, node: Node, stacks: Stacks, rows: int, as_columns: bool
) -> Any:
    """Run one operation on stacks."""
    if node.op is PICK:
        return stacks[node.inputs[0]][node.attrs["index"]]
    are_stacks = [type(i) is Node and i in stacks for i in node.inputs]
    operands = [
        stacks[i] if is_stack else recorder.lift(i)
        for i, is_stack in zip(node.inputs, are_stacks, strict=True)
    ]
    if not node.op.several:
        known = structured(node, operands, as_columns)
        if known is not None:
            return known
    inputs = [x.whole if type(x) is Stack else x for x in operands]
    if node.op.several:
        shapes = [np.shape(part) for part in node.value]
        parts = _by_rows(node, inputs, are_stacks, rows)
        return [_stack_of(p, rows, shape) for p, shape in zip(parts, shapes, strict=True)]
    rule = RULES.get(node.op.name)
    if node.op.elementwise:
        rule = _elementwise
    elif node.op.reduces is not None:
        rule = _reduction
    result = None if rule is None else rule(node, inputs, are_stacks, rows)
    if result is None:
        result = _by_rows(node, inputs, are_stacks, rows)
    dtype = getattr(node.value, "dtype", None)
    if dtype is not None and result.dtype != dtype:
        result = result.astype(dtype)  # numbers have become arrays
    return _stack_of(result, rows, np.shape(node.value))


def _by_rows(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    """Run an operation once for each row."""
    results = []
    for row in range(rows):
        given = [x[row] if s else x for x, s in zip(inputs, are_stacks, strict=True)]
        results.append(node.op(*given, **node.attrs))
    if node.op.several:
        return [_joined([r[i] for r in results]) for i in range(node.op.several)]
    return _joined(results)


def _joined(results: list[Any]) -> Any:
    return np.stack([BY_NAME["convert"](r, cls=np.ndarray) if np.ndim(r) == 0 else r
                     for r in results])  # fmt: skip


# -- rules: (node, inputs, which of them are stacks, rows) -> the stack; None: row by row ----------


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of an operand: of one row, where it is a stack."""
    return np.shape(recorded_value(value))


def _all_stacks(inputs: list[Any], are_stacks: list[bool], rows: int) -> list[Any]:
    """Make stacks of equal rows of what is none."""
    return [
        x if is_stack else np.broadcast_to(x, (rows, *np.shape(x)))
        for x, is_stack in zip(inputs, are_stacks, strict=True)
    ]


def _with_rank(x: Any, rank: int) -> Any:
    """Give the rows of a stack further axes of length 1 in front."""
    shape = np.shape(x)
    missing = rank - (len(shape) - 1)
    return np.reshape(x, (shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else x


def _elementwise(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    rank = max((len(_shape(i)) for i in node.inputs), default=0)
    aligned = [
        _with_rank(x, rank) if s else x for x, s in zip(inputs, are_stacks, strict=True)
    ]
    return node.op(*aligned, **node.attrs)


def _reduction(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    if len(inputs) > 1:
        return None
    axes = axes_of(node.attrs["axis"], len(_shape(node.inputs[0])))
    if not axes:
        return inputs[0]
    return node.op(*inputs, **{**node.attrs, "axis": tuple(axis + 1 for axis in axes)})


def _same(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    return inputs[0]


def _reshape(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    if node.attrs.get("order", "C") != "C":
        return None
    return np.reshape(inputs[0], (rows, *np.shape(node.value)))


def _transpose(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    return np.transpose(inputs[0], (0, *(axis + 1 for axis in node.attrs["axes"])))


def _spread(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    shape = np.shape(node.value)
    return np.broadcast_to(_with_rank(inputs[0], len(shape)), (rows, *shape))


def _key(key: Any) -> Any:
    """Leave the first axis alone; None: the result's axes would stand in another order.

    Beside arrays numbers count as such, and where something stands between, their axes come first.
    """
    parts = key if type(key) is tuple else (key,)
    if HOLE in parts:
        arrays = [n for n, part in enumerate(parts) if part is HOLE or isinstance(part, int)]
        if arrays[-1] - arrays[0] >= len(arrays):
            return None
    return (slice(None), *parts)


def _index(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    key = _key(node.attrs["key"])
    if key is None or not are_stacks[0] or any(are_stacks[1:]) or _has_mask(inputs[1:]):
        return None
    return node.op(*inputs, key=key)


def _has_mask(holes: list[Any]) -> bool:
    return any(np.result_type(hole).kind == "b" for hole in holes)


def _unindex(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    if not is_basic(node.attrs["key"]) or any(are_stacks[1:]):
        return None
    key, shape = _key(node.attrs["key"]), (rows, *node.attrs["shape"])
    return node.op(*inputs, key=key, shape=shape)


def _add(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    if not is_basic(node.attrs["key"]) or any(are_stacks[2:]):
        return None
    x, value = _all_stacks(inputs[:2], are_stacks[:2], rows)
    return node.op(x, value, key=_key(node.attrs["key"]))


def _matmul(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    a, b = inputs
    left, right = (len(_shape(i)) for i in node.inputs)
    shape = np.shape(node.value)
    if left > 2 or right > 2:
        return None
    if left == right == 1:
        return np.sum(a * b, axis=-1)
    if left == 1:  # rows of vectors, times one matrix or a stack of them
        if not are_stacks[1]:
            return np.matmul(a, b)
        return np.matmul(a[:, None] if are_stacks[0] else a, b)[
            (slice(None), 0) if are_stacks[0] else ...
        ]
    if right == 1:
        if not are_stacks[0]:
            return np.matmul(b, swap(a))
        return np.matmul(a, b[:, :, None])[..., 0] if are_stacks[1] else np.matmul(a, b)
    if not are_stacks[1]:  # one product of many rows
        return np.reshape(np.matmul(np.reshape(a, (-1, np.shape(a)[2])), b), (rows, *shape))
    return np.matmul(a, b)


def _concatenate(node: Node, inputs: list[Any], are_stacks: list[bool], rows: int) -> Any:
    wide = _all_stacks(inputs, are_stacks, rows)
    return node.op(*wide, axis=node.attrs["axis"] % np.ndim(node.value) + 1)


RULES: dict[str, Callable[..., Any]] = {
    "identity": _same, "checkpoint": _same, "recomputed": _same, "convert": _same,
    "reshape": _reshape, "ravel": _reshape, "transpose": _transpose, "broadcast_to": _spread,
    "full": _spread, "index": _index, "unindex": _unindex, "index_add": _add, "matmul": _matmul,
    "concatenate": _concatenate,
}  # fmt: skip
