"""Equations of one vector, x = f(x) and f(x) = 0: the ops that solve and differentiate them.

A function enters as a recorded program of x and of everything else that it reads; the solution
leaves, as two ops. The first searches, on plain values, and has no gradient. The second stands for
the solution in the sweep: it gives the cotangents of all that f reads, by the implicit function
theorem (Griewank & Walther 2008, "Evaluating Derivatives", chapter 15). They are computed on traced
values, so they differentiate further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from ..api import jit_grad
from ..dag.node import ACTIVE, VARIES, Node, Site, location, recorded_value
from ..dag.op import BY_NAME, Op, is_traced
from ..dag.vjp import Lift
from ..errors import ConvergenceError, TracejitError
from ..operators import jacobian
from ..ops.conversions import cast, kind_of
from ..program import Program, numbered, record_program
from ..trace import Recorder
from ..trace.recorder import active_recorder, aside

DENSE = 64  # unknowns up to which a fixed point's gradient is made of its whole Jacobian
_STEPS = 50  # of Newton's method, behind a solver of SciPy
_BY_JACOBIAN = ("hybr", "lm")  # the methods of SciPy that take it


class Limits(NamedTuple):
    """When to stop: x changes by at most atol + rtol * max|x|, or after a number of iterations.

    starts, names: where in x the parts begin of which each is measured by itself, and their names.
    scaled: atol is for numbers of about 1; it is less where x and its start are smaller.
    """

    rtol: float
    atol: float
    maxiter: int
    starts: tuple[int, ...]
    names: tuple[str, ...]
    scaled: bool

    def holds(self, change: Any, x: Any, start: Any) -> bool:
        """Tell whether x has settled."""
        changes, allowed = self._largest(change), self._allowed(x, start)
        return bool(np.all(np.isfinite(changes) & (changes <= allowed)))

    def _allowed(self, x: Any, start: Any) -> Any:
        sizes, atol = self._largest(x), self.atol
        if self.scaled:
            atol *= min(1.0, np.max(sizes, initial=np.max(np.abs(start), initial=0.0)))
        return atol + self.rtol * sizes

    def _largest(self, values: Any) -> Any:
        return np.maximum.reduceat(np.abs(values), self.starts) if self.starts else np.zeros(0)

    def say(self, change: Any, x: Any, start: Any) -> str:
        """Say where it is furthest from having settled."""
        changes, sizes = (self._largest(values) for values in (change, x))
        allowed = self._allowed(x, start)
        worst = int(np.argmax(changes - allowed))
        return (
            f"changes {self.names[worst]} by {changes[worst]:.3g}, and its largest element is "
            f"{sizes[worst]:.3g} (a change of {allowed[worst]:.3g} is allowed)"
        )


class Equation:
    """An equation with everything that is derived from it.

    owner: the function that the user called, for messages. run: f as a function of x and the
    inputs. search: the solution by (start, *inputs). marker: x, of (x, *inputs), with a gradient.
    """

    def __init__(self, program: Program, limits: Limits, method: str, backend: str) -> None:
        def run(x: Any, *inputs: Any) -> Any:
            return program(x, *inputs)

        self.run = run
        self.owner = program.owner
        self.limits = limits
        self.method = method
        self.backend = backend
        named = self.owner.isidentifier()  # by the user; those of gradients may be left out
        title = numbered(self.owner.replace(" ", "_"))
        self.search = Op(f"solve_{title}", self._search, vjp=None, variadic=True, raises=named)
        self.marker = Op(
            title, lambda x, *_: x, variadic=True, views=True, marks=True, pull=self._pull
        )
        self.evaluate = self._compiled(run)
        self._gradients: dict[tuple[int, ...], Any] = {}

    def _compiled(self, function: Callable[..., Any]) -> Any:
        return jit_grad(function, withGradients=False, backend=self.backend, audit=False)

    def solve(self, start: Any, inputs: list[Any]) -> Any:
        """The solution."""
        x = self.search(start, *inputs)
        if is_traced(x):  # no gradient goes back into the search
            x.node.level = min(x.node.level, VARIES)
        return self.marker(x, *inputs)

    def _search(self, start: Any, *inputs: Any) -> Any:
        with aside():
            return self.find(start, inputs)

    def _pull(self, node: Node, g: Any, lift: Lift | None, *_: Any) -> Iterable[tuple[Node, Any]]:
        """Give the cotangents of the inputs for that of the solution."""
        sources = node.inputs[1:]
        active = tuple(n for n, i in enumerate(sources, 1) if _is_active(i))
        if not active:
            return ()
        with located(node.site):
            if lift is not None:
                found = self._gradient(active, g, lift(node), *map(lift, sources))
            else:
                values = [*map(recorded_value, sources)]
                if active not in self._gradients:
                    self._gradients[active] = self._compiled(partial(self._gradient, active))
                with aside():
                    found = self._gradients[active](g, node.value, *values)
        return zip((node.inputs[n] for n in active), found, strict=True)

    def _gradient(self, active: tuple[int, ...], g: Any, x: Any, *inputs: Any) -> tuple[Any, ...]:
        """The cotangents of some of the inputs."""
        pulled = jit_grad(self.run, partialGrad=True, withForward=False, argnum=active)
        return pulled(x, *inputs, self.adjoint(g, x, *inputs))  # type: ignore[no-any-return]

    def find(self, start: Any, inputs: tuple[Any, ...]) -> Any:
        """Solve, on plain values.

        Raises:
            ConvergenceError: no solution was found.
        """
        raise NotImplementedError

    def adjoint(self, g: Any, x: Any, *inputs: Any) -> Any:
        """The cotangent of f(x) for that of the solution x."""
        raise NotImplementedError


class FixedPoint(Equation):
    """x = f(x), by iteration.

    With J = df/dx the cotangent is w = g + J'w. Few unknowns: the whole of J is made, and I - J'
    solved. More: this is a fixed point, too, and attracts as well as that of f does (Christianson
    1994, "Reverse accumulation and attractive fixed points"); J itself is never made.
    """

    def find(self, start: Any, inputs: tuple[Any, ...]) -> Any:
        """Iterate."""
        x, limits = start, self.limits
        for number in range(1, limits.maxiter + 1):
            before, x = x, self.evaluate(x, *inputs)
            if limits.holds(x - before, x, start):
                return x
            if not np.all(np.isfinite(x)):
                raise ConvergenceError(
                    f"{self.owner} meets numbers that are not finite in iteration {number}; start "
                    f"nearer to the solution, or damp the iteration: 0.5 * (x + f(x)) for f(x)"
                )
        raise ConvergenceError(
            f"{self.owner} has not settled after {limits.maxiter} iterations: the last one still "
            f"{limits.say(x - before, x, start)}. Damp the iteration if it swings "
            "(0.5 * (x + f(x)) for f(x)), raise maxiter if it is slow, raise rtol or atol if that "
            "is near enough, or solve f(x) - x = 0 by root()"
        )

    def adjoint(self, g: Any, x: Any, *inputs: Any) -> Any:
        """Solve w = g + J'w."""
        size = int(np.size(x))
        if size <= DENSE:
            matrix = np.eye(size, dtype=np.result_type(x)) - jacobian(self.run)(x, *inputs)
            return _solution(matrix.T, g)
        pulled = jit_grad(self.run, partialGrad=True, withForward=False)
        limits = self.limits._replace(atol=0.0)  # it is linear: w is as small as g
        owner = f"the gradient of {self.owner}" if self.owner.isidentifier() else self.owner
        recorder = active_recorder()
        assert recorder is not None
        return solved(
            recorder, FixedPoint, lambda w: g + pulled(x, *inputs, w), g, limits, "", owner
        )


class Root(Equation):
    """f(x) = 0, by a solver of SciPy and then steps of Newton's method, until these are small.

    With J = df/dx the cotangent w solves -J'w = g.
    """

    def __init__(self, program: Program, limits: Limits, method: str, backend: str) -> None:
        super().__init__(program, limits, method, backend)
        slopes = jacobian(self.run)
        self._slopes = self._compiled(lambda x, *inputs: slopes(x, *inputs))

    def find(self, start: Any, inputs: tuple[Any, ...]) -> Any:
        """Let SciPy come near, and go on from there."""
        from scipy import optimize

        if not start.size:
            return start.copy()

        def in_double(function: Callable[..., Any]) -> Callable[[Any], Any]:
            return lambda x: function(x.astype(start.dtype), *inputs).astype(np.float64)

        with np.errstate(all="ignore"):
            if not np.all(np.isfinite(self.evaluate(start, *inputs))):
                raise ConvergenceError(
                    f"{self.owner} begins where f(x) is not finite; begin somewhere else"
                )
            try:
                found = optimize.root(
                    in_double(self.evaluate), start.astype(np.float64), method=self.method,
                    jac=in_double(self._slopes) if self.method in _BY_JACOBIAN else None,
                )  # fmt: skip
            except ValueError as error:
                if isinstance(error, TracejitError):
                    raise
                raise ConvergenceError(
                    f"{self.owner} has found no solution: in the method {self.method!r}, {error}. "
                    "Start nearer to a solution, or take another method="
                ) from error
            return self._refined(found.x.astype(start.dtype), start, inputs, str(found.message))

    def _refined(self, x: Any, start: Any, inputs: tuple[Any, ...], said: str) -> Any:
        """Go on by Newton's method until its step is small, which no other method's word is."""
        dtype, why = _solvable(x.dtype), "does not end"
        for _ in range(_STEPS):
            residual = self.evaluate(x, *inputs)
            if not np.any(residual):
                return x
            try:
                matrix, right = self._slopes(x, *inputs).astype(dtype), residual.astype(dtype)
                step = np.linalg.solve(matrix, right).astype(x.dtype)
            except np.linalg.LinAlgError:
                why = "meets a singular Jacobian"
                break
            x = x - step
            if self.limits.holds(step, x, start):
                return x
            if not np.all(np.isfinite(x)):
                why = "meets numbers that are not finite"
                break
            why = self.limits.say(step, x, start)
        else:
            if self._is_near(x, step, matrix, inputs):
                return x
        raise ConvergenceError(
            f"{self.owner} has found no solution: elements of f(x) are still up to "
            f"{np.max(np.abs(residual)):.3g}, and Newton's method {why}; the method "
            f"{self.method!r} says {' '.join(said.split())!r}. Start nearer to a solution, take "
            "another method=, or raise rtol or atol if that is near enough"
        )

    def _is_near(self, x: Any, step: Any, matrix: Any, inputs: tuple[Any, ...]) -> bool:
        """Tell whether rounding alone keeps a small step from getting smaller.

        So it is near a solution of 0 to which f adds numbers of about 1: f is then straight as far
        as atol, which it is not at that scale where it has a bend instead of a solution.
        """
        limits = self.limits._replace(scaled=False)
        reach = np.full(x.shape, limits.atol, matrix.dtype)
        moved = self.evaluate(x + reach.astype(x.dtype), *inputs) - self.evaluate(x, *inputs)
        bend = np.abs(moved - matrix @ reach)
        return limits.holds(step, x, x) and bool(np.all(bend <= 0.2 * (np.abs(matrix) @ reach)))

    def adjoint(self, g: Any, x: Any, *inputs: Any) -> Any:
        """Solve -J'w = g."""
        return _solution(-jacobian(self.run)(x, *inputs).T, g)


def _solution(matrix: Any, right: Any) -> Any:
    """Solve linear equations."""
    dtype = _solvable(np.result_type(matrix))
    return np.linalg.solve(_regular(cast(matrix, dtype)), cast(right, dtype))


def _solvable(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that NumPy solves equations of another dtype in."""
    return dtype if dtype.char in "fd" else np.dtype(np.float64)


def _check_regular(matrix: Any) -> Any:
    """Refuse a matrix with which no equations can be solved.

    Units of unknowns and equations are no matter: rows and columns are scaled before.
    """
    with np.errstate(all="ignore"):
        scaled = matrix / np.max(np.abs(matrix), axis=1, keepdims=True, initial=0.0)
        scaled = scaled / np.max(np.abs(scaled), axis=0, keepdims=True, initial=0.0)
        condition = float(np.linalg.cond(scaled, 1)) if matrix.size else 1.0
    if not condition * np.finfo(matrix.dtype).eps < 0.1:
        raise ConvergenceError(
            "the solution of an implicit equation has no derivative: the Jacobian there is "
            f"singular or not finite (its condition number is {condition:.2g}), as it is where "
            "solutions meet, branch off, or are not the only ones nearby; keep away from there, "
            "or add the equation that is missing"
        )
    return matrix


_regular = Op("regular", _check_regular, vjp=[lambda g, out, matrix: g], views=True, raises=True)


def _is_active(value: Any) -> bool:
    """Tell whether a gradient by an input is looked for."""
    return type(value) is Node and value.level == ACTIVE and kind_of(value.value) in "fc"


@lru_cache(maxsize=256)
def _equation(
    kind: Callable[..., Equation], program: Program, limits: Limits, method: str, backend: str
) -> Equation:
    """Make the equation of a program; equal programs share one."""
    return kind(program, limits, method, backend)


def solved(
    recorder: Recorder, kind: Callable[..., Equation], function: Callable[[Any], Any], start: Any,
    limits: Limits, method: str, owner: str,
) -> Any:  # fmt: skip
    """Solve an equation of a vector, recorded as part of what is under way.

    Args:
        function: f; what it reads besides its argument may be traced.
        start: where to begin; f returns a vector of its length and dtype.

    Raises:
        ConvergenceError: no solution was found.
    """
    x = recorder.record(BY_NAME["copy"], (start,), {})
    program, inputs = record_program(recorder, function, (x,), owner)
    equation = _equation(kind, program, limits, method, recorder.backend)
    return equation.solve(start, inputs)


@contextmanager
def located(site: Site | None) -> Iterator[None]:
    """Let an error of this module say where the user's code is."""
    try:
        yield
    except ConvergenceError as error:
        where = f" (at {location(site)})"
        raise ConvergenceError(str(error).removesuffix(where) + where) from error.__cause__
