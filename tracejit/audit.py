"""The audit: is a compiled result what plain Python gives?

A compiled answer is compared with the outputs of the plain function on plain arrays, and with the
gradients of direct mode. It finds what no guard foresaw. Random generators and arrays that the
function writes to are set back in between, so that an audited call looks like any other.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from .binding import call
from .cache import Signature
from .codegen.compile import Compiled
from .dag.evaluate import evaluate
from .dag.node import Node
from .dag.op import COMMIT, is_draw
from .outcome import ORDERS, assemble
from .trace.recorder import read_state, write_state
from .tree import flatten, list_leaves, unflatten
from .variant import Variant

if TYPE_CHECKING:
    from .function import JitGrad

SHARE = 0.01  # of the time spent in compiled code that audits may take
MOVES = 3  # of the inputs by rounding errors, to see how results follow
AMPLIFIED = 1000.0  # how much more rounding errors inside machine code may move results


def audited(
    df: JitGrad, variant: Variant, form: Compiled, signature: Signature, upstream: Any,
    values: list[Any], patience: float | None,
) -> Any:  # fmt: skip
    """Answer a call with compiled code and check the answer; `values`: what that code takes."""
    state = _State(variant, signature, values)
    begun = time.perf_counter()
    try:
        compiled = form.run(*values)
    except Exception as error:
        failure: Exception | None = error
    else:
        failure = None
    if failure is not None:
        return df._failed(failure, variant, form, signature, upstream)
    spent = time.perf_counter() - begun
    after = state.now()
    with np.errstate(all="ignore"):  # the compiled call has warned already
        wrong = _compare(df, variant, signature, upstream, compiled, state)
    if wrong is None:
        df.count_hit()
        state.set_back(after)
        if df._audit != "always":
            cost = time.perf_counter() - begun - spent
            variant.heat.until_audit = cost / max(spent, 1e-9) / SHARE
        variant.grant(spent, form, patience)
        return compiled
    state.set_back()
    if form is not variant.compiled and variant.compiled is not None:
        df.reject(variant, wrong)
        return audited(df, variant, variant.compiled, signature, upstream, values, None)
    df.distrust(signature, upstream, wrong)
    return df._run_directly(signature, upstream)


def compared(
    df: JitGrad, variant: Variant, form: Compiled, signature: Signature, upstream: Any,
    values: list[Any],
) -> Any:  # fmt: skip
    """Answer the first call of machine code, and check that the numpy target says the same."""
    numpy = variant.compiled
    assert numpy is not None
    state = _State(variant, signature, values)
    begun = time.perf_counter()
    try:
        answer = form.run(*values)
    except Exception as error:
        failure, raised = error, form
    else:
        spent = time.perf_counter() - begun
        after = state.now()
        state.set_back()
        try:
            expected = numpy.run(*values)
        except Exception as error:
            failure, raised = error, numpy
            df.reject(variant, f"it did not raise {type(error).__name__} as the numpy target did")
        else:
            df.count_hit()
            scale = _scale([expected, signature.leaves])
            if _close(answer, expected, scale) or _sensitive(
                numpy, values, state, answer, expected
            ):
                state.set_back(after)
                variant.trusted = True
                variant.grant(spent, form, None)
                return answer
            df.reject(variant, "its results differ from those of the numpy target")
            return expected
    return df._failed(failure, variant, raised, signature, upstream)


def without_machine_code(
    df: JitGrad, error: Exception, variant: Variant, signature: Signature, upstream: Any
) -> Any:
    """Answer a call in which machine code raised: what the numpy target does counts."""
    captured = variant.read(df.__wrapped__, signature.values)
    numpy = variant.compiled
    if captured is None or numpy is None:
        raise error
    upstreams = [upstream] if df._wanted.partial else []
    try:
        result = numpy.run(*signature.values, *upstreams, *captured)
    except Exception as other:
        failure = other
    else:
        df.count_hit()
        df.reject(variant, f"it raised {type(error).__name__}: {error}")
        return result
    return df._failed(failure, variant, numpy, signature, upstream)


def after_error(
    df: JitGrad, error: Exception, form: Compiled, signature: Signature, upstream: Any,
    drawn: tuple[Any, ...],
) -> Any:  # fmt: skip
    """Answer a call in which compiled code raised, or raise as the user's code does.

    A rule of linear algebra may have been chosen for regular matrices: direct mode chooses anew.
    """
    if isinstance(error, np.linalg.LinAlgError):
        with suppress(np.linalg.LinAlgError):
            answer = df._run_directly(signature, upstream, drawn)
            df._direct += 1
            return answer
    raise form.located(error) from None


def _sensitive(
    numpy: Compiled, values: list[Any], state: _State, answer: Any, expected: Any
) -> bool:
    """Tell whether rounding alone can take two results so far apart.

    The inputs are moved by a rounding error each; machine code has a few more of them on the way.
    What the call changes is afterwards as before.
    """
    found = _distance(answer, expected)
    after = state.now()
    generator = np.random.default_rng(0)
    try:
        for _ in range(MOVES):
            state.set_back()
            with np.errstate(all="ignore"):
                moved = numpy.run(*_moved(values, generator))
            if found <= AMPLIFIED * _distance(moved, expected):
                return True
    except Exception as error:  # a branch that goes another way within rounding
        return type(error) is numpy.unseen
    finally:
        state.set_back(after)
    return False


def _moved(values: list[Any], generator: np.random.Generator) -> list[Any]:
    """Multiply every number by 1 plus or minus its precision."""
    leaves: list[Any] = []
    tree = flatten(values, leaves)

    def move(leaf: Any) -> Any:
        array = np.asarray(leaf) if _is_number(leaf) else None
        if array is None or array.dtype.kind not in "fc":
            return leaf
        errors = generator.integers(-1, 2, array.shape) * np.finfo(array.dtype).eps
        moved = np.array(array, order="K")
        moved *= (1 + errors).astype(array.dtype)
        return moved if type(leaf) is np.ndarray else type(leaf)(moved[()])

    moved: list[Any] = unflatten(tree, iter([move(leaf) for leaf in leaves]))
    return moved


def _distance(a: Any, b: Any) -> float:
    """How far two results are apart at most; infinity where one has numbers and the other not."""
    left: list[Any] = []
    right: list[Any] = []
    if flatten(a, left) != flatten(b, right):
        return float("inf")
    most = 0.0
    for x, y in zip(left, right, strict=True):
        if _is_number(x):
            x, y = np.asarray(x), np.asarray(y)
            with np.errstate(all="ignore"):
                apart = np.where((x == y) | ((x != x) & (y != y)), 0.0, np.abs(x - y))
            apart[np.isnan(apart)] = np.inf
            most = max(most, float(np.max(apart, initial=0.0)))
        elif x != y:
            return float("inf")
    return most


def _compare(
    df: JitGrad, variant: Variant, signature: Signature, upstream: Any, compiled: Any, state: _State
) -> str | None:
    """Say how a compiled answer is wrong; None where it is right up to rounding."""
    expected = _outputs_of_plain(df, signature, state)
    state.set_back()
    direct = df._run_directly(signature, upstream)
    scale = _scale([direct, signature.leaves])
    reason = None
    if df._wanted.forward:
        outputs, plain = compiled, expected
        if df._wanted.gradients:
            order = ORDERS[df._wanted.order]
            outputs = order.among(compiled)
            plain = expected[order.shown] if type(expected) is tuple else (expected,)
        if not _close(outputs, plain, scale):
            reason = "compiled results differ from those of the plain function"
    if reason is None and not _close(compiled, direct, scale):
        reason = "compiled and direct results differ"
    if reason is None:
        return None
    state.set_back()
    try:
        found = evaluate(variant.tree, state.inputs)
    except Exception:  # a path that nobody has recorded: it is not the rounding
        return reason
    gradients, outputs = found[: variant.tree.gradients], found[variant.tree.gradients :]
    evaluated = assemble(variant.form, iter(gradients), iter(outputs))
    return None if _close(evaluated, direct, scale) else reason


def _outputs_of_plain(df: JitGrad, signature: Signature, state: _State) -> Any:
    state.set_back()
    values = signature.arguments(signature.leaves)
    try:
        return call(df.__wrapped__, values, signature.keywords)
    except Exception as error:
        return error


class _State:
    """What a call may change: generators, and the arrays that it writes to."""

    def __init__(self, variant: Variant, signature: Signature, values: list[Any]) -> None:
        traced = [v for v, t in zip(signature.leaves, signature.traced, strict=True) if t]
        self.inputs = [*traced, *values[len(signature.values) :]]
        known = dict(zip(variant.tree.inputs, self.inputs, strict=True))
        self._arrays: list[Any] = []
        self._generators: list[Any] = []
        for node in variant.tree.every_node():
            if node.op is COMMIT:
                self._arrays.append(known[node.inputs[0]])
            elif is_draw(node):
                source = node.inputs[0]
                generator = known.get(source) if type(source) is Node else np.random
                if generator is not None and generator not in self._generators:
                    self._generators.append(generator)
        self._before = self.now()

    def now(self) -> list[Any]:
        """Copy what is held now."""
        return [read_state(g) for g in self._generators] + [a.copy() for a in self._arrays]

    def set_back(self, to: list[Any] | None = None) -> None:
        """Restore what was held, at the beginning of the call if nothing else is given."""
        held = iter(self._before if to is None else to)
        for generator in self._generators:
            write_state(generator, next(held))
        for array in self._arrays:
            array[...] = next(held)


def _is_number(leaf: Any) -> bool:
    """Tell whether a leaf is an array, or a number that may be rounded."""
    return hasattr(leaf, "dtype") or isinstance(leaf, (float, complex))


def _scale(values: Any) -> float:
    """The largest finite number among all leaves: what rounding errors are measured by."""
    arrays = map(np.asarray, filter(_is_number, list_leaves(values)))
    sizes = (np.abs(a[np.isfinite(a)]) for a in arrays if a.dtype.kind in "fc")
    return max((float(np.max(s, initial=0.0)) for s in sizes), default=0.0)


def _close(actual: Any, expected: Any, scale: float) -> bool:
    """Tell whether two results agree up to rounding."""
    left: list[Any] = []
    right: list[Any] = []
    if flatten(actual, left) != flatten(expected, right):
        return False
    return all(_leaf_close(a, b, scale) for a, b in zip(left, right, strict=True))


def _leaf_close(a: Any, b: Any, scale: float) -> bool:
    if not _is_number(a):
        return bool(a == b)
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return False
    tolerance = float(np.finfo(a.dtype).eps) ** 0.5
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(a[finite] - b[finite]) <= tolerance * scale))
