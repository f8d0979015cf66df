"""A graph: the sealed nodes of the recorded calls of one signature, forward and backward together.

Nodes are in an order in which each comes after its inputs. Where another call went another way at
a guard, the graph is a tree: the guard has exits, each a graph of what that call did from there.
Graphs are values: a pass takes one and returns another; `rebuild` and `rebuild_lines` do so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .node import Node
from .op import GUARD


@dataclass(frozen=True, slots=True)
class Graph:
    """A joint graph: its main line, and what leaves it.

    name: of the user's function. inputs: one node per argument leaf that is a number or array,
    then the upstream cotangent where there is one, then captured values.
    nodes: all others, in order. outputs: what the call returns, leaf by leaf, each a node or a
    constant; the first `gradients` of them are the gradients.
    groups: fusion group of each node that is in one (set by the `fuse` pass).
    exits: by guard of the main line and by outcome, how it goes on where it has not the recorded
    outcome. An exit has no inputs; it reads what stands before its guard.
    """

    name: str
    inputs: tuple[Node, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Any, ...]
    gradients: int = 0
    groups: dict[Node, int] = field(default_factory=dict)
    exits: dict[Node, dict[Any, Graph]] = field(default_factory=dict)

    def lines(self) -> Iterator[Graph]:
        """Go through the main line and all exits: each before its own exits, in program order."""
        waiting = [self]
        while waiting:
            line = waiting.pop()
            yield line
            guards = [n for n in line.nodes if n in line.exits] if line.exits else []
            waiting += [e for n in reversed(guards) for e in reversed(line.exits[n].values())]

    def every_node(self) -> Iterator[Node]:
        """Go through the nodes of all lines; inputs are not among them."""
        return (node for line in self.lines() for node in line.nodes)

    def size(self) -> int:
        """Count the nodes of all lines."""
        return sum(len(line.nodes) for line in self.lines())

    def every_output(self) -> set[Node]:
        """Collect the nodes that any line returns."""
        return {o for line in self.lines() for o in line.outputs if type(o) is Node}

    def users(self) -> dict[Node, list[Node]]:
        """Map each node of any line to the nodes that read it, once per reading."""
        users: dict[Node, list[Node]] = {n: [] for n in self.inputs}
        for line in self.lines():
            for node in line.nodes:
                users.setdefault(node, [])
                for source in node.inputs:
                    if type(source) is Node:  # a kernel may read through a view that comes later
                        users.setdefault(source, []).append(node)
        return users

    def segments(self) -> dict[Node, int]:
        """Number the stretches between guards, and say in which each node of any line stands."""
        found: dict[Node, int] = {}
        number = 0
        for line in self.lines():
            number += 1
            for node in line.nodes:
                number += node.op is GUARD
                found[node] = number
        return found

    def __str__(self) -> str:
        from .text import to_text

        return to_text(self)


Rewrite = Callable[[Node], Any]  # a node with final inputs -> a node or constant in its place


def rebuild(
    graph: Graph, rewrite: Rewrite, leave: Callable[[Graph], None] = lambda line: None
) -> Graph:
    """Rewrite a graph from first to last node, the exits of a guard where the guard stands.

    `rewrite` sees each node with its inputs already rewritten and returns the node itself, an
    earlier node, a constant, or a new node (which may hold new nodes among its inputs: they are
    inserted before it). It does not see nodes with an effect: those stay as they are.
    `leave` gets each rewritten exit: from there on its nodes are out of reach.
    """
    changed: dict[Node, Any] = {}  # what stands in the place of those that were replaced
    placed: set[Node] = set(graph.inputs)

    def line_of(line: Graph) -> Graph:
        nodes: list[Node] = []
        exits: dict[Node, dict[Any, Graph]] = {}

        def place(node: Node) -> None:
            for source in node.operands:
                if source not in placed:
                    place(source)
            placed.add(node)
            nodes.append(node)

        for old in line.nodes:
            given = _on(old, changed)
            new: Any = given if old.op.effect else rewrite(given)
            if new is given:
                placed.add(new)
                nodes.append(new)
            elif type(new) is Node:
                if new not in placed:
                    place(new)
                if new.hint is None:
                    new.hint = old.hint
            if new is not old:
                changed[old] = new
            if old in line.exits:
                exits[new] = {}
                for outcome, other in line.exits[old].items():
                    exits[new][outcome] = line_of(other)
                    leave(exits[new][outcome])
        outputs = tuple(changed.get(o, o) if type(o) is Node else o for o in line.outputs)
        return replace(line, nodes=tuple(nodes), outputs=outputs, exits=exits)

    rebuilt = line_of(graph)
    changed.clear()  # the functions above refer to each other: they go at the next collection
    return rebuilt


def _on(node: Node, changed: Mapping[Node, Any]) -> Node:
    """Let a node read what stands in the place of its inputs."""
    for source in node.inputs:
        if type(source) is Node and source in changed:
            inputs = tuple(changed.get(i, i) if type(i) is Node else i for i in node.inputs)
            return node.like(node.op, inputs, node.attrs)
    return node


def rebuild_lines(graph: Graph, change: Callable[[Graph], Graph]) -> Graph:
    """Change every line by itself, each after its own exits."""
    changed: dict[int, Graph] = {}
    for line in reversed([*graph.lines()]):
        exits = {
            guard: {outcome: changed[id(other)] for outcome, other in others.items()}
            for guard, others in line.exits.items()
        }
        changed[id(line)] = change(replace(line, exits=exits) if exits else line)
    return changed[id(graph)]


def substitute(graph: Graph, instead: Mapping[Node, Node]) -> Graph:
    """Put new nodes in the place of some: they may read whatever stands before that place.

    The new nodes read nodes of `graph`, which may be replaced themselves. A new node that several
    read is placed where the first of them is.
    """
    changed: dict[Node, Node] = {}
    settled: set[Node] = set(graph.inputs)

    def line_of(line: Graph) -> Graph:
        nodes: list[Node] = []
        exits: dict[Node, dict[Any, Graph]] = {}

        def settle(wanted: Node) -> None:
            waiting = [wanted]  # a stack of our own: what is new may be a long chain
            while waiting:
                old = waiting[-1]
                new = instead.get(old)
                sources = old.operands if new is None else [new]
                missing = [n for n in sources if n not in settled]
                if missing:
                    waiting += reversed(missing)
                    continue
                waiting.pop()
                if old not in settled:
                    stand(old, None if new is None else changed.get(new, new))

        def stand(old: Node, new: Node | None) -> None:
            settled.add(old)
            if new is None:
                new = _on(old, changed)
                nodes.append(new)
            if new is not old:
                changed[old] = new

        for old in line.nodes:
            if old in instead or old in settled:
                settle(old)
            else:  # what it reads stands before it
                stand(old, None)
            if old in line.exits:
                exits[changed.get(old, old)] = {
                    outcome: line_of(other) for outcome, other in line.exits[old].items()
                }
        outputs = tuple(changed.get(o, o) if type(o) is Node else o for o in line.outputs)
        return replace(line, nodes=tuple(nodes), outputs=outputs, exits=exits)

    substituted = line_of(graph)
    changed.clear()  # see `rebuild`
    return substituted
