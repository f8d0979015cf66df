"""Trace trees: the paths that calls of one signature have taken share what they have in common.

A newly recorded path enters, as a linear graph; it is compared with the tree from its first node
on, and from the guard where it goes a way of its own it becomes an exit of that guard.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from .graph import Graph
from .node import Node, Site
from .op import GUARD, IDENTITY


def graft(tree: Graph, path: Graph) -> Graph | None:
    """Add a path to a tree of the same function and signature.

    The path's inputs are those of the tree, position by position; further ones are values that
    were captured on this path first. Returns the tree itself where it has the path already, and
    None where the path is another one although no guard says so: something decides that the
    recorder has not seen.
    """
    known: dict[Node, Node] = dict(zip(path.inputs, tree.inputs, strict=False))
    if not all(_same_spec(a, b) for a, b in known.items()):
        return None
    more = path.inputs[len(tree.inputs) :]
    known.update({n: n for n in more})
    left: list[tuple[Graph, Node, Any]] = []  # the lines that the path has left, and where
    line, position = tree, 0
    other: Node | None = None  # what has another type or shape than in the tree
    for number, node in enumerate(path.nodes):
        if position == len(line.nodes):
            return None
        mine = line.nodes[position]
        if not _matches(mine, node, known):
            return None
        if not _same_spec(mine, node):
            if not _settled_next(path.nodes, number) or not _settled_next(line.nodes, position):
                return None
            other = node
        position += 1
        known[node] = mine
        if node.op is not GUARD or node.attrs["outcome"] == mine.attrs["outcome"]:
            continue
        outcome = node.attrs["outcome"]
        left.append((line, mine, outcome))
        found = line.exits.get(mine, {}).get(outcome)
        if found is None:
            rest = _rest(path, number + 1, known, other)
            return replace(_inserted(left, rest), inputs=(*tree.inputs, *more))
        line, position = found, 0
        if other is not None:
            known[other], position, other = line.nodes[0], 1, None
    same = (
        position == len(line.nodes)
        and len(path.outputs) == len(line.outputs)
        and all(_same_input(a, b, known) for a, b in zip(line.outputs, path.outputs, strict=True))
    )
    return tree if same else None


def _matches(mine: Node, other: Node, known: dict[Node, Node]) -> bool:
    """Tell whether two nodes do the same with the same inputs; a guard's outcome may differ."""
    if mine.op is not other.op and not (mine.op.effect and mine.op.name == other.op.name):
        return False
    attrs, others = mine.attrs, other.attrs
    if mine.op is GUARD:
        attrs, others = {"kind": attrs["kind"]}, {"kind": others["kind"]}
    return (
        mine.backward == other.backward
        and len(mine.inputs) == len(other.inputs)
        and all(_same_input(a, b, known) for a, b in zip(mine.inputs, other.inputs, strict=True))
        and _same_constant(attrs, others)
    )


def _same_spec(mine: Node, other: Node) -> bool:
    return mine.spec == other.spec and mine.spec.layout == other.spec.layout


def _settled_next(nodes: tuple[Node, ...], position: int) -> bool:
    """Tell whether a guard decides at once on the type or shape of a node."""
    for guard in nodes[position + 1 : position + 2]:
        kind = guard.attrs["kind"] if guard.op is GUARD else None
        return kind in ("type", "shape") and guard.inputs[0] is nodes[position]
    return False


def _same_input(mine: Any, other: Any, known: dict[Node, Node]) -> bool:
    if type(other) is Node:
        return known[other] is mine
    return type(mine) is not Node and _same_constant(mine, other)


def _same_constant(a: Any, b: Any) -> bool:
    """Tell whether two constants are the same in type and in every bit."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(_same_constant(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return _same_constant([*a.items()], [*b.items()])
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and bool(a.tobytes() == b.tobytes())
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    return bool(a == b)


def _rest(path: Graph, start: int, known: dict[Node, Node], other: Node | None) -> Graph:
    """What a path does from some node on, reading the tree's nodes for those before it.

    `other` is a node whose spec is not that of the tree's node for it: it gets one of its own.
    """

    def mapped(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(known[v] if type(v) is Node else v for v in values)

    nodes: list[Node] = []
    if other is not None:
        known[other] = other.like(IDENTITY, (known[other],), {})
        nodes.append(known[other])
    for node in path.nodes[start:]:
        inputs = mapped(node.inputs)
        known[node] = node.like(node.op, inputs, node.attrs) if inputs != node.inputs else node
        nodes.append(known[node])
    return replace(path, inputs=(), nodes=tuple(nodes), outputs=mapped(path.outputs))


def _inserted(left: list[tuple[Graph, Node, Any]], rest: Graph) -> Graph:
    """Put a new exit into the innermost line, and that line into the one around it, and so on."""
    for line, guard, outcome in reversed(left):
        others = {**line.exits.get(guard, {}), outcome: rest}
        rest = replace(line, exits={**line.exits, guard: others})
    return rest


def paths(graph: Graph) -> int:
    """Count the paths of a tree: each line ends one."""
    return sum(1 for _ in graph.lines())


def busiest_guard(graph: Graph) -> Node | None:
    """Find a guard on the user's line from which most ways lead, or None if there are no exits."""
    ways: Counter[Site | None] = Counter()
    guards: dict[Site | None, Node] = {}
    for line in graph.lines():
        for guard, others in line.exits.items():
            ways[guard.site] += len(others)
            guards.setdefault(guard.site, guard)
    return guards[ways.most_common(1)[0][0]] if ways else None
