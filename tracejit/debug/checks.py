"""Checked runs: where did the first NaN or Inf come from?

A checked call records f and its gradients without any optimisation, and looks at every value in
program order, forward and backward. Where a NaN or Inf appears although all inputs were finite,
the hook is called with a debugger, a message and the code; without a hook that is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..cache import Signature
from ..codegen.emit import emit
from ..codegen.targets import find
from ..dag.node import Node, location, recorded_value
from ..errors import Abandoned, NonFiniteError
from ..joint import check_parameters, run
from ..outcome import Form, Run, Wanted, form_of, plain_results, seal
from ..trace import Recorder
from ..tree import Tree
from .debugger import Debugger, Generated

Hook = Callable[[Debugger, str, Generated], Any]


def run_checked(
    function: Callable[..., Any],
    name: str,
    signature: Signature,
    wanted: Wanted,
    upstream: Any,
    hook: Hook | None,
) -> Any:
    """Run a function with its gradients and report each first NaN or Inf; see the module."""
    check_parameters(signature, wanted)
    result = Run(signature, wanted)
    recorder = Recorder(for_compiling=True, keep_stacks=True)
    try:
        try:
            with recorder:
                run(recorder, function, signature, wanted, upstream, result=result)
        except Abandoned:
            result = Run(signature, wanted)
            recorder = Recorder(for_compiling=True, keep_stacks=True, real=True)
            with recorder:
                run(recorder, function, signature, wanted, upstream, result=result)
    except Exception:  # perhaps because of the NaN that is looked for
        _report(result, recorder, name, hook)
        raise
    answer = plain_results(result, recorder)
    _report(result, recorder, name, hook)
    return answer


def _report(result: Run, recorder: Recorder, name: str, hook: Hook | None) -> None:
    """Call the hook, or raise, for each node where a NaN or Inf appears."""
    nodes = recorder.nodes
    culprits = [node for node in nodes if _appears(node)]
    if not culprits:
        return
    forward = set(nodes[: result.split or len(nodes)])
    messages = [_message(node, node in forward) for node in culprits]
    if hook is None:
        raise NonFiniteError(messages[0])
    ranges = {node: value_range(node.value) for node in (*result.inputs, *nodes)}
    complete = bool(result.output_trees) and len(result.gradients) == result.parameters.leaves
    graph = seal(result, recorder, name, recorder.world.places.inputs)
    if complete or not result.wanted.gradients:
        form = form_of(result)
    else:  # the function raised: show what it did until then
        graph = replace(graph, outputs=(nodes[-1],), gradients=0)
        form = Form(Wanted(gradients=False), False, Tree(), (Tree(),))
    upstream = len(graph.inputs) > sum(result.signature.traced)
    emitted = emit(graph, result.signature, form, upstream, find("numpy"))
    for node, message in zip(culprits, messages, strict=True):
        generated = Generated(emitted.text, emitted.lines.get(node, 1))
        code = generated.source.splitlines()[generated.line - 1].strip()
        hook(Debugger(graph, ranges, node), f"{message}\ngenerated code: {code}", generated)


def is_finite(value: Any) -> bool:
    """Tell whether a number, an array, or several of them hold no NaN and no Inf."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "fc" or bool(np.isfinite(value).all())
    if isinstance(value, (float, complex, np.inexact)):
        return bool(np.isfinite(value))
    return not isinstance(value, tuple) or all(map(is_finite, value))


def _appears(node: Node) -> bool:
    """Tell whether a NaN or Inf is in a node's value but in none of its inputs."""
    return not is_finite(node.value) and all(
        is_finite(recorded_value(i)) for i in node.inputs
    )


def value_range(value: Any) -> str:
    """Write the smallest and largest finite element, and how many are not finite."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or not array.size:
        return ""
    finite = array[np.isfinite(array)]
    ends = f"min {finite.min():.4g} max {finite.max():.4g}" if finite.size else "no finite value"
    bad = array.size - finite.size
    return f"{ends}, {bad} of {array.size} nan or inf" if bad else ends


def _message(node: Node, forward: bool) -> str:
    phase = "at " if forward else "in the backward pass of "
    inputs = [
        f"  input {position}: {value_range(recorded_value(i))}"
        for position, i in enumerate(node.inputs)
    ]
    stack = [f"  {location(site)} in {site[0].co_name}" for site in node.stack]
    return "\n".join(
        [
            f"nan or inf appears in {node.op.name} {phase}{node.where}: {value_range(node.value)}",
            *inputs,
            "called from",
            *stack,
        ]
    )
