"""The callable that jit_grad returns: the life of a call, in reading order.

    signature -> recorded before, and what it read still holds? -> compiled code answers
              -> a branch goes a way that was not recorded? -> record this path, graft it
              -> else record, differentiate (joint.py), answer, and keep the graph
                 the next call with this signature compiles it: optimize, plan, emit, load

Where a function cannot be compiled, direct mode answers: the same recording and the same rules,
with plain values in the reverse sweep.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Hashable
from time import monotonic, perf_counter
from typing import Any

from . import audit as auditing
from .binding import Binding
from .cache import LOCK, CacheInfo, Signature
from .codegen.compile import Compiled
from .config import check_backend, settings
from .dag.graph import Graph
from .errors import Abandoned, FallbackError, TracejitError
from .joint import run
from .method import BoundJitGrad, Decorated
from .outcome import Run, Wanted, form_of, opaque_output, plain_results, seal, traced_results
from .store import Entry, store_for
from .trace import Recorder, active_recorder
from .trace.reality import leave_plain, require_distinct
from .trace.source import warn
from .variant import Variant, repeats

# No compiled code yet: the arity that no call has comes first.
_NONE: tuple[int, Callable[..., Any], Callable[..., Any], Callable[..., Any], Any] = (
    -1, bool, bool, bool, None
)  # fmt: skip


class JitGrad(Decorated):
    """A function together with its gradient; see `jit_grad`."""

    __tracejit_jit__ = True  # by which a traced function knows it

    def __init__(
        self, function: Callable[..., Any], wanted: Wanted, optimize: bool, debug_hook: Any,
        audit: bool | str, backend: str, receiver: bool = False,
    ) -> None:  # fmt: skip
        functools.update_wrapper(self, function, updated=())
        self.__name__ = getattr(function, "__name__", type(function).__name__)
        self._wanted = wanted
        self._optimize = optimize
        self._debug_hook = debug_hook
        self._audit = audit
        self._backend = backend if backend != "auto" else settings.backend
        self._receiver = receiver  # the first argument is the instance of a method
        self._method: JitGrad | None = None
        self._binding = Binding(function)
        self._store = store_for(function, (wanted, receiver, audit, self._backend))
        self._latest = _NONE
        self._hits = self._misses = self._direct = 0
        self._warned = self._warned_of_zeros = False
        self._real: str | None = None  # why it runs on the real things

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        # One read of what other threads change.
        arity, accepts, read, run_compiled, variant = self._latest
        if (
            len(args) == arity
            and not kwargs
            and accepts(*args)
            and active_recorder() is None
        ):
            captured = read(self.__wrapped__, args)
            if captured is not None and variant.calls_left > 0:
                variant.calls_left -= 1
                try:
                    result = run_compiled(*args, *captured)
                except Exception as error:
                    failure = error  # handled below, so that it is not the context of others
                else:
                    self._hits += 1
                    return result
                form = vars(run_compiled)["compiled"]
                return self._failed(failure, variant, form, *self._sign(args, kwargs))
        return self._slow(args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self._method is None:
            wanted = self._wanted.shifted()
            self._method = JitGrad(self.__wrapped__, wanted, self._optimize, self._debug_hook,
                                   self._audit, self._backend, receiver=True)
        return BoundJitGrad(self._method, instance)

    def __repr__(self) -> str:
        return f"<jit_grad of {self.__name__}>"

    def _parts(self) -> tuple[Any, ...]:
        return (self.__wrapped__, self._wanted, self._optimize, self._debug_hook, self._audit,
                self._backend, self._receiver)  # fmt: skip

    # -- the slower ways to an answer --------------------------------------------------------

    def _slow(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        outer = active_recorder()
        nested = outer is not None and outer.is_running()
        signature, upstream = self._sign(args, kwargs, outer if nested else None)
        if outer is not None and nested:
            result = run(outer, self.__wrapped__, signature, self._wanted, upstream, nested=True)
            return traced_results(outer, result)
        if self._debug_hook is not None or settings.check:
            return self._debug(signature, upstream)
        if not self._optimize:
            return self._run_directly(signature, upstream)
        key = signature.key_with(upstream)
        entry = self._store.cache.find(key)
        if entry is None:
            return self._note(key, None, signature, upstream)
        if entry.direct is not None:
            self._direct += 1
            return self._run_directly(signature, upstream)
        for variant in entry.variants:
            captured = variant.read(self.__wrapped__, signature.values)
            if captured is not None:
                return self._run_compiled(variant, signature, upstream, captured)
        return self._note(key, entry, signature, upstream)

    def _sign(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], outer: Recorder | None = None
    ) -> tuple[Signature, Any]:
        upstream = None
        if self._wanted.partial:
            if not args:
                raise TypeError("partialGrad=True: the last positional argument is dL/d(output)")
            *given, upstream = args
            args = tuple(given)
        if self._binding.outdated(self.__wrapped__):
            self._binding = Binding(self.__wrapped__)
        binding = self._binding
        if outer is not None and binding.fills_in(args, kwargs):
            binding = Binding(outer.world.inner(self.__wrapped__))  # whose defaults are traced
        values, keywords = binding.bind(args, kwargs)
        names = binding.names(len(values), keywords)
        return Signature(values, keywords, names, self._receiver), upstream

    def _run_directly(
        self, signature: Signature, upstream: Any, drawn: tuple[Any, ...] = ()
    ) -> Any:
        if self._real is None:
            try:
                with Recorder(for_compiling=False, drawn=drawn) as recorder:
                    result = run(recorder, self.__wrapped__, signature, self._wanted, upstream)
                self._real = recorder.world.wants_reality
                self._warn_of_zeros(result)
                return plain_results(result, recorder)
            except Abandoned as reason:
                self._real = str(reason)
        if "`is`" in self._real:
            require_distinct(signature.leaves, self.__wrapped__)
        with Recorder(for_compiling=False, real=True) as recorder:
            result = run(recorder, self.__wrapped__, signature, self._wanted, upstream)
        self._warn_of_zeros(result)
        answer = plain_results(result, recorder)
        del result
        leave_plain(recorder)
        return answer

    def _warn_of_zeros(self, result: Run) -> None:
        if result.disconnected and not self._warned_of_zeros:
            self._warned_of_zeros = True
            warn("the first output does not depend on any parameter: all gradients are zero")

    # -- recording ---------------------------------------------------------------------------

    def _note(
        self, key: Hashable, entry: Entry | None, signature: Signature, upstream: Any
    ) -> Any:
        """Answer a call of a new signature, or of one with other captures, and keep it."""
        self._misses += 1
        entry = entry or Entry()
        changed = self._store.changed(entry, self.__wrapped__, signature)
        reason = self._store.cache.explain_miss(signature, changed)
        if settings.debug:
            print(f"tracejit: {self.__name__}: miss: {reason}", file=sys.stderr)
        if entry.direct is not None:
            self._fall_back(entry.direct)
            self._direct += 1
            answer = self._run_directly(signature, upstream)
        else:
            answer, result, recorder = self._run_recording(signature, upstream)
            entry.direct = self._real or recorder.left
            if entry.direct is not None:
                self._direct += 1
                self._fall_back(entry.direct)
            else:
                world = recorder.world
                graph = seal(result, recorder, self.__name__, world.places.inputs)
                form, again = form_of(result), repeats(result, recorder)
                entry.add(Variant(world.places, graph, form, again, signature))
        with LOCK:
            self._store.cache.store(key, signature, entry)
        return answer

    def _run_recording(
        self, signature: Signature, upstream: Any, drawn: tuple[Any, ...] = ()
    ) -> tuple[Any, Run, Recorder]:
        try:
            with Recorder(for_compiling=True, drawn=drawn) as recorder:
                recorder.promoted = self._store.promoted
                recorder.backend = self._backend
                result = run(recorder, self.__wrapped__, signature, self._wanted, upstream)
                recorder.left = recorder.left or opaque_output(result)
            self._real = recorder.world.wants_reality
        except Abandoned as reason:
            self._real = recorder.left = str(reason)
            if settings.strict:
                self._fall_back(self._real)
            return self._run_directly(signature, upstream), Run(signature, self._wanted), recorder
        self._warn_of_zeros(result)
        return plain_results(result, recorder), result, recorder

    def _record_path(
        self, variant: Variant, signature: Signature, upstream: Any, drawn: tuple[Any, ...]
    ) -> Any:
        """Answer a call that goes another way than those recorded, and keep this path too."""
        self._misses += 1
        entry = self._store.cache.find(signature.key_with(upstream))
        if entry is not None and entry.direct is not None:
            self._direct += 1
            return self._run_directly(signature, upstream, drawn)
        answer, result, recorder = self._run_recording(signature, upstream, drawn)
        reason = recorder.left
        if reason is None:
            with LOCK:
                reason = variant.graft(result, recorder, self.__name__)
            if variant.stale:
                self._latest = _NONE
        if reason is not None:
            self._direct += 1
            if entry is not None:
                entry.direct = reason
            self._fall_back(reason)
        return answer

    # -- compiled code -----------------------------------------------------------------------

    def _run_compiled(
        self, variant: Variant, signature: Signature, upstream: Any, captured: tuple[Any, ...]
    ) -> Any:
        compiled = variant.compile(bool(self._audit))
        variant.settle()
        patience = variant.advance(self._store, self._backend)
        values = list(signature.values)
        if self._wanted.partial:
            values.append(upstream)
        form = variant.choose(values)
        values += captured
        if not signature.keywords:  # those calls are told apart by name, which accepts does not see
            arity = len(signature.trees) + self._wanted.partial
            self._latest = (arity, form.accepts, variant.read, form.run, variant)
        if self._audit and form is not compiled and not variant.trusted:
            return auditing.compared(self, variant, form, signature, upstream, values)
        if variant.heat.until_audit <= 0:
            return auditing.audited(self, variant, form, signature, upstream, values, patience)
        begun = perf_counter()
        try:
            result = form.run(*values)
        except Exception as error:
            failure = error
        else:
            self._hits += 1
            variant.grant(perf_counter() - begun, form, patience)
            return result
        return self._failed(failure, variant, form, signature, upstream)

    def _failed(
        self, error: Exception, variant: Variant, form: Compiled, signature: Signature,
        upstream: Any,
    ) -> Any:  # fmt: skip
        """Compiled code raised: for a path that it does not have, or as the user's code would."""
        drawn = form.drawn(error.__traceback__)
        if type(error) is form.unseen:
            return self._record_path(variant, signature, upstream, drawn)
        if variant.repeats or (drawn and form.part is not None):
            self._direct += 1
            return self._run_directly(signature, upstream, drawn)
        if form.part is not None:
            return auditing.without_machine_code(self, error, variant, signature, upstream)
        return auditing.after_error(self, error, form, signature, upstream, drawn)

    def reject(self, variant: Variant, reason: str) -> None:
        """Give up machine code that is not as good as the numpy target."""
        if variant.job is not None:
            variant.job.reject(reason)
        self._latest = _NONE

    # -- falling back, errors, debugging -----------------------------------------------------

    def _fall_back(self, reason: str) -> None:
        message = f"{self.__name__} runs in direct mode, not compiled: {reason}"
        if settings.strict:
            raise FallbackError(message)
        if not self._warned:
            self._warned = True
            warn(message)

    def count_hit(self) -> None:
        """Count a call that compiled code answered."""
        self._hits += 1

    def distrust(self, signature: Signature, upstream: Any, reason: str) -> None:
        """Give up compiled code that was found to be wrong."""
        entry = self._store.cache.find(signature.key_with(upstream))
        if entry is not None:
            entry.direct = reason
        self._latest = _NONE
        self._direct += 1
        self._fall_back(reason)

    def _debug(self, signature: Signature, upstream: Any) -> Any:
        from .debug.checks import run_checked

        return run_checked(self.__wrapped__, self.__name__, signature, self._wanted, upstream,
                           self._debug_hook)

    # -- looking inside ----------------------------------------------------------------------

    def _compiled_variant(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Variant:
        signature, upstream = self._sign(args, kwargs)
        key = signature.key_with(upstream)
        for again in (True, False):
            entry = self._store.cache.find(key)
            for variant in entry.variants if entry is not None else ():
                if variant.read(self.__wrapped__, signature.values) is not None:
                    variant.compile(bool(self._audit))
                    return variant
            if entry is not None and entry.direct is not None:
                raise TracejitError(
                    f"{self.__name__} is not compiled, so there is nothing to show: {entry.direct}"
                )
            if again:
                self._note(key, entry, signature, upstream)
        raise TracejitError(f"{self.__name__} changes what it reads, at every call")

    def source(self, *args: Any, backend: str | None = None, **kwargs: Any) -> str:
        """Return the emitted module for a call with these arguments, as text.

        `backend`: the target; without it, that of this function, and numpy where it is "auto".
        """
        check_backend(backend)
        variant = self._compiled_variant(args, kwargs)
        assert variant.compiled is not None
        if "numba" in (backend, self._backend if backend is None else None):
            return variant.emit_for("numba").text
        return variant.compiled.emitted.text

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """Return the optimised joint graph for a call with these arguments."""
        optimized = self._compiled_variant(args, kwargs).optimized
        assert optimized is not None
        return optimized

    def explain(self) -> str:
        """Say in text what is cached, how it is answered and why, and why calls missed."""
        lines = [f"{self.__name__}: {self.cache_info()}"]
        if not self._optimize:
            return f"{lines[0]}\ndirect mode: optimize=False"
        return "\n".join([*lines, *self._store.explain(self._backend)])

    def wait(self, timeout: float | None = None) -> bool:
        """Let what was called be compiled to machine code now, and wait for that.

        Returns whether nothing is pending any more; False: `timeout` seconds have passed. The next
        call of a signature that was called before is answered by what is there then.
        """
        until = None if timeout is None else monotonic() + timeout
        jobs = self._store.hasten(self._backend, bool(self._audit)) if self._optimize else []
        for job in jobs:
            job.done.wait(None if until is None else max(0.0, until - monotonic()))
        self._latest = _NONE  # the next call looks at what has come
        return not any(job.pending for job in jobs)

    def cache_info(self) -> CacheInfo:
        """Return the counts of hits, misses, kept signatures and direct calls."""
        return CacheInfo(self._hits, self._misses, len(self._store.cache), self._direct)

    def cache_clear(self) -> None:
        """Forget all signatures, compiled code and counts."""
        self._latest = _NONE
        self._store.clear()
        self._real = None
        self._hits = self._misses = self._direct = 0
