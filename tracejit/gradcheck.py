"""Checking gradients against differences: for tests of functions and of rules of one's own.

A function and arguments enter; whether its derivatives are those of finite differences leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .errors import ConfigError, GradientCheckError
from .operators import jvp, vjp
from .tree import flatten, list_leaves, path_text, unflatten

MANY = 200  # elements of a leaf that are checked one by one


def gradcheck(
    f: Callable[..., Any], *args: Any, order: int = 2, modes: Sequence[str] = ("vjp", "jvp"),
    raise_on_error: bool = False, optimize: bool = True, seed: int = 0,
) -> bool:  # fmt: skip
    """Tell whether the derivatives of a function agree with central differences.

    Args:
        f: returns one real or complex array or number of any shape; smooth near the arguments.
        args: numbers and arrays, in nested structures; it is differentiated by all those that hold
            floats or complex numbers alone.
        order: up to which derivatives are checked; those of order 2 are differences of gradients.
        modes: "vjp" for reverse mode, "jvp" for forward mode.
        raise_on_error: raise an error that tells where and by how much it is off.
        optimize: check compiled code; False: direct mode.
        seed: of the directions; large arrays are checked at 200 elements.

    The step is the cube root of the precision of the least precise leaf; derivatives may differ by
    four times that, relative to the largest of them.

    Raises:
        GradientCheckError: with raise_on_error=True.
        ConfigError: an unknown mode or order, or nothing to differentiate by.
    """
    if not set(modes) <= {"vjp", "jvp"} or not modes or order not in (1, 2):
        raise ConfigError(f"modes={modes!r} of order={order!r}: use vjp and jvp, order 1 or 2")
    check = _Check(f, args, optimize, np.random.default_rng(seed))
    found = check.errors(modes)
    if order == 2:
        found.extend(f"second order, {error}" for error in check.gradients().errors(modes))
    if found and raise_on_error:
        raise GradientCheckError("\n".join(found))
    return not found


class _Check:
    """A function of the arguments that it can be differentiated by, and the point to check."""

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], optimize: bool, rng: np.random.Generator
    ) -> None:
        self.numbers = [i for i, arg in enumerate(args) if _is_differentiable(arg)]
        if not self.numbers:
            raise ConfigError("gradcheck() got no argument of floats or complex numbers")
        self.args, self.optimize, self.rng = list(args), optimize, rng
        self.point = tuple(args[i] for i in self.numbers)

        def of_point(*point: Any) -> Any:
            given = list(self.args)
            for number, value in zip(self.numbers, point, strict=True):
                given[number] = value
            return f(*given)

        self.f = of_point
        leaves: list[Any] = []
        self.tree = flatten(self.point, leaves)
        self.leaves = [np.asarray(leaf) for leaf in leaves]
        eps = max(np.finfo(leaf.dtype).eps for leaf in self.leaves)
        self.step = float(eps) ** (1 / 3)
        self.cotangent = self.direction(np.asarray(f(*args)))

    def direction(self, like: Any) -> Any:
        """Draw a direction of the shape and kind of an array: of numbers that are not small."""
        numbers = self.rng.uniform(0.5, 1.5, like.shape)
        if like.dtype.kind == "c":
            numbers = numbers + 1j * self.rng.uniform(0.5, 1.5, like.shape)
        return numbers.astype(like.dtype)[()]

    def gradients(self) -> _Check:
        """The check of the gradient itself, summed up with weights."""
        weights = [self.direction(leaf) for leaf in self.leaves]

        def weighted(*point: Any) -> Any:
            _, pull = vjp(self.f, *point, optimize=self.optimize)
            parts = list_leaves(pull(self.cotangent))
            return sum(np.sum(np.real(g * w)) for g, w in zip(parts, weights, strict=True))

        return _Check(weighted, self.point, self.optimize, self.rng)

    def errors(self, modes: Sequence[str]) -> list[str]:
        return [error for mode in modes for error in getattr(self, f"by_{mode}")()]

    def at(self, leaves: Sequence[Any]) -> Any:
        return np.asarray(self.f(*unflatten(self.tree, iter([_like(a, b) for a, b in leaves]))))

    def moved(self, steps: Sequence[Any]) -> Any:
        """The change of f, over the length of the step, when its leaves move by these steps."""
        ahead, behind = (
            self.at([(leaf + sign * step, leaf) for leaf, step in
                     zip(self.leaves, steps, strict=True)])
            for sign in (self.step, -self.step)
        )  # fmt: skip
        return (ahead - behind) / (2 * self.step)

    def by_vjp(self) -> Iterator[str]:
        """Compare reverse mode, element by element."""
        _, pull = vjp(self.f, *self.point, optimize=self.optimize)
        gradients = list_leaves(pull(self.cotangent))
        names = [
            path_text(f"args[{self.numbers[int(path[0])]}]", path[1:]) for path in self.tree.paths()
        ]
        scale = max(float(np.max(np.abs(g), initial=0.0)) for g in gradients)
        for number, (name, gradient) in enumerate(zip(names, gradients, strict=True)):
            leaf, gradient = self.leaves[number], np.asarray(gradient)
            places = [*np.ndindex(leaf.shape)]
            if len(places) > MANY:
                places = [places[i] for i in self.rng.choice(len(places), MANY, replace=False)]
            for place in places:
                expected = self.slope(number, place, 1.0)
                if leaf.dtype.kind == "c":
                    expected = expected - 1j * self.slope(number, place, 1j)
                yield from self.compared(
                    f"vjp by {name}{list(place) or ''}", gradient[place], expected, scale
                )

    def slope(self, number: int, place: tuple[int, ...], direction: complex) -> Any:
        steps = [np.zeros_like(leaf) for leaf in self.leaves]
        steps[number][place] = direction
        return np.sum(np.real(self.moved(steps) * self.cotangent))

    def by_jvp(self) -> Iterator[str]:
        """Compare forward mode, along one direction."""
        steps = [self.direction(leaf) for leaf in self.leaves]
        shaped = [_like(step, leaf) for step, leaf in zip(steps, self.leaves, strict=True)]
        tangents = unflatten(self.tree, iter(shaped))
        _, tangent = jvp(self.f, self.point, tangents, optimize=self.optimize)
        expected = self.moved(steps)
        scale = float(np.max(np.abs(expected), initial=0.0))
        for place in [*np.ndindex(expected.shape)][:MANY]:
            yield from self.compared(
                f"jvp of output{list(place) or ''}", np.asarray(tangent)[place], expected[place],
                scale,
            )  # fmt: skip

    def compared(self, what: str, found: Any, expected: Any, scale: float) -> Iterator[str]:
        allowed = 4 * self.step * max(abs(expected), scale, 1e-3)
        if not abs(found - expected) <= allowed:
            yield f"{what} is {found:.6g}; differences give {expected:.6g}"


def _is_differentiable(value: Any) -> bool:
    leaves = list_leaves(value)
    return bool(leaves) and all(
        type(leaf) in (float, complex) or getattr(leaf, "dtype", np.dtype(bool)).kind in "fc"
        for leaf in leaves
    )


def _like(value: Any, leaf: Any) -> Any:
    """Give a value the dtype of a leaf."""
    return np.asarray(value, leaf.dtype)
