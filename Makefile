# What a newcomer types. Needs Python 3.11+ (with venv), git and make; everything else goes into .venv.
# An installation is redone only when pyproject.toml changed: the stamps in .venv say when it was done.
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
BOOK ?= demo-book

# The first Python that is new enough and can make a virtual environment.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3.14 python3,$(shell \
	$(p) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(p))))

# Tests of what this machine lacks are left out, and the run says so; .ci/run installs both.
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
POSTGRES := $(firstword $(wildcard /usr/lib/postgresql/*/bin/postgres) $(shell command -v postgres))
CARD := $(shell command -v nvidia-smi)
LEFT_OUT := $(if $(CHROMIUM),, and not browser)$(if $(POSTGRES),, and not postgres)$(if $(CARD),, and not gpu)

.PHONY: help demo test test-slow check format bench clean
.DEFAULT_GOAL := help

help:  ## these lines
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.runtime  ## 50,502 real loans through the whole market into demo-book
	$(BIN)/poolhouse demo --book $(BOOK)

test: $(VENV)/.dev  ## the tests, a few minutes
	@$(if $(CHROMIUM),:,echo "note: no Chromium here: the browser tests are left out")
	@$(if $(POSTGRES),:,echo "note: no PostgreSQL server here: its tests are left out")
	@$(if $(CARD),:,echo "note: no CUDA card here: its test is left out")
	$(BIN)/python -m pytest -n 2 -m "not slow$(LEFT_OUT)"

test-slow: $(VENV)/.dev  ## the long ones: whole tape, crash tests, many seeds
	$(BIN)/python -m pytest -m "slow$(LEFT_OUT)"

check: $(VENV)/.dev  ## format, lint, types, the order of the folders
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## put the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## measure 50 k, 500 k and 1 M loans: prints a table, asserts nothing
	$(BIN)/python -m benches

clean:  ## remove the environment, caches and the demo's book
	rm -rf $(VENV) $(BOOK) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --clear: an environment whose making was interrupted is made anew.
$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Poolhouse needs Python 3.11 or newer with its venv module; none of python3.11 to python3.14 or python3 here has it."; \
		echo "On Debian or Ubuntu: apt-get install python3 python3-venv. Or say which one: make demo PYTHON=/path/to/python3"; \
		exit 1; fi
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.runtime: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.runtime
