"""Both modes of a primitive from the rules that it has.

Where a call stands and the cotangents of its results enter; those of an argument leave. A vjp rule
gives them, or the transpose of a jvp rule, which is linear. Where both are declared, what one gives
is recorded as linear in what it was given (the op LINEAR), and the other one is its transpose: so
forward mode, which transposes the reverse sweep, comes to the jvp rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .dag.node import ACTIVE
from .dag.op import IDENTITY, LINEAR, MISSING, is_traced, value_of
from .dag.vjp import depending_on, sweep
from .errors import MissingGradientError
from .trace.creators import stop_gradient
from .trace.recorder import Recorder, active_recorder, aside
from .trace.world import World

if TYPE_CHECKING:
    from .calls import At

Leaves = list[Any]  # each None where it is zero


def cotangents_of(at: At, number: int, g: Leaves) -> Leaves:
    """Give the cotangents of the leaves of an argument for those of the results.

    Raises:
        MissingGradientError: no rule is declared that they follow from.
    """
    pull, push = at.call.declared.rules(number)
    likes = at.argument_leaves(number)
    recorder = active_recorder()
    if recorder is not None and recorder.open and recorder.transposing and push is not MISSING:
        if push is None:
            return [None] * len(likes)
        zeros: Leaves = [_zero(like) for like in likes]
        return _linear(at, zeros, g, _pushed_back(at, number))
    if pull is None or (pull is MISSING and push is None):
        return [None] * len(likes)
    if pull is not MISSING:
        return _pulled(at, number, g)
    if push is MISSING:
        raise MissingGradientError(
            f"{at.call.title} at {at.node.where} has no gradient rule for its input {number}; "
            + (at.call.declared.missing or "declare one with defvjp or defjvp")
        )
    return _transposed(at, number, g)


def _pulled(at: At, number: int, g: Leaves) -> Leaves:
    """Apply the vjp rule; its transpose is the jvp rule, where there is one."""
    pull, push = at.call.declared.rules(number)
    if not isinstance_rule(push) or not any(map(is_traced, g)):
        return pull.cotangents(at, g)  # type: ignore[no-any-return]
    found = pull.cotangents(at, [stop_gradient(c) for c in g])
    return _linear(at, found, g, _pushed_back(at, number))


def _pushed(at: At, number: int, t: Leaves) -> Leaves:
    """Apply the jvp rule; its transpose is the vjp rule, where there is one."""
    pull, push = at.call.declared.rules(number)
    if not isinstance_rule(pull) or not any(map(is_traced, t)):
        return push.tangents(at, t)  # type: ignore[no-any-return]
    found = push.tangents(at, [stop_gradient(c) for c in t])

    def back(w: Leaves, now: At) -> Leaves:
        return _pulled(now, number, w)

    return _linear(at, found, t, back, True)


def isinstance_rule(rule: Any) -> bool:
    """Tell whether a rule is declared that is not zero."""
    return rule is not None and rule is not MISSING


def _pushed_back(at: At, number: int) -> Callable[[Leaves, At], Leaves]:
    def back(w: Leaves, now: At) -> Leaves:
        return _pushed(now, number, w)

    return back


def _linear(
    at: At, found: Leaves, given: Leaves, back: Callable[[Leaves, At], Leaves],
    forward: bool = False,
) -> Leaves:  # fmt: skip
    """Record that what a rule found is linear in what it was given, each leaf by itself."""
    recorder = active_recorder()
    assert recorder is not None
    count, inputs = len(given), len(at.values)

    def recorded(place: int, leaf: Any) -> Any:
        if leaf is None:
            return None

        def transposed(w: Any, *read: Any) -> Leaves:
            now = at.having(read[count : count + inputs], read[count + inputs :])
            models = found_like if not forward else now.outs
            wide: Leaves = [_zero(model) for model in models]
            wide[place] = w
            return back(wide, now)

        read = (*given, *at.values, *at.outs)
        attrs = {"back": transposed, "count": count}
        return recorder.record(LINEAR, (leaf, *read), attrs)

    found_like = [0.0 if leaf is None else _zero(leaf) for leaf in found]
    return [recorded(place, leaf) for place, leaf in enumerate(found)]


def _zero(like: Any) -> Any:
    """Give a zero of the shape and dtype of a value, or a float one for integers."""
    value = value_of(like)
    if type(value) is np.ndarray:
        return np.zeros(value.shape, value.dtype if value.dtype.kind in "fc" else float)
    return type(value)(0) if np.result_type(value).kind in "fc" else 0.0


# -- the transpose of a jvp rule -------------------------------------------------------------------


def _transposed(at: At, number: int, g: Leaves) -> Leaves:
    """Record the jvp rule, which is linear in the tangent, and sweep what was recorded."""
    recorder = active_recorder()
    if recorder is not None and recorder.open:
        return _swept(recorder, at, number, g, recorder.lift)
    with aside(), Recorder(for_compiling=False) as inner:
        inner.world = World(inner, following=False)
        try:
            return _swept(inner, at, number, g, None)
        finally:
            inner.world.close()


def _swept(recorder: Recorder, at: At, number: int, g: Leaves, lift: Any) -> Leaves:
    start = len(recorder.nodes)
    roots = []
    for like in at.argument_leaves(number):
        root = recorder.record(IDENTITY, (_zero(like),), {})
        root.node.level = ACTIVE  # to take it for a number would lose its gradient
        roots.append(root)
    push = at.call.declared.rules(number)[1]
    nodes_and_cotangents: Any = {}
    for tangent, c in zip(push.tangents(at, roots), g, strict=True):
        if is_traced(tangent):
            node = tangent.current()
            known = nodes_and_cotangents.get(node)
            nodes_and_cotangents[node] = c if known is None else known + c
    nodes = recorder.nodes[start:]
    reaches = depending_on(nodes, [root.node for root in roots], True).__contains__
    seeds = {node: c for node, c in nodes_and_cotangents.items() if reaches(node)}
    rest: Sequence[Any] = [node for node in nodes if node not in {r.node for r in roots}]
    sweep(rest, seeds, lift, reaches, reuse=False)
    return [seeds.get(root.node) for root in roots]
