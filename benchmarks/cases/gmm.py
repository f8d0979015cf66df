"""The log-likelihood of a mixture of 25 Gaussians with diagonal covariances, float64.

1000 points of 10 dimensions. Written as it is in the books, it works on an array of points times
components times dimensions; tuned, the squares are expanded into matrix products.
"""

from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function

Params = dict[str, Array]

POINTS, DIMENSIONS, COMPONENTS = 1000, 10, 25


def log_sum_exp(a: Array) -> Any:
    top = np.max(a, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(a - top), axis=-1, keepdims=True)) + top


def loss(params: Params, x: Array) -> Any:
    scales = np.exp(params["log_scales"])
    z = (x[:, None, :] - params["means"]) / scales
    log_weights = params["logits"] - log_sum_exp(params["logits"])
    log_p = log_weights - np.sum(params["log_scales"], axis=1) - 0.5 * np.sum(z**2, axis=2)
    return -np.mean(log_sum_exp(log_p))


def data() -> tuple[Params, Array]:
    rng = np.random.default_rng(0)
    params = {
        "logits": rng.standard_normal(COMPONENTS),
        "means": rng.standard_normal((COMPONENTS, DIMENSIONS)),
        "log_scales": 0.3 * rng.standard_normal((COMPONENTS, DIMENSIONS)),
    }
    return params, rng.standard_normal((POINTS, DIMENSIONS))


def responsibilities() -> Function:
    """Make what turns log_p, in place, into its cotangent, and returns the loss."""
    column, total = np.empty((POINTS, 1)), np.empty((POINTS, 1))

    def call(log_p: Array) -> Any:
        np.maximum.reduce(log_p, axis=1, keepdims=True, out=column)
        np.subtract(log_p, column, out=log_p)
        np.exp(log_p, out=log_p)
        np.add.reduce(log_p, axis=1, keepdims=True, out=total)
        np.divide(-1.0 / POINTS, total, out=total)
        np.multiply(log_p, total, out=log_p)
        np.divide(-1.0 / POINTS, total, out=total)
        np.log(total, out=total)
        np.add(total, column, out=total)
        return -np.add.reduce(total, axis=None) / POINTS

    return call


def weights(logits: Array) -> tuple[Array, Array]:
    """Compute log-softmax and softmax of the logits: vectors of 25."""
    shifted = logits - logits.max()
    p = np.exp(shifted)
    total = p.sum()
    return shifted - np.log(total), p / total


def by_hand(params: Params, x: Array) -> Function:
    """Write the gradient on one array of points times components times dimensions, and a second."""
    z = np.empty((POINTS, COMPONENTS, DIMENSIONS))
    scratch = np.empty_like(z)
    log_p = np.empty((POINTS, COMPONENTS))
    respond = responsibilities()

    def call(params: Params, x: Array) -> tuple[Params, Any]:
        inverse = np.exp(-params["log_scales"])
        np.subtract(x[:, None, :], params["means"], out=z)
        np.multiply(z, inverse, out=z)
        np.einsum("nkd,nkd->nk", z, z, out=log_p)
        np.multiply(log_p, -0.5, out=log_p)
        log_weights, p = weights(params["logits"])
        np.add(log_p, log_weights - params["log_scales"].sum(axis=1), out=log_p)
        value = respond(log_p)

        taken = np.add.reduce(log_p, axis=0)
        np.multiply(z, log_p[:, :, None], out=scratch)
        dmeans = np.add.reduce(scratch, axis=0)
        np.multiply(dmeans, inverse, out=dmeans)
        np.multiply(scratch, z, out=scratch)
        dlog_scales = np.add.reduce(scratch, axis=0)
        np.subtract(dlog_scales, taken[:, None], out=dlog_scales)
        dlogits = taken - p * taken.sum()
        return {"logits": dlogits, "means": dmeans, "log_scales": dlog_scales}, value

    return call


def tuned(params: Params, x: Array) -> Function:
    """Expand the squares: sum((x - m)**2 * s) = x**2 @ s - 2 * x @ (m * s) + sum(m**2 * s)."""
    features = np.empty((POINTS, 2 * DIMENSIONS))
    factors = np.empty((2 * DIMENSIONS, COMPONENTS))
    log_p = np.empty((POINTS, COMPONENTS))
    respond = responsibilities()

    def call(params: Params, x: Array) -> tuple[Params, Any]:
        means, log_scales = params["means"], params["log_scales"]
        precision = np.exp(-2.0 * log_scales)
        weighted = means * precision
        np.multiply(x, x, out=features[:, :DIMENSIONS])
        np.copyto(features[:, DIMENSIONS:], x)
        np.multiply(precision.T, -0.5, out=factors[:DIMENSIONS])
        np.copyto(factors[DIMENSIONS:], weighted.T)
        np.dot(features, factors, out=log_p)
        log_weights, p = weights(params["logits"])
        constant = log_weights - log_scales.sum(axis=1)
        constant -= 0.5 * (means * weighted).sum(axis=1)
        np.add(log_p, constant, out=log_p)
        value = respond(log_p)

        taken = np.add.reduce(log_p, axis=0)
        sums = np.dot(log_p.T, features)
        squares, firsts = sums[:, :DIMENSIONS], sums[:, DIMENSIONS:]
        dmeans = (firsts - means * taken[:, None]) * precision
        dlog_scales = squares - 2.0 * means * firsts + means * means * taken[:, None]
        dlog_scales *= precision
        dlog_scales -= taken[:, None]
        dlogits = taken - p * taken.sum()
        return {"logits": dlogits, "means": dmeans, "log_scales": dlog_scales}, value

    return call


CASES = (Case("gmm", "GMM log-likelihood n=1000, d=10, K=25, float64", loss, data, by_hand, tuned),)
