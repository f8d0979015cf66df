"""Make one product of many: sums of products, and products with the same matrix.

    matmul_0 = matmul(transpose(x_0), g_0)        concatenate_0 = concatenate(x_0, x_1)
    matmul_1 = matmul(transpose(x_1), g_1)   ->   concatenate_1 = concatenate(g_0, g_1)
    add_0 = add(matmul_0, matmul_1)               matmul_0 = matmul(transpose(concatenate_0),
                                                                    concatenate_1)

The gradient of a weight that is used at every time step is such a sum, and that of its bias, a sum
over rows, is read from the same stack. Products `x_0 @ w, x_1 @ w` whose operands are all there
when the first is computed become slices of one product. What is merged stands between the same two
guards, has float operands and no other readers. Only the order of summation changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..graph import Graph, substitute
from ..node import Node, Spec, unshaped
from ..op import BY_NAME
from .drop_dead import drop_dead
from .stacks import BYTE, CALL, Stacks, new_node, transposed

SMALL = 4096  # multiplications; loops compute smaller products faster than any call could
_DTYPES = (np.dtype("f4"), np.dtype("f8"))


def merge_matmuls(graph: Graph) -> Graph:
    """Merge sums of products, sums over rows of their operands, and products that share one."""
    found = _Found(graph)
    instead = _merge_sums(found)
    instead.update(_join_products(found))
    return drop_dead(substitute(graph, instead)) if instead else graph


@dataclass(slots=True)
class _Term:
    """A product of a sum, as transpose(left) @ right: both have as many rows as are summed over."""

    product: Node
    left: Any
    right: Any


@dataclass(slots=True)
class _Sum:
    """A tree of adds: its root, its products, and everything else that is added."""

    root: Node
    terms: list[_Term] = field(default_factory=list)
    others: list[Any] = field(default_factory=list)


# -- sums ------------------------------------------------------------------------------------


def _merge_sums(found: _Found) -> dict[Node, Node]:
    """Find what stands in the place of each sum that is worth merging."""
    stacks: dict[int, Stacks] = {}
    instead: dict[Node, Node] = {}
    rest: list[Node] = []
    sums = []
    for root in found.roots():
        added = found.sum_at(root, stacks.setdefault(found.segments[root], Stacks()))
        if len(added.terms) > 1:
            sums.append(added)
        elif not added.terms and len(added.others) > 2:
            rest.append(root)
    # The longest first: what they stack, the others read.
    for added in sorted(sums, key=lambda added: -len(added.terms)):
        new = _product_of_stacks(added, stacks[found.segments[added.root]], found.position)
        if new is not None and found.stands_before(new, added.root):
            instead[added.root] = new
            found.merged.update(term.product for term in added.terms)
    for root in rest if instead else ():
        new = _sum_of_rows(found.leaves(root), root, stacks[found.segments[root]])
        if new is not None and found.stands_before(new, root):
            instead[root] = new
    return instead


class _Found:
    """What is asked about nodes: who reads them, where they stand, what a sum consists of.

    merged: the products that are part of a larger one now.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.merged: set[Node] = set()
        self.users = graph.users()
        self.returned = graph.every_output()
        self.segments = graph.segments()
        self.position = {node: i for i, node in enumerate((*graph.inputs, *graph.every_node()))}

    def only_reader(self, node: Node) -> Node | None:
        """The node that reads this one, if it is the only one and nothing else needs it."""
        users = self.users[node]
        if len(users) != 1 or node in self.returned:
            return None
        return users[0] if self.segments.get(node) == self.segments[users[0]] else None

    def roots(self) -> Iterator[Node]:
        """Go through the sums that are no part of a larger one."""
        for node in self.graph.every_node():
            if _is_sum(node):
                reader = self.only_reader(node)
                if reader is None or not _continues(reader, node):
                    yield node

    def is_there(self, value: Any, place: Node) -> bool:
        """Tell whether a value can be had where a node stands: it, or what it is a view of."""
        while type(value) is Node and self.position[value] > self.position[place]:
            if value.op.name not in ("index", "reshape", "transpose") or len(value.inputs) > 1:
                return False
            value = value.inputs[0]
        return True

    def stands_before(self, new: Node, place: Node) -> bool:
        """Tell whether all that a new node reads stands before a node of the graph.

        A stack that serves several sums may hold what depends on one of them.
        """
        waiting = [new]
        while waiting:
            for source in waiting.pop().operands:
                if source not in self.position:
                    waiting.append(source)
                elif self.position[source] >= self.position[place]:
                    return False
        return True

    def leaves(self, root: Node) -> list[Any]:
        """Take a tree of adds apart, from left to right."""
        leaves: list[Any] = []
        waiting: list[Any] = [*reversed(root.inputs)]
        while waiting:
            value = waiting.pop()
            inner = type(value) is Node and _is_sum(value) and _continues(root, value)
            if inner and self.only_reader(value) is not None:
                waiting += reversed(value.inputs)
            else:
                leaves.append(value)
        return leaves

    def sum_at(self, root: Node, stacks: Stacks) -> _Sum:
        """Take a sum apart into products and the rest."""
        found = _Sum(root)
        for leaf in self.leaves(root):
            term = self._term(leaf, root, stacks)
            if term is None:
                found.others.append(leaf)
            else:
                found.terms.append(term)
        return found

    def _term(self, leaf: Any, root: Node, stacks: Stacks) -> _Term | None:
        if type(leaf) is not Node or leaf.spec != root.spec or len(root.spec.shape) != 2:
            return None
        if self.only_reader(leaf) is None:
            return None
        if leaf.op.name == "transpose":
            source = leaf.inputs[0]
            if type(source) is not Node or self.only_reader(source) is None:
                return None
            term = _product(source, stacks)
            return None if term is None else _Term(source, term.right, term.left)
        return _product(leaf, stacks)


def _is_sum(node: Node) -> bool:
    spec = node.spec
    return (
        node.op.name == "add" and spec.is_array and spec.dtype in _DTYPES
        and spec.layout == "C" and len(spec.shape) in (1, 2)
    )  # fmt: skip


def _continues(outer: Node, inner: Node) -> bool:
    """Tell whether a sum is a part of another: an addend of its shape."""
    return outer.op.name == "add" and outer.spec == inner.spec and outer.spec.layout == "C"


def _product(node: Node, stacks: Stacks) -> _Term | None:
    """See a node as the product of two matrices: a matmul, or a column times a row."""
    if not all(_is_float_like(i, node.spec) for i in node.inputs) or _is_small(node):
        return None
    if node.op.name == "matmul":
        left, right = node.inputs
        if len(_shape(left)) != 2 or len(_shape(right)) != 2 or not node.spec.size:
            return None
        count = _shape(right)[0]
        turned = stacks.matrix(transposed(left, node), count, node)
        return _Term(node, turned, stacks.matrix(right, count, node)) if count else None
    if node.op.name == "multiply":
        for left, right in (node.inputs, node.inputs[::-1]):
            rows, columns = node.spec.shape
            if _shape(left) == (rows, 1) and _shape(right) in ((columns,), (1, columns)):
                return _Term(node, stacks.matrix(left, 1, node), stacks.matrix(right, 1, node))
    return None


def _is_small(node: Node) -> bool:
    inner = _shape(node.inputs[0])[-1] if node.op.name == "matmul" else 1
    return node.spec.size * inner < SMALL


def _is_float_like(value: Any, spec: Spec) -> bool:
    dtype = value.spec.dtype if type(value) is Node else getattr(value, "dtype", None)
    array = value.spec.is_array if type(value) is Node else isinstance(value, np.ndarray)
    return array and spec.is_array and dtype == spec.dtype and dtype in _DTYPES


def _shape(value: Any) -> tuple[int, ...]:
    shape: tuple[int, ...] = value.spec.shape if type(value) is Node else value.shape
    return shape


def _product_of_stacks(added: _Sum, stacks: Stacks, position: dict[Node, int]) -> Node | None:
    """Write a sum of products as the product of two stacks, where that is a win."""
    root, terms = added.root, added.terms
    # The sweep goes backwards: this is program order, in which slices follow each other.
    terms.sort(key=lambda term: position[term.product], reverse=root.backward)
    lefts, rights = [term.left for term in terms], [term.right for term in terms]
    if stacks.is_run(lefts[::-1]) or stacks.is_run(rights[::-1]):
        lefts.reverse()
        rights.reverse()
    saved = (len(terms) - 1) * (2 * CALL + 4 * BYTE * root.spec.nbytes)
    if saved < stacks.cost(lefts) + stacks.cost(rights):
        return None
    left, right = stacks.stack(lefts, root), stacks.stack(rights, root)
    return _plus(root, "matmul", (transposed(left, root), right), {}, added.others)


def _sum_of_rows(leaves: list[Any], root: Node, stacks: Stacks) -> Node | None:
    """Write a sum of rows, or of sums over rows, as a sum over a stack that is there anyway."""
    columns = root.spec.shape[-1]
    parts: list[tuple[tuple[int, int], Any]] = []
    others = []
    for leaf in leaves:
        rows = _summed_over(leaf, root)
        place = None if rows is None else stacks.place(rows)
        if rows is None or place is None or rows.spec.size % columns:
            others.append(leaf)
        else:
            parts.append((place, stacks.matrix(rows, rows.spec.size // columns, root)))
    parts.sort(key=lambda part: part[0])
    run = [part for _, part in parts]
    if len(run) <= 2 or not stacks.is_run(run):
        return None
    attrs = {"axis": 0, "keepdims": len(root.spec.shape) == 2}
    return _plus(root, "sum", (stacks.stack(run, root),), attrs, others)


def _summed_over(leaf: Any, root: Node) -> Node | None:
    """The rows whose sum a value is: its own one, or those of what it sums."""
    if type(leaf) is not Node or leaf.spec != root.spec or leaf.spec.size != leaf.spec.shape[-1]:
        return None
    if leaf.op.name != "sum":
        return leaf
    rows = leaf.inputs[0]
    if type(rows) is not Node or len(rows.spec.shape) != 2 or leaf.attrs["axis"] not in (0, (0,)):
        return None
    return rows


def _plus(
    root: Node, name: str, inputs: tuple[Any, ...], attrs: dict[str, Any], others: list[Any]
) -> Node:
    """Make the node that stands for a sum, and add what else belongs to it."""
    new = root.like(BY_NAME[name], inputs, attrs)
    for other in others:
        new.hint = None
        new = root.like(root.op, (new, other), {})
    return new


# -- products that share an operand ----------------------------------------------------------


def _join_products(found: _Found) -> dict[Node, Node]:
    """Find what stands in the place of products of several values with the same matrix."""
    groups: dict[tuple[int, int, bool], list[tuple[Node, Any, Any]]] = {}
    stacks: dict[int, Stacks] = {}
    for node in found.graph.every_node():
        seen = _rows_and_matrix(node)
        if seen is None or node in found.merged:
            continue
        rows, shared, turned = seen
        segment = found.segments[node]
        group = groups.setdefault((segment, id(shared), turned), [])
        if not group or found.is_there(rows, group[0][0]):
            group.append((node, rows, shared))
    instead: dict[Node, Node] = {}
    for (segment, _, turned), group in groups.items():
        known = stacks.setdefault(segment, Stacks())
        first, _, shared = group[0]
        parts = [known.matrix(rows, _rows(rows), first) for _, rows, _ in group]
        saved = (len(group) - 1) * (CALL + BYTE * _nbytes(shared))
        if len(group) == 1 or saved < known.cost(parts):
            continue
        matrix = transposed(shared, first) if turned else shared
        stack = known.stack(parts, first)
        shape = (stack.spec.shape[0], _shape(matrix)[1])
        whole = new_node(
            first, "matmul", (stack, matrix), {}, Spec(np.ndarray, shape, first.spec.dtype)
        )
        start = 0
        for (node, _, _), part in zip(group, parts, strict=True):
            stop = start + _shape(part)[0]
            key = slice(start, stop) if len(node.spec.shape) == 2 else start
            instead[node] = node.like(BY_NAME["index"], (whole,), {"key": key})
            start = stop
    return instead


def _rows_and_matrix(node: Node) -> tuple[Any, Any, bool] | None:
    """See a product as rows times a matrix, which may have to be transposed for it."""
    if node.op.name != "matmul" or not all(_is_float_like(i, node.spec) for i in node.inputs):
        return None
    if _is_small(node):
        return None
    left, right = node.inputs
    if 0 in (*_shape(left), *_shape(right)) or node.spec.layout != "C":
        return None
    if len(_shape(right)) == 2 and len(_shape(left)) <= 2:
        turned = type(left) is Node and unshaped(left).op.name == "transpose"
        return None if turned else (left, right, False)  # its rows would be copied one by one
    if len(_shape(left)) == 2 and len(_shape(right)) == 1:
        return right, left, True
    return None


def _rows(value: Any) -> int:
    return _shape(value)[0] if len(_shape(value)) == 2 else 1


def _nbytes(value: Any) -> int:
    nbytes: int = value.spec.nbytes if type(value) is Node else value.nbytes
    return nbytes
