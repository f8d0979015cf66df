"""Which columns of a sparse matrix may be computed as one sum, so that all entries can be told.

A pattern enters, a boolean matrix in scipy.sparse's CSR format; a colour for each of its columns
leaves: the sums of the columns of one colour are what is computed.

Gebremedhin, Manne and Pothen 2005, "What color is your Jacobian?".
"""

from __future__ import annotations

from typing import Any

import numpy as np


def color_columns(pattern: Any) -> Any:
    """Colour columns so that two of a colour have no row in common.

    Curtis, Powell and Reid 1974; greedy, in the order of the columns: a banded matrix needs as
    many colours as its band is wide.
    """
    columns = pattern.tocsc()
    rows, starts = columns.indices.tolist(), columns.indptr.tolist()
    taken = [0] * pattern.shape[0]  # of each row, the colours in it, as bits
    colors = np.empty(pattern.shape[1], np.intp)
    for column in range(len(colors)):
        mine = rows[starts[column] : starts[column + 1]]
        forbidden = 0
        for row in mine:
            forbidden |= taken[row]
        color = _lowest_free(forbidden)
        colors[column] = color
        for row in mine:
            taken[row] |= 1 << color
    return colors


def color_symmetric(pattern: Any) -> Any:
    """Colour the columns of a symmetric matrix so that each entry or its mirror image stands alone.

    That is a star colouring: no path over four vertices has two colours only (Coleman and More
    1984). Columns with many entries come first: of an arrow the full one has a colour of its own,
    and the others share one.
    """
    starts, neighbours = pattern.indptr.tolist(), pattern.indices.tolist()
    counts = np.diff(pattern.indptr)
    order = np.argsort(-counts, kind="stable")
    colors = [-1] * len(counts)
    around = [0] * len(counts)  # of each vertex, the colours of its neighbours, as bits
    for vertex in order.tolist():
        forbidden = 0
        mine = [v for v in neighbours[starts[vertex] : starts[vertex + 1]] if v != vertex]
        for other in mine:
            color = colors[other]
            if color < 0:
                forbidden |= around[other]
            else:  # two neighbours of one may share a colour above its own
                forbidden |= (1 << color) | (around[other] & ((1 << color) - 1))
        color = _lowest_free(forbidden)
        colors[vertex] = color
        for other in mine:
            around[other] |= 1 << color
    return np.array(colors, np.intp)


def _lowest_free(bits: int) -> int:
    """The place of the lowest bit that is not set."""
    return ((bits + 1) & ~bits).bit_length() - 1


def mirrored(rows: Any, columns: Any, colors: Any) -> tuple[Any, Any]:
    """Choose of each entry of a symmetric matrix and its mirror image what stands alone.

    Returns:
        The column and the row of the chosen one: the sum of its column's colour, at its row, is it.
    """
    sums = rows * (int(colors.max(initial=0)) + 1) + colors[columns]
    _, place, count = np.unique(sums, return_inverse=True, return_counts=True)
    alone = count[place] == 1
    return np.where(alone, columns, rows), np.where(alone, rows, columns)
