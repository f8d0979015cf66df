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
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

from .entries import Code, Header
from .parts import JIT


class Incomplete(Exception):
    """An entry lacks a function that its text defines."""


def made_with() -> list[str]:
    """Say what machine code depends on beside its text."""
    versions = [sys.version, numba.__version__, llvmlite.__version__, np.__version__]
    target = cpu_target.target_context.codegen().magic_tuple()
    return [*versions, *map(str, target)]


def disabled() -> bool:
    """Tell whether Numba was told not to compile."""
    return bool(vars(config)["DISABLE_JIT"])


class _Function(_Cache):
    """What Numba asks for the code of one function, and gives it to."""

    cache_path = None

    def __init__(self, known: list[bytes] | None, made: list[bytes]) -> None:
        self._known = None if known is None else iter(known)
        self._made = made

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        if self._known is None:
            return None
        target_context.refresh()
        blob = next(self._known, None)
        if blob is None:
            raise Incomplete(f"no code for {sig}")
        return CompileResult._rebuild(  # type: ignore[no-untyped-call]
            target_context, *pickle.loads(blob)
        )

    def save_overload(self, sig: Any, data: Any) -> None:
        self._made.append(dumps(data._reduce()))  # type: ignore[no-untyped-call]

    def enable(self) -> None:
        pass

    def disable(self) -> None:
        pass

    def flush(self) -> None:
        pass


class _Run:
    """One execution of a machine part; `known`: its code, or None: it is compiled."""

    def __init__(self, known: Code | None) -> None:
        self._known = known
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
        known = None if self._known is None else self._known.get(name, [])
        dispatcher._cache = _Function(known, self.made.setdefault(name, []))
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
    """Make the functions of a machine part of their code."""
    return _Run(code).execute(text, f"_tracejit_{name}")
