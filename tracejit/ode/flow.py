"""Solving dy/dt = f(y, t, theta, *others) with SciPy's odeint, and the gradient by the adjoint.

One vector enters, of initial state, times and differentiated inputs, with the inputs that have no
gradient; the states at the times leave. The gradient integrates state, adjoint and the sums for the
inputs backwards from each time to the one before (Chen et al. 2018, "Neural Ordinary Differential
Equations"), starting anew from the stored states. Its own gradient is that of the recorded steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import scipy.integrate

from ..api import jit_grad
from ..dag.op import BY_NAME, Op, is_traced
from ..trace.recorder import aside

_titles: Counter[str] = Counter()
_ONLY_FORWARD = ("h0", "tcrit", "ml", "mu")  # of this system, and this direction of time


class Flow:
    """A system of equations with everything that is derived from it.

    function: of state, time, theta and others; gives the rates. smooth: the same in double
    precision, for gradients. size: of the state; width: of theta. bounded: the rates are never
    asked for at times beyond the last, where they need not exist. backend: what compiles them.
    op: the solution: (packed, *others) -> states, one row a time; packed is the state, `count`
    times and theta. gradient_op: its gradient by packed: (given, *others), where `given` is the
    cotangent, the states and packed, one after the other.
    """

    def __init__(
        self, function: Callable[..., Any], smooth: Callable[..., Any], size: int, width: int,
        options: dict[str, Any], title: str, backend: str, bounded: bool = False,
    ) -> None:  # fmt: skip
        self.backend = backend
        self.bounded = bounded
        self.smooth = smooth
        self.size = size
        self.width = width
        self.options = options
        _titles[title] += 1
        number = f"_{_titles[title]}" if _titles[title] > 1 else ""
        self.title = title + number
        self.op = Op(f"odeint_{self.title}", _Solution(self), vjp=self._rule, variadic=True)
        self.gradient_op = Op(
            f"adjoint_{self.title}", _Gradient(self), vjp=self._second_rule, variadic=True
        )
        self._rates = jit_grad(function, withGradients=False, backend=backend, audit=False)
        self._second: dict[int, Any] = {}

    def solve(self, state: Any, times: Any, theta: Any, others: tuple[Any, ...]) -> Any:
        """The states at the times, of which the first is the given one."""
        packed = np.concatenate([state, times, theta])
        return self.op(packed, *others, count=times.shape[0])

    def integrate(self, packed: Any, others: tuple[Any, ...], count: int) -> Any:
        """Solve, on plain values."""
        state, times, theta = self._parts(packed, count)
        options = {**self.options, "tcrit": times[-1:]} if self.bounded else self.options
        with aside():
            return scipy.integrate.odeint(
                lambda y, t: self._rates(y, t, theta, *others), state, times, **options
            )

    def _parts(self, packed: Any, count: int) -> tuple[Any, Any, Any]:
        n = self.size
        return packed[:n], packed[n : n + count], packed[n + count :]

    # -- the gradient ------------------------------------------------------------------------

    @cached_property
    def adjoint(self) -> Flow:
        """The system of state, adjoint and the sums for theta."""
        n, function = self.size, self.smooth

        def rates(pair: Any, t: Any, *others: Any) -> Any:
            return function(pair[0], t, pair[1], *others)

        back = jit_grad(rates, partialGrad=True)

        def adjoint_rates(state: Any, t: Any, theta: Any, *others: Any) -> Any:
            (by_state, by_theta), rate = back((state[:n], theta), t, *others, state[n : 2 * n])
            return np.concatenate([rate, -by_state, -by_theta])

        options = {k: v for k, v in self.options.items() if k not in _ONLY_FORWARD}
        for name in ("rtol", "atol"):
            if options.get(name) is not None:
                options[name] = float(np.min(options[name]))
        size = 2 * n + self.width
        title = f"back_{self.title}"
        return Flow(
            adjoint_rates, adjoint_rates, size, self.width, options, title, self.backend, True
        )

    def gradient(self, given: Any, *others: Any, count: int) -> Any:
        """The cotangent of packed, of the same layout."""
        n = self.size
        g, states = (given[i * n * count : (i + 1) * n * count] for i in (0, 1))
        g, states = np.reshape(g, (count, n)), np.reshape(states, (count, n))
        _, times, theta = self._parts(given[2 * n * count :], count)
        back, sums = g[-1], np.zeros(theta.shape)
        by_times: list[Any] = []
        for row in range(count - 1, 0, -1):
            by_times.append(self._along(g[row], states[row], times[row], theta, others))
            begin = np.concatenate([states[row], back, sums])
            end = self.adjoint.solve(begin, times[row - 1 : row + 1][::-1], theta, others)[-1]
            back, sums = end[n : 2 * n], end[2 * n :]
            if row == 1:
                by_times.append(-self._along(back, states[0], times[0], theta, others))
            back = back + g[row - 1]
        by_times = by_times[::-1] or [np.zeros(1)]
        return np.concatenate([back, *by_times, sums])

    def _along(self, g: Any, state: Any, time: Any, theta: Any, others: tuple[Any, ...]) -> Any:
        """How a cotangent sees the state move with time."""
        time = BY_NAME["convert"](time, cls=float)
        return np.reshape(np.sum(g * self.smooth(state, time, theta, *others)), (1,))

    def _rule(self, g: Any, out: Any, position: int, values: Any, count: int) -> Any:
        if position:  # what is not packed needs no gradient
            return None
        packed, *others = values
        given = np.concatenate([np.reshape(g, -1), np.reshape(out, -1), packed])
        return self.gradient_op(given, *others, count=count)

    def _second_rule(self, g: Any, out: Any, position: int, values: Any, count: int) -> Any:
        if position:
            return None
        if count not in self._second:

            def gradient(given: Any, *others: Any) -> Any:
                return self.gradient(given, *others, count=count)

            self._second[count] = jit_grad(gradient, partialGrad=True, withForward=False)
        if is_traced(g) or any(map(is_traced, values)):
            return self._second[count](*values, g)
        with aside():
            return self._second[count](*values, g)


class _Solution:
    """What the op of a flow calls."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def __call__(self, packed: Any, *others: Any, count: int) -> Any:
        return self.flow.integrate(packed, others, count)


class _Gradient(_Solution):
    """What the op of a flow's gradient calls."""

    def __call__(self, given: Any, *others: Any, count: int) -> Any:
        with aside():
            return self.flow.gradient(given, *others, count=count)
