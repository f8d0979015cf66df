"""Ufunc calls on tracers: with keywords, and the methods reduce, accumulate, outer, reduceat, at.

What NumPy hands over through `__array_ufunc__` enters; recorded results leave. A method that has
neither an op nor a NumPy function of the same meaning is recorded as the calls that it stands for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import location
from ..dag.op import BY_FUNCTION, COMPOSITES, is_traced, numpy_path
from ..errors import UnsupportedError
from ..ops import index as indexing
from ..ops.elementwise import masked
from ..ops.folds import METHODS, NEUTRAL, without_gradient
from ..ops.scipy import family_of, is_declared
from ..ops.shape import along
from . import dispatch, keys
from .assemble import from_list
from .dispatch import lost, outside, plain, store, unsupported
from .source import user_site

if TYPE_CHECKING:
    from .tracer import Tracer

Inputs = tuple[Any, ...]

# NumPy's functions for methods: they have gradients and all keywords.
_REDUCE: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any,
}  # fmt: skip
_ACCUMULATE: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def ufunc(
    tracer: Tracer, function: np.ufunc, method: str, inputs: Inputs, kwargs: dict[str, Any]
) -> Any:
    """Record a ufunc call with keywords, or one of the ufunc's methods."""
    outs: Inputs = kwargs.pop("out", None) or ()
    casting = kwargs.get("casting", "same_kind")
    if not tracer.recorder.open:
        kwargs = {**plain(kwargs), "out": outs} if outs else plain(kwargs)
        return getattr(function, method)(*plain(inputs), **kwargs)
    if outs and function in _ACCUMULATE and method in ("reduce", "accumulate", "reduceat"):
        kwargs = dispatch.in_dtype_of(outs[0], inputs[0], kwargs)
    if method != "at":  # its second input is an index
        inputs = tuple(from_list(i) for i in inputs)
    result = _RUN[method](tracer, function, inputs, kwargs, outs[0] if len(outs) == 1 else None)
    if not outs:
        return result
    if function.nout == 1:
        return store(outs[0], result, casting)
    pairs = zip(outs, result, strict=True)
    return tuple(part if out is None else store(out, part, casting) for out, part in pairs)


def _is_known(function: np.ufunc) -> bool:
    """Tell whether a ufunc has an op or composite; those of SciPy are declared when first asked."""
    return function in BY_FUNCTION or function in COMPOSITES or bool(is_declared(function))


# -- calls ---------------------------------------------------------------------------------------


def _call(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], out: Any = None
) -> Any:
    if function.signature is not None:  # a product: its keywords say which axes it works on
        return dispatch.apply(tracer, function, inputs, kwargs)
    if not _is_known(function):
        return outside(function, inputs, kwargs)
    where = kwargs.pop("where", True)
    dtype = kwargs.pop("dtype", None)
    casting = kwargs.pop("casting", "same_kind")
    order = kwargs.pop("order", "K")
    kwargs.pop("subok", None)  # there are no subclasses here
    if dtype is not None:
        inputs = _cast(function, inputs, np.dtype(dtype), casting)
    if kwargs and function not in COMPOSITES:
        raise unsupported(function, f"(..., {next(iter(kwargs))}=)")
    if where is not True:
        return _masked(tracer, function, inputs, kwargs, where, out)
    if function in COMPOSITES:
        return _ordered(dispatch.apply(tracer, function, inputs, kwargs), order)
    return _ordered(tracer.recorder.record(BY_FUNCTION[function], inputs, {}, function), order)


def _masked(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], where: Any, out: Any
) -> Any:
    if out is None:
        raise UnsupportedError(
            f"{numpy_path(function)}(..., where=) at {location(user_site())} without out= leaves "
            "elements undefined; pass out=, or use np.where on safe inputs"
        )
    if function.nout > 1 or family_of(function) is not None:  # some of SciPy's write elsewhere
        raise unsupported(function, "(..., where=)")
    if function in COMPOSITES:
        return np.where(where, dispatch.apply(tracer, function, inputs, kwargs), out)
    return tracer.recorder.record(masked(BY_FUNCTION[function]), (*inputs, where, out), {})


def _cast(function: np.ufunc, inputs: Inputs, dtype: Any, casting: Any) -> Inputs:
    """Convert the inputs for results of a dtype; Python numbers take the dtype of the others."""
    function(*plain(inputs), dtype=dtype, casting=casting)  # it raises what NumPy raises
    given = [_dtype_of(value) for value in inputs]
    results = (None,) * function.nout
    signature = (None,) * function.nin + (dtype,) * function.nout
    taken = function.resolve_dtypes((*given, *results), signature=signature, casting=casting)
    weak = not any(hasattr(i, "dtype") for i in inputs)

    def cast(value: Any, to: Any) -> Any:
        kept = not weak and not hasattr(value, "dtype") and np.result_type(to, plain(value)) == to
        return value if kept else _operand(value).astype(to)

    return tuple(cast(*pair) for pair in zip(inputs, taken, strict=False))


def _dtype_of(value: Any) -> Any:
    """The dtype of an operand, or the type of a Python number, which takes that of the others."""
    if hasattr(value, "dtype"):
        return value.dtype
    kind: Any = type(plain(value))
    return kind if kind in (int, float, complex) else np.result_type(kind)


def _operand(value: Any) -> Any:
    """Make an array or NumPy number of an operand, traced where it is traced."""
    if is_traced(value):
        return value if hasattr(value, "dtype") else value * np.ones((), np.result_type(value))
    return value if hasattr(value, "dtype") else np.asarray(value)


def _ordered(result: Any, order: Any) -> Any:
    """Give a result the layout that `order=` asks for."""
    if order in "KA" or not isinstance(result, np.ndarray):
        return result
    flags = dispatch.plain(result).flags
    fits = flags.c_contiguous if order == "C" else flags.f_contiguous
    return result if fits else result.copy(order=order)


def _outer(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], out: Any
) -> Any:
    a, b = (_operand(i) for i in inputs)
    if np.ndim(b):
        a = np.reshape(a, (*np.shape(a), *(1,) * np.ndim(b)))
    if not _is_known(function):
        return outside(function, inputs, kwargs, ".outer", function.outer)
    return function(a, b, **kwargs)


# -- reductions ----------------------------------------------------------------------------------


def _reduce(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], out: Any
) -> Any:
    kwargs = {"axis": 0, **kwargs}
    if function in _REDUCE:
        kwargs = {k: v for k, v in kwargs.items() if not (k == "dtype" and v is None)}
        return dispatch.apply(tracer, _REDUCE[function], inputs, kwargs)
    if _is_flat(function) or (function, "reduce") not in METHODS:
        return _other(tracer, function, "reduce", inputs, kwargs, _fold)
    return _reduced(tracer, function, _operand(inputs[0]), **kwargs)


def _reduced(
    tracer: Tracer, function: np.ufunc, x: Any, axis: Any, dtype: Any = None,
    keepdims: bool = False, initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    x = x if dtype is None else x.astype(dtype)
    if where is not True:
        if function not in NEUTRAL and initial is None:
            raise unsupported(function, ".reduce(..., where=) without initial=")
        x = np.where(where, x, NEUTRAL.get(function, initial))
    ordered = function in (np.subtract, np.divide)
    if initial is not None and ordered:
        x = _with_initial(x, initial, axis)
    if isinstance(axis, (tuple, list)):
        axis = tuple(operator.index(i) for i in axis)
    elif axis is None and ordered and np.ndim(x) == 1:
        axis = 0
    axis = axis if axis is None or type(axis) is tuple else operator.index(axis)
    attrs = {"axis": axis, "keepdims": bool(keepdims)}
    result = tracer.recorder.record(METHODS[function, "reduce"], (x,), attrs)
    return function(initial, result) if initial is not None and not ordered else result


def _with_initial(x: Any, initial: Any, axis: Any) -> Any:
    """Put the value that a reduction starts from before the elements."""
    first = list(np.shape(x))
    first[axis] = 1
    return np.concatenate([np.broadcast_to(initial, first), x], axis=axis)


def _accumulate(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], out: Any
) -> Any:
    kwargs = {"axis": 0, **{k: v for k, v in kwargs.items() if v is not None}}
    if function in _ACCUMULATE:
        return dispatch.apply(tracer, _ACCUMULATE[function], inputs, kwargs)
    if _is_flat(function) or (function, "accumulate") not in METHODS:
        return _other(tracer, function, "accumulate", inputs, kwargs, _steps)
    x, dtype = _operand(inputs[0]), kwargs.get("dtype")
    x = x if dtype is None else x.astype(dtype)
    attrs = {"axis": operator.index(kwargs["axis"])}
    return tracer.recorder.record(METHODS[function, "accumulate"], (x,), attrs)


def _reduceat(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], out: Any
) -> Any:
    kwargs = {"axis": 0, **{k: v for k, v in kwargs.items() if v is not None}}
    x, indices = inputs
    if function is np.add and "dtype" not in kwargs:
        kwargs["axis"] = operator.index(kwargs["axis"])
        op = METHODS[function, "reduceat"]
        return tracer.recorder.record(op, (_operand(x), indices), kwargs)
    return _other(tracer, function, "reduceat", inputs, kwargs, _segments)


def _is_flat(function: np.ufunc) -> bool:
    """Tell whether a ufunc has a zero gradient."""
    op = BY_FUNCTION.get(function)
    return op is not None and op.vjp is None


def _other(
    tracer: Tracer, function: np.ufunc, method: str, inputs: Inputs, kwargs: dict[str, Any],
    written_out: Callable[..., Any],
) -> Any:  # fmt: skip
    """Record a method that has no op: one without a gradient, or the calls that it stands for."""
    run = getattr(function, method)
    if _is_flat(function) and all(not is_traced(v) for v in kwargs.values()):
        if kwargs.get("dtype") is not None:
            kwargs["dtype"] = np.dtype(kwargs["dtype"])  # what stands for int is not written out
        return tracer.recorder.record(without_gradient(function, method), inputs, kwargs)
    if not _is_known(function):
        return outside(function, inputs, kwargs, f".{method}", run)
    axis, dtype = kwargs.pop("axis"), kwargs.pop("dtype", None)
    x = _operand(inputs[0])
    x = x if dtype is None else x.astype(dtype)
    expected = run(plain(x), *plain(inputs[1:]), axis=axis, **plain(kwargs))  # raises as NumPy does
    if np.ndim(x) == 0:
        return outside(function, inputs, kwargs, f".{method}(a number)", run)
    if axis is None or type(axis) is tuple:
        axis = 0 if axis is None else axis[0]
    try:
        made = written_out(function, x, *inputs[1:], axis=operator.index(axis) % x.ndim, **kwargs)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        return outside(function, inputs, kwargs, f".{method}({next(iter(kwargs))}=)", run)
    if not np.allclose(plain(made), expected, equal_nan=True):  # so it is for np.power, say
        raise unsupported(function, f".{method}, of which NumPy makes something else,")
    return made


def _lines(x: Any, axis: int) -> list[Any]:
    return [x[along(axis, i)] for i in range(x.shape[axis])]


def _fold(
    function: np.ufunc, x: Any, axis: int, keepdims: bool = False, initial: Any = None
) -> Any:
    lines = _lines(x, axis) if initial is None else [initial, *_lines(x, axis)]
    total = lines[0]
    for line in lines[1:]:
        total = function(total, line)
    return np.expand_dims(total, axis) if keepdims else total


def _steps(function: np.ufunc, x: Any, axis: int) -> Any:
    lines = _lines(x, axis)
    for i in range(1, len(lines)):
        lines[i] = function(lines[i - 1], lines[i])
    return np.stack(lines, axis)


def _segments(function: np.ufunc, x: Any, indices: Any, axis: int) -> Any:
    starts = [i.__index__() for i in indices]
    parts = []
    for start, stop in zip(starts, [*starts[1:], x.shape[axis]], strict=True):
        key = slice(start, max(stop, start + 1))
        parts.append(function.reduce(x[along(axis, key)], axis=axis))
    return np.stack(parts, axis)


# -- at ------------------------------------------------------------------------------------------


def _at(
    tracer: Tracer, function: np.ufunc, inputs: Inputs, kwargs: dict[str, Any], out: Any
) -> None:
    target, key, *values = inputs
    values = [from_list(value) for value in values]
    if not is_traced(target):
        raise lost(f"{numpy_path(function)}.at")
    template, holes = keys.split_key(key)
    if values:
        keys.note_selection(target, holes, template, values[0])
    if function in (np.add, np.subtract):
        value = values[0] if function is np.add else np.negative(_operand(values[0]))
        target.write_at(indexing.index_add, (value, *holes), template)
        return
    op = METHODS.get((function, "at"))
    if op is not None:
        target.write(op(target, values[0], *holes, key=template).astype(target.dtype))
        return
    if not _is_known(function):
        raise unsupported(function, ".at")
    if not _names_none_twice(target, template, holes):
        raise unsupported(function, ".at with an index that names an element twice")
    target[key] = function(target[key], *values)


def _names_none_twice(target: Any, template: Any, holes: Inputs) -> bool:
    """Tell whether an index names each element at most once; what follows holds for that."""
    if all(np.result_type(hole).kind == "b" for hole in holes):
        return True
    return bool(np.all(indexing.last_writer(*holes, key=template, shape=target.shape)))


_RUN: dict[str, Callable[..., Any]] = {
    "__call__": _call, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer,
    "reduceat": _reduceat, "at": _at,
}  # fmt: skip
