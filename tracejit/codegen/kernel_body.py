"""The body of a kernel as it grows: which arrays and scalars it reads, and how places are written.

Inside a kernel a node's name is its element; the array that it is stored in is a parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..dag.node import Node
from . import syntax as s
from .access import Step, aligned, take_back, viewed
from .scalars import cast, dtype_of, number

LOOPS = ("i", "j", "k", "l", "m", "n")
ENDS = ("start", "stop")  # of the part of the outermost loop that a kernel runs


@dataclass
class KernelBody:
    """The statements of a kernel as they grow, and what they need.

    resolve: finds what a fixed input of a loop is. array: names the array of a root, constant that
    of a constant. element: names an element. comment: of a node's line. function: makes a function
    of arrays and gives its name. stored: the nodes that are written to arrays.
    arrays: the parameters that are arrays. scalars: those read from outside. local: scalars that
    are known in the function. valid: the members of a nest whose element has a name here.
    used: functions of the library. totals: arrays that are made here and returned. part: only a
    part of the outermost loop is run. far: arguments out of the range of the fast functions are
    noted.
    """

    resolve: Callable[[Any], Any]
    array: Callable[[Node], str]
    constant: Callable[[np.ndarray[Any, Any]], str]
    element: Callable[[Node], str]
    comment: Callable[[Node], str]
    function: Callable[[str, dict[str, Any], Node, list[ast.stmt]], str]
    stored: set[Node]
    arrays: dict[str, Any] = field(default_factory=dict)
    scalars: dict[Node, str] = field(default_factory=dict)
    local: set[Node] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    valid: set[Node] = field(default_factory=set)
    totals: tuple[Node, ...] = ()
    part: bool = False
    far: bool = False

    # -- arrays --------------------------------------------------------------------------------

    def read_array(self, node: Any) -> str:
        """Name the array of a node that some other nest, or the caller, has stored."""
        if type(node) is Node and node in self.totals:
            return self.element(node)
        name = self.array(node) if type(node) is Node else self.constant(node)
        self.arrays[name] = node
        return name

    def below(self, value: Any, index: tuple[Step, ...]) -> tuple[Any, tuple[Step, ...]]:
        """Follow views, and fixed inputs of loops, down to where a value lies."""
        while True:
            value = self.resolve(value)
            if type(value) is not Node:
                return value, index
            root, index = take_back(value, index)
            if self.resolve(root) is root:
                return root, index
            value = root

    def at(self, name: str, index: tuple[Step, ...]) -> ast.expr:
        """Write an element of an array."""
        if not index:
            return s.subscript(s.name(name), s.literal(()))
        parts = [place_of(step) for step in index]
        key = parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())
        return s.subscript(s.name(name), key)

    def operand(self, value: Any, index: tuple[Step, ...], wanted: np.dtype[Any]) -> ast.expr:
        """Write an element of an operand, in the dtype that is wanted."""
        value = self.resolve(value)
        if isinstance(value, np.ndarray):
            if value.size == 1 or not any(value.strides):
                return number(value.flat[0].item(), wanted)
            name = self.read_array(value)
            return cast(self.at(name, aligned(value.shape, index)), value.dtype, wanted)
        if type(value) is not Node:
            return number(value.item() if isinstance(value, np.generic) else value, wanted)
        if not value.spec.is_array and viewed(value) is None:
            return cast(self.scalar(value), dtype_of(value), wanted)
        place = aligned(value.spec.shape, index)
        return cast(self.element_of(value, place), dtype_of(value), wanted)

    def scalar(self, value: Node) -> ast.expr:
        """Write a number: one that is known here, or a parameter."""
        if value not in self.local:
            self.scalars[value] = self.element(value)
        return s.name(self.element(value))

    def element_of(self, value: Node, index: tuple[Step, ...]) -> ast.expr:
        """Write an element: by its own name where it has one, else read from its array."""
        root, places = self.below(value, index)
        if root in self.valid or root in self.local:
            return s.name(self.element(root))
        return self.at(self.read_array(root), places)


def place_of(step: Step) -> ast.expr:
    """Write an index along one axis."""
    if step.loop is None:
        return s.literal(step.offset)
    place: ast.expr = s.name(LOOPS[step.loop])
    if step.stride != 1:
        place = ast.BinOp(s.literal(step.stride), ast.Mult(), place)
    if step.offset:
        place = ast.BinOp(s.literal(step.offset), ast.Add(), place)
    return place


def in_loops(
    loops: list[tuple[int, int]], body: list[ast.stmt], part: bool = False, always: bool = False
) -> list[ast.stmt]:
    """Put statements into loops: of each the number and length.

    A loop of length 1 is left out, unless `always`. part: run a part of the outermost loop.
    """
    for loop, length in reversed(loops):
        if length != 1 or always:
            variable = ast.Name(LOOPS[loop], ast.Store())
            ends = [s.name(end) for end in ENDS] if part and not loop else [s.literal(length)]
            body = [ast.For(variable, s.call("range", *ends), body, [])]
    return body
