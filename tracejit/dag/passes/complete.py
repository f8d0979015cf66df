"""Complete the first and the last iteration of a backward pass, so that the loop takes them in.

    d = multiply(g, y)                     d = multiply(g, y)
    --- loop begins ---                    dW = add(zeros, d)
    e = multiply(f, z)             ->      e = multiply(f, z)
    dW = add(d, e)                         dW_1 = add(dW, e)

The first iteration of a backward pass has nothing to add its cotangents to, and the last one does
not compute what no one reads. A sum with zeros is put in, or a node whose value nobody needs; only
the sign of a zero can differ, which has no meaning in a gradient. The forward pass stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Graph, rebuild_lines
from ..node import FIXED, Node
from ..op import BY_NAME
from ..periods import without_numbers
from .find_loops import Finder
from .relations import Fixed, Found, Inner, Relation, Rows, Sliced, Viewed, with_number


def complete(graph: Graph, finder: Finder) -> tuple[Graph, dict[Node, tuple[Any, ...]]]:
    """Complete what stands before and behind the loops that were found, where it is like them.

    Returns the graph with further nodes, and the new inputs of those that are to read them.
    """
    completion = _Completion(finder, graph.every_output())
    for loop in finder.loops:
        if completion.node(loop.start).backward:
            _Before(completion, loop).put_in()
            _Behind(completion, loop).put_in()
    if completion.above or completion.below:
        graph = rebuild_lines(graph, completion.line)
    return graph, completion.instead


class _Completion:
    """What is put in above or below a node, and what nodes are to read."""

    def __init__(self, finder: Finder, outputs: set[Node]) -> None:
        self.finder = finder
        self.outputs = outputs
        self.left_out: set[Node] = set()
        self.above: dict[Node, list[Node]] = {}
        self.below: dict[Node, list[Node]] = {}
        self.instead: dict[Node, tuple[Any, ...]] = {}
        self.used: set[Node] = set()

    def node(self, number: int) -> Node:
        """The node with a number."""
        node = self.finder.trace.nodes[number]
        assert node is not None
        return node

    def read(self, node: Node, position: int, new: Node) -> None:
        """Let a node read another one."""
        inputs = list(self.instead.get(node, node.inputs))
        inputs[position] = new
        self.instead[node] = tuple(inputs)

    def line(self, line: Graph) -> Graph:
        """Write a line with what is put in."""
        nodes: list[Node] = []
        above, below, left_out = self.above, self.below, self.left_out
        for node in line.nodes:
            if node in above:
                nodes += above[node]
            if node not in left_out:
                nodes.append(node)
            if node in below:
                nodes += below[node]
        return replace(line, nodes=tuple(nodes))


class _Iteration:
    """An iteration beside a loop: the nodes that it has, by place, and what is missing.

    first: what is written to new zeros, where the loop adds to what was carried in.
    value: what each place gives, or what stands for it.
    """

    def __init__(self, completion: _Completion, loop: Found) -> None:
        self.completion = completion
        self.loop = loop
        self.here: dict[int, Node] = {}
        self.first: dict[int, Node] = {}
        self.value: dict[int, Any] = {}

    def match(self, number: int, step: int) -> bool:
        """Match nodes with the body, one by one; tell whether only a few are missing."""
        finder, loop = self.completion.finder, self.loop
        kinds, count = finder.trace.kinds, len(finder.trace.nodes)
        for place in range(loop.period)[::step]:
            if not 0 <= number < count or finder.owner[number] >= 0:
                continue
            if kinds[number] == kinds[loop.start + place]:
                self.here[place] = self.completion.node(number)
                number += step
            elif _writes_first(finder.trace.nodes[number], self.like(place)):
                self.first[place] = self.completion.node(number)
                number += step
        missing = loop.period - len(self.here)
        return 0 < missing <= loop.period // 2 and not self.completion.used & {*self.here.values()}

    def like(self, place: int) -> Node:
        """The node at a place in the loop's first iteration."""
        return self.completion.node(self.loop.start + place)

    def reads_alike(self, place: int) -> bool:
        """Tell whether a node of this iteration reads of it what its like in the loop reads."""
        return all(
            type(relation) is not Inner or relation.lag or value is self.value[relation.place]
            for relation, value in zip(
                self.loop.columns[place], self.here[place].inputs, strict=True
            )
        )

    def put(self, place: int, new: Node) -> None:
        """Put a node in at its place."""
        before = [p for p in self.here if p < place]
        where = self.completion.below if before else self.completion.above
        beside = self.here[max(before)] if before else self.here[min(self.here)]
        where.setdefault(beside, []).append(new)

    def use(self) -> None:
        """Let no other loop take these nodes for its own."""
        self.completion.used.update(self.here.values())


class _Before(_Iteration):
    """The iteration before the first one, which lacks sums."""

    def put_in(self) -> None:
        """Put in sums with zeros."""
        loop = self.loop
        if not self.match(loop.start - 1, -1):
            return
        for place in range(loop.period):
            if place in self.first:
                self.value[place] = self.first[place]
            elif place not in self.here:
                added = self._added(place)
                if added is None:
                    return
                self.value[place] = self.value[added]
            else:
                self.value[place] = self.here[place]
                if not self.reads_alike(place):
                    return
        readings = [*self._readings()]
        if any(node.inputs[k] is not self.value[place] for node, k, place in readings):
            return
        if not all(self._is_read_here(place, readings) for place in self.first):
            return
        sums = self._sums()
        for node, number, place in readings:
            self.completion.read(node, number, sums[place])
        self.completion.left_out.update(self.first.values())
        self.use()

    def _is_read_here(self, place: int, readings: list[tuple[Node, int, int]]) -> bool:
        """Tell whether nothing else reads what is written to new zeros."""
        node, finder = self.first[place], self.completion.finder
        times = int(np.count_nonzero(finder.trace.operands == finder.places[node]))
        here = sum(read == place for _, _, read in readings)
        return times == here and node not in self.completion.outputs

    def _added(self, place: int) -> int | None:
        """Find the place whose value a missing sum adds to something from before."""
        relations = self.loop.columns[place]
        if self.like(place).op.name != "add" or not all(type(r) is Inner for r in relations):
            return None
        lags = [r.lag for r in relations if type(r) is Inner]
        if sorted(map(bool, lags)) != [False, True]:
            return None
        return next(r.place for r in relations if type(r) is Inner and not r.lag)

    def _readings(self) -> Iterable[tuple[Node, int, int]]:
        """Find where this iteration, and the one behind it, read what is missing here."""
        for place, column in enumerate(self.loop.columns):
            for number, relation in enumerate(column):
                if type(relation) is not Inner or relation.place in self.here:
                    continue
                if relation.lag:
                    yield self.like(place), number, relation.place
                elif place in self.here:
                    yield self.here[place], number, relation.place

    def _sums(self) -> dict[int, Node]:
        sums: dict[int, Node] = {}
        top = self.here[min(self.here)]
        for place in range(self.loop.period):
            if place in self.here:
                continue
            like, added = self.like(place), self._added(place)
            zero = _zeros(like)
            if type(zero) is Node:
                self.completion.above.setdefault(top, []).append(zero)
            if added is None:
                written = self.first[place]
                inputs = (zero, *written.inputs)
                sums[place] = written.like(like.op, inputs, {"key": written.attrs["key"]})
            else:
                addend = sums.get(added, self.value[added])
                relations = self.loop.columns[place]
                lags = [type(r) is Inner and r.lag > 0 for r in relations]
                sums[place] = like.like(like.op, tuple(zero if o else addend for o in lags), {})
            self.put(place, sums[place])
        return sums


class _Behind(_Iteration):
    """The iteration behind the last one, which lacks what nobody reads."""

    def put_in(self) -> None:
        """Put in the nodes that are missing."""
        loop = self.loop
        if not self.match(loop.stop, 1) or self.first:
            return
        new: list[int] = []
        views: list[Node] = []
        for place in range(loop.period):
            if place in self.here:
                self.value[place] = self.here[place]
                if not self.reads_alike(place):
                    return
                continue
            like = self.completion.node(loop.start + place)
            inputs = [self._next(relation, views) for relation in loop.columns[place]]
            if any(value is None for value in inputs) or place in loop.numbers:
                return
            self.value[place] = like.like(like.op, tuple(inputs), like.attrs)
            new.append(place)
        for place in new:
            self.put(place, self.value[place])
        first = self.completion.node(loop.start)
        self.completion.above.setdefault(first, []).extend(views)
        self.use()

    def _next(self, relation: Relation, views: list[Node]) -> Any:
        """Find what would be read in this iteration; None where that is not there."""
        loop = self.loop
        if isinstance(relation, Inner):
            if not relation.lag:
                return self.value[relation.place]
            return self.completion.node(loop.stop - relation.lag * loop.period + relation.place)
        if isinstance(relation, Fixed):
            return relation.value
        if isinstance(relation, Rows):
            other, time = relation.loop, relation.first + relation.step * loop.count
            if 0 <= time < other.count:
                return self.completion.node(other.start + time * other.period + relation.place)
            before = other.before.get(relation.place) if time == -1 else None
            return before if type(before) is Node else None
        if not isinstance(relation, Viewed):
            return None
        numbers, source = relation.numbers, self._next(relation.viewed, views)
        attrs: dict[str, Any] | None = relation.node.attrs if numbers is None else None
        if isinstance(numbers, Sliced):
            attrs = with_number(relation.node.attrs, numbers, loop.count)
        if source is None or attrs is None:
            return None
        views.append(relation.node.like(relation.node.op, (source,), attrs))
        return views[-1]


def _writes_first(node: Node | None, like: Node) -> bool:
    """Tell whether a node writes to new zeros what its like in the loop adds to an array."""
    return (
        node is not None
        and node.op.name == "unindex"
        and like.op.name == "index_add"
        and node.spec == like.spec
        and repr(without_numbers({"key": node.attrs["key"]}))
        == repr(without_numbers({"key": like.attrs["key"]}))
    )


def _zeros(like: Node) -> Any:
    """Make zeros of a node's kind: a node for an array, a constant for a number."""
    spec = like.spec
    if not spec.is_array:
        return 0.0 if spec.dtype is None else spec.dtype.type(0)
    zeros = like.like(BY_NAME["zeros"], (), {"shape": spec.shape, "dtype": spec.dtype})
    zeros.level, zeros.hint = FIXED, None
    return zeros
