"""What vjp() and linearize() leave for later, outside of traced functions: f runs again then.

A program of f enters, and the arguments of a call that it has just answered; what leaves says
whether the same call would still read the same things from outside. It is told by their identity,
for functions that can be compiled: an array that is written to in place is the same array.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..function import JitGrad
from ..tree import flatten, unflatten


def own(primals: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copy the arrays, which may be written to before the derivatives are asked for."""
    leaves: list[Any] = []
    tree = flatten(primals, leaves)
    copies = (leaf.copy("K") if isinstance(leaf, np.ndarray) else leaf for leaf in leaves)
    return unflatten(tree, copies)  # type: ignore[no-any-return]


def same_reads(program: JitGrad, *args: Any) -> Callable[[], None]:
    """Give a function that raises once what a call read from outside is something else.

    Raises:
        UnsupportedError: by that function; f would run on the new values.
    """
    function, read = program.__wrapped__, _reader(program, args)
    if read is None:
        return lambda: None
    before = read(function, args)

    def require() -> None:
        now = read(function, args)
        if now is None or not all(map(_is_same, now, before)):
            raise UnsupportedError(
                "what the function reads from outside has changed since vjp() or linearize() was "
                "called, and it would run again on the new values; call that again, or make what "
                "changes an argument"
            )

    return require


def _reader(program: JitGrad, args: tuple[Any, ...]) -> Callable[..., Any] | None:
    """Find what reads for a call that has just been answered; None: direct mode did, it reads."""
    arity, accepts, read, *_ = program._latest
    if len(args) == arity and accepts(*args) and read(program.__wrapped__, args) is not None:
        return read
    signature, _ = program._sign(args, {})
    entry = program._store.cache.find(signature.key_with(None))
    if entry is None or entry.direct is not None:
        return None
    readers = (variant.read for variant in entry.variants)
    return next((read for read in readers if read(program.__wrapped__, args) is not None), None)


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    return type(one) is type(other) and not isinstance(one, np.ndarray) and bool(one == other)
