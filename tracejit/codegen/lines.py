"""Which line of an emitted module computes a node: a name that is bound begins its line.

The text and the nodes by that name enter, in the order in which they are computed; the number of
a line leaves for each node that has one. What a guard tests stands in the line of its `if`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..dag.node import Node

_BEGINNING = re.compile(r" +(?:(\w+(?:, \w+)*)(?:\[.*\])? \+?= |np\.add\.at\((\w+), )")


def find_lines(
    text: str, bound: dict[str, list[Node]], branches: dict[str, list[Node]]
) -> dict[Node, int]:
    """Find the lines of nodes.

    bound: the nodes whose lines begin by binding a name, or several. branches: of each function,
    the guard of each `if`.
    """
    waiting = {name: iter(nodes) for name, nodes in bound.items()}
    found: dict[Node, int] = {}
    tests: Iterator[Node] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("def "):
            title = line[4 : line.index("(")]
            tests = iter(branches[title]) if title in branches else None
        elif tests is None:
            continue
        elif line.startswith("    if "):
            found.setdefault(next(tests), number)
        elif begins := _BEGINNING.match(line):
            for node in waiting.get(begins[1] or begins[2], ()):
                found.setdefault(node, number)
                break
    return found
