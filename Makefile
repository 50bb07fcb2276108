# Everything that a newcomer needs; each target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup run test check bench prove clean

help: ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ".")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.made requirements.lock pyproject.toml package-lock.json hatch_build.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.test: .venv/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/.run ## Make the environment: packages by hash, front-end assets

run: .venv/.run ## Bring up the whole hub with reference data and the exercise
	@$(BIN)/hub up --demo

test: .venv/.test ## Run every test
	$(BIN)/pytest -n 2 --dist loadgroup

check: .venv/.test ## Lint, formatting, types, and the one way of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.test ## Measure lookups and messages against bare yardsticks, and search at 100 times the names
	$(BIN)/python tests/bench/run.py

prove: .venv/.test ## Play a thousand concurrent histories of a lead, and write docs/proofs.md
	$(BIN)/pytest -s tests/proofs/prove_histories.py

clean: ## Remove the environment and the built assets; never the data under .hub
	rm -rf .venv hub/web/static/build
