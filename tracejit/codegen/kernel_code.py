"""From kernels to functions under @njit, and to the statements that call them.

The function takes the arrays that it reads and writes and returns the scalars that are read later.
Its signature is explicit; arrays whose layout nothing guarantees are typed with any strides.
Equal kernels share one function.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..dag.node import Node, Spec, dtype_name, spec_of
from ..dag.op import numpy_path
from . import syntax as s
from .kernel_body import ENDS, LOOPS, KernelBody
from .nest_code import nest_statements
from .plan import Kernel
from .scalars import CALLED, dtype_of

_FOR_TYPES = ("typing", "collections.abc")
_KEPT = {"range", "np", "abs", "inf"}


class Kernels:
    """The kernels of a module: their functions by name, in the order of their first calls.

    names: of values, in kernels the names of elements. layout: what is known of an array's memory.
    """

    def __init__(
        self,
        names: dict[Node, str],
        resolve: Callable[[Any], Any],
        base: Callable[[Node], Node],
        layout: Callable[[Node], Any],
        constant: Callable[[np.ndarray[Any, Any]], str],
        comment: Callable[[Node], str],
        take: Callable[[str], str],
    ) -> None:
        self.functions: list[ast.stmt] = []
        self.used: set[str] = set()
        self._names = names
        self._resolve = resolve
        self._base = base
        self._layout = layout
        self._constant = constant
        self._comment = comment
        self._take = take
        self._known: dict[str, str] = {}  # signature and text without names -> function

    def call(
        self, kernel: Kernel, argument: Callable[[Any], ast.expr]
    ) -> tuple[str, list[ast.expr]]:
        """Write the kernel's function, if no equal one is there; give its name and arguments."""
        local = _LocalNames(self._names, kernel.nodes)

        def array(node: Node) -> str:
            return local.array(self._base(node))

        body = KernelBody(self._resolve, array, self._constant, local.element, self._comment,
                          self._part, kernel.stored, part=kernel.parts,
                          totals=tuple(kernel.totals))  # fmt: skip
        lines = [line for nest in kernel.nests for line in nest_statements(body, nest)]
        self.used |= body.used
        ends = [*ENDS] if kernel.parts else []
        parameters = [*ends, *body.arrays, *body.scalars.values()]
        returned = [*kernel.given, *kernel.totals]
        lines = [*(self._new_array(n, local.element(n)) for n in kernel.totals), *lines]
        if returned:
            lines.append(ast.Return(one_or_tuple([s.name(local.element(n)) for n in returned])))
        types = ["u8"] * len(ends)  # of a signed index Numba asks whether it counts from the end
        types += [self._array_type(value) for value in body.arrays.values()]
        types += [_scalar_type(node.spec) for node in body.scalars]
        results = [type_text_of(node.spec, "C") for node in returned]
        signature = signature_text(results, types)
        name = self._function(_title(kernel.nodes), parameters, signature, lines, "compiled")
        arguments = [argument(value) for value in body.arrays.values()]
        arguments += [argument(node) for node in body.scalars]
        return name, arguments

    def _new_array(self, node: Node, name: str) -> ast.stmt:
        assert node.spec.dtype is not None
        dtype = s.name(f"np.{node.spec.dtype.name}")
        return s.assign(name, s.call("np.empty", s.literal(node.spec.shape), dtype))

    def define(self, title: str, parameters: list[str], signature: str, lines: Any) -> str:
        """Add a function that Python calls, or find an equal one; return its name."""
        return self._function(title, parameters, signature, lines, "compiled")

    def _part(
        self, title: str, values: dict[str, Any], node: Node, lines: list[ast.stmt]
    ) -> str:
        """Make a function of arrays that kernels call; it returns what has no array."""
        types = [self._array_type(value) for value in values.values()]
        signature = signature_text([] if node.spec.is_array else [_scalar_type(node.spec)], types)
        return self._function(title, [*values], signature, lines, "inner")

    def _function(
        self, title: str, parameters: list[str], signature: str, lines: list[ast.stmt],
        options: str,
    ) -> str:  # fmt: skip
        kept = {*_KEPT, *self.used, *self._known.values()}
        key = f"{options} {signature} {_without_names(parameters, lines, kept)}"
        if key in self._known:
            return self._known[key]
        name = self._known[key] = self._take(title)
        function = s.function(name, parameters, [], "", lines)
        decorator = s.call("njit", s.literal(signature))
        decorator.keywords.append(ast.keyword(None, s.name(options)))
        function.decorator_list = [decorator]
        self.functions.append(function)
        return name

    def _array_type(self, value: Any) -> str:
        if type(value) is not Node:
            return constant_type(value)
        return type_text_of(value.spec, self._layout(value))


class _LocalNames:
    """Names inside a kernel: an element, and an array, each have one of their own."""

    def __init__(self, names: dict[Node, str], members: list[Node]) -> None:
        self._names = names
        self._members = set(members)
        self._taken = {*LOOPS, *ENDS, "factor", "place", "plus"}
        self._elements: dict[Node, str] = {}
        self._arrays: dict[Node, str] = {}

    def element(self, node: Node) -> str:
        """Name an element."""
        if node not in self._elements:
            self._elements[node] = self._take(self._names[node])
        return self._elements[node]

    def array(self, node: Node) -> str:
        """Name an array."""
        if node not in self._arrays:
            name = self._names[node]
            self._arrays[node] = self._take(f"out_{name}" if node in self._members else name)
        return self._arrays[node]

    def _take(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name


PRELUDE: list[ast.stmt] = ast.parse(
    """from numba import njit
compiled = dict(
    error_model='numpy', fastmath={'contract'}, nogil=True, cache=True, no_cfunc_wrapper=True
)
inner = dict(compiled, no_cpython_wrapper=True)
"""
).body
_OF_TWO = {"arctan2", "hypot", "copysign", "fmod"}


def reserved_names() -> set[str]:
    """Give the names that modules with kernels need for themselves."""
    from . import library  # it reads the text of its functions

    return {
        "njit", "LinAlgError", "compiled", "inner", "OPTIONS", "scalar", "reorder", "shared", "far",
        "work", "os", "config", "pairwise", "ThreadPoolExecutor", "ThreadpoolController", "POOLS",
        "LIBRARIES", "count_threads", "in_parts", *library.PIECES,
        *(f"{name}_{dtype}" for name in CALLED for dtype in ("f8", "f4")),
    }  # fmt: skip


def library_text(kernels: Kernels) -> str:
    """Give the text of the functions that kernels call."""
    from . import library

    called = sorted(kernels.used)
    text = library.source_of(n for n in called if n in library.PIECES)
    for name in called:
        if name not in library.PIECES:
            function, _ = name.rsplit("_", 1)
            few = "a, b" if function in _OF_TWO else "a"
            text += f"\n\n@scalar\ndef {name}({few}):\n    return np.{function}({few})\n"
    return text


def in_parts_functions() -> list[ast.stmt]:
    """Give the text of threads.py, without its annotations."""
    from . import threads

    body = ast.parse(inspect.getsource(threads)).body[1:]
    kept: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.ImportFrom) and statement.module in _FOR_TYPES:
            continue
        if isinstance(statement, ast.AnnAssign):
            assert statement.value is not None
            statement = ast.Assign([statement.target], statement.value)
        if isinstance(statement, ast.FunctionDef):
            statement.returns = None
            for argument in (*statement.args.args, statement.args.vararg):
                if argument is not None:
                    argument.annotation = None
        kept.append(statement)
    return kept


def one_or_tuple(values: list[ast.expr]) -> ast.expr:
    """Write what a function returns: a value, or several."""
    return values[0] if len(values) == 1 else ast.Tuple(values, ast.Load())


def signature_text(results: list[str], parameters: list[str]) -> str:
    """Write the signature of a function from the types of what it returns and takes."""
    result = results[0] if results else "void"
    if len(results) > 1:
        result = f"Tuple(({', '.join(results)}))"
    return f"{result}({', '.join(parameters)})"


def type_text_of(spec: Spec, layout: Any) -> str:
    """Write the type of a value for a signature; a layout that is not known is any."""
    if not spec.is_array:
        return _scalar_type(spec)
    assert spec.dtype is not None
    name = dtype_name(spec.dtype)
    if not spec.shape:
        return f"Array({name}, 0, 'C')"
    axes = [":"] * len(spec.shape)
    if layout == "C":
        axes[-1] = "::1"
    elif layout == "F":
        axes[0] = "::1"
    return f"{name}[{', '.join(axes)}]"


def constant_type(array: np.ndarray[Any, Any]) -> str:
    """Write the type of a constant array for a signature."""
    return type_text_of(spec_of(array), "C" if array.flags.c_contiguous else None)


def _scalar_type(spec: Spec) -> str:
    return "f8" if spec.dtype is None else dtype_name(spec.dtype)


def _title(nodes: Iterable[Node]) -> str:
    """Name a kernel after what it computes."""
    names = [*dict.fromkeys(n.op.name.split(".")[-1] for n in nodes)]
    return "_".join(names) if len(names) <= 3 else f"{names[0]}_to_{names[-1]}"


def _without_names(parameters: list[str], lines: list[ast.stmt], kept: set[str]) -> str:
    """Write statements with names numbered as they come up: the same for equal kernels."""
    numbers: dict[str, str] = {name: f"p{i}" for i, name in enumerate(parameters)}

    def rename(match: re.Match[str]) -> str:
        name = match[1]
        return name if name in kept else numbers.setdefault(name, f"v{len(numbers)}")

    text = ast.dump(ast.Module([n for n in lines if not isinstance(n, s.Note)], []))
    return re.sub(r"(?<=id=')(\w+)(?=')", rename, text)


def restored(node: Node, value: ast.expr) -> ast.expr:
    """Give a scalar that a kernel returned its NumPy type again."""
    dtype = dtype_of(node)
    if dtype is None:
        return value
    return s.call(f"np.{'bool_' if dtype.kind == 'b' else dtype.name}", value)


def bound_results(names: list[str], nodes: list[Node], call: ast.expr) -> list[ast.stmt]:
    """Bind what a compiled function returns: numbers, as NumPy's scalars where they are such."""
    if not names:
        return [s.expression(call)]
    if len(names) == 1:
        return [s.assign(names[0], restored(nodes[0], call), s.described(nodes[0]))]
    lines = [s.unpack(names, call)]
    for node, name in zip(nodes, names, strict=True):
        value = restored(node, s.name(name))
        if type(value) is ast.Call:
            lines.append(s.assign(name, value, s.described(node)))
    return lines


def bound_totals(
    kernel: Kernel, names: list[str], parts: ast.expr, found: str, slots: list[str | None]
) -> list[ast.stmt]:
    """Bind what the parts of a kernel return, put together as each reduction does it."""
    nodes = [*kernel.given, *kernel.totals]
    if not nodes:
        return [s.expression(parts)]
    lines = [s.assign(found, parts)]
    for number, (node, name, slot) in enumerate(zip(nodes, names, slots, strict=True)):
        values: ast.expr = s.name(found)
        if len(names) > 1:
            values = ast.parse(f"[part[{number}] for part in {found}]", mode="eval").body
        assert node.op.reduces is not None
        reduce = f"{numpy_path(node.op.reduces)}.reduce"
        if not node.spec.is_array:
            total: ast.expr = restored(node, s.call(reduce, values))
        else:
            out = None if slot is None else s.name(slot)
            total = s.call(reduce, values, axis=s.literal(0), out=out)
        if slot is None or not node.spec.is_array:
            lines.append(s.assign(name, total, s.described(node)))
        else:
            lines.append(s.expression(total, s.described(node)))
    return lines
