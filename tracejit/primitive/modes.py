"""Both modes of a primitive from the rules that it has.

Where a call stands and the cotangents of its results enter; those of an argument leave. A vjp rule
gives them, or the transpose of a jvp rule, which is linear. Where both are declared, what one of
them gives is recorded as applied to what it was given (the op APPLIED), and its transpose is the
other one: so forward mode, which transposes the reverse sweep, comes to the jvp rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import ACTIVE, Node, recorded_value
from ..dag.op import APPLIED, IDENTITY, MISSING, is_traced, value_of
from ..dag.vjp import Lift, depending_on, sweep
from ..errors import GradientRuleError, MissingGradientError, TracejitError
from ..trace.recorder import Recorder, active_recorder, aside
from ..trace.world import World

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
    recorder, applied = active_recorder(), Applied(at, number, forward=False)
    if recorder is None or not (recorder.open and recorder.transposing):
        transposing = False
    elif push is MISSING:
        transposing = True
    else:
        zeros: Leaves = [None if push is None else zero_like(like) for like in likes]
        return _recorded(recorder, applied, zeros, g)
    if pull is None or (pull is MISSING and push is None):
        return [None] * len(likes)
    if pull is not MISSING:
        if transposing:
            applied.require_linear(g)
        return applied.apply(g)
    if push is MISSING:
        raise MissingGradientError(
            f"{at.call.title} at {at.where} has no gradient rule for its input {number}; "
            + (at.call.declared.missing or "declare one with defvjp or defjvp")
        )
    tangents = [zero_like(like) for like in likes]
    Applied(at, number, forward=True).require_linear(tangents)
    return _swept(tangents, lambda roots: push.tangents(at, roots), g)


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """A rule at a call: the vjp rule for an argument, or, if `forward`, the jvp rule."""

    at: At
    number: int
    forward: bool

    def apply(self, given: Leaves) -> Leaves:
        """Give what the rule makes of cotangents or tangents, which is linear in them."""
        found = self._rule(self.at, given)
        other = self.at.call.declared.rules(self.number)[not self.forward]
        recorder = active_recorder()
        declared = other is not None and other is not MISSING
        if recorder is None or not declared or not any(map(is_traced, given)):
            return found
        return _recorded(recorder, self, found, given) if self._is_linear(given) else found

    def require_linear(self, given: Leaves) -> None:
        """Refuse to transpose a rule that is no linear map of what it is applied to."""
        if not self._is_linear(given):
            here, other = ("t", "defvjp") if self.forward else ("g", "defjvp")
            raise GradientRuleError(
                f"{self._declared} is not linear in {here}, so the other mode does not follow "
                f"from it; declare that with {other}, too; {self.at.call.title} is called at "
                f"{self.at.where}"
            )

    @property
    def _declared(self) -> Any:
        """The rule itself."""
        return self.at.call.declared.rules(self.number)[self.forward]

    def _is_linear(self, given: Leaves) -> bool:
        """Tell whether the rule is linear in what it is applied to, as random numbers show it."""
        rule = self._declared
        if rule.linear is None:
            at = self.at.having(*([*map(value_of, v)] for v in (self.at.values, self.at.outs)))
            rng = np.random.default_rng(0)
            one, two = ([_random_like(v, rng) for v in given] for _ in range(2))
            both = [None if a is None else a - 2 * b for a, b in zip(one, two, strict=True)]
            try:
                results = zip(*(self._aside(at, v) for v in (one, two, both)), strict=True)
                rule.linear = all(_is_sum(*parts) for parts in results)
            except TracejitError:  # it does not take such numbers
                rule.linear = True
        return bool(rule.linear)

    def _rule(self, at: At, given: Sequence[Any]) -> Leaves:
        rule = self._declared
        found: Leaves = rule.tangents(at, given) if self.forward else rule.cotangents(at, given)
        return found

    def _aside(self, at: At, given: Leaves) -> Leaves:
        """Run the rule, and let nothing that it does to what it reads from outside become real."""
        with aside(), np.errstate(all="ignore"), Recorder(for_compiling=False) as recorder:
            recorder.world = World(recorder, following=False)
            roots = [v if v is None else recorder.record(IDENTITY, (v,), {}) for v in given]
            return [value_of(leaf) for leaf in self._rule(at, roots)]

    def pull(
        self, place: int, node: Node, w: Any, lift: Lift | None, reaches: Callable[[Node], bool]
    ) -> Iterator[tuple[Any, Any]]:
        """Pair what the rule has read with its cotangents for that of the leaf at `place`.

        What the rule is linear in has them from the other rule; all else from this one as it is
        written, recorded once more.
        """
        read = node.inputs[1:]
        reached = [type(i) is Node and reaches(i) for i in read]
        look = lift or recorded_value
        values = [look(i) for i in read]
        count = len(read) - len(self.at.values) - len(self.at.outs)
        if any(reached[:count]):
            now = self._now(values[count:])
            likes = now.outs if self.forward else now.argument_leaves(self.number)
            wide = [zero_like(like) for like in likes]
            wide[place] = w
            turned = Applied(now, self.number, not self.forward)
            yield from zip(read[:count], turned.apply(wide), strict=True)
        places = [n for n in range(count, len(read)) if reached[n]]

        def again(roots: Leaves) -> Leaves:
            known = dict(zip(places, roots, strict=True))
            mixed = [known.get(n, value) for n, value in enumerate(values)]
            return [self._rule(self._now(mixed[count:]), mixed[:count])[place]]

        if places:
            found = _swept([values[n] for n in places], again, [w])
            yield from zip([read[n] for n in places], found, strict=True)

    def _now(self, values: Sequence[Any]) -> At:
        count = len(self.at.values)
        return self.at.having(values[:count], values[count:])


@dataclass(frozen=True, slots=True, eq=False)
class _Leaf:
    """One leaf of what a rule has given: the attribute of its node."""

    applied: Applied
    place: int

    def pull(
        self, node: Node, w: Any, lift: Lift | None, enter: Any, reaches: Callable[[Node], bool]
    ) -> Iterator[tuple[Any, Any]]:
        """See dag/vjp.py."""
        return self.applied.pull(self.place, node, w, lift, reaches)


def _recorded(recorder: Recorder, applied: Applied, found: Leaves, given: Leaves) -> Leaves:
    """Record that a rule has given these leaves."""
    at = applied.at
    read = (*given, *at.values, *at.outs)
    empty = at.having([None] * len(at.values), [None] * len(at.outs))  # the node has the values
    applied = replace(applied, at=empty)
    return [
        None if leaf is None
        else recorder.record(APPLIED, (leaf, *read), {"applied": _Leaf(applied, place)})
        for place, leaf in enumerate(found)
    ]  # fmt: skip


def zero_like(like: Any) -> Any:
    """Give a zero of the shape and dtype of a value; a float one for integers."""
    value = value_of(like)
    kind = np.result_type(value).kind
    if type(value) is np.ndarray:
        return np.zeros(value.shape, value.dtype if kind in "fc" else float)
    return type(value)(0) if kind in "fc" else 0.0


def _random_like(like: Any, rng: np.random.Generator) -> Any:
    """Give random numbers of many sizes, of the shape and dtype of a value."""
    if like is None:
        return None
    zero = zero_like(like)
    shape = np.shape(zero)
    numbers = rng.normal(size=shape) * 10.0 ** rng.uniform(-3.0, 3.0, size=shape)
    return zero + (numbers.astype(zero.dtype) if hasattr(zero, "dtype") else float(numbers))


def _is_sum(one: Any, two: Any, both: Any) -> bool:
    """Tell whether both = one - 2 * two, up to rounding and where they are finite."""
    if one is None or two is None or both is None:
        return one is two is both
    far = abs(one) + 2 * abs(two)
    limit = 16.0 * np.finfo(np.result_type(both)).eps ** 0.75 * np.max(far, initial=0.0)
    return bool(np.all(~np.isfinite(both) | (abs(both - (one - 2 * two)) <= limit)))


# -- recording what a rule does, and sweeping it ---------------------------------------------------


def _swept(values: Leaves, apply: Callable[[Leaves], Leaves], g: Leaves) -> Leaves:
    """Record what `apply` makes of values, and give their cotangents for those of its results."""
    recorder = active_recorder()
    if recorder is not None and recorder.open:
        return _swept_in(recorder, values, apply, g, recorder.lift)
    with aside(), Recorder(for_compiling=False) as inner:
        inner.world = World(inner, following=False)
        try:
            return _swept_in(inner, values, apply, g, None)
        finally:
            carry_over(inner)


def carry_over(recorder: Recorder) -> None:
    """Do what a rule has done to what it reads from outside; no compiled code will."""
    world = recorder.world
    world.close()
    place = world.places.find(None, "f")
    for node, final in recorder.writes.leave(recorder, (), lambda _: place):
        np.copyto(node.value, final.value)
        recorder.leave("an array from outside that a gradient rule writes to is changed")


def _swept_in(
    recorder: Recorder, values: Leaves, apply: Callable[[Leaves], Leaves], g: Leaves,
    lift: Lift | None,
) -> Leaves:  # fmt: skip
    roots = [recorder.record(IDENTITY, (value,), {}) for value in values]
    for root in roots:
        root.node.level = ACTIVE  # to take it for a number would lose its gradient
    start = len(recorder.nodes)
    results = apply(roots)
    nodes = recorder.nodes[start:]
    reaches = depending_on(nodes, [root.node for root in roots]).__contains__
    cotangents: dict[Node, Any] = {}
    for result, c in zip(results, g, strict=True):
        node = result.current() if is_traced(result) else None
        if node is not None and reaches(node):
            known = cotangents.get(node)
            cotangents[node] = c if known is None else known + c
    sweep(nodes, cotangents, lift, reaches, reuse=False)
    return [cotangents.get(root.node) for root in roots]
