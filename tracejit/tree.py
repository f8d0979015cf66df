"""Nested arguments <-> leaves.

A value is a leaf or a container: dict (ordered and default ones too), list, tuple, namedtuple,
dataclass, or a type registered with `register_container`. `flatten` takes it apart into leaves
and a Tree that remembers the structure; `unflatten` puts leaves together in the same structure.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .errors import ConfigError, ParameterTypeError, TracejitError

Key = str | int
_LEAVES: set[type] = set()  # the types that were found to be no containers
_REGISTERED: dict[type, Registered] = {}
_OURS = (dict, OrderedDict, defaultdict, list, tuple)  # which are containers without registering
_NEVER = (type, int, float, complex, str, bytes, np.ndarray, np.generic, type(None))


@dataclasses.dataclass(frozen=True, slots=True)
class Tree:
    """The structure of a container: its type, the keys of its children, and their structures.

    cls is None for a leaf. extra is what else the container needs: a default factory, or how its
    type was registered when it was taken apart.
    """

    cls: type | None = None
    keys: tuple[Any, ...] = ()
    children: tuple[Tree, ...] = ()
    extra: Any = None

    @property
    def leaves(self) -> int:
        """Count the leaves."""
        return 1 if self.cls is None else sum(child.leaves for child in self.children)

    def paths(self, prefix: tuple[Key, ...] = ()) -> Iterator[tuple[Key, ...]]:
        """List the path of each leaf: the keys from the outermost container to it."""
        if self.cls is None:
            yield prefix
        for key, child in zip(self.keys, self.children, strict=True):
            yield from child.paths((*prefix, key))


LEAF = Tree()


def register_container(
    cls: type, flatten: Callable[[Any], Sequence[Any]], unflatten: Callable[[Any], Any]
) -> None:
    """Let values of a type hold parameters, as lists and dicts do.

    >>> register_container(Box, lambda box: [box.inside], lambda children: Box(*children))

    Args:
        cls: the exact type; subclasses are not included.
        flatten: gives the children of an instance as a list or tuple: numbers, arrays, strings and
            None, and containers. Each structure has a number of its own of them.
        unflatten: makes an instance from such a list. Both are called with traced values, too, and
            with the gradients of the children, so they should not convert or check what they get.

    Raises:
        ConfigError: the type is none, or one that needs none; the functions are none. Those of a
            type that is registered already are replaced.
        ParameterTypeError: when they are called: they raise, give something else, or do not fit.
    """
    if not isinstance(cls, type) or cls in _OURS or issubclass(cls, _NEVER):
        raise ConfigError(f"register_container() wants a class that holds values; got {cls!r}")
    if not callable(flatten) or not callable(unflatten):
        raise ConfigError(f"register_container({cls.__name__}, ...) wants two functions")
    _REGISTERED[cls] = Registered(cls, flatten, unflatten)
    _LEAVES.discard(cls)


class Registered:
    """How a registered type is taken apart and put together, with checks of both.

    fits: that the functions fit together has been seen.
    """

    __slots__ = ("_cls", "_fits", "_flatten", "_unflatten")

    def __init__(
        self, cls: type, flatten: Callable[[Any], Sequence[Any]], unflatten: Callable[[Any], Any]
    ) -> None:
        self._cls = cls
        self._flatten = flatten
        self._unflatten = unflatten
        self._fits = False

    def children(self, value: Any) -> tuple[Any, ...]:
        """Take a value apart."""
        children = self._call(self._flatten, "flatten", value)
        if not isinstance(children, (list, tuple)):
            raise self._wrong("flatten", f"gives a {type(children).__name__}, no list or tuple")
        if not self._fits and type(value) is self._cls:
            self._fits = True
            self._see_that_they_fit(children)
        return tuple(children)

    def build(self, children: Sequence[Any]) -> Any:
        """Put a value together."""
        made = self._call(self._unflatten, "unflatten", list(children))
        if getattr(type(made), "__tracejit_real__", type(made)) is not self._cls:
            raise self._wrong("unflatten", f"gives a {type(made).__name__}")
        return made

    def _see_that_they_fit(self, children: Sequence[Any]) -> None:
        again = self.children(self.build(children))
        moved = any(
            now is not child and any(now is other for other in children)
            for now, child in zip(again, children, strict=False)
        )
        if len(again) != len(children) or moved:
            raise self._wrong(
                "unflatten", "makes an instance that does not have the children that it was given"
            )

    def _call(self, function: Callable[..., Any], title: str, value: Any) -> Any:
        try:
            return function(value)
        except TracejitError:
            raise
        except Exception as error:
            raise self._wrong(title, f"raises {type(error).__name__}: {error}") from error

    def _wrong(self, title: str, what: str) -> ParameterTypeError:
        code = getattr(self._flatten if title == "flatten" else self._unflatten, "__code__", None)
        where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
        return ParameterTypeError(
            f"the {title} function of register_container({self._cls.__name__}, ...){where} {what}; "
            f"flatten(value) gives the children, and unflatten(children) such a "
            f"{self._cls.__name__}"
        )


def is_registered(cls: type) -> bool:
    """Tell whether a type is a container because it was registered."""
    return cls in _REGISTERED


def open_container(value: Any) -> tuple[tuple[Any, ...], Sequence[Any], Any] | None:
    """Give (keys, children, extra) of a container, or None for a leaf."""
    cls = type(value)
    if cls in _LEAVES:
        return None
    if cls is dict or cls is OrderedDict:
        return tuple(value), list(value.values()), None
    if cls is list or cls is tuple:
        return tuple(range(len(value))), value, None
    if cls in _REGISTERED:
        known = _REGISTERED[cls]
        children = known.children(value)
        return tuple(range(len(children))), children, known
    if cls is defaultdict:
        return tuple(value), list(value.values()), value.default_factory
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return cls._fields, value, None
    if "__tracejit_real__" in vars(cls):  # a twin that a traced function had in hand
        link = getattr(value, "__tracejit_link__", None)
        if link is not None:
            return _open_twin(value, link.real)
        object.__setattr__(value, "__class__", cls.__tracejit_real__)
        return open_container(value)
    if dataclasses.is_dataclass(cls):
        names = tuple(f.name for f in dataclasses.fields(cls))
        return names, [getattr(value, name) for name in names], None
    if cls.__module__ in ("builtins", "numpy"):
        _LEAVES.add(cls)
    return None


def _open_twin(twin: Any, real: Any) -> tuple[tuple[Any, ...], Sequence[Any], Any] | None:
    """Open what stands for an object from outside: its children are what the twin gives."""
    opened = open_container(real)
    if opened is None:
        return None
    if type(real) in _REGISTERED:
        return opened[0], opened[2].children(twin), opened[2]
    return opened[0], [getattr(twin, name) for name in opened[0]], None


def flatten(value: Any, leaves: list[Any]) -> Tree:
    """Append the leaves of a value to `leaves` and return its structure."""
    opened = open_container(value)
    if opened is None:
        leaves.append(value)
        return LEAF
    keys, children, extra = opened
    cls = getattr(type(value), "__tracejit_real__", type(value))
    return Tree(cls, keys, tuple(flatten(child, leaves) for child in children), extra)


def list_leaves(value: Any) -> list[Any]:
    """List the leaves of a value."""
    leaves: list[Any] = []
    flatten(value, leaves)
    return leaves


def unflatten(
    tree: Tree, leaves: Iterator[Any], make: Callable[[Tree, list[Any]], Any] | None = None
) -> Any:
    """Put leaves together in a structure; `make` builds one container (`build` if not given)."""
    if tree.cls is None:
        return next(leaves)
    return (make or build)(tree, [unflatten(child, leaves, make) for child in tree.children])


def build(tree: Tree, children: Sequence[Any]) -> Any:
    """Make one container from its children."""
    cls = tree.cls
    assert cls is not None
    if cls is list or cls is tuple:
        return cls(children)
    if type(tree.extra) is Registered:
        return tree.extra.build(children)
    if cls is defaultdict:
        return defaultdict(tree.extra, zip(tree.keys, children, strict=True))
    if issubclass(cls, dict):
        return cls(zip(tree.keys, children, strict=True))
    if issubclass(cls, tuple):
        return cls(*children)
    instance = cls.__new__(cls)  # a dataclass: as it was, without running __init__ again
    for name, child in zip(tree.keys, children, strict=True):
        object.__setattr__(instance, name, child)
    return instance


def path_text(name: str, path: tuple[Key, ...]) -> str:
    """Write a leaf's path as Python: params["W"][0]."""
    return name + "".join(
        f'["{key}"]' if isinstance(key, str) else f"[{key!r}]" for key in path
    )


def described(tree: Tree) -> str:
    """Write a structure as Python, with * for its leaves: {"w": *, "b": [*, *]}."""
    if tree.cls is None:
        return "*"
    parts = [described(child) for child in tree.children]
    if tree.cls is list:
        return f"[{', '.join(parts)}]"
    if tree.cls is tuple:
        return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
    if issubclass(tree.cls, dict):
        pairs = zip(tree.keys, parts, strict=True)
        return f"{{{', '.join(f'{key!r}: {part}' for key, part in pairs)}}}"
    return f"{tree.cls.__name__}({', '.join(parts)})"
