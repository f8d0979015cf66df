"""SciPy's optimisers over nested structures, with gradients by tracejit.

Parameters in dicts, lists and the like enter, and leave in the same structure; SciPy sees one
vector. It gets the gradient, products with the Hessian where its method takes them, and Jacobians.
Needs SciPy: `pip install tracejit[scipy]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import ParameterTypeError
from .gradients import value_and_grad
from .operators import hvp, jacobian
from .tree import Tree, flatten, list_leaves, path_text, unflatten

_BY_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
_WITHOUT = {"nelder-mead", "powell", "cobyla", "cobyqa"}  # they ask for values alone


def minimize(
    f: Callable[..., Any], params: Any, args: Sequence[Any] = (), *, method: str = "L-BFGS-B",
    progress: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """Minimise a scalar function of nested parameters by scipy.optimize.minimize.

    Args:
        f: `f(params, *args)` returns a real scalar.
        params: where to begin: numbers and arrays of floats, in nested structures.
        args: further arguments of f.
        method: one of SciPy's; those that take products with the Hessian get them.
        progress: show a bar with the value, by tqdm.
        options: what scipy.optimize.minimize takes besides: tol, bounds, constraints, options.

    Returns:
        SciPy's OptimizeResult, in which x (and jac, if there) has the structure of params.

    >>> minimize(lambda p: np.sum((p["w"] - 1.0) ** 2), {"w": np.zeros(3)}).x
    """
    from scipy import optimize

    vector, form = _taken_apart(params)
    both = value_and_grad(f)

    def value_and_slope(x: Any) -> tuple[float, Any]:
        found, gradient = both(form.build(x), *args)
        return float(found), form.vector(gradient)

    def value(x: Any) -> float:
        return float(f(form.build(x), *args))

    given: dict[str, Any] = {"jac": True}
    fun: Callable[..., Any] = value_and_slope
    if method.lower() in _WITHOUT:
        given, fun = {}, value
    elif method.lower() in _BY_PRODUCTS:
        product = hvp(f)
        given["hessp"] = lambda x, v: form.vector(product(form.build(x), *args, form.build(v)))
    if progress:
        given["callback"] = _bar(options.pop("callback", None), value)
    result = optimize.minimize(fun, vector, method=method, **{**given, **options})
    result.x = form.build(result.x)
    if isinstance(getattr(result, "jac", None), np.ndarray):
        result.jac = form.build(result.jac)
    return result


def least_squares(
    f: Callable[..., Any], params: Any, args: Sequence[Any] = (), **options: Any
) -> Any:
    """Minimise half the sum of squares of residuals by scipy.optimize.least_squares.

    f(params, *args) returns an array of residuals; the rest is as in `minimize`.
    """
    from scipy import optimize

    vector, form = _taken_apart(params)
    derivatives = jacobian(f)

    def residuals(x: Any) -> Any:
        return np.ravel(f(form.build(x), *args))

    def slopes(x: Any) -> Any:
        leaves = list_leaves(derivatives(form.build(x), *args))
        pairs = zip(leaves, form.sizes, strict=True)
        return np.concatenate([np.reshape(leaf, (-1, size)) for leaf, size in pairs], axis=1)

    result = optimize.least_squares(residuals, vector, slopes, **options)
    result.x = form.build(result.x)
    return result


class _Form:
    """The structure of parameters: leaves with their shapes and dtypes."""

    def __init__(self, tree: Tree, leaves: list[Any]) -> None:
        self.tree = tree
        self.leaves = leaves
        self.sizes = [int(np.size(leaf)) for leaf in leaves]

    def build(self, vector: Any) -> Any:
        """Put a vector into the structure."""
        ends = np.cumsum(self.sizes)[:-1]
        parts = np.split(np.asarray(vector), ends)
        made = [
            part.reshape(leaf.shape).astype(leaf.dtype)
            if isinstance(leaf, np.ndarray)
            else type(leaf)(part[0])
            for part, leaf in zip(parts, self.leaves, strict=True)
        ]
        return unflatten(self.tree, iter(made))

    def vector(self, value: Any) -> Any:
        """Make one vector of a structure."""
        return np.concatenate([np.ravel(leaf) for leaf in list_leaves(value)]).astype(np.float64)


def _taken_apart(params: Any) -> tuple[Any, _Form]:
    leaves: list[Any] = []
    tree = flatten(params, leaves)
    for leaf, path in zip(leaves, tree.paths(), strict=True):
        if getattr(leaf, "dtype", np.dtype(type(leaf))).kind != "f":
            raise ParameterTypeError(
                f"{path_text('params', path)} is a {type(leaf).__name__}; parameters are floats"
            )
    form = _Form(tree, leaves)
    return form.vector(params), form


def _bar(callback: Callable[..., Any] | None, value: Callable[..., Any]) -> Callable[..., Any]:
    """Make a callback that counts iterations and shows the value."""
    from tqdm.auto import tqdm

    bar = tqdm(unit="step")

    def step(x: Any, *rest: Any) -> Any:
        bar.set_postfix(value=value(x))
        bar.update()
        return None if callback is None else callback(x, *rest)

    return step
