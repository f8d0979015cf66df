"""Twins of NumPy's functions and ufuncs, which take lists with traced values for arrays.

NumPy hands no call over whose traced arguments are inside lists (np.mean([t, t])): it converts the
lists first, which would lose the gradients. These twins convert them to traced arrays; otherwise
they are the functions themselves. What takes sequences of arrays gets the sequences.
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.op import BY_FUNCTION, COMPOSITES
from . import dispatch
from .assemble import from_list, holds_traced
from .tracer import Tracer

FUNCTION = type(np.sum)  # of functions that NumPy hands over

# Functions of sequences of arrays: in those the elements are what may be a list.
_JOINING = {
    np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.linalg.multi_dot,
    np.lexsort,
}  # fmt: skip
_AS_THEY_ARE = {np.block, np.ravel_multi_index, np.histogramdd}
# Parameters that are no arrays: a list in them is a shape, some axes, a list of arrays.
_NO_ARRAYS = {
    "axes", "axis", "axis1", "axis2", "bins", "choicelist", "choices", "condlist",
    "constant_values", "destination", "dims", "end_values", "funclist", "indices_or_sections", "k",
    "n", "newshape", "num", "optimize", "ord", "order", "out", "pad_width", "range", "reps", "s",
    "shape", "shift", "source", "stat_length",
}  # fmt: skip


def twin(function: Any) -> Any:
    """The twin of a function or ufunc of NumPy; of anything else that itself."""
    return _made(function) if type(function) in (np.ufunc, FUNCTION) else function


@functools.cache
def _made(function: Any) -> Any:
    if type(function) is np.ufunc:
        return Ufunc(function)
    if function in _AS_THEY_ARE:
        return function
    return _taking_lists(function, _joined if function in _JOINING else from_list)


def _joined(arrays: Any) -> Any:
    """Make arrays of the lists in a sequence of arrays."""
    if not holds_traced(arrays):
        return arrays
    return type(arrays)(from_list(part) for part in arrays)


def _taking_lists(function: Any, convert: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, (list, tuple)) and holds_traced(value):
                break
        else:
            return function(*args, **kwargs)
        names = dispatch.parameters(function)
        places = [*names[: len(args)], *[""] * (len(args) - len(names))]
        given = zip(places, args, strict=True)
        args = tuple(v if name in _NO_ARRAYS else convert(v) for name, v in given)
        kwargs = {k: v if k in _NO_ARRAYS else convert(v) for k, v in kwargs.items()}
        return function(*args, **kwargs)

    call.__tracejit_real__ = function  # type: ignore[attr-defined]
    return call


class Ufunc:
    """The twin of a ufunc; it passes for the real one."""

    def __init__(self, real: np.ufunc) -> None:
        self.__tracejit_real__ = real

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        real = self.__tracejit_real__
        recorder = None
        for arg in args:
            if type(arg) is Tracer:
                recorder = arg.recorder
            elif isinstance(arg, (list, tuple)):
                args = tuple(from_list(value) for value in args)
                return real(*args, **kwargs)
        if recorder is None or kwargs or len(args) != real.nin or real in COMPOSITES:
            return real(*args, **kwargs)
        op = BY_FUNCTION.get(real)
        return real(*args) if op is None else recorder.record(op, args, {}, real)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return np.ufunc

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__tracejit_real__, name)
        if name in ("reduce", "accumulate", "outer", "reduceat"):
            value = self.__dict__[name] = _taking_lists(value, from_list)
        return value

    def __eq__(self, other: Any) -> bool:
        return other is self or other is self.__tracejit_real__

    def __hash__(self) -> int:
        return hash(self.__tracejit_real__)

    def __repr__(self) -> str:
        return repr(self.__tracejit_real__)

    def __reduce__(self) -> Any:
        return pickle.loads, (pickle.dumps(self.__tracejit_real__),)
