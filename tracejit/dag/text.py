"""The printer: a graph as text, one node a line, for reading, for tests and for errors.

    x: f8[3]
    sin_0 = sin(x)  # f8[3]
    return sin_0
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Graph
from .loop import LOOP, deep_nodes
from .node import Node, dtype_name
from .op import GUARD


def to_text(graph: Graph, sites: bool = False) -> str:
    """Print a graph; with `sites` each line ends with the user's file:line."""
    names = short_names(graph)
    lines = [f"{names[node]}: {node.spec}" for node in graph.inputs]
    return "\n".join(lines + _line_text(graph, names, sites))


def _line_text(graph: Graph, names: dict[Node, str], sites: bool) -> list[str]:
    """Print a line, each of its exits indented below the guard."""
    lines = []
    for node in graph.nodes:
        inputs = [names[i] if type(i) is Node else constant_text(i) for i in node.inputs]
        attrs = [f"{k}={_attr_text(v)}" for k, v in node.attrs.items()]
        group = f" group {graph.groups[node]}" if node in graph.groups else ""
        where = f" {node.where}" if sites else ""
        if node.op is GUARD:
            looked_at, outcome = node.attrs["kind"], _attr_text(node.attrs["outcome"])
            lines.append(f"guard {looked_at}({inputs[0]}) is {outcome}{'  #' * sites}{where}")
            for other, line in graph.exits.get(node, {}).items():
                lines.append(f"else {_attr_text(other)}:")
                lines += [f"    {text}" for text in _line_text(line, names, sites)]
            continue
        if node.op is LOOP:
            lines.append(f"{names[node]} = loop{'  #' * sites}{where}")
            lines += _loop_text(node, names, sites)
            continue
        call = f"{node.op.name}({', '.join(inputs + attrs)})"
        lines.append(f"{names[node]} = {call}  # {node.spec}{group}{where}")
    outputs = [names[o] if type(o) is Node else constant_text(o) for o in graph.outputs]
    return [*lines, f"return {', '.join(outputs)}"]


def _loop_text(node: Node, names: dict[Node, str], sites: bool) -> list[str]:
    """Print a loop, indented: where each input comes from, the body, what goes on."""
    loop = node.attrs["loop"]
    given = [names[i] if type(i) is Node else constant_text(i) for i in node.inputs]
    lines = [f"{loop.count} times:"]
    for number, (inside, outside) in enumerate(zip(loop.body.inputs, given, strict=True)):
        source = outside
        if number < loop.carried:
            source = f"carried, from {outside}"
        elif number < loop.first_fixed:
            step = loop.steps[number - loop.carried]
            source = f"row of {outside}" if step > 0 else f"row of {outside}, from the last one"
        lines.append(f"    {names[inside]}: {inside.spec} = {source}")
    *body, last = _line_text(loop.body, names, sites)
    lines += [f"    {text}" for text in body]
    outputs = last.removeprefix("return ").split(", ") if loop.body.outputs else []
    marks = [f"{n} kept" if i in loop.kept else n for i, n in enumerate(outputs[: loop.carried])]
    for title, values in (("carry", marks), ("collect", outputs[loop.carried :])):
        lines += [f"    {title} {', '.join(values)}"] if values else []
    return [f"    {text}" if number else f"  {text}" for number, text in enumerate(lines)]


def short_names(graph: Graph) -> dict[Node, str]:
    """Name nodes op_number in order; inputs by their hint."""
    names: dict[Node, str] = {}
    counts: dict[str, int] = {}
    inputs = set(graph.inputs)
    for node in (*graph.inputs, *deep_nodes(graph)):
        base = node.hint if node in inputs and node.hint else node.op.name.split(".")[-1]
        number = counts.get(base, 0)
        counts[base] = number + 1
        plain = node in inputs and number == 0
        names[node] = base if plain else f"{base}_{number}"
    return names


def constant_text(value: Any) -> str:
    """Write a constant shortly: numbers in full, arrays by shape and dtype."""
    if isinstance(value, np.ndarray):
        if value.size and not any(value.strides):
            number = repr(value.flat[0].item())
            return f"full({number}, {dtype_name(value.dtype)}{list(value.shape)})"
        return f"array({dtype_name(value.dtype)}{list(value.shape)})"
    if isinstance(value, np.generic):
        return f"{dtype_name(value.dtype)}({value.item()!r})"
    return repr(value)


def _attr_text(value: Any) -> str:
    if isinstance(value, np.dtype):
        return dtype_name(value)
    return value.__name__ if isinstance(value, type) else repr(value)
