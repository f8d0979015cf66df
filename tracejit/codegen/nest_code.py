"""From nests to statements: the loops of a kernel, one statement for each node.

Sums go through `plus`, the one place where the order of additions may change, so that they are
vectorised; everything else keeps the order that the user wrote.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ..dag.node import Node
from . import syntax as s
from .access import Step, axes_through, parts_of, root_of, viewed
from .kernel_body import KernelBody, in_loops, place_of
from .nests import CHEAP, PADDED, PERIODIC, Nest
from .products import crossed, elimination, gathered, joined, product
from .scalars import NUMBERS, cast, computes_in, fill, form_of, number, with_functions

# How a float's place in the order is found (vecmath/ordered.py), and where a search begins.
_ENDS = {"max": ("top_place", "LOWEST"), "min": ("bottom_place", "REST")}
_MANY = 2048  # float32 numbers; the sum of more is kept in float64
_DEEP = 4  # cheap nodes in a row that are computed again rather than stored


def nest_statements(body: KernelBody, nest: Nest) -> list[ast.stmt]:
    """Write one nest."""
    body.valid = set()
    if nest.product:
        node = nest.nodes[0]
        write = {"matmul": product, "concatenate": joined, "array": gathered, "cross": crossed}
        return write.get(node.op.name, elimination)(body, node)
    if not any(node.op.name in PERIODIC for node in nest.nodes):
        return _NestCode(body, nest).statements()
    known = set(body.local)
    body.far = True
    fast = _NestCode(body, nest).statements()
    body.valid, body.local, body.far = set(), known, False
    slow = _NestCode(body, nest).statements()
    again = ast.If(s.name("far"), slow, [])
    return [s.assign("far", s.literal(False)), *fast, again]


class _NestCode:
    """Writes one nest."""

    def __init__(self, body: KernelBody, nest: Nest) -> None:
        self.body = body
        self.nest = nest

    def statements(self) -> list[ast.stmt]:
        """Write the loops: what is accumulated begins before them and is complete behind them."""
        nest = self.nest
        late = [n for n in nest.reduced if n in nest.late]
        first = [line for n in late for line in self._start(n)]
        row = nest.row if nest.row is not None else nest.every
        loops = [*enumerate(nest.lengths)]
        outer = [loop for loop in loops if loop[0] not in row]
        inner = [loop for loop in loops if loop[0] in row]
        lines = self._row_values(-1)
        for stage in range(1 + max(nest.stage.values(), default=0)):
            lines += self._stage(stage, inner)
            lines += self._row_values(stage)
        last = [line for n in late for line in self._finish(n)]
        return [*first, *in_loops(outer, lines, self.body.part), *last]

    # -- members -------------------------------------------------------------------------------

    def _stage(self, stage: int, inner: list[tuple[int, int]]) -> list[ast.stmt]:
        """Write one run through the row."""
        nest = self.nest
        members = [n for n in nest.nodes if nest.is_full(n) and nest.stage[n] == stage]
        reductions = [n for n in nest.reduced if nest.stage[n] == stage and nest.reads_full(n)]
        if not members and not reductions:
            return []
        if nest.lengths:
            members = self._wanted_now(members, reductions)
        outside = set(self.body.valid)
        again = self._needed_again([*members, *reductions], stage)
        own = [n for n in reductions if n not in nest.late]
        inside = [line for n in [*again, *members] for line in self._compute(n)]
        inside += [line for n in reductions for line in self._accumulate(n)]
        inside += [self._store(n) for n in members if n in self.body.stored]
        self.body.valid = outside if nest.lengths else self.body.valid
        lines = [line for n in own for line in self._start(n)]
        lines += in_loops(inner, inside, self.body.part)
        return lines + [line for n in own for line in self._finish(n)]

    def _row_values(self, stage: int) -> list[ast.stmt]:
        """Write what is known for a row once a stage is done."""
        nest, lines = self.nest, []
        for node in nest.nodes:
            if nest.stage[node] != stage or nest.is_full(node):
                continue
            if node not in nest.reduced:
                lines += self._compute(node)
                if node in self.body.stored:
                    lines.append(self._store(node))
            elif not nest.reads_full(node):
                lines += self._accumulate(node)
        return lines

    def _wanted_now(self, members: list[Node], reductions: list[Node]) -> list[Node]:
        """Leave out what later stages alone need: they compute it again."""
        wanted: set[Node] = {root_of(r.inputs[0]) for r in reductions}
        kept = []
        for node in reversed(members):
            if node in wanted or node in self.body.stored:
                kept.append(node)
                wanted.update(map(root_of, node.operands))
        return kept[::-1]

    def _needed_again(self, readers: list[Node], stage: int) -> list[Node]:
        """Find what was computed in an earlier stage, not stored, and is computed once more."""
        nest = self.nest
        found: dict[Node, None] = {}

        def visit(node: Node) -> None:
            for operand in node.operands:
                root = root_of(operand)
                if (
                    root in nest.axes
                    and nest.is_full(root)
                    and nest.stage[root] < stage
                    and root not in self.body.stored
                    and root not in found
                ):
                    visit(root)
                    found[root] = None

        for node in readers:
            visit(node)
        return [*found]

    def _compute(self, node: Node) -> list[ast.stmt]:
        value = self._expression(node)
        line = s.assign(self.body.element(node), value, self.body.comment(node))
        self.body.valid.add(node)
        if not self.nest.level(node):
            self.body.local.add(node)
        if self.body.far and node.op.name in PERIODIC:
            assert isinstance(value, ast.Call)
            self.body.used.add("FAR")
            test = fill("far | (abs(a) > FAR)", a=value.args[0])
            return [s.assign("far", test), line]
        return [line]

    def _store(self, node: Node) -> ast.stmt:
        name = self.body.read_array(node)
        return s.store(self.body.at(name, self._index(node)), s.name(self.body.element(node)))

    def _index(self, node: Node) -> tuple[Step, ...]:
        return tuple(Step(a) for a in self.nest.axes[node])

    # -- reductions ----------------------------------------------------------------------------

    def _sums_in(self, node: Node) -> np.dtype[Any]:
        """The dtype of a running total: float64 for long sums of float32."""
        dtype = node.spec.dtype
        assert dtype is not None
        count = node.inputs[0].spec.size // max(node.spec.size, 1)
        local = not self._in_memory(node)
        wide = node.op.name == "sum" and dtype == np.dtype("f4") and count > _MANY and local
        return np.dtype("f8") if wide else dtype

    def _in_memory(self, node: Node) -> bool:
        return node in self.nest.late and bool(self.nest.level(node))

    def _total(self, node: Node) -> ast.expr:
        if self._in_memory(node):
            return self.body.at(self.body.read_array(node), self._index(node))
        return s.name(self.body.element(node))

    def _is_ordered(self, node: Node) -> bool:
        """Tell whether places in the order of floats are compared, instead of floats."""
        return node.op.name in _ENDS and bool(self.nest.lengths) and not self._in_memory(node)

    def _place_name(self, node: Node) -> str:
        return f"{self.body.element(node)}_place"

    def _start(self, node: Node) -> list[ast.stmt]:
        if self._is_ordered(node):
            first = f"{_ENDS[node.op.name][1]}_{self._sums_in(node).str[1:].upper()}"
            self.body.used.add(first)
            return [s.assign(self._place_name(node), s.name(first))]
        neutral = {"sum": 0, "prod": 1, "max": -np.inf, "min": np.inf, "any": 0, "all": 1}
        value = number(neutral[node.op.name], self._sums_in(node))
        if not self._in_memory(node):
            return [s.assign(self.body.element(node), value)]
        loops = [(a, self.nest.lengths[a]) for a in sorted(self.nest.level(node))]
        return in_loops(loops, [s.store(self._total(node), value)], self.body.part)

    def _accumulate(self, node: Node) -> list[ast.stmt]:
        source, dtype = node.inputs[0], self._sums_in(node)
        within = source.spec.dtype if node.op.name in ("max", "min", "any", "all") else dtype
        index = self._source_index(node)
        given = cast(self.body.element_of(source, index), source.spec.dtype, within)
        total, old = self._total(node), self._total(node)
        if self._is_ordered(node):
            place = f"{_ENDS[node.op.name][0]}_{dtype.str[1:]}"
            self.body.used.add(place)
            form = "p if p > t else t" if node.op.name == "max" else "p if p < t else t"
            best = self._place_name(node)
            better = fill(form, p=s.name("place"), t=s.name(best))
            lines = [s.assign("place", s.call(place, given))]
            return [*lines, s.assign(best, better, self.body.comment(node))]
        if node.op.name == "sum" and dtype.kind == "f" and not self._in_memory(node):
            self.body.used.add("plus")
            value: ast.expr = s.call("plus", old, given)
        else:
            form = {
                "sum": "t + a", "prod": "t * a", "any": "t or a", "all": "t and a",
                "max": "a if a > t or a != a else t", "min": "a if a < t or a != a else t",
            }[node.op.name]  # fmt: skip
            value = fill(form, t=old, a=given)
        return [s.store(total, value, self.body.comment(node))]

    def _source_index(self, node: Node) -> tuple[Step, ...]:
        axes = axes_through(node.inputs[0], self.nest.axes)
        return tuple(Step(a) for a in (self.nest.frame if axes is None else axes))

    def _finish(self, node: Node) -> list[ast.stmt]:
        if self._in_memory(node):
            return []
        lines: list[ast.stmt] = []
        name, dtype = self.body.element(node), node.spec.dtype
        assert dtype is not None
        if self._is_ordered(node):
            back = f"float_at_{dtype.str[1:]}"
            self.body.used.add(back)
            lines.append(s.assign(name, s.call(back, s.name(self._place_name(node)))))
        elif self._sums_in(node) != dtype:
            lines.append(s.assign(name, cast(s.name(name), self._sums_in(node), dtype)))
        self.body.valid.add(node)
        if not self.nest.level(node):
            self.body.local.add(node)
        if node in self.body.stored:
            lines.append(self._store(node))
        return lines

    # -- operands ------------------------------------------------------------------------------

    def _expression(self, node: Node) -> ast.expr:
        if viewed(node) is not None:
            return self.body.element_of(node, self._index(node))
        if node.op.name in PADDED:
            return self._padded(node)
        within, form = computes_in(node), form_of(node)
        assert within is not None and form is not None, node
        index = self._index(node)
        kinds = [np.dtype("b1") if node.op.name == "where" else within, within, within]
        given = {
            letter: self.body.operand(i, index, kind)
            for letter, i, kind in zip("abc", node.inputs, kinds, strict=False)
            if i is not None
        }
        values = list(given.values())
        numbers = within if within.kind == "f" else np.dtype("f8")
        given |= {name: number(value, numbers) for name, value in NUMBERS.items()}
        given["large"] = number(np.finfo(numbers).max, numbers)
        value = fill(form, **given)
        if node.op.name in PERIODIC and not self.body.far:
            return fill(f"np.{node.op.name}(a)", a=values[0])
        return with_functions(value, within, self.body.used)

    def _padded(self, node: Node) -> ast.expr:
        """Write unindex or index_add: a value where the index selects, nothing elsewhere."""
        value, dtype = node.inputs[-1], node.spec.dtype
        assert dtype is not None
        index = self._index(node)
        test, places = selected(node.attrs["key"], node.spec.shape, index)
        given = self.body.operand(value, places, dtype)
        if node.op.name == "unindex":
            zero = number(0, dtype)
            return given if test is None else fill("a if c else z", a=given, c=test, z=zero)
        old = self.body.operand(node.inputs[0], index, dtype)
        total = fill("t + a", t=old, a=given)
        return total if test is None else fill("a if c else t", a=total, c=test, t=old)


def selected(
    key: Any, shape: tuple[int, ...], index: tuple[Step, ...]
) -> tuple[ast.expr | None, tuple[Step, ...]]:
    """Say when an index is among those that a key selects, and its place among them."""
    tests: list[ast.expr] = []
    places: list[Step] = []
    axis = 0
    for part in parts_of(key, len(shape)):
        if part is None:
            places.append(Step(None))
            continue
        step, length = index[axis], shape[axis]
        axis += 1
        low = part.indices(length)[0] if type(part) is slice else part % length
        high = part.indices(length)[1] if type(part) is slice else low + 1
        at = place_of(step)
        if low > 0:
            tests.append(fill("a >= b", a=at, b=s.literal(low)))
        if high < length:
            tests.append(fill("a < b", a=at, b=s.literal(high)))
        if type(part) is slice:
            places.append(Step(step.loop, 1, step.offset - low))
    if not tests:
        return None, tuple(places)
    return (tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)), tuple(places)


def must_store(nest: Nest, stored: set[Node]) -> set[Node]:
    """Find the members that need an array for the nest's own sake."""
    found = {n for n in nest.late if nest.level(n)}

    def cheap(node: Node, depth: int) -> bool:
        if node in stored or node in found:
            return True
        if node.op.name not in CHEAP or depth == 0:
            return False
        return all(
            cheap(root, depth - 1)
            for root in map(root_of, node.operands)
            if root in nest.axes and nest.is_full(root)
        )

    def exact(node: Node) -> bool:
        """Tell whether computing a cheap node again rounds alike: no product goes into a sum.

        The compiler may round such a sum once, and does so in one loop but not in another.
        """
        if node in stored or node in found or node not in nest.axes:
            return True
        roots = [*map(root_of, node.operands)]
        if node.op.name in ("add", "subtract") and any(map(multiplied, roots)):
            return False
        return all(map(exact, roots))

    def multiplied(node: Node) -> bool:
        if node in stored or node in found or node not in nest.axes:
            return False
        if node.op.name in ("negative", "positive", "copy"):
            return multiplied(root_of(node.inputs[0]))
        return node.op.name in ("multiply", "square")

    for node in nest.nodes:
        compares = node.op.name in ("equal", "not_equal")  # with the maximum of a row, say
        for root in map(root_of, node.operands):
            if (
                root in nest.axes
                and nest.is_full(root)
                and nest.stage[root] < nest.stage[node]
                and not (cheap(root, _DEEP) and (not compares or exact(root)))
            ):
                found.add(root)
    return found
