"""Checkpoints: a function whose values are dropped, and computed again in the backward pass.

What the function recorded is a region: nodes that read values from before it. Its result goes on
through a node of the op CHECKPOINT; when the sweep comes there, the region is recorded again behind
barriers (RECOMPUTED), so that nothing merges it with the first time, and swept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from .dag.node import ACTIVE, DROPPED, Node, recorded_value
from .dag.op import CHECKPOINT, PICK, RECOMPUTED, Op
from .dag.vjp import Lift, depending_on, sweep
from .trace import Recorder, Tracer
from .trace.recorder import active_recorder
from .tree import flatten, unflatten


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function keep none of its values for the backward pass, which computes them again.

    It takes the memory of its arguments and results, and once more the time of its forward pass.
    Takes and returns what f does; values that f reads from outside have their gradients, too.

    >>> grad(lambda w: np.sum(checkpoint(block)(checkpoint(block)(w))))(w)
    """

    @functools.wraps(f, assigned=("__name__", "__qualname__", "__doc__"))
    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = active_recorder()
        if recorder is None or not recorder.open:
            return f(*args, **kwargs)
        return _record(recorder, recorder.world.inner(f), args, kwargs)

    return call


def _record(
    recorder: Recorder, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    start = len(recorder.nodes)
    with recorder.writes.off():  # a write in place would lose the value before it
        result = f(*args, **kwargs)
    leaves: list[Any] = []
    tree = flatten(result, leaves)
    nodes = recorder.nodes[start:]
    region = Region(recorder, nodes)
    if not region.sources:
        return result
    wrapped, outputs = [], []
    for leaf in leaves:
        node = leaf.current() if type(leaf) is Tracer else None
        if node in region.again and node.level == ACTIVE:
            leaf = recorder.record(CHECKPOINT, (leaf,), {"region": region})
            outputs.append(node)
        wrapped.append(leaf)
    if not recorder.for_compiling:
        dropped = [n for n in nodes if not n.op.effect]
        recorder.nodes[start : start + len(nodes)] = [n for n in nodes if n.op.effect]
        for node in dropped:  # the outputs live on, and what they read should not
            node.level, node.inputs = DROPPED, ()
    region.forget(outputs)
    return unflatten(tree, iter(wrapped))


class Region:
    """What a checkpointed function has recorded, without the values.

    nodes: copies, in order; sources: the nodes before them that depend on parameters and that they
    read. again: of each recorded node, its copy; in the end of the outputs alone. picked: the
    copies of several results. numbers: the nodes that are Python numbers.
    """

    __slots__ = ("again", "nodes", "numbers", "picked", "recorder", "sources")

    def __init__(self, recorder: Recorder, nodes: list[Node]) -> None:
        self.recorder = recorder
        self.nodes: list[Node] = []
        self.again: dict[Node, Node] = {}
        self.picked: dict[Node, list[Node]] = {}
        self.numbers: set[Node] = set()
        sources: dict[Node, None] = {}
        for node in nodes:
            if node.op.effect:  # a guard holds once; what was drawn stays
                continue
            inputs = tuple(self.again.get(i, i) if type(i) is Node else i for i in node.inputs)
            copy = Node(node.op, inputs, node.attrs, None, node.site, node.level)
            sources.update(
                (i, None) for i in node.operands if i not in self.again and i.level == ACTIVE
            )
            self.again[node] = copy
            if not hasattr(node.value, "dtype") and not node.op.several:
                self.numbers.add(copy)
            if node.op is PICK:
                self.picked.setdefault(inputs[0], []).append(copy)
            else:
                self.nodes.append(copy)
        self.sources = [*sources]

    def forget(self, outputs: list[Node]) -> None:
        """Let go of all recorded nodes but the outputs."""
        self.again = {node: self.again[node] for node in outputs}

    def pull(
        self, output: Node, g: Any, lift: Lift | None, enter: Callable[[Node, Any], None] | None,
        reached: Callable[[Node], bool],
    ) -> Iterator[tuple[Node, Any]]:
        """Give the cotangents of the sources for that of an output."""
        replay: _Replay = _OnPlain(self) if lift is None else _OnTracers(self)
        roots = [replay.known[source] for source in self.sources]
        nodes = replay.nodes[len(roots) :]
        reaches = depending_on(nodes, roots, smoothly=True).__contains__
        cotangents = {replay.known[self.again[output]]: g}
        sweep(nodes, cotangents, lift, reaches, enter, reuse=False)
        for source, root in zip(self.sources, roots, strict=True):
            if root in cotangents and reached(source):
                yield source, cotangents[root]


class _Replay:
    """The nodes of a region, recorded once more. known: of each old node, the new one."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.known: dict[Node, Node] = {}
        self.nodes: list[Node] = []
        for source in region.sources:
            self.run(source, RECOMPUTED, (source,), {}, not hasattr(source.value, "dtype"))
        for node in region.nodes:
            self.run(node, node.op, node.inputs, node.attrs, node in region.numbers)
            if node.op.several:
                self.take_apart(node, region.picked.get(node, []))

    def run(
        self, old: Node, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], is_number: bool
    ) -> None:
        """Run an operation again."""
        raise NotImplementedError

    def take_apart(self, old: Node, picked: list[Node]) -> None:
        """Find the nodes of several results."""
        raise NotImplementedError

    def now(self, value: Any) -> Any:
        """The new node for an old one."""
        return self.known.get(value, value) if type(value) is Node else value


class _OnPlain(_Replay):
    """Runs on plain values, in direct mode."""

    def run(
        self, old: Node, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], is_number: bool
    ) -> None:
        given = tuple(self.now(i) for i in inputs)
        values = [*map(recorded_value, given)]
        value = ((is_number and op.operator) or op.fn)(*values, **attrs)
        self.known[old] = Node(op, given, attrs, value, old.site, old.level)
        self.nodes.append(self.known[old])

    def take_apart(self, old: Node, picked: list[Node]) -> None:
        whole = self.known[old]
        for part in picked:
            value = whole.value[part.attrs["index"]]
            self.known[part] = Node(PICK, (whole,), part.attrs, value, part.site, part.level)
            self.nodes.append(self.known[part])


class _OnTracers(_Replay):
    """Records, where what comes out is compiled or belongs to an outer recording."""

    def run(
        self, old: Node, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], is_number: bool
    ) -> None:
        recorder, start = self.region.recorder, len(self.region.recorder.nodes)
        given = tuple(recorder.lift(self.now(i)) for i in inputs)
        origin, recorder.origin = recorder.origin, old
        recorder.record(op, given, attrs, op.operator if is_number else None)
        recorder.origin = origin
        self.known[old] = recorder.nodes[start]
        self.nodes += recorder.nodes[start:]

    def take_apart(self, old: Node, picked: list[Node]) -> None:
        self.known.update(zip(picked, self.region.recorder.picked[self.known[old]], strict=True))
