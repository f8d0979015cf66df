"""Loops in a graph: a body that is run a number of times, and the values that go through it.

A node of the op LOOP runs a Loop; its result is taken apart by nodes of the op PART. The body is a
graph without effects; its inputs are the carried values, a row of each sliced stack, and what
stays fixed; its outputs the next carried values and what is collected. The loop node's inputs are
the initial carried values (None where the body reads none), the stacks, and what stays fixed.

    loop_0 = loop(y, table, A)    runs 3 times
    part_0 = part(loop_0, index=0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .evaluate import evaluate
from .graph import Graph, rebuild
from .node import Node, Spec, spec_of
from .op import op


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """What a loop node runs.

    count: of the iterations. carried: how many of the body's inputs and outputs are carried on.
    steps: of each sliced stack, +1 if it is read from its first row on, -1 from its last one.
    kept: which carried values have their whole history as a result: `count + 1` rows, the
    initial value first. collected: of each further output of the body, likewise which way it
    fills a stack of `count` rows.
    The results are the last carried values, the histories, the collected stacks, in this order.
    """

    count: int
    body: Graph
    carried: int
    steps: tuple[int, ...]
    kept: tuple[int, ...] = ()
    collected: tuple[int, ...] = ()

    @property
    def first_fixed(self) -> int:
        """How many inputs stand before the fixed ones."""
        return self.carried + len(self.steps)

    @property
    def first_stack(self) -> int:
        """The index of the first collected stack among the results."""
        return self.carried + len(self.kept)

    def result_spec(self, index: int) -> Spec:
        """Describe a result."""
        if index < self.carried:
            return spec_of_operand(self.body.outputs[index])
        if index < self.first_stack:
            carried = self.kept[index - self.carried]
            return stack_spec(self.body.inputs[carried].spec, self.count + 1)
        output = self.body.outputs[index - len(self.kept)]
        return stack_spec(spec_of_operand(output), self.count)


def spec_of_operand(value: Any) -> Spec:
    """Describe a node's value, or a constant."""
    return value.spec if type(value) is Node else spec_of(value)


def stack_spec(spec: Spec, rows: int) -> Spec:
    """Describe a stack of such values: a new first axis, NumPy's dtype for Python's numbers."""
    dtype = np.dtype(spec.cls) if spec.dtype is None else spec.dtype
    return Spec(np.ndarray, (rows, *spec.shape), dtype)


def row_of(stack: Any, number: int, spec: Spec) -> Any:
    """Read a row as the kind of value that was put there: 0-d arrays and numbers stay such."""
    if spec.is_array:
        return stack[number] if spec.shape else stack[number, ...]
    return stack[number].item() if spec.is_python else stack[number]


def _run(*inputs: Any, loop: Loop) -> tuple[Any, ...]:
    count, carried = loop.count, list(inputs[: loop.carried])
    sliced = inputs[loop.carried : loop.first_fixed]
    specs = [node.spec for node in loop.body.inputs[loop.carried :]]
    kept = [_empty(loop, i) for i in range(loop.carried, loop.first_stack)]
    stacks = [_empty(loop, loop.first_stack + i) for i in range(len(loop.collected))]
    for t in range(count):
        for place, history in zip(loop.kept, kept, strict=True):
            history[t] = carried[place]
        rows = [
            row_of(stack, t if step > 0 else count - 1 - t, spec)
            for stack, step, spec in zip(sliced, loop.steps, specs, strict=False)
        ]
        outputs = evaluate(loop.body, [*carried, *rows, *inputs[loop.first_fixed :]])
        carried = outputs[: loop.carried]
        for value, stack, step in zip(outputs[loop.carried :], stacks, loop.collected, strict=True):
            stack[t if step > 0 else count - 1 - t] = value
    for place, history in zip(loop.kept, kept, strict=True):
        history[count] = carried[place]
    return (*carried, *kept, *stacks)


def _empty(loop: Loop, index: int) -> Any:
    spec = loop.result_spec(index)
    return np.empty(spec.shape, spec.dtype)


LOOP = op("loop", _run, vjp=None)
PART = op("part", lambda results, *, index: results[index], vjp=None)


def bodies(nodes: Sequence[Node] | Iterator[Node]) -> Iterator[tuple[Node, Loop]]:
    """Find the loops among nodes."""
    return ((node, node.attrs["loop"]) for node in nodes if node.op is LOOP)


def deep_nodes(graph: Graph) -> Iterator[Node]:
    """Go through the nodes of all lines; behind a loop come the inputs and nodes of its body."""
    for node in graph.every_node():
        yield node
        if node.op is LOOP:
            body: Graph = node.attrs["loop"].body
            yield from body.inputs
            yield from deep_nodes(body)


def everywhere(change: Callable[[Graph], Graph]) -> Callable[[Graph], Graph]:
    """Make a pass work in the bodies of loops, too, from the inside out."""

    def deep(graph: Graph) -> Graph:
        if any(node.op is LOOP for node in graph.every_node()):
            graph = rebuild(graph, within)
        return change(graph)

    def within(node: Node) -> Node:
        if node.op is not LOOP:
            return node
        loop: Loop = node.attrs["loop"]
        return node.like(LOOP, node.inputs, {"loop": replace(loop, body=deep(loop.body))})

    return deep
