"""Take products and sums out of loops: one of stacked operands for many small ones.

    loop_0 = loop, 100 times:                   loop_0 = loop, 100 times:
        dW: carried, from z                         collect g
        p = matmul(transpose(x), g)     ->      s = reshape(stack of x), t = reshape(part of g)
        carry add(dW, p)                        dW = add(z, matmul(transpose(s), t))

Before a loop: products of a row of a stack and something fixed. Behind it: what is only added up.
Sums are taken in another order, so the last digits may differ. What this leaves idle in the loop,
`drop_dead` takes away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Graph, rebuild
from ..loop import LOOP, PART, Loop, stack_spec
from ..node import VARIES, Node, Spec
from ..op import BY_NAME, INPUT

LIMIT = 1 << 27  # bytes of a stack that is made for this

Total = Callable[[], Node]  # makes the sum of a term over all iterations


def hoist(graph: Graph) -> Graph:
    """Rewrite every loop of the graph."""
    loops: dict[Node, _Hoisting] = {}

    def rewrite(node: Node) -> Any:
        if node.op is LOOP:
            hoisting = _Hoisting(node)
            loops[hoisting.node] = hoisting
            return hoisting.node
        return loops[node.inputs[0]].part(node) if node.op is PART else node

    return rebuild(graph, rewrite)


class _Hoisting:
    """One loop: its products before it, its sums behind it, and what that leaves of it."""

    def __init__(self, old: Node) -> None:
        self.old = old
        self.loop: Loop = old.attrs["loop"]
        self.body = self.loop.body
        self.users = self.body.users()
        self.outputs: list[Any] = list(self.body.outputs)
        self.given = Counter(o for o in self.outputs if type(o) is Node)  # how often, by output
        self.collected = list(self.loop.collected)
        self.replaced: dict[Node, Any] = {}  # nodes of the body, and what stands for them
        self.sliced: list[tuple[Node, Node, int]] = []  # new inputs, their stacks, their steps
        self.parts: dict[int, Node] = {}
        self.totals: dict[int, list[tuple[Total, int]]] = {}  # of carried values, with a sign
        inputs = zip(self.body.inputs, old.inputs, strict=True)
        self.outside: dict[Node, Any] = dict(inputs)
        first, last = self.loop.carried, self.loop.first_fixed
        self.steps = dict(zip(self.body.inputs[first:last], self.loop.steps, strict=True))
        self.fixed = set(self.body.inputs[last:])
        for node in self.body.nodes:
            self._product(node)
        for number in range(self.loop.carried):
            self._accumulated(number)
        self.node = self._finished()

    def _finished(self) -> Node:
        """Write the loop anew."""
        if not self.replaced and len(self.outputs) == len(self.body.outputs):
            return self.old
        loop, last = self.loop, self.loop.first_fixed
        inputs = self.body.inputs
        new = tuple(node for node, _, _ in self.sliced)
        nodes, outputs = self._substituted()
        body = replace(
            self.body, inputs=(*inputs[:last], *new, *inputs[last:]), nodes=nodes, outputs=outputs
        )
        given = self.old.inputs
        stacks = (stack for _, stack, _ in self.sliced)
        steps = (*loop.steps, *(step for _, _, step in self.sliced))
        loop = replace(loop, body=body, steps=steps, collected=tuple(self.collected))
        attrs = {"loop": loop}
        return self.old.like(LOOP, (*given[:last], *stacks, *given[last:]), attrs)

    def _substituted(self) -> tuple[tuple[Node, ...], tuple[Any, ...]]:
        """Put what stands for them in the places of nodes: the body's nodes and outputs."""
        now: dict[Node, Any] = {}
        nodes: list[Node] = []
        for node in self.body.nodes:
            inputs = tuple(now.get(i, i) if type(i) is Node else i for i in node.inputs)
            if node in self.replaced:
                other = self.replaced[node]
                now[node] = now.get(other, other)
            elif any(a is not b for a, b in zip(inputs, node.inputs, strict=True)):
                now[node] = node.like(node.op, inputs, node.attrs)
                nodes.append(now[node])
            else:
                nodes.append(node)
        outputs = tuple(now.get(o, o) if type(o) is Node else o for o in self.outputs)
        return tuple(nodes), outputs

    # -- before the loop -------------------------------------------------------------------

    def _product(self, node: Node) -> None:
        """Compute a product of rows and something fixed for all iterations at once."""
        if node.op.name != "matmul" or not _is_plain(node):
            return
        left, right = node.inputs
        if left in self.steps and right in self.fixed and len(right.spec.shape) == 2:
            rows, factor = left, self.outside[right]
        elif right in self.steps and left in self.fixed and len(right.spec.shape) == 1:
            rows, factor = right, self.outside[left]
            if len(left.spec.shape) == 2:
                factor = _transposed(node, factor)
        else:
            return
        stack, count = self.outside[rows], self.loop.count
        if type(stack) is not Node or type(factor) is not Node:
            return
        whole = stack_spec(node.spec, count)
        if whole.nbytes > LIMIT:
            return
        if len(rows.spec.shape) == 2:
            stack = _reshaped(node, stack, (count * rows.spec.shape[0], rows.spec.shape[1]))
        shape = (stack.spec.shape[0], *factor.spec.shape[1:])
        product = node.like(node.op, (stack, factor), {}, Spec(np.ndarray, shape, node.spec.dtype))
        product.hint = None
        row = Node(INPUT, (), {}, None, node.site, VARIES)
        row.spec = Spec(node.spec.cls, node.spec.shape, node.spec.dtype)
        row.hint, row.backward = node.hint or "product", node.backward
        self.sliced.append((row, _reshaped(node, product, whole.shape), self.steps[rows]))
        self.replaced[node] = row

    # -- behind the loop -------------------------------------------------------------------

    def _accumulated(self, number: int) -> None:
        """Find the terms that are added to a carried array, and sum those up behind the loop."""
        inside, output = self.body.inputs[number], self.body.outputs[number]
        spec = inside.spec
        if number in self.loop.kept or not spec.is_array or inside is output:
            return
        if spec.dtype is None or spec.dtype.kind != "f" or self.old.inputs[number] is None:
            return
        here: Node = inside
        found: list[tuple[Node, Node, Total, int]] = []
        while here is not output:
            readers = self.users[here]
            if len(readers) != 1 or here in self.given:
                return
            adding = readers[0]
            if adding.spec != spec or adding.op.name not in ("add", "subtract"):
                return
            place = 0 if adding.inputs[0] is here else 1
            term = adding.inputs[1 - place]
            if adding.op.name == "subtract" and place:
                return
            total = self._total(term) if type(term) is Node and term.spec == spec else None
            if total is not None:
                found.append((adding, here, total, 1 if adding.op.name == "add" else -1))
            here = adding
        if self.users[output] or self.given[output] > 1:
            return
        for adding, before, total, sign in found:
            self.replaced[adding] = before
            self.totals.setdefault(number, []).append((total, sign))

    def _total(self, term: Node) -> Total | None:
        """Say how the sum of a term over all iterations is computed at once, if it can be."""
        name = term.op.name
        if term.op is INPUT or len(self.users[term]) > 1 or term in self.given:
            return None
        if name == "transpose" and len(term.spec.shape) == 2:
            source = term.inputs[0]
            inner = self._total(source) if type(source) is Node else None
            return None if inner is None else lambda: _transposed(term, inner())
        if name == "matmul" and _is_plain(term):
            return self._sum_of_products(term, *term.inputs)
        if name == "multiply":
            return self._sum_of_outer_products(term)
        if name == "sum" and type(term.inputs[0]) is Node:
            return self._sum_of_sums(term, term.inputs[0], term.attrs["axis"])
        if name == "reshape" and type(term.inputs[0]) is Node:
            return self._sum_of_sums(term, term.inputs[0], ())
        return None

    def _sum_of_products(self, term: Node, left: Node, right: Node) -> Total | None:
        if len(left.spec.shape) != 2 or len(right.spec.shape) != 2:
            return None
        stacks = self._stacks(_untransposed(left), _untransposed(right))
        if stacks is None:
            return None
        (rows, middle), columns = left.spec.shape, right.spec.shape[1]
        long = self.loop.count * middle

        def total() -> Node:
            first, second = (stack() for stack in stacks)
            if _is_transposed(left):  # the rows of all iterations are one below the other
                first = _transposed(term, _reshaped(term, first, (long, rows)))
            else:
                first = _permuted(term, first, (1, 0, 2))
                first = _reshaped(term, first, (rows, long))
            if _is_transposed(right):
                second = _permuted(term, second, (0, 2, 1))
            return _multiplied(term, first, _reshaped(term, second, (long, columns)))

        return total

    def _sum_of_outer_products(self, term: Node) -> Total | None:
        """Sum up the products of a column and a row."""
        pairs = (
            (_vector(left, 0), _vector(right, 1))
            for left, right in (term.inputs, term.inputs[::-1])
        )
        pair = next((p for p in pairs if None not in p), None)
        stacks = None if pair is None else self._stacks(*pair)
        if stacks is None:
            return None
        count, (rows, columns) = self.loop.count, term.spec.shape

        def total() -> Node:
            first, second = (stack() for stack in stacks)
            first = _transposed(term, _reshaped(term, first, (count, rows)))
            return _multiplied(term, first, _reshaped(term, second, (count, columns)))

        return total

    def _sum_of_sums(self, term: Node, source: Node, axis: Any) -> Total | None:
        shape = source.spec.shape
        if not source.spec.is_array or axis is None or source.spec.dtype != term.spec.dtype:
            return None
        stacks = self._stacks(source)
        if stacks is None:
            return None
        axes = tuple(a % len(shape) for a in (axis if type(axis) is tuple else (axis,)))
        left = tuple(n for a, n in enumerate(shape) if a not in axes)

        def total() -> Node:
            stack = stacks[0]()
            along: Any = (0, *(a + 1 for a in axes))
            if axes in ((), (0,)):  # over whole rows: the fastest way
                stack = _reshaped(term, stack, (-1, *left))
                along = 0
            attrs = {"axis": along, "keepdims": False}
            spec = Spec(np.ndarray, left, term.spec.dtype)
            return _reshaped(term, _made(term, "sum", (stack,), attrs, spec), term.spec.shape)

        return total

    def _stacks(self, *values: Any) -> list[Total] | None:
        """Have values of all iterations stacked, in the same order."""
        if any(type(v) is not Node or v in self.fixed or not v.spec.is_array for v in values):
            return None
        if any(stack_spec(v.spec, self.loop.count).nbytes > LIMIT for v in values):
            return None
        steps = [self.steps[v] for v in values if v in self.steps] or list(self.loop.steps) or [1]
        step = max(set(steps), key=steps.count)
        return [self._stack(value, step) for value in values]

    def _stack(self, value: Node, step: int) -> Total:
        if self.steps.get(value) == step and type(self.outside[value]) is Node:
            stack: Node = self.outside[value]
            return lambda: stack
        loop = self.loop
        for number, way in enumerate(self.collected, loop.carried):
            if self.outputs[number] is value and way == step:
                break
        else:
            number = len(self.outputs)
            self.outputs.append(value)
            self.collected.append(step)
        return lambda: self._new_part(number + len(loop.kept))

    # -- results ---------------------------------------------------------------------------

    def _new_part(self, index: int) -> Node:
        if index not in self.parts:
            loop: Loop = self.node.attrs["loop"]
            part = self.old.like(PART, (self.node,), {"index": index}, loop.result_spec(index))
            value = loop.body.outputs[index - len(loop.kept)]
            name = value.hint or value.op.name.split(".")[-1]
            part.hint = f"stack_{name}"
            self.parts[index] = part
        return self.parts[index]

    def part(self, node: Node) -> Node:
        """Write a result of the loop: with what was summed up behind it."""
        number = node.attrs["index"]
        result: Node = node
        hint, node.hint = node.hint, None
        for total, sign in self.totals.get(number, ()):
            op = BY_NAME["add" if sign > 0 else "subtract"]
            given = result
            if result is node and self._is_idle(number):
                given = self.old.inputs[number]
            if sign > 0 and _is_zero(given):
                result = total()
                continue
            result = node.like(op, (given, total()), {})
        result.hint = hint
        return result

    def _is_idle(self, number: int) -> bool:
        """Tell whether nothing is added to a carried value in the loop any more."""
        loop: Loop = self.node.attrs["loop"]
        return loop.body.outputs[number] is loop.body.inputs[number]


def _is_zero(value: Any) -> bool:
    if type(value) is Node:
        return value.op.name == "zeros"
    return isinstance(value, np.ndarray) and not value.any()


def _is_plain(node: Node) -> bool:
    """Tell whether a product is one of vectors and matrices of one kind of floats."""
    specs = [i.spec if type(i) is Node else None for i in node.inputs]
    return all(
        s is not None and 0 < len(s.shape) <= 2 and s.dtype == node.spec.dtype for s in specs
    )


def _is_transposed(value: Any) -> bool:
    return bool(value.op.name == "transpose" and value.attrs["axes"] == (1, 0))


def _untransposed(value: Node) -> Any:
    return value.inputs[0] if _is_transposed(value) else value


def _vector(value: Any, axis: int) -> Any:
    """Find the vector that a column (axis 0) or a row (axis 1) of a matrix is made of."""
    if type(value) is not Node:
        return None
    shape = value.spec.shape
    if axis and len(shape) == 1:
        return value
    if len(shape) != 2 or shape[1 - axis] != 1:
        return None
    if value.op.name == "reshape" and "order" not in value.attrs:
        return value.inputs[0]
    return value


def _made(
    like: Node, name: str, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec
) -> Node:
    node = like.like(BY_NAME[name], inputs, attrs, spec)
    node.hint = None
    return node


def _reshaped(like: Node, value: Node, shape: tuple[int, ...]) -> Node:
    if -1 in shape:
        rest = value.spec.size // -int(np.prod(shape))
        shape = tuple(rest if n == -1 else n for n in shape)
    if value.spec.shape == shape:
        return value
    spec = Spec(np.ndarray, shape, value.spec.dtype)
    return _made(like, "reshape", (value,), {"shape": shape}, spec)


def _transposed(like: Node, value: Node) -> Node:
    layout = {"C": "F", "F": "C"}.get(str(value.spec.layout), "C")
    spec = Spec(np.ndarray, value.spec.shape[::-1], value.spec.dtype, layout)
    return _made(like, "transpose", (value,), {"axes": (1, 0)}, spec)


def _permuted(like: Node, value: Node, axes: tuple[int, ...]) -> Node:
    shape, itemsize = value.spec.shape, value.spec.dtype.itemsize  # type: ignore[union-attr]
    strides = [itemsize * int(np.prod(shape[i + 1 :])) for i in range(len(shape))]
    layout = tuple(strides[i] for i in axes)
    spec = Spec(np.ndarray, tuple(shape[i] for i in axes), value.spec.dtype, layout)
    return _made(like, "transpose", (value,), {"axes": axes}, spec)


def _multiplied(term: Node, left: Node, right: Node) -> Node:
    spec = Spec(np.ndarray, (left.spec.shape[0], right.spec.shape[1]), term.spec.dtype)
    return _made(term, "matmul", (left, right), {}, spec)
