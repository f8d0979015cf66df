"""Floors: the matrix products of a case by BLAS, or its bytes at the bandwidth of a copy.

Nothing that computes the case can be faster, so a contender's distance from the floor tells what is
left to be won. Operands and results are made once and are as large as the case's own.
"""

from collections.abc import Callable
from itertools import repeat
from typing import Any

import numpy as np

from benchmarks.case import Floor, Function

Product = tuple[int, int, int, int]  # rows, inner, columns, and how often


def products(dtype: Any, *sizes: Product) -> Floor:
    """Do matrix products of these sizes, one after the other."""

    def prepare() -> Function:
        rng = np.random.default_rng(0)
        work = [
            (
                rng.standard_normal((rows, inner)).astype(dtype),
                rng.standard_normal((inner, columns)).astype(dtype),
                np.empty((rows, columns), dtype),
                count,
            )
            for rows, inner, columns, count in sizes
        ]
        dot = np.dot

        def call() -> None:
            for left, right, out, count in work:
                for _ in repeat(None, count):
                    dot(left, right, out)

        return call

    return Floor("products", prepare)


def bytes_moved(count: int) -> Floor:
    """Copy so many bytes: half of them read, half of them written."""

    def prepare() -> Callable[[], None]:
        source = np.ones(count // 2, np.uint8)
        target = np.zeros_like(source)
        return lambda: np.copyto(target, source)

    return Floor("memory", prepare)
