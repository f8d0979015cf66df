"""One form in which a primitive is called: an op of the leaves of its arguments.

The arguments of a call enter, and what is declared of its gradient; an op leaves, whose inputs are
the numbers and arrays among the arguments. It takes care that the user's function changes nothing
that it is given, and that what it gives is nobody else's and of the kind that was recorded.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..codegen.names import Names
from ..dag.node import Node, Site, location, recorded_value, spec_of
from ..dag.op import BY_NAME, MISSING, Op, is_traced, value_of
from ..dag.vjp import Lift
from ..errors import (
    LostGradientError,
    MissingGradientError,
    TracejitError,
    UnsupportedError,
    WriteToArgumentError,
)
from ..trace.recorder import active_recorder, aside, checksum
from ..trace.source import user_site
from ..tree import LEAF, Tree, flatten, path_text, unflatten
from .modes import cotangents_of

_CONSTANTS = (type(None), bool, str, bytes, type(...), np.dtype, type)
SNAPSHOT = 1 << 16  # bytes, up to which an array is compared with a copy
MANY_CALLS = 256  # forms of calls of one primitive that are kept
_NUMBERS = (bool, int, float, complex)
_SLOTS = ("s", "slab")  # which emitted code numbers for its own use
_NAMES: weakref.WeakValueDictionary[str, Call] = weakref.WeakValueDictionary()  # of ops in use
_NAMING = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """What is declared of a primitive's gradient: rules by argument, MISSING beyond them.

    is_zero: it has none. missing: of an opaque rule, what to say where its own gradient is wanted.
    """

    vjp: tuple[Any, ...] = ()
    jvp: tuple[Any, ...] = ()
    is_zero: bool = False
    missing: str = ""

    def rules(self, number: int) -> tuple[Any, Any]:
        """The rules of both modes for an argument: each a Rule, None for zero, or MISSING."""
        return tuple(
            rules[number] if number < len(rules) else MISSING for rules in (self.vjp, self.jvp)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """The arguments of a call, taken apart.

    tree: of (args, kwargs), without the constants among kwargs, which are `attrs`. constants: the
    leaves that are no inputs, by their position. places: for each positional argument the inputs
    that are in it. named: those in keyword arguments.
    """

    tree: Tree
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    constants: tuple[tuple[int, Any], ...]
    places: tuple[range, ...]
    named: range

    @property
    def is_flat(self) -> bool:
        """Tell whether the inputs are the positional arguments, and all that is not in attrs."""
        leaves = all(child is LEAF for child in self.tree.children[0].children)
        return leaves and not self.constants and not self.named

    @property
    def key(self) -> Any:
        """What makes it another form: all but the inputs and attributes."""
        return self.tree, tuple((n, type(v), v) for n, v in self.constants)

    def assemble(
        self, values: Iterable[Any], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Put values in the place of the inputs: positional and keyword arguments."""
        leaves, known = iter(values), dict(self.constants)
        every = (known[n] if n in known else next(leaves) for n in range(self.tree.leaves))
        args, kwargs = unflatten(self.tree, every)
        return args, {**kwargs, **attrs}


def forms_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Form:
    """Take the arguments of a call apart.

    Raises:
        UnsupportedError: among them is what is neither a number or array nor a constant.
    """
    attrs = {key: v for key, v in kwargs.items() if type(v) in (*_CONSTANTS, *_NUMBERS)}
    attrs.update((k, v) for k, v in kwargs.items() if type(v) is tuple and _is_constant(v))
    rest = {key: value for key, value in kwargs.items() if key not in attrs}
    leaves: list[Any] = []
    tree = flatten((args, rest), leaves)
    constants = tuple((number, leaf) for number, leaf in enumerate(leaves) if not _is_input(leaf))
    for number, leaf in constants:
        if type(leaf) not in _CONSTANTS:
            _, first, *path = [*tree.paths()][number]
            which = path_text(f"argument {first}", tuple(path))
            raise UnsupportedError(
                f"{which} of {name}() is {_kind_of(leaf)}, at {location(user_site())}: a primitive "
                "takes arrays and numbers, structures of them (register_container), strings and "
                "None; it may read other things, which stay as they are, from outside"
            )
    taken = {number for number, _ in constants}
    places, count, start = [], 0, 0
    for child in (*tree.children[0].children, tree.children[1]):
        held = sum(n not in taken for n in range(start, start + child.leaves))
        places.append(range(count, count + held))
        start, count = start + child.leaves, count + held
    inputs = tuple(leaf for leaf in leaves if _is_input(leaf))
    return Form(tree, inputs, attrs, constants, tuple(places[:-1]), places[-1])


def _is_input(leaf: Any) -> bool:
    if isinstance(leaf, (np.ndarray, np.generic)):
        return bool(leaf.dtype.kind in "biufc")
    return is_traced(leaf) or (type(leaf) in _NUMBERS and type(leaf) is not bool)


def _is_constant(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_constant, value))
    return type(value) in (*_CONSTANTS, *_NUMBERS)


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """What a user's function gave: leaves that are nobody else's, and what is known of them."""

    tree: Tree
    leaves: list[Any]

    @property
    def specs(self) -> tuple[Any, ...]:
        """Type, shape and dtype of each leaf."""
        return tuple(spec_of(leaf) for leaf in self.leaves)


def run_user_function(
    function: Callable[..., Any], name: str, inputs: Iterable[Any], args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Results:  # fmt: skip
    """Call a function on plain values and copy what it gives.

    `inputs`: the numbers and arrays among the arguments.

    Raises:
        WriteToArgumentError: it wrote to an argument.
        UnsupportedError: it gives what is no number or array, nor a structure of them.
        LostGradientError: it reads a traced value from outside.
    """
    result = untouched(function, f"{name}()", inputs, args, kwargs)
    if type(result) is np.ndarray:
        return Results(LEAF, [_own(result, name)])
    leaves: list[Any] = []
    tree = flatten(result, leaves)
    if not leaves:
        raise UnsupportedError(f"{name}() returns nothing: a primitive returns numbers or arrays")
    return Results(tree, [_own(leaf, name) for leaf in leaves])


def untouched(
    function: Callable[..., Any], title: str, inputs: Iterable[Any], args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:  # fmt: skip
    """Call a function outside of any recording, and see that its inputs stay as they are."""
    arrays = [leaf for leaf in inputs if type(leaf) is np.ndarray]
    before = [_content(array) for array in arrays]
    if active_recorder() is None:
        result = function(*args, **kwargs)
    else:
        with aside():
            result = function(*args, **kwargs)
    if before != [_content(array) for array in arrays]:
        raise written_to(title)
    return result


def _content(array: Any) -> bytes | int:
    return array.tobytes() if array.nbytes <= SNAPSHOT else checksum(array)


def written_to(title: str) -> WriteToArgumentError:
    """Make the error for a function that writes to its arguments."""
    return WriteToArgumentError(
        f"{title}, called at {location(user_site())}, writes to an array that it is given; let it "
        "work on a copy: x = x.copy()"
    )


def with_copies(result: Any) -> Any:
    """Give the result of a function with copies of its arrays, and all else as it is."""
    leaves: list[Any] = []
    tree = flatten(result, leaves)
    if not any(type(leaf) is np.ndarray for leaf in leaves):
        return result
    copies = (leaf.copy(order="C") if type(leaf) is np.ndarray else leaf for leaf in leaves)
    return unflatten(tree, copies)


def _own(value: Any, name: str) -> Any:
    """Copy a result, which may be an argument, a view of one, or kept by the function."""
    if is_traced(value):
        raise LostGradientError(
            f"{name}() reads a traced value from outside of it, whose gradient would be lost; give "
            f"it as an argument, at {location(user_site())}"
        )
    if type(value) is np.ndarray and value.dtype.kind in "biufc":
        return value.copy(order="C")
    if type(value) in _NUMBERS:
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return value
    raise UnsupportedError(
        f"{name}(), called at {location(user_site())}, returns {_kind_of(value)}: a primitive "
        "returns plain NumPy arrays and numbers, or lists, tuples and dicts of them"
    )


def _kind_of(value: Any) -> str:
    is_array = type(value) is np.ndarray
    return f"an array of {value.dtype}" if is_array else f"a {type(value).__name__}"


class Call(Op):
    """The op of one form of calls of a primitive; see the module's docstring."""

    __slots__ = (
        "__weakref__", "_is_flat", "_specs", "declared", "form", "function", "title", "tree",
    )  # fmt: skip

    def __init__(
        self, title: str, function: Callable[..., Any], declared: Declared, form: Form,
        results: Results,
    ) -> None:  # fmt: skip
        with _NAMING:
            name = _free_name(title)
            _NAMES[name] = self
        super().__init__(
            name, self.run, pull=self.find_cotangents, vjp=None if declared.is_zero else [],
            several=0 if results.tree is LEAF else len(results.leaves),
            raises=not declared.missing,
        )  # fmt: skip
        self.title = title
        self.function = function
        self.declared = declared
        self.form = replace(form, inputs=(), attrs={})  # their values are of one call
        self.tree = results.tree
        self._is_flat = form.is_flat
        self._specs = results.specs

    def run(self, *inputs: Any, **attrs: Any) -> Any:
        """Call the function; what it gives must be as it was when this was recorded."""
        args, kwargs = (inputs, attrs) if self._is_flat else self.form.assemble(inputs, attrs)
        results = run_user_function(self.function, self.title, inputs, args, kwargs)
        if (results.tree, results.specs) != (self.tree, self._specs):
            raise TracejitError(
                f"{self.title}() returned ({', '.join(map(str, self._specs))}) and now returns "
                f"({', '.join(map(str, results.specs))}) for arguments of the same shapes and "
                "types; let it return the same structure, shapes and types at each call, or use "
                "optimize=False"
            )
        return tuple(results.leaves) if self.several else results.leaves[0]

    def find_cotangents(
        self, node: Node, g: Any, lift: Lift | None, enter: Any, reaches: Callable[[Node], bool]
    ) -> Iterator[tuple[Any, Any]]:
        """Pair the inputs that `reaches` with their cotangents; see dag/vjp.py."""
        if self.declared.is_zero:
            return
        look = lift or recorded_value
        values = [look(i) for i in node.inputs]
        out = node.value if lift is None else lift(node)
        outs, gs = (out, g) if self.several else ((out,), (g,))
        gs = [c if _is_inexact(value_of(o)) else None for c, o in zip(gs, outs, strict=True)]
        if all(c is None for c in gs):
            return
        at = At(self, node.attrs, node.site, values, [*outs])
        given = [np.zeros_like(o) if c is None else c for c, o in zip(gs, outs, strict=True)]
        for number, places in enumerate((*self.form.places, self.form.named)):
            wanted = [p for p in places if _is_reached(node.inputs[p], reaches)]
            if not wanted:
                continue
            if number == len(self.form.places):
                raise MissingGradientError(
                    f"{self.title} at {node.where} has no gradient rule for its keyword arguments; "
                    "pass by position what is to be differentiated"
                )
            found = cotangents_of(at, number, given)
            for place in wanted:
                yield node.inputs[place], found[place - places.start]


def _is_reached(source: Any, reaches: Callable[[Node], bool]) -> bool:
    return type(source) is Node and reaches(source) and _is_inexact(source.value)


def _is_inexact(value: Any) -> bool:
    """Tell whether a value is of floats or complex numbers: whether it has a cotangent."""
    return bool(np.result_type(value).kind in "fc")


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """Where rules are asked for: a call, its inputs and results as the rules are to see them.

    attrs, site: of the call's node.
    """

    call: Call
    attrs: dict[str, Any]
    site: Site | None
    values: list[Any]
    outs: list[Any]

    @property
    def where(self) -> str:
        """The line of the call."""
        return location(self.site)

    def having(self, values: Sequence[Any], outs: Sequence[Any]) -> At:
        """Give the same with other values."""
        return replace(self, values=[*values], outs=[*outs])

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the call."""
        return self.call.form.assemble(self.values, self.attrs)

    def argument_leaves(self, number: int) -> list[Any]:
        """The leaves of a positional argument that are inputs."""
        return [self.values[place] for place in self.call.form.places[number]]

    def result(self, leaves: Sequence[Any]) -> Any:
        """Give leaves the structure of the result."""
        return unflatten(self.call.tree, iter(leaves))

    def argument(self, number: int, leaves: Sequence[Any]) -> Any:
        """Give leaves the structure of a positional argument; constants in it stay."""
        values = [*self.values]
        for place, leaf in zip(self.call.form.places[number], leaves, strict=True):
            values[place] = leaf
        return self.call.form.assemble(values, {})[0][number]


def _free_name(title: str) -> str:
    """Find the name under which emitted code calls the function: no other op's, and no built-in."""
    usable = title not in BY_NAME and Names().take(title) == title
    usable = usable and not title.endswith("_where") and title.rstrip("0123456789") not in _SLOTS
    base = name = title if usable else f"{title}_call"
    number = 1
    while name in _NAMES:
        number += 1
        name = f"{base}_{number}"
    return name
