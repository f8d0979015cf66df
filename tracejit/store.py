"""What is kept of a function: for each signature variants, for each variant a tree of paths.

A variant (variant.py) holds where all that was read from outside is as it was. jit_grad of the same
function finds what was compiled: stores live as long as their functions.
"""

from __future__ import annotations

import types
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .cache import LOCK, Cache, Signature
from .config import settings
from .trace.places import Place
from .variant import Variant, without_machine_code

if TYPE_CHECKING:
    from .codegen.job import Job

MANY_VARIANTS = 8  # kept for one signature
MANY_CHANGES = 16  # of what a function reads, under one signature; then direct mode answers
OFTEN = 2  # changes of one integer; from then on it is an input
MANY_METHODS = 16  # whose objects are kept alive, for their stores


class Entry:
    """What is kept for one signature. direct: why direct mode answers, or None."""

    __slots__ = ("changes", "direct", "variants")

    def __init__(self) -> None:
        self.changes = 0
        self.direct: str | None = None
        self.variants: tuple[Variant, ...] = ()

    def add(self, variant: Variant) -> None:
        """Keep a variant, the newest first, and forget the oldest where there are many."""
        self.changes += 1
        self.variants = (variant, *self.variants[: MANY_VARIANTS - 1])


class Store:
    """The entries of one function, and which of the integers that it reads are inputs.

    compilations: how many of its jobs have made, or may make, the worker compile.
    """

    __slots__ = ("_alive", "_changes", "cache", "compilations", "promoted")

    def __init__(self, alive: Any = None) -> None:
        self._alive = alive  # what the store is found by: ids are of no use once it is gone
        self.cache: Cache[Entry] = Cache(settings.cache_size)
        self.compilations = 0
        self.promoted: frozenset[Any] = frozenset()
        self._changes: Counter[Any] = Counter()

    def refund(self) -> None:
        """Take note of a job that came to its end without a compilation."""
        with LOCK:
            self.compilations -= 1

    def changed(
        self, entry: Entry, function: Callable[..., Any], signature: Signature
    ) -> str | None:
        """Say what the function reads has changed since this signature was recorded."""
        for variant in entry.variants[:1]:
            place = variant.places.changed(function, signature.values)
            if place is None:
                continue
            self._note_change(place)
            if entry.changes >= MANY_CHANGES:
                entry.direct = f"{place}, which it reads, keeps changing; make it an argument"
            return f"{place} has changed"
        return None

    def _note_change(self, place: Place) -> None:
        """Count a change of what was read; an integer that changes often becomes an input."""
        self._changes[place.key] += 1
        integer = any(c and c[-1].__class__ is int and c[0] is int for _, c in place.checks)
        if integer and self._changes[place.key] >= OFTEN:
            self.promoted |= {place.key}

    def hasten(self, backend: str, audit: bool) -> list[Job]:
        """Ask for machine code of all that was called, where that is not refused."""
        jobs = []
        if without_machine_code(backend) is None:
            for _, entry in self.cache.items():
                for variant in entry.variants if entry.direct is None else ():
                    variant.compile(audit)
                    jobs.append(variant.hasten(self))
        return [job for job in jobs if job is not None]

    def explain(self, backend: str) -> list[str]:
        """Say in lines what is kept, how it is answered and why, and why calls missed."""
        lines = []
        for described, entry in self.cache.items():
            lines.append("signature " + ", ".join(f"{k}: {v}" for k, v in described.items()))
            if entry.direct is not None:
                lines.append(f"  direct mode: {entry.direct}")
            for variant in entry.variants:
                lines += [f"  {line}" for line in variant.explain(self, backend)]
        return lines + [f"miss: {reason}" for reason in self.cache.misses]

    def clear(self) -> None:
        """Forget everything."""
        self.cache.clear()
        self.promoted = frozenset()
        self._changes.clear()


_OF_FUNCTIONS: WeakKeyDictionary[Any, dict[Hashable, Store]] = WeakKeyDictionary()
_OF_METHODS: OrderedDict[Hashable, Store] = OrderedDict()  # these keep their objects alive


def store_for(function: Callable[..., Any], options: Hashable) -> Store:
    """Find or make the store of a function, or of a method of an object, with these options."""
    with LOCK:
        if isinstance(function, types.FunctionType):
            stores = _OF_FUNCTIONS.setdefault(function, {})
            return stores.setdefault(options, Store())
        if not isinstance(function, types.MethodType):
            return Store()
        key = (id(function.__self__), id(function.__func__), options)
        store = _OF_METHODS.setdefault(key, Store(function))
        _OF_METHODS.move_to_end(key)
        while len(_OF_METHODS) > MANY_METHODS:
            _OF_METHODS.popitem(last=False)
        return store
