"""The optimisation passes: each a pure function Graph -> Graph in a module of its own.

PIPELINE is the one list of them, in the order in which they run. To add a pass, write its module
with a before and after in the docstring, and put it in the list. All but `reroll`, which makes
loops, work in the bodies of loops, too.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Graph
from ..loop import everywhere
from .drop_dead import drop_dead
from .fold_constants import fold_constants
from .fuse import fuse
from .hoist import hoist
from .join_slices import join_slices
from .merge_common import merge_common
from .merge_matmuls import merge_matmuls
from .read_back import read_back
from .reroll import reroll
from .simplify import simplify

Pass = Callable[[Graph], Graph]

PIPELINE: tuple[Pass, ...] = (
    read_back,
    reroll,
    drop_dead,
    fold_constants,
    simplify,
    merge_common,
    hoist,
    simplify,
    drop_dead,
    join_slices,
    merge_matmuls,
    fuse,
)


def optimize(
    graph: Graph,
    check: Callable[[Graph], Graph] | None = None,
    note: Callable[[str, int], None] | None = None,
) -> Graph:
    """Run the pipeline.

    After every pass `check` (see dag/verify.py) is called with the graph, and `note` with the name
    of the pass and how many nodes there are.
    """
    for each in PIPELINE:
        graph = each(graph) if each is reroll else everywhere(each)(graph)
        if check is not None:
            check(graph)
        if note is not None:
            note(each.__name__, graph.size())
    return graph


__all__ = ["PIPELINE", "optimize"]
