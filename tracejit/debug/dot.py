"""Graphs as DOT: ops and values with shapes, forward and backward edges in two colours.

The text comes from the graphviz package; drawing it needs a program: `dot`, or `graphviz-pure`
(a PyPI package that carries one).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from typing import Any

from ..dag.graph import Graph
from ..dag.node import Node, location
from ..dag.text import constant_text, short_names
from ..errors import TracejitError

FORWARD, BACKWARD, CULPRIT = "#2b6cb0", "#c05621", "#e53e3e"
PROGRAMS = ("dot", "graphviz-pure")


def dot_source(
    graph: Graph, ranges: Mapping[Node, str] | None = None, culprit: Node | None = None
) -> str:
    """Write a graph in the DOT language.

    Args:
        graph: any graph.
        ranges: further text per node, such as its minimum and maximum.
        culprit: a node to be drawn red.
    """
    import graphviz

    drawn = graphviz.Digraph(graph.name.strip("<>") or "graph")
    drawn.attr("graph", rankdir="TB", fontname="Helvetica")
    drawn.attr("node", shape="box", style="rounded,filled", fontname="Helvetica", fontsize="10",
               fillcolor="white")  # fmt: skip
    names = short_names(graph)
    ids = {node: f"n{number}" for number, node in enumerate((*graph.inputs, *graph.nodes))}
    for node, identifier in ids.items():
        is_input = node in graph.inputs
        title = f"{node.hint} = {node.op.name}" if node.hint else node.op.name
        lines = [names[node] if is_input else title, str(node.spec)]
        if ranges and node in ranges:
            lines.append(ranges[node])
        if not is_input:
            lines.append(_short(node))
        colour = BACKWARD if node.backward else FORWARD
        style = {"color": colour}
        if is_input:
            style |= {"shape": "ellipse", "fillcolor": "#edf2f7"}
        if node is culprit:
            style |= {"fillcolor": CULPRIT, "color": CULPRIT, "fontcolor": "white"}
        drawn.node(identifier, "\n".join(graphviz.escape(line) for line in lines), **style)
    for node in graph.nodes:
        colour = BACKWARD if node.backward else FORWARD
        for number, source in enumerate(node.inputs):
            if type(source) is Node:
                drawn.edge(ids[source], ids[node], color=colour)
            elif source is not None:
                constant = f"{ids[node]}_c{number}"
                drawn.node(constant, graphviz.escape(constant_text(source)), shape="plain")
                drawn.edge(constant, ids[node], color=colour, style="dashed")
    for number, output in enumerate(graph.outputs):
        if type(output) is Node:
            title = "output" if number >= graph.gradients else output.hint or "gradient"
            drawn.node(f"o{number}", title, shape="ellipse", fillcolor="#edf2f7")
            drawn.edge(ids[output], f"o{number}", color="#718096")
    return str(drawn.source)


def _short(node: Node) -> str:
    return os.path.basename(location(node.site))


def draw_dot(dot_text: str, path: str | os.PathLike[str]) -> None:
    """Draw DOT text as SVG.

    Raises:
        TracejitError: no drawing program is installed.
    """
    program = find_program()
    if program is None:
        raise TracejitError(
            "drawing a graph needs the program `dot`: install Graphviz, or "
            "`pip install graphviz-pure`; the text that generateDot writes needs neither"
        )
    command: list[Any] = [program, "-Tsvg", "-o", os.fspath(path)]
    subprocess.run(command, input=dot_text.encode(), check=True)


def find_program() -> str | None:
    """Find a program that draws DOT: on the path, or beside this Python."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")])
    found = (shutil.which(program, path=path) for program in PROGRAMS)
    return next((program for program in found if program), None)
