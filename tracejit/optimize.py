"""SciPy's optimisers over nested structures, with gradients by tracejit.

Parameters in dicts, lists and the like enter, and leave in the same structure; SciPy sees one
vector. It gets the gradient, products with the Hessian where its method takes them, and Jacobians.
Needs SciPy: `pip install tracejit[scipy]`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .cache import STATIC
from .errors import ConfigError, ParameterTypeError
from .operators import hessian, hvp, jacobian
from .operators.gradients import value_and_grad
from .tree import Tree, flatten, list_leaves, path_text, unflatten

_BY_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
_BY_HESSIAN = {"dogleg", "trust-exact"}
_WITHOUT = {"nelder-mead", "powell", "cobyla", "cobyqa"}  # they ask for values alone


def minimize(
    f: Callable[..., Any], params: Any, args: Any = (), *, method: Any = "L-BFGS-B",
    progress: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """Minimise a scalar function of nested parameters by scipy.optimize.minimize.

    Args:
        f: `f(params, *args)` returns a real scalar.
        params: where to begin: numbers and arrays of floats, in nested structures.
        args: further arguments of f.
        method: one of SciPy's; those that take the Hessian, or products with it, get them.
        progress: show a bar with the value, by tqdm.
        options: what scipy.optimize.minimize takes besides: tol, bounds, constraints, callback,
            options, or a jac, hess or hessp in place of tracejit's. They are about the vector of
            all numbers, leaf by leaf.

    Returns:
        SciPy's OptimizeResult, in which x (and jac, if there) has the structure of params. A
        value that is not finite is no success.

    >>> minimize(lambda p: np.sum((p["w"] - 1.0) ** 2), {"w": np.zeros(3)}).x
    """
    from scipy import optimize

    if options.get("jac") is True:
        raise ConfigError(
            "jac=True says that f returns its gradient, too; let f return the value alone and "
            "leave jac out, and the gradient is found"
        )
    args = args if isinstance(args, (tuple, list)) else (args,)
    vector, form = _taken_apart(params)
    both = value_and_grad(f)

    def value_and_slope(x: Any) -> tuple[float, Any]:
        found, gradient = both(form.build(x), *args)
        return _number(found), form.vector(gradient)

    def value(x: Any) -> float:
        return _number(f(form.build(x), *args))

    name = method.lower() if isinstance(method, str) else ""
    slopes = "jac" not in options and name not in _WITHOUT
    given: dict[str, Any] = {"jac": True} if slopes else {}
    if name in _BY_PRODUCTS and "hess" not in options:
        product = hvp(f)
        given["hessp"] = lambda x, v: form.vector(product(form.build(x), *args, form.build(v)))
    if name in _BY_HESSIAN:
        second = hessian(f)
        given["hess"] = lambda x: form.matrix(second(form.build(x), *args))
    with _bar(progress) as show:
        if progress:
            given["callback"] = _showing(options.pop("callback", None), lambda x: show(value(x)))
        fun = value_and_slope if slopes else value
        result = optimize.minimize(fun, vector, method=method, **{**given, **options})
    result.x = form.build(result.x)
    if isinstance(getattr(result, "jac", None), np.ndarray):
        result.jac = form.build(result.jac)
    if not np.all(np.isfinite(getattr(result, "fun", 0.0))):
        result.success, result.message = False, f"the value is {result.fun}; {result.message}"
    return result


def least_squares(
    f: Callable[..., Any], params: Any, args: Any = (), *, progress: bool = False, **options: Any
) -> Any:
    """Minimise half the sum of squares of residuals by scipy.optimize.least_squares.

    f(params, *args) returns an array of residuals, or a structure of them; the rest is as in
    `minimize`.
    """
    from scipy import optimize

    args = args if isinstance(args, (tuple, list)) else (args,)
    vector, form = _taken_apart(params)
    derivatives = jacobian(f)

    def residuals(x: Any) -> Any:
        return _joined(f(form.build(x), *args))

    with _bar(progress) as show:

        def slopes(x: Any) -> Any:
            if progress:
                show(0.5 * float(np.sum(residuals(x) ** 2)))
            return form.matrix(derivatives(form.build(x), *args))

        jac = options.pop("jac", slopes)
        result = optimize.least_squares(residuals, vector, jac, **options)
    result.x = form.build(result.x)
    return result


def _number(found: Any) -> float:
    return float(np.reshape(found, ()))


def _joined(value: Any) -> Any:
    """Make one vector of a structure."""
    return np.concatenate([np.ravel(leaf) for leaf in list_leaves(value)]).astype(np.float64)


class _Form:
    """The structure of parameters, and those of its leaves that are floats; others stay."""

    def __init__(self, tree: Tree, leaves: list[Any]) -> None:
        self.tree = tree
        self.leaves = leaves
        self.places = [i for i, leaf in enumerate(leaves) if type(leaf) not in STATIC]
        self.floats = [leaves[i] for i in self.places]

    def build(self, vector: Any) -> Any:
        """Put a vector into the structure."""
        ends = np.cumsum([np.size(leaf) for leaf in self.floats])[:-1]
        made = list(self.leaves)
        for i, leaf, part in zip(
            self.places, self.floats, np.split(np.asarray(vector), ends), strict=True
        ):
            made[i] = (
                part.reshape(leaf.shape).astype(leaf.dtype)
                if isinstance(leaf, np.ndarray) else type(leaf)(part[0])
            )  # fmt: skip
        return unflatten(self.tree, iter(made))

    def vector(self, value: Any) -> Any:
        """Make one vector of a structure."""
        leaves = list_leaves(value)
        return _joined([leaves[i] for i in self.places])

    def matrix(self, derivatives: Any) -> Any:
        """Make one matrix of derivatives by the parameters: of one array, or of a structure."""
        found = [leaf for leaf in list_leaves(derivatives) if leaf is not None]
        width = len(self.floats)
        rows = (found[i : i + width] for i in range(0, len(found), width))
        return np.concatenate([self._row(row) for row in rows]).astype(np.float64)

    def _row(self, row: list[Any]) -> Any:
        outer = row[0].shape[: row[0].ndim - np.ndim(self.floats[0])]
        height = int(np.prod(outer))
        pairs = zip(row, self.floats, strict=True)
        return np.concatenate([leaf.reshape(height, np.size(like)) for leaf, like in pairs], axis=1)


def _taken_apart(params: Any) -> tuple[Any, _Form]:
    leaves: list[Any] = []
    tree = flatten(params, leaves)
    for leaf, path in zip(leaves, tree.paths(), strict=True):
        fixed = tree.cls is not None and type(leaf) in STATIC
        if not fixed and getattr(leaf, "dtype", np.dtype(type(leaf))).kind != "f":
            raise ParameterTypeError(
                f"{path_text('params', path)} is {getattr(leaf, 'dtype', type(leaf).__name__)}; "
                "parameters are floats: use 2.0 for 2, and x.astype(float)"
            )
    form = _Form(tree, leaves)
    if not form.floats:
        raise ParameterTypeError("params hold no floats, so there is nothing to vary")
    return form.vector(params), form


@contextmanager
def _bar(wanted: bool) -> Iterator[Callable[[float], None]]:
    """Give what shows a value beside a count of steps."""
    if not wanted:
        yield lambda value: None
        return
    from tqdm.auto import tqdm

    with tqdm(unit="step") as bar:

        def show(value: float) -> None:
            bar.set_postfix(value=value)
            bar.update()

        yield show


def _showing(
    callback: Callable[..., Any] | None, show: Callable[[Any], None]
) -> Callable[..., Any]:
    """Make a callback that shows the value first; SciPy asks for its parameter's name."""
    named = callback is not None and {*inspect.signature(callback).parameters} == {
        "intermediate_result"
    }

    def by_result(intermediate_result: Any) -> Any:
        show(intermediate_result.x)
        return callback and callback(intermediate_result=intermediate_result)

    def by_vector(x: Any, *rest: Any) -> Any:
        show(x)
        return callback and callback(x, *rest)

    return by_result if named else by_vector
