"""From a NumPy call on tracers to ops: ufuncs with all their methods, functions, index keys.

What NumPy hands over through `__array_ufunc__` and `__array_function__` enters; recorded results
leave. What has no op is an error that names the function, the user's line and what comes nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import ACTIVE, location
from ..dag.op import BY_FUNCTION, BY_NAME, COMPOSITES, HOLE, INPUT, is_traced, numpy_path
from ..errors import LostGradientError, UnsupportedError
from ..ops import index as indexing
from ..ops.elementwise import masked
from ..ops.scipy import family_of, is_declared
from .source import user_site

if TYPE_CHECKING:
    from .recorder import Recorder
    from .tracer import Tracer

# Functions of shape and type alone: they are answered and leave nothing to record.
METADATA = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj, np.can_cast,
    np.min_scalar_type, np.common_type, np.may_share_memory, np.shares_memory, np.einsum_path,
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
    if outs is not None and len(outs) > 1:
        results = ufunc(tracer, function, method, inputs, kwargs)
        pairs = zip(outs, results, strict=True)
        return tuple(result if out is None else store(out, result) for out, result in pairs)
    out = outs[0] if outs else None
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
        run = getattr(function, method)
        result = outside(function, inputs, kwargs, f".{method}", run)
    return result if out is None else store(out, result)


def _call(
    tracer: Tracer, function: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any], out: Any
) -> Any:
    if function.signature is not None:  # a product: its keywords say which axes it works on
        return apply(tracer, function, inputs, kwargs)
    if function not in BY_FUNCTION and function not in COMPOSITES and not is_declared(function):
        return outside(function, inputs, kwargs)
    op = BY_FUNCTION.get(function)
    run = COMPOSITES[function] if op is None else op
    where = kwargs.pop("where", True)
    dtype = kwargs.pop("dtype", None)
    kwargs.pop("casting", None) if kwargs.get("casting") == "same_kind" else None
    if kwargs:
        raise unsupported(function, f"{next(iter(kwargs))}=")
    if dtype is not None:
        inputs = tuple(_as_operand(i).astype(dtype) for i in inputs)
    if where is not True and family_of(function) is not None:
        raise unsupported(function, "(..., where=)")  # some releases of SciPy write elsewhere
    if where is True:
        return run(*inputs) if op is None else tracer.recorder.record(op, inputs, {}, function)
    if out is None:
        raise UnsupportedError(
            f"{numpy_path(function)}(..., where=) at {location(user_site())} without out= leaves "
            "elements undefined; pass out=, or use np.where on safe inputs"
        )
    if op is None:
        return np.where(where, run(*inputs), out)
    return tracer.recorder.record(masked(op), (*inputs, where, out), {})


def _as_operand(value: Any) -> Any:
    return value if hasattr(value, "astype") else np.asarray(value)


def _add_at(function: np.ufunc, target: Any, key: Any, value: Any) -> None:
    if not is_traced(target):
        raise lost(f"{numpy_path(function)}.at")
    template, holes = split_key(key)
    note_selection(target, holes, template, value)
    if function is np.subtract:
        value = -value if hasattr(value, "dtype") else -np.asarray(value)
    target.put(indexing.index_add, (value, *holes), template)


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
            return outside(called, args, kwargs)
        inputs, attrs = op.bind(*args, **kwargs) if op.bind else (args, kwargs)
        attrs = {key: _settled(value) for key, value in attrs.items()}
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
        out.put(indexing.index_set, (result,), Ellipsis)
        return out
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
        if is_traced(hole) and isinstance(hole, (bool, np.bool_)):
            return bool(hole), ()
        return HOLE, (hole,)
    return (bool(part) if isinstance(part, bool) else part.__index__()), ()


def note_shape(found: Any) -> None:
    """Note that what follows holds only for the shape that this value has: it depends on values."""
    if is_traced(found):
        found.recorder.guard(found.current(), "shape", found.shape)


def note_selected(found: Any, holes: tuple[Any, ...]) -> None:
    """Note the shape of what an index with a traced mask in it has selected."""
    if any(_is_mask(hole) for hole in holes):
        note_shape(found)


def _is_mask(hole: Any) -> bool:
    return is_traced(hole) and isinstance(hole, np.ndarray) and hole.dtype.kind == "b"


def note_selection(target: Any, holes: tuple[Any, ...], template: Any, value: Any) -> None:
    """Do the same for an index that is written to; a number that is written fits any shape."""
    recorder = target.recorder
    if not recorder.for_compiling or not (is_traced(value) or np.ndim(value)):
        return
    if any(_is_mask(hole) for hole in holes):
        note_shape(recorder.record(indexing.index, (target, *holes), {"key": template}))


def _array_of(part: Any) -> Any:
    """Make the array that a sequence means as an index: an empty one counts as integers."""
    array = np.asarray(part)
    return array if array.size else array.astype(np.intp)


def _concrete(key: slice) -> slice:
    ends = (key.start, key.stop, key.step)
    return slice(*(None if end is None else end.__index__() for end in ends))


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
