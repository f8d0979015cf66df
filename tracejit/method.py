"""jit_grad functions as attributes: methods of an instance, and names that pickles refer to."""

from __future__ import annotations

import functools
import pickle
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .function import JitGrad


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


def reduce_decorated(decorated: Any, make: Callable[..., Any], parts: tuple[Any, ...]) -> Any:
    """Pickle by name where the name leads to the object (as a decorator's), else by its parts."""
    function = parts[0]
    if hasattr(function, "made_by"):  # an operator: what it runs has no name
        return function.made_by
    module, name = function.__module__, getattr(function, "__qualname__", decorated.__name__)
    if _find(module, name) is not decorated:
        return make, parts
    cloudpickle = sys.modules.get("cloudpickle")
    if module != "__main__" or cloudpickle is None:
        return name
    # The name means something in this script only; cloudpickle is used to reach others.
    return _find_or_make, (name, cloudpickle.dumps((make, parts)))


def _find(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _find_or_make(name: str, pickled: bytes) -> Any:
    known = _find("__main__", name)
    make, parts = pickle.loads(pickled)
    return known if isinstance(known, make) else make(*parts)
