"""Which elements of the results of a linear program depend on which elements of its input.

Recorded nodes enter; a boolean matrix (scipy.sparse, CSR) for each that depends on the input
leaves: a row for each of its elements, a column for each of the input's. Operations say nothing
about this: one that moves elements shows it by what it makes of random numbers, one that adds them
up by what its gradient does; of any other, and of all that the user's functions do, each result is
taken to depend on everything. So an entry may be there that is always zero, never the other way
round.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..dag.node import FIXED, Node, recorded_value
from ..dag.op import BY_NAME, GUARD, MISSING, PICK, exact
from ..dag.vjp import depending_on
from ..operators.batch import Recorded
from ..trace import Recorder, Tracer

ENOUGH_ZEROS = 0.5  # of a matrix: from here on what it multiplies is looked at entry by entry

Shape = tuple[int, ...]


def pattern(recorder: Recorder, recorded: Recorded) -> Any:
    """Find on which elements of the input those of the one result of a recorded program depend.

    What this depends on itself (places that are read, zeros of matrices) is guarded: where it
    differs at a later call, that call is recorded anew.
    """
    root, (result,) = recorded.root, recorded.leaves
    size = int(np.size(root.value))
    search = _Search(recorder)
    search.found[root] = _matrix(np.arange(size), np.arange(size), (size, size))
    reached = depending_on(recorded.nodes, [root])
    for node in recorded.nodes:
        if node in reached and node is not root and node.op is not GUARD:
            search.found[node] = search.of(node)
    known = search.found.get(result.current()) if type(result) is Tracer else None
    return _matrix((), (), (int(np.size(result)), size)) if known is None else known


class _Search:
    """Goes over the nodes in order. found: the pattern of each that depends on the root."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.found: dict[Node, Any] = {}
        self.guarded: set[Any] = set()

    def of(self, node: Node) -> Any:
        """Find the pattern of a node from those of its inputs."""
        op = node.op
        places = [i for i, ref in enumerate(node.inputs) if type(ref) is Node and ref in self.found]
        if op.elementwise:
            return self.joined(node, places, _broadcast)
        declared = BY_NAME.get(op.name) is op  # others run functions of the user's
        if op.several or op.effect or op is PICK or not declared:
            return self.everything(node)
        if op.name == "matmul":
            return self.joined(node, places, self.of_factor)
        local = _moved(node, places) or _added(node, places)
        if local:
            for i, ref in enumerate(node.inputs):
                if i not in places:
                    self.guard(ref, lambda x: x)
            parts = [m @ self.found[node.inputs[i]] for i, m in zip(places, local, strict=True)]
            return _union(parts)
        if len(places) == 1 and _works_along_an_axis(node, places[0]):
            return self.joined(node, places, _along_axis)
        return self.everything(node)

    def joined(self, node: Node, places: list[int], of_input: Callable[..., Any]) -> Any:
        """Join what each of the inputs contributes."""
        return _union([of_input(node, i, self.found[node.inputs[i]]) for i in places])

    def everything(self, node: Node) -> Any:
        """Let each element depend on all that the inputs depend on."""
        parts = [self.found[ref] for ref in node.operands if ref in self.found]
        every = np.unique(np.concatenate([part.indices for part in parts]))
        size = 1 if node.op.several else int(np.size(node.value))
        shape = size, parts[0].shape[1]
        return _matrix(np.repeat(np.arange(size), len(every)), np.tile(every, size), shape)

    def of_factor(self, node: Node, place: int, known: Any) -> Any:
        """An element of a matrix product depends on a row of the left and a column of the right."""
        first, second = (np.shape(recorded_value(ref)) for ref in node.inputs)
        shape, other = (first, second) if place == 0 else (second, first)
        if len(other) == 2 and len(shape) <= 2:
            ref = node.inputs[1 - place]
            if np.mean(recorded_value(ref) == 0) >= ENOUGH_ZEROS:
                return _entries_of(self.guard(ref, lambda x: x != 0), place, shape) @ known
        batch, rows, columns = _product_shape(first, second)
        whole = shape
        if len(shape) == 1:
            whole = (1, *shape) if place == 0 else (*shape, 1)
        summed, kept = _grouped(known, whole, len(whole) - 1 - place)
        return _spread(summed, kept, (*batch, rows, columns))

    def guard(self, ref: Any, look: Callable[[Any], Any]) -> Any:
        """Look at the value of a node or constant; at later calls it must look the same."""
        if type(ref) is Node and ref.level != FIXED and ref not in self.guarded:
            self.guarded.add(ref)
            seen = look(self.recorder.lift(ref)).current()
            self.recorder.guard(seen, "value", exact(seen.value))
        return look(recorded_value(ref))


def _matrix(rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
    """Make a boolean matrix of the places of what is true."""
    from scipy.sparse import csr_array

    rows, columns = (np.ravel(ids).astype(np.intp) for ids in (rows, columns))
    return csr_array((np.ones(len(rows), bool), (rows, columns)), shape=shape)


def _union(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total if part is total else total + part
    return total


def _ids(shape: Shape) -> Any:
    """Number the elements of an array."""
    return np.arange(int(np.prod(shape))).reshape(shape)


def _spread(known: Any, small: Shape, large: Shape) -> Any:
    """The pattern of what is broadcast to a shape."""
    if small == large:
        return known
    return known[np.ravel(np.broadcast_to(_ids(small), large))]


def _grouped(known: Any, shape: Shape, axis: int) -> tuple[Any, Shape]:
    """The pattern of sums along an axis, which is kept with length 1, and their shape."""
    kept = (*shape[:axis], 1, *shape[axis + 1 :])
    rows, columns = np.broadcast_to(_ids(kept), shape), _ids(shape)
    return _matrix(rows, columns, (int(np.prod(kept)), columns.size)) @ known, kept


def _broadcast(node: Node, place: int, known: Any) -> Any:
    return _spread(known, np.shape(recorded_value(node.inputs[place])), np.shape(node.value))


def _works_along_an_axis(node: Node, place: int) -> bool:
    """Tell whether each result depends on those elements alone that stand in line with it."""
    axis = node.attrs.get("axis")
    given = recorded_value(node.inputs[place])
    return isinstance(axis, int) and np.shape(node.value) == np.shape(given)


def _along_axis(node: Node, place: int, known: Any) -> Any:
    shape = np.shape(node.value)
    return _spread(*_grouped(known, shape, node.attrs["axis"] % len(shape)), shape)


def _product_shape(first: Shape, second: Shape) -> tuple[Shape, int, int]:
    """The batch, rows and columns of a matrix product, vectors as matrices."""
    rows = first[-2] if len(first) > 1 else 1
    columns = second[-1] if len(second) > 1 else 1
    return np.broadcast_shapes(first[:-2], second[:-2]), rows, columns


def _entries_of(matrix: Any, place: int, shape: Shape) -> Any:
    """The pattern of a product with a matrix whose entries are given, by the other factor."""
    from scipy.sparse import csr_array, eye_array, kron

    ours = csr_array(matrix)
    if place == 0:
        rows = eye_array(shape[0] if len(shape) == 2 else 1, dtype=bool)
        return csr_array(kron(rows, ours.T), dtype=bool)
    columns = eye_array(shape[1] if len(shape) == 2 else 1, dtype=bool)
    return csr_array(kron(ours, columns), dtype=bool)


# -- finding out what an operation does ------------------------------------------------------------


def _moved(node: Node, places: list[int]) -> list[Any]:
    """The patterns by the inputs of an operation that moves elements; none if it does other things.

    A linear function whose value at random numbers is one of them is, almost surely, that number.
    """
    values = [recorded_value(ref) for ref in node.inputs]
    sizes = [int(np.size(values[i])) for i in places]
    codes = _codes(sum(sizes))
    ends = np.cumsum([0, *sizes])

    def run(numbers: Any) -> Any:
        for i, start, end in zip(places, ends[:-1], ends[1:], strict=True):
            values[i] = numbers[start:end].reshape(np.shape(values[i]))
        return np.broadcast_to(node.op.fn(*values, **node.attrs), np.shape(node.value))

    found = _sources(run, codes)
    if found is None:
        return []
    rows, columns = found
    size, local = int(np.size(node.value)), []
    for start, end in pairwise(ends):
        mine = (columns >= start) & (columns < end)
        local.append(_matrix(rows[mine], columns[mine] - start, (size, end - start)))
    return local


def _added(node: Node, places: list[int]) -> list[Any]:
    """The same of an operation that adds elements up: its gradient moves them."""
    values = [recorded_value(ref) for ref in node.inputs]
    shape, out = np.shape(node.value), np.ravel(node.value)
    codes = _codes(out.size)
    local = []
    for i in places:
        rule = node.op.rule(i)
        if rule is None or rule is MISSING:
            return []

        def run(numbers: Any, i: int = i, rule: Any = rule) -> Any:
            given = (i, values) if node.op.variadic else values
            g = rule(numbers.reshape(shape), node.value, *given, **node.attrs)
            return np.broadcast_to(g, np.shape(values[i]))

        found = _sources(run, codes)
        if found is None:
            return []
        columns, rows = found
        local.append(_matrix(rows, columns, (out.size, int(np.size(values[i])))))
    return local


def _codes(size: int) -> Any:
    """Random numbers, in their order, in which each of them is soon found."""
    return np.sort(np.random.default_rng(0).normal(size=size))


def _sources(run: Callable[[Any], Any], codes: Any) -> tuple[Any, Any] | None:
    """Tell which of the random numbers stands where in what is made of them.

    Returns:
        (places in the result, places among the numbers); None where it is none of them somewhere.
    """
    result, without = np.ravel(run(codes)), np.ravel(run(np.zeros_like(codes)))
    if result.dtype != codes.dtype:
        return None
    (places,) = np.nonzero(result != without)
    if not len(places):
        return places, places
    at = np.searchsorted(codes, result[places]) % len(codes)
    return (places, at) if np.array_equal(codes[at], result[places]) else None
