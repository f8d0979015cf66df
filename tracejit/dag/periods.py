"""Where a trace repeats itself: the sequence of its nodes' kinds, and the periodic runs in it.

Nodes enter; leave numbers. Two nodes are of one kind if they do the same on the same line to values
of the same types; what they read may differ, and so may integers in an index. The runs are found
in n log n steps: a window twice as long is named by the names of its halves, and where windows of
length w recur after p <= w nodes, the trace has the period p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .graph import Graph
from .node import Node, line_number

Numbers = tuple[int | None, ...]  # the integers in an index, in order
INDEXING = frozenset(("index", "unindex", "index_set", "index_add"))


@dataclass(frozen=True, slots=True)
class Trace:
    """A graph in numbers, all lines one after the other; None stands between two lines.

    nodes: the inputs, then all nodes. kinds: a number each. operands: for each node, from
    `first[i]` on, where its inputs stand; -1 for a constant. numbers: of the nodes with an index.
    instead: the inputs of those nodes that are to read something else than they do.
    """

    nodes: list[Node | None]
    kinds: np.ndarray[Any, np.dtype[np.int64]]
    first: np.ndarray[Any, np.dtype[np.int64]]
    operands: np.ndarray[Any, np.dtype[np.int64]]
    numbers: dict[int, Numbers]
    instead: dict[Node, tuple[Any, ...]]
    naming: Naming

    def inputs(self, node: Node) -> tuple[Any, ...]:
        """What a node reads."""
        return self.instead.get(node, node.inputs) if self.instead else node.inputs


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of nodes whose kinds repeat with a period."""

    start: int
    length: int
    period: int


class Naming:
    """Names the kinds of nodes by numbers; remembers which integers are in a node's index."""

    def __init__(self) -> None:
        self.names: dict[Node, tuple[int, Numbers | None]] = {}
        self._kinds: dict[Any, int] = {}
        self._lines: dict[tuple[int, int] | None, Any] = {None: None}  # by site: code and line

    def name(self, node: Node, given: tuple[Any, ...]) -> tuple[int, Numbers | None]:
        """Name the kind of a node that reads these inputs."""
        spec, attrs, numbers = node.spec, node.attrs, None
        site = node.site and (id(node.site[0]), node.site[1])
        if site not in self._lines:  # an instruction's offset depends on how often it has run
            assert node.site is not None and site is not None
            self._lines[site] = (site[0], line_number(*node.site))
        what: Any = ()
        if attrs:
            if node.op.name in INDEXING:
                what, numbers = _split(attrs["key"])
                what = (what, attrs.get("shape"))
            else:
                what = (*attrs.values(),)
        key = (
            node.op, node.backward, what, spec.cls, spec.shape, spec.dtype, spec.layout,
            tuple(map(type, given)), self._lines[site],
        )  # fmt: skip
        try:
            kind = self._kinds.setdefault(key, len(self._kinds))
        except TypeError:  # an attribute that has no hash
            kind = self._kinds.setdefault(node, len(self._kinds))
        self.names[node] = kind, numbers
        return kind, numbers


def number_nodes(
    graph: Graph, instead: dict[Node, tuple[Any, ...]] | None = None, naming: Naming | None = None
) -> Trace:
    """Make the trace of a graph.

    Args:
        graph: any graph.
        instead: other inputs for some nodes.
        naming: of the trace of a graph that has most of the nodes, too.
    """
    nodes: list[Node | None] = [*graph.inputs]
    for line in graph.lines():
        nodes.append(None)
        nodes += line.nodes
    instead, naming = instead or {}, naming or Naming()
    place = {node: number for number, node in enumerate(nodes)}
    name, known = naming.name, naming.names
    kinds: list[int] = []
    first: list[int] = []
    operands: list[int] = []
    numbers: dict[int, Numbers] = {}
    inputs = len(graph.inputs)
    for number, node in enumerate(nodes):
        first.append(len(operands))
        if node is None or number < inputs or node.op.effect:
            kinds.append(-number - 1)  # like no other
            continue
        given = instead.get(node, node.inputs) if instead else node.inputs
        operands += [place[i] if type(i) is Node else -1 for i in given]
        kind, written = known.get(node) or name(node, given)
        kinds.append(kind)
        if written is not None:
            numbers[number] = written
    first.append(len(operands))
    return Trace(
        nodes, np.array(kinds, np.int64), np.array(first, np.int64),
        np.array(operands, np.int64), numbers, instead, naming,
    )  # fmt: skip


def _split(key: Any) -> tuple[Any, Numbers]:
    """Part an index into what has a hash, and its integers."""
    numbers: list[int | None] = []
    parts: list[Any] = []
    for part in key if type(key) is tuple else (key,):
        if type(part) is slice:
            ends = (part.start, part.stop)
            parts.append((part.step, *(type(end) for end in ends)))
            numbers += ends
        elif type(part) is int:
            parts.append(int)
            numbers.append(part)
        else:
            parts.append(part)
    return (type(key) is tuple, *parts), tuple(numbers)


def without_numbers(attrs: dict[str, Any]) -> dict[str, Any]:
    """Give attributes without the integers of an index."""
    return {**attrs, "key": _split(attrs["key"])[0]} if "key" in attrs else attrs


def with_numbers(key: Any, numbers: Sequence[Any]) -> Any:
    """Put other numbers, or anything else, in the places of the integers of an index."""
    rest = iter(numbers)

    def replaced(part: Any) -> Any:
        if type(part) is slice:
            return slice(next(rest), next(rest), part.step)
        return next(rest) if type(part) is int else part

    if type(key) is tuple:
        return tuple(replaced(part) for part in key)
    return replaced(key)


def find_runs(kinds: np.ndarray[Any, Any], least: int) -> list[Run]:
    """Find the longest stretches with a period of at least `least` repetitions.

    Those with long periods come first: of nested loops, the outer one.
    """
    found: list[Run] = []
    names = np.unique(kinds, return_inverse=True)[1].astype(np.int64)
    width, count = 1, len(kinds)
    while count >= least * (width // 2 + 1) and len(names) > 1:
        order = np.argsort(names, kind="stable")
        sorted_names = names[order]
        same = sorted_names[1:] == sorted_names[:-1]
        gaps = np.zeros(len(names), np.int64)
        gaps[order[:-1][same]] = np.diff(order)[same]
        gaps[(gaps > width) | (gaps <= width // 2)] = 0
        edges = np.flatnonzero(np.diff(gaps, prepend=0, append=0))
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            period = int(gaps[begin])
            length = end - begin - 1 + period + width
            if period and length >= least * period:
                found.append(Run(begin, length, period))
        if len(names) <= width:
            break
        ranks = np.empty(len(names), np.int64)
        ranks[order] = np.concatenate([[0], np.cumsum(~same)])
        names = ranks[:-width] * len(ranks) + ranks[width:]
        width *= 2
    return sorted(found, key=lambda run: (-run.period, run.start))
