"""Medians and quantiles: each is a weighted sum of elements, whose weights are its gradient.

Elements that are equal share their weight, as in max; where NaN makes a result NaN, it has the
weight. Between two elements a quantile grows by q with their distance, if the method is continuous.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dag.op import Op, composite, numpy_path, op
from .arrays import unlisted, with_dtype
from .reduce import axes_attrs, axes_of
from .shape import inverse

# Of the continuous methods: by how much more than the number of elements a place among the sorted
# elements grows with q. Hyndman and Fan, Sample quantiles in statistical packages (1996).
_GROWTH = {
    "linear": -1, "interpolated_inverted_cdf": 0, "hazen": 0, "weibull": 1,
    "median_unbiased": 1 / 3, "normal_unbiased": 1 / 4,
}  # fmt: skip


def quantile_weights(
    x: Any, q: Any, axes: Any, method: Any, scale: Any, skips: Any, growth: Any = None
) -> Any:
    """How much each element counts in each quantile; with growth, in the derivative by q.

    The axes of the result are those of q, those of x that stay, and those that are reduced.
    skips: NaN is left out. The place of a quantile is the quantile of 0, 1, 2, ...
    """
    kept = tuple(i for i in range(x.ndim) if i not in axes)
    shape = tuple(x.shape[i] for i in (*kept, *axes))
    count = int(np.prod(shape[len(kept) :]))
    rows = x.transpose(*kept, *axes).reshape(*shape[: len(kept)], count)
    weak = isinstance(q, (int, float)) and x.dtype.kind == "f"
    q = np.asarray(q, x.dtype if weak else None) / scale
    if not x.size:
        return np.zeros(q.shape + shape)
    missing = np.isnan(rows)
    known = np.array(count - missing.sum(axis=-1) if skips else np.full(rows.shape[:-1], count))
    places = np.zeros(q.shape + known.shape)
    for n in np.unique(known[known > 0]):
        place = np.quantile(np.arange(float(n)), q, method=method)
        places[..., known == n] = np.reshape(place, (*q.shape, 1))
    last = np.maximum(known - 1, 0)
    before = np.floor(places).astype(int)
    if growth is not None:  # the largest element ends a piece
        before = np.minimum(before, np.maximum(last - 1, 0))
    lost = known == 0 if skips else missing.any(axis=-1)
    ranked = np.broadcast_to(np.sort(rows, axis=-1), q.shape + rows.shape)
    shares = []
    for place in (before, np.minimum(before + 1, last)):
        value = np.take_along_axis(ranked, place[..., None], axis=-1)
        value = np.where(lost[..., None], np.nan, value)
        same = (rows == value) | (np.isnan(value) & missing)
        shares.append(same / np.maximum(same.sum(axis=-1, keepdims=True), 1))
    if growth is None:
        part = (places - before)[..., None]
        weights = shares[0] * (1.0 - part) + shares[1] * part
    else:
        inside = (places > 0) & (places < last) | (method == "linear")
        weights = (shares[1] - shares[0]) * (inside * (known + growth) / scale)[..., None]
    return weights.reshape(q.shape + shape)


def _weights_rule(g: Any, out: Any, x: Any, q: Any, method: Any, **attrs: Any) -> Any:
    if method not in _GROWTH:
        return None
    growing = _slopes(x, q, method=method, **attrs, growth=_GROWTH[method])
    return np.sum(g * growing, axis=tuple(range(np.ndim(q), np.ndim(out))))


_weights = op("quantile_weights", quantile_weights, vjp=[None, _weights_rule])
_slopes = op("quantile_slopes", quantile_weights, vjp=None)


def _apart(g: Any, x: Any, q: Any, axes: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """The cotangent with the axes that the weights have, and the order in which those of x are."""
    kept = tuple(i for i in range(np.ndim(x)) if i not in axes)
    shape = (*np.shape(q), *(np.shape(x)[i] for i in kept), *(1,) * len(axes))
    return np.reshape(g, shape), (*kept, *axes)


def _all_quantiles(shares: Any, q: Any) -> Any:
    """Sum what the elements get of each quantile, where there are several."""
    axes = tuple(range(np.ndim(q)))
    return np.sum(shares, axis=axes) if axes else shares


def _rules(scale: int, skips: bool) -> list[Any]:
    def by_x(
        g: Any, out: Any, x: Any, q: Any, axis: Any = None, method: str = "linear",
        keepdims: bool = False,
    ) -> Any:  # fmt: skip
        axes = axes_of(axis, np.ndim(x))
        g, order = _apart(g, x, q, axes)
        weights = _weights(x, q, axes=axes, method=method, scale=scale, skips=skips)
        return np.transpose(_all_quantiles(g * weights, q), inverse(order))

    def by_q(
        g: Any, out: Any, x: Any, q: Any, axis: Any = None, method: str = "linear",
        keepdims: bool = False,
    ) -> Any:  # fmt: skip
        if method not in _GROWTH:
            return None
        axes = axes_of(axis, np.ndim(x))
        g, order = _apart(g, x, q, axes)
        growing = _slopes(
            x, q, axes=axes, method=method, scale=scale, skips=skips, growth=_GROWTH[method]
        )
        terms = np.where(growing == 0, 0, growing * np.transpose(x, order))
        return np.sum(g * terms, axis=tuple(range(np.ndim(q), np.ndim(terms))))

    return [by_x, by_q]


def _attrs(axis: Any, keepdims: Any, method: str = "linear") -> dict[str, Any]:
    """The attributes of a call, without those that have their default."""
    attrs = axes_attrs(tuple(axis) if isinstance(axis, list) else axis, keepdims)
    attrs["method"] = method
    usual = {"axis": None, "keepdims": False, "method": "linear"}
    return {key: value for key, value in attrs.items() if value != usual[key]}


def _declare_median(function: Any, skips: bool) -> None:
    by_x = _rules(1, skips)[0]
    rule = lambda g, out, x, **attrs: by_x(g, out, x, 0.5, **attrs)
    median = op(function.__name__, function, vjp=[rule], path=numpy_path(function))

    @composite(function)
    def call(
        a: Any, axis: Any = None, *, overwrite_input: Any = False, keepdims: Any = False
    ) -> Any:
        return median(with_dtype(a), **_attrs(axis, keepdims))


def weighted_quantile(x: Any, q: Any, weights: Any, name: Any, axis: Any, keepdims: Any) -> Any:
    """The quantile of weighted elements, which is one of them."""
    quantile = getattr(np, name)
    return quantile(x, q, axis, weights=weights, method="inverted_cdf", keepdims=keepdims)


def _weighted_rule(
    g: Any, out: Any, x: Any, q: Any, weights: Any, name: str, axis: Any, keepdims: bool
) -> Any:
    axes = axes_of(axis, np.ndim(x))
    g, order = _apart(g, x, q, axes)
    out, x = _apart(out, x, q, axes)[0], np.transpose(x, order)
    same = (x == out) | ((x != x) & (out != out))
    reduced = tuple(range(np.ndim(same) - len(axes), np.ndim(same)))
    shares = np.divide(same, np.maximum(np.sum(same, axis=reduced, keepdims=True), 1))
    return np.transpose(_all_quantiles(g * shares, q), inverse(order))


_weighted = op(
    "weighted_quantile", weighted_quantile, vjp=[_weighted_rule, None, None], raises=True
)


def _declare_quantile(function: Any, scale: int, skips: bool) -> None:
    name = function.__name__
    quantile: Op = op(
        name, function, vjp=_rules(scale, skips), path=numpy_path(function), raises=True
    )

    @composite(function)
    def call(
        a: Any, q: Any, axis: Any = None, *, overwrite_input: Any = False, method: str = "linear",
        keepdims: Any = False, weights: Any = None,
    ) -> Any:  # fmt: skip
        attrs = _attrs(axis, keepdims, method)
        if weights is None:
            return quantile(with_dtype(a), unlisted(q), **attrs)
        if attrs.get("method") != "inverted_cdf":
            function(np.ones(1), 0, weights=np.ones(1), method=method)  # which raises
        del attrs["method"]
        given = {"axis": None, "keepdims": False} | attrs
        return _weighted(with_dtype(a), unlisted(q), with_dtype(weights), name=name, **given)


_declare_median(np.median, False)
_declare_median(np.nanmedian, True)
_declare_quantile(np.quantile, 1, False)
_declare_quantile(np.percentile, 100, False)
_declare_quantile(np.nanquantile, 1, True)
_declare_quantile(np.nanpercentile, 100, True)
