# Needs Python >= 3.10 and make, nothing else: the first target that needs it creates .venv and installs there; the
# package alone for quickstart, the dev group's tools besides for test and lint.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help quickstart test test-all mutate lint clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --progress-bar off --editable .
	@touch $@

$(VENV)/tools: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --progress-bar off --group dev
	@touch $@

quickstart: $(VENV)/installed ## Install the package, then train a small ResNet on real handwritten digits (no download)
	$(BIN)/lit-cnn fit --config recipes/quickstart.yaml

test test-all: export OMP_NUM_THREADS = 1 # two test processes on two cores
test test-all: export PYTHONDONTWRITEBYTECODE = # compiled tests and modules are kept, for the processes that tests start
# Real images beside the checkout, where there are any; without them, tests that need them are skipped.
ifneq ($(wildcard ../shared/data),)
test test-all: export LIT_CNN_DATA ?= $(abspath ../shared/data)
endif

test: $(VENV)/tools ## Run the tests except the slow ones (6 to 10 minutes of processor time)
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

test-all: $(VENV)/tools ## Run every test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

mutate: $(VENV)/tools ## Change 70 lines, one at a time, and see whether the nearest tests notice (15 minutes of processor time)
	OMP_NUM_THREADS=1 $(BIN)/python tests/mutation/mutate.py --seed 0 --count 70 --jobs 2

lint: $(VENV)/tools ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean: ## Remove the environment, caches and build products (runs/ stays)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
