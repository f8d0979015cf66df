"""scipy.integrate.odeint with a gradient, by initial state, times, arguments and captured values.

The function that gives the rates is recorded once, as a program of its own (program.py); what
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
from ..dag.op import BY_NAME, composite, exact, is_traced
from ..ops.conversions import cast, is_complex, kind_of
from ..trace import Recorder, dispatch
from ..trace.creators import CREATORS
from ..trace.recorder import active_recorder
from . import quadrature
from .flow import Flow
from .program import Program, record_program

__all__ = ["odeint", "quadrature"]

Layout = tuple[tuple[type, tuple[int, ...], str], ...]  # type, shape and dtype of each part


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
        return func(time, y, *given) if tfirst else func(y, time, *given)

    program, inputs = record_program(recorder, rates, state, times[:1])
    active = [v.current().level == ACTIVE and kind_of(v) in "fc" for v in inputs]
    theta = [v for v, is_active in zip(inputs, active, strict=True) if is_active]
    others = tuple(v for v, is_active in zip(inputs, active, strict=True) if not is_active)
    layout: Layout = tuple((_class(v), np.shape(v), np.result_type(v).str) for v in theta)
    title = str(getattr(func, "__name__", ""))
    title = title if title.isidentifier() else "rates"
    size = np.size(state)
    flow = _flow(program, tuple(active), layout, size, options, title, recorder.backend)
    return flow.solve(state, times, _packed(theta), others)


def _options(recorder: Recorder, **options: Any) -> tuple[tuple[str, Any], ...]:
    """Keep the options that are given, as what can be compared; they hold for one path."""
    plain: dict[str, Any] = {}
    for name, value in options.items():
        if is_traced(value):
            node = value.current()
            recorder.guard(node, "value", exact(node.value))
            value = node.value
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


def _class(value: Any) -> type:
    cls: type = value.__class__
    return cls


@lru_cache(maxsize=256)
def _flow(
    program: Program, active: tuple[bool, ...], layout: Layout, size: int,
    options: tuple[tuple[str, Any], ...], title: str, backend: str,
) -> Flow:  # fmt: skip
    """Make the system of a program; equal programs share one."""

    def rates_of(layout: Layout) -> Callable[..., Any]:
        def rates(y: Any, t: Any, theta: Any, *others: Any) -> Any:
            parts, rest = iter(_unpacked(theta, layout)), iter(others)
            values = (next(parts) if is_active else next(rest) for is_active in active)
            return program(y, t, *values)

        return rates

    width = sum(_length(shape, dtype) for _, shape, dtype in layout)
    # Cotangents of single precision would be noise for the steps of the solver.
    double = tuple(_in_double(*part) for part in layout)
    return Flow(rates_of(layout), rates_of(double), size, width, dict(options), title, backend)


def _in_double(cls: type, shape: tuple[int, ...], dtype: str) -> tuple[type, tuple[int, ...], str]:
    wide = np.result_type(dtype, np.float64)
    return (wide.type if issubclass(cls, np.generic) else cls), shape, wide.str


# -- what is differentiated, as one vector -------------------------------------------------------


def _length(shape: tuple[int, ...], dtype: str) -> int:
    return int(np.prod(shape, dtype=np.int64)) * (2 if np.dtype(dtype).kind == "c" else 1)


def _packed(values: list[Any]) -> Any:
    """Join real numbers of double precision; complex ones are two."""
    parts = []
    for value in values:
        flat = np.reshape(value, -1)
        for part in (np.real(flat), np.imag(flat)) if is_complex(value) else (flat,):
            parts.append(cast(part, np.float64))
    return np.concatenate(parts) if parts else np.zeros(0)


def _unpacked(theta: Any, layout: Layout) -> list[Any]:
    """Take the vector apart again, each part of the type that it had."""
    parts: list[Any] = []
    start = 0
    for cls, shape, dtype in layout:
        length = _length(shape, dtype)
        stop, start = start + length, start + length
        if cls is not np.ndarray:
            part = theta[stop - length]
            if np.dtype(dtype).kind == "c":
                part = part + 1j * theta[stop - 1]
            parts.append(part if cls is np.float64 else BY_NAME["convert"](part, cls=cls))
            continue
        part = theta[stop - length : stop]
        if np.dtype(dtype).kind == "c":
            part = part[: length // 2] + 1j * part[length // 2 :]
        part = np.reshape(part, shape)
        parts.append(cast(part, dtype))
    return parts
