"""Roll up what a Python loop has left in the trace: a loop node runs its body that many times.

    sin_0 = sin(x)                      loop_0 = loop(x, count=100)
    sin_1 = sin(sin_0)          ->          y = carried: sin_0 = sin(y); next: sin_0
    ...                                 part_0 = part(loop_0, index=0)
    return sin_99                       return part_0

Iterations that differ from the others, often the first or the last one, stay outside. What a later
loop reads of an earlier one is collected in a stack, a row an iteration. No loop reaches across a
guard, a draw or a commit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Graph
from ..loop import LOOP, PART
from ..node import Node, Spec
from ..periods import number_nodes
from .body import Body, Maker, flipped
from .complete import complete
from .find_loops import LEAST, LEAST_SAVED, VIEWS, Finder, find_loops
from .relations import Fixed, Found, Inner, Relation, Rows, Sliced, Stacked, Viewed, identity


def reroll(graph: Graph) -> Graph:
    """Replace the repeated stretches of a graph by loops."""
    if sum(len(line.nodes) for line in graph.lines()) < LEAST + LEAST_SAVED:
        return graph
    finder = find_loops(number_nodes(graph))
    if not finder.loops:
        return graph
    completed, instead = complete(graph, finder)
    if completed is not graph:
        graph = completed
        finder = find_loops(number_nodes(graph, instead, finder.trace.naming))
    return _Rerolled(graph, finder).graph()


class _Rerolled:
    """A graph as it is written anew, with loops."""

    def __init__(self, graph: Graph, finder: Finder) -> None:
        self.old = graph
        self.finder = finder
        self.nodes = finder.trace.nodes
        self.read = finder.trace.inputs
        self.now: dict[Node, Node] = {n: n for n in graph.inputs}
        self.bodies = [Body(loop, finder.trace, self.now) for loop in finder.loops]
        self.body_of = dict(zip(finder.loops, self.bodies, strict=True))
        self.first = {loop.start: body for loop, body in self.body_of.items()}
        self.invariant: dict[Any, Node] = {}
        self.lines: list[int] = []  # the ids of the lines that are being written
        self.parts: dict[tuple[Body, int], Node] = {}
        # What is read outside: by place, at which times; and what is viewed or computed anew.
        self.outside: dict[Body, dict[int, set[int]]] = {b: defaultdict(set) for b in self.bodies}
        self.views: dict[Body, set[int]] = {body: set() for body in self.bodies}
        self._note_readers()

    # -- what is read of each loop ---------------------------------------------------------

    def _note_readers(self) -> None:
        for loop in self.finder.loops:
            for column in loop.columns:
                for relation in column:
                    self._note(relation)
        owner = self.finder.owner
        inputs = len(self.old.inputs)
        for number in np.flatnonzero(owner < 0).tolist():
            node = self.nodes[number]
            if node is not None and number >= inputs:
                for source in self.read(node):
                    self._note_outside(source)
        for output in self.old.every_output():
            self._note_outside(output)
        for body, read in self.outside.items():
            for number, times in read.items():
                if times == {body.loop.count - 1} and number not in body.rows:
                    body.last.add(number)
                else:
                    body.rows.add(number)

    def _note(self, relation: Relation) -> None:
        if isinstance(relation, Rows):
            self.body_of[relation.loop].rows.add(relation.place)
        elif isinstance(relation, Viewed):
            self._note(relation.viewed)
        elif isinstance(relation, Fixed):
            self._note_outside(relation.value)
        elif isinstance(relation, Inner):
            for value in relation.before:
                self._note_outside(value)
        elif isinstance(relation, Stacked):
            for node in relation.nodes:
                self._note_outside(node)

    def _note_outside(self, value: Any) -> None:
        if type(value) is not Node:
            return
        number = self.finder.places[value]
        owner = int(self.finder.owner[number])
        if owner < 0:
            return
        body = self.bodies[owner]
        time, place = divmod(number - body.loop.start, body.loop.period)
        if place in body.loop.invariant:
            self.views[body].add(number)
            return
        if value.op.several or (value.op.name in VIEWS and len(value.inputs) == 1):
            self.views[body].add(number)
            for source in self.read(value):
                self._note_outside(source)
            return
        self.outside[body][place].add(time)

    # -- the new graph ---------------------------------------------------------------------

    def graph(self) -> Graph:
        """Write all lines, those of exits where their guards stand."""
        return self._line(self.old)

    def _line(self, line: Graph) -> Graph:
        nodes: list[Node] = []
        exits: dict[Node, dict[Any, Graph]] = {}
        self.lines.append(id(line))
        owner, places, now = self.finder.owner, self.finder.places, self.now
        for old in line.nodes:
            number = places[old]
            if number in self.first:
                nodes += self._loop(self.first[number])
            if owner[number] >= 0:
                continue
            inputs = tuple([now[i] if type(i) is Node else i for i in self.read(old)])
            same = all(a is b for a, b in zip(inputs, old.inputs, strict=True))
            new = now[old] = old if same else old.like(old.op, inputs, old.attrs)
            nodes.append(new)
            if old in line.exits:
                exits[new] = {k: self._line(other) for k, other in line.exits[old].items()}
        self.lines.pop()
        outputs = tuple(now[o] if type(o) is Node else o for o in line.outputs)
        return replace(line, nodes=tuple(nodes), outputs=outputs, exits=exits)

    def _loop(self, body: Body) -> list[Node]:
        """Write a loop, what prepares its stacks, and what takes its results apart."""
        make = Maker(body.nodes[0])
        for place in sorted(body.loop.invariant):
            self._invariant(make, body.loop, place)
        loop = body.build()
        initial = [self._value(v) for v in body.initial]
        stacks = [self._stack(make, stack, loop.count) for stack in body.stacks]
        given = (*initial, *stacks, *body.fixed)
        node = make.node(LOOP, given, {"loop": loop}, Spec(tuple, (), None))
        for place in body.results():
            index = body.index_of(place)
            part = make.node(PART, (node,), {"index": index}, loop.result_spec(index))
            like = body.nodes[place]
            name = like.hint or like.op.name.split(".")[-1]
            part.hint = like.hint if index < loop.carried else f"stack_{name}"
            self.parts[body, place] = part
        read = {
            body.loop.start + time * body.loop.period + place
            for place, times in self.outside[body].items()
            for time in times
        }
        for number in sorted(read | self.views[body]):
            old = self.nodes[number]
            assert old is not None
            self.now[old] = self._again(make, body, old, number)
        return make.nodes

    def _invariant(self, make: Maker, loop: Found, place: int) -> None:
        """Write what is the same in each iteration, unless the same stands there already."""
        old = self.nodes[loop.start + place]
        assert old is not None
        inputs = tuple(self._value(self._same(loop, r)) for r in loop.columns[place])
        given = tuple(map(identity, inputs))
        key = (self.lines[-1], old.op, given, repr(old.attrs), old.spec, old.backward)
        if key not in self.invariant:
            self.invariant[key] = make.same(old, inputs)
        self.now[old] = self.invariant[key]

    def _same(self, loop: Found, relation: Relation) -> Any:
        """Find what an invariant node reads, in the first iteration."""
        if isinstance(relation, Inner):
            return self.nodes[loop.start + relation.place]
        assert isinstance(relation, Fixed)
        return relation.value

    def _again(self, make: Maker, body: Body, old: Node, number: int) -> Node:
        """Find what stands for a node of a loop outside of it."""
        time, place = divmod(number - body.loop.start, body.loop.period)
        if place in body.loop.invariant:
            first = self.nodes[body.loop.start + place]
            assert first is not None
            return self.now[first]
        if number in self.views[body]:
            return make.same(old, tuple(self._value(value) for value in self.read(old)))
        part = self.parts[body, place]
        if place in body.last:
            return part
        if not body.is_flipped(place):
            return make.row(part, time + body.keeps(place), old.spec)
        row = make.row(part, time, flipped(old.spec))
        axes = tuple(range(len(old.spec.shape)))[::-1]
        return make.view("transpose", row, {"axes": axes})

    def _value(self, value: Any) -> Any:
        return self.now[value] if type(value) is Node else value

    def _stack(self, make: Maker, stack: Any, count: int) -> Any:
        """Make what an input of a body is a row of."""
        if isinstance(stack, Rows):
            body = self.body_of[stack.loop]
            part = self.parts[body, stack.place]
            return make.slice(part, stack.first + body.keeps(stack.place), stack.step, count)
        if isinstance(stack, Sliced):
            return make.sliced(self.now[stack.array], stack, count)
        if isinstance(stack, Stacked):
            return make.stacked([self._value(n) for n in stack.nodes], stack.nodes[0].spec)
        return stack
