# A fresh machine needs Python 3.11 or newer and make, nothing else.

PYTHON     ?= python3
PORT       ?= 8080
MODEL_NAME ?= iris
REGISTRY   := file://$(CURDIR)/.registry
ARGS       :=
UPGRADE    :=

VENV   := .venv
PY     := $(VENV)/bin/python
LOCKED := $(VENV)/.locked
READY  := $(VENV)/.ready
PYTEST  = $(PY) -m pytest --numprocesses auto --maxprocesses 8

# Another environment, active in the shell, must not leak into this one.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV CDPATH

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-slow check check-format check-lint check-types check-imports check-docs format bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  Variables: PYTHON=$(PYTHON)  PORT=$(PORT)  REGISTRY=file://…/.registry  ARGS= (to pytest)  UPGRADE=--upgrade (to lock)'

setup: $(READY) ## make .venv with everything, from the locked requirements
	@echo 'Ready: $(VENV). Next: make run'

run: export MODEL_REGISTRY := $(REGISTRY)
run: export MODEL_NAME := $(MODEL_NAME)
run: export PORT := $(PORT)
run: $(READY) ## publish the example models to .registry, then serve iris on PORT
	@$(PY) -m trainer --demo "$$MODEL_REGISTRY"
	@echo
	@echo 'Open http://127.0.0.1:$(PORT) in a browser, or try in another terminal:'
	@echo "  curl -s http://127.0.0.1:$(PORT)/predict -H 'Content-Type: application/json' -d '{\"features\": [5.1, 3.5, 1.4, 0.2]}'"
	@echo "  curl -s http://127.0.0.1:$(PORT)/predict -H 'Content-Type: application/json' -d '{\"features\": [5.1, 3.5, 1.4, 0.2], \"model_version\": \"1.1.0\"}'"
	@echo '  curl -s http://127.0.0.1:$(PORT)/model/info'
	@echo "  $(VENV)/bin/model-bucket promote iris 1.1.0 --registry '$(REGISTRY)'"
	@echo
	@exec $(PY) -m serving

test: $(READY) ## run the tests, but not the slow ones
	$(PYTEST) -m "not slow" $(ARGS)

test-slow: $(READY) ## run the slow tests: many processes, killed writers, failing buckets
	$(PYTEST) -m slow $(ARGS)

check: $(READY) ## format, lint, types, import contracts, docs; all run, even when one fails
	@$(MAKE) --no-print-directory --keep-going check-format check-lint check-types check-imports check-docs

check-format: $(READY)
	$(VENV)/bin/ruff format --check .

check-lint: $(READY)
	$(VENV)/bin/ruff check .

check-types: $(READY)
	$(PY) -m mypy

check-imports: $(READY)
	$(VENV)/bin/lint-imports

check-docs: $(READY)
	$(PY) -m tests.docs_check

format: $(READY) ## put the code into the form that check asks for
	$(VENV)/bin/ruff check --fix --quiet . || true
	$(VENV)/bin/ruff format .

bench: $(READY) ## measure against the reference
	$(PY) -m benchmarks $(ARGS)

# One version of each package for every supported Python and platform, so that all of them read and write the same bytes.
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --no-build \
	--generate-hashes --no-emit-index-url --no-emit-find-links --annotation-style line \
	--custom-compile-command 'make lock' $(UPGRADE)

lock: $(LOCKED) ## write requirements/*.txt anew from pyproject.toml
	$(LOCK) pyproject.toml --all-extras --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra serving --constraint requirements/dev.txt --output-file requirements/serving.txt
	$(LOCK) pyproject.toml --extra function --constraint requirements/dev.txt --output-file requirements/function.txt
	echo hatchling | $(LOCK) - --constraint requirements/dev.txt --output-file requirements/build.txt

clean: ## remove everything that was made here, the environment and the example registry included
	rm -rf $(VENV) .registry build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made from nothing whenever the lock changes, so it never holds more than the lock says.
$(LOCKED): requirements/dev.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "model-bucket needs Python 3.11 or newer, but '$(PYTHON)' is: $$("$(PYTHON)" --version 2>&1)" >&2; \
		echo "Name another one: make setup PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	@echo 'Making $(VENV) from requirements/dev.txt: a minute or two, once.'
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
