"""Loops in emitted code: `for t in range(count):`, with rows of stacks, and what is carried on.

A loop's node enters; leave the statements before and in its body. A carried value goes by one
name; `h, h_next = h_next, h` exchanges its two buffers. What stays fixed has its name from outside.
A stack's row is bound at the beginning of an iteration where a node is computed into it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.loop import LOOP, PART, Loop, deep_nodes
from ..dag.node import Layout, Node
from ..dag.op import INPUT
from . import syntax as s
from .names import Names

if TYPE_CHECKING:
    from ..dag.graph import Graph
    from .buffers import Buffers

Write = Callable[[Any], ast.expr]


class Loops:
    """The loops of a module, and the names of what goes through them.

    outputs: what bodies carry on or collect, and what loops read. readers: how often a body's
    nodes are read in it. slots: the names of the memory that nodes are computed into.
    """

    def __init__(self, graph: Graph, buffers: Buffers, slots: list[str]) -> None:
        self.outputs: set[Node] = set()
        self.readers: dict[Node, int] = {}
        self.slots: dict[Node, str] = {}
        self.rows: dict[Node, Layout] = {}  # inputs of bodies whose layout in memory is known
        self.stack_of: dict[Node, Any] = {}  # inputs of bodies that are rows, and whose they are
        self._buffers = buffers
        self._slot_names = slots
        self._alias: dict[Node, Any] = {}  # a fixed input of a body -> what it is outside
        self._names: dict[Node, str] = {}
        self._stacks: dict[tuple[Node, int], str] = {}
        self._finals: dict[tuple[Node, int], str] = {}
        self._counters: dict[Node, str] = {}
        self._parts: dict[Node, dict[int, Node]] = {}
        for node in deep_nodes(graph):
            if node.op is LOOP:
                self._parts[node] = {}
                self._note(node, node.attrs["loop"])
            elif node.op is PART:
                self._parts[node.inputs[0]][node.attrs["index"]] = node

    def _note(self, node: Node, loop: Loop) -> None:
        body = loop.body
        self._alias.update([*zip(body.inputs, node.inputs, strict=True)][loop.first_fixed :])
        placement = self._buffers.loops[node]
        rows = slice(loop.carried, loop.first_fixed)
        self.stack_of.update(zip(body.inputs[rows], node.inputs[rows], strict=True))
        self.rows.update((body.inputs[number], "C") for number in loop.kept)
        for number, slot in placement.begin.items():
            self.rows[body.inputs[number]] = self._buffers.slots[slot].layout
        self.outputs.update(_nodes((*body.outputs, *node.inputs)))
        self.readers.update((n, len(users)) for n, users in body.users().items())

    def resolve(self, value: Any) -> Any:
        """Find what a fixed input of a body is outside."""
        while type(value) is Node and value in self._alias:
            value = self._alias[value]
        return value

    @property
    def names(self) -> dict[Node, str]:
        """The names of all nodes."""
        return self._names

    def stacks_of(self, node: Node) -> dict[int, str]:
        """The names of a loop's stacks, by the number of the result."""
        return {number: name for (loop, number), name in self._stacks.items() if loop is node}

    def parts_of(self, node: Node) -> dict[int, Node]:
        """The nodes that read a loop's results, by number."""
        return self._parts[node]

    # -- names -----------------------------------------------------------------------------

    def named(self, graph: Graph) -> list[Node]:
        """The nodes that names are given to, in order: not loops, nor what has another's name."""
        parts = (p for each in self._parts.values() for p in each.values())
        other = {*self._alias, *self._parts, *parts}
        return [node for node in deep_nodes(graph) if node not in other]

    def give_names(self, known: dict[Node, str], names: Names) -> None:
        """Add the names of parts; let what is carried on go by the name of what is carried in."""
        self._names = known
        for node, parts in self._parts.items():
            loop: Loop = node.attrs["loop"]
            self._counters[node] = names.take("t")
            for number in range(loop.carried):
                self._name_carried(node, loop, number, names)
                if number in parts:
                    known[parts[number]] = self._finals[node, number]
            for number in range(loop.carried, loop.first_stack + len(loop.collected)):
                hint = parts[number].hint if number in parts else None
                name = names.take(hint or "stack", numbered=hint is None)
                self._stacks[node, number] = name
                if number in parts:
                    known[parts[number]] = name
            for inner, number in self._buffers.loops[node].direct.items():
                self._name_memory(node, loop, inner, number)

    def _name_carried(self, node: Node, loop: Loop, number: int, names: Names) -> None:
        inside, output = loop.body.inputs[number], loop.body.outputs[number]
        placement, known = self._buffers.loops[node], self._names
        if node.inputs[number] is None:
            simple = type(output) is Node and output.op is not INPUT
            simple = simple and (not output.spec.is_array or self._lasts(node, output, number))
            name = known[output] if simple else names.take("last", numbered=True)
            self._finals[node, number] = name
            return
        self._finals[node, number] = known[inside]
        if type(output) is not Node or output.op is INPUT:
            return
        if number in placement.other or (number in loop.kept and output.spec.is_array):
            known[output] = names.take(f"{known[inside]}_next")
            return
        in_place = number in placement.begin
        renamed = not output.spec.is_array or number in placement.fresh
        if in_place or (renamed and _is_idle(loop, inside, output)):
            known[output] = known[inside]

    def _lasts(self, node: Node, output: Node, number: int) -> bool:
        """Tell whether a node's memory is its own when the loop has ended."""
        placement = self._buffers.loops[node]
        return placement.direct.get(output) == number or number in placement.fresh

    def _name_memory(self, node: Node, loop: Loop, inner: Node, number: int) -> None:
        placement = self._buffers.loops[node]
        if number >= loop.first_stack:
            self.slots[inner] = self._names[loop.body.outputs[number - len(loop.kept)]]
        elif number >= loop.carried:
            self.slots[inner] = self._names[loop.body.outputs[loop.kept[number - loop.carried]]]
        elif number in placement.other:
            self.slots[inner] = self._names[loop.body.outputs[number]]
        else:
            self.slots[inner] = self._slot_names[placement.begin[number]]

    def bound_before(self, node: Node) -> list[Node]:
        """Give the loop for the line that binds a node's name before its own line does."""
        return [loop for loop in self._parts if self._in_row(loop, node)]

    def _in_row(self, loop: Node, node: Node) -> bool:
        number = self._buffers.loops[loop].direct.get(node, -1)
        return number >= loop.attrs["loop"].carried and self.slots.get(node) == self._names[node]

    # -- statements ------------------------------------------------------------------------

    def statements(
        self, node: Node, write: Write, body: Callable[[Node], Iterable[ast.stmt]],
        note_dtype: Callable[[Any], None],
    ) -> list[ast.stmt]:  # fmt: skip
        """Write a loop; `body` writes a node of its body."""
        loop: Loop = node.attrs["loop"]
        for number in self._buffers.loops[node].stacks:
            note_dtype(loop.result_spec(number).dtype)
        inside = [*self._rows(node, loop, write)]
        for inner in loop.body.nodes:
            inside += body(inner)
        inside += self._stores(node, loop, write)
        inside += self._moves(node, loop, write)
        counter = ast.Name(self._counters[node], ast.Store())
        times: ast.expr = s.call("range", s.literal(loop.count))
        if _is_reversed(loop):
            times = s.call("reversed", times)
        return [*self._before(node, loop, write), ast.For(counter, times, inside, [])]

    def _before(self, node: Node, loop: Loop, write: Write) -> Iterable[ast.stmt]:
        """Write what makes the stacks and the initial values."""
        placement = self._buffers.loops[node]
        for number, slot in placement.stacks.items():
            spec = loop.result_spec(number)
            shape, dtype = s.literal(spec.shape), s.literal(spec.dtype)
            made = s.call("np.empty", shape, dtype) if slot is None else self._slot(slot)
            yield s.assign(self._stacks[node, number], made, str(spec))
        for number in range(loop.carried):
            if node.inputs[number] is None:
                continue
            initial, name = write(node.inputs[number]), self._names[loop.body.inputs[number]]
            if number in loop.kept:
                stack = self._stacks[node, loop.carried + loop.kept.index(number)]
                yield s.store(_row(stack, s.literal(0)), initial)
                is_array = loop.body.inputs[number].spec.is_array
                row = self._read(stack, s.literal(0), loop.body.inputs[number])
                yield s.assign(name, row if is_array else initial)
            elif number in placement.begin:
                both = [name]
                slots = [self._slot(placement.begin[number])]
                if number in placement.other:
                    both.append(self._names[loop.body.outputs[number]])
                    slots.append(self._slot(placement.other[number]))
                yield _bind(both, slots)
                if number not in placement.taken_over:
                    yield s.expression(s.call("np.copyto", s.name(name), initial))
            else:
                yield s.assign(name, initial)

    def _slot(self, number: int) -> ast.expr:
        return s.name(self._slot_names[number])

    def _rows(self, node: Node, loop: Loop, write: Write) -> Iterable[ast.stmt]:
        """Write what reads rows of stacks, and binds those that are computed into."""
        stacks = node.inputs[loop.carried : loop.first_fixed]
        inputs = loop.body.inputs[loop.carried : loop.first_fixed]
        for inner, stack, step in zip(inputs, stacks, loop.steps, strict=True):
            value = self._value(node, loop, inner, stack, step, write)
            yield s.assign(self._names[inner], value, s.described(inner))
        for number, output in enumerate(loop.body.outputs):
            place = loop.kept.index(number) + loop.carried if number in loop.kept else None
            if number >= loop.carried:
                place = number + len(loop.kept)
            direct = self._buffers.loops[node].direct
            if place is not None and type(output) is Node and direct.get(output) == place:
                index = self._index(node, loop, 1, 1) if number < loop.carried else self._index(
                    node, loop, loop.collected[number - loop.carried]
                )  # fmt: skip
                row = self._read(self._stacks[node, place], index, output)
                yield s.assign(self._names[output], row)

    def _value(
        self, node: Node, loop: Loop, inner: Node, stack: Any, step: int, write: Write
    ) -> ast.expr:
        """Write a row of a stack; of evenly spaced integers the counter gives it."""
        if isinstance(stack, np.ndarray) and inner.spec.cls is int and loop.count > 1:
            spaced = int(stack[1]) - int(stack[0])
            if abs(spaced) == 1 and (np.diff(stack) == spaced).all():
                first = int(stack[0]) if step > 0 else int(stack[-1])
                return self._index(node, loop, step * spaced, first, counts=True)
        index = self._index(node, loop, step)
        if inner.spec.is_python:
            return s.method(write(stack), "item", index)
        if inner.spec.is_array and not inner.spec.shape:
            index = ast.Tuple([index, ast.Constant(Ellipsis)], ast.Load())
        return s.subscript(write(stack), index)

    def _read(self, stack: str, index: ast.expr, like: Node) -> ast.expr:
        if like.spec.is_array and not like.spec.shape:
            index = ast.Tuple([index, ast.Constant(Ellipsis)], ast.Load())
        return _row(stack, index)

    def _index(
        self, node: Node, loop: Loop, step: int, first: int | None = None, counts: bool = False
    ) -> ast.expr:
        """Write `first + step * iteration`; without `first` a row, the last one for step -1."""
        counter = s.name(self._counters[node])
        last = loop.count - 1
        if first is None:
            first = 0 if step > 0 else last
        if _is_reversed(loop):  # the counter is last - iteration
            first, step = first + step * last, -step
        if step < 0:
            return ast.BinOp(s.literal(first), ast.Sub(), counter)
        if not first:
            return counter
        sign: ast.operator = ast.Add() if first > 0 else ast.Sub()
        return ast.BinOp(counter, sign, s.literal(abs(first)))

    def _stores(self, node: Node, loop: Loop, write: Write) -> Iterable[ast.stmt]:
        """Write what puts values into rows that they are not computed into."""
        direct = self._buffers.loops[node].direct
        for place, number in enumerate(loop.kept, loop.carried):
            output = loop.body.outputs[number]
            if not _is_direct(direct, output, place):
                index = self._index(node, loop, 1, 1)
                yield s.store(_row(self._stacks[node, place], index), write(output))
        for number, step in enumerate(loop.collected):
            output, place = loop.body.outputs[loop.carried + number], loop.first_stack + number
            if not _is_direct(direct, output, place):
                index = self._index(node, loop, step)
                yield s.store(_row(self._stacks[node, place], index), write(output))

    def _moves(self, node: Node, loop: Loop, write: Write) -> list[ast.stmt]:
        """Write how the names go on to the next iteration: all at once where they may cross."""
        placement = self._buffers.loops[node]
        moves: list[tuple[list[str], list[ast.expr]]] = []
        crossing = False
        for number in range(loop.carried):
            output, inside = loop.body.outputs[number], loop.body.inputs[number]
            name = self._finals[node, number]
            if type(output) is Node and self._names.get(self.resolve(output)) == name:
                continue
            value = write(output)
            if number in placement.other:
                moves.append(([name, self._names[output]], [value, s.name(name)]))
                continue
            outer = type(output) is Node and output.op is INPUT
            crossing = crossing or outer
            kept = number in loop.kept and inside.spec.is_array and not outer
            if kept:  # the row, also where the value was computed into memory that is used again
                place = loop.carried + loop.kept.index(number)
                if not _is_direct(placement.direct, output, place):
                    index = self._index(node, loop, 1, 1)
                    value = self._read(self._stacks[node, place], index, inside)
            renamed = number in placement.fresh or kept
            if inside.spec.is_array and type(output) is Node and not renamed:
                value = s.method(value, "copy")
            moves.append(([name], [value]))
        if crossing and len(moves) > 1:
            names = [name for targets, _ in moves for name in targets]
            return [_bind(names, [value for _, values in moves for value in values])]
        return [_bind(*move) for move in moves]


def _bind(names: list[str], values: list[ast.expr]) -> ast.stmt:
    if len(names) == 1:
        return s.assign(names[0], values[0])
    return s.unpack(names, ast.Tuple(values, ast.Load()))


def _row(stack: str, index: ast.expr) -> ast.expr:
    return s.subscript(s.name(stack), index)


def _is_reversed(loop: Loop) -> bool:
    """Tell whether the counter goes down: where all stacks begin with their last row."""
    steps = loop.steps or loop.collected
    return bool(steps) and not loop.kept and max(steps) < 0


def _is_direct(direct: dict[Node, int], output: Any, place: int) -> bool:
    return type(output) is Node and direct.get(output) == place


def _is_idle(loop: Loop, inside: Node, output: Node) -> bool:
    """Tell whether a carried value is read no more where the one that follows it is computed."""
    outputs = _nodes(loop.body.outputs)
    if inside in outputs or outputs.count(output) > 1:
        return False
    behind = loop.body.nodes[loop.body.nodes.index(output) + 1 :]
    return not any(inside in node.operands for node in behind)


def _nodes(values: Iterable[Any]) -> list[Node]:
    return [value for value in values if type(value) is Node]
