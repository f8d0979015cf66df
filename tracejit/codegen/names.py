"""Names in emitted code: the user's own where there is one, op_number elsewhere; never clashing."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable

from ..dag.node import Node
from ..dag.op import PICK

_DTYPES = {"b1", "c8", "c16", *(f"{kind}{size}" for kind in "fiu" for size in (1, 2, 4, 8, 16))}
_OURS = {
    "np", "scipy", "math", "slots", "allocate", "accepts", "nan", "inf", "number", "Unseen",
    *_DTYPES,
}  # fmt: skip


class Names:
    """Gives out identifiers that are free in one emitted module."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*_OURS, *keyword.kwlist, *dir(builtins), *taken}
        self._counts: dict[str, int] = {}

    def take(self, wanted: str, numbered: bool = False) -> str:
        """Take a name, with a number behind it where it is taken (or always, if `numbered`)."""
        name = wanted
        while numbered or name in self._taken:
            number = self._counts.get(wanted, 0 if numbered else 1)
            self._counts[wanted] = number + 1
            name, numbered = f"{wanted}_{number}", False
        self._taken.add(name)
        return name


def name_nodes(nodes: Iterable[Node], names: Names) -> dict[Node, str]:
    """Name computed nodes, in order."""
    found: dict[Node, str] = {}
    for node in nodes:
        if node.hint and node.hint.isidentifier():
            found[node] = names.take(node.hint)
        else:
            op = node.inputs[0].op if node.op is PICK else node.op
            found[node] = names.take(op.name.split(".")[-1], numbered=True)
    return found
