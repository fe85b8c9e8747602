# Two commands: `make up` starts everything here, `make test` checks everything.
# They need Python 3.11 or later and make; all else goes into .venv.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# the versions that the checks ran with: `make lock` takes the newest that setup.cfg allows
INSTALL := $(BIN)/pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: up test lint unit integration acceptance audit fuzz bench chaos experiment simulate docs \
  lambda containers dist dist-check lock lowest sbom format clean

up: .venv/.installed
	@exec $(BIN)/minequeue up $(ARGS)

test: lint unit integration acceptance

lint: .venv/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --ini setup.cfg chain web workers compose minequeue
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/codespell *.md chain compose docs tests web workers
	$(BIN)/pytest --quiet tests/unit/test_links.py

# known holes in what is installed; asks the package index's service, so it is no part of `test`
audit: .venv/.installed-test
	$(BIN)/pip-audit --skip-editable --strict

unit: .venv/.installed-test
	$(BIN)/pytest --numprocesses auto tests/unit

integration: .venv/.installed-test
	$(BIN)/pytest tests/integration

acceptance: .venv/.installed-test
	$(BIN)/pytest tests/acceptance

# the long version of what `make test` does of it: about ten minutes
fuzz: .venv/.installed-test
	PARSER_EXAMPLES=3000 $(BIN)/pytest --timeout=1200 tests/unit/test_parsers.py \
	  tests/unit/test_peer_addresses.py
	FUZZ_EXAMPLES=300 $(BIN)/pytest --timeout=1200 -s tests/acceptance/test_schemathesis.py

# figures of this machine beside yardsticks: make bench ARGS=hash
bench: .venv/.installed-test
	@$(BIN)/python -m tests.bench $(ARGS)

# faults that strike a stack under load, and what became of every receipt: docs/chaos.md
chaos: .venv/.installed-test
	@$(BIN)/python -m tests.chaos $(ARGS)

# one burst at this design and at the one that mines inside the request; about ten minutes
experiment: .venv/.installed-test
	@$(BIN)/python -m tests.chaos.experiment $(ARGS)

# the scaling policy before a load and a fleet that are not here: docs/scaling-policy.md
simulate: .venv/.installed-test
	@$(BIN)/python -m tests.simulation $(ARGS)

# docs/ as a site: site/index.html
docs: .venv/.installed-docs
	@$(BIN)/zensical build --clean --strict

# dist/lambda.zip, for the Python that ARGS="--python 3.12" names, else 3.13
lambda: .venv/.installed-lambda
	@$(BIN)/python compose/aws/build_zip.py $(ARGS)

# dist/minequeue-*: the source distribution, and the wheel made of it
dist: .venv/.installed-test
	@rm -f dist/minequeue-*
	@$(BIN)/python -m build --outdir dist .

# each of them in empty environments of every Python here, or of those in ARGS="3.12 3.13"
dist-check: dist
	@$(BIN)/python -m tests.release.check $(ARGS)

lock: .venv/.installed-test
	$(BIN)/uv pip compile --quiet --upgrade --all-extras --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --no-annotate --output-file constraints.txt setup.cfg

# the wheel with the lowest versions of what setup.cfg names, installed and used; about a minute
lowest: dist
	@$(BIN)/python -m tests.release.lowest

# dist/sbom.json: what the wheel brings along, as CycloneDX
sbom: dist
	@$(BIN)/python -m tests.release.sbom

# the compose file with real containers, as root on Debian: docs/containers.md; about four minutes
containers: .venv/.installed-test
	@$(BIN)/python -m tests.containers.run

format: .venv/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build dist site .cache *.egg-info

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "minequeue needs Python 3.11 or later; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/pip setup.cfg pyproject.toml constraints.txt
	@echo "Installing minequeue into .venv (about a minute) ..."
	@$(INSTALL) --progress-bar on --editable .
	@touch $@

.venv/.installed-test: .venv/bin/pip setup.cfg pyproject.toml constraints.txt
	@echo "Installing minequeue with its checks into .venv (about a minute) ..."
	@$(INSTALL) --editable '.[test]'
	@touch $@ .venv/.installed

.venv/.installed-docs: .venv/.installed
	@$(INSTALL) --quiet --editable '.[docs]'
	@touch $@

.venv/.installed-lambda: .venv/.installed
	@$(INSTALL) --quiet --editable '.[lambda]'
	@touch $@
