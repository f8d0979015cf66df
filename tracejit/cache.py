"""Signatures and the cache of what was recorded and compiled for them.

A signature is all that the emitted code depends on: structure, shapes, dtypes, memory layout, the
types of numbers, the values of strings, bools and None. Numbers themselves are inputs.
"""

from __future__ import annotations

import os
import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from .dag.node import dtype_name, layout_of
from .dag.op import is_traced
from .errors import ParameterTypeError
from .trace.subclasses import remedy
from .tree import LEAF, Tree, flatten, path_text, unflatten

# Held while caches change and while code is compiled, never while user code runs.
LOCK = RLock()
if hasattr(os, "register_at_fork"):  # a fork may come while another thread holds it
    os.register_at_fork(after_in_child=LOCK._at_fork_reinit)  # type: ignore[attr-defined]

STATIC = (bool, str, bytes, type(None), np.bool_)
_NUMBERS = (float, int, complex)


class CacheInfo(NamedTuple):
    """Counts of calls since the last `cache_clear`.

    hits: answered by compiled code or found recorded. misses: recorded anew. size: signatures
    kept. direct: calls that direct mode answered although `optimize=True`.
    """

    hits: int
    misses: int
    size: int
    direct: int


class Signature:
    """The signature of one call, with the leaves that were found on the way.

    key: equal for calls that the same code can answer. traced: per leaf, whether it is a number
    or array (others are static). opaque: the first leaf that is neither, as text, or None.
    """

    __slots__ = ("keywords", "leaf_keys", "leaves", "names", "opaque", "traced", "trees",
                 "values")

    def __init__(
        self,
        values: tuple[Any, ...],
        keywords: tuple[str, ...],
        names: tuple[str, ...],
        receiver: bool = False,
    ) -> None:
        self.values = values
        self.leaves: list[Any] = []
        trees = [flatten(value, self.leaves) for value in values[receiver:]]
        if receiver:  # the instance of a method is one object, whatever its type
            trees.insert(0, LEAF)
            self.leaves.insert(0, values[0])
        self.trees: tuple[Tree, ...] = tuple(trees)
        self.keywords = keywords
        self.names = names
        self.opaque: str | None = None
        self.leaf_keys: list[Hashable] = []
        self.traced: list[bool] = []
        for position, value in enumerate(self.leaves):
            key, traced = _leaf_key(value)
            self.leaf_keys.append(key)
            self.traced.append(traced)
            if not traced and type(value) not in STATIC:
                self._note_opaque(position, value)

    def key_with(self, upstream: Any) -> Hashable:
        """The key, for a call with this cotangent of the first output, or None."""
        return (self.trees, self.keywords, tuple(self.leaf_keys), _leaf_key(upstream)[0])

    def skeleton(self) -> Signature:
        """Make one that says the same and holds nothing of the call's arrays, numbers, objects."""
        other = object.__new__(Signature)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.values = ()
        other.leaves = [v if type(v) in STATIC else None for v in self.leaves]
        return other

    def container_types(self) -> frozenset[type]:
        """The types of containers among the arguments that may have methods of their own."""
        plain = (None, dict, list, tuple, OrderedDict, defaultdict)
        trees, found = list(self.trees), set()
        while trees:
            tree = trees.pop()
            trees.extend(tree.children)
            if tree.cls is not None and tree.cls not in plain:
                found.add(tree.cls)
        return frozenset(found)

    def _note_opaque(self, position: int, value: Any) -> None:
        cls = type(value)
        if cls is not np.ndarray and (isinstance(value, np.ndarray) or hasattr(cls, "__array__")):
            raise ParameterTypeError(
                f"{self.leaf_name(position)} is a {cls.__module__}.{cls.__name__}; pass "
                + remedy(value)
            )
        if self.opaque is None:
            self.opaque = f"{self.leaf_name(position)} is a {cls.__name__}"

    def leaf_name(self, position: int) -> str:
        """Write a leaf's place in the call: params["W"][0]."""
        name, *path = self._paths()[position]
        return path_text(name, tuple(path))

    def _paths(self) -> list[tuple[Any, ...]]:
        """List the path of each leaf, beginning with its argument's name."""
        return [
            (name, *path)
            for name, tree in zip(self.names, self.trees, strict=True)
            for path in tree.paths()
        ]

    def arguments(
        self, leaves: list[Any], make: Callable[[Tree, list[Any]], Any] | None = None
    ) -> list[Any]:
        """Put leaves together to bound values of this structure; `make` builds a container."""
        rest = iter(leaves)
        return [unflatten(tree, rest, make) for tree in self.trees]

    def identifiers(self) -> list[str]:
        """Name the leaves for emitted code, as shortly as is clear: W_0, b_1, x."""
        paths = self._paths()
        lengths = [_shortest(path) for path in paths]
        while True:
            names = [identifier(p[-n:]) for p, n in zip(paths, lengths, strict=True)]
            counts = Counter(names)
            clashing = [i for i, name in enumerate(names) if counts[name] > 1]
            longer = [i for i in clashing if lengths[i] < len(paths[i])]
            if not longer:
                return names
            for i in longer:
                lengths[i] += 1

    def describe(self) -> dict[str, str]:
        """Say of each leaf what the signature holds of it."""
        return {
            path_text(name, tuple(path)): _key_text(key)
            for (name, *path), key in zip(self._paths(), self.leaf_keys, strict=True)
        }


def _leaf_key(value: Any) -> tuple[Any, bool]:
    """Give what the signature holds of a leaf, and whether the leaf is traced."""
    cls = type(value)
    if cls is np.ndarray and value.dtype.kind in "biufc":
        return (value.shape, value.dtype, layout_of(value)), True
    if cls in STATIC:
        return (cls, value), False
    if is_traced(value):  # part of a larger recording, never looked up
        return "traced", True
    if cls in _NUMBERS or isinstance(value, np.number):
        return cls, True
    return ("object", cls), False


def _shortest(path: tuple[Any, ...]) -> int:
    """Count the keys from the last string key to the end of a path."""
    return next(n for n in range(1, len(path) + 1) if isinstance(path[-n], str))


def identifier(keys: tuple[Any, ...]) -> str:
    """Make a name of the keys of a path."""
    name = re.sub(r"\W", "_", "_".join(map(str, keys)), flags=re.ASCII)
    return f"p_{name}" if name[:1].isdigit() or not name else name


def _key_text(key: Any) -> str:
    if isinstance(key, type):
        return key.__name__
    if len(key) == 3:
        shape, dtype, layout = key
        mark = "" if layout == "C" else f" {layout}-order" if layout == "F" else " strided"
        return f"{dtype_name(dtype)}[{','.join(map(str, shape))}]{mark}"
    return repr(key[1])


def difference(old: dict[str, str], new: dict[str, str]) -> str:
    """Say how one signature differs from another, leaf by leaf."""
    changed = [
        f"{name}: {old.get(name, 'absent')} -> {new.get(name, 'absent')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    return "; ".join(changed) or "other structure or order of the arguments"


Entry = TypeVar("Entry")


class Cache(Generic[Entry]):
    """A bounded map from signature keys to entries; the least recently used one goes first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.misses: list[str] = []  # the reasons for the last misses, newest last
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._signatures: OrderedDict[Hashable, dict[str, str]] = OrderedDict()

    def find(self, key: Hashable) -> Entry | None:
        """Look a key up and count it as used."""
        with LOCK:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
            return entry

    def explain_miss(self, signature: Signature, other: str | None) -> str:
        """Say how a signature differs from the nearest one that is kept, and remember it.

        `other` is the reason where it is not the signature.
        """
        described = signature.describe()
        with LOCK:
            near = [] if other else list(self._signatures.values())[-8:]
            reasons = [other] if other else [difference(old, described) for old in near]
            reason = min(reasons, key=lambda r: (r.count(";"), len(r)), default="first call")
            self.misses.append(reason)
            del self.misses[:-20]
        return reason

    def store(self, key: Hashable, signature: Signature, entry: Entry) -> None:
        """Keep an entry, dropping the least recently used one where there are too many."""
        with LOCK:
            self._entries[key] = entry
            self._signatures[key] = signature.describe()
            while len(self._entries) > self.limit:
                gone, _ = self._entries.popitem(last=False)
                del self._signatures[gone]

    def items(self) -> list[tuple[dict[str, str], Entry]]:
        """List the kept signatures, described, with their entries."""
        with LOCK:
            return [(self._signatures[k], e) for k, e in self._entries.items()]

    def clear(self) -> None:
        """Forget everything."""
        with LOCK:
            self._entries.clear()
            self._signatures.clear()
            self.misses.clear()

    def __len__(self) -> int:
        return len(self._entries)
