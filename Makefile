# Every target but `help` and `clean` makes .venv and installs into it what it needs, so a Python
# is all that has to be there. Stamps in .venv make the second run quick.
PYTHON ?= python3
ARGS   ?=
BIN    := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed-demo ## train three models on handwritten digits; pictures in demo-output/
	$(BIN)/python examples/digits.py $(ARGS)

test: .venv/installed-test ## run the tests on all cores (ARGS="-k name" to choose some)
	$(BIN)/python -m pytest -n auto $(ARGS)

bench: .venv/installed-bench ## measure against JAX, PyTorch, HIPS autograd and NumPy by hand
	$(BIN)/python -m benchmarks $(ARGS)

lint: .venv/installed-lint ## check style and types
	$(BIN)/ruff check .
	$(BIN)/mypy

clean: ## remove all that these targets have made
	rm -rf .venv .nox build dist demo-output bench-output *.egg-info .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/created:
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("tracejit needs Python 3.10 or later; choose one with: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed-%: setup.cfg pyproject.toml | .venv/created
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@
