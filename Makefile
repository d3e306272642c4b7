# Everything a person or CI runs. `make up` needs only the run-time packages; the others add the tools of development.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup up demo test check bench prove pictures format lock

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.dev ## Create .venv with the vigie command and the tools of development

up: .venv/.runtime ## Run the whole port: broker, database, simulators, service and page (ARGS='--help' for options)
	@$(BIN)/vigie up $(ARGS)

demo: .venv/.runtime ## Play a Monday in three minutes: truth beside verdict, the page live (ARGS='--help' for options)
	@$(BIN)/vigie demo $(ARGS)

test: .venv/.dev ## Run all tests against a real broker and a real TimescaleDB
	$(BIN)/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.dev ## Lint, types, import contracts, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.dev ## Measure speeds side by side in one run
	$(BIN)/pytest tests/benchmarks tests/e2e/page/bench_page.py -s $(ARGS)

prove: .venv/.dev ## Run what is too long for make test
	$(BIN)/pytest -m prove --timeout 3600 $(ARGS)

pictures: .venv/.dev ## Take pictures of the page in every state, to look at: tests/artefacts
	$(BIN)/pytest tests/e2e/page/pictures.py $(ARGS)

format: .venv/.dev ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/.dev ## Resolve the dependencies anew into the lock files
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url --extra build --extra dev pyproject.toml -o requirements-dev.lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vigie: $$($(PYTHON) -V) is too old, 3.11 or newer is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "vigie: $(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "vigie: installing the run-time packages"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo "vigie: installing the tools of development"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
