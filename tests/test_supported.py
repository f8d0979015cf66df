"""The table of what is supported: docs/ops.md says what the registry says."""

from pathlib import Path

import numpy as np
import pytest

from tracejit.__main__ import main
from tracejit.supported import NOT_IN_CUPY, TITLES, lines, rows

pytest.importorskip("scipy")
TABLE = Path(__file__).parents[1] / "docs" / "ops.md"


def entries(table):
    """The rows of a table in Markdown, by function."""
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table if "|" in line]
    return {row[0]: tuple(row[1:]) for row in cells if row[0].startswith(("np.", "scipy."))}


def test_the_docs_hold_the_table():
    """An older NumPy or SciPy lacks some functions; what they have is in the table."""
    held, printed = entries(TABLE.read_text().splitlines()), entries(lines(markdown=True))
    wrong = {name: row for name, row in printed.items() if held.get(name) != row}
    assert not wrong, "write docs/ops.md anew: python -m tracejit ops --markdown"
    if np.lib.NumpyVersion(np.__version__) >= "2.4.0":
        assert {n for n in held if n.startswith("np.")} == {
            n for n in printed if n.startswith("np.")
        }


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("np.tanh", ("rule", "derived", "loop", "yes")),
        ("np.clip", ("rule", "derived", "loop", "yes")),
        ("np.fft.fft", ("rule", "derived", "call", "yes")),
        ("np.mean", ("parts", "derived", "parts", "parts")),
        ("np.floor", ("zero", "zero", "loop", "yes")),
        ("np.argsort", ("zero", "zero", "call", "yes")),
        ("np.shape", ("zero", "zero", "parts", "parts")),
        ("np.zeros", ("zero", "zero", "parts", "parts")),
        ("np.r_", ("parts", "derived", "parts", "parts")),
        ("scipy.special.erf", ("rule", "derived", "loop", "yes")),
        ("scipy.special.spence", ("rule", "derived", "call", "-")),
    ],
)
def test_rows(name, row):
    assert entries(lines(markdown=True))[name] == row


def test_the_command_prints_it(capsys):
    assert main(["ops"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert tuple(first.split()) == TITLES and len(rest) == len(rows())
    assert main(["ops", "--markdown"]) == 0
    assert "| np.tanh " in capsys.readouterr().out


def test_what_runs_without_a_gradient_is_not_supported():
    assert not [row for row in rows() if row.function == "scipy.integrate.quad"]


def test_names_that_cupy_lacks_are_names():
    known = {row.function for row in rows()}
    assert all(f"{m}.{name}" in known for m in NOT_IN_CUPY for name in NOT_IN_CUPY[m].split())
