"""Multinomial logistic regression, 1024 features and 10 classes, float64, batch 1 and 100."""

from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Array, Case, Function
from benchmarks.floors import products
from benchmarks.hand import cross_entropy

Params = dict[str, Array]

FEATURES, CLASSES = 1024, 10


def loss(params: Params, x: Array, y: Array) -> Any:
    logits = x @ params["W"] + params["b"]
    logits = logits - np.max(logits, axis=1, keepdims=True)
    log_p = logits - np.log(np.sum(np.exp(logits), axis=1, keepdims=True))
    return -np.sum(log_p * y) / x.shape[0]


def data(batch: int) -> tuple[Params, Array, Array]:
    rng = np.random.default_rng(0)
    params = {
        "W": rng.standard_normal((FEATURES, CLASSES)) / np.sqrt(FEATURES),
        "b": 0.1 * rng.standard_normal(CLASSES),
    }
    x = rng.standard_normal((batch, FEATURES))
    return params, x, np.eye(CLASSES)[rng.integers(CLASSES, size=batch)]


def by_hand(params: Params, x: Array, y: Array) -> Function:
    """Write the gradient as two products and the cross-entropy between them."""
    logits = np.empty(y.shape)
    head = cross_entropy(y.shape, np.float64)

    def call(params: Params, x: Array, y: Array) -> tuple[Params, Any]:
        np.dot(x, params["W"], out=logits)
        np.add(logits, params["b"], out=logits)
        value = head(logits, y)
        return {"W": np.dot(x.T, logits), "b": np.add.reduce(logits, axis=0)}, value

    return call


def case(batch: int, **options: Any) -> Case:
    """Make the case with a batch size."""
    title = f"logistic regression 1024-10, batch {batch}, float64"
    return Case(f"logistic_b{batch}", title, loss, partial(data, batch), by_hand, **options)


CASES = (
    case(1),
    case(
        100,
        floor=products(np.float64, (100, FEATURES, CLASSES, 1), (FEATURES, 100, CLASSES, 1)),
    ),
)
