# demo and test set up .venv by themselves; nothing but Python 3.11+ and make is assumed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   ?= demo

.PHONY: demo test check bench screenshots clean help

help:
	@echo "make demo    set up, then train, test and alarm on real text in the dashboard"
	@echo "make test    set up, then run all tests"
	@echo "make check   lint, types, import rules"
	@echo "make bench   the measured claims, into docs/performance.md (under 15 minutes, 3 GB of disk)"
	@echo "make screenshots   the pictures of the docs, from the workspace of make demo"
	@echo "make clean   remove what these made"

demo: $(STAMP)
	$(BIN)/lvm-tui demo $(DEMO)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m benchmarks

screenshots: $(STAMP)
	$(BIN)/python docs/screenshots.py $(DEMO)

clean:
	rm -rf $(VENV) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lvm-tui needs Python 3.11 or newer; found: $$($(PYTHON) --version). Say which with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . --group dev
	@touch $(STAMP)
