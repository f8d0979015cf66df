"""The graph's invariants, checked between passes in tests and in debug mode."""

from __future__ import annotations

from ..errors import GraphError
from .graph import Graph
from .loop import LOOP, PART, Loop, spec_of_operand, stack_spec
from .node import Node
from .op import COMMIT, GUARD, INPUT


def verify(graph: Graph) -> Graph:
    """Check a graph and return it.

    Raises:
        GraphError: a node stands before one of its inputs or twice, an input is not an input
            node, a spec is missing, what a loop reads or carries on does not fit its body, an
            output or group member is not in the graph, the backward
            pass feeds the forward pass, an exit is no other outcome of a guard of its line, or a
            guard comes after a commit.
    """
    for node in graph.inputs:
        _require(node.op is INPUT, f"{node} is among the inputs but is no input node")
    _verify_line(graph, set(graph.inputs), set(), False)
    return graph


def _verify_line(graph: Graph, seen: set[Node], stood: set[Node], committed: bool) -> None:
    """Check a line; `seen`: what it may read. `stood`: the nodes of all lines so far."""
    for node in graph.nodes:
        _require(node not in stood, f"{node} stands twice")
        _require(node.op is not INPUT, f"{node} is an input node that is no input of the graph")
        _require(hasattr(node, "spec"), f"{node} has no spec")
        for source in node.operands:
            _require(source in seen, f"{node} reads {source}, which does not stand before it")
            _require(
                node.backward or not source.backward,
                f"{node} is of the forward pass and reads {source} of the backward pass",
            )
        if node.op is LOOP:
            _verify_loop(node)
        if node.op is PART:
            _verify_part(node)
        _require(not committed or node.op is not GUARD, f"{node} comes after a commit")
        committed = committed or node.op is COMMIT
        seen.add(node)
        stood.add(node)
        for outcome, other in graph.exits.get(node, {}).items():
            fits = node.op is GUARD and outcome != node.attrs["outcome"] and not other.inputs
            _require(fits, f"the exit for {outcome!r} at {node} is none")
            _verify_line(other, seen, stood, committed)
            seen.difference_update(other.nodes)
    for output in graph.outputs:
        _require(type(output) is not Node or output in seen, f"the output {output} is missing")
    for node in graph.groups:
        _require(node in seen, f"{node} is in a fusion group but not in the graph")
    for node in graph.exits:
        _require(node in seen, f"{node} has exits but is not in the graph")


def _verify_loop(node: Node) -> None:
    """Check a loop: what its node reads fits its body, and the body what it carries on."""
    loop: Loop = node.attrs["loop"]
    inputs, outputs = loop.body.inputs, loop.body.outputs
    _require(len(node.inputs) == len(inputs), f"{node} has not the inputs of its body")
    _require(len(outputs) == loop.carried + len(loop.collected), f"{node} has other outputs")
    _require(all(0 <= i < loop.carried for i in loop.kept), f"{node} keeps what is not carried")
    verify(loop.body)
    users = loop.body.users()
    for number, (value, inside) in enumerate(zip(node.inputs, inputs, strict=True)):
        spec = inside.spec
        if number < loop.carried:
            unread = value is None and not users[inside] and number not in loop.kept
            _require(unread or spec_of_operand(value) == spec, f"{node} begins with {value!r}")
            _require(spec_of_operand(outputs[number]) == spec, f"{node} goes on with another type")
        elif number < loop.first_fixed:
            rows = stack_spec(spec, loop.count)
            _require(spec_of_operand(value) == rows, f"{value!r} is no stack of {spec}")
        else:
            _require(spec_of_operand(value) == spec, f"{value!r} is no {spec}")
    for inner in loop.body.nodes:
        _require(not inner.op.effect, f"{inner} has an effect in a loop")
        _require(inner.backward or not node.backward, f"{inner} is of the forward pass")


def _verify_part(node: Node) -> None:
    """Check that a node takes a result out of a loop."""
    source, index = node.inputs[0], node.attrs["index"]
    _require(type(source) is Node and source.op is LOOP, f"{node} is a part of no loop")
    loop: Loop = source.attrs["loop"]
    count = loop.first_stack + len(loop.collected)
    _require(0 <= index < count, f"{node} is no result of its loop")
    _require(loop.result_spec(index) == node.spec, f"{node} is another kind of result")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise GraphError(message)
