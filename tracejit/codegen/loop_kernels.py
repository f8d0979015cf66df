"""Loops of kernels as compiled functions: one call for all iterations.

A loop whose body consists of calls of kernels alone enters, as the statements of `loops.py`; the
same `for` in a function under @njit leaves, with a call. What is carried on in numbers is
returned; arrays are found again where the last iteration has left them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..dag.loop import Loop
from ..dag.node import Layout, Node, Spec
from . import syntax as s
from .buffers import Buffers
from .guards import names_read
from .kernel_body import LOOPS
from .kernel_code import bound_results, one_or_tuple, signature_text, type_text_of
from .loops import Loops

TypeOf = Callable[[str], str | None]  # the signature's type of what a name stands for


def carries_arrays_in_slots(node: Node, buffers: Buffers) -> bool:
    """Tell whether what the loop carries on is in places that are known when it has ended."""
    loop: Loop = node.attrs["loop"]
    placement = buffers.loops[node]
    inputs = loop.body.inputs
    rows = inputs[loop.carried : loop.first_fixed]
    if any(i.spec.is_python or (i.spec.is_array and not i.spec.shape) for i in rows):
        return False  # Numba makes numbers of another kind of them
    for number in range(loop.carried):
        output = loop.body.outputs[number]
        spec = output.spec if type(output) is Node else None
        if spec is None or node.inputs[number] is None:
            return False
        if spec.is_array and number not in loop.kept and number not in placement.begin:
            return False
    return True


def carried_types(node: Node, loops: Loops, buffers: Buffers) -> dict[str, tuple[Spec, Layout]]:
    """Give spec and layout of what the names of a loop stand for."""
    loop: Loop = node.attrs["loop"]
    body, names = loop.body, loops.names
    found: dict[str, tuple[Spec, Layout]] = {}
    for number in range(loop.carried):
        inside = body.inputs[number]
        found[names[inside]] = inside.spec, loops.rows.get(inside, "C")
        if number in buffers.loops[node].other:
            output = body.outputs[number]
            assert type(output) is Node
            found[names[output]] = output.spec, loops.rows[inside]
    for number, name in loops.stacks_of(node).items():
        found[name] = loop.result_spec(number), "C"
    return found


def compiled_loop(
    node: Node, statements: list[ast.stmt], loops: Loops, buffers: Buffers, type_of: TypeOf,
    define: Callable[[str, list[str], str, list[ast.stmt]], str], slot: Callable[[int], ast.expr],
) -> list[ast.stmt]:  # fmt: skip
    """Put the `for` into a function, if all that it reads can be typed."""
    *before, repeated = statements
    assert isinstance(repeated, ast.For)
    loop: Loop = node.attrs["loop"]
    known = carried_types(node, loops, buffers)
    carried = loop.body.inputs[: loop.carried]
    numbers = [loops.names[i] for i in carried if not i.spec.is_array]
    counter = repeated.target
    assert isinstance(counter, ast.Name)
    read = names_read([repeated]) | {name for name in known if _mentions(repeated, name)}
    parameters, types = [], []
    for name in sorted(read - {counter.id}):
        typed = type_of(name) if name not in known else type_text_of(*known[name])
        if typed is not None:
            parameters.append(name)
            types.append(typed)
    results = [type_text_of(*known[name]) for name in numbers]
    counted = _counted(repeated)
    body: list[ast.stmt] = [counted]
    values: list[ast.expr] = [s.name(name) for name in numbers]
    if values:
        body.append(ast.Return(one_or_tuple(values)))
    ranks = {loops.names[n]: len(n.spec.shape) for n in _values(loop, loops)}
    own = {loops.names[loop.body.inputs[n]] for n in buffers.loops[node].begin}
    counted.body = [_by_elements(_into_place(line, own), ranks) for line in counted.body]
    if any(_copies(line) for line in counted.body):
        return statements  # what is carried on would be in memory of the function's own
    function = define("repeat", parameters, signature_text(results, types), body)
    call = s.call(function, *(s.name(name) for name in parameters))
    after = bound_results(numbers, [i for i in carried if not i.spec.is_array], call)
    return [*before, *after, *_found_again(node, loops, buffers, slot)]


def _values(loop: Loop, loops: Loops) -> list[Node]:
    """List the values of a body that have names."""
    outputs = [loops.resolve(o) for o in loop.body.outputs]
    values = [*loop.body.inputs[: loop.first_fixed], *loop.body.nodes, *outputs]
    return [n for n in values if type(n) is Node and n in loops.names]


def _copies(line: ast.stmt) -> bool:
    """Tell whether a statement makes a new array of another."""
    return any(isinstance(part, ast.Attribute) and part.attr == "copy" for part in ast.walk(line))


def _into_place(line: ast.stmt, own: set[str]) -> ast.stmt:
    """Let a copy of what is carried on go to the memory that the loop has for it."""
    if not (
        isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Name)
        and line.targets[0].id in own
        and isinstance(line.value, ast.Call)
        and isinstance(line.value.func, ast.Attribute)
        and line.value.func.attr == "copy"
    ):
        return line
    whole = ast.Constant(Ellipsis)
    target = ast.Subscript(s.name(line.targets[0].id), whole, ast.Store())
    return ast.Assign([target], line.value.func.value)


def _by_elements(line: ast.stmt, ranks: dict[str, int]) -> ast.stmt:
    """Write the storing of an array in a row as loops: Numba takes seconds to compile the other."""
    if not (
        isinstance(line, ast.Assign)
        and isinstance(line.targets[0], ast.Subscript)
        and isinstance(line.value, ast.Name)
        and ranks.get(line.value.id)
    ):
        return line
    target, name = line.targets[0], line.value.id
    places: list[ast.expr] = [s.name(LOOPS[i]) for i in range(ranks[name])]
    element = s.subscript(s.name(name), ast.Tuple(places, ast.Load()))
    whole = isinstance(target.slice, ast.Constant) and target.slice.value is Ellipsis
    row = [] if whole else [target.slice]
    place = s.subscript(target.value, ast.Tuple([*row, *places], ast.Load()))
    copy: ast.stmt = s.store(place, element)
    for i in reversed(range(ranks[name])):
        length = s.subscript(s.attribute(s.name(name), "shape"), s.literal(i))
        copy = ast.For(ast.Name(LOOPS[i], ast.Store()), s.call("range", length), [copy], [])
    return copy


def _mentions(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(statement))


def _counted(repeated: ast.For) -> ast.For:
    """Write reversed(range(n)) as a range that goes down, which is all that Numba knows."""
    times = repeated.iter
    assert isinstance(times, ast.Call)
    if isinstance(times.func, ast.Name) and times.func.id == "reversed":
        inner = times.args[0]
        assert isinstance(inner, ast.Call) and isinstance(inner.args[0], ast.Constant)
        count = inner.args[0].value
        assert isinstance(count, int)
        down = (count - 1, -1, -1)
        times = s.call("range", *(s.literal(n) for n in down))
    return ast.For(repeated.target, times, repeated.body, [])


def _found_again(
    node: Node, loops: Loops, buffers: Buffers, slot: Callable[[int], ast.expr]
) -> list[ast.stmt]:
    """Bind the names of carried arrays to where the last iteration has put them."""
    loop: Loop = node.attrs["loop"]
    placement = buffers.loops[node]
    stacks, lines = loops.stacks_of(node), []
    for number in range(loop.carried):
        inside = loop.body.inputs[number]
        if not inside.spec.is_array or number not in loops.parts_of(node):
            continue
        name = loops.names[inside]
        if number in loop.kept:
            stack = stacks[loop.carried + loop.kept.index(number)]
            place: Any = s.literal(loop.count)
            if not inside.spec.shape:
                place = ast.Tuple([place, ast.Constant(Ellipsis)], ast.Load())
            lines.append(s.assign(name, s.subscript(s.name(stack), place)))
        elif number in placement.other:
            lines.append(s.assign(name, slot(placement.last(number, loop.count))))
    return lines
