"""What the documents show runs, and the source in the README is what is emitted."""

import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"
OPERATORS = README.parent / "docs" / "operators.md"


@pytest.fixture(scope="module")
def blocks():
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.S)


def test_the_example_and_its_source(blocks):
    example, source, kernel = blocks
    names = {}
    exec(compile(example, "model.py", "exec"), names)
    loss, args = names["loss"], (names["params"], names["x"], names["y"])
    assert loss.source(*args).startswith(source.rstrip())
    assert kernel in loss.source(*args, backend="numba")
    first, second = (loss(*args) for _ in range(2))
    for key in ("W", "b"):
        assert first[0][key].shape == args[0][key].shape
        np.testing.assert_allclose(first[0][key], second[0][key])
    assert np.isclose(first[1], loss.__wrapped__(*args))


def test_examples_of_operators():
    pytest.importorskip("scipy")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", OPERATORS.read_text(), re.S):
        exec(compile(block, str(OPERATORS), "exec"), names)
    assert names["H"].nnz == 29_998
    x = names["kepler"](0.8, 0.3)
    assert np.isclose(x - 0.3 * np.sin(x), 0.8)
    erf, grad, slope = names["erf"], names["grad"], names["slope"](0.5)
    found = grad(grad(lambda x: erf(x) ** 2))(0.5)
    assert np.isclose(found, 2 * slope**2 - 2 * slope * erf(0.5))


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        assert (README.parent / target).exists(), target
