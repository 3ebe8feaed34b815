# Everything a newcomer needs. `make demo` and `make test` work on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
WORKERS ?= 2
TRIPLES ?= 2000
SEED ?= 0
BIN := .venv/bin
INSTALLED := .venv/.installed
DATA := examples/data
BASES := minilm multilingual-e5-small efficientnet-lite0 whisper-tiny.en whisper-base ge2e-speaker
FETCHED := $(or $(GRAFTWORK_TEST_HOME),$(CURDIR)/.bases)
BENCHMARKS := startup step_cost technique_cost predict memory from_scratch few_shot cifar10 audio faces fashion fashion_targets \
              retrieval techniques tabular augment busy banking77 pretrain

# where this is set, each process that the tests start would compile its modules anew, for 12 s with torch's
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo bases test check nightly conformance benchmarks docs clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## make .venv and install the package with the tools for developers

# --no-compile: of 22,000 modules few are ever imported, and Python compiles these when they are
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv (the first time takes a few minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	touch $@

demo: install  ## adapt the embedded base to the sample data, about a minute; the report goes to demo/report.html
	rm -rf demo
	$(BIN)/graft fit $(DATA)/train.csv --target label --test $(DATA)/test.csv --budget 60s --out demo

bases: install  ## fetch the pretrained bases that tests read into .bases (430 MB, once); what can't be had is skipped there
	@for name in $(BASES); do \
	    test -f "$(FETCHED)/bases/$$name/source.json" || GRAFTWORK_HOME="$(FETCHED)" $(BIN)/python -m graftwork.cli bases get $$name \
	    || echo "tests that read the real $$name are skipped"; \
	done

test: install  ## check style, types and layout, fetch bases, and run the tests
	$(MAKE) --no-print-directory --jobs 2 check bases
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

nightly: check bases  ## the same with the slow tests, and 500 damages of each kind of file that is read
	OMP_NUM_THREADS=1 GRAFTWORK_PAIRS=60 GRAFTWORK_TRIPLES=60 GRAFTWORK_MUTATIONS=500 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'slow or not slow'

conformance: install  ## all pairs and TRIPLES=2000 triples of techniques, drawn by SEED=0 (54 CPU minutes); writes docs/compatibility.md
	rm -rf .conformance
	mkdir .conformance
	OMP_NUM_THREADS=1 GRAFTWORK_PAIRS=all GRAFTWORK_TRIPLES=$(TRIPLES) GRAFTWORK_SEED=$(SEED) \
	    GRAFTWORK_OUTCOMES=$(CURDIR)/.conformance $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'slow or not slow' tests/conformance
	PYTHONPATH=tests $(BIN)/python -m conformance.compatibility .conformance

benchmarks: install  ## measure against the peers (hours); tables go to docs/benchmarks.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	set -e; for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py; done
	$(BIN)/python benchmarks/tables.py

docs: install  ## write docs/reference and docs/techniques.md from the docstrings
	$(BIN)/python docs/make_reference.py

clean:  ## remove what can be made again, .venv included
	rm -rf .venv demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
