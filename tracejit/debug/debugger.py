"""What a debug hook gets: the graph with its values' ranges to draw, and the code with the line."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..dag.graph import Graph
from ..dag.node import Node
from .dot import dot_source, draw_dot


class Generated(NamedTuple):
    """The code of a checked call. source: its text. line: the culprit's line in it, from 1."""

    source: str
    line: int


class Debugger:
    """Draws the graph of a checked call, with the node where a NaN or Inf appeared in red."""

    def __init__(self, graph: Graph, ranges: Mapping[Node, str], culprit: Node) -> None:
        self.graph = graph
        self.culprit = culprit
        self._ranges = ranges

    def generateDot(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file in the DOT language."""
        Path(path).write_text(self._text(), encoding="utf-8")

    def showDot(self) -> Path:
        """Draw the graph as SVG, open it in the browser, and return the file's path.

        Raises:
            TracejitError: no drawing program is installed.
        """
        path = Path(tempfile.mkdtemp(prefix="tracejit-")) / "graph.svg"
        draw_dot(self._text(), path)
        webbrowser.open(path.as_uri())
        return path

    def _text(self) -> str:
        return dot_source(self.graph, self._ranges, self.culprit)
