"""Programs that operators make of functions, found again by function: a loop compiles them once.

A program holds its function, and so the arrays in the function's closure. Those of functions that
may hold something are therefore kept in small number, the ones used last.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Hashable
from types import FunctionType, MethodType
from typing import Any

from ..cache import LOCK
from ..config import check_backend
from ..function import JitGrad
from ..outcome import Wanted
from ..trace.recorder import active_recorder

Argnum = int | tuple[int, ...]
Body = Callable[..., Any]  # what a program does: (recorder, *args, **kwargs) -> results

MANY = 1024  # programs of functions that are code alone
FEW = 32  # programs of closures, methods and other objects
_THEMSELVES = frozenset({FunctionType, bool, int, str})  # what keys hold as it is

Kept = OrderedDict[Hashable, tuple[Any, Any]]
_LIGHT: Kept = OrderedDict()
_HEAVY: Kept = OrderedDict()


def recalled(make: Callable[[], Any], function: Callable[..., Any], *options: Any) -> Any:
    """Give what was made before for the very same function and options, or make it.

    Functions of a recording that is under way are its own: nothing is kept for them.
    """
    if active_recorder() is not None:
        return make()
    key = (_identity(function), *map(_identity, options))
    with LOCK:
        for kept in (_LIGHT, _HEAVY):
            if key in kept:
                kept.move_to_end(key)
                return kept[key][1]
    light = all(_is_light(f) for f in (function, *options) if callable(f))
    kept, limit = (_LIGHT, MANY) if light else (_HEAVY, FEW)
    made = make()
    with LOCK:
        kept[key] = ((function, options), made)  # held, so that their ids stay theirs
        if len(kept) > limit:
            kept.popitem(last=False)
    return made


def _is_light(function: Any) -> bool:
    return type(function) is FunctionType and not (
        function.__closure__ or function.__defaults__ or function.__kwdefaults__
    )


def _identity(value: Any) -> Hashable:
    if type(value) in _THEMSELVES:
        return value  # type: ignore[no-any-return]
    if isinstance(value, MethodType):
        return id(value.__self__), id(value.__func__)
    return value if isinstance(value, (bool, int, str, tuple)) else id(value)


def require_callable(f: Any) -> None:
    if not callable(f):
        raise TypeError(f"a differential operator takes a function, not a {type(f).__name__}")


def made(f: Callable[..., Any], wanted: Wanted, optimize: bool, backend: str) -> JitGrad:
    """Make the callable of an operator."""
    require_callable(f)
    check_backend(backend)
    return JitGrad(f, wanted, optimize, None, True, backend)


def outputs(f: Callable[..., Any], optimize: bool, backend: str) -> JitGrad:
    """Make of a function one that computes the same, compiled."""
    return made(f, Wanted(gradients=False), optimize, backend)


def program_of(
    make: Callable[..., Body], f: Callable[..., Any], argnum: Argnum, optimize: bool, backend: str,
    *more: Any,
) -> JitGrad:  # fmt: skip
    """Compile what `make` makes of a function: once for each, so that a loop finds it again."""

    def make_program() -> JitGrad:
        Wanted(argnum=argnum)  # or an error
        require_callable(f)
        body = make(f, argnum, optimize, backend, *more)

        def program(*args: Any, **kwargs: Any) -> Any:
            recorder = active_recorder()
            if recorder is None:  # an audit asks what it does as plain Python
                return outputs(program, False, backend)(*args, **kwargs)
            return body(recorder, *args, **kwargs)

        vars(program)["argument_names"] = _argument_names(f, body)
        name = getattr(f, "__name__", "")
        name = name if name.isidentifier() else "function"
        program.__name__ = f"{make.__name__.strip('_')}_of_{name}"
        vars(program)["made_by"] = program_of, (make, f, argnum, optimize, backend, *more)
        return outputs(program, optimize, backend)

    found: JitGrad = recalled(make_program, f, make, argnum, optimize, backend, *more)
    return found


def _argument_names(f: Callable[..., Any], body: Body) -> tuple[str, ...]:
    """Name what a body takes: by its own names, or as f does, and a vector behind."""
    of_f, (_, *own) = _parameters(f), _parameters(body)
    if not any(p.kind is p.VAR_POSITIONAL for p in own):
        return tuple(p.name for p in own)
    names = tuple(p.name for p in of_f if p.kind <= p.POSITIONAL_OR_KEYWORD)
    settled = all(p.default is p.empty for p in of_f)
    return (*names, "vector") if settled and "vector" not in names else names


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # functions of C that do not say
        return []
