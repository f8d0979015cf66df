"""Algebra that is exact for every float, NaN, Inf and signed zero included.

    multiply_0 = multiply(-1.0, y)              negative_0 = negative(y)
    add_0 = add(x, negative_0)          ->      subtract_0 = subtract(x, y)
    power_0 = power(x, 2.0)                     square_0 = square(x)
    transpose_1 = transpose(transpose(w))       w

Not here: x * 0 -> 0 (loses NaN), x + 0.0 -> x (loses the sign of -0.0), x - x -> 0.
A replacement has exactly the type, shape and dtype of what it replaces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph import Graph, rebuild
from ..loop import PART
from ..node import Node, Spec, is_uniform
from ..op import BY_NAME

Rule = Callable[[Node], Any]  # the replacement, or None where the rule does not apply

RULES: dict[str, list[Rule]] = {}


def simplify(graph: Graph) -> Graph:
    """Apply the rules to every node, until none applies to it."""

    placed: set[Node] = set(graph.inputs)

    def rewrite(node: Node) -> Any:
        new: Any = node
        for _ in range(8):
            better = _once(new)
            if better is None:
                break
            new = better
            if type(new) is not Node or new in placed or new.op.effect:
                break
        if type(new) is Node:
            placed.add(new)
        return new

    return rebuild(graph, rewrite)


def _once(node: Node) -> Any:
    if node.op.elementwise:
        narrowed = _narrow(node)
        if narrowed is not None:
            return narrowed
    for rule in RULES.get(node.op.name, ()):
        new = rule(node)
        if new is not None:
            return new
    return None


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for name in names:
            RULES.setdefault(name, []).append(rule)
        return rule

    return register


def _same(node: Node, value: Any) -> Any:
    """The value, if it can stand in the node's place."""
    return value if type(value) is Node and value.spec == node.spec else None


def _number(value: Any) -> Any:
    """The number that a constant is or is filled with, or None."""
    if isinstance(value, (float, int)) and not isinstance(value, (bool, np.bool_)):
        return value
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind == "f":
        uniform = not any(value.strides) or (value.size <= 64 and is_uniform(value))
        return float(value.flat[0]) if uniform else None
    return None


def _produced_by(value: Any, name: str) -> bool:
    return type(value) is Node and value.op.name == name


def _negated(value: Any) -> Any:
    """What a node negates, where that is exact in any wider type too; else None."""
    if _produced_by(value, "negative"):
        dtype = value.spec.dtype
        if dtype is None or dtype.kind == "f":
            return value.inputs[0]
    return None


def _new(node: Node, name: str, *inputs: Any) -> Node:
    return node.like(BY_NAME[name], inputs, {})


def _narrow(node: Node) -> Any:
    """Give an elementwise node the smallest operands: undo broadcasting that others do anyway.

    A uniform constant array or NumPy scalar becomes a number, and broadcast_to(x) becomes x, where
    shape and dtype of the result stay what they are.
    """
    if not node.spec.is_array or node.op.name in ("astype", "copy"):
        return None
    for position, value in enumerate(node.inputs):
        if type(value) is Node:
            if value.op.name not in ("broadcast_to", "full"):
                continue
        elif not isinstance(value, (np.ndarray, np.floating)):
            continue
        others = [i for n, i in enumerate(node.inputs) if n != position]
        if not any(type(o) is Node and o.spec.shape == node.spec.shape for o in others):
            continue
        # The condition of where has no part in its result's dtype.
        first = 1 if node.op.name == "where" else 0
        valued = [i for n, i in enumerate(node.inputs) if first <= n != position]
        small: Any = None
        if type(value) is Node:
            source = value.inputs[0]
            dtype = _dtype_of(source)
            fixed = dtype in (None, value.spec.dtype) and _float_among(valued, value.spec)
            if fixed or (dtype is not None and value.op.name == "broadcast_to"):
                small = source
        elif _float_among(valued, value):
            number = _number(value)
            small = None if number is None else float(number)
        if small is not None:
            inputs = tuple(small if n == position else i for n, i in enumerate(node.inputs))
            return node.like(node.op, inputs, node.attrs)
    return None


def _dtype_of(value: Any) -> Any:
    return value.spec.dtype if type(value) is Node else getattr(value, "dtype", None)


def _float_among(others: list[Any], like: Any) -> bool:
    """Tell whether another array operand fixes the dtype that `like` has."""
    return any(type(o) is Node and o.spec.is_array and o.spec.dtype == like.dtype for o in others)


@_rule("multiply")
def _multiply(node: Node) -> Any:
    x, y = node.inputs
    for value, other in ((x, y), (y, x)):
        number = _number(value)
        if number == 1.0:
            return _same(node, other)
        if number == -1.0 and type(other) is Node and other.spec == node.spec:
            return _new(node, "negative", other)
    if x is y and not node.spec.is_python and node.spec.dtype != np.bool_:
        return _new(node, "square", x)
    if _negated(x) is not None and _negated(y) is not None:
        return node.like(node.op, (_negated(x), _negated(y)), {})
    for value, other in ((x, y), (y, x)):
        number = _number(value)
        if number is None or type(value) is not float or type(other) is not Node:
            continue
        if _negated(other) is not None:
            return node.like(node.op, (-number, _negated(other)), {})
        if node.backward and other.op.name == "multiply":
            return _merge_factors(node, number, other)
    return None


def _merge_factors(node: Node, number: float, other: Node) -> Node | None:
    """In gradients, 0.5 * (2.0 * x) -> 1.0 * x: it rounds once less."""
    for factor, x in (other.inputs, other.inputs[::-1]):
        if type(factor) is float and type(x) is Node and x.spec == node.spec:
            return node.like(node.op, (number * factor, x), {})
    return None


@_rule("divide")
def _divide(node: Node) -> Any:
    return _same(node, node.inputs[0]) if _number(node.inputs[1]) == 1.0 else None


@_rule("add")
def _add(node: Node) -> Any:
    x, y = node.inputs
    if _negated(y) is not None:
        return _new(node, "subtract", x, _negated(y))
    if _negated(x) is not None:
        return _new(node, "subtract", y, _negated(x))
    for value, other in ((x, y), (y, x)):  # add into the other array, not into zeros first
        if not (_produced_by(value, "unindex") and node.spec.is_array):
            continue
        if _same(node, other) is not None and value.spec == node.spec:
            inputs = (other, *value.inputs)
            return node.like(BY_NAME["index_add"], inputs, {"key": value.attrs["key"]})
    return None


@_rule("subtract")
def _subtract(node: Node) -> Any:
    x, y = node.inputs
    number = _number(y)
    if number == 0.0 and not np.signbit(number):
        return _same(node, x)
    if _negated(y) is not None:
        return _new(node, "add", x, _negated(y))
    return None


@_rule("negative")
def _negative(node: Node) -> Any:
    x = node.inputs[0]
    if _produced_by(x, "negative"):
        return _same(node, x.inputs[0])
    if _produced_by(x, "multiply"):
        for factor, other in (x.inputs, x.inputs[::-1]):
            if _negated(factor) is not None:
                return x.like(x.op, (_negated(factor), other), {})
    return None


@_rule("sum")
def _sum(node: Node) -> Any:
    """Negate after summing, in gradients, where the sign of a zero has no meaning."""
    x = node.inputs[0]
    if node.backward and _produced_by(x, "negative") and x.spec.is_array:
        return _new(node, "negative", node.like(node.op, (x.inputs[0],), node.attrs))
    return None


@_rule("power")
def _power(node: Node) -> Any:
    exponent = _number(node.inputs[1])
    x = node.inputs[0]
    if node.spec.is_python or type(x) is not Node or x.spec != node.spec:
        return None
    if exponent == 2:
        return _new(node, "square", x)
    return _same(node, x) if exponent == 1 else None


@_rule("positive", "astype", "identity", "broadcast_to", "reshape", "convert", "stop_gradient")
def _nothing(node: Node) -> Any:
    """Drop what changes nothing."""
    if node.op.name == "reshape" and "order" in node.attrs:
        return None
    return _same(node, node.inputs[0])


@_rule("broadcast_to", "reshape")
def _array_of_number(node: Node) -> Any:
    """Make an array of a number directly: NumPy's functions for shapes are slow."""
    x = node.inputs[0]
    if node.spec.shape or not node.spec.is_array or type(x) is not Node or x.spec.is_array:
        return None
    return node.like(BY_NAME["convert"], (x,), {"cls": np.ndarray})


@_rule("reshape")
def _reshape(node: Node) -> Any:
    x = node.inputs[0]
    if not _produced_by(x, "reshape") or {"order"} & {*node.attrs, *x.attrs}:
        return None
    if type(x.inputs[0]) is Node and x.inputs[0].spec.is_array:
        return node.like(node.op, (x.inputs[0],), node.attrs)
    return None


@_rule("index_set")
def _index_set(node: Node) -> Any:
    """Writing to all of an array is having the new value."""
    key, value = node.attrs["key"], node.inputs[1]
    parts = key if type(key) is tuple else (key,)
    covers = all(part is Ellipsis or part == slice(None) for part in parts)
    if not covers or not node.spec.shape or type(value) is not Node:
        return None
    return _same(node, value) if value.spec.layout == node.spec.layout else None


@_rule("transpose")
def _transpose(node: Node) -> Any:
    x, axes = node.inputs[0], node.attrs["axes"]
    if axes == tuple(range(len(axes))):
        return _same(node, x)
    if _produced_by(x, "transpose"):
        both = tuple(x.attrs["axes"][i] for i in axes)
        return node.like(node.op, (x.inputs[0],), {"axes": both})
    return None


@_rule("full")
def _full(node: Node) -> Any:
    x = node.inputs[0]
    if _produced_by(x, "broadcast_to"):
        return node.like(node.op, (x.inputs[0],), node.attrs)
    return None


@_rule("concatenate", "array")
def _rows_again(node: Node) -> Any:
    """Take rows of an array from it at once, where they are put together as they stand there."""
    rows = list(node.inputs)
    if node.op.name == "array":
        if node.attrs["paths"] != tuple((i,) for i in range(len(rows))):
            return None
        rows = [r.inputs[0] if _produced_by(r, "item") else r for r in rows]
    elif node.attrs["axis"] != 0:
        return None
    else:  # np.stack gives each array a new axis first
        rows = [r.inputs[0] if _is_one_row(r) else r for r in rows]
        rows = [r.inputs[0] if _produced_by(r, "convert") else r for r in rows]
    source = rows[-1].inputs[0] if rows and _produced_by(rows[-1], "index") else None
    if type(source) is not Node or (source.spec.layout, node.spec.layout) != ("C", "C"):
        return None
    starts = len(rows) > 1 and _is_first(rows[0], source)
    first = 0 if starts else rows[0].attrs["key"] if _produced_by(rows[0], "index") else None
    if type(first) is not int or first < 0 or source.spec.dtype != node.spec.dtype:
        return None
    for number, row in enumerate(rows[starts:], first + starts):
        if not _produced_by(row, "index") or row.inputs[0] is not source:
            return None
        if len(row.inputs) > 1 or row.attrs["key"] != number:
            return None
    spec = Spec(np.ndarray, (len(rows), *source.spec.shape[1:]), node.spec.dtype)
    if spec.size != node.spec.size:
        return None
    key = slice(first, first + len(rows))
    part = node.like(BY_NAME["index"], (source,), {"key": key}, spec)
    part.hint = None
    return node.like(BY_NAME["reshape"], (part,), {"shape": node.spec.shape})


def _is_first(value: Any, history: Node) -> bool:
    """Tell whether a value is what a loop starts from, whose history an array is."""
    if history.op is not PART or type(value) is not Node:
        return False
    node, number = history.inputs[0], history.attrs["index"]
    loop = node.attrs["loop"]
    if not loop.carried <= number < loop.first_stack or value.spec.dtype != history.spec.dtype:
        return False
    return bool(node.inputs[loop.kept[number - loop.carried]] is value)


def _is_one_row(value: Any) -> bool:
    """Tell whether a value is another one with a new first axis of length 1."""
    if not _produced_by(value, "reshape") or type(value.inputs[0]) is not Node:
        return False
    return bool(value.attrs["shape"] == (1, *value.inputs[0].spec.shape))


@_rule("astype")
def _choose_converted(node: Node) -> Any:
    """Convert what is chosen from, where that is less than what is chosen."""
    source = node.inputs[0]
    if type(source) is not Node or source.op.name != "where" or not source.spec.is_array:
        return None
    condition, *choices = source.inputs
    arrays = [c for c in choices if type(c) is Node]
    if not arrays or any(type(c) not in (Node, int, float) for c in choices):
        return None
    if any(not c.spec.is_array or c.spec.size >= source.spec.size for c in arrays):
        return None
    dtype = node.spec.dtype

    def converted(choice: Any) -> Any:
        if type(choice) is not Node:
            return choice
        spec = Spec(np.ndarray, choice.spec.shape, dtype, choice.spec.layout)
        return node.like(node.op, (choice,), node.attrs, spec)

    return node.like(source.op, (condition, *map(converted, choices)), {})
