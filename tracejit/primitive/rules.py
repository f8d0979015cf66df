"""Gradient rules of the user's own: how they are called, and what they may give.

A rule enters, as a function; what it gives leaves, leaf by leaf, each of the shape of what it is a
gradient of. On traced values it runs as a traced function does. What cannot be traced in it makes
it one operation, which compiled code calls and which has no derivative. Every mistake names the
rule, where it is written, and where its primitive is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import spec_of
from ..dag.op import is_traced, value_of
from ..errors import Abandoned, GradientRuleError, TracejitError, WriteToArgumentError
from ..trace.recorder import Recorder, active_recorder
from ..trace.world import World
from ..tree import Tree, flatten, list_leaves, open_container, path_text
from . import curried
from .calls import At, untouched, written_to
from .modes import carry_over

if TYPE_CHECKING:
    from . import Primitive

_GIVES = {
    "defvjp": ("the gradient", "argument", "return None where it is zero"),
    "defjvp": ("the tangent of the result", "result", "return None where it is zero"),
}


class Rule:
    """One rule of a primitive, for one argument.

    kind: what has declared it, "defvjp" or "defjvp". linear: whether it was found to be linear in
    what it is applied to; None: nobody has asked.
    """

    __slots__ = ("_opaque", "function", "kind", "linear", "name", "number", "where")

    def __init__(
        self, name: str, number: int, kind: str, function: Any, of: Callable[..., Any]
    ) -> None:
        self.name = name
        self.number = number
        self.kind = kind
        self.function = function
        self.linear: bool | None = None
        self._opaque: Primitive | None = None
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        self.where = f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)
        if not callable(function):
            raise GradientRuleError(
                f"the rule of {name} for argument {number} in {kind}() is no function but "
                f"{function!r}; a rule is a function, or None for zero"
            )
        _check_takes(self, of)

    def __str__(self) -> str:
        return f"the rule of {self.name} for argument {self.number} ({self.kind} at {self.where})"

    def cotangents(self, at: At, g: Sequence[Any]) -> list[Any]:
        """Apply a vjp rule: the cotangents of the argument's leaves for those of the results."""
        likes = at.argument_leaves(self.number)
        result = self._run(at, at.result([_fresh(c) for c in g]))
        return self._conform(at, result, at.argument(self.number, likes), likes)

    def tangents(self, at: At, t: Sequence[Any]) -> list[Any]:
        """Apply a jvp rule: the tangents of the results for those of the argument's leaves."""
        result = self._run(at, at.argument(self.number, [_fresh(c) for c in t]))
        return self._conform(at, result, at.result(at.outs), at.outs)

    def opaque(self) -> Primitive:
        """The rule as one operation that has no derivative."""
        from . import Primitive

        if self._opaque is None:
            other = "defjvp" if self.kind == "defvjp" else "defvjp"
            self._opaque = Primitive(
                self.function, f"{self.name}_{self.kind.removeprefix('def')}_{self.number}",
                f"{self} calls what cannot be traced, so it has no derivative itself: for a higher "
                "order write it with NumPy's functions, or let it call a @primitive that has rules;"
                f" for the other mode declare {other}, too",
            )  # fmt: skip
        return self._opaque

    # -- calling it ----------------------------------------------------------------------------

    def _run(self, at: At, v: Any) -> Any:
        args, kwargs = at.arguments()
        given = (v, at.result(at.outs), *args)
        recorder = active_recorder()
        leaves = list_leaves((given, kwargs))
        traced = any(map(is_traced, leaves))
        try:
            if traced and recorder is not None and recorder.open:
                result = self._run_traced(recorder, given, kwargs)
                if any(is_traced(leaf) and leaf.version for leaf in leaves):
                    raise written_to(str(self))
                return result
            return untouched(self.function, str(self), leaves, given, kwargs)
        except TracejitError:
            raise
        except Exception as error:
            raise GradientRuleError(
                f"{self} raises {type(error).__name__}: {error}; {self.name} is called at "
                f"{at.where}"
            ) from error

    def _run_traced(
        self, recorder: Recorder, given: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Let it record what it does, or, where it cannot, be one operation."""
        start, left, outer = len(recorder.nodes), recorder.left, recorder.world
        in_place, recorder.writes.enabled = recorder.writes.enabled, False
        own = outer.closed and recorder.made is None  # what it reads is to be watched, too
        try:
            if own:
                recorder.world = World(recorder, outer.following, outer.promoted)
                recorder.world.places = outer.places
            result = recorder.world.inner(self.function)(*given, **kwargs)
            if recorder.left == left:
                if own:
                    carry_over(recorder)
                    outer.arrays += recorder.world.arrays
                    outer.handles |= recorder.world.handles
                return result
        except WriteToArgumentError as error:
            raise written_to(str(self)) from error
        except (Exception, Abandoned):  # the next lines tell whether it is wrong in itself
            pass
        finally:
            recorder.world.closed = recorder.world.closed or own
            recorder.world = outer
            recorder.writes.enabled = in_place
        del recorder.nodes[start:]
        recorder.left = left
        return self.opaque()(*given, **kwargs)

    # -- what it gives -------------------------------------------------------------------------

    def _conform(self, at: At, result: Any, like: Any, likes: Sequence[Any]) -> list[Any]:
        """Take what it gave apart; each leaf fits that of what it is a gradient of."""
        if result is None:
            return [None] * len(likes)
        if callable(result) and not is_traced(result):
            raise self._wrong(at, curried.explain(self, None))
        wanted: list[Any] = []
        tree = flatten(like, wanted)
        of = _GIVES[self.kind][1]
        found = [*self._matched(at, result, tree, of)]
        leaves = []
        for path, leaf, model in zip(tree.paths(), found, wanted, strict=True):
            if not any(model is known for known in likes):  # a constant in a structure
                continue
            leaves.append(self._conform_leaf(at, leaf, model, path_text(of, path)))
        return leaves

    def _matched(self, at: At, result: Any, tree: Tree, of: str) -> Iterator[Any]:
        """List the leaves of what has a structure, where dicts may have their keys in any order."""
        opened = None if is_traced(result) else open_container(result)
        gives = _GIVES[self.kind][0]
        if tree.cls is None:
            if opened is not None:
                kind = type(result).__name__
                raise self._wrong(
                    at, f"gives a {kind}; {gives} must be one array or number, as the {of} is"
                )
            yield result
        elif result is None:
            yield from [None] * tree.leaves
        elif opened is None or type(result) is not tree.cls or {*opened[0]} != {*tree.keys}:
            has = f" with {', '.join(map(repr, opened[0]))}" if opened and opened[0] else ""
            wants = f" with {', '.join(map(repr, tree.keys))}" if tree.keys else ""
            raise self._wrong(
                at, f"gives {_described(result)}{has}; {gives} must be of the structure of the "
                f"{of}: a {tree.cls.__name__}{wants}",
            )  # fmt: skip
        else:
            held = dict(zip(opened[0], opened[1], strict=True))
            for key, child in zip(tree.keys, tree.children, strict=True):
                yield from self._matched(at, held[key], child, path_text(of, (key,)))

    def _conform_leaf(self, at: At, leaf: Any, model: Any, of: str) -> Any:
        if leaf is None or np.result_type(value_of(model)).kind not in "fc":
            return None
        gives, _, zero = _GIVES[self.kind]
        wants = f"{gives} must be like the {of}: {_described(model)}"
        if not _is_numeric(leaf):
            raise self._wrong(at, f"gives {_described(leaf)}; {wants}")
        kind = np.result_type(leaf).kind
        if kind not in "fc":
            raise self._wrong(at, f"gives {_described(leaf)}, which is no float; {wants} ({zero})")
        if kind == "c" and np.result_type(model).kind == "f":
            raise self._wrong(at, f"gives {_described(leaf)}; {wants}: take np.real of it")
        if np.shape(leaf) != np.shape(model):
            raise self._wrong(
                at, f"gives {_described(leaf)}; {wants}: undo what broadcasting did ({zero})"
            )
        return leaf.copy() if type(leaf) is np.ndarray else leaf

    def _wrong(self, at: At, what: str) -> GradientRuleError:
        return GradientRuleError(f"{self} {what}; {self.name} is called at {at.where}")


def _is_numeric(value: Any) -> bool:
    cls = value.__class__
    if cls is np.ndarray or issubclass(cls, np.generic):
        return bool(np.result_type(value).kind in "biufc")
    return cls in (bool, int, float, complex)


def _described(value: Any) -> str:
    """Describe a value for a message: f8[2,3], a number, a type."""
    if _is_numeric(value):
        plain = value_of(value)
        return str(spec_of(plain)) + "[]" * (type(plain) is np.ndarray and not plain.shape)
    return f"a {type(value).__name__}"


def _fresh(v: Any) -> Any:
    """Give a rule a traced value of its own, which it may write to."""
    return v.recorder.lift(v.current()) if is_traced(v) else v


def check_count(function: Callable[..., Any], name: str, kind: str, count: int) -> None:
    """Refuse rules for more arguments than the function takes."""
    try:
        most = _arity(function)[1]
    except (TypeError, ValueError):  # a function of C that does not say what it takes
        return
    if count > most:
        raise GradientRuleError(
            f"{kind}({name}, ...) has a rule for argument {count - 1}; {name} takes {most} "
            "positional arguments"
        )


def _check_takes(rule: Rule, of: Callable[..., Any]) -> None:
    """Refuse a rule that cannot be called with (g, out, *args)."""
    try:
        fewest, most = _arity(of)
        least, many = _arity(rule.function)
    except (TypeError, ValueError):
        return
    if many >= fewest + 2 and least <= most + 2:
        return
    if many >= fewest + 1 and (inner := curried.inner_of(rule.function)) is not None:
        raise GradientRuleError(f"{rule} {curried.explain(rule, inner)}")
    first = "g" if rule.kind == "defvjp" else "t"
    raise GradientRuleError(
        f"{rule} takes {many} positional arguments; a rule is called as "
        f"rule({first}, out, *args), so that it takes {fewest + 2}: those of {rule.name} behind "
        f"{first} and the result"
    )


def _arity(function: Callable[..., Any]) -> tuple[float, float]:
    """The fewest and the most positional arguments that a function takes."""
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    open_end = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    fewest = sum(p.default is p.empty for p in named)
    return fewest, float("inf") if open_end else len(named)
