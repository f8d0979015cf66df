"""Drop what no output needs, but for what may raise: plain Python would raise there too.

    sin_0 = sin(x)                  cos_0 = cos(x)
    cos_0 = cos(x)          ->      return cos_0
    return cos_0

Of a loop stays what is needed of its results, and what that takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..graph import Graph, rebuild, rebuild_lines
from ..loop import LOOP, PART, Loop
from ..node import Node

_RAISING = ("divide", "floor_divide", "remainder", "power", "int", "round_number")
_ARRAYS_FROM = {"index": 1, "index_set": 2, "index_add": 2}  # the first input that is an index


def drop_dead(graph: Graph) -> Graph:
    """Keep the nodes that an output depends on, have an effect or may raise; inputs stay."""
    graph = _shrunk(graph)
    needed: set[Node] = graph.every_output()

    def keep_needed(line: Graph) -> Graph:
        for node in reversed(line.nodes):
            if node in needed or node.op.effect or _may_raise(node):
                needed.add(node)
                needed.update(node.operands)
        return replace(line, nodes=tuple(n for n in line.nodes if n in needed))

    return rebuild_lines(graph, keep_needed)  # what exits need is known before the lines they leave


def _may_raise(node: Node) -> bool:
    """Tell whether the user's own operation raises for some values: 1 / 0, a singular matrix."""
    if node.backward:
        return False
    if node.op is LOOP:
        return any(_may_raise(inner) for inner in node.attrs["loop"].body.nodes)
    if node.spec.is_python:
        name = node.op.name
        return name in _RAISING or name.startswith("math.")
    if node.op.name == "power":
        return node.spec.dtype is not None and node.spec.dtype.kind in "iu"
    arrays = _ARRAYS_FROM.get(node.op.name)
    return node.op.raises or (arrays is not None and len(node.inputs) > arrays)


def _shrunk(graph: Graph) -> Graph:
    """Take from loops the results that nobody reads, and the inputs that this makes idle."""
    users = graph.users()
    outputs = graph.every_output()
    read: dict[Loop, set[int]] = {}
    for node in graph.every_node():
        if node.op is LOOP:
            needed = (p for p in users[node] if users[p] or p in outputs)
            read[node.attrs["loop"]] = {p.attrs["index"] for p in needed}
    if not read:
        return graph
    renumbered: dict[Node, dict[int, int]] = {}
    parts: dict[tuple[Node, int], Node] = {}

    def shrink(node: Node) -> Node:
        if node.op is PART:
            source = node.inputs[0]
            index = renumbered[source].get(node.attrs["index"], -1)
            new = node.like(PART, node.inputs, {"index": index})
            return parts.setdefault((source, index), new)
        if node.op is not LOOP:
            return node
        inputs, loop, numbers = _smaller(node, read[node.attrs["loop"]])
        new = node.like(LOOP, inputs, {"loop": loop})
        renumbered[new] = numbers
        return new

    return rebuild(graph, shrink)


def _smaller(node: Node, read: set[int]) -> tuple[tuple[Any, ...], Loop, dict[int, int]]:
    """Give a loop fewer results: its node's inputs, the loop, and the results' new numbers."""
    loop: Loop = node.attrs["loop"]
    body = loop.body
    carried = {i for i in range(loop.carried) if i in read}
    carried |= {c for n, c in enumerate(loop.kept, loop.carried) if n in read}
    collected = [n for n in range(len(loop.collected)) if loop.first_stack + n in read]
    needed: set[Any] = {n for n in body.nodes if _may_raise(n)}
    needed.update(_nodes(body.outputs[loop.carried + n] for n in collected))
    while True:
        needed.update(_nodes(body.outputs[i] for i in carried))
        for inner in reversed(body.nodes):
            if inner in needed:
                needed.update(inner.operands)
        more = {i for i in range(loop.carried) if body.inputs[i] in needed} | carried
        if more == carried:
            break
        carried = more
    order = sorted(carried)
    inputs = [i for i, n in enumerate(body.inputs) if n in needed or i in carried]
    kept = [n for n, c in enumerate(loop.kept) if loop.carried + n in read]
    steps = [loop.steps[i - loop.carried] for i in inputs if loop.carried <= i < loop.first_fixed]
    outputs = [body.outputs[i] for i in (*order, *(loop.carried + n for n in collected))]
    graph = replace(
        body, inputs=tuple(body.inputs[i] for i in inputs),
        nodes=tuple(n for n in body.nodes if n in needed), outputs=tuple(outputs),
    )  # fmt: skip
    results = [*order, *(loop.carried + n for n in kept)]
    results += [loop.first_stack + n for n in collected]
    smaller = Loop(
        loop.count, graph, len(order), tuple(steps),
        tuple(order.index(loop.kept[n]) for n in kept),
        tuple(loop.collected[n] for n in collected),
    )  # fmt: skip
    given = tuple(node.inputs[i] for i in inputs)
    return given, smaller, {old: new for new, old in enumerate(results)}


def _nodes(values: Iterable[Any]) -> list[Node]:
    return [value for value in values if type(value) is Node]
