"""What is kept of a function: for each signature variants, for each variant a tree of paths.

A variant holds where all that was read from outside is as it was (places.py). Its tree has a path
for each way in which the function's branches on data have gone. jit_grad of the same function finds
what was compiled: stores live as long as their functions.
"""

from __future__ import annotations

import gc
import types
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from .cache import LOCK, Cache, Signature
from .codegen.compile import Compiled, load
from .codegen.emit import emit
from .codegen.targets import Target
from .config import settings
from .dag.graph import Graph
from .dag.passes import optimize
from .dag.tree import busiest_guard, graft, paths
from .outcome import Form, Run, form_of, seal
from .trace import Recorder
from .trace.places import Place, Places, Reader

MANY_VARIANTS = 8  # kept for one signature
MANY_CHANGES = 16  # of what a function reads, under one signature; then direct mode answers
OFTEN = 2  # changes of one integer; from then on it is an input
MANY_METHODS = 16  # whose objects are kept alive, for their stores
SMALL_TREE = 2000  # nodes; compiled again as soon as it has a new path,
FEW_PATHS = 8  # up to so many; then as soon as recording again has cost a quarter of its nodes


class Variant:
    """What was recorded while everything that the function reads stayed the same.

    tree: all recorded paths. stale: the compiled code lacks some of them. repeated: how many
    nodes were recorded again for want of compiling. calls_left: compiled calls until the next
    audit. repeats: a call whose compiled code raises runs again, directly: the function may handle
    the exception, or has written to arrays before it.
    """

    __slots__ = (
        "_read", "calls_left", "compiled", "form", "optimized", "places", "repeated", "repeats",
        "stale", "tree",
    )  # fmt: skip

    def __init__(self, places: Places, tree: Graph, form: Form, repeats: bool) -> None:
        self.calls_left: float = 0
        self.compiled: Compiled | None = None
        self.form = form
        self.repeats = repeats
        self.optimized: Graph | None = None
        self.places = places
        self._read: Reader | None = None
        self.repeated = 0
        self.stale = True
        self.tree = tree

    @property
    def read(self) -> Reader:
        """What reads the captured inputs, or gives None where something else has changed."""
        if self._read is None:
            self._read = self.places.reader()
        return self._read

    def graft(self, result: Run, recorder: Recorder, name: str) -> str | None:
        """Add a recorded path to the tree; say why that cannot be done."""
        self.places.include(recorder.world.places)
        path = seal(result, recorder, name, self.places.inputs)
        if form_of(result) != self.form:
            return "what it returns has another structure when its branches go another way"
        tree = graft(self.tree, path)
        if tree is None:
            return "it does other things with the same inputs: it depends on something unseen"
        ways = paths(tree)
        if tree is self.tree:  # recorded once more, because the compiled code lacks it
            self.repeated += len(path.nodes)
        elif ways > settings.max_paths:
            return _too_many(tree)
        self.tree = tree
        self._read = None
        self.repeats |= repeats(result, recorder)
        size = _size(tree)
        small = ways <= FEW_PATHS and size <= SMALL_TREE
        self.stale = self.stale or small or self.repeated >= size // 4
        return None

    def compile(
        self, signature: Signature, upstream: bool, target: Target, audit: bool
    ) -> Compiled:
        """Compile the tree, unless that has been done."""
        with LOCK:
            if self.compiled is None or self.stale:
                with _without_collection():
                    self.optimized = optimize(self.tree)
                    emitted = emit(self.optimized, signature, self.form, upstream, target)
                    self.compiled = load(emitted)
                self.stale = False
                self.repeated = 0
                self.calls_left = 0 if audit else float("inf")
            return self.compiled

    def __str__(self) -> str:
        count = paths(self.tree)
        ways = f", {count} paths" if count > 1 else ""
        if self.compiled is None or self.optimized is None:
            return f"recorded{ways}; compiled when it is called again"
        counts = f"{_size(self.tree)} nodes, {_size(self.optimized)} optimised"
        pool = self.compiled.pool
        buffers = f", buffers {pool.nbytes} bytes" if pool else ""
        return f"numpy target: {counts}{ways}{buffers}: {self.compiled.path}"


def _too_many(tree: Graph) -> str:
    """Say where a function goes too many ways, and what to do."""
    guard = busiest_guard(tree)
    assert guard is not None
    if guard.attrs["kind"] == "index":
        return (
            f"the integer that is a count, a shape or an end of a slice at {guard.where} has had "
            f"too many values ({settings.max_paths} ways in all); slice outside and pass the part, "
            "index with an array, or set TRACEJIT_MAX_PATHS"
        )
    return (
        f"its branches on data have gone {settings.max_paths} ways, most often at {guard.where}; "
        "use np.where there, or set TRACEJIT_MAX_PATHS"
    )


def _size(graph: Graph) -> int:
    return sum(len(line.nodes) for line in graph.lines())


@contextmanager
def _without_collection() -> Iterator[None]:
    """Hold off the garbage collector: it takes a third of the time to compile a long graph."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def repeats(result: Run, recorder: Recorder) -> bool:
    """Tell whether a call is to be run again, directly, if its compiled code raises."""
    return recorder.world.handles or bool(result.writes)


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
    """The entries of one function, and which of the integers that it reads are inputs."""

    __slots__ = ("_alive", "_changes", "cache", "promoted")

    def __init__(self, alive: Any = None) -> None:
        self._alive = alive  # what the store is found by: ids are of no use once it is gone
        self.cache: Cache[Entry] = Cache(settings.cache_size)
        self.promoted: frozenset[Any] = frozenset()
        self._changes: Counter[Any] = Counter()

    def note_change(self, place: Place) -> None:
        """Count a change of what was read; an integer that changes often becomes an input."""
        self._changes[place.key] += 1
        integer = any(c and c[-1].__class__ is int and c[0] is int for _, c in place.checks)
        if integer and self._changes[place.key] >= OFTEN:
            self.promoted |= {place.key}

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
