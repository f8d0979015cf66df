"""Draw what the examples have made: curves, rows of images, graphs. Nothing here needs a screen."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tracejit import TracejitError
from tracejit.debug import Graph, dot_source, draw_dot


def draw_curves(curves: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """Draw, side by side under their names, each model's two losses over the epochs."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for ax, (name, curve) in zip(figure.subplots(1, len(curves)), curves.items(), strict=True):
        training, held_out = zip(*curve, strict=True)
        epochs = range(1, len(curve) + 1)
        ax.plot(epochs, training, label="training")
        ax.plot(epochs, held_out, "--", label="held out")
        # Most of the fall is in the first epochs.
        ax.set(title=name, xlabel="epoch", ylabel="loss", xscale="log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.grid(alpha=0.25)
        ax.legend(frameon=False)
    figure.savefig(path, dpi=150)


def draw_images(rows: dict[str, np.ndarray], path: Path) -> None:
    """Draw rows of flattened 8x8 images under each other, each with its title."""
    count = len(next(iter(rows.values())))
    figure = Figure(figsize=(count, 1.15 * len(rows)), layout="constrained")
    for axes, (title, images) in zip(figure.subplots(len(rows), count), rows.items(), strict=True):
        axes[0].set_ylabel(title)
        for ax, image in zip(axes, images, strict=True):
            ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_color("lightgray")
    figure.savefig(path, dpi=150)


def draw_graph(graph: Graph, path: Path) -> str:
    """Write a graph as DOT and, where a program can draw it, as SVG; say where it is."""
    text = dot_source(graph)
    path.write_text(text, encoding="utf-8")
    svg = path.with_suffix(".svg")
    try:
        draw_dot(text, svg)
    except TracejitError as error:
        return f"{path} (no SVG: {error})"
    return str(svg)
