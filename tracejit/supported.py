"""What is supported: each NumPy and SciPy function that can be traced, with what it has.

The registry of ops enters; a row leaves for each function. `python -m tracejit ops` prints them,
and docs/ops.md keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from .codegen.nests import ALONE, PADDED, REDUCTIONS
from .codegen.scalars import form_of
from .dag.node import Node, Spec
from .dag.op import BY_FUNCTION, COMPOSITES, INPUT, LACKING, SCIPY, STEPS, Op, numpy_path
from .ops.scipy import load
from .trace.creators import CREATORS
from .trace.dispatch import METADATA

TITLES = ("function", "vjp", "jvp", "numba", "cupy")


# What kernels compute besides elementwise ops, and the views that they read through.
_IN_LOOPS = ALONE | PADDED | REDUCTIONS | {
    "transpose", "broadcast_to", "reshape", "ravel", "index", "where", "copy", "astype", "zeros",
    "full",
}  # fmt: skip


# Functions that CuPy 14 does not have; the others it has under the same name.
NOT_IN_CUPY = {
    "np": "spacing",
    "scipy.linalg": (
        "cholesky coshm cosm det inv pinv pinvh sinhm sinm solve solve_continuous_lyapunov "
        "solve_discrete_lyapunov solve_sylvester solveh_banded tanhm tanm"
    ),
    "scipy.special": (
        "airy betaincc betainccinv dawsn ellipe erfi eval_chebyt eval_chebyu eval_gegenbauer "
        "eval_genlaguerre eval_hermite eval_hermitenorm eval_jacobi eval_laguerre eval_legendre "
        "eval_sh_jacobi eval_sh_legendre fresnel hankel1 hankel1e hankel2 hankel2e hyp0f1 hyp1f1 "
        "hyp2f1 iv ive jv jve kn kv kve ndtri_exp owens_t powm1 spence stdtr stdtrit wofz "
        "wrightomega yv yve"
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A function and what it has.

    vjp: "rule", "parts" (it is composed of other ops) or "zero". jvp: "derived" from the vjp, where
    that is not zero. numba: "loop", "call" (of NumPy, between the loops) or "parts". cupy: "yes"
    where CuPy has a function of that name, "-" where it does not, or "parts".
    """

    function: str
    vjp: str
    jvp: str
    numba: str
    cupy: str


_JVP = {"zero": "zero", "rule": "derived", "parts": "derived"}


def rows() -> list[Row]:
    """Describe every function of the registry, in alphabetical order, those of SciPy last."""
    if find_spec("scipy"):
        for family in SCIPY:
            load(family)
    composed = [f for f in (*CREATORS, *COMPOSITES) if f not in LACKING]
    found = {_path(f): _composed(_path(f), f in STEPS) for f in composed}
    found |= {_path(f): _composed(_path(f), True) for f in METADATA}
    found |= {_path(f): _row(_path(f), op) for f, op in BY_FUNCTION.items()}
    return sorted(found.values(), key=lambda row: (row.function[:3] != "np.", row.function))


def _path(function: Any) -> str:
    """Name a function; `np.r_` and its kin have no name of their own."""
    if hasattr(function, "__name__"):
        return numpy_path(function)
    return next(f"np.{name}" for name, value in vars(np).items() if value is function)


def _composed(path: str, is_step: bool) -> Row:
    vjp = "zero" if is_step else "parts"
    return Row(path, vjp, _JVP[vjp], "parts", "parts")


def _row(path: str, op: Op) -> Row:
    vjp = "zero" if op.vjp is None else "rule"
    numba = "loop" if op.name in _IN_LOOPS or _has_form(op) else "call"
    package, _, name = path.rpartition(".")
    lacking = name in NOT_IN_CUPY.get(package, "").split()
    return Row(path, vjp, _JVP[vjp], numba, "-" if lacking else "yes")


def _has_form(op: Op) -> bool:
    """Tell whether loops can compute an elementwise op of floats, or of bools."""
    if not op.elementwise or op.several or op.variadic:
        return False
    count = op.fn.nin if isinstance(op.fn, np.ufunc) else len(op.vjp or "x")
    return any(_form(op, count, np.dtype(kind), out) for kind, out in _KINDS)


# Of operands and result: numbers to numbers, tests of numbers, logic.
_KINDS = (("f8", "f8"), ("f8", "b1"), ("b1", "b1"))


def _form(op: Op, count: int, kind: np.dtype[Any], out: str) -> bool:
    inputs = [Node(INPUT, (), {}, None, None, 0) for _ in range(count)]
    made = Node(op, tuple(inputs), {}, None, None, 0)
    made.spec = Spec(np.ndarray, (2,), np.dtype(out))
    for node in inputs:
        node.spec = Spec(np.ndarray, (2,), kind)
    return form_of(made) is not None


def lines(markdown: bool = False) -> Iterator[str]:
    """Write the rows as a table."""
    table = [TITLES, *(astuple(row) for row in rows())]
    widths = [max(len(line[i]) for line in table) for i in range(len(TITLES))]
    for number, line in enumerate(table):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        if not markdown:
            yield "  ".join(cells).rstrip()
            continue
        yield f"| {' | '.join(cells)} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
