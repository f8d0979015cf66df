"""Functions of matrices, and the equations of Sylvester and Lyapunov.

The derivative of a function f of a matrix A in a direction E is the upper right block of
f([[A, E], [0, A]]) (Mathias 1996; Higham 2008, "Functions of Matrices", section 3.2), so that each
function is its own rule, to every order. Stacks of matrices are taken as SciPy takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from ....dag.op import BY_NAME, Op, composite, op
from ...complexes import conj
from ...conversions import is_complex
from ...matrices import plus
from ...shape import swap
from .rules import checked


def _blocks(a: Any, upper: Any) -> Any:
    zeros = np.zeros(upper.shape, np.result_type(upper))
    if a.shape != upper.shape:
        a = np.broadcast_to(a, upper.shape)
    top = np.concatenate([a, upper], axis=-1)
    return np.concatenate([top, np.concatenate([zeros, a], axis=-1)], axis=-2)


def derivative(function: Any, a: Any, direction: Any) -> Any:
    """The derivative of a function of matrices in a direction, which may be of any size."""
    n = a.shape[-1]
    if n == 0:
        return direction
    size = BY_NAME["stop_gradient"](np.max(np.abs(direction)))
    size = np.where(size > 0, size, 1)  # a large block would cost the small ones their digits
    whole = function(_blocks(a, np.divide(direction, size)))
    return whole[..., :n, n:] * size


def function_of_matrix(function: Any, bind: Callable[[Any], Any] = lambda A: ((A,), {})) -> Op:
    """Declare a function of square matrices that gives real ones for real ones."""
    declared: Op = op(
        f"scipy.linalg.{function.__name__}", function, stands_for=(function,),
        bind=bind,
        vjp=[lambda g, out, a: derivative(declared, swap(a), g)],
    )  # fmt: skip
    return declared


def _bind_expm(A: Any) -> Any:
    number = np.size(A) == 1 and np.ndim(A) < 2  # which counts as a matrix
    return (np.reshape(A, (1, 1)) if number else A,), {}


expm = function_of_matrix(scipy.linalg.expm, _bind_expm)
for _function in (
    scipy.linalg.cosm, scipy.linalg.sinm, scipy.linalg.tanm, scipy.linalg.coshm, scipy.linalg.sinhm,
    scipy.linalg.tanhm,
):  # fmt: skip
    function_of_matrix(_function)


# -- roots and logarithms, which may be complex for real matrices --------------------------------


def _sqrtm(a: Any) -> Any:
    return scipy.linalg.sqrtm(a).astype(np.result_type(a, np.complex64))


def _logm(a: Any) -> Any:
    return scipy.linalg.logm(a).astype(np.result_type(a, np.complex64))


def _sqrtm_rule(g: Any, out: Any, a: Any) -> Any:
    root = swap(out)
    return solve_sylvester(root, root, g)


sqrtm = op("scipy.linalg.sqrtm", _sqrtm, vjp=[_sqrtm_rule])
logm: Op = op("scipy.linalg.logm", _logm, vjp=[lambda g, out, a: derivative(logm, swap(a), g)])


def _as_real_as_it_is(function: Op, a: Any) -> Any:
    """Give a real result for a real matrix that has one; which it is holds for one path."""
    found = function(a)
    if is_complex(a) or bool(np.any(np.imag(found))):
        return found
    return np.real(found)


@composite(scipy.linalg.sqrtm)
def _root(A: Any) -> Any:
    return _as_real_as_it_is(sqrtm, A)


@composite(scipy.linalg.logm)
def _logarithm(A: Any) -> Any:
    return _as_real_as_it_is(logm, A)


def _frechet_by_matrix(g: Any, out: Any, a: Any, e: Any, **_: Any) -> Any:
    n = a.shape[-1]
    corner = np.concatenate([np.zeros(g.shape, np.result_type(g)), g], axis=-1)
    placed = np.concatenate([corner, np.zeros(corner.shape, np.result_type(g))], axis=-2)
    whole = derivative(expm, swap(_blocks(a, e)), placed)
    return whole[..., :n, :n] + whole[..., n:, n:]


def _frechet(a: Any, e: Any, *, method: str | None = None, check_finite: bool = True) -> Any:
    return scipy.linalg.expm_frechet(a, e, method, compute_expm=False, check_finite=check_finite)


def _pair_by_matrix(g: Any, out: Any, a: Any, e: Any, **_: Any) -> Any:
    found = None if g[0] is None else derivative(expm, swap(a), g[0])
    return found if g[1] is None else plus(found, _frechet_by_matrix(g[1], out, a, e))


frechet = op(
    "scipy.linalg.frechet", _frechet,
    vjp=[_frechet_by_matrix, lambda g, out, a, e, **_: derivative(expm, swap(a), g)],
)  # fmt: skip
expm_and_frechet = op(
    "scipy.linalg.expm_frechet", scipy.linalg.expm_frechet, several=2,
    path="scipy.linalg.expm_frechet",
    vjp=[
        _pair_by_matrix,
        lambda g, out, a, e, **_: None if g[1] is None else derivative(expm, swap(a), g[1]),
    ],
)  # fmt: skip


@composite(scipy.linalg.expm_frechet)
def _expm_frechet(
    A: Any, E: Any, method: str | None = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    attrs = checked(check_finite) | ({} if method is None else {"method": method})
    return expm_and_frechet(A, E, **attrs) if compute_expm else frechet(A, E, **attrs)


# -- Sylvester, Lyapunov -------------------------------------------------------------------------


def _by_right(g: Any, a: Any, b: Any) -> Any:
    return solve_sylvester(swap(a), swap(b), g)


solve_sylvester = op(
    "scipy.linalg.solve_sylvester", scipy.linalg.solve_sylvester,
    stands_for=(scipy.linalg.solve_sylvester,), bind=lambda a, b, q: ((a, b, q), {}),
    raises=True, vjp=[
        lambda g, out, a, b, q: -np.matmul(_by_right(g, a, b), swap(out)),
        lambda g, out, a, b, q: -np.matmul(swap(out), _by_right(g, a, b)),
        lambda g, out, a, b, q: _by_right(g, a, b),
    ],
)  # fmt: skip


def _continuous_rule(g: Any, out: Any, a: Any, q: Any) -> Any:
    v = continuous_lyapunov(swap(a), g)
    return -np.matmul(v, swap(out)) - conj(np.matmul(swap(v), out))


continuous_lyapunov: Op = op(
    "scipy.linalg.solve_continuous_lyapunov", scipy.linalg.solve_continuous_lyapunov,
    stands_for=(scipy.linalg.solve_continuous_lyapunov,), bind=lambda a, q: ((a, q), {}),
    vjp=[_continuous_rule, lambda g, out, a, q: continuous_lyapunov(swap(a), g)],
)  # fmt: skip


def _discrete_rule(g: Any, out: Any, a: Any, q: Any, **attrs: Any) -> Any:
    v = discrete_lyapunov(swap(a), g, **attrs)
    one = np.matmul(np.matmul(v, conj(a)), swap(out))
    return one + conj(np.matmul(swap(v), np.matmul(a, out)))


discrete_lyapunov: Op = op(
    "scipy.linalg.solve_discrete_lyapunov", scipy.linalg.solve_discrete_lyapunov,
    stands_for=(scipy.linalg.solve_discrete_lyapunov,),
    bind=lambda a, q, method=None: ((a, q), {} if method is None else {"method": method}),
    vjp=[
        _discrete_rule,
        lambda g, out, a, q, **attrs: discrete_lyapunov(swap(a), g, **attrs),
    ],
)  # fmt: skip
