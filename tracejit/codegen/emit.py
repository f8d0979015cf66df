"""From a graph to the text of a module: constants, buffers, the function, and what it accepts.

The module stands alone: it needs NumPy only. Its main function takes the user's arguments and
the buffers that `allocate()` makes; classes and large constants come as further keyword
arguments. `accepts` tells whether a call has the signature that the function was compiled for.
"""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cache import Signature
from ..dag.graph import Graph
from ..dag.node import Node, dtype_name, is_uniform, line_number
from ..dag.op import INPUT
from ..outcome import Form, assemble
from ..tree import Tree
from . import syntax as s
from .buffers import Buffers, assign_buffers
from .names import Names, name_nodes
from .signature import Unpacking, accepts_function, writable
from .targets import Target

_NUMBER_WORDS = {0.5: "half", 1.0: "one", 2.0: "two"}
LITERAL_LIMIT = 64  # elements of a constant array that is written out


@dataclass(frozen=True, slots=True)
class Emitted:
    """The text, and what it needs to run.

    extras: the values of the function's keyword-only arguments beside `slots`.
    lines: the line number in the text of each node's statement.
    """

    text: str
    name: str
    extras: dict[str, Any]
    has_slots: bool
    nbytes: int
    lines: dict[Node, int]


def emit(
    graph: Graph, signature: Signature, form: Form, upstream: bool, target: Target
) -> Emitted:
    """Write the module for a graph; `upstream`: the last input is dL/d(first output)."""
    return _Emitter(graph, signature, form, upstream, target).module()


class _Emitter:
    def __init__(
        self, graph: Graph, signature: Signature, form: Form, upstream: bool, target: Target
    ) -> None:
        self.graph = graph
        self.target = target
        self.signature = signature
        self.form = form
        self.arguments = [*signature.names, *(["d_output"] if upstream else [])]
        self.buffers: Buffers = assign_buffers(graph, target.takes_slot, target.overwrites)
        self.slots = [f"s{i}" for i in range(len(self.buffers.slots))]
        self.slabs = [f"slab{i}" for i in range(len(self.buffers.slabs))]
        helpers = (self.target.helper(node) for node in graph.nodes)
        self.helpers = dict(h for h in helpers if h is not None)
        self.names = Names([*self.slots, *self.slabs, *self.helpers])
        self.title = self.names.take(graph.name if graph.name.isidentifier() else "function")
        self.argument_names = [self.names.take(a) for a in self.arguments]
        self.unpacking = Unpacking(signature, graph, self.argument_names, self.names, upstream)
        self.node_names = {**name_nodes(graph, self.names), **self.unpacking.node_names}
        self.returned = {o for o in graph.outputs if type(o) is Node}
        self.readers = {n: len(u) for n, u in graph.users().items()}
        self.constants: dict[str, ast.expr] = {}
        self.extras = self.unpacking.extras
        for node in graph.nodes:
            self.extras.update(self.target.functions(node))
        self.dtypes: dict[str, np.dtype[Any]] = {}
        self._constant_names: dict[Any, str] = {}

    # -- operands --------------------------------------------------------------------------

    def operand(self, value: Any) -> ast.expr:
        """Write a node or constant where it is read."""
        if type(value) is Node:
            if self._inlined(value):
                return self.target.expression(value, self.operand)
            return s.name(self.node_names[value])
        if isinstance(value, np.ndarray):
            return s.name(self._array_constant(value))
        if isinstance(value, np.generic):
            return s.call(f"np.{_scalar_name(type(value))}", s.literal(value.item()))
        return s.literal(value)

    def number(self, value: float, dtype: np.dtype[Any]) -> ast.expr | None:
        """Name a common number that is kept as a 0-d array, or give None."""
        word = _NUMBER_WORDS.get(value)
        if word is None:
            return None
        key = (word, dtype.str)
        if key not in self._constant_names:
            name = self._constant_names[key] = self.names.take(word)
            self._note_dtype(dtype)
            self.constants[name] = s.call("np.array", s.literal(value), s.literal(dtype))
        return s.name(self._constant_names[key])

    def _inlined(self, node: Node) -> bool:
        return (
            node.op is not INPUT
            and node not in self.returned
            and self.target.is_inlined(node, self.readers[node])
        )

    def _array_constant(self, value: np.ndarray[Any, Any]) -> str:
        key = (value.shape, value.dtype.str, value.tobytes())
        name = self._constant_names.get(key)
        if name is None:
            name = self.names.take("const", numbered=True)
            self._constant_names[key] = name
            expression = self._array_expression(value)
            if expression is None:
                self.extras[name] = value
            else:
                self.constants[name] = expression
        return name

    def _array_expression(self, value: np.ndarray[Any, Any]) -> ast.expr | None:
        """Write an array out, where it is uniform, a range, an identity, or small."""
        dtype, shape = s.literal(value.dtype), s.literal(value.shape)
        self._note_dtype(value.dtype)
        if is_uniform(value):
            if not any(value.flat[:1].tobytes()):
                return s.call("np.zeros", shape, dtype)
            return s.call("np.full", shape, s.literal(value.flat[0].item()), dtype)
        makers = (("np.arange", np.arange), ("np.eye", np.eye)) if value.ndim else ()
        for path, make in makers:
            if value.shape == (len(value),) * (1 + (make is np.eye)) and value.dtype.kind != "b":
                same = make(len(value), dtype=value.dtype)
                if value.tobytes() == same.tobytes():
                    return s.call(path, s.literal(len(value)), dtype=dtype)
        if value.size <= LITERAL_LIMIT:
            return s.call("np.array", _nested(value.tolist()), dtype)
        return None

    def _note_dtype(self, dtype: Any) -> None:
        if isinstance(dtype, np.dtype) and dtype.isnative:
            self.dtypes[dtype_name(dtype)] = dtype

    # -- the function ----------------------------------------------------------------------

    def module(self) -> Emitted:
        body = self.function_body()
        accepts = accepts_function(self.unpacking, self._note_dtype)
        allocate = self.allocate()
        helpers = [line for text in self.helpers.values() for line in ast.parse(text).body]
        keyword_only = [*(["slots"] if self.buffers.slots else []), *self.extras]
        main = s.function(self.title, self.argument_names, keyword_only, self.doc(), body)
        rest = s.to_source([*helpers, *allocate, main, accepts])
        prelude: list[ast.stmt] = [ast.Import([ast.alias("numpy", "np")])]
        constants = s.to_source([s.assign(n, value) for n, value in self.constants.items()])
        for name in ("inf", "nan"):
            if re.search(rf"(?<![\w.]){name}\b", constants + re.sub("#.*", "", rest)):
                prelude.append(s.assign(name, s.call("float", ast.Constant(name))))
        for name in sorted(self.dtypes):
            prelude.append(s.assign(name, s.call("np.dtype", ast.Constant(name))))
        text = s.to_source(prelude) + constants.lstrip("\n") + "\n\n" + rest
        return Emitted(
            text, self.title, self.extras, bool(self.buffers.slots), self.buffers.nbytes,
            self._find_lines(text),
        )  # fmt: skip

    def doc(self) -> str:
        gradients = "outputs and gradients"
        if not self.form.wanted.gradients:
            gradients = "outputs"
        elif not self.form.wanted.forward:
            gradients = "gradients"
        return f"Compute {gradients} of {self.graph.name}."

    def function_body(self) -> list[ast.stmt]:
        body = self.unpacking.statements(self.used_inputs())
        if self.slots:
            body.append(s.unpack(self.slots, s.name("slots")))
        phase = None
        for node in self.graph.nodes:
            if self._inlined(node):
                continue
            if node.backward is not phase:
                phase = node.backward
                body.append(s.Note("backward" if phase else "forward"))
            body.extend(self.node_statements(node))
        if phase is False and self.form.wanted.gradients:
            body.append(s.Note("backward"))
        body.append(ast.Return(self.results()))
        return body

    def used_inputs(self) -> set[Node]:
        used = {i for node in self.graph.nodes for i in node.operands}
        return used | self.returned

    def node_statements(self, node: Node) -> list[ast.stmt]:
        self._note_dtype(node.attrs.get("dtype"))
        if node.op.name == "unindex":
            self._note_dtype(node.spec.dtype)
        index = self.buffers.assigned.get(node)
        slot = None if index is None else self.slots[index]
        in_place = node in self.buffers.in_place
        return self.target.statements(
            node, self.node_names[node], slot, self.operand, in_place, comment(node), self.number
        )

    def results(self) -> ast.expr:
        given: set[Node] = set()
        leaves = []
        for output in self.graph.outputs:
            leaves.append(self._result(output, given))
        count = self.graph.gradients
        returned: ast.expr = assemble(
            self.form, iter(leaves[:count]), iter(leaves[count:]), self._build, self._several
        )
        return returned

    def _result(self, output: Any, given: set[Node]) -> ast.expr:
        """Write a returned leaf: fresh memory that nothing else holds."""
        if type(output) is not Node:
            if isinstance(output, np.ndarray):
                fresh = self._array_expression(output)
                if fresh is not None:
                    return fresh
                return s.method(s.name(self._array_constant(output)), "copy")
            return self.operand(output)
        if output.spec.is_array and (output not in self.buffers.owned or output in given):
            return s.method(s.name(self.node_names[output]), "copy")
        given.add(output)
        return s.name(self.node_names[output])

    def _build(self, tree: Tree, children: list[ast.expr]) -> ast.expr:
        cls = tree.cls
        if cls is dict and all(writable(key) for key in tree.keys):
            return ast.Dict([s.literal(k) for k in tree.keys], children)
        if cls is list:
            return ast.List(children, ast.Load())
        if cls is tuple:
            return ast.Tuple(children, ast.Load())
        return s.call(self.unpacking.builder(tree), *children)

    def _several(self, values: list[ast.expr]) -> ast.expr:
        return ast.Tuple(values, ast.Load())

    # -- around it -------------------------------------------------------------------------

    def allocate(self) -> list[ast.stmt]:
        """Write the function that makes one set of buffers."""
        slots = self.buffers.slots
        if not slots:
            return []
        body: list[ast.stmt] = []
        views: list[ast.expr] = []
        counts = Counter(slot.slab for slot in slots)
        shared = {slab for slab, count in counts.items() if count > 1}
        for slab in sorted(shared):
            size = s.literal(self.buffers.slabs[slab])
            empty = s.call("np.empty", size, s.name("np.uint8"))
            body.append(s.assign(self.slabs[slab], empty))
        for slot in slots:
            spec = slot.spec
            self._note_dtype(spec.dtype)
            order = s.literal("F") if spec.layout == "F" else None
            shape, dtype = s.literal(spec.shape), s.literal(spec.dtype)
            if slot.slab not in shared:
                views.append(s.call("np.empty", shape, dtype, order=order))
                continue
            part = s.subscript(s.name(self.slabs[slot.slab]), s.literal(slice(None, spec.nbytes)))
            kwargs = {} if order is None else {"order": order}
            views.append(s.method(s.method(part, "view", dtype), "reshape", shape, **kwargs))
        lines = [
            s.assign(name, view, str(slot.spec))
            for name, view, slot in zip(self.slots, views, slots, strict=True)
        ]
        names: list[ast.expr] = [s.name(name) for name in self.slots]
        body += [*lines, ast.Return(ast.Tuple(names, ast.Load()))]
        return [s.function("allocate", [], [], "Make the buffers of one call.", body)]

    def _find_lines(self, text: str) -> dict[Node, int]:
        by_name = {name: node for node, name in self.node_names.items()}
        found: dict[Node, int] = {}
        inside = False
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("def "):
                inside = line.startswith(f"def {self.title}(")
            name = line.strip().split(" = ")[0]
            if inside and " = " in line and name in by_name:
                found.setdefault(by_name[name], number)
        return found


def comment(node: Node) -> str:
    """Write what stands behind a node's line: type, shape, and the user's file and line."""
    if node.site is None:
        return str(node.spec)
    code, offset = node.site
    return f"{node.spec}  {os.path.basename(code.co_filename)}:{line_number(code, offset)}"


def _scalar_name(cls: type) -> str:
    return "bool_" if cls is np.bool_ else cls.__name__


def _nested(value: Any) -> ast.expr:
    if isinstance(value, list):
        return ast.List([_nested(v) for v in value], ast.Load())
    return s.literal(value)
