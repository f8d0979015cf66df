"""Functions with a gradient of the user's own: the function runs as it is, and is one node.

A function enters, and later its gradient rules; something leaves that is called like the function.
Each form in which it is called, the structures of its arguments and results, is an op (calls.py).
What it is given it must not change; what it gives is copied.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..dag.op import MISSING, is_traced, value_of
from ..errors import GradientRuleError, UnsupportedError
from ..method import Decorated
from ..trace.recorder import Recorder, active_recorder
from ..tree import flatten, list_leaves, unflatten
from .calls import MANY_CALLS, Call, Declared, forms_of, run_user_function, with_copies
from .rules import Rule, check_count

Rules = Sequence[Callable[..., Any] | None]
_ELSEWHERE = {"defgrad", "defgrads", "defjvp", "defjvps", "defvjp", "defvjps"}  # JAX, autograd


class Primitive(Decorated):
    """A function that is recorded as one operation, with the rules that it has been given.

    declared: the rules; replaced as a whole, so that compiled code sees that they are others.
    borrowed: it stands for a function of a library, and outside of traced functions is that.
    """

    def __init__(
        self, function: Callable[..., Any], name: str = "", missing: str = "",
        borrowed: bool = False,
    ) -> None:  # fmt: skip
        functools.update_wrapper(self, function, updated=())
        found = name or getattr(function, "__name__", "")
        self.__name__ = found if found.isidentifier() else "primitive"
        self.declared = Declared(missing=missing)
        self.borrowed = borrowed
        self._calls: dict[Any, Call] = {}

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        leaves: list[Any] = []
        flatten((args, kwargs), leaves)
        first = next((leaf for leaf in leaves if is_traced(leaf)), None)
        if first is None:
            result = self.__wrapped__(*args, **kwargs)
            return result if self.borrowed else with_copies(result)
        if kwargs:
            args, kwargs = self._by_position(args, kwargs)
        return self._recorded(first.recorder, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # while it is made
            raise AttributeError(name)
        if name in _ELSEWHERE and not hasattr(self.__wrapped__, name):
            kind, first = ("defjvp", "t") if name.startswith("defjvp") else ("defvjp", "g")
            raise AttributeError(
                f".{name} is of another library; write {kind}({self.__name__}, rule, ...) with a "
                f"rule for each argument: rule({first}, out, *args)"
            )
        return getattr(self.__wrapped__, name)

    def __repr__(self) -> str:
        return f"<primitive {self.__name__}>"

    def _parts(self) -> tuple[Any, ...]:
        declared = self.declared
        rules = [
            {n: rule.function if isinstance(rule, Rule) else None
             for n, rule in enumerate(of_kind) if rule is not MISSING}
            for of_kind in (declared.vjp, declared.jvp)
        ]  # fmt: skip
        return self.__wrapped__, *rules, declared.is_zero

    def __setstate__(self, parts: tuple[Any, ...]) -> None:
        function, vjp, jvp, is_zero = parts
        Primitive.__init__(self, function)
        for declare, rules in ((defvjp, vjp), (defjvp, jvp)):
            if rules:
                declare(self, *rules.values(), argnums=(*rules,))
        if is_zero:
            self.declare(is_zero=True)

    def _by_position(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Pass traced values by position, where they have one: the rules are by position."""
        try:
            bound = inspect.signature(self.__wrapped__).bind(*args, **kwargs)
        except ValueError:  # a function of C that does not say what it takes
            return args, kwargs
        parameters = bound.signature.parameters.values()
        named = [p for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
        traced = [
            n for n, p in enumerate(named)
            if n >= len(args) and any(map(is_traced, list_leaves(kwargs.get(p.name))))
        ]  # fmt: skip
        if not traced:
            return args, kwargs
        moved = named[len(args) : traced[-1] + 1]
        args += tuple(kwargs.get(p.name, p.default) for p in moved)
        names = {p.name for p in moved}
        return args, {key: value for key, value in kwargs.items() if key not in names}

    def _recorded(self, recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        form = forms_of(self.__name__, args, kwargs)
        declared = self.declared
        place = recorder.world.constant(self, self.__name__)
        place.require("{v}.declared is {0}", declared)
        try:
            values = [value_of(value) for value in form.inputs]
            plain = form.assemble(values, form.attrs)
            results = run_user_function(self.__wrapped__, self.__name__, values, *plain)
        except Exception:  # if it goes on after this, it may go on otherwise at another call
            recorder.leave(f"an exception that {self.__name__} raises is handled")
            raise
        key = (form.key, results.tree, results.specs)
        call = self._calls.get(key)
        if call is None or call.declared is not declared:
            call = Call(self.__name__, self.__wrapped__, declared, form, results)
            if len(self._calls) >= MANY_CALLS:
                self._calls.clear()
            self._calls[key] = call
        leaves = results.leaves
        value = tuple(leaves) if call.several else leaves[0]
        recorded = recorder.record(call, form.inputs, form.attrs, lambda *given, **attrs: value)
        build = None if recorder.world.closed else recorder.world.build
        return unflatten(results.tree, iter(recorded if call.several else (recorded,)), build)

    def declare(self, **changes: Any) -> None:
        """Replace what is declared of the gradient."""
        self.declared = replace(self.declared, **changes)
        self._calls.clear()


def primitive(function: Callable[..., Any]) -> Primitive:
    """Make a function one operation of traced functions; `defvjp` says what its gradient is.

    The function gets plain arrays and numbers, so it may call anything. It takes and returns arrays
    and numbers, and structures of them: lists, dicts, registered containers. What else it takes
    must be constants (strings, None, numbers by keyword). It must not write to its arguments, and
    its result, of which a copy is returned, must depend on them alone: compiled code may call it
    once where the traced function calls it twice with the same, and never if these are constants.
    For random numbers draw them outside of it. Its shapes and types must be the same for arguments
    of the same shapes.

    >>> @primitive
    ... def floor(x):
    ...     return np.floor(x)
    >>> defvjp(floor, lambda g, out, x: g)      # a straight-through gradient
    >>> jit_grad(lambda x: np.sum(floor(x)))(np.ones(2))
    (array([1., 1.]), 2.0)

    Raises:
        TypeError: it is no function.
    """
    if not callable(function):
        raise TypeError(f"primitive() takes a function, not a {type(function).__name__}")
    if isinstance(function, (staticmethod, classmethod)):
        raise UnsupportedError("write @primitive below @staticmethod, not above it")
    recorder = active_recorder()
    if recorder is not None:
        recorder.leave("a primitive is made anew at each call")
    return Primitive(function)


def defvjp(
    function: Primitive, *rules: Callable[..., Any] | None, argnums: Sequence[int] | None = None
) -> None:
    """Say what the gradient of a primitive is: one rule for each positional argument.

    Args:
        function: what `primitive` has made.
        rules: `rule(g, out, *args, **kwargs)` gives the cotangent of its argument from that of the
            result, g: of the argument's structure and exactly its shape, and real where the
            argument is; float32 and float64 are converted. None, as a rule or as what it returns,
            says that it is zero, which that of integers always is. A rule is written as traced
            functions are, so that it can be differentiated, too. One that calls what cannot be
            traced works, but not for a second derivative.
        argnums: the arguments that the rules are for, where these are not the first ones.

    Raises:
        TypeError: the function was not made by `primitive`.
        GradientRuleError: a rule cannot be called like this, or there are too many.
    """
    _declare(function, "defvjp", "vjp", rules, argnums)


def defjvp(
    function: Primitive, *rules: Callable[..., Any] | None, argnums: Sequence[int] | None = None
) -> None:
    """Say what the derivative of a primitive is in forward mode: one rule for each argument.

    Each mode follows from the rules of the other one by transposition; where a primitive has both,
    each mode has its own.

    Args:
        function: what `primitive` has made.
        rules: `rule(t, out, *args, **kwargs)` gives the part of the result's tangent that comes
            from that of its argument, t: linear in t, of the result's structure and shape. None
            says that it is zero. See `defvjp` for what else holds.
        argnums: the arguments that the rules are for, where these are not the first ones.

    Raises:
        TypeError, GradientRuleError: as for `defvjp`.
    """
    _declare(function, "defjvp", "jvp", rules, argnums)


def _declare(
    function: Primitive, title: str, kind: str, rules: Rules, argnums: Sequence[int] | None
) -> None:
    if not isinstance(function, Primitive):
        raise TypeError(f"{title}() wants a function that @primitive decorates; got {function!r}")
    name = function.__name__
    numbers = range(len(rules)) if argnums is None else argnums
    if (
        not isinstance(numbers, Sequence)
        or any(type(n) is not int or n < 0 for n in numbers)
        or not len(rules) == len(numbers) == len({*numbers})
    ):
        raise GradientRuleError(
            f"{title}({name}, ...) has {len(rules)} rules and argnums={argnums!r}; there must be "
            "a number of an argument for each rule, such as argnums=(0, 2)"
        )
    check_count(function.__wrapped__, name, title, max(numbers, default=-1) + 1)
    made: list[Any] = [MISSING] * (max(numbers, default=-1) + 1)
    for number, rule in zip(numbers, rules, strict=True):
        made[number] = None
        if rule is not None:
            made[number] = Rule(name, number, title, rule, function.__wrapped__)
    function.declare(**{kind: tuple(made)}, is_zero=False)
