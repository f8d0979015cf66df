"""The statements of the emitted function that call kernels, and loops of kernels.

A kernel of the plan enters; leave the memory for what is returned, the call, and the names of the
scalars that it gives. The functions themselves are collected in `kernels`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dag.node import Layout, Node
from . import syntax as s
from .access import is_run_of_rows
from .buffers import Buffers
from .constants import Constants
from .kernel_code import Kernels, bound_results, bound_totals, constant_type, type_text_of
from .loop_kernels import carries_arrays_in_slots, compiled_loop
from .loops import Loops
from .names import Names
from .plan import Kernel, Plan


class KernelCalls:
    """What calls the kernels of a module.

    elements: the names of elements in kernels. known: those of all values outside. arguments: those
    of what the user gives and of what the function reads, whose layout every call checks. operand:
    writes a value where it is read.
    """

    def __init__(
        self, plan: Plan, buffers: Buffers, loops: Loops, constants: Constants,
        elements: dict[Node, str], known: dict[Node, str], arguments: dict[Node, str],
        slots: list[str], names: Names, operand: Callable[[Any], ast.expr],
    ) -> None:  # fmt: skip
        self.in_parts = False  # whether any kernel runs on several cores
        self.kernels = Kernels(
            elements, loops.resolve, buffers.base, self.layout, constants.array, s.described,
            names.take,
        )  # fmt: skip
        self._plan = plan
        self._buffers = buffers
        self._loops = loops
        self._constants = constants
        self._known = known
        self._arguments = arguments
        self._slots = slots
        self._operand = operand
        self._parts_name = names.take("parts") if plan.kernel else ""

    def layout(self, node: Node) -> Layout | None:
        """The memory layout of an array, as far as it is certain."""
        base = self._buffers.base(node)
        if base in self._loops.rows:
            return self._loops.rows[base]
        slot = self._buffers.assigned.get(base, -1)
        if slot >= 0:
            return self._buffers.slots[slot].layout
        whole = self._loops.stack_of.get(base, base.inputs[0] if is_run_of_rows(base) else None)
        if type(whole) is Node:  # rows that follow one another
            return "C" if self.layout(self._loops.resolve(whole)) == "C" else None
        if base in self._plan.kernel:
            return "C"
        return base.spec.layout if base in self._arguments else None

    def statements(self, kernel: Kernel) -> list[ast.stmt]:
        """Call a kernel."""
        lines: list[ast.stmt] = []
        totals, buffers = kernel.totals, self._buffers
        for node in kernel.nodes:
            if node in kernel.stored and node in buffers.owned and node not in totals:
                self._constants.note_dtype(node.spec.dtype)
                empty = s.call("np.empty", s.literal(node.spec.shape), s.literal(node.spec.dtype))
                lines.append(s.assign(self._known[node], empty, s.described(node)))
        function, arguments = self.kernels.call(kernel, self._operand)
        names = [self._known[n] for n in kernel.given]
        if not kernel.parts:
            return [*lines, *bound_results(names, kernel.given, s.call(function, *arguments))]
        self.in_parts = True
        length = s.literal(kernel.nests[0].lengths[0])
        parts = s.call("in_parts", s.name(function), length, *arguments)
        names += [self._known[n] for n in totals]
        slots = [
            self._slots[buffers.assigned[n]] if n in buffers.assigned else None
            for n in (*kernel.given, *totals)
        ]
        return [*lines, *bound_totals(kernel, names, parts, self._parts_name, slots)]

    def loop(self, node: Node, lines: list[ast.stmt]) -> list[ast.stmt]:
        """Compile a loop, written as `lines`, where its body does nothing but call kernels."""
        plan = self._plan
        body = node.attrs["loop"].body.nodes
        pure = all(n in plan.kernel or n in plan.silent for n in body)
        if not pure or not carries_arrays_in_slots(node, self._buffers):
            return lines
        return compiled_loop(
            node, lines, self._loops, self._buffers, self._types().get, self.kernels.define,
            lambda number: s.name(self._slots[number]),
        )  # fmt: skip

    def _types(self) -> dict[str, str]:
        """Give the types of what a loop may read, by name."""
        types = {
            name: type_text_of(slot.spec, slot.layout)
            for name, slot in zip(self._slots, self._buffers.slots, strict=True)
        }
        for name, array in self._constants.arrays.items():
            types[name] = constant_type(array)
        for node, name in self._known.items():
            if node.spec.cls is not tuple:
                types.setdefault(name, type_text_of(node.spec, self.layout(node)))
        return types
