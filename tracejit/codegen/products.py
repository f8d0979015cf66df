"""Products, inverses and determinants of small matrices in kernels: functions that these call.

A product's sizes are literals in its function, and its loops run along rows as they lie in memory;
equal products share one. Functions of `smallmat.py` do the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from ..dag.loop import spec_of_operand
from ..dag.node import Node
from . import syntax as s
from .access import Step, aligned
from .kernel_body import KernelBody, in_loops
from .scalars import fill, number

Element = Callable[[Step], ast.expr]  # an element of a factor, for a step of the summation
AT_ONCE = 4  # rows that one run through the result adds


def elimination(body: KernelBody, node: Node) -> list[ast.stmt]:
    """Call the function of an inverse or determinant, which works in a matrix of its own."""
    name = node.op.name.removeprefix("linalg.")
    body.used.add(name)
    source = node.inputs[0]
    shape, dtype = source.spec.shape, source.spec.dtype
    assert dtype is not None
    work = s.call("np.empty", s.literal(shape), s.name(f"np.{dtype.name}"))
    arguments = [s.name(body.read_array(source)), s.name("work")]
    note = body.comment(node)
    if not node.spec.is_array:
        body.local.add(node)
        found = s.call(name, *arguments)
        return [s.assign("work", work), s.assign(body.element(node), found, note)]
    call = s.call(name, *arguments, s.name(body.read_array(node)))
    error = s.call("LinAlgError", s.literal("Singular matrix"))
    failed = ast.If(ast.UnaryOp(ast.Not(), call), [ast.Raise(error, None)], [])
    return [s.assign("work", work), s.commented(failed, f"{body.element(node)}: {note}")]


def product(body: KernelBody, node: Node) -> list[ast.stmt]:
    """Call the function of a product of small matrices or vectors, or of stacks of them."""
    a, b = node.inputs
    left_shape, right_shape = (spec_of_operand(factor).shape for factor in (a, b))
    rows, columns = left_shape[:-1][-1:], right_shape[1:][-1:]
    stack = [*enumerate(node.spec.shape[:-2], 3)]
    each = tuple(_step(*loop) for loop in stack)
    i = (_step(0, rows[0]),) if rows else ()
    j = (_step(1, columns[0]),) if columns else ()
    k = _step(2, left_shape[-1])
    in_a, in_b = (aligned(shape[:-2], each) for shape in (left_shape, right_shape))
    left, left_index = body.below(a, (*in_a, *i, k))
    right, right_index = body.below(b, (*in_b, k, *j))
    assert node.spec.dtype is not None
    lengths = (rows[0] if rows else 1, columns[0] if columns else 1, left_shape[-1])
    statements = product_loops(
        lambda k: body.at("a", body.below(a, (*in_a, *i, k))[1]),
        lambda k: body.at("b", body.below(b, (*in_b, k, *j))[1]),
        body.at("out", (*each, *i, *j)) if node.spec.is_array else None,
        (_runs_along(left_index, 0), _runs_along(right_index, 1)), lengths, node.spec.dtype,
    )  # fmt: skip
    statements = in_loops(stack, statements)
    values = {"a": left, "b": right} | ({"out": node} if node.spec.is_array else {})
    body.used.add("plus")
    arguments = [s.name(body.read_array(value)) for value in values.values()]
    call = s.call(body.function("product", values, node, statements), *arguments)
    if node.spec.is_array:
        return [s.expression(call, f"{body.element(node)}: {body.comment(node)}")]
    body.local.add(node)
    return [s.assign(body.element(node), call, body.comment(node))]


def joined(body: KernelBody, node: Node) -> list[ast.stmt]:
    """Copy the parts of a concatenation to their places."""
    dtype, out = node.spec.dtype, body.read_array(node)
    assert dtype is not None
    axis, start = node.attrs["axis"] % len(node.spec.shape), 0
    lines: list[ast.stmt] = [s.Note(f"{body.element(node)}: {body.comment(node)}")]
    for part in node.inputs:
        shape = spec_of_operand(part).shape
        index = tuple(_step(i, n) for i, n in enumerate(shape))
        place = (*index[:axis], index[axis]._replace(offset=start), *index[axis + 1 :])
        copy = s.store(body.at(out, place), body.operand(part, index, dtype))
        lines += in_loops([*enumerate(shape)], [copy])
        start += shape[axis]
    return lines


def gathered(body: KernelBody, node: Node) -> list[ast.stmt]:
    """Store the elements of an array that is put together from numbers."""
    dtype, out = node.spec.dtype, body.read_array(node)
    assert dtype is not None
    lines: list[ast.stmt] = [s.Note(f"{body.element(node)}: {body.comment(node)}")]
    for path, value in zip(node.attrs["paths"], node.inputs, strict=True):
        place = tuple(Step(None, 1, i) for i in path)
        lines.append(s.store(body.at(out, place), body.operand(value, (), dtype)))
    return lines


def crossed(body: KernelBody, node: Node) -> list[ast.stmt]:
    """Compute the three elements of each cross product."""
    dtype, out, shape = node.spec.dtype, body.read_array(node), node.spec.shape[:-1]
    assert dtype is not None
    rows = tuple(_step(i, n) for i, n in enumerate(shape))
    lines: list[ast.stmt] = []
    body.used.add("minor")
    for k in range(3):
        places = [(*rows, Step(None, 1, (k + turn) % 3)) for turn in range(3)]
        a, b = (
            [body.operand(factor, place, dtype) for place in places] for factor in node.inputs
        )
        element = s.call("minor", a[1], b[2], a[2], b[1])
        lines.append(s.store(body.at(out, places[0]), element))
    title: ast.stmt = s.Note(f"{body.element(node)}: {body.comment(node)}")
    return [title, *in_loops([*enumerate(shape)], lines)]


def product_loops(
    a: Element, b: Element, out: ast.expr | None, along: tuple[bool, bool],
    lengths: tuple[int, int, int], dtype: np.dtype[Any],
) -> list[ast.stmt]:  # fmt: skip
    """Write the loops of a product `out[i, j] = sum of a[i, k] * b[k, j]`, as memory is read.

    a, b: give an element for a k. along: whether `a` is contiguous along i, and `b` along j.
    Without `out` the result is returned.
    """
    m, n, inner = lengths
    if out is not None and ((along[1] and n > 1) or (along[0] and m > 1 and n == 1)):
        fast, slow = ((1, n), (0, m)) if n > 1 else ((0, m), (1, n))
        fixed, moving = (a, b) if n > 1 else (b, a)
        return in_loops([slow], _rows_added(out, fixed, moving, fast, inner, dtype))
    term = fill("a * b", a=a(_step(2, inner)), b=b(_step(2, inner)))
    lines = [s.assign("total", number(0, dtype))]
    lines += in_loops([(2, inner)], [s.assign("total", s.call("plus", s.name("total"), term))])
    if out is None:
        return [*lines, ast.Return(s.name("total"))]
    return in_loops([(0, m), (1, n)], [*lines, s.store(out, s.name("total"))])


def _rows_added(
    out: ast.expr, fixed: Element, moving: Element, fast: tuple[int, int], inner: int,
    dtype: np.dtype[Any],
) -> list[ast.stmt]:  # fmt: skip
    """Write how a row of the result is the sum of rows, each times a factor."""

    def added(first: int, steps: list[Step]) -> list[ast.stmt]:
        factors = [f"factor_{u}" if u else "factor" for u in range(len(steps))]
        lines = [s.assign(name, fixed(step)) for name, step in zip(factors, steps, strict=True)]
        total: ast.expr | None = None if first == 0 else out
        for name, step in zip(factors, steps, strict=True):
            term = fill("a * b", a=s.name(name), b=moving(step))
            total = term if total is None else fill("t + a", t=total, a=term)
        assert total is not None
        return [*lines, *in_loops([fast], [s.store(out, total)])]

    if inner == 1:
        return added(0, [Step(None)])
    if inner < 2 * AT_ONCE or fast[1] < 2 * AT_ONCE:
        lines = in_loops([fast], [s.store(out, number(0, dtype))])
        return [*lines, *in_loops([(2, inner)], added(1, [Step(2)]))]
    rest = inner % AT_ONCE or AT_ONCE  # these come first, and begin the sums
    lines = added(0, [Step(None, 1, u) for u in range(rest)])
    steps = [Step(2, AT_ONCE, rest + u) for u in range(AT_ONCE)]
    return [*lines, *in_loops([(2, (inner - rest) // AT_ONCE)], added(1, steps), always=True)]


def _runs_along(index: tuple[Step, ...], loop: int) -> bool:
    return bool(index) and index[-1].loop == loop


def _step(loop: int, length: int) -> Step:
    return Step(loop) if length > 1 else Step(None)
