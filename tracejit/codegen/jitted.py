"""The machine part of an emitted module, run by Numba: compiled, or taken from an entry on disk.

`compile_part` compiles all that has explicit signatures and gives the machine code; `load_part`
makes the functions of that code and compiles nothing. Numba's own files and settings of where they
go are left alone: each function gets an object with the interface of Numba's caches.
Importing this module imports Numba.
"""

from __future__ import annotations

import pickle
import sys
import time
import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from .entries import Code, Header
from .parts import JIT

_RELOAD = 7  # where CompileResult._reduce has what must run before code is used


class Incomplete(Exception):
    """An entry lacks a function that its text defines."""


@lru_cache(maxsize=1)
def made_with() -> list[str]:
    """Say what machine code depends on beside its text."""
    versions = [sys.version, numba.__version__, llvmlite.__version__, np.__version__]
    target = cpu_target.target_context.codegen().magic_tuple()
    return [*versions, *map(str, target)]


def set_up() -> None:
    """Do now what Numba does before it compiles first."""
    cpu_target.target_context.refresh()


def disabled() -> bool:
    """Tell whether Numba was told not to compile."""
    return bool(vars(config)["DISABLE_JIT"])


class _Function(_Cache):
    """What Numba asks for the code of one function, and gives it to."""

    cache_path = None

    def __init__(self, run: _Run, name: str) -> None:
        self._run = run
        self._known = iter(run.known.get(name, ()) if run.known is not None else ())
        self._made = run.made.setdefault(name, [])

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        if self._run.known is None:
            return None
        blob = next(self._known, None)
        if blob is None:
            raise Incomplete(f"no code for {sig}")
        symbols, parts = pickle.loads(blob)
        _prepare(target_context, symbols, parts[_RELOAD])
        return CompileResult._rebuild(target_context, *parts)  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        content = _undefined(data.library._final_module), data._reduce()
        self._made.append(dumps(content))  # type: ignore[no-untyped-call]

    def enable(self) -> None:
        pass

    def disable(self) -> None:
        pass

    def flush(self) -> None:
        pass


def _undefined(module: Any) -> list[str]:
    """The names that a module of LLVM declares and does not define."""
    values = [*module.functions, *module.global_variables]
    names = sorted(value.name for value in values if value.is_declaration)
    return [name for name in names if not name.startswith("llvm.")]


def _prepare(target_context: Any, symbols: list[str], reload: list[Callable[[], None]]) -> None:
    """See to it that code can be linked: LLVM ends the process where a symbol is missing.

    Numba's runtime is enough for nearly all code. The rest of what Numba sets up before it
    compiles takes 0.4 s more, and is done where a symbol is not known by then.
    """
    rtsys.initialize(target_context)
    for function in reload:
        function()
    find = llvmlite.binding.address_of_symbol
    if any(find(symbol) is None for symbol in symbols):
        target_context.refresh()


class _Run:
    """One execution of a machine part; `known`: its code, or None: it is compiled."""

    def __init__(self, known: Code | None) -> None:
        self.known = known
        self.made: Code = {}
        self.seconds: dict[str, float] = {}

    def jit(self, *signatures: Any, **options: Any) -> Callable[..., Any]:
        """Stand for Numba's decorator."""
        if signatures and isinstance(signatures[0], types.FunctionType):
            return numba.njit(signatures[0])
        options.pop("cache", None)
        given = signatures[0] if signatures else ()
        wanted = given if isinstance(given, (list, tuple)) else [given]

        def decorate(function: Callable[..., Any]) -> Any:
            dispatcher = numba.njit(**options)(function)
            if wanted:
                self._fill(dispatcher, function.__name__, wanted)
            return dispatcher

        return decorate

    def _fill(self, dispatcher: Any, name: str, signatures: Any) -> None:
        dispatcher._cache = _Function(self, name)
        begun = time.perf_counter()
        for signature in signatures:
            dispatcher.compile(signature)
        dispatcher.disable_compile()
        self.seconds[name] = time.perf_counter() - begun

    def execute(self, text: str, name: str) -> dict[str, Any]:
        """Execute a machine part as a module of that name, which code on disk refers to."""
        module = types.ModuleType(name)
        vars(module)[JIT] = self.jit
        code = compile(text, f"<{name}>", "exec", dont_inherit=True)
        sys.modules[name] = module
        try:
            exec(code, vars(module))
        finally:
            del sys.modules[name]
        return vars(module)


def compile_part(text: str, name: str) -> tuple[Header, Code]:
    """Compile a machine part; `name` is that of its entry."""
    run = _Run(None)
    run.execute(text, f"_tracejit_{name}")
    functions = [
        (function, run.seconds[function], [len(blob) for blob in blobs])
        for function, blobs in run.made.items()
    ]
    return Header(made_with(), functions), run.made


def load_part(text: str, name: str, code: Code) -> dict[str, Any]:
    """Make the functions of a machine part of their code.

    What has one signature is called without Numba's choice among several, which takes longer than
    many a kernel: `accepts` has seen to the types of a call.
    """
    found = _Run(code).execute(text, f"_tracejit_{name}")
    return {key: _entry_point(value) for key, value in found.items()}


def _entry_point(value: Any) -> Any:
    overloads: Any = getattr(value, "overloads", ())
    return next(iter(overloads.values())).entry_point if len(overloads) == 1 else value
