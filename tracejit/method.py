"""Decorated functions as attributes: methods of an instance, and what pickles have of them."""

from __future__ import annotations

import functools
import pickle
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .function import JitGrad

_thread = threading.local()  # by_parts: objects of the script are being pickled by their parts


class BoundJitGrad:
    """A jit_grad method together with its instance, which is no parameter."""

    __slots__ = ("__self__", "_method")

    def __init__(self, method: JitGrad, instance: Any) -> None:
        self._method = method
        self.__self__ = instance

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self._method.__name__)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._method(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._method, name)
        return functools.partial(value, self.__self__) if name in ("source", "graph") else value


class Decorated:
    """What a decorator has made of a function; pickled by its name or by its parts.

    The parts become its state, so that the function may have the object among what it reads.
    """

    __wrapped__: Callable[..., Any]
    __name__: str

    def _parts(self) -> tuple[Any, ...]:
        """Give what it is made of again: the arguments of `__init__`."""
        raise NotImplementedError

    def __reduce__(self) -> Any:
        function = self.__wrapped__
        if hasattr(function, "made_by"):  # an operator: what it runs has no name
            return function.made_by
        whole = object.__new__, (type(self),), self._parts()
        module, name = function.__module__, getattr(function, "__qualname__", self.__name__)
        if _find(module, name) is not self:
            return whole
        cloudpickle = sys.modules.get("cloudpickle")
        if module != "__main__" or cloudpickle is None:
            return name
        if getattr(_thread, "by_parts", False):
            return whole
        _thread.by_parts = True
        try:  # The name means something in this script only; cloudpickle is used to reach others.
            return _find_or_load, (name, cloudpickle.dumps(self))
        finally:
            _thread.by_parts = False

    def __setstate__(self, parts: tuple[Any, ...]) -> None:
        type(self).__init__(self, *parts)


def _find(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _find_or_load(name: str, pickled: bytes) -> Any:
    known, made = _find("__main__", name), pickle.loads(pickled)
    return known if type(known) is type(made) else made
