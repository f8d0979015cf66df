"""Recording twins of what makes evenly spaced numbers and grids: np.linspace, np.arange, np.r_, ...

Ends that are traced keep their gradients. Whole numbers are counts: what is recorded holds for
their values. How many numbers np.arange gives is noted where its ends are not whole.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..dag.op import composite, is_traced
from ..ops import create
from . import dispatch
from .assemble import from_list, holds_traced
from .creators import CREATORS, creator, settle, settled
from .recorder import Recorder, active_recorder


def _is_varying(end: Any) -> bool:
    """Tell whether an end is traced and depends on what is given or read from outside."""
    return is_traced(end) and bool(end.current().level)


def _constant(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    made = settle(recorder, function, args, kwargs)
    if type(made) is tuple:  # with the step
        return dispatch.constant(recorder, made[0]), made[1]
    return dispatch.constant(recorder, made)


def _attrs(function: Any, num: Any, endpoint: Any, axis: Any, **_: Any) -> dict[str, Any]:
    recorder = active_recorder()
    num = num if recorder is None else settled(recorder, function, num)
    attrs: dict[str, Any] = {"num": operator.index(num), "endpoint": bool(endpoint)}
    return {**attrs, "axis": operator.index(axis)} if axis else attrs


def _cast(made: Any, dtype: Any) -> Any:
    """Convert to the wanted dtype; integers are rounded down, and have no gradient."""
    if dtype is None:
        return made
    return (np.floor(made) if np.dtype(dtype).kind in "iu" else made).astype(dtype)


def _linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: None = None,
) -> Any:  # fmt: skip
    attrs = _attrs(np.linspace, num, endpoint, axis)
    made = _cast(create.linspace(start, stop, **attrs), dtype)
    if not retstep:
        return made
    steps = attrs["num"] - 1 if endpoint else attrs["num"]
    difference = np.subtract(stop, start)
    return made, np.divide(difference, steps) if steps > 0 else np.nan * difference


def _logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    attrs = _attrs(np.logspace, num, endpoint, axis)
    return _cast(create.logspace(start, stop, base, **attrs), dtype)


def _geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: int = 0
) -> Any:
    return _cast(create.geomspace(start, stop, **_attrs(np.geomspace, num, endpoint, axis)), dtype)


_SPACED: dict[Any, Any] = {np.linspace: _linspace, np.logspace: _logspace, np.geomspace: _geomspace}


@creator(*_SPACED)
def _spaced(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    args = tuple(from_list(a) for a in args)
    kwargs = {key: from_list(value) for key, value in kwargs.items()}
    ends = [*args[:2], *(kwargs[key] for key in ("start", "stop", "base") if key in kwargs)]
    if function is np.logspace:
        ends += args[4:5]
    run = _SPACED[function] if any(map(_is_varying, ends)) else None
    return run(*args, **kwargs) if run else _constant(recorder, function, args, kwargs)


for _function in _SPACED:
    composite(_function)(CREATORS[_function])  # NumPy hands these over where an end is an array


@creator(np.arange)
def _arange(recorder: Recorder, function: Any, args: Any, kwargs: Any) -> Any:
    ends = [*args[:3], *(kwargs[key] for key in ("start", "stop", "step") if key in kwargs)]
    varying = [end for end in ends if _is_varying(end)]
    if all(np.result_type(end).kind in "biu" for end in varying):
        return _constant(recorder, function, args, kwargs)
    return _ranged(*args, **kwargs)


def _ranged(
    start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: None = None
) -> Any:
    if stop is None:
        start, stop = 0, start
    attrs = {} if dtype is None else {"dtype": np.dtype(dtype)}
    made = create.arange(start, stop, 1 if step is None else step, **attrs)
    dispatch.note_shape(made)
    return made


# -- np.r_, np.c_, np.mgrid, np.ogrid ------------------------------------------------------------


def _plain_key(key: Any) -> Any:
    if isinstance(key, slice):
        return slice(*(dispatch.plain(end) for end in (key.start, key.stop, key.step)))
    if isinstance(key, tuple):
        return tuple(_plain_key(part) for part in key)
    return dispatch.plain(key)


def _is_traced_in(key: Any) -> bool:
    if isinstance(key, slice):
        return any(is_traced(end) for end in (key.start, key.stop, key.step))
    return is_traced(key) or holds_traced(key)


class _Bracketed:
    """The twin of an object that makes arrays of what stands in brackets behind it."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getitem__(self, key: Any) -> Any:
        recorder = active_recorder()
        if recorder is None or not recorder.open:
            return self._real[_plain_key(key)]
        made = self._real[_plain_key(key)]  # it raises what NumPy raises
        parts = key if isinstance(key, tuple) else (key,)
        if any(map(_is_traced_in, parts)):
            return self._record(parts, made)
        if type(made) is np.ndarray:
            return dispatch.constant(recorder, made)
        several = type(made) in (tuple, list)
        return type(made)(dispatch.constant(recorder, m) for m in made) if several else made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def _record(self, parts: tuple[Any, ...], made: Any) -> Any:
        raise NotImplementedError


def _line(key: slice) -> Any:
    """The numbers that a slice means; an imaginary step is how many there are, ends included."""
    start = 0 if key.start is None else key.start
    if isinstance(key.step, complex):
        return CREATORS[np.linspace](start, key.stop, int(abs(key.step)))
    return CREATORS[np.arange](start, key.stop, 1 if key.step is None else key.step)


class _Joiner(_Bracketed):
    """The twin of np.r_ or np.c_."""

    def _record(self, parts: tuple[Any, ...], made: Any) -> Any:
        layout = (self._real.axis, self._real.ndmin, self._real.trans1d)
        if isinstance(parts[0], str):
            if type(made) is not np.ndarray:
                raise dispatch.unsupported(np.matrix)
            words = tuple(int(word) for word in parts[0].split(","))
            layout, parts = words + layout[len(words) :], parts[1:]
        axis, ndmin, first = layout
        joined = [_raised(part, ndmin, first) for part in parts]
        return np.concatenate([part.astype(made.dtype) for part in joined], axis=axis)


def _raised(part: Any, ndmin: int, first: int) -> Any:
    """Make an array of a part of np.r_ and give it axes; `first`: where its own ones begin."""
    array = _line(part) if isinstance(part, slice) else CREATORS[np.array](part)
    missing = ndmin - array.ndim
    if missing <= 0:
        return array
    if array.ndim == 0 or first == -1:
        return np.reshape(array, (*(1,) * missing, *array.shape))
    before = first if first >= 0 else first + missing + 1
    return np.reshape(array, (*(1,) * before, *array.shape, *(1,) * (missing - before)))


class _Grid(_Bracketed):
    """The twin of np.mgrid or np.ogrid."""

    def _record(self, parts: tuple[Any, ...], made: Any) -> Any:
        if type(made) is np.ndarray and len(parts) == 1 and made.ndim == 1:
            return _line(parts[0]).astype(made.dtype)
        lines = []
        for axis, (part, grid) in enumerate(zip(parts, made, strict=True)):
            lengths = [1] * len(parts)
            lengths[axis] = grid.shape[axis]
            lines.append(np.reshape(_line(part).astype(grid.dtype), lengths))
        if type(made) is not np.ndarray:
            return type(made)(lines)
        return np.stack([np.broadcast_to(line, made.shape[1:]) for line in lines])


_TWINS: Any = {np.r_: _Joiner, np.c_: _Joiner, np.mgrid: _Grid, np.ogrid: _Grid}
for _real, _kind in _TWINS.items():
    CREATORS[_real] = _kind(_real)
