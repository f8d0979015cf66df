"""The body of a loop, made of one iteration of the trace.

A Found enters (relations.py says what its nodes read); leave the Loop, and what its node is to
read: initial values, stacks and fixed values, in terms of the nodes of the trace. What is a view of
something outside is viewed anew in each iteration; a row of an array of the user's is no copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph
from ..loop import Loop, spec_of_operand, stack_spec
from ..node import VARIES, Node, Spec, spec_of
from ..op import BY_NAME, HOLE, INPUT, Op, exact
from ..periods import Trace, with_numbers
from .relations import Fixed, Found, Inner, Relation, Rows, Sliced, Table, Viewed, identity

Stack = Any  # Rows, Sliced, Stacked or a constant array: where the rows of an input come from


class Body:
    """A body, and what it reads from outside.

    rows, last: the places whose values are read outside: any of them, or the last one alone.
    initial, stacks, fixed: the inputs of the loop's node.
    """

    def __init__(self, loop: Found, trace: Trace, now: dict[Node, Node]) -> None:
        self.loop = loop
        self._now = now  # what stands for the nodes of the trace
        self.trace = trace
        middle = loop.start + loop.count // 2 * loop.period
        nodes = trace.nodes[middle : middle + loop.period]
        self.nodes: list[Node] = [node for node in nodes if node is not None]
        self.rows: set[int] = set()
        self.last: set[int] = set()
        self.initial: list[Any] = []
        self.stacks: list[Stack] = []
        self.fixed: list[Node] = []
        self._steps: list[int] = []
        self._inputs: tuple[list[Node], list[Node], list[Node]] = ([], [], [])
        self._next: list[Any] = []  # of each carried value a place or a node
        self._known: dict[Any, Node] = {}
        self._slots: dict[Any, int] = {}
        self._local: list[Any] = []
        self._placed: list[Node] = []
        self._index: dict[int, int] = {}

    def keeps(self, place: int) -> bool:
        """Tell whether a place's rows are a history, which begins with what is carried in."""
        return place in self.rows and place in self.loop.before

    def is_flipped(self, place: int) -> bool:
        """Tell whether a place's rows are transposed, so that they are in order in memory."""
        return self.nodes[place].spec.layout == "F" and place not in self.loop.before

    def index_of(self, place: int) -> int:
        """Find the result for a place whose rows or last value are read."""
        return self._index[place]

    def results(self) -> list[int]:
        """The places that are read outside."""
        return sorted(self._index, key=self._index.__getitem__)

    def build(self) -> Loop:
        """Make the loop."""
        for place, node in enumerate(self.nodes):
            self._local.append(self._node(place, node))
        for place in sorted(self.last):
            self._index[place] = self._slot_of(place)
        kept = {place: self._slot_of(place) for place in sorted(self.rows) if self.keeps(place)}
        collected = [place for place in sorted(self.rows) if not self.keeps(place)]
        carried = len(self._next)
        for number, place in enumerate((*kept, *collected), carried):
            self._index[place] = number
        outputs = [self._local[n] if type(n) is int else n for n in self._next]
        outputs += [self._collected(place) for place in collected]
        inputs = tuple(node for group in self._inputs for node in group)
        graph = Graph("body", inputs, tuple(self._placed), tuple(outputs))
        return Loop(
            self.loop.count, graph, carried, tuple(self._steps), tuple(kept.values()),
            (1,) * len(collected),
        )  # fmt: skip

    def _collected(self, place: int) -> Any:
        value = self._local[place]
        return self._flip(value, flipped(value.spec)) if self.is_flipped(place) else value

    def _flip(self, value: Node, spec: Spec) -> Node:
        axes = tuple(range(len(spec.shape)))[::-1]
        return self._place(value.like(BY_NAME["transpose"], (value,), {"axes": axes}, spec))

    # -- nodes -----------------------------------------------------------------------------

    def _place(self, node: Node) -> Node:
        node.backward = self.nodes[0].backward  # views of the forward pass are viewed anew
        self._placed.append(node)
        return node

    def _node(self, place: int, node: Node) -> Any:
        """Write the node at a place, or the input that stands for it."""
        if place in self.loop.invariant:
            return self._read(Fixed(self.trace.nodes[self.loop.start + place]))
        numbers = self.loop.numbers.get(place)
        relations = self.loop.columns[place]
        if type(numbers) is Sliced:
            return self._sliced(node, numbers)
        inputs = [self._read(relation) for relation in relations]
        return self._place(self._with_numbers(node, inputs, numbers))

    def _with_numbers(self, node: Node, inputs: list[Any], numbers: Any) -> Node:
        """Write a node whose index has other integers in each iteration."""
        if numbers is None:
            return node.like(node.op, tuple(inputs), node.attrs)
        columns = list(zip(*numbers, strict=True))
        varies = [len(set(column)) > 1 for column in columns]
        marks = [HOLE if v else c[0] for c, v in zip(columns, varies, strict=True)]
        key = with_numbers(node.attrs["key"], marks)
        tables = iter([list(c) for c, v in zip(columns, varies, strict=True) if v])
        old = node.attrs["key"]
        holes = iter(inputs[len(inputs) - _holes(old) :])
        arrays = [
            next(holes) if before is HOLE else self._read(Table(next(tables)))
            for before, part in zip(_parts(old), _parts(key), strict=True)
            if part is HOLE
        ]
        given = inputs[: len(inputs) - _holes(old)]
        return node.like(node.op, (*given, *arrays), {**node.attrs, "key": key})

    # -- what is read ----------------------------------------------------------------------

    def _read(self, relation: Relation) -> Any:
        if isinstance(relation, Inner):
            return self._inner(relation.place, relation.lag, relation.before)
        if isinstance(relation, Fixed):
            if type(relation.value) is not Node:
                return relation.value
            value = self._now[relation.value]
            return self._input(2, ("fixed", id(value)), value)
        if isinstance(relation, Table):
            return self._table(relation.values)
        if isinstance(relation, Viewed):
            return self._viewed(relation)
        if isinstance(relation, Rows):
            return self._rows(relation)
        key = ("stacked", *map(id, relation.nodes))
        return self._input(1, key, relation, relation.nodes[0].spec)

    def _table(self, values: list[Any]) -> Node:
        spec = spec_of(values[0])
        table = np.array(values, stack_spec(spec, 1).dtype)
        return self._input(1, ("table", spec.cls, spec.shape, exact(table)), table, spec)

    def _rows(self, relation: Rows) -> Node:
        node = relation.like
        spec = node.spec
        turned = spec.layout == "F" and relation.place not in relation.loop.before
        key = ("rows", relation.loop, relation.place, relation.first, relation.step)
        if not turned:
            if spec.is_array:
                spec = Spec(spec.cls, spec.shape, spec.dtype)
            return self._input(1, key, relation, spec, relation.step, node)
        known = self._known.get(("flipped", key))
        if known is None:
            row = self._input(1, key, relation, flipped(spec), relation.step, node)
            known = self._known["flipped", key] = self._flip(row, spec)
        return known

    def _viewed(self, relation: Viewed) -> Node:
        """View what an input is a row of, or what is fixed."""
        node, numbers = relation.node, relation.numbers
        if type(numbers) is Sliced:
            return self._sliced(node, numbers)
        source = self._read(relation.viewed)
        new = self._with_numbers(node, [source], numbers)
        key = (new.op, tuple(map(id, new.inputs)), repr(new.attrs))
        if key not in self._known:
            self._known[key] = self._place(new)
        return self._known[key]

    def _sliced(self, node: Node, sliced: Sliced) -> Node:
        """Read a row of an array, and give it the axis of length 1 that a slice leaves."""
        where = (repr(sliced.key), sliced.place, sliced.first, sliced.step)
        key = ("sliced", id(sliced.array), *where)
        if not sliced.long:
            return self._input(1, key, sliced, node.spec, sliced.step, node)
        shape = node.spec.shape
        shape = shape[: sliced.axis] + shape[sliced.axis + 1 :]
        spec = Spec(np.ndarray, shape, node.spec.dtype)
        row = self._input(1, key, sliced, spec, sliced.step, node)
        attrs = {"shape": node.spec.shape}
        return self._place(node.like(BY_NAME["reshape"], (row,), attrs))

    def _inner(self, place: int, lag: int, before: tuple[Any, ...]) -> Any:
        if not lag:
            return self._local[place]
        node: Any = None
        for far in range(1, lag + 1):
            node = self._carried(place, before[lag - far :], node)
        return node

    def _carried(self, place: int, before: tuple[Any, ...], nearer: Node | None) -> Node:
        """What a place was `len(before)` iterations ago; `nearer`: an iteration later."""
        key = (place, *map(identity, before))
        if key not in self._slots:
            self._slots[key] = len(self._next)
            self._next.append(place if nearer is None else nearer)
            self._input(0, key, before[0], self.nodes[place].spec, 1, self.nodes[place])
        return self._inputs[0][self._slots[key]]

    def _slot_of(self, place: int) -> int:
        """Find or make the carried value for what a place gives."""
        if place in self.loop.before:
            key = (place, identity(self.loop.before[place]))
            self._carried(place, (self.loop.before[place],), None)
            return self._slots[key]
        self._next.append(place)
        self._input(0, ("last", place), None, self.nodes[place].spec)
        return len(self._next) - 1

    def _input(
        self, group: int, key: Any, value: Any, spec: Spec | None = None, step: int = 1,
        like: Node | None = None,
    ) -> Node:  # fmt: skip
        """Find or make an input of the body: a carried (0), sliced (1) or fixed (2) one."""
        if key not in self._known:
            site = (like or self.nodes[0]).site
            node = Node(INPUT, (), {}, None, site, VARIES)
            node.spec = spec_of_operand(value) if spec is None else spec
            node.hint = "constant" if like is None else like.hint or like.op.name.split(".")[-1]
            node.backward = self.nodes[0].backward
            self._known[key] = node
            self._inputs[group].append(node)
            (self.initial, self.stacks, self.fixed)[group].append(value)
            if group == 1:
                self._steps.append(step)
        return self._known[key]


def flipped(spec: Spec) -> Spec:
    """Describe the transpose of a value that is in Fortran's order."""
    return Spec(spec.cls, spec.shape[::-1], spec.dtype)


def _parts(key: Any) -> tuple[Any, ...]:
    return key if type(key) is tuple else (key,)


def _holes(key: Any) -> int:
    return sum(part is HOLE for part in _parts(key))


class Maker:
    """Makes the nodes around a loop, in order."""

    def __init__(self, like: Node) -> None:
        self.nodes: list[Node] = []
        self._like = like

    def node(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec) -> Node:
        """Make a node."""
        node = self._like.like(op, inputs, attrs, spec)
        node.hint = None
        self.nodes.append(node)
        return node

    def same(self, old: Node, inputs: tuple[Any, ...]) -> Node:
        """Make a node that does what another one did."""
        node = old.like(old.op, inputs, old.attrs)
        self.nodes.append(node)
        return node

    def view(self, name: str, source: Node, attrs: dict[str, Any]) -> Node:
        """Make a view."""
        op = BY_NAME[name]
        return self.node(op, (source,), attrs, spec_of(op.fn(_pretended(source.spec), **attrs)))

    def slice(self, source: Node, first: int, step: int, count: int) -> Node:
        """Take rows of a stack; with step -1 the last of them is number `first`."""
        low = first if step > 0 else first - count + 1
        if (low, count) == (0, source.spec.shape[0]):
            return source
        return self.view("index", source, {"key": slice(low, low + count)})

    def sliced(self, array: Node, sliced: Sliced, count: int) -> Node:
        """Make the stack whose rows a Sliced stands for."""
        low = sliced.first if sliced.step > 0 else sliced.first - count + 1
        parts = list(_parts(sliced.key))
        parts[sliced.place] = slice(low, low + count)
        whole = [slice(None)] * len(parts)
        whole[sliced.place] = slice(0, sliced.length)
        if parts != whole:
            key = parts[0] if len(parts) == 1 else tuple(parts)
            array = self.view("index", array, {"key": key})
        if sliced.axis:
            rest = [i for i in range(len(array.spec.shape)) if i != sliced.axis]
            array = self.view("transpose", array, {"axes": (sliced.axis, *rest)})
        return array

    def stacked(self, nodes: list[Any], spec: Spec) -> Node:
        """Put values together."""
        stack = stack_spec(spec, len(nodes))
        attrs = {"paths": tuple((i,) for i in range(len(nodes))), "dtype": stack.dtype}
        return self.node(BY_NAME["array"], tuple(nodes), attrs, stack)

    def row(self, stack: Node, number: int, spec: Spec) -> Node:
        """Read a row as the kind of value that was put there."""
        if spec.is_array and spec.shape:
            return self.view("index", stack, {"key": number})
        if spec.is_array:
            return self.view("index", stack, {"key": (number, Ellipsis)})
        kind = Spec(stack.spec.dtype.type, (), stack.spec.dtype)  # type: ignore[union-attr]
        node = self.node(BY_NAME["index"], (stack,), {"key": number}, kind)
        return self.node(BY_NAME["item"], (node,), {}, spec) if spec.is_python else node


def _pretended(spec: Spec) -> Any:
    """Make an array of that shape and layout without its memory, to take views of."""
    if type(spec.layout) is tuple:
        strides = spec.layout
    else:
        lengths = spec.shape if spec.layout == "C" else spec.shape[::-1]
        steps, step = [], spec.dtype.itemsize  # type: ignore[union-attr]
        for length in reversed(lengths):
            steps.append(step)
            step *= length
        strides = tuple(steps if spec.layout == "F" else reversed(steps))
    one = np.empty((), spec.dtype)
    return np.lib.stride_tricks.as_strided(one, spec.shape, strides, writeable=False)
