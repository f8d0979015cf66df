"""One run of a function together with its gradients: the engine under every operator.

Enters: a function, its bound arguments taken apart into leaves, and what is asked for. The
function runs on tracers, then the reverse sweep runs: on plain values in direct mode, on tracers
where the result is to be compiled or is itself part of a larger recording. Leaves: a Run.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np

from .binding import call
from .cache import STATIC, Signature
from .dag.node import ACTIVE, VARIES, Node
from .dag.op import BY_NAME, IDENTITY, INPUT
from .dag.vjp import depending_on, sweep
from .errors import (
    Abandoned,
    LostGradientError,
    NotScalarError,
    ParameterTypeError,
    TracejitError,
)
from .outcome import ORDERS, Run, Wanted, without_collection
from .seed import current, seed_of
from .trace import Recorder, Tracer
from .trace.places import Place
from .trace.reality import Reality
from .trace.world import World
from .tree import flatten


def run(
    recorder: Recorder,
    function: Callable[..., Any],
    signature: Signature,
    wanted: Wanted,
    upstream: Any = None,
    nested: bool = False,
    result: Run | None = None,
) -> Run:
    """Run a function and its reverse sweep; see the module's docstring.

    Args:
        recorder: open; everything is recorded into it.
        signature: of the bound arguments, without the upstream cotangent.
        upstream: with `wanted.partial`, dL/d(first output).
        nested: the recorder belongs to an outer call: results stay traced.
        result: filled in as the run goes on, for a caller who wants it if the function raises.
    """
    check_parameters(signature, wanted)
    result = result or Run(signature, wanted)
    if not nested:
        following = recorder.for_compiling
        recorder.world = (
            World(recorder, following, recorder.promoted)
            if recorder.made is None
            else Reality(recorder)
        )
    leaves = _lift_leaves(recorder, result, nested)
    result.start = len(recorder.nodes)
    try:
        with recorder.writes.off() if nested else nullcontext():
            _run_forward(recorder, function, result, leaves, nested)
            if wanted.gradients:
                seed = seed_of(recorder, result, upstream, nested)
                _differentiate(recorder, result, [(result.outputs[0], seed)], nested)
    finally:
        for (node, _), final in zip(result.writes, result.finals, strict=True):
            np.copyto(node.value, final)
    return result


def run_ahead(
    recorder: Recorder, function: Callable[..., Any], signature: Signature, wanted: Wanted
) -> Run:
    """Run a function inside a recording; `sweep_back` may follow, any number of times."""
    check_parameters(signature, wanted)
    result = Run(signature, wanted)
    leaves = _lift_leaves(recorder, result, True)
    result.start = len(recorder.nodes)
    with recorder.writes.off():
        _run_forward(recorder, function, result, leaves, True)
    return result


def sweep_back(
    recorder: Recorder, result: Run, seeds: Sequence[tuple[Any, Any]], transposing: bool = False
) -> list[Any]:
    """Give the gradients for cotangents of outputs, in pairs, by all parameters, leaf by leaf.

    transposing: what is wanted of them is not their values, but how they follow from the
    cotangents: forward mode.
    """
    result.gradients = []
    with recorder.writes.off():
        _differentiate(recorder, result, seeds, True, transposing)
    return [recorder.lift(gradient) for gradient in result.gradients]


def _run_forward(
    recorder: Recorder, function: Callable[..., Any], result: Run, leaves: list[Any], nested: bool
) -> None:
    """Run the function itself and take its outputs."""
    signature, world = result.signature, recorder.world
    handed = signature.arguments(leaves, world.build)
    twin = world.inner(function) if nested else world.enter(function)
    try:
        _take_outputs(recorder, result, _call(twin, handed, signature))
        _check_untouched(signature, handed, leaves)
        recorder.check_watched()
    except Abandoned:
        world.discard()
        raise
    finally:  # what it has written is written, even if it raises
        if not nested and not world.closed:
            world.close()
            place_of = partial(_place_of, recorder, result)
            result.writes = recorder.writes.leave(recorder, result.inputs, place_of)
            result.finals = [final.value.copy() for _, final in result.writes]
    result.split = len(recorder.nodes)
    for output in result.outputs:  # the sweep is going to undo the writes
        if type(output) is Node and recorder.writes.holds(output.value):
            result.kept[output] = output.value.copy(order="K")


def _place_of(recorder: Recorder, result: Run, node: Node) -> Place:
    """Find where an input of a run comes from."""
    world, signature = recorder.world, result.signature
    if not world.following:
        return world.places.find(None, "f")
    for place in world.places.inputs:
        if place.node is node:
            return place
    traced = [position for position, traced in enumerate(signature.traced) if traced]
    found = world.argument(signature, traced[result.inputs.index(node)])
    return found or world.places.find(None, "f")


def _call(function: Callable[..., Any], handed: list[Any], signature: Signature) -> Any:
    lost: BaseException | None = None
    try:
        return call(function, handed, signature.keywords)
    except ValueError as error:
        lost = error.__cause__
        if not isinstance(lost, LostGradientError):
            raise
    raise lost  # NumPy has put a message of its own, which says less, around it


def check_parameters(signature: Signature, wanted: Wanted) -> None:
    """Refuse parameters that have no gradient, by name."""
    if not wanted.gradients:
        return
    count = len(signature.trees)
    for number in wanted.argnums:
        if not 0 <= number < count:
            raise ParameterTypeError(f"argument {number} holds the parameters; {count} given")
    positions = _parameter_positions(signature, wanted)
    for position in positions:
        value = current(signature.leaves[position])
        dtype = getattr(value, "dtype", None)
        kind = type(value).__name__ if dtype is None else str(dtype)
        if type(value) is int:
            raise ParameterTypeError(
                f"{signature.leaf_name(position)} is an int, which has no gradient; use a float: "
                f"{value}.0"
            )
        if dtype is not None and dtype.kind not in "fc":
            raise ParameterTypeError(
                f"{signature.leaf_name(position)} is {kind}, which has no gradient; use floats: "
                "x.astype(float)"
            )
    objects = [i for i in positions if type(signature.leaves[i]) not in STATIC]
    if objects and not any(signature.traced[i] for i in positions):
        raise ParameterTypeError(
            f"the parameters are a {type(signature.leaves[objects[0]]).__name__}, which holds no "
            "numbers; use arrays in lists and dicts, or register_container"
        )


def _parameter_positions(signature: Signature, wanted: Wanted) -> list[int]:
    """Number the leaves that are parameters, in the order of their gradients."""
    ends = [0, *accumulate(tree.leaves for tree in signature.trees)]
    return [i for number in wanted.argnums for i in range(ends[number], ends[number + 1])]


def _lift_leaves(recorder: Recorder, result: Run, nested: bool) -> list[Any]:
    """Make a tracer of each number and array among the leaves."""
    signature, leaves = result.signature, []
    wanted = result.wanted
    parameters = set(_parameter_positions(signature, wanted) if wanted.gradients else ())
    for position, (value, traced) in enumerate(
        zip(signature.leaves, signature.traced, strict=True)
    ):
        if not traced:
            leaves.append(_lift_object(recorder.world, signature, position, nested))
            continue
        differentiated = position in parameters
        level = ACTIVE if differentiated else VARIES
        if nested and not differentiated:
            leaves.append(value)
            continue
        if nested:
            tracer = recorder.record(IDENTITY, (value,), {})
            tracer.node.level = ACTIVE
        else:
            tracer = Tracer(Node(INPUT, (), {}, value, None, level), recorder)
        if recorder.made is not None:
            recorder.made.append(weakref.ref(tracer))
        result.inputs.append(tracer.node)
        result.lifted[position] = tracer.node
        leaves.append(tracer)
    return leaves


def _lift_object(world: World, signature: Signature, position: int, nested: bool) -> Any:
    """Give the twin of a leaf that is no number and no array."""
    value = signature.leaves[position]
    if type(value) in STATIC:
        return value
    if nested:
        return world.inner(value)
    place = world.argument(signature, position)
    return value if place is None else world.hand_out(value, place)


def _check_untouched(signature: Signature, handed: list[Any], leaves: list[Any]) -> None:
    """Refuse that the function changed a container that it was given: it was given a copy."""
    seen: list[Any] = []
    trees = tuple(flatten(value, seen) for value in handed)
    if trees != signature.trees or any(a is not b for a, b in zip(seen, leaves, strict=True)):
        raise TracejitError(
            "the traced function adds to, or replaces an entry of, a list, dict or object that it "
            "got as an argument; return the new value instead, or build a new container"
        )


def _take_outputs(recorder: Recorder, result: Run, answer: Any) -> None:
    result.several = type(answer) is tuple
    outputs = answer if result.several else (answer,)
    if not outputs and result.wanted.gradients:
        raise NotScalarError("the function returns an empty tuple; return a scalar loss first")
    count = ORDERS[result.wanted.order].outputs
    if count is not None and (len(outputs) != count or result.several != (count > 1)):
        wants = "one output" if count == 1 else "a tuple of two outputs, the value and aux"
        raise NotScalarError(f"the function must return {wants}; it returns {len(outputs)}")
    leaves: list[Any] = []
    result.output_trees = [flatten(output, leaves) for output in outputs]
    plain = recorder.world.plain
    result.outputs = [leaf.current() if type(leaf) is Tracer else plain(leaf) for leaf in leaves]


def _differentiate(
    recorder: Recorder, result: Run, seeds: Sequence[tuple[Any, Any]], nested: bool,
    transposing: bool = False,
) -> None:  # fmt: skip
    signature, wanted = result.signature, result.wanted
    positions = _parameter_positions(signature, wanted)
    sources = [result.lifted[i] for i in positions if signature.traced[i]]
    nodes = recorder.nodes[result.start : result.split]
    on_tracers = nested or recorder.for_compiling
    written = recorder.writes
    undoes = bool(written) and not nested
    cotangents: dict[Node, Any] = {}
    known = depending_on(nodes, sources, smoothly=True) if nested else None
    reaches = known.__contains__ if known is not None else _is_active
    for output, seed in seeds:
        if type(output) is Node and reaches(output):
            cotangents[output] = cotangents[output] + seed if output in cotangents else seed
    if cotangents:
        recorder.open = on_tracers
        before, recorder.transposing = recorder.transposing, transposing
        if undoes:
            written.begin_undoing()
        try:
            with without_collection() if recorder.for_compiling else nullcontext():
                sweep(
                    nodes,
                    cotangents,
                    recorder.lift if on_tracers else None,
                    reaches,
                    _entering(recorder, result) if on_tracers else None,
                    written.undo if undoes else None,
                    reuse=not recorder.keep_stacks,
                )
        finally:
            recorder.open = True
            recorder.transposing = before
            written.redo()
    elif sources:
        result.disconnected = True
    sought = iter(sources)
    for position in positions:
        if signature.traced[position]:
            source = next(sought)
            cotangent = cotangents.get(source)
            recorder.origin = cotangent.node if type(cotangent) is Tracer else None
            gradient = finish(cotangent, source.value)
            if type(gradient) is Tracer:
                gradient = gradient.node
                result.hints.setdefault(gradient, source)
            result.gradients.append(gradient)
        else:
            result.gradients.append(None)
    recorder.origin = None


def _is_active(node: Node) -> bool:
    return node.level == ACTIVE


def _entering(recorder: Recorder, result: Run) -> Callable[[Node, Any], None]:
    def enter(node: Node, cotangent: Any) -> None:
        recorder.origin = node
        if type(cotangent) is Tracer:
            result.hints.setdefault(cotangent.node, node)

    return enter


def finish(cotangent: Any, parameter: Any) -> Any:
    """Give a gradient exactly the kind, shape and dtype of its parameter."""
    cls = type(parameter)
    if cotangent is None:
        return np.zeros_like(parameter) if cls is np.ndarray else cls(0)
    if cls is not np.ndarray:
        same = type(cotangent) is cls or type(current(cotangent)) is cls
        return cotangent if same else BY_NAME["convert"](cotangent, cls=cls)
    shape = parameter.shape
    if getattr(cotangent, "shape", ()) == shape and isinstance(cotangent, np.ndarray):
        return cotangent
    return BY_NAME["full"](cotangent, shape=shape, dtype=parameter.dtype)
