"""What a function of state and time did, as a program that can be run again on other values.

The function runs once, on tracers of the recording that is under way. What depends on the state or
the time becomes the steps of a Program; everything else that the steps read, arguments and captured
values alike, becomes an input, so that no gradient and no new value of it can be missed. Equal
programs are equal keys: the solver made for one serves all calls that record it again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dag.node import ACTIVE, Node, location
from ..dag.op import BY_NAME, GUARD, LOOKS, Op, is_traced, value_of
from ..dag.vjp import depending_on
from ..errors import UnsupportedError
from ..trace import Recorder
from ..trace.creators import CREATORS
from ..trace.source import user_site


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a program, by its number: state, time and inputs come first."""

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
    """Steps, and which value is the result; hashed and compared by what it computes."""

    __slots__ = ("key", "result", "steps")

    def __init__(self, steps: tuple[Step, ...], result: Any) -> None:
        self.steps = steps
        self.result = result
        self.key: Hashable = (tuple(step.key() for step in steps), _key(result))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __call__(self, *values: Any) -> Any:
        """Run on a state, a time and inputs, which may be traced.

        Raises:
            UnsupportedError: a branch goes another way than when the program was recorded.
        """
        known = list(values)
        for step in self.steps:
            operands = [known[v.number] if type(v) is Value else v for v in step.operands]
            if step.op is GUARD:
                _check(step, operands[0])
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


def _check(step: Step, value: Any) -> None:
    """Look at a value as a guard does, and refuse another outcome than the recorded one."""
    kind = step.attrs["kind"]
    outcome = LOOKS[kind](value_of(value))
    if is_traced(value):
        value.recorder.guard(value.current(), kind, outcome)
    if outcome != step.attrs["outcome"]:
        raise UnsupportedError(
            f"the function given to odeint goes another way at {step.where} than where it was "
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


def record_program(
    recorder: Recorder, function: Callable[[Any, Any], Any], state: Any, time: Any
) -> tuple[Program, list[Any]]:
    """Run a function of a state and a time, and make a program of it.

    Returns the program and the tracers of its inputs.

    Raises:
        UnsupportedError: it draws random numbers, or writes to arrays from outside.
    """
    y = recorder.record(BY_NAME["copy"], (state,), {})
    t = BY_NAME["convert"](recorder.record(BY_NAME["copy"], (time,), {}), cls=float)
    y.node.level = t.node.level = ACTIVE
    start, in_place = len(recorder.nodes), recorder.writes.enabled
    following, recorder.for_compiling = recorder.for_compiling, True  # guards are to be noted
    recorder.writes.enabled = False
    try:
        result = _as_vector(function(y, t), np.size(state))
        result = result.current() if is_traced(result) else result
    finally:
        recorder.writes.enabled = in_place
        recorder.for_compiling = following
    return _program(recorder, recorder.nodes[start:], (y.node, t.node), result)


def _as_vector(result: Any, size: int) -> Any:
    """Make of what the function returned the array that odeint makes of it."""
    if not isinstance(result, np.ndarray) or np.result_type(result) != np.float64:
        result = CREATORS[np.array](result, dtype=float)
    flat = np.ndim(result) == 0 and size == 1
    return np.reshape(result, (1,)) if flat else result


def _program(
    recorder: Recorder, nodes: Sequence[Node], arguments: tuple[Node, Node], result: Any
) -> tuple[Program, list[Any]]:
    inside = depending_on(nodes, arguments)
    steps = [n for n in nodes if n in inside or (n.op is GUARD and n.inputs[0] in inside)]
    if any(n.op.effect and n.op is not GUARD for n in nodes):
        raise _unsupported("draws random numbers")
    own = {*nodes, *arguments}
    if any(n.op.in_place and n.inputs[0] not in own for n in steps):
        raise _unsupported("writes to an array that it does not make itself")
    numbers = {node: number for number, node in enumerate(arguments)}
    read = [i for n in steps for i in n.inputs if type(i) is Node]
    read += [result] if type(result) is Node else []
    outside = list(dict.fromkeys(n for n in read if n not in inside))
    for node in (*outside, *steps):
        numbers.setdefault(node, len(numbers))

    def operand(value: Any) -> Any:
        return Value(numbers[value]) if type(value) is Node else value

    made = tuple(
        Step(n.op, tuple(map(operand, n.inputs)), n.attrs, _operator(n), n.where) for n in steps
    )
    return Program(made, operand(result)), [recorder.lift(node) for node in outside]


def _operator(node: Node) -> Callable[..., Any] | None:
    plain = type(node.value) in (int, float, complex, bool)
    return node.op.operator if plain else None


def _unsupported(what: str) -> UnsupportedError:
    return UnsupportedError(
        f"the function given to odeint at {location(user_site())} {what}: it has to be a function "
        "of state, time and arguments alone"
    )
