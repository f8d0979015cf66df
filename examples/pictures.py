"""Draw what the examples have made: curves, rows of images, graphs. Nothing here needs a screen."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


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


def draw_graph(dot: str, path: Path) -> str:
    """Write a graph as DOT and, where a program can draw it, as SVG; say where it is."""
    path.write_text(dot, encoding="utf-8")
    # Where a virtual environment keeps its programs is on PATH only once it is activated.
    places = os.pathsep.join([os.environ.get("PATH", ""), sysconfig.get_path("scripts")])
    program = shutil.which("dot", path=places) or shutil.which("graphviz-pure", path=places)
    if program is None:
        return f"{path} (no SVG: neither dot nor graphviz-pure is installed)"
    svg = path.with_suffix(".svg")
    subprocess.run([program, "-Tsvg", str(path), "-o", str(svg)], check=True)
    return str(svg)
