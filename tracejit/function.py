"""The callable that jit_grad returns: the life of a call, in reading order.

    signature -> recorded before? -> compiled code answers
              -> else record, differentiate (joint.py), answer, and keep the graph
                 the next call with this signature compiles it: optimize, plan, emit, load

Where a function cannot be compiled, direct mode answers: the same recording and the same rules,
with plain values in the reverse sweep.
"""

from __future__ import annotations

import functools
import gc
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from . import audit as auditing
from .binding import Binding
from .cache import Cache, CacheInfo, Signature
from .codegen.compile import Compiled, load
from .codegen.emit import emit
from .codegen.targets import find
from .config import BACKENDS, settings
from .dag.graph import Graph
from .dag.node import Node, location
from .dag.passes import optimize
from .errors import ConfigError, FallbackError, TracejitError
from .joint import run
from .outcome import (
    Form,
    Run,
    Wanted,
    form_of,
    plain_results,
    seal,
    static_leaf,
    traced_results,
)
from .trace import Recorder, active_recorder
from .trace.capture import Capture, Guard, capture
from .trace.source import warn

MANY_CHANGES = 16  # of one constant; from then on direct mode answers


class Entry:
    """What is kept for one signature: a recorded graph, compiled when it is needed again.

    direct: why direct mode answers, or None.
    """

    __slots__ = (
        "arity", "audited", "compiled", "direct", "form", "graph", "guards", "optimized",
        "recorded",
    )  # fmt: skip

    def __init__(self, arity: int) -> None:
        self.arity = arity
        self.audited = False
        self.compiled: Compiled | None = None
        self.direct: str | None = None
        self.form: Form | None = None
        self.graph: Graph | None = None
        self.guards: tuple[Guard, ...] = ()
        self.optimized: Graph | None = None
        self.recorded = 0


# No compiled code yet: the arity that no call has comes first.
_NONE: tuple[int, Callable[..., Any], Callable[..., Any], Entry] = (-1, bool, bool, Entry(-1))


class JitGrad:
    """A function together with its gradient; see `jit_grad`."""

    __wrapped__: Callable[..., Any]
    __name__: str

    def __init__(
        self, function: Callable[..., Any], wanted: Wanted, optimize: bool, debug_hook: Any,
        audit: bool, backend: str, receiver: bool = False,
    ) -> None:  # fmt: skip
        functools.update_wrapper(self, function, updated=())
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self.__tracejit_function__ = function
        self._wanted = wanted
        self._optimize = optimize
        self._debug_hook = debug_hook
        self._audit = audit
        self._backend = backend if backend != "auto" else settings.backend
        self._receiver = receiver  # the first argument is the instance of a method
        self._method: JitGrad | None = None
        self._binding = Binding(function)
        self._cache: Cache[Entry] = Cache(settings.cache_size)
        self._captures: dict[frozenset[type], Capture] = {}
        self._changes: Counter[str] = Counter()
        self._latest = _NONE
        self._hits = self._misses = self._direct = 0
        self._warned = False

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        arity, accepts, run_compiled, entry = self._latest  # one read: other threads change it
        if (
            len(args) == arity
            and not kwargs
            and accepts(*args)
            and active_recorder() is None
        ):
            for guard in entry.guards:
                if not guard.holds():
                    return self._slow(args, kwargs)
            try:
                result = run_compiled(*args)
            except Exception as error:
                if entry.compiled and type(error) is entry.compiled.unseen:
                    return self._run_unseen(*self._sign(args, kwargs))
                raise self._located(error, entry) from None
            self._hits += 1
            return result
        return self._slow(args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self._method is None:
            wanted = replace(self._wanted, argnum=self._wanted.argnum + 1)
            self._method = JitGrad(self.__wrapped__, wanted, self._optimize, self._debug_hook,
                                   self._audit, self._backend, receiver=True)
        return _Bound(self._method, instance)

    # -- the slower ways to an answer --------------------------------------------------------

    def _slow(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        signature, upstream = self._sign(args, kwargs)
        outer = active_recorder()
        if outer is not None:
            result = run(outer, self.__wrapped__, signature, self._wanted, upstream, nested=True)
            return traced_results(outer, result)
        if self._debug_hook is not None or settings.check:
            return self._debug(signature, upstream)
        if not self._optimize:
            return self._run_directly(signature, upstream)
        key = signature.key_with(upstream)
        entry = self._cache.find(key)
        if entry is not None and all(guard.holds() for guard in entry.guards):
            if entry.direct is not None:
                self._direct += 1
                return self._run_directly(signature, upstream)
            self._hits += 1
            return self._run_compiled(entry, signature, upstream)
        return self._record(key, signature, upstream)

    def _sign(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Signature, Any]:
        upstream = None
        if self._wanted.partial:
            if not args:
                raise TypeError("partialGrad=True: the last positional argument is dL/d(output)")
            *given, upstream = args
            args = tuple(given)
        values, keywords = self._binding.bind(args, kwargs)
        names = self._binding.names(len(values), keywords)
        return Signature(values, keywords, names, self._receiver), upstream

    def _run_directly(self, signature: Signature, upstream: Any) -> Any:
        with Recorder(for_compiling=False) as recorder:
            result = run(recorder, self.__wrapped__, signature, self._wanted, upstream)
        return plain_results(result, recorder)

    def _record(self, key: Hashable, signature: Signature, upstream: Any) -> Any:
        """Answer a call of a new signature, and keep what was recorded."""
        self._misses += 1
        reason = self._cache.explain_miss(signature, self._changed(key))
        if settings.debug:
            print(f"tracejit: {self.__name__}: miss: {reason}", file=sys.stderr)
        entry = Entry(len(signature.trees) + self._wanted.partial)
        found = self._captured(signature)
        entry.guards = found.guards
        entry.direct = found.reason or signature.opaque or self._restless()
        if entry.direct is not None:
            self._fall_back(entry.direct)
            answer = self._run_directly(signature, upstream)
        else:
            with Recorder(for_compiling=True) as recorder:
                result = run(recorder, self.__wrapped__, signature, self._wanted, upstream)
            entry.direct = recorder.left or _opaque_output(result)
            if entry.direct is not None:
                self._fall_back(entry.direct)
            answer = plain_results(result, recorder)
            if entry.direct is None:
                entry.graph = seal(result, recorder, self.__name__)
                entry.form = form_of(result)
        if entry.direct is not None:
            self._direct += 1
            entry.guards = ()  # direct mode reads everything afresh
        self._cache.store(key, signature, entry)
        return answer

    def _changed(self, key: Hashable) -> str | None:
        """Say which name that the function reads has changed since this signature was recorded."""
        known = self._cache.find(key)
        changed = (guard.change() for guard in known.guards) if known is not None else ()
        return next((text for text in changed if text is not None), None)

    def _captured(self, signature: Signature) -> Capture:
        """What the function reads from outside; scanned again when that has changed."""
        types = signature.container_types()
        found = self._captures.get(types)
        if found is None or found.reason is not None or not all(g.holds() for g in found.guards):
            if found is not None:
                self._changes.update(guard.name for guard in found.guards if not guard.holds())
            found = self._captures[types] = capture(self.__wrapped__, types)
        return found

    def _restless(self) -> str | None:
        """Name a constant that has changed so often that recording it anew does not pay."""
        for name, count in self._changes.items():
            if count >= MANY_CHANGES:
                return f"{name}, which it reads, keeps changing; make it an argument"
        return None

    def _run_compiled(self, entry: Entry, signature: Signature, upstream: Any) -> Any:
        compiled = self._compile(entry, signature)
        values = signature.arguments(signature.leaves)
        if self._wanted.partial:
            values.append(upstream)
        try:
            result = compiled.run(*values)
        except Exception as error:
            if type(error) is compiled.unseen:
                return self._run_unseen(signature, upstream)
            raise self._located(error, entry) from None
        if self._audit and not entry.audited:
            entry.audited = True
            wrong = auditing.differs(self, signature, upstream, result)
            if wrong is not None:
                entry.direct = wrong.reason
                self._fall_back(wrong.reason)
                return wrong.answer
        if not signature.keywords:  # those calls are told apart by name, which accepts does not see
            self._latest = (entry.arity, compiled.accepts, compiled.run, entry)
        return result

    def _run_unseen(self, signature: Signature, upstream: Any) -> Any:
        """Answer a call that goes a way that was not recorded."""
        self._direct += 1
        return self._run_directly(signature, upstream)

    def _compile(self, entry: Entry, signature: Signature) -> Compiled:
        graph = entry.graph
        if graph is not None:  # set before `compiled` is, and taken away after: threads may race
            assert entry.form is not None
            with _without_collection():
                entry.optimized = optimize(graph)
                upstream, target = self._wanted.partial, find(self._backend)
                emitted = emit(entry.optimized, signature, entry.form, upstream, target)
                entry.recorded = len(graph.nodes)
                entry.compiled = load(emitted)
            entry.graph = None
        assert entry.compiled is not None
        return entry.compiled

    # -- falling back, errors, debugging -----------------------------------------------------

    def _fall_back(self, reason: str) -> None:
        message = f"{self.__name__} runs in direct mode, not compiled: {reason}"
        if settings.strict:
            raise FallbackError(message)
        if not self._warned:
            self._warned = True
            warn(message)

    def _located(self, error: Exception, entry: Entry) -> Exception:
        """Add the user's line to an exception that compiled code raised."""
        node = entry.compiled.node_at(error.__traceback__) if entry.compiled else None
        if node is not None and node.site is not None:
            note = f"in {node.op.path or node.op.name} at {location(node.site)}"
            if hasattr(error, "add_note"):
                error.add_note(note)
            elif error.args and isinstance(error.args[0], str):
                error.args = (f"{error.args[0]} ({note})", *error.args[1:])
        return error

    def _debug(self, signature: Signature, upstream: Any) -> Any:
        from .debug.checks import run_checked

        return run_checked(self.__wrapped__, self.__name__, signature, self._wanted, upstream,
                           self._debug_hook)

    # -- looking inside ----------------------------------------------------------------------

    def _compiled_entry(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Entry:
        signature, upstream = self._sign(args, kwargs)
        key = signature.key_with(upstream)
        entry = self._cache.find(key)
        if entry is None:
            self._record(key, signature, upstream)
            entry = self._cache.find(key)
        assert entry is not None
        if entry.direct is not None:
            raise TracejitError(
                f"{self.__name__} is not compiled, so there is nothing to show: {entry.direct}"
            )
        self._compile(entry, signature)
        return entry

    def source(self, *args: Any, backend: str | None = None, **kwargs: Any) -> str:
        """Return the emitted module for a call with these arguments, as text."""
        check_backend(backend)
        compiled = self._compiled_entry(args, kwargs).compiled
        assert compiled is not None
        return compiled.emitted.text

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """Return the optimised joint graph for a call with these arguments."""
        optimized = self._compiled_entry(args, kwargs).optimized
        assert optimized is not None
        return optimized

    def explain(self) -> str:
        """Say in text what is cached, how it is answered and why, and why calls missed."""
        lines = [f"{self.__name__}: {self.cache_info()}"]
        for described, entry in self._cache.items():
            lines.append("signature " + ", ".join(f"{k}: {v}" for k, v in described.items()))
            if entry.direct is not None:
                lines.append(f"  direct mode: {entry.direct}")
            elif entry.compiled is None or entry.optimized is None:
                lines.append("  recorded; compiled when it is called again")
            else:
                counts = f"{entry.recorded} nodes, {len(entry.optimized.nodes)} optimised"
                pool = entry.compiled.pool
                buffers = f", buffers {pool.nbytes} bytes" if pool else ""
                lines.append(f"  numpy target: {counts}{buffers}: {entry.compiled.path}")
        lines += [f"miss: {reason}" for reason in self._cache.misses]
        return "\n".join(lines)

    def wait(self) -> None:
        """Return when no compilation is pending: at once, on the NumPy target."""

    def cache_info(self) -> CacheInfo:
        """Return the counts of hits, misses, kept signatures and direct calls."""
        return CacheInfo(self._hits, self._misses, len(self._cache), self._direct)

    def cache_clear(self) -> None:
        """Forget all signatures, compiled code and counts."""
        self._latest = _NONE
        self._cache.clear()
        self._changes.clear()
        self._hits = self._misses = self._direct = 0
        self._changes.clear()


class _Bound:
    """A jit_grad method together with its instance, which is no parameter."""

    __slots__ = ("__self__", "_method")

    def __init__(self, method: JitGrad, instance: Any) -> None:
        self._method = method
        self.__self__ = instance

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._method(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._method, name)
        return functools.partial(value, self.__self__) if name in ("source", "graph") else value


@contextmanager
def _without_collection() -> Iterator[None]:
    """Hold off the garbage collector: it takes a third of the time to compile a long graph."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _opaque_output(result: Run) -> str | None:
    """Say which output cannot be written into emitted code."""
    for output in result.outputs:
        if type(output) is not Node and not static_leaf(output):
            return f"it returns a {type(output).__name__}"
    return None


def check_backend(backend: str | None) -> None:
    """Refuse a target that does not exist."""
    if backend is not None and backend not in BACKENDS:
        raise ConfigError(f"backend={backend!r} is not allowed; use one of: {', '.join(BACKENDS)}")
