"""The targets, by name: which nodes take a slot, and how each node is written as statements.

A target is a module with the functions of `Target`. To add one, write the module, name it in
`find`, and allow its name in config.BACKENDS.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from ...dag.graph import Graph
from ...dag.node import Node
from ..nests import Nest
from ..plan import Plan

Operand = Callable[[Any], ast.expr]  # how a node or constant is written where it is read
Number = Callable[[float, "np.dtype[Any]"], "ast.expr | None"]  # likewise a number of a dtype


class Target(Protocol):
    """What the emitter asks about a graph and about each node that no kernel computes."""

    def plan(self, graph: Graph) -> tuple[Graph, Plan]:
        """Decide which nodes are computed together, and bring the graph into that order."""

    def takes_slot(self, node: Node) -> bool:
        """Tell whether the node can be computed into a given array."""

    def overwrites(self, node: Node, source: Node, nest: Nest | None) -> bool:
        """Tell whether the node, computed in this nest, may take the memory of an input."""

    def is_inlined(self, node: Node, readers: int) -> bool:
        """Tell whether the node is written inside the line of its reader."""

    def expression(self, node: Node, operand: Operand) -> ast.expr:
        """Write the node as an expression."""

    def statements(
        self,
        node: Node,
        name: str,
        slot: str | None,
        operand: Operand,
        in_place: bool,
        comment: str,
        number: Number,
    ) -> list[ast.stmt]:
        """Write the node as statements that bind `name`, computing into `slot` if there is one."""

    def helper(self, node: Node) -> tuple[str, str] | None:
        """Name and text of a Python function that the node calls, for the emitted module."""

    def functions(self, node: Node) -> dict[str, Any]:
        """Functions that the emitted module gets as keyword arguments, by name."""


def find(name: str) -> Target:
    """Find a target by name."""
    target: Target = import_module(f"{__name__}.{name}")
    return target
