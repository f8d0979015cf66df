"""From a NumPy call on tracers to ops: ufuncs with all their methods, functions, index keys.

What NumPy hands over through `__array_ufunc__` and `__array_function__` enters; recorded results
leave. What has no op is an error that names the function, the user's line and what comes nearest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import location
from ..dag.op import BY_FUNCTION, BY_NAME, COMPOSITES, is_traced, numpy_path
from ..errors import LostGradientError, UnsupportedError
from ..ops import index as indexing
from ..ops.elementwise import masked
from .source import user_site

if TYPE_CHECKING:
    from .tracer import Tracer

# Functions of shape and type alone: they are answered and leave nothing to record.
METADATA = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.min_scalar_type, np.common_type, np.may_share_memory, np.shares_memory,
}  # fmt: skip

METHODS: set[str] = set()  # names of the ndarray methods that tracers have

_REDUCE: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any,
}  # fmt: skip


def ufunc(
    tracer: Tracer, function: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record a ufunc call with keywords, or one of the ufunc's methods."""
    outs = kwargs.pop("out", None)
    out = outs[0] if outs else None
    if outs is not None and len(outs) > 1:
        raise unsupported(function, "several outputs")
    if method == "__call__":
        result = _call(tracer, function, inputs, kwargs, out)
    elif method == "reduce" and function in _REDUCE:
        kwargs.setdefault("axis", 0)
        result = apply(tracer, _REDUCE[function], inputs, kwargs)
    elif method == "accumulate" and function is np.add:
        kwargs.setdefault("axis", 0)
        result = apply(tracer, np.cumsum, inputs, kwargs)
    elif method == "outer":
        a, b = (_as_operand(i) for i in inputs)
        index = (..., *(None,) * np.ndim(b))
        result = _call(tracer, function, (a[index], b), kwargs, None)
    elif method == "at" and function in (np.add, np.subtract):
        return _add_at(function, *inputs)
    else:
        raise unsupported(function, f".{method}")
    return result if out is None else store(out, result)


def _call(
    tracer: Tracer, function: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any], out: Any
) -> Any:
    op = BY_FUNCTION.get(function)
    if op is None:
        raise unsupported(function)
    where = kwargs.pop("where", True)
    dtype = kwargs.pop("dtype", None)
    kwargs.pop("casting", None) if kwargs.get("casting") == "same_kind" else None
    if kwargs:
        raise unsupported(function, f"{next(iter(kwargs))}=")
    if dtype is not None:
        inputs = tuple(_as_operand(i).astype(dtype) for i in inputs)
    if where is True:
        return tracer.recorder.record(op, inputs, {}, function)
    if out is None:
        raise UnsupportedError(
            f"{numpy_path(function)}(..., where=) at {location(user_site())} without out= leaves "
            "elements undefined; pass out=, or use np.where on safe inputs"
        )
    return tracer.recorder.record(masked(op), (*inputs, where, out), {})


def _as_operand(value: Any) -> Any:
    return value if hasattr(value, "astype") else np.asarray(value)


def _add_at(function: np.ufunc, target: Any, key: Any, value: Any) -> None:
    if not is_traced(target):
        raise lost(f"{numpy_path(function)}.at")
    template, holes = split_key(key)
    if function is np.subtract:
        value = -value if hasattr(value, "dtype") else -np.asarray(value)
    target.write(indexing.index_add(target, value, *holes, key=template))


def function(
    tracer: Tracer, called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record a NumPy function that is not a ufunc."""
    out = kwargs.pop("out", None)
    result = apply(tracer, called, args, kwargs)
    return result if out is None else store(out, result)


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
            raise unsupported(called)
        inputs, attrs = op.bind(*args, **kwargs) if op.bind else (args, kwargs)
        attrs = {key: _settled(value) for key, value in attrs.items()}
    except TypeError as error:
        if "argument" not in str(error):
            raise
        message = str(error).split("() ")[-1]
        raise unsupported(called, f"({message})") from None
    return tracer.recorder.record(op, inputs, attrs)


def _settled(value: Any) -> Any:
    """Make a plain count of a traced one: what is recorded holds for this value alone."""
    if not is_traced(value) or not isinstance(value, (int, np.integer, np.bool_, np.ndarray)):
        return value
    return bool(value) if isinstance(value, (bool, np.bool_)) else value.__index__()


def store(out: Any, result: Any) -> Any:
    """Write a result into the array given as `out=` and return that array."""
    if not is_traced(out):
        raise lost("out= with an array that is not recorded")
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise TypeError(f"Cannot cast output from {result.dtype!r} to {out.dtype!r}")
    if result.dtype != out.dtype:
        result = result.astype(out.dtype)
    if result.shape != out.shape:
        if np.broadcast_shapes(result.shape, out.shape) != out.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {out.shape} "
                f"doesn't match the broadcast shape {result.shape}"
            )
        result = indexing.index_set(out, result, key=Ellipsis)
    elif not isinstance(result, np.ndarray):  # NumPy makes scalars of 0-d results, out= does not
        result = BY_NAME["convert"](result, cls=np.ndarray)
    out.write(result)
    return out


def split_key(key: Any) -> tuple[Any, tuple[Any, ...]]:
    """Split an index into a static template and the arrays (or traced integers) in it."""
    if type(key) is int:
        return key, ()
    if type(key) is not tuple:
        return _split_part(key)
    parts = [_split_part(part) for part in key]
    return tuple(t for t, _ in parts), tuple(h for _, holes in parts for h in holes)


def _split_part(part: Any) -> tuple[Any, tuple[Any, ...]]:
    if part is None or part is Ellipsis:
        return part, ()
    if isinstance(part, slice):
        return _concrete(part), ()
    if isinstance(part, np.ndarray) or not hasattr(part, "__index__") or is_traced(part):
        hole: Any = part if hasattr(part, "dtype") or is_traced(part) else _array_of(part)
        if is_traced(hole) and getattr(getattr(hole, "dtype", None), "kind", "") == "b":
            hole = hole._leave("a traced boolean mask used as an index", True)
        elif is_traced(hole) and isinstance(hole, bool):
            return bool(hole), ()
        return indexing.HOLE, (hole,)
    return (bool(part) if isinstance(part, bool) else part.__index__()), ()


def _array_of(part: Any) -> Any:
    """Make the array that a sequence means as an index: an empty one counts as integers."""
    array = np.asarray(part)
    return array if array.size else array.astype(np.intp)


def _concrete(key: slice) -> slice:
    ends = (key.start, key.stop, key.step)
    return slice(*(None if end is None else end.__index__() for end in ends))


def plain(value: Any) -> Any:
    """Replace tracers by their values inside tuples, lists and dicts."""
    if is_traced(value):
        return value.value
    if type(value) in (tuple, list):
        return type(value)(plain(v) for v in value)
    if type(value) is dict:
        return {k: plain(v) for k, v in value.items()}
    return value


def lost(what: str) -> LostGradientError:
    """The error for a traced value that is written where nothing is recorded."""
    return LostGradientError(
        f"{what} at {location(user_site())}: a real array cannot hold a traced value; make the "
        "array from traced ones: np.zeros_like(traced), np.stack, np.concatenate"
    )


def suggestion(name: str, known: Any) -> str:
    """Name the nearest supported thing, as the end of an error message."""
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.72)
    return f"; the nearest supported one is {near[0]}" if near else ""


def unsupported(called: Any, detail: str = "") -> UnsupportedError:
    """The error for a function, or a detail of its call, that cannot be recorded."""
    path = numpy_path(called)
    known = [numpy_path(f) for f in (*BY_FUNCTION, *COMPOSITES)] if not detail else []
    return UnsupportedError(
        f"{path}{detail} on a traced value at {location(user_site())} is not supported yet"
        + suggestion(path, known)
    )
