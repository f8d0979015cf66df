"""Debugging: checks for NaN and Inf, the debugger that a hook gets, graphs as DOT."""

from ..dag.graph import Graph
from .dot import dot_source, draw_dot

__all__ = ["Graph", "dot_source", "draw_dot"]
