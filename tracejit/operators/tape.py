"""A function that ran inside a recording, ready to be differentiated as often as wanted.

A function and arguments enter; its output leaves, and for any cotangent or tangent what J' and J
make of it. All of it belongs to one run: to the numbers that it drew and the branches it took.
Outputs may be structures; their leaves that are no floats have a derivative of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..binding import Binding
from ..cache import STATIC, Signature
from ..dag.node import ACTIVE
from ..dag.op import IDENTITY, is_draw, is_traced
from ..dag.vjp import depending_on, sweep
from ..errors import NotScalarError, ParameterTypeError, ShapeError
from ..joint import finish, run_ahead, sweep_back
from ..ops.conversions import cast, is_complex, kind_of
from ..outcome import Wanted, traced_leaf
from ..trace import Recorder
from ..trace.creators import stop_gradient
from ..trace.recorder import active_recorder
from ..tree import described, flatten, list_leaves, unflatten


def inner(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a recording that is under way has to call it."""
    recorder = active_recorder()
    return f if recorder is None else recorder.world.inner(f)


def bound(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Order a call's arguments as the function's parameters, with its defaults."""
    values, signature = _signed(f, tuple(args), kwargs)
    places = len(values) - len(signature.keywords)
    return values[:places], dict(zip(signature.keywords, values[places:], strict=True))


def _signed(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], Signature]:
    binding = Binding(inner(f))
    values, keywords = binding.bind(args, kwargs)
    return values, Signature(values, keywords, binding.names(len(values), keywords))


def _paired(ours: Sequence[Any], theirs: Sequence[Any]) -> Any:
    """The real part of the sum of products; nothing is conjugated, and None is zero."""
    total: Any = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a is not None and b is not None:
            total = total + np.sum(a * b)
    return np.real(total) if is_complex(total) else total


def matching(given: Any, like: Any, name: str) -> list[Any]:
    """List the leaves of what has the structure, shapes and kinds of numbers of something else.

    Raises:
        ShapeError: another structure or shape. ParameterTypeError: no real numbers for real ones.
    """
    ours: list[Any] = []
    theirs: list[Any] = []
    wanted, found = flatten(like, ours), flatten(given, theirs)
    if wanted != found:
        raise ShapeError(
            f"a {name} must have the structure of what it is a {name} of, {described(wanted)}; "
            f"its structure is {described(found)}"
        )
    for a, b in zip(ours, theirs, strict=True):
        if not is_number(a):
            continue
        if np.shape(a) != np.shape(b):
            raise ShapeError(
                f"a {name} must have the shape of what it is a {name} of: {np.shape(a)}; "
                f"its shape is {np.shape(b)}"
            )
        allowed = "iufc" if is_complex(a) else "iuf"
        if not is_numeric(b) or kind_of(b) not in allowed:
            what = str(np.result_type(b)) if is_numeric(b) else f"a {type(b).__name__}"
            kinds = "numbers" if is_complex(a) else "real numbers"
            raise ParameterTypeError(f"a {name} must hold {kinds} here; it holds {what}")
    return theirs


def is_number(leaf: Any) -> bool:
    """Tell whether a leaf of an output or a parameter can have a derivative."""
    return is_numeric(leaf) and kind_of(leaf) in "fc"


def is_numeric(leaf: Any) -> bool:
    """Tell whether a leaf is an array or a number."""
    known = is_traced(leaf) or isinstance(leaf, (int, float, complex, np.number, np.ndarray))
    return known and type(leaf) not in STATIC and kind_of(leaf) in "iufcb"


class Tape:
    """One run of a function, and the arguments that it is differentiated by.

    Args:
        recorder: the one that is active.
        argnum: numbers the arguments as parameters of the function.

    out: what the function returned, of the structure `out_tree`. leaves: those of the output.
    parameters: the leaves of the arguments, of the structure `tree`. draws: whether it drew
    random numbers.
    """

    def __init__(
        self, recorder: Recorder, f: Callable[..., Any], argnum: int | tuple[int, ...],
        args: Sequence[Any], kwargs: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        values, signature = _signed(f, tuple(args), kwargs or {})
        wanted = Wanted(argnum=argnum)
        self.recorder = recorder
        self._run = run_ahead(recorder, f, signature, wanted)
        refs = iter([traced_leaf(recorder, ref) for ref in self._run.outputs])
        outputs = tuple(unflatten(tree, refs) for tree in self._run.output_trees)
        self.out: Any = outputs if self._run.several else outputs[0]
        self.leaves: list[Any] = []
        self.out_tree = flatten(self.out, self.leaves)
        if not any(is_numeric(leaf) for leaf in self.leaves):
            what = type(self.out).__name__
            raise NotScalarError(f"the function must return numbers; it returns a {what}")
        self.tree = self._run.parameters
        self.parameters = list_leaves([values[number] for number in wanted.argnums])
        self.draws = any(map(is_draw, recorder.nodes[self._run.start : self._run.split]))

    @property
    def given(self) -> Any:
        """The arguments that it is differentiated by: one, or a tuple."""
        return unflatten(self.tree, iter(self.parameters))

    def structured(self, places: Sequence[int], found: Sequence[Any]) -> Any:
        """Put what was found for some of the parameters into their structure, None for others."""
        known = dict(zip(places, found, strict=True))
        return unflatten(self.tree, iter([known.get(i) for i in range(len(self.parameters))]))

    def pull(self, cotangents: Sequence[Any], transposing: bool = False) -> list[Any]:
        """Give J' times cotangents, one for each leaf of the output; None: zero."""
        seeds = []
        for output, leaf, c in zip(self._run.outputs, self.leaves, cotangents, strict=True):
            if c is not None and is_number(leaf):
                given = hasattr(c, "dtype") and hasattr(leaf, "dtype")
                seeds.append((output, cast(c, leaf.dtype) if given else c))
        return sweep_back(self.recorder, self._run, seeds, transposing)

    def push(self, tangents: Sequence[Any], only: int | None = None) -> list[Any]:
        """Give J times tangents, one for each parameter, None for zero: the transposed sweep.

        u -> J'u is linear, so its own vjp is J. Nothing but its linear part is left once what is
        not needed is dropped. only: the leaf of the output that is asked for; None: all of them.
        """
        recorder = self.recorder
        us = [
            recorder.record(IDENTITY, (stop_gradient(leaf),), {})
            if is_number(leaf) and only in (None, n) else None
            for n, leaf in enumerate(self.leaves)
        ]  # fmt: skip
        for u in us:
            if u is not None:
                u.node.level = ACTIVE
        start = len(recorder.nodes)
        total = _paired(tangents, self.pull(us, transposing=True))
        nodes, last = recorder.nodes[start:], total.current() if is_traced(total) else None
        reached = depending_on(nodes, [u.node for u in us if u is not None], smoothly=True)
        cotangents = {last: 1.0} if last in reached else {}
        with recorder.writes.off():
            sweep(nodes, cotangents, recorder.lift, reached.__contains__)
        roots = [None if u is None else u.node for u in us]
        return [
            _zero(leaf) if root is None
            else recorder.lift(finish(cotangents.get(root), root.value))
            for root, leaf in zip(roots, self.leaves, strict=True)
        ]  # fmt: skip


def _zero(leaf: Any) -> Any:
    """The derivative of a leaf that holds no floats."""
    return np.zeros(np.shape(leaf))[()] if is_numeric(leaf) else None
