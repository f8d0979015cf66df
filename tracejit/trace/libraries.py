"""SciPy in traced functions, and the namespace `tracejit.scipy`.

A declared function of SciPy that is no ufunc does not hand its call over to a tracer, so there is a
recording twin of it: the real function where nothing is traced. Traced functions get the twins in
the place of SciPy's own; a distribution's twin has twins of its methods.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dag.op import COMPOSITES
from ..ops.scipy import family_of, is_declared
from . import dispatch
from .assemble import from_list
from .recorder import active_recorder

if TYPE_CHECKING:
    from .places import Place
    from .world import World

TWINS: dict[Any, Callable[..., Any]] = {}  # SciPy's functions and methods -> what records them


def recording(function: Any) -> Any:
    """Give the recording twin of a function of SciPy; None where it has no declaration."""
    if not is_declared(function):
        return None
    if function not in TWINS:
        TWINS[function] = _twin(function)
    return TWINS[function]


def _twin(function: Any) -> Callable[..., Any]:
    # Elsewhere a tuple may be one of arrays: a factor and a flag, the arguments of a function.
    arrays = (list, tuple) if family_of(function) in ("special", "stats") else (list,)

    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = active_recorder()
        if recorder is None or not recorder.open:
            return function(*args, **kwargs)
        args = tuple(from_list(value) if type(value) in arrays else value for value in args)
        kwargs = {k: from_list(v) if type(v) in arrays else v for k, v in kwargs.items()}
        tracer = next(dispatch.tracers((args, kwargs)), None)
        if tracer is not None:
            return dispatch.function(tracer, function, args, kwargs)
        given = (*args, *kwargs.values())
        if function in COMPOSITES and any(map(callable, given)):  # what they read may be traced
            return COMPOSITES[function](*args, **kwargs)
        return _constant(function(*args, **kwargs))

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    call.__module__ = f"tracejit.scipy.{family_of(function)}"
    return call


def _constant(value: Any) -> Any:
    """Let a new array be written to as one that is recorded."""
    recorder = active_recorder()
    assert recorder is not None
    if type(value) is tuple:
        return tuple(dispatch.constant(recorder, part, fresh=False) for part in value)
    return dispatch.constant(recorder, value, fresh=False)


# -- distributions -------------------------------------------------------------------------------


class Distribution:
    """The twin of a distribution of scipy.stats: declared methods record."""

    def __init__(self, real: Any) -> None:
        self.__dict__["__wrapped__"] = real

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.__dict__["__wrapped__"])

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["__wrapped__"], name)
        return recording(value) or (_outside(value) if callable(value) else value)

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        return Frozen(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<recording {self.__dict__['__wrapped__']!r}>"


class Frozen:
    """A distribution with its parameters: `norm(loc, scale)`."""

    def __init__(
        self, distribution: Distribution, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.dist, self.args, self.kwds = distribution, args, kwargs

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        for kind in self.dist.__class__.__mro__:  # norm_gen, rv_continuous
            name = f"{kind.__name__.removesuffix('_gen')}_frozen"
            frozen = getattr(sys.modules[kind.__module__], name, None)
            if frozen is not None:
                return frozen
        return Frozen

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        real = self.dist.__dict__["__wrapped__"]
        method = getattr(real, name, None)
        declared = recording(method)
        if declared is not None:

            def call(*args: Any, **kwargs: Any) -> Any:
                first = [kwargs.pop(key) for key in ("x", "q", "k") if key in kwargs]
                return declared(*args, *first, *self.args, **self.kwds, **kwargs)

            return call
        is_method = callable(getattr(self.__class__, name, None))

        def of_real(args: Any, kwds: Any, *more: Any, **keywords: Any) -> Any:
            found = getattr(real(*args, **kwds), name)
            if is_method:
                return found(*more, **keywords)
            return found.copy() if isinstance(found, np.ndarray) else found  # it may be an argument

        of_real.__name__ = name
        ask = _outside(method if callable(method) else of_real, of_real)
        if is_method:
            return functools.partial(ask, self.args, self.kwds)
        return ask(self.args, self.kwds)


def _outside(method: Any, run: Any = None) -> Callable[..., Any]:
    """Let a method that is not declared answer on plain values, where no gradient is lost.

    run: what to call instead of it.
    """

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = active_recorder()
        if recorder is None or not recorder.open:
            return (run or method)(*args, **kwargs)
        recorder.leave(f"{method.__name__}() of a distribution is called")
        return dispatch.outside(method, args, kwargs, run=run)

    return call


def hand_out(world: World, value: Any, place: Place) -> Any:
    """Give what a traced function gets for a thing of SciPy; None: there is nothing special.

    The parameters of a frozen distribution are read like those of the user's own objects.
    """
    twin: Any = recording(value) or distribution(value)
    if twin is None:
        base = _base_of(value)
        if base is None:
            return None
        args, kwargs = (
            world.hand_out(getattr(value, name), world.step(place, f"{{p}}.{name}", keys=(name,)))
            for name in ("args", "kwds")
        )
        twin = Frozen(base, args, kwargs)
    place.require("{v} is {0}", value)
    world.remember(value, twin, place)
    return twin


def _base_of(value: Any) -> Distribution | None:
    """Give the twin of the distribution that a frozen one belongs to."""
    stats = sys.modules.get("scipy.stats")
    if stats is None or family_of(type(value)) != "stats":
        return None
    kind = type(getattr(value, "dist", None))
    found = _distributions(stats).values()
    return next((twin for twin in found if type(twin.__dict__["__wrapped__"]) is kind), None)


def distribution(value: Any) -> Distribution | None:
    """Give the twin of one of the distributions that scipy.stats has; None for anything else."""
    stats = sys.modules.get("scipy.stats")
    if stats is None or family_of(type(value)) != "stats":
        return None
    return _distributions(stats).get(id(value))


@functools.lru_cache(maxsize=1)
def _distributions(stats: Any) -> dict[int, Distribution]:
    kinds = (stats.rv_continuous, stats.rv_discrete, type(stats.dirichlet).__mro__[1])
    found = [value for value in vars(stats).values() if isinstance(value, kinds)]
    return {id(value): Distribution(value) for value in found}


# -- the namespace -------------------------------------------------------------------------------


def namespace(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make `__getattr__` and `__dir__` of the module that stands for a module of SciPy."""

    def real() -> Any:
        try:
            return importlib.import_module(module)
        except ImportError as error:
            raise ImportError(f"{module} is needed: pip install tracejit[scipy]") from error

    def attribute(name: str) -> Any:
        if name.startswith("__"):  # asked for by import and by inspect
            raise AttributeError(name)
        value = getattr(real(), name)
        return recording(value) or distribution(value) or value

    return attribute, lambda: dir(real())
