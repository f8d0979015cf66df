"""What einsum's subscripts mean: the labels of each operand's axes and of the result's.

Enter the arguments as NumPy takes them: text, or lists of numbers between the operands; implicit or
explicit output; ellipses. Leave labels (letters, one an axis), and the order in which to contract
the operands. Nothing here looks at values.
"""

from __future__ import annotations

import operator
import string
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

Shapes = tuple[tuple[int, ...], ...]
Path = tuple[tuple[int, ...], ...]

_LETTERS = string.ascii_lowercase + string.ascii_uppercase
_WITHOUT_LIMIT = 2**62  # elements of an intermediate result
_FEW = 6  # operands for which all orders are tried


def read(args: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Take np.einsum's positional arguments apart into subscripts and operands."""
    if args and isinstance(args[0], str):
        return args[0].replace(" ", ""), tuple(args[1:])
    pairs = len(args) // 2
    lists = [_from_list(args[2 * i + 1]) for i in range(pairs)]
    text = ",".join(lists)
    if len(args) % 2:
        return f"{text}->{_from_list(args[-1])}", tuple(args[0:-1:2])
    spread = "..." if "..." in text else ""
    return f"{text}->{spread}{_once(text, _LETTERS)}", tuple(args[::2])


def _from_list(labels: Iterable[Any]) -> str:
    return "".join("..." if i is Ellipsis else _LETTERS[operator.index(i)] for i in labels)


def _once(text: str, order: Iterable[str]) -> str:
    """The letters that stand there once: the output that is meant where none is given."""
    return "".join(letter for letter in order if text.count(letter) == 1)


@lru_cache(maxsize=1024)
def labels_of(subscripts: str, shapes: Shapes) -> tuple[tuple[str, ...], str]:
    """Give each axis of the operands and of the result a letter; an ellipsis gets unused ones.

    Raises:
        ValueError: NumPy's own, for what it does not take.
    """
    _check(subscripts, shapes)
    given, arrow, output = subscripts.partition("->")
    inputs = given.split(",")
    counts = [len(s) - len(i.replace("...", "")) for i, s in zip(inputs, shapes, strict=True)]
    unused = [letter for letter in _LETTERS if letter not in subscripts]
    spread = "".join(unused[: max(counts, default=0)])
    if spread and arrow and "..." not in output:
        np.einsum(subscripts, *(np.broadcast_to(0.0, shape) for shape in shapes))  # which raises
    if not arrow:
        output = ("..." if "..." in given else "") + _once(given, sorted(_LETTERS))

    def filled(labels: str, count: int) -> str:
        return labels.replace("...", spread[len(spread) - count :])

    labels = tuple(filled(i, n) for i, n in zip(inputs, counts, strict=True))
    return labels, filled(output, len(spread))


def _check(subscripts: str, shapes: Shapes) -> None:
    """Let NumPy check the subscripts, without computing anything."""
    arrays = [np.broadcast_to(0.0, shape) for shape in shapes]
    try:
        np.einsum_path(subscripts, *arrays, optimize=False)
    except ValueError:
        np.einsum(subscripts, *arrays)  # its message is the one that users know
        raise


def lengths_of(inputs: Sequence[str], shapes: Shapes) -> dict[str, int]:
    """The length of each label; axes of length 1 are broadcast."""
    lengths: dict[str, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for label, n in zip(labels, shape, strict=True):
            if lengths.get(label, 1) == 1:
                lengths[label] = n
    return lengths


def order_of(inputs: tuple[str, ...], output: str, lengths: dict[str, int], optimize: Any) -> Path:
    """Choose which operands to contract in each step; what that gives becomes the last operand.

    A path that the caller gives is kept. Without one, the order takes the fewest operations, no
    matter how large the intermediate results are.
    """
    if isinstance(optimize, (bool, np.bool_)) or optimize is None:
        best = "optimal" if len(inputs) <= _FEW else "greedy"
        optimize = (best, _WITHOUT_LIMIT)
    elif isinstance(optimize, list):
        optimize = tuple(optimize)
    sizes = tuple(lengths.items())
    return _path(inputs, output, sizes, optimize)


@lru_cache(maxsize=1024)
def _path(
    inputs: tuple[str, ...], output: str, sizes: tuple[tuple[str, int], ...], optimize: Any
) -> Path:
    if len(inputs) < 3:
        return (tuple(range(len(inputs))),)
    lengths = dict(sizes)
    arrays = [np.broadcast_to(0.0, [lengths[label] for label in labels]) for labels in inputs]
    given = list(optimize) if optimize and optimize[0] == "einsum_path" else optimize
    text = f"{','.join(inputs)}->{output}"
    path = np.einsum_path(text, *arrays, optimize=given)[0][1:]
    return tuple(tuple(int(i) for i in step) for step in path)
