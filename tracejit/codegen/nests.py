"""Loop nests: which nodes one set of loops computes together.

The nodes of a kernel enter in order; nests leave, in an order in which each comes after what it
reads. A nest has loops, outermost first, a `frame` (which loop runs along which axis of a full
value) and members. The last loops are its `row`: they run several times, in stages, where a member
needs what a reduction over the row gives (softmax, normalisation). Reductions over other loops
are accumulated and can be read when the nest is done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..dag.loop import spec_of_operand
from ..dag.node import Node
from ..dag.op import INPUT
from ..dag.passes.merge_matmuls import SMALL
from ..ops.reduce import axes_of
from .access import Axes, axes_through, is_block, is_sliced, root_of, viewed
from .scalars import FLOATS, KNOWN, dtype_of, form_of, is_number

MANY_AXES = 6  # as many loops have names
PERIODIC = {"sin", "cos"}  # fast within a range; beyond it the nest runs again, without hurry
PADDED = {"unindex", "index_add"}
REDUCTIONS = {"sum", "max", "min", "prod", "any", "all"}
ALONE = {"matmul", "linalg.inv", "linalg.det", "concatenate", "array", "cross"}
CHEAP = {
    "add", "subtract", "multiply", "negative", "square", "where", "maximum", "minimum", "equal",
    "not_equal", "less", "greater", "less_equal", "greater_equal", "absolute", "copy", "full",
    "bitwise_or", "bitwise_and", "astype", "zeros", "positive",
}  # fmt: skip
COSTLY = 8  # simple operations take as long as one function such as exp
LARGE = 2**22  # simple operations: about 0.3 ms; handing a part to another thread takes 0.05
FEW = 2**14  # elements of an array of totals that each part of a loop has for itself
TINY = 64  # multiplications for one of a stack of products; NumPy computes larger ones as fast
SMALL_MATRIX = 16  # rows of a matrix that is inverted in a kernel
LONG_ROW = 64  # elements of a row whose products with a vector are summed as fast as by BLAS
LONG_VECTOR = 2**18  # multiplications up to which a product with a vector is a loop


def is_reduction(node: Node) -> bool:
    """Tell whether loops can reduce it."""
    source = node.inputs[0] if node.inputs else None
    return (
        node.op.name in REDUCTIONS
        and type(source) is Node
        and source.spec.is_array
        and source.spec.size > 0
        and node.spec.dtype in KNOWN
        and source.spec.dtype in KNOWN
        and (node.op.name not in ("max", "min") or source.spec.dtype.kind == "f")
        and (node.op.name not in ("any", "all") or source.spec.dtype.kind == "b")
        and (node.op.name not in ("sum", "prod") or source.spec.dtype.kind in "fb")
    )


def is_product(node: Node) -> bool:
    """Tell whether a product of matrices or vectors is small enough for loops."""
    if node.op.name != "matmul" or node.spec.dtype not in FLOATS:
        return False
    a, b = map(spec_of_operand, node.inputs)
    if a.dtype != node.spec.dtype or b.dtype != node.spec.dtype:
        return False
    if not node.spec.size or not a.size:
        return False
    if len(a.shape) > 2 or len(b.shape) > 2:  # BLAS is called for each matrix of a stack
        stacked = min(len(a.shape), len(b.shape)) > 1 and len(node.spec.shape) < MANY_AXES
        return stacked and math.prod((*a.shape[-2:], b.shape[-1])) <= TINY
    lengths = (*a.shape, *b.shape[1:])
    count = math.prod(lengths)
    if count < SMALL:
        return True
    by_rows = len(b.shape) == 2 or viewed(node.inputs[0]) is not None  # else it sums along rows
    long = by_rows or a.shape[-1] >= LONG_ROW
    return (1 in lengths or len(lengths) < 3) and count <= LONG_VECTOR and long


def is_elimination(node: Node) -> bool:
    """Tell whether the node inverts one small matrix, or gives its determinant."""
    if node.op.name not in ("linalg.inv", "linalg.det"):
        return False
    source = node.inputs[0]
    if type(source) is not Node or viewed(source) is not None:
        return False
    spec = source.spec
    small = len(spec.shape) == 2 and 0 < spec.shape[0] <= SMALL_MATRIX
    return small and spec.dtype in FLOATS


def is_joining(node: Node) -> bool:
    """Tell whether the node puts a few arrays, or numbers, of floats together."""
    dtype = node.spec.dtype
    if dtype not in FLOATS or not 0 < node.spec.size <= FEW or len(node.spec.shape) > MANY_AXES:
        return False
    if node.op.name == "concatenate":
        specs = [*map(spec_of_operand, node.inputs)]
        return all(spec.is_array and spec.dtype == dtype and spec.size for spec in specs)
    return node.op.name == "array" and all(
        i.spec.shape == () and dtype_of(i) in (*KNOWN, None) and (dtype_of(i) or is_number(i))
        if type(i) is Node
        else is_number(i)
        for i in node.inputs
    )


def is_crossing(node: Node) -> bool:
    """Tell whether the node multiplies vectors of three floats."""
    dtype = node.spec.dtype
    if node.op.name != "cross" or dtype not in FLOATS or len(node.spec.shape) > MANY_AXES:
        return False
    specs = [*map(spec_of_operand, node.inputs)]
    return node.spec.size > 0 and all(spec.is_array and spec.dtype == dtype for spec in specs)


def stands_alone(node: Node) -> bool:
    """Tell whether a function of its own computes the node, not the loops of a nest."""
    return node.op.name in ALONE


def is_padding(node: Node) -> bool:
    """Tell whether the node puts a block of values into an array, or adds one."""
    dtype = node.spec.dtype
    return (
        node.op.name in PADDED
        and dtype in FLOATS
        and len(node.inputs) == 1 + (node.op.name == "index_add")
        and all(type(i) is Node and i.spec.dtype == dtype for i in node.inputs)
        and is_block(node.attrs["key"], node.spec.shape)
    )


def is_loopable(node: Node) -> bool:
    """Tell whether a loop kernel can compute the node."""
    if node.op.effect or node.op is INPUT or (node.spec.is_array and node.spec.size == 0):
        return False
    if node.op.elementwise or node.op.name in ("full", "zeros"):
        return not node.spec.is_python and form_of(node) is not None
    kinds = (is_reduction, is_product, is_padding, is_elimination, is_joining, is_crossing)
    return any(is_kind(node) for is_kind in kinds)


@dataclass(eq=False)
class Nest:
    """One set of loops and what is computed in it.

    lengths: of the loops. frame: the axes of a full value. axes: of each member. stage: in which
    run through the row a full member is computed, or after which one a row value is known (-1:
    before the first). reduced: over which loops a reduction goes. late: members known only when the
    nest is done. row: the loops of the row; None while that is open. reads: the arrays that are
    read. product: a function of its own computes the one member.
    """

    lengths: list[int]
    frame: Axes
    nodes: list[Node] = field(default_factory=list)
    axes: dict[Node, Axes] = field(default_factory=dict)
    stage: dict[Node, int] = field(default_factory=dict)
    reduced: dict[Node, frozenset[int]] = field(default_factory=dict)
    late: set[Node] = field(default_factory=set)
    row: frozenset[int] | None = None
    reads: set[Node] = field(default_factory=set)
    product: bool = False

    @property
    def every(self) -> frozenset[int]:
        """All loops."""
        return frozenset(range(len(self.lengths)))

    def level(self, node: Node) -> frozenset[int]:
        """The loops that a member's value depends on."""
        return frozenset(a for a in self.axes[node] if a is not None)

    def is_full(self, node: Node) -> bool:
        """Tell whether a member has a value of its own in every run of the innermost loop."""
        return node not in self.reduced and self.level(node) == self.every

    def reads_full(self, node: Node) -> bool:
        """Tell whether a reduction's source has such values."""
        axes = axes_through(node.inputs[0], self.axes)
        return axes is None or self.every == frozenset(a for a in axes if a is not None)

    def is_row_value(self, node: Node) -> bool:
        """Tell whether a member has one value for the whole row."""
        return self.row is not None and not (self.level(node) & self.row)

    # -- growing -----------------------------------------------------------------------------

    def takes(self, node: Node) -> bool:
        """Add a node if the loops can compute it."""
        if self.product or stands_alone(node):
            return False
        if node.op.name in PADDED and root_of(node.inputs[-1]) in self.axes:
            return False
        own = [i for i in node.operands if root_of(i) in self.axes]
        roots = [root_of(i) for i in own]
        if any(r in self.late and not self._decide(r, node) for r in roots):
            return False
        if node.op.name in REDUCTIONS:
            return self._add_reduction(node)
        axes = self._result_axes(node, own)
        if axes is None:
            return False
        level = frozenset(a for a in axes if a is not None)
        full = level == self.every
        if not full and not (self.row is not None and level == self.every - self.row):
            return False
        self._add(node, axes, self._stage(node, full))
        return True

    def _decide(self, node: Node, reader: Node) -> bool:
        """Make what a reduction runs over the row, because its result is read in the nest."""
        over = self.reduced.get(node)
        if over is None or not over or (over == self.every and self.is_large()):
            return False
        if self.row is None:
            last = frozenset(range(len(self.lengths) - len(over), len(self.lengths)))
            whole = all(
                self.level(n) == self.every or self.reduced.get(n) for n in self.nodes
            )
            if over != last or not whole:
                return False
            self.row = over
            self.late = {n for n in self.late if self.reduced[n] != over
                         or self.level(n) != self.every - over}  # fmt: skip
        return node not in self.late

    def _result_axes(self, node: Node, own: list[Node]) -> Axes | None:
        shape = node.spec.shape
        if viewed(node) is not None and own:
            axes = axes_through(node, self.axes)
            spread = axes and any(a is None and n != 1 for a, n in zip(axes, shape, strict=True))
            return None if spread else axes  # no loop runs along a broadcast axis
        found: list[int | None] = [None] * len(shape)
        for operand in own:
            axes = axes_through(operand, self.axes)
            if axes is None:
                return None
            start = len(shape) - len(axes)
            for position, axis in enumerate(axes, start):
                if axis is None:
                    continue
                if found[position] not in (None, axis):
                    return None
                found[position] = axis
        missing = [i for i, n in enumerate(shape) if n != 1 and found[i] is None]
        if missing:
            if len(shape) != len(self.frame) or any(
                found[i] is not None and found[i] != self.frame[i] for i in range(len(shape))
            ):
                return None
            for i in missing:
                loop = self.frame[i]
                if loop is None or self.lengths[loop] != shape[i]:
                    return None
                found[i] = loop
        for i, n in enumerate(shape):
            loop = found[i]
            if loop is not None and self.lengths[loop] != n:
                return None
        if len({a for a in found if a is not None}) < sum(a is not None for a in found):
            return None
        return tuple(found)

    def _stage(self, node: Node, full: bool) -> int:
        stage = 0 if full else -1
        for operand in node.operands:
            root = root_of(operand)
            if root not in self.axes:
                continue
            known = self.stage[root]
            later = full and self.is_row_value(root)
            stage = max(stage, known + 1 if later else known)
        return stage

    def _add_reduction(self, node: Node) -> bool:
        source = node.inputs[0]
        axes = axes_through(source, self.axes)
        if axes is None:
            if root_of(source) in self.axes or self._misfits(source):
                return False
            axes = self.frame
        gone = axes_of(node.attrs["axis"], len(axes))
        if any(axes[i] is None and source.spec.shape[i] != 1 for i in gone):
            return False  # a broadcast axis: each element counts as often as it is long
        over = frozenset(a for i in gone if (a := axes[i]) is not None)
        kept = [None if i in gone else a for i, a in enumerate(axes)]
        if not node.attrs["keepdims"]:
            kept = [a for i, a in enumerate(kept) if i not in gone]
        if any(a is None and n != 1 for a, n in zip(kept, node.spec.shape, strict=True)):
            return False
        root = root_of(source)
        level = frozenset(a for a in axes if a is not None)
        stage = self.stage.get(root, 0)
        if level != self.every and self.row is not None:
            if not over:
                return False
        elif level != self.every:
            return False
        self._add(node, tuple(kept), stage)
        self.reduced[node] = over
        if over != self.row or level != self.every:
            self.late.add(node)
        return True

    def _misfits(self, source: Node) -> bool:
        """Tell whether an array from elsewhere has not the shape of the loops."""
        shape = source.spec.shape
        return len(shape) != len(self.frame) or any(
            n != (1 if a is None else self.lengths[a])
            for n, a in zip(shape, self.frame, strict=True)
        )

    def _add(self, node: Node, axes: Axes, stage: int) -> None:
        self.nodes.append(node)
        self.axes[node] = axes
        self.stage[node] = stage
        self.reads.update(r for r in map(root_of, node.operands) if r.spec.is_array)

    def mark(self) -> tuple[Any, ...]:
        """Remember how the nest is, for `forget`."""
        return len(self.nodes), set(self.late), self.row, set(self.reads)

    def forget(self, mark: tuple[Any, ...]) -> None:
        """Go back to how the nest was."""
        count, self.late, self.row, self.reads = mark
        for node in self.nodes[count:]:
            del self.axes[node], self.stage[node]
            self.reduced.pop(node, None)
        del self.nodes[count:]

    def shares(self, node: Node) -> bool:
        """Tell whether a node reads or continues something of the nest."""
        return any(
            r in self.axes or r in self.reads for r in map(root_of, node.operands)
        )

    def is_large(self) -> bool:
        """Tell whether the work is worth several cores."""
        weights = sum(COSTLY if n.op.name not in CHEAP else 1 for n in self.nodes)
        return math.prod(self.lengths) * weights > LARGE

    def splits(self) -> bool:
        """Tell whether the outermost loop can run in parts, and is worth it."""
        if self.product or not self.lengths or not self.is_large():
            return False
        if self.row is not None and 0 in self.row:
            return False
        if any(n.op.name in PADDED or any(map(is_sliced, n.operands)) for n in self.nodes):
            return False  # the ends of parts are unsigned, which does not go with offsets
        return all(0 in self.level(n) or n.spec.size <= FEW for n in self.late)

    def settle(self) -> None:
        """Make the last loops the row where a total for each of the others is wanted."""
        if self.row is None:
            for node, over in self.reduced.items():
                if 0 < len(over) < len(self.lengths) and self._decide(node, node):
                    return


def start(node: Node) -> Nest:
    """Begin a nest with one node."""
    if stands_alone(node):
        nest = Nest([], (), product=True)
        nest._add(node, (), 0)
        return nest
    shape = node.inputs[0].spec.shape if node.op.name in REDUCTIONS else node.spec.shape
    # A view that is copied, and reads nothing of the nest, is a value like others.
    lengths = [n for n in shape if n != 1]
    loops = iter(range(len(lengths)))
    frame = tuple(None if n == 1 else next(loops) for n in shape)
    nest = Nest(lengths, frame)
    if not nest.takes(node):
        raise AssertionError(f"{node} fits no loops")
    return nest
