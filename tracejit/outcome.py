"""What one run of a function gave: leaf by leaf, as plain values, as tracers, or as a graph.

Enters: the nodes and constants that the engine (joint.py) collected in a Run. Leaves: the results
in the form in which jit_grad returns them, or the sealed joint graph to compile. Arrays that go
to the caller are fresh: they share no memory with each other, an argument, or the graph.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from .cache import STATIC, Signature, identifier
from .dag.graph import Graph
from .dag.node import FIXED, Node
from .dag.op import BY_NAME, COMMIT, GUARD, IDENTITY, INPUT
from .errors import ConfigError
from .trace import Recorder
from .trace.places import Place
from .trace.source import assigned_name
from .tree import Tree, build, unflatten


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a call computes: outputs, gradients or both; of which arguments; from which cotangent.

    partial: the cotangent is an argument of its own. ones: it is 1 for each element of the output.
    order: how the results stand, one of ORDERS.
    """

    forward: bool = True
    gradients: bool = True
    partial: bool = False
    argnum: int | tuple[int, ...] = 0
    ones: bool = False
    order: str = "gradients first"

    def __post_init__(self) -> None:
        if not self.argnums or not all(type(n) is int and n >= 0 for n in self.argnums):
            raise ConfigError(
                f"argnum={self.argnum!r} must be an integer or a tuple of integers, counted from 0"
            )

    @property
    def argnums(self) -> tuple[int, ...]:
        """The arguments that hold parameters."""
        return self.argnum if isinstance(self.argnum, tuple) else (self.argnum,)

    def shifted(self) -> Wanted:
        """The same of a method, whose first argument is the instance."""
        after = tuple(number + 1 for number in self.argnums)
        return replace(self, argnum=after if isinstance(self.argnum, tuple) else after[0])

    def parameters(self, signature: Signature) -> Tree:
        """The structure of the gradients."""
        if not self.gradients:
            return Tree()
        trees = tuple(signature.trees[number] for number in self.argnums)
        if not isinstance(self.argnum, tuple):
            return trees[0]
        return Tree(tuple, tuple(range(len(trees))), trees)


class Order(NamedTuple):
    """How gradients and outputs stand in what a call returns.

    outputs: how many the function must have; None: any number. join: puts them together. among:
    finds in the results the outputs of which `shown` says which they are.
    """

    outputs: int | None
    join: Callable[..., Any]
    among: Callable[[Any], Any]
    shown: slice


ORDERS = {
    "gradients first": Order(
        None, lambda join, grads, *outputs: join([grads, *outputs]), lambda r: r[1:], slice(None)
    ),
    "value first": Order(
        1, lambda join, grads, value: join([value, grads]), lambda r: r[:1], slice(None)
    ),
    "value with aux": Order(
        2, lambda join, grads, value, aux: join([join([value, aux]), grads]), lambda r: r[0],
        slice(None),
    ),
    "gradients with aux": Order(
        2, lambda join, grads, value, aux: join([grads, aux]), lambda r: r[1:], slice(1, None)
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """How results go back: which are wanted, and the structures of gradients and outputs."""

    wanted: Wanted
    several: bool
    parameters: Tree
    output_trees: tuple[Tree, ...]


class Run:
    """The outcome of one run, leaf by leaf.

    inputs: the nodes of traced leaves. lifted: the node of each, by its number.
    outputs, gradients: leaves that are nodes or constants.
    disconnected: whether the first output depends on no parameter.
    kept: the values of outputs in arrays that are written to in place, as they were at the end.
    writes, finals: which array from outside is written to, as input and node, and what, as values.
    start, split: where the nodes of the forward pass begin and end among the recorder's.
    """

    __slots__ = (
        "disconnected", "finals", "gradients", "hints", "inputs", "kept", "lifted", "output_trees",
        "outputs",
        "parameters", "several", "signature", "split", "start", "wanted", "writes",
    )  # fmt: skip

    def __init__(self, signature: Signature, wanted: Wanted) -> None:
        self.signature = signature
        self.wanted = wanted
        self.inputs: list[Node] = []
        self.outputs: list[Any] = []
        self.output_trees: list[Tree] = []
        self.gradients: list[Any] = []
        self.parameters: Tree = wanted.parameters(signature)
        self.lifted: dict[int, Node] = {}
        self.hints: dict[Node, Node] = {}
        self.kept: dict[Node, Any] = {}
        self.writes: list[tuple[Node, Node]] = []
        self.finals: list[Any] = []
        self.start = self.split = 0
        self.disconnected = False
        self.several = False

    def results(self, leaf: Callable[[Any], Any]) -> Any:
        """Put the results together as the call returns them, each leaf made by `leaf`."""
        return assemble(
            form_of(self),
            iter([leaf(g) for g in self.gradients]),
            iter([leaf(o) for o in self.outputs] if self.wanted.forward else ()),
        )


def assemble(
    form: Form,
    gradients: Iterator[Any],
    outputs: Iterator[Any],
    make: Callable[[Tree, list[Any]], Any] = build,
    join: Callable[[list[Any]], Any] = tuple,
) -> Any:
    """Give leaves the form in which jit_grad returns them.

    `make` builds a container and `join` the tuple of all results: from values, or from syntax.
    """
    wanted = form.wanted
    grads = unflatten(form.parameters, gradients, make) if wanted.gradients else None
    if not wanted.forward:
        return grads
    values = [unflatten(tree, outputs, make) for tree in form.output_trees]
    if wanted.gradients:
        return ORDERS[wanted.order].join(join, grads, *values)
    return join(values) if form.several else values[0]


def plain_results(result: Run, recorder: Recorder) -> Any:
    """The results as plain values: fresh arrays that share no memory with anything else."""
    outputs = {id(o.value) for o in result.outputs if type(o) is Node}
    taken = {id(n.value) for n in recorder.nodes[: result.split]} - outputs
    taken |= {id(node.value) for node in result.inputs}
    taken |= {id(o) for o in result.outputs if type(o) is not Node}  # not made by the function
    taken |= {id(tracer.node.value) for tracer in recorder.world.arrays}
    if recorder.for_compiling:  # the graph keeps its constants
        taken |= {id(g) for g in result.gradients}

    def fresh(ref: Any) -> Any:
        value = result.kept.get(ref, ref.value) if type(ref) is Node else ref
        if type(value) is np.ndarray:
            if value.base is not None or id(value) in taken:
                return value.copy(order="K")
            taken.add(id(value))
        return value

    return result.results(fresh)


def traced_results(recorder: Recorder, result: Run) -> Any:
    """The results as tracers of the outer recording that this run is part of."""
    return result.results(lambda ref: traced_leaf(recorder, ref))


def traced_leaf(recorder: Recorder, ref: Any) -> Any:
    """Make of a leaf of the results a tracer, whose array nobody else writes to."""
    tracer = recorder.lift(ref)
    if type(ref) is not Node or type(ref.value) is not np.ndarray:
        return tracer
    fresh = ref.value.flags.writeable and not recorder.writes.holds(ref.value)
    return tracer if fresh else BY_NAME["copy"](tracer)


@contextmanager
def without_collection() -> Iterator[None]:
    """Hold off the garbage collector: it takes a third of the time that a long graph takes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@without_collection()
def seal(
    result: Run, recorder: Recorder, name: str, captured: Sequence[Place] = ()
) -> Graph:
    """Make the graph of a run; its nodes give up their values.

    `captured`: the places of the further inputs, in order; this run may not have read them all.
    """
    nodes = recorder.nodes
    for source, final in result.writes:
        nodes.append(Node(COMMIT, (source, final), {}, None, final.site, FIXED))
    hints: dict[Node, str] = {}
    identifiers = result.signature.identifiers()
    traced = [i for i, traced in enumerate(result.signature.traced) if traced]
    for node, position in zip(result.inputs, traced, strict=False):
        hints[node] = identifiers[position]
    computed = [n for n in nodes if n.op is not GUARD]
    forward = sum(n.op is not GUARD for n in nodes[: result.split])
    for node, after in zip(computed[:forward], [*computed[1:], None], strict=False):
        if after is None or after.site != node.site or after.site is None:
            bound = assigned_name(node.site)
            if bound:
                hints[node] = bound
    for parts in recorder.picked.values():
        names = [assigned_name(part.site, part.attrs["index"]) for part in parts]
        hints.update((p, name) for p, name in zip(parts, names, strict=True) if name)
    for node, primal in result.hints.items():
        if primal in hints and node not in hints:
            hints[node] = f"d_{hints[primal]}"
    inputs = list(result.inputs)
    for node in inputs:
        node.seal(hints.get(node, "d_output"), backward=False)
    for place in captured:
        read = recorder.world.places.node_of(place)
        if read is None:  # another path reads it
            assert place.node is not None
            read = place.node.like(INPUT, (), {})
        else:
            read.seal(identifier(place.keys), backward=False)
        inputs.append(read)
    for number, node in enumerate(nodes):
        if node.op.marks:  # the sweep is over
            node.op, node.inputs, node.attrs = IDENTITY, node.inputs[:1], {}
        node.seal(hints.get(node), backward=number >= result.split)
    outputs = result.outputs if result.wanted.forward else []
    return Graph(
        name, tuple(inputs), tuple(nodes), (*result.gradients, *outputs),
        len(result.gradients),
    )  # fmt: skip


def form_of(result: Run) -> Form:
    """Keep of a run how its results go back."""
    trees = tuple(result.output_trees)
    return Form(result.wanted, result.several, result.parameters, trees)


def opaque_output(result: Run) -> str | None:
    """Say which output cannot be written into emitted code."""
    for output in result.outputs:
        if type(output) is not Node and not static_leaf(output):
            return f"it returns a {type(output).__name__}"
    return None


def static_leaf(value: Any) -> bool:
    """Tell whether a result that is no node can be written into emitted code."""
    if isinstance(value, (np.generic, np.ndarray)):
        return type(value).__module__ == "numpy" and value.dtype.kind in "biufc"
    if type(value) is str:
        return value.isprintable()
    return type(value) in (*STATIC, int, float, complex)
