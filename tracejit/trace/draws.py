"""Twins of random generators: what is drawn is recorded.

A draw is an op with an effect: compiled code draws again, from the same generator and in the same
order, and leaves it in the state in which plain Python would.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.node import ACTIVE, VARIES, Node, location
from ..dag.op import HOLE, INPUT, Op
from ..errors import LostGradientError
from . import dispatch, source
from .places import Place
from .recorder import active_recorder, leave
from .tracer import Tracer

if TYPE_CHECKING:
    from .world import World

_NO_DRAWS = {
    "bit_generator", "bytes", "get_bit_generator", "get_state", "permuted", "seed",
    "set_bit_generator", "set_state", "shuffle", "spawn",
}  # fmt: skip
_MAKE_GENERATOR = {"default_rng", "RandomState", "Generator"}


def attribute(name: str) -> tuple[Any, bool]:
    """Hand out an attribute of np.random, and say whether to keep it."""
    value = getattr(np.random, name)
    if name in _MAKE_GENERATOR and name != "Generator":
        return _drawing(None, name, value, makes=True), True
    if isinstance(value, (type, types.ModuleType)):
        return value, True
    if name == "shuffle":
        return _shuffling(np.random, value), True
    if name in _NO_DRAWS or not callable(value):
        leave(f"np.random.{name} is used")
        return value, False
    return _drawing(None, name, value), True


def twin(world: World, value: Any, place: Place) -> Any:
    """Make the twin of a random generator: what it draws is recorded."""
    place.require("type({v}) is {0}", type(value))
    node = Node(INPUT, (), {}, value, None, VARIES)
    world.places.make_input(place, node)
    twin = Draws(node)
    world.remember(value, twin, place)
    return twin


def is_generator(value: Any) -> bool:
    """Tell whether a value is one of NumPy's random generators."""
    if not type(value).__module__.startswith("numpy.random"):  # which is slow to import
        return False
    return type(value) in (np.random.Generator, np.random.RandomState)


class Draws:
    """The twin of a random generator."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._real = node.value

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._real)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name == "shuffle":
            return _shuffling(self._real, value)
        if name in _NO_DRAWS or not callable(value):
            leave(f".{name} of a random generator is used")
            return value
        drawing = self.__dict__[name] = _drawing(self._node, name, value)
        return drawing


def _shuffling(generator: Any, real: Callable[..., Any]) -> Callable[..., None]:
    """Make the twin of `shuffle`, which writes to its argument."""

    def shuffle(x: Any, *args: Any, **kwargs: Any) -> None:
        leave(".shuffle of a random generator is used")
        recorder = active_recorder()
        if type(x) is not Tracer or recorder is None:
            real(x, *args, **kwargs)
            return
        node = x.current()
        if node.level == ACTIVE:
            raise LostGradientError(
                f"shuffle() at {location(source.user_site())} of an array that depends on the "
                "parameters loses its gradient; index it: x[rng.permutation(len(x))]"
            )
        shuffled = node.value.copy()
        recorder.replay(generator, lambda: real(shuffled, *args, **kwargs))
        x[...] = shuffled

    return shuffle


def _draw(generator: Any, *holes: Any, method: str, args: Any, kwargs: Any) -> Any:
    """Draw: what the op does where no target has written it out."""
    rest = iter(holes)

    def filled(value: Any) -> Any:
        if type(value) in (tuple, list):
            return type(value)(filled(v) for v in value)
        return next(rest) if value is HOLE else value

    arguments = [filled(value) for value in args]
    keywords = {key: filled(value) for key, value in kwargs.items()}
    return getattr(np.random if generator is None else generator, method)(*arguments, **keywords)


@lru_cache(maxsize=256)
def draw_op(method: str) -> Op:
    """The op that calls one method of a random generator, or function of np.random."""
    return Op(method, _draw, vjp=None, effect=True)


def _drawing(
    generator: Node | None, method: str, real: Callable[..., Any], makes: bool = False
) -> Callable[..., Any]:
    def draw(*args: Any, **kwargs: Any) -> Any:
        recorder = active_recorder()
        if recorder is None:
            return real(*args, **kwargs)
        args, kwargs = _real_types(args), _real_types(kwargs)
        holes: list[Node] = []
        attrs = {
            "method": method,
            "args": tuple(_template(a, holes) for a in args),
            "kwargs": {key: _template(value, holes) for key, value in kwargs.items()},
        }
        if any(hole.level == ACTIVE for hole in holes):
            raise LostGradientError(
                f"{method}() at {location(source.user_site())} draws with arguments that depend on "
                "the parameters, and no gradient passes through a draw; draw standard numbers and "
                "transform them: mean + scale * rng.standard_normal(size)"
            )
        source_of = np.random if generator is None else generator.value
        plain, keywords = dispatch.plain(args), dispatch.plain(kwargs)
        value = recorder.replay(source_of, lambda: real(*plain, **keywords))
        node = recorder.effect(draw_op(method), (generator, *holes), attrs, value)
        if makes:
            return Draws(node)
        if holes and isinstance(value, np.ndarray):
            recorder.guard(node, "shape", value.shape)
        if value is None or not isinstance(value, (np.ndarray, np.generic, float, int)):
            leave(f"{method}() of a random generator gives a {type(value).__name__}")
            return value
        return Tracer(node, recorder)

    return draw


def _template(value: Any, holes: list[Node]) -> Any:
    if type(value) is Tracer:
        holes.append(value.current())
        return HOLE
    if type(value) in (tuple, list):
        return type(value)(_template(v, holes) for v in value)
    return value


def _real_types(value: Any) -> Any:
    """Replace twins of types, as in dtype=float."""
    if type(value) is tuple:
        return tuple(_real_types(v) for v in value)
    if type(value) is dict:
        return {key: _real_types(held) for key, held in value.items()}
    return getattr(value, "__tracejit_real__", value) if isinstance(value, type) else value
