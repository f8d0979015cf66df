"""The methods and attributes of ndarray, NumPy's and Python's numbers, for tracers.

Each is a word for the NumPy function of the same meaning. Methods that write (`sort`, `put`) do it
by `a[key] = value`; what asks for memory itself is refused, or gets the plain value where no
gradient is lost by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..dag.node import location
from ..dag.op import BY_FUNCTION, BY_NAME
from ..errors import UnsupportedError
from ..ops.complexes import join_parts
from . import dispatch, keys, subclasses
from .assemble import from_list
from .source import user_site
from .tracer import Tracer


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return dispatch.function(self, function, (self, *args), kwargs)

    return method


class _Attribute:
    """An attribute of those traced values whose own type has it."""

    def __init__(self, name: str, found: Any) -> None:
        self.name = name
        self.found = found

    def __get__(self, tracer: Any, owner: Any = None) -> Any:
        if tracer is None:
            return self.found
        if not hasattr(tracer.node.value, self.name):
            raise AttributeError(self.name)  # Tracer.__getattr__ says the rest
        return self.found.__get__(tracer, owner)

    def __set__(self, tracer: Any, value: Any) -> None:
        if not isinstance(self.found, property) or not hasattr(tracer.node.value, self.name):
            kind = type(tracer.node.value).__name__
            raise AttributeError(f"{kind!r} object attribute {self.name!r} is read-only")
        self.found.__set__(tracer, value)


def _define(name: str, found: Any) -> None:
    dispatch.METHODS.add(name)
    setattr(Tracer, name, _Attribute(name, found))


for _function in (
    np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std, np.any, np.all, np.argmax, np.argmin,
    np.cumsum, np.cumprod, np.dot, np.squeeze, np.swapaxes, np.ravel, np.clip, np.round, np.take,
    np.put, np.repeat, np.choose, np.diagonal, np.trace, np.nonzero, np.searchsorted, np.argsort,
    np.argpartition,
):  # fmt: skip
    _define(_function.__name__, _method(_function))


def _method_of(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a method under its name."""

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        _define(name, method)
        return method

    return declare


# -- shape, type and copies ----------------------------------------------------------------------


def _varargs(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 else args


@_method_of("reshape")
def _reshape(self: Tracer, *shape: Any, order: Any = "C", copy: bool | None = None) -> Any:
    given = {} if copy is None else {"copy": copy}
    return np.reshape(self, _varargs(shape), order=order, **given)


@_method_of("transpose")
def _transpose(self: Tracer, *axes: Any) -> Any:
    return np.transpose(self, _varargs(axes) if axes else None)


@_method_of("astype")
def _astype(
    self: Tracer, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True,
    copy: bool = True,
) -> Any:  # fmt: skip
    wanted = np.dtype(dtype)
    if not np.can_cast(self.dtype, wanted, casting):
        self.value.astype(wanted, casting=casting)  # which raises
    if not copy and self.dtype == wanted:
        return self
    made = BY_NAME["astype"](self, dtype=wanted)
    return BY_NAME["copy"](made, order=order) if order in "CF" and made.ndim > 1 else made


@_method_of("item")
def _item(self: Tracer, *index: Any) -> Any:
    if len(index) == 1 and not isinstance(index[0], tuple):
        chosen = np.ravel(self)[index[0]]
    else:
        chosen = self[index if len(index) > 1 else index[0]] if index else self
    return BY_NAME["item"](chosen)


@_method_of("flatten")
def _flatten(self: Tracer, order: Any = "C") -> Any:
    return np.ravel(BY_NAME["copy"](self), order=order)


@_method_of("copy")
def _copy(self: Tracer, order: Any = "C") -> Any:
    return BY_NAME["copy"](self, order=order) if isinstance(self, np.ndarray) else self


@_method_of("view")
def _view(self: Tracer, dtype: Any = None, type: Any = None) -> Any:
    same = dtype in (None, np.ndarray) or np.dtype(dtype) == self.dtype
    if not same or type not in (None, np.ndarray):
        subclasses.refuse()
        raise dispatch.unsupported(np.ndarray.view, " as another type")
    return self[...]


def _write_shape(self: Tracer, shape: Any) -> None:
    raise UnsupportedError(
        f"the shape of a traced array cannot be set, as at {location(user_site())}; write "
        "x = x.reshape(...)"
    )


_define("T", property(lambda self: np.transpose(self)))
_define("mT", property(lambda self: np.swapaxes(self, -1, -2)))
_define("strides", property(lambda self: self.value.strides))
_define("flags", property(lambda self: self.value.view().flags))
_define("device", property(lambda self: "cpu"))
setattr(Tracer, "shape", Tracer.shape.setter(_write_shape))  # type: ignore[attr-defined] # noqa: B010


# -- choosing, sorting and writing ---------------------------------------------------------------


@_method_of("compress")
def _compress(self: Tracer, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return np.compress(condition, self, axis, out=out)


@_method_of("fill")
def _fill(self: Tracer, value: Any) -> None:
    self[...] = value


@_method_of("sort")
def _sort(
    self: Tracer, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> None:
    given = {} if stable is None else {"stable": stable}
    self[...] = np.sort(self, axis, kind, order, **given)


@_method_of("partition")
def _partition(
    self: Tracer, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None
) -> None:
    self[...] = np.partition(self, kth, axis, kind, order)


class Flat:
    """The `flat` of a traced array: its elements in C order, to be read and written."""

    def __init__(self, base: Tracer) -> None:
        self.base = base

    def __getitem__(self, key: Any) -> Any:
        found = np.ravel(self.base)[key]
        return found.copy() if isinstance(found, np.ndarray) else found

    def __setitem__(self, key: Any, value: Any) -> None:
        template, holes = keys.split_key(key)
        places = BY_NAME["index"](np.arange(self.base.size), *holes, key=template)
        keys.note_selected(places, holes)
        np.put(self.base, places, from_list(value))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        return iter(np.ravel(self.base))

    def __len__(self) -> int:
        return self.base.size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.ravel(self.base).__array__(dtype)

    def copy(self) -> Any:
        """The elements as an array of one axis."""
        return _flatten(self.base)


def _write_flat(self: Tracer, value: Any) -> None:
    np.put(self, np.arange(self.size), from_list(value))  # type: ignore[arg-type]


_define("flat", property(Flat, _write_flat))


# -- complex numbers -----------------------------------------------------------------------------


def _real(self: Any) -> Any:
    if hasattr(self.node.value, "dtype"):
        return np.real(self)
    return _part(self, "real") if isinstance(self, complex) else +self


def _imag(self: Any) -> Any:
    if hasattr(self.node.value, "dtype"):
        return np.imag(self)
    return _part(self, "imag") if isinstance(self, complex) else self * 0


def _part(self: Any, name: str) -> Any:
    """A part of a Python complex number, as a Python number."""
    return BY_NAME["convert"](BY_NAME[name](self), cls=float)


def _write_real(self: Tracer, value: Any) -> None:
    self[...] = join_parts(_part_like(self, value), np.imag(self)) if _is_complex(self) else value


def _write_imag(self: Tracer, value: Any) -> None:
    if not _is_complex(self):
        raise TypeError("array does not have imaginary part to set")
    self[...] = join_parts(np.real(self), _part_like(self, value))


def _part_like(self: Tracer, value: Any) -> Any:
    return np.broadcast_to(from_list(value), self.shape)


def _is_complex(self: Tracer) -> bool:
    if not isinstance(self, np.ndarray):
        raise AttributeError(f"the parts of a {type(self.node.value).__name__} cannot be set")
    return self.dtype.kind == "c"


def _conjugate(self: Any, *args: Any, **kwargs: Any) -> Any:
    if hasattr(self.node.value, "dtype"):
        if self.dtype.kind != "c" and not (args or kwargs):
            return self  # the method gives the array itself, np.conjugate a new one
        return np.conjugate(self, *args, **kwargs)
    if not isinstance(self, complex):
        return +self
    return BY_NAME["convert"](BY_FUNCTION[np.conjugate](self), cls=complex)


_define("real", property(_real, _write_real))
_define("imag", property(_imag, _write_imag))
_define("conjugate", _conjugate)
_define("conj", _conjugate)


# -- numbers, and what leaves the trace ----------------------------------------------------------


@_method_of("is_integer")
def _is_integer(self: Tracer) -> Any:
    return self % 1 == 0  # type: ignore[operator]


def _of_the_value(name: str) -> Callable[..., Any]:
    """A method of a number that gives no number: what follows holds for this value."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._looked_at(), name)(*args, **kwargs)

    return method


def _leaving(name: str) -> Callable[..., Any]:
    """A method that gives bytes, or writes a file: the value leaves the trace."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._leave(f"{name}() of a traced value"), name)(*args, **kwargs)

    return method


for _name in ("hex", "as_integer_ratio", "bit_length", "bit_count", "to_bytes"):
    _define(_name, _of_the_value(_name))
for _name in ("tobytes", "tofile", "dump", "dumps"):
    _define(_name, _leaving(_name))
