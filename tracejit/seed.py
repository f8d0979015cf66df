"""Where a reverse sweep begins: the cotangent of the first output, checked against what is wanted.

A Run enters whose function has run; its first output's cotangent leaves: 1 for a loss, 1 for each
element, or the one that the caller has given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .dag.node import VARIES, Node, recorded_value
from .dag.op import INPUT
from .errors import NotScalarError, ParameterTypeError, ShapeError
from .outcome import Run
from .trace import Recorder, Tracer


def seed_of(recorder: Recorder, result: Run, upstream: Any, nested: bool) -> Any:
    """Check that the first output can be differentiated and give its cotangent."""
    container = result.output_trees[0].cls
    if container is not None:
        raise NotScalarError(
            f"the first output must be a real scalar; it is a {container.__name__}. Return a tuple "
            "whose first item is the loss: return loss, other"
        )
    first = result.outputs[0]
    value = recorded_value(first)
    kind = _number_dtype(value)
    wanted = result.wanted
    if kind.kind not in ("biufc" if wanted.partial or wanted.ones else "biuf"):
        what = f"{kind} numbers: take np.real or np.abs" if kind.kind == "c" else (
            f"a {type(value).__name__}"
        )
        raise NotScalarError(f"the first output must be a real scalar or array; it is {what}")
    shape = getattr(value, "shape", ())
    if wanted.ones:
        _check_elementwise(result, shape)
        return 1.0
    if not wanted.partial:
        if getattr(value, "size", 1) != 1:
            raise NotScalarError(
                f"the first output must be a scalar; its shape is {shape}. Sum it, or take "
                "jacobian(f), or vjp(f, ...) with a cotangent, which jit_grad takes as the last "
                "argument with partialGrad=True"
            )
        return 1.0
    given = _number_dtype(current(upstream))
    if given.kind not in ("iufc" if kind.kind == "c" else "iuf"):
        raise ParameterTypeError(f"the last argument must be real numbers; it is {given}")
    upstream_shape = getattr(upstream, "shape", ())
    if upstream_shape != shape:
        raise ShapeError(
            f"the last argument must have the shape of the first output, {shape}; its shape is "
            f"{upstream_shape}"
        )
    seed = upstream
    if not nested:
        node = Node(INPUT, (), {}, upstream, None, VARIES)
        result.inputs.append(node)
        seed = Tracer(node, recorder) if recorder.for_compiling else upstream
    if not hasattr(upstream, "dtype") or not hasattr(value, "dtype") or given == kind:
        return seed
    return seed.astype(kind) if kind.kind in "fc" else seed


def _check_elementwise(result: Run, shape: tuple[int, ...]) -> None:
    """Refuse derivatives by one argument that would be sums over elements of the output."""
    signature = result.signature
    for number in result.wanted.argnums:
        if signature.trees[number].cls is not None:
            continue
        position = sum(tree.leaves for tree in signature.trees[:number])
        given = getattr(current(signature.leaves[position]), "shape", ())
        if given != shape and shape:
            raise ShapeError(
                f"elementwise_grad() is of functions whose output has the shape of what it is by: "
                f"{signature.leaf_name(position)} has the shape {given}, the output {shape}; take "
                "jacobian(f), or deriv(f) by a number"
            )


def _number_dtype(value: Any) -> np.dtype[Any]:
    """The dtype of an array or number; object for anything else."""
    number = type(value) if type(value) in (bool, int, float, complex) else object
    dtype: np.dtype[Any] = getattr(value, "dtype", None) or np.dtype(number)
    return dtype


def current(value: Any) -> Any:
    return value.node.value if type(value) is Tracer else value
