"""Nested dicts, lists and tuples: what arguments and gradients of the cases are made of."""

from collections.abc import Callable
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """List the arrays and numbers of nested dicts, lists and tuples."""
    found: list[Any] = []
    with_leaves(tree, found.append)
    return found


def with_leaves(tree: Any, function: Callable[[Any], Any]) -> Any:
    """Replace each leaf of nested dicts, lists and tuples by a function of it."""
    if isinstance(tree, dict):
        return {key: with_leaves(value, function) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [with_leaves(value, function) for value in tree]
    return function(tree)


def ordered_as(like: Any, tree: Any) -> Any:
    """Bring the keys of nested dicts into the order of another tree's: some libraries sort them."""
    if isinstance(like, dict):
        assert tree.keys() == like.keys(), f"{list(tree)} instead of {list(like)}"
        return {key: ordered_as(like[key], tree[key]) for key in like}
    if isinstance(like, list | tuple):
        assert len(tree) == len(like), f"{len(tree)} instead of {len(like)}"
        return [ordered_as(one, other) for one, other in zip(like, tree, strict=True)]
    return tree
