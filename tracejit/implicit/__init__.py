"""Implicit functions: solutions of equations, with gradients by the implicit function theorem.

An equation and a starting point enter, nested structures of numbers and arrays; the solution
leaves, in the structure of the starting point. Its gradient depends on the solution alone, not on
how it was found. Everything that the equation reads has its gradient, and is read at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dag.op import BY_NAME
from ..errors import ConfigError, ParameterTypeError, ShapeError
from ..operators.recall import Argnum, Body, program_of
from ..ops.conversions import cast, kind_of
from ..packing import Part, layout_of, packed, unpacked
from ..program import plain_constant
from ..trace import Recorder
from ..trace.recorder import active_recorder, aside
from ..trace.source import user_site
from ..tree import flatten, list_leaves, open_container, path_text, unflatten
from .equations import Equation, FixedPoint, Limits, Root, located, solved

_METHODS = (
    "hybr", "lm", "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden",
    "excitingmixing", "krylov", "df-sane",
)  # fmt: skip
_KINDS = {"fixed_point": FixedPoint, "root": Root}


def fixed_point(
    f: Callable[..., Any], x0: Any, *args: Any, rtol: float | None = None,
    atol: float | None = None, maxiter: int = 1000, optimize: bool = True, backend: str = "auto",
) -> Any:  # fmt: skip
    """Solve x = f(x, *args) by iterating x <- f(x, *args).

    >>> fixed_point(lambda x, a: np.cos(a * x), 1.0, 1.0)   # 0.7390851332151607
    >>> def equilibrium(W, U, b):                           # a layer of no fixed depth
    ...     return fixed_point(lambda x: np.tanh(W @ x + U @ b), np.zeros(len(W)))
    >>> grad(lambda W: np.sum(equilibrium(W, U, b)))(W)

    The gradient is that of the solution, by the implicit function theorem (Krantz & Parks, "The
    Implicit Function Theorem"); the iterations are not recorded, and none of them is kept. It is
    by the arguments and by all that f reads; by x0 it is zero. With J = df/dx it takes the solution
    of w = g + J'w: of up to 64 unknowns by the whole of J, of more by iterating this equation,
    which needs about as many iterations as x did, and one vjp of f for each (as in Bai, Kolter &
    Koltun 2019, "Deep Equilibrium Models"). Derivatives of any order are had in this way.

    Args:
        f: `f(x, *args)` returns what x is: the same structure, shapes and dtypes. It is recorded
            once; a branch on x has to go the same way in all iterations (np.where is no branch).
        x0: where to begin: real numbers and arrays, in nested structures. Integers become floats.
        args: what f takes besides, by position; keyword arguments are not handed on: write
            `lambda x, a: f(x, key=a)`.
        rtol, atol: it has settled where nothing changes by more than atol + rtol * max|x|, where
            max|x| is of each number and array in x by itself. Where left out, they are eps ** 0.75
            and 64 * eps (1.8e-12 and 1.4e-14 in double precision; no more than the former), eps
            being that of the least precise number in x; the latter times the largest of all numbers
            in x and x0, where that is below 1. The error of the solution may be larger by
            1 / (1 - L), L being the factor by which an iteration comes nearer.
        maxiter: how often f may be called for it.
        optimize, backend: as in jit_grad, where this is not called in a traced function.

    Returns:
        The solution, with the structure, shapes and dtypes of x0.

    Raises:
        ConvergenceError: it has not settled after maxiter iterations; in a gradient, the iteration
            for that has not, or the solution has no derivative.
        ShapeError, ParameterTypeError: f does not return what x is.
        UnsupportedError: f branches on x in different ways, draws random numbers, or writes to
            arrays from outside.
    """
    return _call("fixed_point", f, x0, args, (rtol, atol, maxiter, ""), optimize, backend)


def root(
    f: Callable[..., Any], x0: Any, *args: Any, method: str = "hybr", rtol: float | None = None,
    atol: float | None = None, optimize: bool = True, backend: str = "auto",
) -> Any:  # fmt: skip
    """Solve f(x, *args) = 0, as many equations as unknowns.

    >>> root(lambda x, a: x**2 - a, 1.0, 2.0)               # 1.4142135623730951
    >>> grad(lambda a: root(lambda x: x**2 - a, 1.0))(2.0)  # 0.5 / np.sqrt(2.0)
    >>> def ridge(rate):                                    # the minimum of another loss
    ...     return root(grad(lambda w: np.sum((X @ w - y) ** 2) + rate * np.sum(w**2)), w0)

    SciPy's solver comes near, with the Jacobian of f where its method takes one, and Newton's
    method goes on until its step is small: only then there is an answer. The gradient is that of
    the solution, by the implicit function theorem (Krantz & Parks, "The Implicit Function Theorem";
    Griewank & Walther 2008, "Evaluating Derivatives", chapter 15); it takes the whole Jacobian at
    the solution, and its linear equations. It is by the arguments and by all that f reads; by x0
    it is zero. Derivatives of any order are had in this way. Needs SciPy.

    Args:
        f: `f(x, *args)` returns real numbers and arrays in any structure, in all as many numbers
            as there are in x. It is recorded once; a branch on x has to go the same way wherever
            the solver looks (np.where is no branch).
        x0: where to begin: real numbers and arrays, in nested structures. Integers become floats.
        args: what f takes besides, by position; keyword arguments are not handed on: write
            `lambda x, a: f(x, key=a)`.
        method: one of scipy.optimize.root's.
        rtol, atol: it is solved where a step of Newton's method changes nothing by more than
            atol + rtol * max|x|; in detail as in fixed_point.
        optimize, backend: as in jit_grad, where this is not called in a traced function.

    Returns:
        The solution, with the structure, shapes and dtypes of x0.

    Raises:
        ConvergenceError: no solution was found; in a gradient, the Jacobian is singular there.
        ShapeError, ParameterTypeError: f returns too few or too many numbers, or other things.
        UnsupportedError: f branches on x in different ways, draws random numbers, or writes to
            arrays from outside.
    """
    if method not in _METHODS:
        raise ConfigError(f"method={method!r} is not allowed; use one of {', '.join(_METHODS)}")
    return _call("root", f, x0, args, (rtol, atol, 1, method), optimize, backend)


Settings = tuple[Any, Any, Any, str]  # rtol, atol, maxiter, method


def _call(
    name: str, f: Callable[..., Any], x0: Any, args: tuple[Any, ...], settings: Settings,
    optimize: bool, backend: str,
) -> Any:  # fmt: skip
    """Record it, as part of what is under way or as a program of its own."""
    if not callable(f):
        raise TypeError(f"{name}() takes a function, not a {type(f).__name__}")
    recorder = active_recorder()
    if recorder is not None and recorder.open:
        return _solution(recorder, name, f, x0, args, settings)
    with aside():
        return program_of(_solving, f, 0, optimize, backend, name, settings)(x0, *args)


def _solving(
    f: Callable[..., Any], argnum: Argnum, optimize: bool, backend: str, name: str,
    settings: Settings,
) -> Body:  # fmt: skip
    return lambda recorder, x0, *args: _solution(recorder, name, f, x0, args, settings)


def _solution(
    recorder: Recorder, name: str, f: Callable[..., Any], x0: Any, args: tuple[Any, ...],
    settings: Settings,
) -> Any:  # fmt: skip
    unknown = _Unknown(name, x0)
    kind: Callable[..., Equation] = _KINDS[name]
    rtol, atol, maxiter = (plain_constant(recorder, value) for value in settings[:3])
    f = recorder.world.inner(f)

    def mapped(vector: Any) -> Any:
        result = f(unknown.built(vector), *args)
        return unknown.vector(unknown.alike(result) if kind is FixedPoint else list_leaves(result))

    limits = unknown.limits(rtol, atol, maxiter)
    start = unknown.start
    with located(user_site()):
        return unknown.built(solved(recorder, kind, mapped, start, limits, settings[3], name))


class _Unknown:
    """What is sought: structure, layout and starting point, as one vector of the widest dtype."""

    def __init__(self, name: str, x0: Any) -> None:
        leaves: list[Any] = []
        self.name = name
        self.tree = flatten(x0, leaves)
        self.paths = [path_text("x", path) for path in self.tree.paths()]
        floats = [_float(leaf, path) for leaf, path in zip(leaves, self.paths, strict=True)]
        self.layout = layout_of(floats)
        dtypes = [np.dtype(part.dtype) for part in self.layout] or [np.dtype(np.float64)]
        self.eps = max(float(np.finfo(dtype).eps) for dtype in dtypes)
        self.wide = np.result_type(*dtypes)
        self.size = sum(part.length for part in self.layout)
        self.start = packed(floats, self.wide)

    def limits(self, rtol: Any, atol: Any, maxiter: Any) -> Limits:
        """Check the options, and fill in what is left out."""
        scaled = atol is None
        rtol = self.eps**0.75 if rtol is None else rtol
        atol = min(64.0 * self.eps, self.eps**0.75) if atol is None else atol
        for name, value in (("rtol", rtol), ("atol", atol)):
            if not isinstance(value, (int, float, np.number)) or not 0.0 <= float(value) < np.inf:
                raise ConfigError(f"{name}={value!r} is not allowed; use a number of at least 0")
        if not isinstance(maxiter, (int, np.integer)) or maxiter < 1:
            raise ConfigError(f"maxiter={maxiter!r} is not allowed; use an integer of at least 1")
        lengths = [part.length for part in self.layout]
        starts = [sum(lengths[:n]) for n in range(len(lengths))]
        measured = [(s, name) for s, n, name in zip(starts, lengths, self.paths, strict=True) if n]
        starts_of, names = zip(*measured, strict=True) if measured else ((), ())
        return Limits(float(rtol), float(atol), int(maxiter), starts_of, names, scaled)

    def built(self, vector: Any) -> Any:
        """Put a vector into the structure."""
        return unflatten(self.tree, iter(unpacked(vector, self.layout)))

    def vector(self, leaves: Sequence[Any]) -> Any:
        """Make one vector of what f returned."""
        for leaf in leaves:
            if _kind(leaf) not in "iuf":
                raise ParameterTypeError(
                    f"the function given to {self.name}() returns {_said(leaf)}; it has to return "
                    "real numbers"
                )
        size = sum(int(np.size(leaf)) for leaf in leaves)
        if size != self.size:
            raise ShapeError(
                f"the function given to {self.name}() returns {size} numbers for {self.size} in x; "
                "there have to be as many equations as unknowns"
            )
        return packed(leaves, self.wide)

    def alike(self, result: Any) -> list[Any]:
        """List the leaves of what f returned, which has to be what x is."""
        leaves: list[Any] = []
        numbers = unflatten(self.tree, iter(range(len(self.layout))))
        self._collect(numbers, result, leaves)
        return leaves

    def _collect(self, like: Any, value: Any, leaves: list[Any]) -> None:
        wanted, opened = _entries(like), _entries(value)
        if wanted is None and opened is None:
            self._check(self.layout[like], self.paths[like], value)
            leaves.append(value)
        elif wanted is None or opened is None or type(like) is not type(value) or (
            wanted.keys() != opened.keys()
        ):
            raise ShapeError(
                f"the function given to {self.name}() returns {_shape_of(value)} where x has "
                f"{'a number or array' if wanted is None else _shape_of(like)}; it has to return "
                "what x is"
            )
        else:
            for key, child in wanted.items():
                self._collect(child, opened[key], leaves)

    def _check(self, part: Part, path: str, value: Any) -> None:
        """Refuse a leaf that is not what it is in x; numbers that convert exactly are fine."""
        if np.shape(value) != part.shape:
            raise ShapeError(
                f"the function given to {self.name}() returns the shape {np.shape(value)} for "
                f"{path}, whose shape is {part.shape}"
            )
        dtype = getattr(value, "dtype", None)
        if dtype is not None and dtype.kind in "iuf" and not np.can_cast(dtype, part.dtype, "safe"):
            raise ParameterTypeError(
                f"the function given to {self.name}() returns {dtype} for {path}, which is "
                f"{np.dtype(part.dtype)}; begin with that dtype: x0.astype({dtype.name!r}), or "
                "convert what f returns"
            )


def _kind(leaf: Any) -> str:
    """The kind of a number's or array's dtype; "O" for anything else."""
    if isinstance(leaf, (bool, int, float, complex, np.generic, np.ndarray)):
        return kind_of(leaf)
    return kind_of(leaf) if hasattr(leaf, "dtype") else "O"


def _said(leaf: Any) -> str:
    return f"{np.result_type(leaf)} numbers" if _kind(leaf) != "O" else f"a {type(leaf).__name__}"


def _float(leaf: Any, path: str) -> Any:
    """Make a float of an integer; refuse what is no real number."""
    kind = _kind(leaf)
    if kind not in "iuf":
        raise ParameterTypeError(
            f"{path} begins with {_said(leaf)}; an equation is solved for real numbers and arrays "
            "of them (of a complex number for its real and imaginary parts)"
        )
    if kind == "f":
        return leaf
    if isinstance(leaf, np.ndarray):
        return cast(leaf, np.float64)
    return BY_NAME["convert"](leaf, cls=float if leaf.__class__ is int else np.float64)


def _entries(value: Any) -> dict[Any, Any] | None:
    """The entries of a container by key; None: it is none."""
    opened = open_container(value)
    return None if opened is None else dict(zip(opened[0], opened[1], strict=True))


def _shape_of(value: Any) -> str:
    """Name a container with its keys, or anything else."""
    entries = _entries(value)
    if entries is None:
        return f"a {type(value).__name__}"
    return f"a {type(value).__name__} with {', '.join(map(repr, entries))}"
