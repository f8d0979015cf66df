"""Recording twins of what makes arrays and numbers: NumPy's creators, math, float, int and round.

NumPy hands no call over whose arguments are plain (np.zeros), or nested lists (np.array([t])), and
C code of math takes plain numbers only. A traced function gets these twins in their place: they
record while a recorder is active in the thread, and are the real functions otherwise. Arrays that
they make are constants of the trace that can be written to.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.node import ACTIVE, FIXED
from ..dag.op import BY_NAME, Op, composite, is_traced, numpy_path
from ..ops import create
from ..ops.number import BY_MATH
from ..ops.number import to_int as int_op
from ..tree import flatten, unflatten
from . import dispatch
from .recorder import Recorder, active_recorder

Twin = Callable[..., Any]

CREATORS: dict[Any, Twin] = {}  # NumPy function -> its twin
MATH: dict[Any, Twin] = {}  # function of Python's math -> its twin


def _twin(*functions: Any) -> Callable[[Twin], Twin]:
    """Declare twins: `record` gets the recorder, the real function and the arguments."""

    def register(record: Twin) -> Twin:
        for function in functions:
            CREATORS[function] = _recording(function, record)
        return record

    return register


def _recording(function: Any, record: Twin) -> Twin:
    @functools.wraps(function, updated=())
    def twin(*args: Any, **kwargs: Any) -> Any:
        recorder = active_recorder()
        if recorder is None or not recorder.open:
            return function(*args, **kwargs)
        if kwargs.get("like") is not None:
            return dispatch.outside(function, args, kwargs, " with like=")
        return record(recorder, function, args, kwargs)

    return twin


# -- arrays that depend on nothing --------------------------------------------------------------


def _is_numeric(value: Any) -> bool:
    return type(value) is np.ndarray and value.dtype.kind in "biufc"


def _filled(recorder: Recorder, value: Any, number: Any) -> Any:
    """Record a new array that is filled with one number."""
    layout = value.flags
    if not _is_numeric(value) or not (layout.c_contiguous or layout.f_contiguous):
        return dispatch.constant(recorder, value)
    attrs: dict[str, Any] = {"shape": value.shape, "dtype": value.dtype}
    if not layout.c_contiguous:
        attrs["order"] = "F"
    run = lambda *_, **__: value  # it has been computed already
    if type(number) is int and number == 0:
        return recorder.record(create.zeros, (), attrs, run)
    return recorder.record(BY_NAME["full"], (number,), attrs, run)


def _settled(recorder: Recorder, function: Any, value: Any) -> Any:
    """Make plain numbers of traced ones: a count is guarded, others must not be differentiated."""
    if not is_traced(value):
        if type(value) in (list, tuple):
            return type(value)(_settled(recorder, function, v) for v in value)
        return value
    node = value.current()
    if node.level == FIXED:
        return node.value
    if np.result_type(node.value).kind in "biu":
        return [v.__index__() for v in value] if np.ndim(node.value) else value.__index__()
    if node.level == ACTIVE:
        raise dispatch.unsupported(function)
    recorder.leave(f"a traced value given to {numpy_path(function)}")
    return node.value


def _settle(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    """Run a function whose traced arguments are numbers, on plain ones."""
    args = [_settled(recorder, function, a) for a in args]
    kwargs = {key: _settled(recorder, function, v) for key, v in kwargs.items()}
    return function(*args, **kwargs)


@_twin(np.arange, np.eye, np.identity, np.tri, np.logspace, np.geomspace)
def _numbers(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return dispatch.constant(recorder, _settle(recorder, function, args, kwargs))


@_twin(np.fft.fftfreq, np.fft.rfftfreq)
def _frequencies(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _spaced_by(recorder, function, *args, **kwargs)


def _spaced_by(recorder: Recorder, function: Any, n: Any, d: Any = 1.0, device: Any = None) -> Any:
    value = function(_settled(recorder, function, n), d, device=device)  # records what d does
    return value if is_traced(value) else dispatch.constant(recorder, value)


@_twin(np.zeros, np.ones, np.empty)
def _uniform(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    # What np.empty finds in memory differs from call to call, and no compiled function could be
    # compared with another run; zeros are one of the things that it may find.
    make = np.zeros if function is np.empty else function
    value = _settle(recorder, make, args, kwargs)
    return _filled(recorder, value, int(function is np.ones))


@_twin(np.zeros_like, np.ones_like, np.empty_like)
def _like(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    make = np.zeros_like if function is np.empty_like else function
    value = _settle_like(recorder, make, args, kwargs)
    return _filled(recorder, value, int(function is np.ones_like))


def _settle_like(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    """Run a function that takes nothing but shape and type from its first argument."""
    prototype, *rest = args or (kwargs["a"],)
    kwargs = {key: v for key, v in kwargs.items() if key not in ("a", "prototype")}
    plain = functools.partial(function, dispatch.plain(prototype))
    return _settle(recorder, plain, rest, kwargs)


@_twin(np.full)
def _full(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _fill(recorder, *args, **kwargs)


def _fill(
    recorder: Recorder, shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **_: Any
) -> Any:
    shape = _settled(recorder, np.full, shape)
    value = np.full(shape, dispatch.plain(fill_value), dtype, order)
    return _with_fill(recorder, np.full, value, fill_value)


@_twin(np.full_like)
def _full_like(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _fill_like(recorder, *args, **kwargs)


def _fill_like(recorder: Recorder, a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    plain = dispatch.plain((a, fill_value))
    value = _settle(recorder, functools.partial(np.full_like, *plain), args, kwargs)
    return _with_fill(recorder, np.full_like, value, fill_value)


def _with_fill(recorder: Recorder, function: Any, value: Any, fill: Any) -> Any:
    leaves: list[Any] = []
    flatten(fill, leaves)
    if not any(is_traced(leaf) for leaf in leaves):
        number = fill if type(fill) in (int, float) and value.dtype.kind in "iuf" else None
        if number is None:
            return dispatch.constant(recorder, value)
        return _filled(recorder, value, number)
    if not _is_numeric(value):
        raise dispatch.unsupported(function, f" of {value.dtype}")
    if not is_traced(fill):
        fill = _assembled(recorder, np.array(dispatch.plain(fill)), fill)
    return _filled(recorder, value, fill)


for _function in (np.zeros_like, np.ones_like, np.empty_like):
    composite(_function, vjp=None)(CREATORS[_function])  # NumPy hands over what has traced arrays
composite(np.full_like)(CREATORS[np.full_like])


@_twin(np.linspace)
def _linspace(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _spaced(recorder, *args, **kwargs)


def _spaced(
    recorder: Recorder, start: Any, stop: Any, num: Any = 50, endpoint: Any = True, *rest: Any,
    **kwargs: Any,
) -> Any:  # fmt: skip
    ends = (start, stop)
    endpoint = bool(endpoint)
    if not any(is_traced(e) and e.current().level for e in ends) or rest or any(kwargs.values()):
        value = _settle(recorder, np.linspace, (*ends, num, endpoint, *rest), kwargs)
        if type(value) is tuple:  # with the step
            return dispatch.constant(recorder, value[0]), value[1]
        return dispatch.constant(recorder, value)
    num = _settled(recorder, np.linspace, num)
    attrs = {"num": operator.index(num), "endpoint": endpoint}
    return recorder.record(create.linspace, ends, attrs)


# -- arrays made from others --------------------------------------------------------------------


@_twin(np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.copy)
def _made(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    given, *rest = args if args else (kwargs.pop("object", kwargs.pop("a", None)),)
    places: list[Any] = []
    if not _collect(given, (), places):
        value = function(given, *rest, **kwargs)
        fresh = value.base is None and value is not given
        return dispatch.constant(recorder, value) if fresh else value
    value = function(dispatch.plain(given), *rest, **kwargs)
    if not _is_numeric(value):
        detail = f" of {getattr(value, 'dtype', '?')}"
        return dispatch.outside(function, (given, *rest), kwargs, detail)
    if not is_traced(given):
        return _assembled(recorder, value, given, places)
    return _converted(recorder, value, given)


def _collect(value: Any, path: create.Path, places: list[Any]) -> bool:
    """List the leaves of nested lists with their paths; tell whether one of them is traced."""
    if is_traced(value):
        places.append((path, value))
        return True
    if not isinstance(value, (list, tuple)):
        places.append((path, value))
        return False
    traced = [_collect(part, (*path, i), places) for i, part in enumerate(value)]
    return any(traced)


def _assembled(recorder: Recorder, value: Any, given: Any, places: Any = None) -> Any:
    """Record the array that nested lists with traced elements make."""
    if places is None:
        places = []
        _collect(given, (), places)
    paths, leaves = zip(*places, strict=True)
    depth = len(paths[0]) + np.ndim(dispatch.plain(leaves[0]))
    attrs = {"paths": paths, "dtype": value.dtype}
    made = recorder.record(create.array, leaves, attrs)
    if value.flags.f_contiguous and not value.flags.c_contiguous:
        made = BY_NAME["copy"](made, order="F")
    return made if depth == value.ndim else np.reshape(made, value.shape)


def _converted(recorder: Recorder, value: Any, given: Any) -> Any:
    """Record the array that a traced array or number makes; it may be that array itself."""
    node = given.current()
    if value is node.value:
        return given
    made = given
    if type(node.value) is not np.ndarray:
        made = BY_NAME["convert"](made, cls=np.ndarray)
    if made.dtype != value.dtype:
        made = BY_NAME["astype"](made, dtype=value.dtype)
    if made is given and not np.may_share_memory(value, node.value):
        made = BY_NAME["copy"](made, order="K")
    made_node = made.current()
    if made_node.value.strides != value.strides and made_node.value.shape == value.shape:
        made = BY_NAME["copy"](made, order="F" if value.flags.f_contiguous else "C")
    return made if made.shape == value.shape else np.reshape(made, value.shape)


# -- numbers ------------------------------------------------------------------------------------


def to_float(value: Any = 0.0, /) -> Any:
    """float(), which keeps the gradient of a traced value."""
    if not is_traced(value):
        return float(value)
    plain = value.value
    if type(plain) is float:
        return value
    float(plain)  # raises what Python raises: for arrays of several elements, complex numbers
    return BY_NAME["convert"](value, cls=float)


def to_int(value: Any = 0, /, *base: Any, **kwargs: Any) -> Any:
    """int(), which records a traced value; its gradient is zero."""
    return int_op(value, *base) if is_traced(value) else int(value, *base, **kwargs)


def _argument(value: Any) -> Any:
    """Make of an argument of a math function the Python number that it is taken for."""
    plain = value.value if is_traced(value) else value
    if type(plain) in (int, float, bool):
        return value
    return to_int(value) if isinstance(plain, np.integer) else to_float(value)


def _math_twin(function: Any, op: Op) -> Twin:
    @functools.wraps(function, updated=())
    def twin(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            if is_traced(value):
                numbers = {key: float(v) for key, v in kwargs.items()}
                return op(*[_argument(a) for a in args], **numbers)
        return function(*args, **kwargs)

    return twin


for _function, _op in BY_MATH.items():
    MATH[_function] = _math_twin(_function, _op)
_log, _hypot = MATH[math.log], MATH[math.hypot]


def _log_to_base(x: Any, *base: Any) -> Any:
    """math.log, of one or two arguments."""
    return _log(x) / _log(*base) if base else _log(x)


def _fsum(values: Any, /) -> Any:
    """math.fsum."""
    values = list(values)
    op = BY_MATH[math.fsum]
    return op(*[_argument(v) for v in values]) if any(map(is_traced, values)) else math.fsum(values)


def _prod(values: Any, /, *, start: Any = 1) -> Any:
    """math.prod."""
    return functools.reduce(operator.mul, values, start)


def _dist(p: Any, q: Any, /) -> Any:
    """math.dist."""
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    return _hypot(*[_argument(a) - _argument(b) for a, b in zip(p, q, strict=True)])


MATH.update({math.log: _log_to_base, math.fsum: _fsum, math.prod: _prod, math.dist: _dist})


# -- leaving out of the gradient ----------------------------------------------------------------


def stop_gradient(x: Any) -> Any:
    """Give the same value, through which no gradient passes.

    Takes arrays, numbers, and containers of them; what is not traced comes back as it is.

    >>> jit_grad(lambda w: w * stop_gradient(w))(3.0)      # the second factor is a constant
    (3.0, 9.0)
    """
    leaves: list[Any] = []
    tree = flatten(x, leaves)
    if not any(is_traced(leaf) for leaf in leaves):
        return x
    return unflatten(tree, iter([create.stopped(v) if is_traced(v) else v for v in leaves]))
