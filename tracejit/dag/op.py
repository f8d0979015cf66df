"""What an operation is: one declaration holds all that the compiler knows about it.

An Op names the function that computes it, its gradient rules, whether its result may view its
first input, whether it takes `out=`, its operator symbol and its scalar form in fused loops.
Ops are called like functions; a traced argument (anything with `_record`) records them.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

import numpy as np

Rule = Callable[..., Any] | None  # (g, out, *inputs, **attrs) -> cotangent; None: zero gradient
# (node, g, lift, enter, reaches) -> pairs of an input and a cotangent; see `sweep`
Pull = Callable[..., Iterable[tuple[Any, Any]]]

MISSING: Any = object()  # a rule that nobody has written

BY_FUNCTION: dict[Any, Op] = {}  # NumPy function or ufunc -> the op that stands for it
BY_NAME: dict[str, Op] = {}
COMPOSITES: dict[Any, Callable[..., Any]] = {}  # NumPy function -> the same, written with ops
STEPS: set[Any] = set()  # those of them whose gradient is zero
LACKING: set[Any] = set()  # and those that run, and have none
SCIPY = ("integrate", "linalg", "signal", "special", "stats")  # packages with declared functions


class Op:
    """One operation; see `op` for the meaning of the fields."""

    __slots__ = (
        "adds",
        "bind",
        "domain",
        "effect",
        "elementwise",
        "fn",
        "in_place",
        "marks",
        "name",
        "operator",
        "out",
        "own_vjp",
        "path",
        "pull",
        "raises",
        "reduces",
        "scalar",
        "several",
        "symbol",
        "variadic",
        "views",
        "vjp",
    )

    def __init__(self, name: str, fn: Callable[..., Any], **fields: Any) -> None:
        self.name = name
        self.fn = fn
        self.path: str | None = fields.get("path")
        self.vjp: Any = fields.get("vjp", MISSING)
        self.own_vjp: Any = fields.get("own_vjp")
        self.marks: bool = fields.get("marks", False)
        self.pull: Pull | None = fields.get("pull")
        self.in_place: Any = fields.get("in_place")
        self.adds: Op | None = fields.get("adds")
        self.effect: bool = fields.get("effect", False)
        self.variadic: bool = fields.get("variadic", False)
        self.raises: bool = fields.get("raises", False)
        self.several: int = fields.get("several", 0)
        self.bind: Callable[..., Any] | None = fields.get("bind")
        self.domain: Any = fields.get("domain")
        self.elementwise: bool = fields.get("elementwise", False)
        self.views: bool = fields.get("views", False)
        self.out: bool = fields.get("out", False)
        self.reduces: np.ufunc | None = fields.get("reduces")
        self.symbol: str | None = fields.get("symbol")
        self.operator: Callable[..., Any] | None = fields.get("operator")
        self.scalar: str | None = fields.get("scalar")

    def rule(self, position: int) -> Rule:
        """The gradient rule for one input; MISSING where there is none."""
        if self.variadic or self.vjp is MISSING or self.vjp is None:
            return self.vjp  # type: ignore[no-any-return]
        return self.vjp[position] if position < len(self.vjp) else MISSING  # type: ignore[no-any-return]

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        """Run on plain values, or record where an input is traced."""
        for value in inputs:
            record = getattr(type(value), "_record", None)
            if record is not None:
                return record(value, self, inputs, attrs)
        result = self.fn(*inputs, **attrs)
        return tuple(result) if self.several else result

    def reuse(self, *inputs: Any, **attrs: Any) -> Any:
        """Run or record it in the memory of the first input, whose old value nobody needs."""
        record = getattr(type(inputs[0]), "_record", None)
        if record is not None:
            return record(inputs[0], self, inputs, attrs, self.in_place)
        run = self if any(is_traced(value) for value in inputs) else self.in_place
        return run(*inputs, **attrs)

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


def op(name: str, fn: Callable[..., Any], *, stands_for: tuple[Any, ...] = (), **fields: Any) -> Op:
    """Declare an operation.

    vjp: one rule `(g, out, *inputs, **attrs)` per input; None for an input, or for all, says a
        zero gradient. With variadic=True one rule `(g, out, position, inputs, **attrs)`.
    in_place: does the same in the memory of the first input. own_vjp: the rule to use where the
        cotangent is nobody else's and may be overwritten; the rule for the first input comes last.
    pull: finds the cotangents of all inputs at once, in place of rules.
    adds: the op that adds the cotangent into one that is there already, in place.
    bind: maps the NumPy function's arguments to (inputs, attrs); its signature is what works.
    stands_for: further NumPy functions with the same meaning.
    several: how many results it has, as a tuple; its rules get a cotangent of the full shape, or
        None, for each of them.
    raises: it raises for some values: a singular matrix, an index out of range.
    marks: it is there for the sweep alone, and gives its first input, which then takes its place.
    effect: it does more than give a value, so it stays where it is, once for each recording.
    elementwise, views, out, reduces: how the result relates to the inputs (see the families).
    domain: bounds between which tests may take inputs, (low, high) for all or a pair for each; by
        default a range round 0 for the first input, and one above 0 for a second.
    symbol, operator: Python's operator, for scalars and operator syntax; scalar: a loop expression.
    path: how emitted code names the function, as in "np.linalg.inv"; taken from `stands_for` where
        that is NumPy's or SciPy's. Functions of others become keyword arguments of emitted code.
    """
    if "path" not in fields and stands_for:
        path = numpy_path(stands_for[0])
        fields["path"] = path if path.startswith(("np.", "scipy.")) else None
    declared = Op(name, fn, **fields)
    if name in BY_NAME:
        raise ValueError(f"the op {name!r} is declared twice")
    BY_NAME[name] = declared
    for function in stands_for:
        BY_FUNCTION[function] = declared
    return declared


def composite(
    *functions: Any, vjp: object = ...
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare that NumPy functions are recorded by running this Python function on tracers.

    vjp: None says, as of an op, that the gradient is zero; MISSING that there is none.
    """

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            COMPOSITES[function] = implementation
            if vjp is None:
                STEPS.add(function)
            if vjp is MISSING:
                LACKING.add(function)
        return implementation

    return register


def is_traced(value: Any) -> bool:
    """Tell whether a value is a tracer: something that records what is done with it."""
    return hasattr(type(value), "_record")


def value_of(value: Any) -> Any:
    """Give the plain value of a traced one, and any other as it is."""
    return value.value if is_traced(value) else value


def is_draw(node: Any) -> bool:
    """Tell whether a node draws from a random generator: its attributes name what is called."""
    return node.op.effect and "method" in node.attrs


def numpy_path(function: Any) -> str:
    """Write how user code names a function: np.tanh, np.linalg.inv, scipy.stats.norm.pdf."""
    name = str(getattr(function, "__name__", function))
    for prefix, module in (("np", np), ("np.linalg", np.linalg)):
        if getattr(module, name, None) is function:
            return f"{prefix}.{name}"
    for package in SCIPY:
        if getattr(sys.modules.get(f"scipy.{package}"), name, None) is function:
            return f"scipy.{package}.{name}"
    if isinstance(function, MethodType):  # of a distribution
        known = vars(sys.modules.get("scipy.stats", np)).items()
        owner = next((n for n, value in known if value is function.__self__), None)
        return f"scipy.stats.{owner}.{name}" if owner else name
    home = str(getattr(function, "__module__", None))
    return f"np.{home.removeprefix('numpy.')}.{name}" if home.startswith("numpy.") else name


class _Hole:
    """Stands in an index template for an array that is an input of the op."""

    def __repr__(self) -> str:
        return "HOLE"

    def __reduce__(self) -> str:
        return "HOLE"


HOLE = _Hole()


# Ops that any graph may have: a leaf from outside, a fresh name for a value, and a guard: the
# recorded path goes on only where its input, looked at as `kind` says, is `outcome`.
INPUT = op("input", lambda: None, vjp=None)
IDENTITY = op("identity", lambda x: x, vjp=[lambda g, out, x: g], views=True)
# One result of an op that has several. The sweep brings the cotangents of all of them together.
PICK = op("pick", lambda results, *, index: results[index], vjp=[lambda g, out, results, index: g])
# The result of a checkpointed function: its cotangent goes to what the function reads, by way of
# the attribute `region`; and what is read for the second time, which nothing merges with the first.
CHECKPOINT = op(
    "checkpoint", lambda x, *, region: x, vjp=[lambda g, out, x, region: g], views=True,
    marks=True, pull=lambda node, g, *how: node.attrs["region"].pull(node.inputs[0], g, *how),
)  # fmt: skip
# What a rule of the user's has given, as the first input: its cotangent goes to the others, by way
# of the attribute `applied` and not through the nodes that the rule has recorded.
APPLIED = op(
    "applied", lambda x, *read, applied: x, vjp=[lambda g, out, x, *read, applied: g], views=True,
    marks=True, pull=lambda node, g, *how: node.attrs["applied"].pull(node, g, *how),
)  # fmt: skip
RECOMPUTED = op("recomputed", lambda x: x, vjp=[lambda g, out, x: g], views=True)
GUARD = op("guard", lambda x, *, kind, outcome: None, vjp=None, effect=True)
# Writes a value into an input when all else is done.
COMMIT = op("commit", lambda target, value: None, vjp=None, effect=True)


def exact(value: Any) -> bytes | str:
    """Say exactly which value a number or array of a known type is, NaN and -0.0 included."""
    return value.tobytes() if hasattr(value, "tobytes") else repr(value)


# How a guard looks at its input, by `kind`.
LOOKS: dict[str, Callable[[Any], Any]] = {
    "truth": bool, "index": operator.index, "type": type, "shape": np.shape, "value": exact,
}  # fmt: skip
