"""The recorder: runs every operation on real values and appends a node for it.

Enters: an op, its arguments (tracers and plain values), its attributes. Leaves: a tracer on the
result. What always holds: the nodes are in program order, hold the values NumPy computed, and a
closed recorder records nothing more: its tracers then behave as their values.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import DROPPED, FIXED, VARIES, Node, Site, location
from ..dag.op import GUARD, PICK, Op
from ..errors import LostGradientError, TracejitError, UnsupportedError
from . import source
from .assemble import from_list
from .subclasses import remedy
from .tracer import Tracer
from .writes import WriteLog

if TYPE_CHECKING:
    from .world import World

SNAPSHOT_LIMIT = 1 << 16  # bytes; direct mode copies constant arrays up to this size

_thread = threading.local()


def active_recorder() -> Recorder | None:
    """The open recorder of this thread, if a function is being recorded in it."""
    return getattr(_thread, "recorder", None)


def leave(what: str) -> None:
    """Note that what this thread records, if it does, cannot be compiled."""
    recorder = active_recorder()
    if recorder is not None:
        recorder.leave(what)


@contextmanager
def aside() -> Iterator[None]:
    """Let what this thread does here be no part of what it records."""
    recorder = active_recorder()
    _thread.recorder = None
    try:
        yield
    finally:
        _thread.recorder = recorder


class Recorder:
    """Records the operations of one call; open from `__enter__` to `__exit__`.

    backend: the target of functions that ops compile for themselves.
    made: the tracers, where the function runs on the real things (reality.py); else None.
    drawn: random numbers that an abandoned attempt has drawn; they are not drawn again.
    writes: what was written in place.
    left: why what was recorded cannot be compiled (a value left the trace), or None.
    picked: of each node with several results, the nodes of these.
    transposing: the sweep gives what is linear in the cotangent, and only how is wanted.
    origin: while gradient rules run, the node whose rules they are; its site is theirs.
    """

    __slots__ = (
        "_drawn", "_frame", "_generators", "_snapshots", "_watched", "backend", "for_compiling",
        "keep_stacks",
        "left", "made", "nodes", "open", "origin", "picked", "promoted", "transposing", "world",
        "writes",
    )  # fmt: skip

    def __init__(
        self, for_compiling: bool, keep_stacks: bool = False, drawn: tuple[Any, ...] = (),
        real: bool = False,
    ) -> None:
        self.nodes: list[Node] = []
        self.picked: dict[Node, list[Node]] = {}
        self.open = False
        self.left: str | None = None
        self.transposing = False
        self._frame: FrameType | None = None
        self.origin: Node | None = None
        self.for_compiling = for_compiling
        self.keep_stacks = keep_stacks
        self.backend = "numpy"
        self.world: World
        self.promoted: frozenset[Any] = frozenset()
        self.made: list[weakref.ref[Tracer]] | None = [] if real else None
        self._drawn = list(reversed(drawn))
        self._generators: dict[int, tuple[Any, Any]] = {}
        self.writes = WriteLog(enabled=not keep_stacks)
        self._snapshots: dict[int, tuple[Any, Any]] = {}
        self._watched: dict[int, tuple[Any, int, Site | None]] = {}

    def __enter__(self) -> Recorder:
        self.open = True
        self._frame = sys._getframe(1)
        _thread.recorder = self
        return self

    def __exit__(self, *exc: object) -> None:
        self.open = False
        self._frame = None
        _thread.recorder = None

    def is_running(self) -> bool:
        """Tell whether the call is still going on; close what an interrupt has left open."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not self._frame:
            frame = frame.f_back
        if frame is None:
            self.__exit__()
        return frame is not None

    def leave(self, what: str) -> None:
        """Note that a traced value became a plain one, so that this trace is no program."""
        if self.left is None and self.open:
            self.left = f"{what} at {location(source.user_site())}"

    def record(
        self,
        op: Op,
        args: tuple[Any, ...],
        attrs: dict[str, Any],
        fn: Callable[..., Any] | None = None,
    ) -> Any:
        """Run one operation and record it; plain values come back once the recorder is closed."""
        values: list[Any] = []
        inputs: list[Any] = []
        level = FIXED
        for arg in args:
            if type(arg) is not Tracer and type(arg) not in _EXACT:
                arg = self._constant(arg)  # a tracer, where it is a list with traced values in it
            if type(arg) is Tracer:
                if arg.recorder is self:
                    node = arg.node if arg.base is None else arg.current()
                    values.append(node.value)
                    inputs.append(node)
                    if node.level > level:
                        level = node.level
                    continue
                arg = arg.value
            values.append(arg)
            inputs.append(arg)
        try:
            value = (fn or op.fn)(*values, **attrs)
        except Exception:  # if it goes on after this, it may go on otherwise at another call
            self.leave(f"an exception that {op.name} raises is handled")
            raise
        if not self.open:
            return tuple(value) if op.several else value
        if level == DROPPED:
            raise LostGradientError(
                f"a value from inside of a checkpointed function is used at "
                f"{location(source.user_site())}, outside of it: return it from the function"
            )
        if op.vjp is None and level:  # no gradient passes, so none can be lost from here on
            level = VARIES
        origin = self.origin
        node = Node(op, tuple(inputs), attrs, value, origin.site if origin else _site(), level)
        if self.keep_stacks:
            node.stack = origin.stack if origin else source.user_stack()
        self.nodes.append(node)
        if op.several:
            return self._pick(node)
        tracer = Tracer(node, self)
        if self.made is not None:
            self.made.append(weakref.ref(tracer))
        if op.views and type(value) is np.ndarray and type(args[0]) is Tracer:
            _note_view(tracer, args, values[0])
        return tracer

    def _pick(self, node: Node) -> tuple[Any, ...]:
        """Make a node and a tracer for each of several results."""
        picked = []
        for index, part in enumerate(node.value):
            level = node.level if np.result_type(part).kind in "fc" else min(node.level, VARIES)
            picked.append(Node(PICK, (node,), {"index": index}, part, node.site, level))
            if self.keep_stacks:
                picked[-1].stack = node.stack
        self.nodes += picked
        self.picked[node] = picked
        tracers = self.lift(node)
        if self.made is not None:
            self.made += [weakref.ref(tracer) for tracer in tracers]
        return tracers  # type: ignore[no-any-return]

    def guard(self, node: Node, kind: str, outcome: Any) -> None:
        """Note that what was recorded holds only where a node's value looks the same.

        kind: how it is looked at: "truth", "index", "type", "shape" or "value".
        """
        if self.open and node.level and self.for_compiling:
            attrs = {"kind": kind, "outcome": outcome}
            self.nodes.append(Node(GUARD, (node,), attrs, None, source.user_site(), FIXED))

    def replay(self, generator: Any, draw: Callable[[], Any]) -> Any:
        """Draw a number, unless an attempt that was given up has drawn it already."""
        if self._drawn:
            return self._drawn.pop()
        if id(generator) not in self._generators:
            self._generators[id(generator)] = generator, read_state(generator)
        return draw()

    def rewind(self) -> None:
        """Set the random generators back to where they were when the call began."""
        for generator, state in self._generators.values():
            write_state(generator, state)

    def effect(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], value: Any) -> Node:
        """Note something that was done besides computing, and what it gave."""
        node = Node(op, inputs, attrs, value, source.user_site(), VARIES)
        if self.keep_stacks:
            node.stack = source.user_stack()
        self.nodes.append(node)
        return node

    def lift(self, ref: Any) -> Any:
        """Make a tracer on a node, or one on each of its results; constants stay what they are."""
        if type(ref) is not Node:
            return ref
        if ref.op.several:
            return tuple(Tracer(part, self) for part in self.picked[ref])
        return Tracer(ref, self)

    def check_watched(self) -> None:
        """Refuse that a large plain array was written to after it had been recorded."""
        for array, known, site in self._watched.values():
            if checksum(array) != known:
                raise TracejitError(
                    f"the plain array used at {location(site)} was written to afterwards, in the "
                    "same call: its gradient needs the old values; write to a copy of it"
                )

    def _constant(self, value: Any) -> Any:
        """Prepare an untraced operand: a later write to it must not reach what was recorded."""
        if value is None or isinstance(value, np.generic):
            return value
        if isinstance(value, (int, float, complex)):  # of a subclass: an IntEnum, say
            kinds: Any = (int, float, complex)
            return next(kind for kind in kinds if isinstance(value, kind))(value)
        if not isinstance(value, np.ndarray):
            value = from_list(value)
            return value if type(value) is Tracer else np.asarray(value)
        if type(value) is not np.ndarray:
            if not isinstance(value, np.memmap):
                raise UnsupportedError(
                    f"{type(value).__name__} at {location(source.user_site())} cannot be traced; "
                    f"use {remedy(value)}"
                )
            value = np.asarray(value)
        if _frozen(value):
            return value
        if not self.for_compiling and value.nbytes > SNAPSHOT_LIMIT:
            self._watched.setdefault(id(value), (value, checksum(value), source.user_site()))
            return value
        known = self._snapshots.get(id(value))
        if known is not None and known[0] is value and known[1].tobytes() == value.tobytes():
            return known[1]
        copy = value.copy(order="K")
        self._snapshots[id(value)] = (value, copy)
        return copy


def read_state(generator: Any) -> Any:
    """The state of a random generator, or of np.random."""
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state()


def write_state(generator: Any, state: Any) -> None:
    """Set a random generator back to a state."""
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)


def _frozen(value: Any) -> bool:
    """Tell whether nobody can write to an array: neither to it nor to what it views."""
    while isinstance(value, np.ndarray):
        if value.flags.writeable:
            return False
        value = value.base
    return value is None or isinstance(value, bytes)


def checksum(value: Any) -> int:
    """Sum up the bytes of an array, by its largest words that are contiguous in memory.

    They are summed up in columns of two tables, so that it matters where they stand: an array that
    is sorted in place has the same words.
    """
    if not value.flags.forc or value.nbytes % 8:
        return hash(value.tobytes())
    words = value.ravel(order="K").view(np.uint64)
    return hash(_by_columns(np.bitwise_xor, words, 509) + _by_columns(np.add, words, 512))


def _by_columns(reduced: np.ufunc, words: Any, width: int) -> bytes:
    whole = len(words) // width * width
    table = words[:whole].reshape(-1, width)
    return reduced.reduce(table, axis=0).tobytes() + words[whole:].tobytes()  # type: ignore[no-any-return]


_EXACT = frozenset((float, int, complex, bool))


def _site() -> Site | None:
    frame = sys._getframe(2)
    known = source.internal
    while known[frame.f_code.co_filename]:
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def _note_view(tracer: Tracer, args: tuple[Any, ...], viewed: Any) -> None:
    """Let a tracer know that its array is a view of its first argument's."""
    value = tracer.node.value
    base = value.base
    if base is None:
        return
    known = base is viewed or base is getattr(viewed, "base", None)
    if not known and not np.may_share_memory(value, viewed):  # a view of a copy
        return
    tracer.base = args[0]
    tracer.rest = args[1:]
    tracer.stamp = args[0].stamp_now()

