"""Golden files of kernels and of what calls them, without the functions of the library."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.trees import record
from tracejit.codegen.emit import emit
from tracejit.codegen.targets import find

GOLDEN = Path(__file__).parent / "golden"


def network(params, x, y):
    h1 = np.tanh(x @ params["W"][0] + params["b"][0])
    h2 = np.tanh(h1 @ params["W"][1] + params["b"][1])
    y_hat = h2 - np.log(np.sum(np.exp(h2)))
    return -np.sum(y_hat * y)


def softmax(p, x, y):
    z = x @ p["W"] + p["b"]
    z = z - np.max(z, axis=1, keepdims=True)
    return -np.mean(np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))), axis=1))


def recurrent(p, x):
    h, total = p["h"], 0.0
    for t in range(len(x)):
        h = np.tanh(p["U"] @ h + x[t])
        total = total + np.sum(h * h) * 0.1
    return total


def weights():
    shapes = {"W": [(100, 50), (50, 10)], "b": [(50,), (10,)]}
    return {name: [np.ones(shape) for shape in shapes[name]] for name in shapes}


KERNELS = {
    "network": (network, (weights(), np.ones((1, 100)), np.ones((1, 10)))),
    "softmax": (
        softmax, ({"W": np.ones((20, 5)), "b": np.ones(5)}, np.ones((64, 20)), np.ones((64, 5))),
    ),
    "recurrent": (recurrent, ({"U": np.ones((4, 4)), "h": np.ones(4)}, np.ones((10, 4)))),
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
def test_golden(name):
    """Compare with the golden file; TRACEJIT_GOLDEN=1 writes it."""
    function, args = KERNELS[name]
    recorded = record(function, *args).optimized()
    text = emit(recorded.graph, recorded.signature, recorded.form, False, find("numba")).text
    text = text[text.index("@njit(") : text.index("def accepts")]
    path = GOLDEN / f"kernels_{name}.py.txt"
    if os.environ.get("TRACEJIT_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()
