"""How emitted code takes its arguments apart, and how it tells whether a call is for it.

Both follow the trees of the recorded arguments: `statements` unpacks the leaves that are used,
`accepts_function` checks types, lengths, keys, shapes, dtypes and strides, cheapest first.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from ..cache import Signature, identifier
from ..dag.graph import Graph
from ..dag.node import Layout, Node
from ..tree import LEAF, Tree, build, is_registered, open_container
from . import syntax as s
from .names import Names

_PLAIN = (dict, list, tuple)


class Unpacking:
    """The names of all containers and leaves of the arguments."""

    def __init__(
        self,
        signature: Signature,
        graph: Graph,
        arguments: list[str],
        names: Names,
        upstream: bool,
    ) -> None:
        self.signature = signature
        self.arguments = arguments
        self.extras: dict[str, Any] = {}
        self.node_names: dict[Node, str] = {}
        self._names = names
        self._builders: dict[Any, str] = {}
        nodes = iter(graph.inputs)
        self.leaf_nodes: list[Node | None] = [
            next(nodes) if traced else None for traced in signature.traced
        ]
        self.trees = [*signature.trees, *([LEAF] if upstream else [])]
        if upstream:
            self.leaf_nodes.append(next(nodes))
        self.leaf_names: list[str] = []
        hints = [*signature.identifiers(), "d_output"]
        position = 0
        for argument, tree in zip(arguments, self.trees, strict=True):
            for _ in range(tree.leaves):
                is_argument = tree.cls is None
                name = argument if is_argument else names.take(hints[position])
                self.leaf_names.append(name)
                node = self.leaf_nodes[position]
                if node is not None:
                    self.node_names[node] = name
                position += 1

    def builder(self, tree: Tree) -> str:
        """Name the callable that makes a container of a type that has no literal."""
        key = (tree.cls, tree.keys, tree.extra)
        if key not in self._builders:
            assert tree.cls is not None
            name = self._names.take(tree.cls.__name__)
            self._builders[key] = name
            empty = Tree(tree.cls, tree.keys, (LEAF,) * len(tree.keys), tree.extra)
            fields = hasattr(tree.cls, "_fields") and not is_registered(tree.cls)
            made = tree.cls if fields else _Builder(empty)
            self.extras[name] = made
        return self._builders[key]

    def statements(self, used: set[Node]) -> list[ast.stmt]:
        """Take the arguments apart, as far as the function reads them."""
        lines: list[ast.stmt] = []
        position = 0
        for argument, tree in zip(self.arguments, self.trees, strict=True):
            if tree.cls is not None:
                self._unpack(s.name(argument), tree, position, used, lines)
            position += tree.leaves
        return lines

    def _unpack(
        self, value: ast.expr, tree: Tree, position: int, used: set[Node], lines: list[ast.stmt]
    ) -> None:
        starts = _starts(tree, position)
        if self._flat(tree) and any(self._is_used(i, used) for i in starts) and tree.keys:
            lines.append(s.unpack([self.leaf_names[i] for i in starts], value))
            return
        for key, child, start in zip(tree.keys, tree.children, starts, strict=True):
            if not any(self._is_used(i, used) for i in range(start, start + child.leaves)):
                continue
            part = self._part(value, tree, key)
            if child.cls is None:
                lines.append(s.assign(self.leaf_names[start], part))
            else:
                self._unpack(part, child, start, used, lines)

    def _is_used(self, position: int, used: set[Node]) -> bool:
        return self.leaf_nodes[position] in used

    def _flat(self, tree: Tree) -> bool:
        """Tell whether a container is unpacked in one statement: a sequence of leaves alone."""
        return tree.cls in (list, tuple) and all(child.cls is None for child in tree.children)

    def _part(self, value: ast.expr, tree: Tree, key: Any) -> ast.expr:
        assert tree.cls is not None
        if is_registered(tree.cls):
            self.extras.setdefault("children_of", _children)
            return s.subscript(s.call("children_of", value), s.literal(key))
        if tree.cls in (list, tuple) or (issubclass(tree.cls, dict) and writable(key)):
            return s.subscript(value, s.literal(key))
        if isinstance(key, str) and not issubclass(tree.cls, dict):
            return s.attribute(value, key)
        name = self._names.take("key", numbered=True)
        self.extras[name] = key
        return s.subscript(value, s.name(name))


class _Builder:
    """Makes a container of a given type from its children."""

    __slots__ = ("_tree",)

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def __call__(self, *children: Any) -> Any:
        return build(self._tree, children)


def _children(value: Any) -> Any:
    opened = open_container(value)
    assert opened is not None
    return opened[1]


def _starts(tree: Tree, position: int) -> list[int]:
    starts = []
    for child in tree.children:
        starts.append(position)
        position += child.leaves
    return starts


# -- what a call must look like -------------------------------------------------------------------


def checkable(signature: Signature) -> bool:
    """Tell whether `accepts` can check the structure: keys that can be written, known types."""
    static = (v for v, traced in zip(signature.leaves, signature.traced, strict=True) if not traced)
    return (
        signature.opaque is None
        and all(_checkable(tree) for tree in signature.trees)
        and all(writable(value) for value in static)
    )


def _checkable(tree: Tree) -> bool:
    if tree.cls is None:
        return True
    keys = all(writable(key) for key in tree.keys)
    return tree.cls in _PLAIN and keys and all(_checkable(child) for child in tree.children)


def writable(value: Any) -> bool:
    """Tell whether a key or static value can be written as a literal."""
    if type(value) is str:
        return value.isprintable() or value.replace("\n", "").isprintable()
    return type(value) in (int, float, bool, type(None), np.bool_)


def accepts_function(unpacking: Unpacking, note_dtype: Callable[[Any], None]) -> ast.stmt:
    """Write `accepts`: containers first, then leaves."""
    signature = unpacking.signature
    body: list[ast.stmt] = []
    if not checkable(signature):
        body.append(ast.Return(s.literal(False)))
        doc = "Leave the check of other containers than dicts, lists and tuples to the caller."
        return s.function("accepts", unpacking.arguments, [], doc, body)
    names = Names([*unpacking.arguments, *unpacking.leaf_names])
    position = 0
    for argument, tree in zip(unpacking.arguments, unpacking.trees, strict=True):
        _check_tree(argument, tree, position, unpacking.leaf_names, names, body)
        position += tree.leaves
    for place, name in enumerate(unpacking.leaf_names):
        node = unpacking.leaf_nodes[place]
        if node is not None:
            note_dtype(node.spec.dtype if node.spec.is_array else None)
            checks = _check_leaf(name, node)
        else:
            checks = _check_static(name, signature.leaves[place])
        test = ast.BoolOp(ast.And(), checks) if len(checks) > 1 else checks[0]
        wrong = ast.UnaryOp(ast.Not(), test)
        body.append(ast.If(wrong, [ast.Return(s.literal(False))], []))
    body.append(ast.Return(s.literal(True)))
    doc = "Tell whether a call has the structure, shapes, dtypes and layout compiled for."
    return s.function("accepts", unpacking.arguments, [], doc, body)


def _compare(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [operator], [right])


def _check_tree(
    name: str, tree: Tree, position: int, leaf_names: list[str], names: Names, body: list[ast.stmt]
) -> None:
    if tree.cls is None:
        return
    wrong = _compare(s.call("type", s.name(name)), ast.IsNot(), s.name(tree.cls.__name__))
    if tree.cls is dict:
        keys: ast.expr = ast.List([s.literal(k) for k in tree.keys], ast.Load())
        have: ast.expr = ast.List([ast.Starred(s.name(name), ast.Load())], ast.Load())
        differs = _compare(have, ast.NotEq(), keys)
    else:
        differs = _compare(s.call("len", s.name(name)), ast.NotEq(), s.literal(len(tree.keys)))
    test = ast.BoolOp(ast.Or(), [wrong, differs])
    body.append(ast.If(test, [ast.Return(s.literal(False))], []))
    starts = _starts(tree, position)
    parts = [
        leaf_names[start] if child.cls is None else names.take(identifier((name, key)))
        for key, child, start in zip(tree.keys, tree.children, starts, strict=True)
    ]
    if tree.cls is dict:
        for key, part in zip(tree.keys, parts, strict=True):
            body.append(s.assign(part, s.subscript(s.name(name), s.literal(key))))
    elif parts:
        body.append(s.unpack(parts, s.name(name)))
    for child, part, start in zip(tree.children, parts, starts, strict=True):
        _check_tree(part, child, start, leaf_names, names, body)


def _check_leaf(name: str, node: Node) -> list[ast.expr]:
    spec = node.spec
    cls = s.name(spec.cls.__name__ if spec.is_python else f"np.{spec.cls.__name__}")
    checks = [_compare(s.call("type", s.name(name)), ast.Is(), cls)]
    if spec.is_array and spec.dtype is not None:
        same: ast.cmpop = ast.Is() if spec.dtype.isbuiltin == 1 else ast.Eq()
        checks.append(_compare(s.name(f"{name}.shape"), ast.Eq(), s.literal(spec.shape)))
        checks.append(_compare(s.name(f"{name}.dtype"), same, s.literal(spec.dtype)))
        checks += _check_layout(name, spec.layout)
    return checks


def _check_layout(name: str, layout: Layout) -> list[ast.expr]:
    flags = s.name(f"{name}.flags")
    if layout == "C":
        return [s.attribute(flags, "c_contiguous")]
    if layout == "F":
        return [s.attribute(flags, "fnc")]
    return [_compare(s.name(f"{name}.strides"), ast.Eq(), s.literal(layout))]


def _check_static(name: str, value: Any) -> list[ast.expr]:
    if value is None or type(value) is bool:
        return [_compare(s.name(name), ast.Is(), s.literal(value))]
    if type(value) is np.bool_:
        kind = _compare(s.call("type", s.name(name)), ast.Is(), s.name("np.bool_"))
        return [kind, _compare(s.name(name), ast.Eq(), s.literal(bool(value)))]
    kind = _compare(s.call("type", s.name(name)), ast.Is(), s.name(type(value).__name__))
    return [kind, _compare(s.name(name), ast.Eq(), s.literal(value))]
