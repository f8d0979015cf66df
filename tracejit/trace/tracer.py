"""The tracer: stands for an array or number inside a traced function and records what is done.

It has the shape, dtype, methods and operators of its value, and passes `isinstance` as its
value would. In-place writes are recorded as new values; views keep their base, so that a write
through one shows in the other as it does in NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import ACTIVE, Node, location
from ..dag.op import BY_FUNCTION, BY_NAME, IDENTITY, INPUT, Op, exact
from ..errors import LostGradientError, UnsupportedError
from ..ops import index as indexing
from . import dispatch, keys, subclasses, ufuncs
from .source import is_formatting, library_call, user_site
from .suggest import advice

if TYPE_CHECKING:
    from .recorder import Recorder


class Tracer:
    """A traced value; see the module's docstring.

    base: the tracer whose array this one views, or None. rest: the other arguments of the view.
    version: counts the writes to this array; stamp: the base's when this view was last in step.
    """

    __slots__ = ("__weakref__", "base", "node", "recorder", "rest", "stamp", "version")
    __array_priority__ = 1000.0

    def __init__(self, node: Node, recorder: Recorder) -> None:
        self.node: Node = node
        self.recorder: Recorder = recorder
        self.base: Tracer | None = None
        self.version = 0
        self.rest: tuple[Any, ...]
        self.stamp: int

    # -- the value ---------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """The array or number that this tracer stands for."""
        return self.current().value

    @property
    def __class__(self) -> type:
        return type(self.node.value)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise TypeError("the type of a traced value cannot be changed")

    def current(self) -> Node:
        """The node of the value now, after writes to arrays that share its memory."""
        if self.base is not None and self.stamp != self.base.stamp_now():
            node, args = self.node, (self.base, *self.rest)
            fresh = self.recorder.record(node.op, args, node.attrs)
            if type(fresh) is not Tracer:  # the call has ended
                fresh = Tracer(
                    Node(node.op, (), node.attrs, fresh, node.site, node.level), self.recorder
                )
            self.node = fresh.node
            self.stamp = self.base.stamp_now()
        return self.node

    def stamp_now(self) -> int:
        """Count the writes to this array or to any that it views."""
        return self.version if self.base is None else self.version + self.base.stamp_now()

    def _record(
        self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], fn: Any = None
    ) -> Any:
        return self.recorder.record(op, args, attrs, fn)

    def _leave(self, what: str, keeps_gradient: bool = False) -> Any:
        """Give the plain value to code that cannot be recorded."""
        node = self.current()
        if self.recorder.open:
            if node.level == ACTIVE and not keeps_gradient:
                subclasses.refuse()
                raise _lost(what)
            if node.level:
                self.recorder.leave(what)
        return node.value

    # -- NumPy's protocols -------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            op = BY_FUNCTION.get(ufunc)
            if op is not None:
                return self.recorder.record(op, inputs, {}, ufunc)
        return ufuncs.ufunc(self, ufunc, method, inputs, kwargs)

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        return dispatch.function(self, function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        plain = np.array(self._leave("converting to a plain array"), dtype=dtype)
        plain.flags.writeable = False  # a write to it would not reach the traced array
        return plain

    # -- shape -------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.node.value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return self.node.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return self.node.value.size  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        return self.node.value.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        return self.node.value.itemsize  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.node.value)

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self.node.value))])

    # -- indexing and writing ----------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        template, holes = keys.split_key(key)
        found = self.recorder.record(indexing.index, (self, *holes), {"key": template})
        if holes:
            keys.note_selected(found, holes)
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(self, np.ndarray):
            kind = type(self.node.value).__name__
            raise TypeError(f"{kind!r} object does not support item assignment")
        template, holes = keys.split_key(key)
        if holes:
            keys.note_selection(self, holes, template, value)
        self.write_at(indexing.index_set, (value, *holes), template)

    def write_at(self, op: Op, args: tuple[Any, ...], key: Any) -> None:
        """Write to the elements at an index, `op` being index_set or index_add."""
        if self.base is None and self.recorder.open and self.recorder.writes.owned_by(self):
            self.node = self.recorder.writes.record(self, op, args, key).node
            self.version += 1
            return
        self.write(op(self, *args, key=key))
        if self.base is None:
            self.recorder.writes.own(self)

    def write(self, new: Any) -> None:
        """Let this array, and those that share its memory, have a new value from now on."""
        node = new.node if type(new) is Tracer else new
        if type(node) is not Node:
            raise UnsupportedError("a traced array cannot be written to after its call has ended")
        root = self
        while root.base is not None:
            root = root.base
        if not self.node.value.flags.writeable:
            raise ValueError(f"assignment destination is read-only at {location(user_site())}")
        if root.node.op is INPUT or root.node.op is IDENTITY:
            self.recorder.writes.enter(root)
        if self.base is not None:
            self.current()
            value, holes, key = indexing.unview(
                self.node.op, self.base, Tracer(node, self.recorder), self.rest, self.node.attrs
            )
            self.base.write_at(indexing.index_set, (value, *holes), key)
            view = self.recorder.record(self.node.op, (self.base, *self.rest), self.node.attrs)
            self.node = view.node
            self.stamp = self.base.stamp_now()
        else:
            self.node = node
            self.version += 1

    # -- leaving the trace -------------------------------------------------------------------

    def _looked_at(self) -> Any:
        """Give the plain value where what follows holds for exactly this one."""
        node = self.current()
        self.recorder.guard(node, "value", exact(node.value))
        return node.value

    def __bool__(self) -> bool:
        node = self.current()
        outcome = bool(node.value)
        self.recorder.guard(node, "truth", outcome)
        return outcome

    def __index__(self) -> int:
        node = self.current()
        outcome = operator.index(node.value)
        self.recorder.guard(node, "index", outcome)
        return outcome

    def __int__(self) -> int:
        return int(self._looked_at())

    def __float__(self) -> float:
        if is_formatting():
            return float(self._looked_at())
        return float(self._leave("float() of a traced value"))

    def __complex__(self) -> complex:
        return complex(self._leave("complex() of a traced value"))

    def __hash__(self) -> int:
        if self.recorder.made is not None:  # it may be the key of a cache, which keeps results
            self._leave("hash() of a traced value")
        return hash(self._looked_at())

    def __contains__(self, item: Any) -> bool:
        if not isinstance(self, np.ndarray):
            raise TypeError(f"argument of type {type(self.node.value).__name__!r} is not iterable")
        return bool(np.any(self == item))  # as ndarray has it

    def __round__(self, digits: Any = None) -> Any:
        given = {} if digits is None else {"ndigits": digits.__index__()}
        return BY_NAME["round_number"](self, **given)

    def __str__(self) -> str:
        return str(self._looked_at())

    def __repr__(self) -> str:
        return repr(self._looked_at())

    def __format__(self, spec: str) -> str:
        return format(self._looked_at(), spec)

    def tolist(self) -> Any:
        """A list of detached numbers; an error where that would lose a gradient."""
        if self.current().level == ACTIVE:
            self._leave("tolist() of a traced value")
        if isinstance(self, np.ndarray) and self.ndim:
            return [row.tolist() for row in self]
        return BY_NAME["item"](self) if hasattr(self.node.value, "dtype") else self

    def __copy__(self) -> Any:
        return BY_NAME["copy"](self) if isinstance(self, np.ndarray) else self

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __reduce__(self) -> Any:
        return self._leave("pickling a traced value").__reduce__()

    def __getattr__(self, name: str) -> Any:
        value = object.__getattribute__(self, "node").value
        if name.startswith("__") or not hasattr(value, name):
            raise AttributeError(f"{type(value).__name__!r} object has no attribute {name!r}")
        subclasses.refuse()
        raise UnsupportedError(
            f".{name} of a traced {type(value).__name__} at {location(user_site())} is not "
            "supported yet" + advice(name, dispatch.METHODS)
        )


def _lost(what: str) -> LostGradientError:
    """Make the error that says where the plain value of a tracer was asked for."""
    called = library_call()
    if called is None:
        where = f"at {location(user_site())}"
        remedy = (
            "use NumPy functions on it, and np.array([...]) or np.stack to build arrays from it"
        )
    else:
        where = f"in {called[0]}, called at {location(called[1])},"
        remedy = (
            "call what tracejit records (python -m tracejit ops lists it), or declare a gradient "
            "with tracejit.primitive and tracejit.defvjp"
        )
    return LostGradientError(
        f"{what} {where} would take a value that depends on the parameters out of the trace, and "
        f"its gradient would be lost; {remedy}"
    )
