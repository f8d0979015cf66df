"""scipy.integrate.odeint with a gradient, by initial state, times, arguments and captured values.

The function that gives the rates is recorded once, as a program of its own (../program.py); what
solves and differentiates it is one op (flow.py). Everything that the function reads is an input of
that op, so compiled code solves with the values of each call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.integrate

from ..dag.node import ACTIVE
from ..dag.op import BY_NAME, composite
from ..ops.conversions import cast, is_complex, kind_of
from ..packing import Layout, Part, layout_of, packed, unpacked
from ..program import Program, plain_constant, record_program, title_of
from ..trace import Recorder, dispatch
from ..trace.creators import CREATORS
from ..trace.recorder import active_recorder
from . import quadrature
from .flow import Flow

__all__ = ["odeint", "quadrature"]

@composite(scipy.integrate.odeint)
def odeint(
    func: Callable[..., Any], y0: Any, t: Any, args: Any = (), Dfun: Any = None,
    col_deriv: Any = 0, full_output: Any = 0, ml: Any = None, mu: Any = None,
    rtol: Any = None, atol: Any = None, tcrit: Any = None, h0: float = 0.0, hmax: float = 0.0,
    hmin: float = 0.0, ixpr: int = 0, mxstep: int = 0, mxhnil: int = 0, mxordn: int = 12,
    mxords: int = 5, printmessg: int = 0, tfirst: bool = False,
) -> Any:  # fmt: skip
    """Solve dy/dt = func(y, t, *args); see SciPy. Dfun is not needed, and not called.

    Raises:
        UnsupportedError: func branches on its state or time in different ways, draws random
            numbers, or writes to arrays from outside; full_output is asked for; the system is too
            stiff for its gradient.
    """
    if full_output:
        raise dispatch.unsupported(scipy.integrate.odeint, "(..., full_output=)")
    recorder = active_recorder()
    assert recorder is not None
    options = _options(
        recorder, rtol=rtol, atol=atol, tcrit=tcrit, h0=h0, hmax=hmax, hmin=hmin, mxstep=mxstep,
        ixpr=ixpr, mxhnil=mxhnil, mxordn=mxordn, mxords=mxords, printmessg=printmessg, ml=ml,
        mu=mu,
    )  # fmt: skip
    state, times = _vector(y0), _vector(t)
    if np.ndim(y0) > 1:
        raise ValueError("Initial condition y0 must be one-dimensional.")
    given = args if isinstance(args, tuple) else (args,)

    def rates(y: Any, time: Any) -> Any:
        return _as_vector(func(time, y, *given) if tfirst else func(y, time, *given), np.size(y))

    y = recorder.record(BY_NAME["copy"], (state,), {})
    first = recorder.record(BY_NAME["copy"], (times[:1],), {})
    first = BY_NAME["convert"](first, cls=float)
    program, inputs = record_program(recorder, rates, (y, first), "odeint")
    active = [v.current().level == ACTIVE and kind_of(v) in "fc" for v in inputs]
    theta = [v for v, is_active in zip(inputs, active, strict=True) if is_active]
    others = tuple(v for v, is_active in zip(inputs, active, strict=True) if not is_active)
    layout = layout_of(theta)
    title = title_of(func, "rates")
    size = np.size(state)
    flow = _flow(program, tuple(active), layout, size, options, title, recorder.backend)
    return flow.solve(state, times, packed(theta, np.float64), others)


def _options(recorder: Recorder, **options: Any) -> tuple[tuple[str, Any], ...]:
    """Keep the options that are given, as what can be compared; they hold for one path."""
    plain: dict[str, Any] = {}
    for name, value in options.items():
        value = plain_constant(recorder, value)
        if value is not None:
            plain[name] = tuple(value) if np.ndim(value) else value
    return tuple(plain.items())


def _vector(value: Any) -> Any:
    """Make a vector of double precision of what odeint takes for one."""
    if not isinstance(value, np.ndarray):
        value = CREATORS[np.array](value)
    if is_complex(value):
        raise dispatch.unsupported(scipy.integrate.odeint, " of a complex state")
    flat = np.reshape(value, -1)
    return cast(flat, np.float64)


def _as_vector(result: Any, size: int) -> Any:
    """Make of what the function returned the array that odeint makes of it."""
    if not isinstance(result, np.ndarray) or np.result_type(result) != np.float64:
        result = CREATORS[np.array](result, dtype=float)
    flat = np.ndim(result) == 0 and size == 1
    return np.reshape(result, (1,)) if flat else result


@lru_cache(maxsize=256)
def _flow(
    program: Program, active: tuple[bool, ...], layout: Layout, size: int,
    options: tuple[tuple[str, Any], ...], title: str, backend: str,
) -> Flow:  # fmt: skip
    """Make the system of a program; equal programs share one."""

    def rates_of(layout: Layout) -> Callable[..., Any]:
        def rates(y: Any, t: Any, theta: Any, *others: Any) -> Any:
            parts, rest = iter(unpacked(theta, layout)), iter(others)
            values = (next(parts) if is_active else next(rest) for is_active in active)
            return program(y, t, *values)

        return rates

    width = sum(part.length for part in layout)
    # Cotangents of single precision would be noise for the steps of the solver.
    double = tuple(_in_double(part) for part in layout)
    return Flow(rates_of(layout), rates_of(double), size, width, dict(options), title, backend)


def _in_double(part: Part) -> Part:
    wide = np.result_type(part.dtype, np.float64)
    cls = wide.type if issubclass(part.cls, np.generic) else part.cls
    return Part(cls, part.shape, wide.str)
