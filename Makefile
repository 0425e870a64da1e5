# wares: `make demo` and `make test` are all a newcomer needs. Both set up their own environment first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CONSTRAINTS := constraints.txt
SHOP ?= shops/groceries
PORT ?= 8000

.PHONY: help demo test test-browser check format serve setup setup-train kills bench-shop bench-install clean

help:
	@echo "make demo          set up, build the demo shop, show what it can, serve it"
	@echo "make demo LEARN=1  the same with a shopper model trained here in 8 minutes (gets torch; YES=1: without asking)"
	@echo "make test          set up, run the tests"
	@echo "make test-browser  drive the storefront, the console and InstantSearch in Chromium"
	@echo "make check         format, lint, types, import rule"
	@echo "make serve         serve SHOP=$(SHOP) again"
	@echo "make kills         40 x kill -9 in the middle of writing"
	@echo "make bench-shop    the figures of the README (minutes)"
	@echo "make bench-install time and size of the base install"

# A virtual environment; where Python lacks ensurepip, virtualenv makes it.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  $(PYTHON) -m virtualenv $(VENV) || { $(PYTHON) -m pip install --user virtualenv && $(PYTHON) -m virtualenv $(VENV); }; }

$(READY): $(BIN)/python pyproject.toml $(CONSTRAINTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable ".[demo,dev]"
	@touch $@

setup: $(READY)

demo: $(READY)
	PIP_CONSTRAINT=$(CONSTRAINTS) $(BIN)/wares demo --port $(PORT) $(if $(LEARN),--learn) $(if $(YES),--yes)

serve: $(READY)
	$(BIN)/wares serve $(SHOP) --port $(PORT)

test: $(READY)
	$(BIN)/python -m pytest -m "not browser"

# With the extra `train`, so that the tests of what is trained in torch run, too; without it they are skipped.
setup-train: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable ".[train]"

# The front-end libraries that the tests drive, as locked. Without npm those tests are skipped.
FRONT := tests/browser/node_modules/.package-lock.json
$(FRONT): tests/browser/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --silent && touch $@; \
	  else echo "npm is not there: the tests of InstantSearch are skipped"; fi

test-browser: $(READY) $(FRONT)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable ".[browser]"
	$(BIN)/python -m pytest -m browser tests/browser

check: $(READY)
	$(BIN)/ruff format --check src tests recipes
	$(BIN)/ruff check src tests recipes
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format src tests recipes
	$(BIN)/ruff check --fix src tests recipes

kills: $(READY)
	WARES_KILLS=40 $(BIN)/python -m pytest tests/store -k kill

bench-shop: $(READY)
	$(BIN)/wares bench shop --json

# The base install alone, without any cache, with bytecode: seconds and megabytes.
bench-install:
	@folder=$$(mktemp -d) && start=$$(date +%s) && $(PYTHON) -m venv $$folder \
	  && $$folder/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --constraint $(CONSTRAINTS) . \
	  && echo "seconds: $$(( $$(date +%s) - start ))" && echo "megabytes: $$(du -sm $$folder | cut -f1)" \
	  && du -sm $$folder/lib/python*/site-packages/* | sort -rn | head -10 ; rm -rf $$folder

clean:
	rm -rf $(VENV) shops reports .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/browser/node_modules
