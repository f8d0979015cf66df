"""The reverse sweep: from the cotangent of an output to those of the nodes it depends on.

The same sweep and the same rules serve direct mode, where `lift` gives plain values, and
compilation, where it gives tracers, so that the rules' operations are appended to the graph.

Cotangents may be smaller than their node as long as they broadcast to it (the gradient of a sum
is a number until something needs an array). Broadcasting is undone here and never in a rule.

The cotangent of a complex value z = x + iy is du/dx - i du/dy, which is 2 du/dz for a real u: so
rules of holomorphic functions multiply by the derivative and conjugate nothing, and where a complex
value comes from a real one the real part of the cotangent goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import MissingGradientError
from .node import Node
from .op import BY_NAME, CHECKPOINT, INPUT, MISSING, PICK

Lift = Callable[[Any], Any]


def sweep(
    nodes: Sequence[Node],
    cotangents: dict[Node, Any],
    lift: Lift | None,
    reaches: Callable[[Node], bool],
    enter: Callable[[Node, Any], None] | None = None,
    leave: Callable[[Node], None] | None = None,
    reuse: bool = True,
) -> None:
    """Complete `cotangents` in place, from the last node to the first; nodes give up theirs.

    Args:
        nodes: in recorded order.
        cotangents: the seeds; on return those of what was reached and is not among the nodes.
        lift: makes of a node or constant what the rules compute with; None: its plain value.
        reaches: whether a node depends on something that is differentiated.
        enter: called with each node and its complete cotangent before its rules run.
        leave: called with each node after its rules have run.
        reuse: cotangents that nobody else has may be overwritten.
    """
    # The nodes whose cotangent was made here and is nowhere else.
    own: set[Node] = set()
    for node in reversed(nodes) if leave is None else _leaving(nodes, leave):
        g = cotangents.pop(node, None)
        if g is None or node.op is INPUT:
            continue
        dtype = getattr(node.value, "dtype", None)
        if dtype is not None and dtype.kind not in "fc":
            continue
        if enter is not None:
            enter(node, g)
        op, inputs, attrs = node.op, node.inputs, node.attrs
        out_shape = getattr(node.value[0] if op.several else node.value, "shape", ())
        mine = op.own_vjp is not None and reuse and node in own
        if not (op.elementwise or op.several):
            if getattr(g, "shape", ()) != out_shape:
                g, mine = _broadcast(g, out_shape, dtype), False
            elif out_shape == () and type(node.value) is np.ndarray:
                g = BY_NAME["convert"](g, cls=np.ndarray)  # rules may index it
        if op is PICK:
            gathered = cotangents.setdefault(inputs[0], [None] * inputs[0].op.several)
            gathered[attrs["index"]] = g
            continue
        if op.pull is not None:
            for source, c in op.pull(node, g, lift, enter, reaches):
                if c is not None and type(source) is Node and reaches(source):
                    c, known = _fit(c, source, out_shape, False), cotangents.get(source)
                    cotangents[source] = c if known is None else known + c
                    own.discard(source)
            continue
        values: list[Any] | None = None
        places = range(len(inputs))
        for position in places if op.own_vjp is None else reversed(places):
            source = inputs[position]
            if type(source) is not Node or not reaches(source):
                continue
            rule = op.vjp  # Op.rule, written out: this loop decides how fast direct mode is
            if rule is not None and rule is not MISSING and not op.variadic:
                rule = rule[position] if position < len(rule) else MISSING
            if rule is None:
                continue
            if rule is MISSING:
                raise MissingGradientError(
                    f"{op.name} at {node.where} has no gradient rule for its input {position}; "
                    "use a differentiable function, or keep this value out of the loss"
                )
            if values is None:
                if lift is None:
                    values = [i.value if type(i) is Node else i for i in inputs]
                    out = node.value
                else:
                    values = [lift(i) for i in inputs]
                    out = lift(node)
            known = cotangents.get(source)
            if op.adds is not None and known is not None and _is_whole(known, source):
                add = op.adds.reuse if reuse and source in own else op.adds
                cotangents[source] = add(known, g, *values[1:], **attrs)
                own.add(source)
                continue
            if op.variadic:
                c = (op.own_vjp if mine else rule)(g, out, position, values, **attrs)
            else:
                c = rule(g, out, *values, **attrs)
            if c is None:
                continue
            c = _fit(c, source, out_shape, op.elementwise)
            if known is not None:
                c = known + c
            if known is not None or (position == 0 and (op.adds or op.own_vjp) is not None):
                own.add(source)
            cotangents[source] = c


def _leaving(nodes: Sequence[Node], leave: Callable[[Node], None]) -> Iterator[Node]:
    for node in reversed(nodes):
        yield node
        leave(node)


def _is_whole(cotangent: Any, node: Node) -> bool:
    """Tell whether a cotangent is an array of exactly its node's shape and dtype."""
    like = node.value
    return (
        isinstance(cotangent, np.ndarray)
        and cotangent.shape == like.shape
        and bool(cotangent.dtype == like.dtype)
    )


def depending_on(
    nodes: Iterable[Node], roots: Iterable[Node], smoothly: bool = False
) -> set[Node]:
    """Find the nodes that depend on one of the roots (which are included).

    smoothly: with a derivative, so not by way of comparisons and the like.
    """
    found = set(roots)
    for node in nodes:
        if smoothly and node.op.vjp is None:
            continue
        read = node.inputs if node.op is not CHECKPOINT else node.attrs["region"].sources
        if any(type(i) is Node and i in found for i in read):
            found.add(node)
    return found


def _fit(c: Any, source: Node, out_shape: tuple[int, ...], elementwise: bool) -> Any:
    """Give a cotangent the dtype of its node's value, and a shape that broadcasts to its shape."""
    value = source.value
    dtype = getattr(value, "dtype", None)
    if dtype is None:  # a Python number: its cotangent is one too
        c = _sum_to(c, (), out_shape) if elementwise else c
        if getattr(c, "shape", ()) != ():
            c = np.sum(c)
        cls = complex if _is_complex(value) else float
        c = np.real(c) if cls is float and _is_complex(c) else c
        return c if getattr(c, "dtype", None) is None else BY_NAME["convert"](c, cls=cls)
    shape = value.shape
    have = getattr(c, "shape", ())
    if elementwise and shape != out_shape:
        c = _sum_to(c, shape, out_shape)
    elif have != shape and _exceeds(have, shape):
        c = _sum_to(c, shape, have)
    have_dtype = getattr(c, "dtype", None)
    if have_dtype is dtype:
        return c
    if dtype.kind != "c" and _is_complex(c):
        c = np.real(c)
        have_dtype = getattr(c, "dtype", None)
    if have_dtype is not None and have_dtype != dtype:
        c = c.astype(dtype)
    return c


def _is_complex(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return isinstance(value, complex) if dtype is None else bool(dtype.kind == "c")


def _exceeds(have: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Tell whether a shape does not broadcast to another one without changing that."""
    return len(have) > len(shape) or any(
        n not in (1, m) for n, m in zip(reversed(have), reversed(shape), strict=False)
    )


def _sum_to(c: Any, shape: tuple[int, ...], full: tuple[int, ...]) -> Any:
    """Undo the broadcasting of `shape` to `full`: sum a cotangent over the repeated axes."""
    have = getattr(c, "shape", ())
    if have == shape == full:
        return c
    if have == ():
        repeats = int(np.prod(full, dtype=np.int64)) // max(int(np.prod(shape, dtype=np.int64)), 1)
        return c if repeats == 1 else c * float(repeats)
    if have != full:
        c = np.broadcast_to(c, full)
    extra = len(full) - len(shape)
    long = tuple(
        i for i, n in enumerate(full) if n != 1 and (i < extra or shape[i - extra] == 1)
    )
    if long:
        axis = None if not shape else long[0] if len(long) == 1 else long
        c = np.sum(c, axis=axis, keepdims=extra == 0 and bool(shape))
    return c if getattr(c, "shape", ()) == shape else np.reshape(c, shape)


def _broadcast(g: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Make a small cotangent as large as its node."""
    if getattr(g, "dtype", None) is None and dtype is not None:
        g = BY_NAME["convert"](g, cls=dtype.type)
    return np.broadcast_to(g, shape)
