"""From a graph to the text of a module: constants, buffers, the functions, and what is accepted.

The module stands alone: it needs NumPy only. Its main function takes the user's arguments,
captured values and the buffers that `allocate()` makes; classes and large constants come as
further keyword arguments. Where a call may leave the main line, a function for each exit goes on
with it. `accepts` tells whether a call has the signature that all this was compiled for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cache import Signature
from ..dag.graph import Graph
from ..dag.loop import LOOP, PART
from ..dag.node import Node
from ..dag.op import COMMIT, GUARD, INPUT, PICK, is_draw
from ..outcome import Form, assemble
from ..tree import Tree
from . import guards
from . import syntax as s
from .allocation import allocate_function
from .buffers import Buffers, assign_buffers, roots_of
from .constants import Constants
from .kernel_calls import KernelCalls
from .kernel_code import in_parts_functions, library_text, reserved_names
from .lines import find_lines
from .loops import Loops
from .names import Names, name_nodes
from .placing import copy_parts
from .prelude import prelude
from .printing import to_source
from .signature import Unpacking, accepts_function, writable
from .targets import Target

_WRITES = ("index_set", "index_add", "unindex")
_UNWRITTEN = (COMMIT, PART, PICK)  # they have no line of their own


@dataclass(frozen=True, slots=True)
class Emitted:
    """The text, and what it needs to run.

    extras: the values of the function's keyword-only arguments beside `slots`.
    lines: the line number in the text of each node's statement, and of each guard's first test.
    captured: the function's parameters after the user's arguments, in the order of the inputs.
    draws: the names of what is drawn from random generators, in program order on every path.
    machine: whether there are functions for Numba in it. refused: why not, if they are too many.
    """

    text: str
    name: str
    extras: dict[str, Any]
    has_slots: bool
    nbytes: int
    lines: dict[Node, int]
    captured: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    machine: bool = False
    refused: str = ""


def emit(
    graph: Graph, signature: Signature, form: Form, upstream: bool, target: Target
) -> Emitted:
    """Write the module for a graph; `upstream`: the input after the leaves is dL/d(output)."""
    return _Emitter(graph, signature, form, upstream, target).module()


class _Emitter:
    def __init__(
        self, graph: Graph, signature: Signature, form: Form, upstream: bool, target: Target
    ) -> None:
        graph, self.plan = target.plan(graph)
        self.graph = graph
        self.target = target
        self.form = form
        arguments = [*signature.names, *(["d_output"] if upstream else [])]
        kernels = self.plan.kernel
        self.buffers: Buffers = assign_buffers(
            graph,
            lambda n: n in kernels[n].stored if n in kernels else target.takes_slot(n),
            lambda n, source: target.overwrites(n, source, self.plan.nest.get(n)),
            self.plan,
        )
        self.roots = roots_of(graph, self.plan)
        self.slots = [f"s{i}" for i in range(len(self.buffers.slots))]
        self.slabs = [f"slab{i}" for i in range(len(self.buffers.slabs))]
        self.loops = Loops(graph, self.buffers, self.slots)
        computed = [n for n in self.loops.named(graph) if n.op not in (GUARD, COMMIT)]
        called = [n for n in computed if n.op not in (INPUT, PICK) and n not in kernels]
        computed = [n for n in computed if not n.op.several]
        self.picked: dict[Node, dict[int, Node]] = {}
        again: dict[Node, Node] = {}  # lines may pick the same, each for itself
        for node in computed:
            if node.op is PICK:
                known = self.picked.setdefault(node.inputs[0], {})
                again[node] = known.setdefault(node.attrs["index"], node)
        of_ops = {node.op: node for node in called}.values()
        helpers = (self.target.helper(node) for node in of_ops)
        self.helpers = dict(h for h in helpers if h is not None)
        functions = {k: v for node in of_ops for k, v in target.functions(node).items()}
        reserved = reserved_names() if kernels else ()
        self.names = Names([*self.slots, *self.slabs, *self.helpers, *functions, *reserved])
        self.results_name = self.names.take("results")
        self.title = self.names.take(graph.name if graph.name.isidentifier() else "function")
        self.titles: dict[int, str] = {id(graph): self.title}  # by the id of a line
        for number, line in enumerate(graph.lines()):
            if number:
                self.titles[id(line)] = self.names.take(f"{self.title}_else_{number}")
        self.argument_names = [self.names.take(a) for a in arguments]
        self.unpacking = Unpacking(signature, graph, self.argument_names, self.names, upstream)
        self.captured = {
            node: self.names.take(node.hint if node.hint and node.hint.isidentifier() else "given")
            for node in graph.inputs[sum(signature.traced) + upstream :]
        }
        self.node_names = {
            **self.unpacking.node_names, **self.captured, **name_nodes(computed, self.names),
        }  # fmt: skip
        self.node_names.update((node, self.node_names[first]) for node, first in again.items())
        self.loops.give_names(self.node_names, self.names)
        elements = dict(self.node_names)
        for node, index in self.buffers.assigned.items():
            if node in kernels:  # it has no name of its own outside of the kernel
                base = self.buffers.base(node)  # what a loop carries on has one
                carried = self.node_names[base] if base.op is INPUT else None
                self.node_names[node] = carried or self.loops.slots.get(node) or self.slots[index]
        for node, source in self.buffers.in_place.items():
            memory = source in kernels and source in self.loops.slots  # of which it has the name
            if node.op.name in _WRITES and not memory:  # one name, as it has for the user
                first, other = (source, node) if source in self.loops.slots else (node, source)
                self.node_names[first] = self.node_names[other]
        self.returned = graph.every_output()
        self.readers = {n: len(u) for n, u in graph.users().items()} | self.loops.readers
        self.inlined = self._tests_written_inside()
        kept = {*self.returned, *self.loops.outputs}
        self.inlined.update(
            node for node in called
            if node not in kept and target.is_inlined(node, self.readers[node])
        )  # fmt: skip
        self.extras = self.unpacking.extras
        self.extras.update(functions)
        self.constants = Constants(self.names, self.extras)
        # What a function for an exit may get as an argument, in this order.
        locals_ = [*self.node_names.values(), *self.slots]
        self.rank: dict[str, int] = {name: number for number, name in enumerate(locals_)}
        self.parameters: dict[int, list[str]] = {}
        self.branches: dict[str, list[Node]] = {}  # by function: the guard of each `if`
        self.calls = KernelCalls(
            self.plan, self.buffers, self.loops, self.constants, elements, self.node_names,
            {**self.unpacking.node_names, **self.captured}, self.slots, self.names, self.operand,
        )  # fmt: skip

    # -- operands --------------------------------------------------------------------------

    def operand(self, value: Any) -> ast.expr:
        """Write a node or constant where it is read."""
        value = self.loops.resolve(value)
        if type(value) is not Node:
            return self.constants.write(value)
        if value in self.inlined:
            return self.target.expression(value, self.operand)
        return s.name(self.node_names[value])

    def _tests_written_inside(self) -> set[Node]:
        """Find the comparisons of numbers that one guard alone reads: they stand in its `if`."""
        found: set[Node] = set()
        for guard in self.graph.every_node():
            node = guard.inputs[0] if guard.op is GUARD else None
            if (
                type(node) is Node
                and guard.attrs["kind"] == "truth"
                and isinstance(node.op.fn, np.ufunc)
                and node.op.symbol in ("<", "<=", ">", ">=", "==", "!=")
                and self.readers[node] == 1
                and node not in self.returned
                and node not in self.plan.kernel
                and not any(n.spec.is_array for n in (node, *node.operands))
            ):
                found.add(node)
        return found

    # -- the functions ---------------------------------------------------------------------

    def module(self) -> Emitted:
        lines = [*self.graph.lines()]
        functions = [self.line_function(line) for line in reversed(lines)][::-1]
        accepts = accepts_function(self.unpacking, self.constants.note_dtype)
        allocate = allocate_function(self.buffers, self.slots, self.slabs, self.constants)
        helpers = [line for text in self.helpers.values() for line in ast.parse(text).body]
        unseen = guards.UNSEEN if self._raises(functions) else []
        kernels = self.calls.kernels.functions
        library = library_text(self.calls.kernels) if kernels else ""
        if self.calls.in_parts:
            helpers += in_parts_functions()
        rest = to_source([*unseen, *helpers, *kernels, *allocate, *functions, accepts])
        bound = to_source([s.assign(n, value) for n, value in self.constants.bound.items()])
        code = bound + re.sub("#.*", "", rest)
        first = to_source(prelude(code, self.constants.dtypes, bool(kernels)))
        text = first + bound.lstrip("\n") + library + "\n\n" + rest
        draws = (self.node_names[n] for n in self.graph.every_node() if is_draw(n))
        return Emitted(
            text, self.title, self.extras, bool(self.buffers.slots), self.buffers.nbytes,
            find_lines(text, self.bound(), self.branches), tuple(self.captured.values()),
            tuple(draws), bool(kernels), self.plan.refused,
        )  # fmt: skip

    def _raises(self, functions: list[ast.FunctionDef]) -> bool:
        return any(
            isinstance(statement, ast.If) and isinstance(statement.body[0], ast.Raise)
            for function in functions
            for statement in function.body
        )

    def bound(self) -> dict[str, list[Node]]:
        """List the nodes whose lines begin with each name."""
        found: dict[str, list[Node]] = {}
        for node, name in self.node_names.items():
            if node.op in _UNWRITTEN:
                continue
            nodes = found.setdefault(name, [])
            nodes += self.loops.bound_before(node)
            twice = node.op.name in _WRITES and node not in self.buffers.in_place
            nodes += [node] * (1 + twice)
        for node in self.picked:
            found.setdefault(", ".join(self.picked_names(node)), []).append(node)
        return found

    def line_function(self, line: Graph) -> ast.FunctionDef:
        """Write the function of a line; those of its exits are written already."""
        title = self.titles[id(line)]
        body = self.line_body(line, self.branches.setdefault(title, []))
        if line is self.graph:
            start = self.unpacking.statements(self.used_inputs())
            if self.slots:
                start.append(s.unpack(self.slots, s.name("slots")))
            positional = [*self.argument_names, *self.captured.values()]
            keyword_only = [*(["slots"] if self.slots else []), *self.extras]
            return s.function(title, positional, keyword_only, self.doc(), [*start, *body])
        for name in self.extras:
            self.rank.setdefault(name, len(self.rank))
        read = guards.names_read(body) & self.rank.keys()
        self.parameters[id(line)] = sorted(read, key=self.rank.__getitem__)
        doc = f"Go on with {self.graph.name} from the guard that leads here."
        return s.function(title, self.parameters[id(line)], [], doc, body)

    def doc(self) -> str:
        gradients = "outputs and gradients"
        if not self.form.wanted.gradients:
            gradients = "outputs"
        elif not self.form.wanted.forward:
            gradients = "gradients"
        return f"Compute {gradients} of {self.graph.name}."

    def line_body(self, line: Graph, branches: list[Node]) -> list[ast.stmt]:
        """Write the statements of a line; `branches` gets the guard of each `if` among them."""
        body: list[ast.stmt] = []
        phase = None
        for node in line.nodes:
            if node.op in _UNWRITTEN or node in self.plan.silent or node in self.inlined:
                continue
            if node.backward is not phase and not self.plan.kernel:  # kernels do both
                phase = node.backward
                body.append(s.Note("backward" if phase else "forward"))
            if node.op is GUARD:
                tests = [*self.guard_statements(node, line)]
                body += tests
                branches += [node] * len(tests)
                continue
            body.extend(self.node_statements(node))
        if phase is False and self.form.wanted.gradients:
            body.append(s.Note("backward"))
        return body + self.end(line)

    def guard_statements(self, node: Node, line: Graph) -> Iterator[ast.stmt]:
        """Leave the line for another outcome: a known one, or any."""
        kind, recorded = node.attrs["kind"], node.attrs["outcome"]
        others = line.exits.get(node, {})
        where = s.where(node)
        value = self.operand(node.inputs[0])

        def branch(outcome: Any, equal: bool, statement: ast.stmt) -> ast.stmt:
            test = guards.test(kind, value, outcome, equal, self.constants.write)
            return s.commented(ast.If(test, [statement], []), where)

        for outcome, other in others.items():
            arguments = [s.name(name) for name in self.parameters[id(other)]]
            onwards = s.call(self.titles[id(other)], *arguments)
            yield branch(outcome, True, ast.Return(onwards))
        if kind != "truth" or not others:
            yield branch(recorded, False, ast.Raise(s.name("Unseen"), None))

    def end(self, line: Graph) -> list[ast.stmt]:
        """Return the results of a line; what is to be written to arguments is written then."""
        results = self.results(line)
        commits = [n for n in line.nodes if n.op is COMMIT]
        if not commits:
            return [ast.Return(results)]
        name = self.results_name
        body = [s.assign(name, results)]
        writes = []
        for node in commits:
            target, value = node.inputs
            written = self.operand(value)
            if len(commits) > 1 and type(value) is Node and self.roots[value].op is INPUT:
                kept = self.names.take("kept", numbered=True)  # before another commit changes it
                body.append(s.assign(kept, s.call("np.array", written)))
                written = s.name(kept)
            copy = s.call("np.copyto", self.operand(target), written)
            writes.append(s.expression(copy, s.where(node)))
        return [*body, *writes, ast.Return(s.name(name))]

    def used_inputs(self) -> set[Node]:
        return {i for node in self.graph.every_node() for i in node.operands} | self.returned

    def node_statements(self, node: Node) -> list[ast.stmt]:
        if node.op is LOOP:
            note = self.constants.note_dtype
            lines = self.loops.statements(node, self.operand, self.node_statements, note)
            return self.calls.loop(node, lines)
        if node in self.plan.silent or node in self.inlined or node.op in _UNWRITTEN:
            return []
        if node.op.several:
            unpacked = s.unpack(self.picked_names(node), self.target.expression(node, self.operand))
            return [s.commented(unpacked, s.described_several(node, self.picked.get(node, {})))]
        kernel = self.plan.kernel.get(node)
        if kernel is not None:
            return self.calls.statements(kernel) if kernel.nodes[0] is node else []
        self.constants.note_dtype(node.attrs.get("dtype"))
        if node.op.name == "unindex" or node.op.name.endswith("_where"):
            self.constants.note_dtype(node.spec.dtype)
        index = self.buffers.assigned.get(node)
        slot = None if index is None else self.loops.slots.get(node) or self.slots[index]
        if slot is not None and node.op.name == "concatenate":
            missing = self.buffers.to_copy(node)
            if missing is not None:  # the others have been computed where they belong
                done = s.assign(self.node_names[node], s.name(slot), s.described(node))
                return [*copy_parts(node, slot, missing, self.operand), done]
        in_place = node in self.buffers.in_place
        return self.target.statements(
            node, self.node_names[node], slot, self.operand, in_place, s.described(node),
            self.constants.number,
        )  # fmt: skip

    def picked_names(self, node: Node) -> list[str]:
        """Name the results of an op that has several."""
        picked = self.picked.get(node, {})
        return [
            self.node_names[picked[i]] if i in picked else "_" for i in range(node.op.several)
        ]

    def results(self, line: Graph) -> ast.expr:
        given: set[Node] = set()
        leaves = []
        for output in line.outputs:
            leaves.append(self._result(output, given))
        count = line.gradients
        returned: ast.expr = assemble(
            self.form, iter(leaves[:count]), iter(leaves[count:]), self._build, self._several
        )
        return returned

    def _result(self, output: Any, given: set[Node]) -> ast.expr:
        """Write a returned leaf: fresh memory that nothing else holds."""
        if type(output) is not Node:
            if isinstance(output, np.ndarray):
                fresh = self.constants.array_expression(output)
                if fresh is not None:
                    return fresh
                return s.method(s.name(self.constants.array(output)), "copy")
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
