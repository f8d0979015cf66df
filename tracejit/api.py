"""jit_grad: its options, and what they mean. The work is in function.py."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .config import check_backend
from .errors import ConfigError
from .function import JitGrad
from .outcome import Wanted


def jit_grad(
    f: Callable[..., Any] | None = None,
    optimize: bool = True,
    withForward: bool = True,
    withGradients: bool = True,
    partialGrad: bool = False,
    debugHook: Callable[[Any, str, Any], None] | None = None,
    *,
    argnum: int | tuple[int, ...] = 0,
    backend: str = "auto",
    audit: bool | str = True,
) -> Any:
    """Make of a NumPy function one that also computes gradients, compiled to Python source.

    >>> df = jit_grad(lambda w, x: np.sum(np.tanh(x @ w) ** 2))
    >>> grads, loss = df(w, x)               # gradients come first

    `df = jit_grad(f)` is called like f and returns `(grads, out1, out2, ...)`. grads has the
    structure of the first argument (a number, an array, or nested lists, tuples, dicts,
    namedtuples and dataclasses of them), each leaf with its parameter's shape, dtype and kind.
    Only a plain tuple returned by f means several outputs; only the first is differentiated, and
    it must be a real scalar (an array of size 1, or a number). Works as a decorator, with and
    without arguments, and on methods.

    Args:
        f: an ordinary Python function over NumPy arrays and numbers.
        optimize: compile. With False every call records f and applies the gradient rules.
        withForward: return the outputs. With False only grads.
        withGradients: return grads. With False only the outputs (bare if there is one).
        partialGrad: the last positional argument of df is dL/d(out1), of out1's shape, and is
            not passed to f; out1 may have any shape.
        debugHook: called as `debugHook(debugger, message, gen)` where a NaN or Inf first appears
            from finite inputs; `debugger.generateDot(path)` and `debugger.showDot()` draw the
            graph, `gen.source` is the code and `gen.line` the line in it.
        argnum: which positional argument holds the parameters; of several, grads is a tuple.
        backend: "auto" answers with NumPy at once; what is called often is compiled by Numba, if
            that is installed, in another process, and takes over when it is ready. "numpy" or
            "numba" keeps to one, for the same bits at every call; with "numba" the second call
            waits for the compiler.
        audit: compare the first compiled call, and later ones as long as that costs under 1% of
            the time, with the plain function and direct mode; "always" compares every call.

    Returns:
        A callable like f, with `source(*args)`: the emitted code; `graph(*args)`: the optimised
        joint graph; `explain()`: what is cached, how it is answered and why, why calls missed;
        `wait()`: compile what was called, and wait for that; `cache_info()`, `cache_clear()`.

    Raises:
        ValueError: withForward and withGradients are both False.
        TypeError: f is not callable. When called: a parameter is an integer.
        TracejitError: when called; see tracejit.errors.
    """
    if not withForward and not withGradients:
        raise ConfigError("withForward and withGradients are both False: nothing to compute")
    if partialGrad and not withGradients:
        raise ConfigError("partialGrad=True gives a cotangent, but withGradients is False")
    check_backend(backend)
    if f is None:
        return functools.partial(
            jit_grad, optimize=optimize, withForward=withForward, withGradients=withGradients,
            partialGrad=partialGrad, debugHook=debugHook, argnum=argnum, backend=backend,
            audit=audit,
        )  # fmt: skip
    if not callable(f):
        raise TypeError(f"jit_grad takes a function, not a {type(f).__name__}")
    if audit not in (True, False, "always"):
        raise ConfigError(f"audit={audit!r} is not allowed; use True, False or 'always'")
    if debugHook is not None and not callable(debugHook):
        raise TypeError(f"debugHook takes a function, not a {type(debugHook).__name__}")
    wanted = Wanted(withForward, withGradients, partialGrad, argnum)
    return JitGrad(f, wanted, optimize, debugHook, audit, backend)
