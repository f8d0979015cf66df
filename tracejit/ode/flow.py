"""Solving dy/dt = f(y, t, theta, *others) with SciPy's odeint, and the gradient by the adjoint.

One vector enters, of initial state, times and differentiated inputs, with the inputs that have no
gradient; the states at the times leave. The gradient integrates state, adjoint and the sums for the
inputs backwards from each time to the one before (Chen et al. 2018, "Neural Ordinary Differential
Equations"), starting anew from the stored states, and from more of them where the way back is
unstable. Its own gradient is that of the recorded steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import scipy.integrate

from ..api import jit_grad
from ..dag.op import BY_NAME, Op, is_traced
from ..errors import UnsupportedError
from ..program import numbered
from ..trace.recorder import aside

_TOLERANCE = 1.49012e-8  # of SciPy, relative and absolute
_SLACK = 100.0  # by how many tolerances a state may be missed on the way back
_HALVINGS = 12  # of the time between two states, at most
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
        self.title = numbered(title)
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

        def solve(**options: Any) -> Any:
            with aside():
                return scipy.integrate.odeint(
                    lambda y, t: self._rates(y, t, theta, *others), state, times, **options
                )

        if not self.bounded:
            return solve(**self.options)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", scipy.integrate.ODEintWarning)
            try:
                return solve(**self.options, tcrit=times[-1:])
            except scipy.integrate.ODEintWarning:  # tried again in parts
                return np.full((count, state.size), np.nan)

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
            interval = times[row - 1 : row + 1]
            back, sums = self._back(back, sums, states[row - 1 : row + 1], interval, theta, others)
            if row == 1:
                by_times.append(-self._along(back, states[0], times[0], theta, others))
            back = back + g[row - 1]
        by_times = by_times[::-1] or [np.zeros(1)]
        return np.concatenate([back, *by_times, sums])

    def _back(
        self, back: Any, sums: Any, states: Any, times: Any, theta: Any, others: tuple[Any, ...],
        halvings: int = 0,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Take adjoint and sums from the end of an interval to its beginning.

        The state comes along, and where a solution is stable forwards it is not backwards: if it
        misses the stored one, the interval is halved, and both halves end at states known well.

        Raises:
            UnsupportedError: it is so unstable that no moderate number of parts would do.
        """
        n, begin = self.size, states[0]
        start = np.concatenate([states[1], back, sums])
        end = self.adjoint.solve(start, times[::-1], theta, others)[-1]
        if not np.any(np.isfinite(begin) & ~(np.abs(end[:n] - begin) <= self._miss(begin))):
            return end[n : 2 * n], end[2 * n :]
        if halvings == _HALVINGS:
            raise UnsupportedError(
                f"the gradient of odeint() follows the solution of {self.title} backwards, which "
                "is not possible here: the system is too stiff, or has long been at rest; solve "
                "over a shorter time"
            )
        middle = 0.5 * (times[:1] + times[1:])
        halves = [np.concatenate(pair) for pair in ((times[:1], middle), (middle, times[1:]))]
        known = np.concatenate([states[:1], self.solve(begin, halves[0], theta, others)[1:]])
        last = np.concatenate([known[1:], states[1:]])
        halvings += 1
        back, sums = self._back(back, sums, last, halves[1], theta, others, halvings)
        return self._back(back, sums, known, halves[0], theta, others, halvings)

    def _miss(self, state: Any) -> Any:
        """How far from a state its reconstruction may be."""
        rtol, atol = (self.options.get(name) for name in ("rtol", "atol"))
        rtol, atol = (_TOLERANCE if tol is None else np.asarray(tol) for tol in (rtol, atol))
        return _SLACK * (atol + rtol * np.max(np.abs(state)))

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
