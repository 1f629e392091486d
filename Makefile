# Every target does its own set-up; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: help setup system demo test test-quick check fix bench soak clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Wellkept needs Python 3.11 or newer. Install it, or say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made. Install it with: apt-get install python3-venv"; exit 1; }
	@echo "Installing Wellkept and its development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

setup: $(VENV)/.ready ## make the virtual environment

system:
	@bash tests/system_packages.sh $(PACKAGES)

demo: PACKAGES = openssh-server openssh-client python3-apt util-linux
demo: system $(VENV)/.ready ## see it work: five real SSH hosts, a patch window, a failure, a ticket, a report
	@$(BIN)/python -m tests.demo

test: PACKAGES = openssh-server openssh-client python3-apt util-linux postgresql chromium poppler-utils git
test: system check ## everything that proves it works (about ten minutes)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not soak"

test-quick: $(VENV)/.ready ## the tests that need no server and no browser
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "not lab and not postgresql and not browser and not soak"

check: $(VENV)/.ready ## lint, types and floors
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports

fix: $(VENV)/.ready ## mend what the linter can mend
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/.ready ## compare with bare ansible-runner and plain ansible-playbook in one run
	@$(BIN)/python -m tests.benchmarks

soak: $(VENV)/.ready ## long torture: kill everything at random, N times
	@$(BIN)/python -m pytest -q -m soak tests

clean: ## remove what the targets made
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
