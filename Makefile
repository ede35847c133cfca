# Verbs for people; `make help` prints them. Everything lives in .venv and var/, nothing outside this folder
# (but `make test` may install system packages, see tests/system-packages.sh).
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests wait for servers and browsers most of their time: two more of them at once than CI has cores.
WORKERS ?= 4
.DEFAULT_GOAL := help
.PHONY: help run test lint types docs catalogue bench soak scale dashboard-cost faults fuzz lock demo-journey screenshots clean

help:  ## print the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# Variables given on the command line (make run BRIDGE_STORE_URL=…) reach the recipe's environment by make itself.
run: $(VENV)/run.stamp  ## start everything: in front of the sandbox, or of the shop that BRIDGE_STORE_URL names
	@exec $(BIN)/bridge run $(if $(BRIDGE_STORE_URL),,--sandbox)

test: $(VENV)/test.stamp  ## install what the tests need, check style and types, run every test
	@bash tests/system-packages.sh
	@$(MAKE) --no-print-directory lint types
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(ARGS)

lint: $(VENV)/test.stamp  ## style and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/test.stamp  ## types, strict
	$(BIN)/mypy

docs: $(VENV)/run.stamp  ## write the generated pages (docs/settings.md)
	$(BIN)/python -m bridge.settings.page > docs/settings.md

catalogue: $(VENV)/run.stamp  ## write the dashboard's English texts for translators (translations/messages.pot)
	$(BIN)/python -m bridge.dashboard.catalogue

demo-journey: $(VENV)/test.stamp  ## a shopper's journey in a real browser, slowly, for a person to watch
	$(BIN)/python -m tests.browser.demo

bench: $(VENV)/test.stamp  ## measure proxy and mail relay (docs/performance.md) and what each kind of record costs (docs/scale.md)
	@missed=0; $(BIN)/python -m bench.loop || missed=1; \
	for bench in limit splice proxy mail "scale --only kinds limit"; do $(BIN)/python -m bench.$$bench || exit; done; \
	exit $$missed  # the others are measured though a bound of the loop's is missed

soak: $(VENV)/test.stamp  ## half an hour of mixed load: memory, descriptors and threads must stay flat; writes docs/soak.md
	$(BIN)/python -m bench.soak $(ARGS)

scale: $(VENV)/test.stamp  ## export up to a million customers: cost, memory, the limit; writes docs/scale.md
	$(BIN)/python -m bench.scale $(ARGS)

dashboard-cost: $(VENV)/test.stamp  ## what each page of the dashboard costs with millions of rows; writes docs/dashboard-cost.md
	$(BIN)/python -m bench.dashboard $(ARGS)

faults: $(VENV)/test.stamp  ## the fault suite in its long form: a hundred kills; FAULT_ROUNDS and FAULT_SEED change it
	FAULT_ROUNDS=$${FAULT_ROUNDS:-100} $(BIN)/python -m pytest tests/faults tests/coupons/test_killed.py $(ARGS)

fuzz: $(VENV)/test.stamp  ## ten million made cases against other readers; goes on where it stopped, keeps what it finds
	$(BIN)/python -m fuzz $(ARGS)

screenshots: $(VENV)/test.stamp  ## take the pictures of the README and the docs
	$(BIN)/python -m tests.browser.screenshots

lock:  ## compile requirements/*.in into *.txt with hashes, naming no index (needs uv)
	uv pip compile requirements/run.in -o requirements/run.txt --generate-hashes --no-emit-index-url --no-header --python-version 3.11
	uv pip compile requirements/test.in -o requirements/test.txt --generate-hashes --no-emit-index-url --no-header --python-version 3.11

clean:  ## remove the environment and the data of local runs
	rm -rf $(VENV) var

$(VENV)/python.stamp:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp requirements/run.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/test.stamp: $(VENV)/python.stamp requirements/test.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
