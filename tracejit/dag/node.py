"""Nodes: one recorded operation each, with its inputs, its value and where the user wrote it.

A node's inputs are nodes or plain constants. While a function is recorded every node holds the
value that was computed; `seal` replaces it by a Spec, which is all that compiling needs.
Nodes are plain slotted objects, because recording makes thousands of them per millisecond.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from .op import Op

# What a value depends on: nothing that changes, the call's inputs, the parameters; or parameters
# through nodes that a checkpoint has dropped, so that its gradient would be lost.
FIXED, VARIES, ACTIVE, DROPPED = 0, 1, 2, 3

MANY_CODES = 4096  # code objects of which something is kept

Site = tuple[CodeType, int]  # the user's code object and the offset of its instruction


class Spec:
    """What is known of a value without having it: Python type, shape, dtype and memory layout.

    `cls` is np.ndarray, a NumPy scalar type, or a Python number type (whose dtype is None); tuple
    for the results of an op that has several, and of a loop.
    """

    __slots__ = ("cls", "dtype", "layout", "shape")

    def __init__(
        self, cls: type, shape: tuple[int, ...], dtype: np.dtype[Any] | None, layout: Layout = "C"
    ) -> None:
        self.cls = cls
        self.shape = shape
        self.dtype = dtype
        self.layout = layout

    @property
    def is_array(self) -> bool:
        """Tell whether the value is an ndarray (0-d ones included)."""
        return self.cls is np.ndarray

    @property
    def is_python(self) -> bool:
        """Tell whether the value is a Python number, with Python's arithmetic."""
        return self.dtype is None and self.cls is not tuple

    @property
    def nbytes(self) -> int:
        """Bytes of array data; 0 for scalars."""
        if not self.is_array or self.dtype is None:
            return 0
        return self.size * self.dtype.itemsize

    @property
    def size(self) -> int:
        """Count the elements."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec):
            return NotImplemented
        return (
            self.cls is other.cls and self.shape == other.shape and bool(self.dtype == other.dtype)
        )

    def __hash__(self) -> int:
        return hash((self.cls, self.shape, self.dtype))

    def __str__(self) -> str:
        return _spec_text(self.cls, self.shape, self.dtype)


@lru_cache(maxsize=1024)
def _spec_text(cls: type, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> str:
    if dtype is None:
        return cls.__name__
    name = dtype_name(dtype)
    return f"{name}[{','.join(map(str, shape))}]" if cls is np.ndarray else name


@lru_cache(maxsize=256)
def dtype_name(dtype: np.dtype[Any]) -> str:
    """Name a dtype shortly: f8, i4, b1; byte order is told only where it is not native."""
    text = dtype.str.lstrip("|") if dtype.isnative else dtype.str
    return text.lstrip("<>=") if dtype.isnative else text


Layout = str | tuple[int, ...]  # "C", "F" (and not C), or the strides in bytes


def layout_of(array: np.ndarray[Any, Any]) -> Layout:
    """Describe the memory layout, on which it depends whether a reshape is a view or a copy."""
    flags = array.flags
    return "C" if flags.c_contiguous else "F" if flags.f_contiguous else array.strides


def is_uniform(array: np.ndarray[Any, Any]) -> bool:
    """Tell whether all elements are the same, bit by bit; an empty array counts."""
    return bool(array.tobytes() == array.flat[:1].tobytes() * array.size)


def spec_of(value: Any) -> Spec:
    """Describe a value: array, NumPy scalar or Python number; several results."""
    cls = type(value)
    if cls is np.ndarray:
        return Spec(cls, value.shape, value.dtype, layout_of(value))
    if isinstance(value, tuple):
        return Spec(tuple, (), None)
    dtype = getattr(value, "dtype", None)
    return Spec(cls, (), dtype if isinstance(dtype, np.dtype) else None)


def recorded_value(ref: Any) -> Any:
    """The value that a node holds while it is recorded, or a constant as it is."""
    return ref.value if type(ref) is Node else ref


class Node:
    """One recorded operation; compared and hashed by identity.

    `value`, `site` and `level` (what it depends on) are set while recording;
    `spec`, `hint` (a good name) and `backward` when the graph is sealed.
    """

    __slots__ = (
        "attrs",
        "backward",
        "hint",
        "inputs",
        "level",
        "op",
        "site",
        "spec",
        "stack",
        "value",
    )

    op: Op
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    value: Any
    site: Site | None
    level: int
    spec: Spec
    hint: str | None
    backward: bool
    stack: list[Site]

    def __init__(
        self,
        op: Op,
        inputs: tuple[Any, ...],
        attrs: dict[str, Any],
        value: Any,
        site: Site | None,
        level: int,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.value = value
        self.site = site
        self.level = level

    def seal(self, hint: str | None, backward: bool) -> None:
        """Keep a Spec instead of the value."""
        self.spec = spec_of(self.value)
        self.hint = hint
        self.backward = backward
        self.value = None

    def like(
        self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], spec: Spec | None = None
    ) -> Node:
        """Make a sealed node that stands in this one's place in a rewritten graph."""
        node = Node(op, inputs, attrs, None, self.site, self.level)
        node.spec = spec or self.spec
        node.hint = self.hint
        node.backward = self.backward
        return node

    @property
    def operands(self) -> list[Node]:
        """The inputs that are nodes, in order."""
        return [i for i in self.inputs if type(i) is Node]

    @property
    def where(self) -> str:
        """The user's file:line, or '?' where there is none."""
        return location(self.site)

    def __repr__(self) -> str:
        return f"<Node {self.op.name} at {self.where}>"


def location(site: Site | None) -> str:
    """Write a site as 'file.py:12'."""
    if site is None:
        return "?"
    return f"{site[0].co_filename}:{line_number(*site)}"


Read = TypeVar("Read")


def once_for_each(read: Callable[[CodeType], Read]) -> Callable[[CodeType], Read]:
    """Keep what is read from code objects, by identity: to compare two long ones takes long."""
    known: dict[int, tuple[CodeType, Read]] = {}

    def find(code: CodeType) -> Read:
        kept = known.get(id(code))
        if kept is None:
            if len(known) >= MANY_CODES:
                known.clear()
            kept = known[id(code)] = (code, read(code))  # which keeps the id from being reused
        return kept[1]

    return find


@once_for_each
def file_name(code: CodeType) -> str:
    """The name of the file that a code object is from, without its folder."""
    return os.path.basename(code.co_filename)


@once_for_each
def _lines(code: CodeType) -> dict[int, int]:
    return {
        offset: line
        for start, end, line in code.co_lines()
        if line is not None
        for offset in range(start, end, 2)
    }


def line_number(code: CodeType, offset: int) -> int:
    """Find the source line of an instruction."""
    return _lines(code).get(offset, code.co_firstlineno)


def unshaped(node: Node) -> Node:
    """Find the array that a node has all elements of, in the same order; often itself."""
    while node.op.name in ("reshape", "transpose") and "order" not in node.attrs:
        source = node.inputs[0]
        if type(source) is not Node or not source.spec.is_array or source.spec.layout != "C":
            break
        if node.op.name == "transpose" and sum(n != 1 for n in source.spec.shape) > 1:
            break
        node = source
    return node
