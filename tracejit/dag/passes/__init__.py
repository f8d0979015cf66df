"""The optimisation passes: each a pure function Graph -> Graph in a module of its own.

PIPELINE is the one list of them, in the order in which they run. To add a pass, write its module
with a before and after in the docstring, and put it in the list.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Graph
from .drop_dead import drop_dead
from .fold_constants import fold_constants
from .fuse import fuse
from .merge_common import merge_common
from .simplify import simplify

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    drop_dead,
    fold_constants,
    simplify,
    merge_common,
    simplify,
    drop_dead,
    fuse,
)


def optimize(graph: Graph, check: Callable[[Graph], Graph] | None = None) -> Graph:
    """Run the pipeline; `check` (see dag/verify.py) is called after every pass."""
    for each in PIPELINE:
        graph = each(graph)
        if check is not None:
            check(graph)
    return graph


__all__ = ["PIPELINE", "optimize"]
