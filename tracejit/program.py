"""What a function did, as a program that can be run again on other values.

The function runs once, on tracers of the recording that is under way. What depends on its
arguments becomes the steps of a Program; everything else that the steps read, captured values too,
becomes an input, so that no gradient and no new value of it can be missed. Equal programs are
equal keys: the solver made for one serves all calls that record it again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .dag.node import ACTIVE, Node, location
from .dag.op import CHECKPOINT, GUARD, IDENTITY, LOOKS, Op, exact, is_traced, value_of
from .dag.vjp import depending_on
from .errors import UnsupportedError
from .trace import Recorder
from .trace.source import user_site

_titles: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a program, by its number: arguments and inputs come first."""

    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; `run` is Python's operator where it works on Python numbers."""

    op: Op
    operands: tuple[Any, ...]
    attrs: dict[str, Any]
    run: Callable[..., Any] | None
    where: str

    def key(self) -> Hashable:
        """Tell equal steps by this."""
        attrs = tuple((name, _key(value)) for name, value in self.attrs.items())
        return self.op, tuple(map(_key, self.operands)), attrs, self.run


class Program:
    """Steps, and which value is the result; hashed and compared by what it computes.

    owner: what the function was given to, for messages.
    """

    __slots__ = ("key", "owner", "result", "steps")

    def __init__(self, steps: tuple[Step, ...], result: Any, owner: str) -> None:
        self.steps = steps
        self.result = result
        self.owner = owner
        self.key: Hashable = (tuple(step.key() for step in steps), _key(result), owner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __call__(self, *values: Any) -> Any:
        """Run on arguments and inputs, which may be traced.

        Raises:
            UnsupportedError: a branch goes another way than when the program was recorded.
        """
        known = list(values)
        for step in self.steps:
            operands = [known[v.number] if type(v) is Value else v for v in step.operands]
            if step.op is GUARD:
                _check(step, operands[0], self.owner)
                known.append(None)
            else:
                known.append(_run(step, operands))
        return known[self.result.number] if type(self.result) is Value else self.result


def _run(step: Step, operands: list[Any]) -> Any:
    for value in operands:
        if is_traced(value):
            return value._record(step.op, tuple(operands), step.attrs, step.run)
    result = (step.run or step.op.fn)(*operands, **step.attrs)
    return tuple(result) if step.op.several else result


def _check(step: Step, value: Any, owner: str) -> None:
    """Look at a value as a guard does, and refuse another outcome than the recorded one."""
    kind = step.attrs["kind"]
    outcome = LOOKS[kind](value_of(value))
    if is_traced(value):
        value.recorder.guard(value.current(), kind, outcome)
    if outcome != step.attrs["outcome"]:
        raise UnsupportedError(
            f"the function given to {owner} goes another way at {step.where} than where it was "
            "recorded; write the branch with np.where, so that both ways are known"
        )


def _key(value: Any) -> Hashable:
    """Make what can be compared of a constant, exact to the bit; of an unknown thing, itself."""
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value), value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, (float, complex)):
        return type(value), repr(value)
    if isinstance(value, (tuple, list)):
        return type(value), tuple(map(_key, value))
    if isinstance(value, slice):
        return slice, _key((value.start, value.stop, value.step))
    if isinstance(value, (int, str, bytes, type, np.dtype, Value)) or value is None:
        return type(value), value
    return "is", id(value)  # the program keeps it alive


def title_of(function: Any, otherwise: str) -> str:
    """Give a function's name, for the ops that are made of it."""
    name = str(getattr(function, "__name__", ""))
    return name if name.isidentifier() else otherwise


def numbered(title: str) -> str:
    """Make of a title one that no other ops of this process have."""
    _titles[title] += 1
    return f"{title}_{_titles[title]}" if _titles[title] > 1 else title


def plain_constant(recorder: Recorder, value: Any) -> Any:
    """Give the plain value of an option that may be traced; it holds for one path."""
    if not is_traced(value):
        return value
    node = value.current()
    recorder.guard(node, "value", exact(node.value))
    return node.value


def record_program(
    recorder: Recorder, function: Callable[..., Any], arguments: Sequence[Any], owner: str
) -> tuple[Program, list[Any]]:
    """Run a function and make a program of it.

    Args:
        arguments: tracers on nodes that were made for this and that nothing else reads.
        owner: what the function was given to, for messages.

    Returns:
        The program, of the arguments and the inputs, and the tracers of the inputs.

    Raises:
        UnsupportedError: it draws random numbers, or writes to arrays from outside.
    """
    roots = tuple(argument.node for argument in arguments)
    for root in roots:
        root.level = ACTIVE
    start, in_place = len(recorder.nodes), recorder.writes.enabled
    following, recorder.for_compiling = recorder.for_compiling, True  # guards are to be noted
    recorder.writes.enabled = False
    try:
        result = function(*arguments)
        result = result.current() if is_traced(result) else result
    finally:
        recorder.writes.enabled = in_place
        recorder.for_compiling = following
    return _program(recorder, recorder.nodes[start:], roots, result, owner)


def _program(
    recorder: Recorder, nodes: Sequence[Node], arguments: tuple[Node, ...], result: Any, owner: str
) -> tuple[Program, list[Any]]:
    inside = depending_on(nodes, arguments)
    steps = [n for n in nodes if n in inside or (n.op is GUARD and n.inputs[0] in inside)]
    if any(n.op.effect and n.op is not GUARD for n in nodes):
        raise _unsupported(owner, "draws random numbers")
    own = {*nodes, *arguments}
    if any(n.op.in_place and n.inputs[0] not in own for n in steps):
        raise _unsupported(owner, "writes to an array that it does not make itself")
    numbers = {node: number for number, node in enumerate(arguments)}
    read = [i for n in steps for i in n.inputs if type(i) is Node]
    read += [result] if type(result) is Node else []
    outside = list(dict.fromkeys(n for n in read if n not in inside))
    for node in (*outside, *steps):
        numbers.setdefault(node, len(numbers))

    def operand(value: Any) -> Any:
        return Value(numbers[value]) if type(value) is Node else value

    made = tuple(
        Step(n.op, tuple(map(operand, n.inputs)), n.attrs, _operator(n), n.where)
        if n.op is not CHECKPOINT  # whose region is of this recording
        else Step(IDENTITY, (operand(n.inputs[0]),), {}, None, n.where)
        for n in steps
    )
    return Program(made, operand(result), owner), [recorder.lift(node) for node in outside]


def _operator(node: Node) -> Callable[..., Any] | None:
    plain = type(node.value) in (int, float, complex, bool)
    return node.op.operator if plain else None


def _unsupported(owner: str, what: str) -> UnsupportedError:
    return UnsupportedError(
        f"the function given to {owner} at {location(user_site())} {what}: it has to be a function "
        "of its arguments, and of what it reads, alone"
    )
