"""Debugging: checks for NaN and Inf, the debugger that a hook gets, graphs as DOT."""

from .dot import dot_source

__all__ = ["dot_source"]
