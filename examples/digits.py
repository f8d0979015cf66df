"""Train three models on handwritten digits, with gradients that tracejit compiles.

A logistic regression, a two-layer tanh network and an autoencoder with tied weights learn from the
1,797 digits that scikit-learn ships. Prints the Python that tracejit emitted for the network, how
good each model is, and what a training step costs, direct and compiled. Draws loss curves,
reconstructions and the network's graph into a folder. `make demo` runs it.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import tqdm

from pictures import draw_curves, draw_graph, draw_images
from tracejit import jit_grad

Array = np.ndarray
Params = dict[str, list[Array]]

SEED, BATCH, EPOCHS, MOMENTUM = 0, 64, 100, 0.9


def linear(params: Params, x: Array) -> Array:
    """Score the ten classes by one affine map."""
    return x @ params["W"][0] + params["b"][0]


def network(params: Params, x: Array) -> Array:
    """Score the ten classes, between -1 and 1, by two tanh layers."""
    h = np.tanh(x @ params["W"][0] + params["b"][0])
    return np.tanh(h @ params["W"][1] + params["b"][1])


def autoencoder(params: Params, x: Array) -> Array:
    """Squeeze each image into 16 numbers and draw it again through the same weights, transposed."""
    W1, W2 = params["W"]
    b1, b2, b3, b4 = params["b"]
    code = np.tanh(np.tanh(x @ W1 + b1) @ W2 + b2)
    return np.tanh(code @ W2.T + b3) @ W1.T + b4


def cross_entropy(scores: Array, y: Array) -> float:
    """Average the negative log-softmax of each row at its class, a row of the one-hot y."""
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(np.sum(log_p * y, axis=1))


def linear_loss(params: Params, x: Array, y: Array) -> float:
    """Return the loss of the logistic regression."""
    return cross_entropy(linear(params, x), y)


def network_loss(params: Params, x: Array, y: Array) -> float:
    """Return the loss of the network."""
    return cross_entropy(network(params, x), y)


def autoencoder_loss(params: Params, x: Array, penalty: float) -> float:
    """Return the mean squared error plus an L2 penalty on every weight."""
    W1, W2 = params["W"]
    error = np.mean((autoencoder(params, x) - x) ** 2)
    return error + penalty * (np.sum(W1**2) + np.sum(W2**2))


@dataclass
class Model:
    """A loss, where its parameters start, the arrays it learns from row by row, and how fast."""

    name: str
    loss: Callable[..., float]
    params: Params
    train: tuple[Array, ...]
    held_out: tuple[Array, ...]
    rate: float
    constants: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        self.df = jit_grad(self.loss)
        self.curve: list[tuple[float, float]] = []  # each epoch's loss: training, held out

    def args(self, rows: Array | slice) -> tuple:
        """Return what the loss is called with for some rows of the training data."""
        return (self.params, *(a[rows] for a in self.train), *self.constants)


def init(rng: np.random.Generator, layers: list[int], biases: list[int]) -> Params:
    """Draw weights between layers of the given sizes; start biases at zero."""
    return {
        "W": [rng.standard_normal((m, n)) / np.sqrt(m) for m, n in pairwise(layers)],
        "b": [np.zeros(n) for n in biases],
    }


def fit(model: Model, rng: np.random.Generator) -> None:
    """Train in place by stochastic gradient descent with momentum."""
    velocity = {key: [np.zeros_like(p) for p in ps] for key, ps in model.params.items()}
    rows = len(model.train[0])
    for _ in (bar := tqdm(range(EPOCHS), desc=f"{model.name:19}", unit="epoch")):
        losses = []
        # A last batch of another size would be compiled anew: leave those rows to other epochs.
        for batch in rng.permutation(rows)[: rows - rows % BATCH].reshape(-1, BATCH):
            grads, loss = model.df(*model.args(batch))
            losses.append(loss)
            for key, ps in model.params.items():
                for p, v, g in zip(ps, velocity[key], grads[key], strict=True):
                    v *= MOMENTUM
                    v -= model.rate * g
                    p += v
        # The loss is still a plain function, for when there is no gradient to be taken.
        held_out = model.loss(model.params, *model.held_out, *model.constants)
        model.curve.append((float(np.mean(losses)), held_out))
        bar.set_postfix(loss=f"{model.curve[-1][0]:.4f}", refresh=False)


def time_step(model: Model, rounds: int = 50, calls: int = 10) -> tuple[float, float]:
    """Return the median microseconds of a loss with its gradients, direct and compiled."""
    args = model.args(slice(BATCH))
    model.df.wait()  # for the machine code
    contenders = (jit_grad(model.loss, optimize=False), model.df)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for df, spent in zip(contenders, times, strict=True):
            start = perf_counter()
            for _ in range(calls):
                df(*args)
            spent.append((perf_counter() - start) / calls * 1e6)
    return median(times[0]), median(times[1])


def make_models() -> tuple[Model, Model, Model]:
    """Load the digits, hold a fifth of them out, and set up the three models."""
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data / 16, np.eye(10)[digits.target], test_size=0.2, random_state=SEED
    )
    rng = np.random.default_rng(SEED)
    scores = init(rng, [64, 10], [10])
    layers = init(rng, [64, 50, 10], [50, 10])
    tied = init(rng, [64, 32, 16], [32, 16, 32, 64])
    return (
        Model("logistic regression", linear_loss, scores, (x, y), (x_test, y_test), rate=0.3),
        Model("tanh network", network_loss, layers, (x, y), (x_test, y_test), rate=0.1),
        Model("tied autoencoder", autoencoder_loss, tied, (x,), (x_test,), 1.0, constants=(1e-5,)),
    )


def main() -> None:
    """Train, print what came of it, and draw."""
    parser = argparse.ArgumentParser(description="Train three models on handwritten digits.")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), help="folder for pictures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    models = logistic, tanh, auto = make_models()
    rng = np.random.default_rng(SEED)
    for model in models:
        fit(model, rng)

    batch = tanh.args(slice(BATCH))
    print(f"\nThe Python emitted for the {tanh.name}:\n\n{tanh.df.source(*batch)}")
    loops = tanh.df.source(*batch, backend="numba")
    print("\nThe loops that became machine code in the meantime:\n")
    print(loops[loops.index("@njit(") : loops.index("def allocate")])

    x, y = tanh.held_out
    classes = y.argmax(axis=1)
    held_out = (
        f"accuracy {np.mean(linear(logistic.params, x).argmax(axis=1) == classes):.3f}",
        f"accuracy {np.mean(network(tanh.params, x).argmax(axis=1) == classes):.3f}",
        f"error {np.mean((autoencoder(auto.params, x) - x) ** 2):.4f}",
    )
    print(f"{'':21}{'held out':16}{'step: direct':>14}{'compiled':>12}{'ratio':>8}")
    for model, result in zip(models, held_out, strict=True):
        direct, compiled = time_step(model)
        times = f"{direct:11.0f} us{compiled:9.0f} us{direct / compiled:8.1f}"
        print(f"{model.name:21}{result:16}{times}")

    digits = x[[np.flatnonzero(classes == digit)[0] for digit in range(10)]]
    rows = {"original": digits, "16 numbers": autoencoder(auto.params, digits)}
    draw_curves({model.name: model.curve for model in models}, out / "losses.png")
    draw_images(rows, out / "reconstructions.png")
    graph = draw_graph(tanh.df.graph(*batch), out / "digits.dot")
    print(f"\nloss curves      {out / 'losses.png'}")
    print(f"reconstructions  {out / 'reconstructions.png'}")
    print(f"network's graph  {graph}")


if __name__ == "__main__":
    main()
