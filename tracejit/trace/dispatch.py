"""From a NumPy function called on tracers to ops.

What NumPy hands over through `__array_function__` enters; recorded results leave. What has no op is
an error that names the function, the user's line and what comes nearest.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import ACTIVE, location
from ..dag.op import BY_FUNCTION, BY_NAME, COMPOSITES, INPUT, is_traced, numpy_path
from ..errors import LostGradientError, UnsupportedError
from ..ops import index as indexing
from .source import user_site
from .suggest import DECLARE, advice

if TYPE_CHECKING:
    from .recorder import Recorder
    from .tracer import Tracer

# Functions of shape and type alone: they are answered and leave nothing to record.
METADATA = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.min_scalar_type, np.common_type, np.may_share_memory, np.shares_memory,
    np.einsum_path, np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
}  # fmt: skip

# Functions that compute in the dtype of `out`, not in that of what they sum.
_SUMS = {
    np.sum, np.prod, np.cumsum, np.cumprod, np.mean, np.nansum, np.nanprod, np.nancumsum,
    np.nancumprod, np.nanmean,
}  # fmt: skip

METHODS: set[str] = set()  # names of the ndarray methods that tracers have


def function(
    tracer: Tracer, called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record a NumPy function that is not a ufunc."""
    if len(args) != 1:
        args, kwargs = _arranged(called, args, kwargs)
    out = kwargs.pop("out", None)
    if out is None:
        return apply(tracer, called, args, kwargs)
    if called in _SUMS:
        summed, *rest = args
        if len(rest) == 2:  # the dtype by position
            kwargs["dtype"] = rest.pop()
        args, kwargs = (summed, *rest), in_dtype_of(out, summed, kwargs)
    return store(out, apply(tracer, called, args, kwargs))


def in_dtype_of(out: Any, summed: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Have a sum computed in the dtype of `out`, where that is the wider one."""
    both = np.result_type(np.asarray(plain(summed)), out)
    if kwargs.get("dtype") is not None or both != out.dtype or both.kind not in "fc":
        return kwargs
    return {**kwargs, "dtype": both}


def _arranged(
    called: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give the first argument by position, and `out` and what follows it by name."""
    names = parameters(called)
    if not args and names and names[0] in kwargs:
        return (kwargs[names[0]],), {k: v for k, v in kwargs.items() if k != names[0]}
    place = names.index("out") if "out" in names else len(args)
    return args[:place], {**dict(zip(names[place:], args[place:], strict=False)), **kwargs}


@functools.cache
def parameters(function: Any) -> tuple[str, ...]:
    """Name the parameters that may be given by position."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C code that does not say
        return ()
    return tuple(p.name for p in found if p.kind <= p.POSITIONAL_OR_KEYWORD)


def apply(
    tracer: Tracer, called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Find the op or composite for a function and record it."""
    if called in METADATA or not tracer.recorder.open:
        return called(*plain(args), **plain(kwargs))
    composite = COMPOSITES.get(called)
    try:
        if composite is not None:
            return composite(*args, **kwargs)
        op = BY_FUNCTION.get(called)
        if op is None:
            return outside(called, args, kwargs)
        inputs, attrs = op.bind(*args, **kwargs) if op.bind else (args, kwargs)
        attrs = {key: settled(value) for key, value in attrs.items()}
    except TypeError as error:
        if "argument" not in str(error):
            raise
        message = str(error).split("() ")[-1]
        return outside(called, args, kwargs, f"({message})")
    return tracer.recorder.record(op, inputs, attrs)


def outside(
    called: Any, args: tuple[Any, ...], kwargs: dict[str, Any], detail: str = "", run: Any = None
) -> Any:
    """Answer a call that cannot be recorded on plain values, where no gradient is lost by that.

    Raises:
        UnsupportedError: a gradient would be lost; or the function writes to a traced array, or
            gives a view of one, and later writes would show in one of the two only.
    """
    run = run or called
    traced = list(tracers((args, kwargs)))
    if not all(tracer.recorder.open for tracer in traced):
        return run(*plain(args), **plain(kwargs))
    nodes = [tracer.current() for tracer in traced]
    if any(node.level == ACTIVE for node in nodes):
        raise unsupported(called, detail)
    try:
        value = run(*plain(args, read_only=True), **plain(kwargs, read_only=True))
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise unsupported(called, detail) from None
    parts = value if isinstance(value, (tuple, list)) else (value,)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if any(np.may_share_memory(node.value, part) for node in nodes for part in arrays):
        raise unsupported(called, detail)
    if not traced:
        return value
    recorder = traced[0].recorder
    if any(node.level for node in nodes):
        recorder.leave(f"{numpy_path(called)}{detail}, which is not supported yet,")
    if type(value) in (tuple, list):
        return type(value)(constant(recorder, part, fresh=False) for part in value)
    return constant(recorder, value, fresh=False)


def constant(recorder: Recorder, value: Any, fresh: bool = True) -> Any:
    """Record an array that depends on nothing traced; what is no array of numbers stays as it is.

    fresh: nobody else has the array.
    """
    if type(value) is not np.ndarray or value.dtype.kind not in "biufc":
        return value
    kept = value if fresh else value.copy(order="K")
    kept.flags.writeable = False  # the recorder need not copy it
    return recorder.record(BY_NAME["copy"], (kept,), {})


def tracers(value: Any) -> Iterator[Tracer]:
    """List the tracers in nested tuples, lists and dicts."""
    if is_traced(value):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tracers(part)


def settled(value: Any) -> Any:
    """Make plain counts of traced ones: what is recorded holds for these values alone."""
    if not is_traced(value) or not isinstance(value, (int, np.integer, np.bool_, np.ndarray)):
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        return [number.__index__() for number in value]
    return bool(value) if isinstance(value, (bool, np.bool_)) else value.__index__()


def store(out: Any, result: Any, casting: Any = "same_kind") -> Any:
    """Write a result into the array given as `out=` and return that array."""
    if not is_traced(out):
        raise lost("out= with an array that is not recorded")
    if not is_traced(result):  # of plain values alone
        result = np.asarray(result)
    if not np.can_cast(result.dtype, out.dtype, casting):
        raise TypeError(f"Cannot cast output from {result.dtype!r} to {out.dtype!r}")
    if result.dtype != out.dtype:
        result = result.astype(out.dtype)
    if result.shape != out.shape:
        if np.broadcast_shapes(result.shape, out.shape) != out.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {out.shape} "
                f"doesn't match the broadcast shape {result.shape}"
            )
        out.write_at(indexing.index_set, (result,), Ellipsis)
        return out
    if not is_traced(result):
        out[...] = result
        return out
    if not isinstance(result, np.ndarray):  # NumPy makes scalars of 0-d results, out= does not
        result = BY_NAME["convert"](result, cls=np.ndarray)
    out.write(result)
    return out


def note_shape(found: Any) -> None:
    """Note that what follows holds only for the shape that this value has: it depends on values."""
    if is_traced(found):
        found.recorder.guard(found.current(), "shape", found.shape)


def plain(value: Any, read_only: bool = False) -> Any:
    """Replace tracers by their values inside tuples, lists and dicts."""
    if is_traced(value):
        value = value.value
        if read_only and type(value) is np.ndarray:
            value = value.view()
            value.flags.writeable = False
        return value
    if isinstance(value, (tuple, list)):
        values = [plain(v, read_only) for v in value]
        return values if isinstance(value, list) else tuple(values)
    if type(value) is dict:
        return {k: plain(v, read_only) for k, v in value.items()}
    return value


def given_out(value: Any) -> Any:
    """Replace tracers that do not depend on parameters by their values, in containers too."""
    if is_traced(value):
        node = value.current()
        if node.level == ACTIVE:
            return value
        shared = type(node.value) is np.ndarray and node.op is not INPUT
        return node.value.copy() if shared else node.value
    if type(value) in (tuple, list):
        return type(value)(given_out(v) for v in value)
    if type(value) is dict:
        return {k: given_out(v) for k, v in value.items()}
    return value


def lost(what: str) -> LostGradientError:
    """The error for a traced value that is written where nothing is recorded."""
    return LostGradientError(
        f"{what} at {location(user_site())}: a real array cannot hold a traced value; make the "
        "array from traced ones: np.zeros_like(traced), np.stack, np.concatenate"
    )


def unsupported(called: Any, detail: str = "") -> UnsupportedError:
    """The error for a function, or a detail of its call, that cannot be recorded."""
    path = numpy_path(called)
    known = [numpy_path(f) for f in (*BY_FUNCTION, *COMPOSITES)] if not detail else []
    return UnsupportedError(
        f"{path}{detail} on a traced value at {location(user_site())} is not supported yet"
        + (advice(path, known) + DECLARE if known else "")
    )
