# Two commands: `make up` starts everything here, `make test` checks everything.
# They need Python 3.11 or later and make; all else goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: up test lint unit integration acceptance format clean

up: .venv/.installed
	@exec $(BIN)/minequeue up $(ARGS)

test: lint unit integration acceptance

lint: .venv/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/.installed-test
	$(BIN)/pytest tests/unit

integration: .venv/.installed-test
	$(BIN)/pytest tests/integration

acceptance: .venv/.installed-test
	$(BIN)/pytest tests/acceptance

format: .venv/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build dist *.egg-info

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "minequeue needs Python 3.11 or later; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/pip setup.cfg pyproject.toml
	@echo "Installing minequeue into .venv (about a minute) ..."
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on --editable .
	@touch $@

.venv/.installed-test: .venv/bin/pip setup.cfg pyproject.toml
	@echo "Installing minequeue with its checks into .venv (about a minute) ..."
	@$(BIN)/pip install --disable-pip-version-check --editable '.[test]'
	@touch $@ .venv/.installed
