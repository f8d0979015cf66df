"""The package as a whole: which way imports run, what importing costs, the command line."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tracejit
from tracejit.__main__ import main

ROOT = Path(tracejit.__file__).parent
# Each layer may import itself and those before it. What is named here stands below every layer.
BELOW = {"errors", "config", "tree"}
LAYERS = [
    {"dag"},
    {"ops"},
    {"trace"},
    {"numpy"},
    {"scipy"},
    {"cache", "binding", "pool"},
    {"outcome", "joint", "seed"},
    {"codegen", "heat"},
    {"variant"},
    {"store"},
    {"debug", "audit"},
    {"method"},
    {"function"},
    {"checkpoint", "packing", "program", "primitive", "overload"},
    {"api", "operators"},
    {"gradcheck", "optimize", "sparse", "implicit"},
    {"ode"},
    {"supported"},
    {"__init__", "__main__"},
]


def part_of(path):
    relative = path.relative_to(ROOT)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported_parts(path):
    depth = len(path.relative_to(ROOT).parts) - 1
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            names = (node.module or "").split(".")
            if node.level == depth + 1:
                yield from [names[0]] if names[0] else [a.name for a in node.names]
            else:
                yield path.relative_to(ROOT).parts[0]


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    part = part_of(path)
    if part in BELOW:
        allowed = BELOW
    else:
        level = next(i for i, layer in enumerate(LAYERS) if part in layer)
        allowed = BELOW.union(*LAYERS[: level + 1])
    assert set(imported_parts(path)) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_say_what_they_are_and_stay_small(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 400


def test_importing_brings_in_only_what_every_use_needs():
    code = "import sys, numpy; a = {*sys.modules}; import tracejit; print({*sys.modules} - a)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT.parent)
    unwanted = "graphviz scipy matplotlib subprocess tempfile hashlib difflib"
    for module in unwanted.split():
        assert f"'{module}'" not in loaded


def test_command_line(capsys):
    assert main(["ops"]) == 0
    listed = capsys.readouterr().out
    assert "np.tanh" in listed and "scipy.stats.norm.logpdf" in listed
    assert main(["cache"]) == 0
    assert "files" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([])
