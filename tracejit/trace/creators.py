"""Recording twins of what makes arrays and numbers: NumPy's creators, math, float and int.

NumPy hands no call over whose arguments are plain (np.zeros), or nested lists (np.array([t])), and
C code of math takes plain numbers only. A traced function gets these twins in their place: they
record while a recorder is active in the thread, and are the real functions otherwise. Arrays that
they make are constants of the trace that can be written to.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.node import ACTIVE, FIXED
from ..dag.op import BY_NAME, MISSING, STEPS, Op, composite, is_traced, numpy_path, value_of
from ..ops import create
from ..ops.arrays import leaves_of
from ..ops.number import BY_MATH
from ..ops.number import to_int as int_op
from ..tree import flatten, list_leaves, unflatten
from . import dispatch
from .assemble import assembled, converted, from_list, holds_traced, is_numeric
from .recorder import Recorder, active_recorder

Twin = Callable[..., Any]

CREATORS: dict[Any, Twin] = {}  # NumPy function -> its twin
MATH: dict[Any, Twin] = {}  # function of Python's math -> its twin


def creator(*functions: Any, vjp: object = MISSING) -> Callable[[Twin], Twin]:
    """Declare twins: `record` gets the recorder, the real function and the arguments.

    vjp: None says that there is nothing to differentiate.
    """

    def register(record: Twin) -> Twin:
        for function in functions:
            CREATORS[function] = _recording(function, record)
            if vjp is None:
                STEPS.add(function)
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

    twin.__tracejit_real__ = function  # type: ignore[attr-defined]
    return twin


# -- arrays that depend on nothing --------------------------------------------------------------


def _filled(recorder: Recorder, value: Any, number: Any) -> Any:
    """Record a new array that is filled with one number."""
    layout = value.flags
    if not is_numeric(value) or not (layout.c_contiguous or layout.f_contiguous):
        return dispatch.constant(recorder, value)
    attrs: dict[str, Any] = {"shape": value.shape, "dtype": value.dtype}
    if not layout.c_contiguous:
        attrs["order"] = "F"
    run = lambda *_, **__: value  # it has been computed already
    if type(number) is int and number == 0:
        return recorder.record(create.zeros, (), attrs, run)
    return recorder.record(BY_NAME["full"], (number,), attrs, run)


def settled(recorder: Recorder, function: Any, value: Any) -> Any:
    """Make plain numbers of traced ones, counts or not: no gradient may be lost by that."""
    if not is_traced(value):
        if type(value) in (list, tuple):
            return type(value)(settled(recorder, function, v) for v in value)
        return value
    node = value.current()
    if node.level == FIXED:
        return node.value
    if np.result_type(node.value).kind in "biu":
        return dispatch.settled(value)
    if node.level == ACTIVE:
        raise dispatch.unsupported(function)
    recorder.leave(f"a traced value given to {numpy_path(function)}")
    return node.value


def settle(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    """Run a function whose traced arguments are numbers, on plain ones."""
    args = [settled(recorder, function, a) for a in args]
    kwargs = {key: settled(recorder, function, v) for key, v in kwargs.items()}
    return function(*args, **kwargs)


@creator(
    np.eye, np.identity, np.tri, np.indices, np.diag_indices, np.tril_indices, np.triu_indices,
    np.hanning, np.hamming, np.bartlett, np.blackman, np.kaiser, vjp=None,
)  # fmt: skip
def _numbers(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    made = settle(recorder, function, args, kwargs)
    if type(made) is tuple:
        return tuple(dispatch.constant(recorder, part) for part in made)
    return dispatch.constant(recorder, made)


@creator(np.fft.fftfreq, np.fft.rfftfreq)
def _frequencies(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _spaced_by(recorder, function, *args, **kwargs)


def _spaced_by(recorder: Recorder, function: Any, n: Any, d: Any = 1.0, device: Any = None) -> Any:
    value = function(settled(recorder, function, n), d, device=device)  # records what d does
    return value if is_traced(value) else dispatch.constant(recorder, value)


@creator(np.zeros, np.ones, np.empty, vjp=None)
def _uniform(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    # What np.empty finds in memory differs from call to call, and no compiled function could be
    # compared with another run; zeros are one of the things that it may find.
    make = np.zeros if function is np.empty else function
    value = settle(recorder, make, args, kwargs)
    return _filled(recorder, value, int(function is np.ones))


@creator(np.zeros_like, np.ones_like, np.empty_like, vjp=None)
def _like(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    make = np.zeros_like if function is np.empty_like else function
    value = _settle_like(recorder, make, args, kwargs)
    return _filled(recorder, value, int(function is np.ones_like))


def _settle_like(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    """Run a function that takes nothing but shape and type from its first argument."""
    prototype, *rest = args or (kwargs.get("a", kwargs.get("prototype")),)
    kwargs = {key: v for key, v in kwargs.items() if key not in ("a", "prototype")}
    plain = functools.partial(function, dispatch.plain(prototype))
    return settle(recorder, plain, rest, kwargs)


@creator(np.full)
def _full(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _fill(recorder, *args, **kwargs)


def _fill(
    recorder: Recorder, shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", **_: Any
) -> Any:
    shape = settled(recorder, np.full, shape)
    value = np.full(shape, dispatch.plain(fill_value), dtype, order)
    return _with_fill(recorder, np.full, value, fill_value)


@creator(np.full_like)
def _full_like(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _fill_like(recorder, *args, **kwargs)


def _fill_like(recorder: Recorder, a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    plain = dispatch.plain((a, fill_value))
    value = settle(recorder, functools.partial(np.full_like, *plain), args, kwargs)
    return _with_fill(recorder, np.full_like, value, fill_value)


def _with_fill(recorder: Recorder, function: Any, value: Any, fill: Any) -> Any:
    if not any(map(is_traced, list_leaves(fill))):
        number = fill if type(fill) in (int, float) and value.dtype.kind in "iuf" else None
        if number is None:
            return dispatch.constant(recorder, value)
        return _filled(recorder, value, number)
    if not is_numeric(value):
        raise dispatch.unsupported(function, f" of {value.dtype}")
    if not is_traced(fill):
        fill = assembled(recorder, np.array(dispatch.plain(fill)), fill)
    return _filled(recorder, value, fill)


for _function in (np.zeros_like, np.ones_like, np.empty_like):
    composite(_function, vjp=None)(CREATORS[_function])  # NumPy hands over what has traced arrays
composite(np.full_like)(CREATORS[np.full_like])


# -- arrays made from others --------------------------------------------------------------------


@creator(
    np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray,
    np.copy,
)
def _made(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    given, *rest = args if args else (kwargs.pop("object", kwargs.pop("a", None)),)
    places = list(leaves_of(given))
    if not any(is_traced(leaf) for _, leaf in places):
        value = function(given, *rest, **kwargs)
        fresh = value.base is None and value is not given
        return dispatch.constant(recorder, value) if fresh else value
    value = function(dispatch.plain(given), *rest, **kwargs)
    if not is_numeric(value):
        detail = f" of {getattr(value, 'dtype', '?')}"
        return dispatch.outside(function, (given, *rest), kwargs, detail)
    if not is_traced(given):
        return assembled(recorder, value, given, places)
    return converted(value, given)


@creator(np.fromiter)
def _from_iterable(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _listed(*args, **kwargs)


def _listed(iter: Any, dtype: Any, count: int = -1, **_: Any) -> Any:
    values = list(iter if count < 0 else itertools.islice(iter, count))
    if len(values) < count:
        raise ValueError(f"iterator too short: expected {count} but iterator had {len(values)}")
    return CREATORS[np.array](values, dtype)


@creator(np.fromfunction)
def _from_function(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    return _called_on_indices(*args, **kwargs)


def _called_on_indices(
    function: Any, shape: Any, *, dtype: Any = float, like: None = None, **kwargs: Any
) -> Any:
    return function(*CREATORS[np.indices](shape, dtype=dtype), **kwargs)


@creator(np.ndenumerate)
def _enumerated(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    array = from_list(args[0] if args else kwargs["arr"])
    if is_traced(array):
        return zip(np.ndindex(array.shape), array.flat, strict=True)
    return function(array)


@creator(np.asarray_chkfinite)
def _finite(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    array = CREATORS[np.asarray](*args, **kwargs)
    if array.dtype.kind in "fc" and not np.all(np.isfinite(array)):
        raise ValueError("array must not contain infs or NaNs")
    return array


@creator(np.require)
def _required(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    if not any(map(_is_or_holds_traced, (*args, *kwargs.values()))):
        return dispatch.constant(recorder, settle(recorder, function, args, kwargs), fresh=False)
    return _as_required(*args, **kwargs)


def _is_or_holds_traced(value: Any) -> bool:
    return is_traced(value) or holds_traced(value)


def _as_required(a: Any, dtype: Any = None, requirements: Any = (), *, like: None = None) -> Any:
    wanted = np.require(dispatch.plain(a), dtype, requirements)
    order: Any = "C" if wanted.flags.c_contiguous else "F" if wanted.flags.f_contiguous else "K"
    made = CREATORS[np.array](a, dtype=dtype, copy=None, order=order)
    shared = wanted is dispatch.plain(a)
    return made if shared or made is not a else made.copy(order="K")


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


def to_complex(real: Any = 0.0, imag: Any = None) -> Any:
    """complex(), which keeps the gradients of traced parts."""
    if not is_traced(real) and not is_traced(imag):
        return complex(real) if imag is None else complex(real, imag)
    whole = _complex_part(real)
    return whole if imag is None else whole + 1j * _complex_part(imag)


def _complex_part(value: Any) -> Any:
    plain = dispatch.plain(value)
    complex(plain)  # raises what Python raises
    traced = is_traced(value) and type(plain) is not complex
    return BY_NAME["convert"](value, cls=complex) if traced else value


def to_int(value: Any = 0, /, *base: Any, **kwargs: Any) -> Any:
    """int(), which records a traced value; its gradient is zero."""
    return int_op(value, *base) if is_traced(value) else int(value, *base, **kwargs)


def _argument(value: Any) -> Any:
    """Make of an argument of a math function the Python number that it is taken for."""
    plain = value_of(value)
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
