"""What a target decides before buffers are assigned: the order of nodes, and what goes together.

A kernel is a function that computes many nodes in one call; its nests are loops, one after
another. A target without kernels has an empty plan: each node is computed where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..dag.node import Node
from .nests import Nest


@dataclass(eq=False)
class Kernel:
    """The nests that one compiled function runs.

    stored: the members that it writes to arrays. given: the scalars that are read after it.
    parts: the outermost loop of its only nest is run in parts, side by side.
    """

    nests: list[Nest]
    parts: bool = False
    stored: set[Node] = field(default_factory=set)
    given: list[Node] = field(default_factory=list)

    @property
    def totals(self) -> list[Node]:
        """The arrays that each part adds up by itself, to be put together."""
        if not self.parts:
            return []
        nest = self.nests[0]
        late = [n for n in nest.nodes if n in nest.late]
        return [n for n in late if nest.level(n) and 0 not in nest.level(n)]

    @property
    def nodes(self) -> list[Node]:
        """All members in order."""
        return [n for nest in self.nests for n in nest.nodes]


@dataclass
class Plan:
    """The decisions for a graph.

    kernel, nest: what computes a node. place: when a node is computed, where several are computed
    at once; else its number in its line counts. silent: views that only kernels read through.
    refused: why there are no kernels, where it is not for want of work for them.
    """

    kernel: dict[Node, Kernel] = field(default_factory=dict)
    nest: dict[Node, Nest] = field(default_factory=dict)
    place: dict[Node, int] = field(default_factory=dict)
    silent: set[Node] = field(default_factory=set)
    refused: str = ""
