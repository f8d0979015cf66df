"""Which parts of a line become kernels: compiled functions between calls of NumPy.

A graph enters; a `Plan` leaves, and the graph in the order of its kernels. Every node has a phase,
even for what NumPy does and odd for kernels, the earliest that its inputs allow, so there are as
few kernels as the products and other calls between them allow. What has an effect stays behind all
that came before it, and so does what a checkpoint has computed again.
"""

from __future__ import annotations

from dataclasses import replace

from ..dag.graph import Graph, rebuild_lines
from ..dag.loop import LOOP, deep_nodes, everywhere
from ..dag.node import Node
from ..dag.op import COMMIT, RECOMPUTED
from .access import root_of, viewed
from .cluster import cluster
from .nest_code import must_store
from .nests import Nest, is_loopable
from .plan import Kernel, Plan
from .spread import spread_contractions

MANY = 600  # nodes in kernels: each takes about 14 ms to compile


def plan_kernels(graph: Graph) -> tuple[Graph, Plan]:
    """Find the kernels of all lines, and bring each kernel's nodes together."""
    graph, plan = spread_contractions(graph), Plan()
    count = sum(is_loopable(n) for n in deep_nodes(graph))
    if count > MANY:
        plan.refused = f"its {count} loop operations are more than {MANY}, too many to compile"
        return graph, plan
    arguments = graph.inputs

    def plan_lines(each: Graph) -> Graph:
        in_loop = each.inputs != arguments
        return rebuild_lines(each, lambda line: _plan_line(line, plan, in_loop))

    return everywhere(plan_lines)(graph), plan


def _plan_line(line: Graph, plan: Plan, in_loop: bool) -> Graph:
    outputs = {o for o in line.outputs if type(o) is Node}
    phases = _phases(line, outputs, in_loop)
    by_phase: dict[int, list[Node]] = {}
    for node in line.nodes:
        by_phase.setdefault(phases[node], []).append(node)
    steps: list[Node | Kernel] = []
    for phase in sorted(by_phase):
        nodes = by_phase[phase]
        if phase % 2:
            # A kernel computes the views that are returned, and elements of its arrays.
            loops = [
                n for n in nodes if viewed(n) is None or (n in outputs and n.spec.size)
                or not n.spec.is_array
            ]
            steps += _split(cluster(loops))
            inside = set(loops)
            nodes = [n for n in nodes if n not in inside]
        steps += nodes
    plan.silent |= _note_stored(line, steps)
    _note_places(line, steps, plan)
    return replace(line, nodes=tuple(n for n in plan.place if n in phases))


def _split(nests: list[Nest]) -> list[Kernel]:
    """Make kernels of nests: one of all, but each that runs on several cores by itself."""
    kernels: list[Kernel] = []
    for nest in nests:
        if nest.splits():
            kernels.append(Kernel([nest], parts=True))
        elif kernels and not kernels[-1].parts:
            kernels[-1].nests.append(nest)
        else:
            kernels.append(Kernel([nest]))
    return kernels


def _note_places(line: Graph, steps: list[Node | Kernel], plan: Plan) -> None:
    """Number the steps, nest by nest; a view stands right behind what it views.

    An element that is read behind a guard is a step of its own.
    """
    views: dict[Node, list[Node]] = {}
    own = set(line.nodes)
    for node in line.nodes:
        if viewed(node) is not None:
            views.setdefault(node.inputs[0], []).append(node)

    def put(node: Node, number: int) -> None:
        plan.place[node] = number
        for view in views.get(node, ()):
            if view not in plan.kernel and view.spec.is_array:
                put(view, number)

    parts: list[list[Node]] = []
    for step in steps:
        if not isinstance(step, Kernel):
            parts.append([step])
            continue
        for nest in step.nests:
            parts.append(nest.nodes)
            plan.kernel.update(dict.fromkeys(nest.nodes, step))
            plan.nest.update(dict.fromkeys(nest.nodes, nest))
    for source in [n for n in views if n not in own]:
        for view in views[source]:
            if view not in plan.kernel and view.spec.is_array:
                put(view, 0)
    for number, part in enumerate(parts, 1):
        for node in part:
            if node not in plan.place:
                put(node, number)


def _phases(line: Graph, outputs: set[Node], in_loop: bool) -> dict[Node, int]:
    """Give each node the earliest phase: even for NumPy, odd for kernels."""
    phases: dict[Node, int] = {}
    floor = highest = 0
    loopable = {n for n in line.nodes if is_loopable(n)}
    pure = in_loop and all(n in loopable or viewed(n) is not None for n in line.nodes)
    if not pure and not any(i.spec.is_array for n in loopable for i in (n, *n.operands)):
        loopable.clear()  # arithmetic of numbers: a call would cost more than it
    for node in line.nodes:
        low = max((phases.get(i, 0) for i in node.operands), default=0)
        low = max(low, floor)
        if node.op is COMMIT:
            phase = highest + highest % 2
        elif node.op.effect:
            phase = floor = highest + highest % 2
        elif node.op is RECOMPUTED:
            phase = max(low, highest)
            phase += phase % 2 if viewed(node) is None else 0  # a number, which no kernel computes
        elif viewed(node) is not None:
            phase = low
        else:
            phase = low | 1 if node in loopable else low + low % 2
        phases[node] = phase
        highest = max(highest, phase)
    _put_off(line, phases, loopable, outputs)
    return phases


def _put_off(
    line: Graph, phases: dict[Node, int], loopable: set[Node], outputs: set[Node]
) -> None:
    """Let kernels compute in the phase of the first reader what no earlier one needs: unstored."""
    fixed = outputs | _read_by_exits(line)
    needed: dict[Node, int] = {}
    for node in reversed(line.nodes):
        when = needed.get(node)
        if when is not None and node not in fixed:
            if viewed(node) is not None:
                phases[node] = max(phases[node], when)
            elif node in loopable:
                phases[node] = max(phases[node], when - (when % 2 == 0))
        for source in node.operands:
            needed[source] = min(needed.get(source, phases[node]), phases[node])


def _note_stored(line: Graph, steps: list[Node | Kernel]) -> set[Node]:
    """Note what kernels store and give; return the views that nobody makes."""
    kernels = [k for k in steps if isinstance(k, Kernel)]
    nest_of = {n: nest for k in kernels for nest in k.nests for n in nest.nodes}
    kernel_of = {n: k for k in kernels for n in k.nodes}
    needed = _read_outside(line, kernel_of)
    silent: set[Node] = set()
    for node in reversed(line.nodes):
        if viewed(node) is None or node in kernel_of:
            continue
        if node in needed:
            needed.update(node.operands)
        else:
            silent.add(node)
    for kernel in kernels:
        for nest in kernel.nests:
            for node in nest.nodes:
                for root in map(root_of, node.operands):
                    home = kernel_of.get(root)
                    other = home is not None and nest_of[root] is not nest
                    if other and (home is not kernel or nest.product or nest_of[root].product
                                  or nest_of[root].level(root)):  # fmt: skip
                        needed.add(root)
    for kernel in kernels:
        for nest in kernel.nests:
            stored = {n for n in nest.nodes if n in needed and n.spec.is_array}
            stored |= set(nest.nodes) if nest.product else must_store(nest, stored)
            kernel.stored |= stored
            kernel.given += [n for n in nest.nodes if n in needed and not n.spec.is_array]
    return silent


def _read_outside(line: Graph, kernel_of: dict[Node, Kernel]) -> set[Node]:
    """Collect what NumPy's calls, guards' exits and the results read."""
    needed = {o for o in line.outputs if type(o) is Node} | _read_by_exits(line)
    for node in line.nodes:
        if node not in kernel_of and viewed(node) is None:
            needed.update(node.operands)
        if node.op is LOOP:  # its kernels look through views
            needed.update(map(root_of, node.operands))
    return needed


def _read_by_exits(line: Graph) -> set[Node]:
    """Collect what exits read, nodes of their own among it."""
    read: set[Node] = set()
    for others in line.exits.values():
        for other in others.values():
            for part in other.lines():
                read.update(o for o in part.outputs if type(o) is Node)
                read.update(i for n in part.nodes for i in n.operands)
    return read
