# Every target does its own set-up; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
OTHER ?= $(shell bash tests/other_python.sh $(PYTHON))
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 3
EXAMPLES ?= usual
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --hypothesis-profile=$(EXAMPLES)
QUICK = not lab and not postgresql and not browser and not container and not soak

.PHONY: help setup system demo test test-all test-other test-quick check fix bench soak clean

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

test: PACKAGES = openssh-server openssh-client python3-apt util-linux postgresql chromium poppler-utils git systemd prometheus-alertmanager podman runc docker.io
test: system check test-all test-other ## everything that proves it works (about a quarter of an hour)

test-all: $(VENV)/.ready
	@$(PYTEST) -m "not soak"

test-other: ## rules, files and the store, and one run on real hosts, by the other Python at hand
	@if [ -n "$(OTHER)" ]; then $(MAKE) --no-print-directory PYTHON=$(OTHER) OTHER= VENV=.venv-other EXAMPLES=few test-inside test-one-run; \
	else echo "There is no other Python from 3.11 on at hand; only $(PYTHON) was tested."; fi

test-quick: $(VENV)/.ready ## the tests that need no server and no browser
	@$(PYTEST) -m "$(QUICK)"

.PHONY: test-inside test-one-run
test-inside: $(VENV)/.ready
	@$(PYTEST) -m "$(QUICK)" $(addprefix tests/,domain config store test_daemon.py)

test-one-run: $(VENV)/.ready
	@$(BIN)/python -m pytest -q -m lab tests/acceptance/test_windows.py -k starts_by_itself_when_its_window_opens

check: $(VENV)/.ready ## lint, types and floors
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports

fix: $(VENV)/.ready ## mend what the linter can mend
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/.ready ## compare with bare ansible-runner and plain ansible-playbook in one run
	@$(BIN)/python -m tests.benchmarks

soak: $(VENV)/.ready ## long torture: N attacks at random (N=40 for a quick look; SEED=… and FROM=… go on with a series)
	@SOAK_N=$(or $(N),200) $(if $(SEED),SOAK_SEED=$(SEED)) $(if $(FROM),SOAK_FROM=$(FROM)) $(BIN)/python -m pytest -q -s -m soak $(or $(ONLY),tests)

clean: ## remove what the targets made
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
