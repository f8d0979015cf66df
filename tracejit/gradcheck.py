"""Checking gradients against differences: for tests of functions and of rules of one's own.

A function and arguments enter; whether its derivatives are those of finite differences leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from .errors import ConfigError, GradientCheckError
from .operators import jvp, vjp
from .operators.tape import inner, is_number
from .tree import flatten, list_leaves, path_text, unflatten

MANY = 200  # elements of a leaf that are checked one by one

Difference = Callable[[float], Any]  # a difference over a step, divided by it


def gradcheck(
    f: Callable[..., Any], *args: Any, order: int = 2, modes: Sequence[str] = ("vjp", "jvp"),
    raise_on_error: bool = False, optimize: bool = True, seed: int = 0,
) -> bool:  # fmt: skip
    """Tell whether the derivatives of a function agree with central differences.

    Args:
        f: returns numbers and arrays, in nested structures; smooth near the arguments, and the same
            at every call.
        args: anything; it is differentiated by all floats and complex numbers in nested structures.
        order: up to which derivatives are checked; those of order 2 are differences of gradients.
        modes: "vjp" for reverse mode, "jvp" for forward mode.
        raise_on_error: raise an error that tells where and by how much it is off.
        optimize: check compiled code; False: direct mode.
        seed: of the directions; large arrays are checked at 200 elements and along a direction.

    The step is the cube root of the precision of the least precise leaf, for leaves of small
    numbers so much smaller; derivatives may differ by four times that root, relative to the largest
    of their leaf, by what rounding makes of the differences, and by what half the step does.

    Raises:
        GradientCheckError: with raise_on_error=True.
        ConfigError: an unknown mode or order, nothing to differentiate by, or another result when
            f is called again.
    """
    if not set(modes) <= {"vjp", "jvp"} or not modes or order not in (1, 2):
        raise ConfigError(f"modes={modes!r} of order={order!r}: use vjp and jvp, order 1 or 2")
    leaves: list[Any] = []
    tree = flatten(args, leaves)
    places = [i for i, leaf in enumerate(leaves) if is_number(leaf)]
    if not places:
        raise ConfigError("gradcheck() got no argument of floats or complex numbers")
    paths = [*tree.paths()]
    names = [path_text("args", paths[i]) for i in places]

    def of_floats(*floats: Any) -> list[Any]:
        given = dict(zip(places, floats, strict=True))
        now = unflatten(tree, iter([given.get(i, leaf) for i, leaf in enumerate(leaves)]))
        return [out for out in list_leaves(inner(f)(*now)) if is_number(out)]

    point = [leaves[i] for i in places]
    check = _Check(of_floats, point, names, optimize, np.random.default_rng(seed))
    if not check.is_repeatable():
        raise ConfigError("gradcheck() wants a function that gives the same at every call")
    found = check.errors(modes)
    if order == 2:
        found.extend(f"second order, {error}" for error in check.gradients().errors(modes))
    if found and raise_on_error:
        raise GradientCheckError("\n".join(found))
    return not found


class _Check:
    """A function of floats that gives a list of leaves, and the point where it is checked.

    names: of the floats, for messages. steps: how far each is moved, and tolerance: how far
    derivatives may differ.
    """

    def __init__(
        self, f: Callable[..., list[Any]], point: Sequence[Any], names: Sequence[str],
        optimize: bool, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.f, self.point, self.names = f, point, names
        self.optimize, self.rng = optimize, rng
        self.leaves = [np.asarray(leaf) for leaf in point]
        eps = max(float(np.finfo(leaf.dtype).eps) for leaf in self.leaves)
        self.tolerance = 4 * eps ** (1 / 3)
        sizes = [float(np.max(np.abs(leaf), initial=0.0)) or 1.0 for leaf in self.leaves]
        self.steps = [max(min(1.0, size), size * eps ** (1 / 3)) * eps ** (1 / 3) for size in sizes]
        self.out = [np.asarray(out) for out in f(*point)]
        self.noise = 100 * eps * _largest(self.out)
        self.cotangents = [self.direction(out) for out in self.out]

    def is_repeatable(self) -> bool:
        """Tell whether the function gives the same when it is called again."""
        again = [np.asarray(out) for out in self.f(*self.point)]
        pairs = zip(again, self.out, strict=True)
        return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)

    def direction(self, like: Any) -> Any:
        """Draw a direction of the shape and kind of an array: of numbers that are not small."""
        numbers = self.rng.uniform(0.5, 1.5, like.shape)
        if like.dtype.kind == "c":
            numbers = numbers + 1j * self.rng.uniform(0.5, 1.5, like.shape)
        return numbers.astype(like.dtype)[()]

    def gradients(self) -> _Check:
        """The check of the gradient itself, summed up with weights."""
        weights = [self.direction(leaf) for leaf in self.leaves]

        def weighted(*point: Any) -> list[Any]:
            pairs = zip(self.pulled(point), weights, strict=True)
            return [sum(np.sum(np.real(g * w)) for g, w in pairs)]

        return _Check(weighted, self.point, self.names, self.optimize, self.rng)

    def errors(self, modes: Sequence[str]) -> list[str]:
        return [error for mode in modes for error in getattr(self, f"by_{mode}")()]

    def pulled(self, point: Sequence[Any]) -> tuple[Any, ...]:
        _, pull = vjp(self.f, *point, optimize=self.optimize)
        found = pull(self.cotangents)
        return found if len(point) > 1 else (found,)

    def moved(self, directions: Sequence[Any], step: float) -> list[Any]:
        """The change of each output, over the length of the step, along directions."""
        ahead, behind = (
            self.f(*[
                np.asarray(leaf + sign * step * direction, leaf.dtype)
                for leaf, direction in zip(self.leaves, directions, strict=True)
            ])
            for sign in (1.0, -1.0)
        )  # fmt: skip
        return [(np.asarray(a) - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)]

    def by_vjp(self) -> Iterator[str]:
        """Compare reverse mode, element by element; of large leaves also along a direction."""
        gradients = self.pulled(self.point)
        for number, (name, gradient) in enumerate(zip(self.names, gradients, strict=True)):
            leaf, gradient = self.leaves[number], np.asarray(gradient)
            scale, step = _largest([gradient]), self.steps[number]
            places = [*np.ndindex(leaf.shape)]
            if len(places) > MANY:
                places = [places[i] for i in self.rng.choice(len(places), MANY, replace=False)]
                direction = self.direction(leaf)
                found, slope = np.sum(np.real(gradient * direction)), self.slope(number, direction)
                size = float(np.linalg.norm(np.ravel(gradient)))  # of the errors of all elements
                yield from self.compared(f"vjp by {name}, added up", found, slope, size, step)
            for place in places:
                what = f"vjp by {name}{list(place) or ''}"
                slope = self.derivative(number, place)
                yield from self.compared(what, gradient[place], slope, scale, step)

    def derivative(self, number: int, place: tuple[int, ...]) -> Difference:
        """What the gradient has for one element, as a difference over a step."""
        unit = np.zeros_like(self.leaves[number])
        unit[place] = 1.0
        slope = self.slope(number, unit)
        if unit.dtype.kind != "c":
            return slope
        upwards = self.slope(number, unit * 1j)
        return lambda step: slope(step) - 1j * upwards(step)

    def slope(self, number: int, direction: Any) -> Difference:
        """How what reverse mode differentiates changes where one leaf moves."""
        directions = [np.zeros_like(leaf) for leaf in self.leaves]
        directions[number] = direction

        def change(step: float) -> Any:
            pairs = zip(self.moved(directions, step), self.cotangents, strict=True)
            return sum(np.sum(np.real(change * c)) for change, c in pairs)

        return change

    def by_jvp(self) -> Iterator[str]:
        """Compare forward mode, along one direction, as far as the leaf of the smallest numbers."""
        directions = [self.direction(leaf) for leaf in self.leaves]
        tangents = [np.asarray(d, leaf.dtype) for d, leaf in zip(
            directions, self.leaves, strict=True)]  # fmt: skip
        _, found = jvp(self.f, self.point, tangents, optimize=self.optimize)
        changes = cache(lambda step: self.moved(directions, step))
        for number, tangent in enumerate(found):
            name = "output" if len(found) == 1 else f"output leaf {number}"
            change = partial(lambda n, step: changes(step)[n], number)
            scale = _largest([tangent])
            yield from self.compared(f"jvp of {name}", tangent, change, scale, min(self.steps))

    def compared(
        self, what: str, found: Any, difference: Difference, scale: float, step: float
    ) -> Iterator[str]:
        """Compare derivatives with differences: where they disagree, with those over half the step.

        By about as much as these two differ, they are off themselves.
        """
        expected = difference(step)
        allowed = self.tolerance * np.maximum(np.abs(expected), scale) + self.noise / step
        if not _within(allowed, found, expected).all():
            coarse, expected = expected, difference(step / 2)
            allowed = allowed + np.abs(coarse - expected) + self.noise / step
        found, expected = np.asarray(found), np.asarray(expected)
        off = np.abs(found - expected)
        wrong = np.argwhere(~_within(allowed, found, expected))
        for place in map(tuple, wrong[:MANY].tolist()):
            yield (
                f"{what}{list(place) or ''} is {found[place]:.6g}; differences give "
                f"{expected[place]:.6g}, which is {off[place]:.2g} off"
            )


def _within(allowed: Any, found: Any, expected: Any) -> Any:
    """Tell which elements differ by no more than is allowed: none that is not finite."""
    off = np.abs(found - expected)
    return np.isfinite(off) & (off <= allowed)


def _largest(values: Sequence[Any]) -> float:
    return max((float(np.max(np.abs(value), initial=0.0)) for value in values), default=0.0)
