# Two commands do everything on a machine with Python 3.11+ and make:
#   make report   builds the example report (report/index.html)
#   make test     runs every check
# Both create .venv once and reuse it.

PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
WORKERS ?= 2

.PHONY: report test quick lint types notebooks data recovery switches bench clean help

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.ready-test: .venv/.ready
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

.venv/.ready-bench: .venv/.ready
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

report: .venv/.ready  ## build the example report in report/
	$(BIN)/outcomes report notebooks/study.toml --out report --overwrite

test: .venv/.ready-test lint types  ## every check: lint, types, all tests, notebooks (WORKERS=4 for more processes)
	$(RUN) pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

quick: .venv/.ready-test  ## the tests without the slow ones
	$(RUN) pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow and not browser"

lint: .venv/.ready-test
	$(RUN) ruff format --check .
	$(RUN) ruff check .

types: .venv/.ready-test
	$(RUN) mypy

data: .venv/.ready  ## write data/synthetic again, byte for byte
	$(BIN)/outcomes synth --out data/synthetic --overwrite

recovery: .venv/.ready-test  ## the full recovery run: known truths, 2,000 replicates each; writes docs/recovery
	$(BIN)/python tests/recovery/run_recovery.py --workers $(WORKERS)
	$(BIN)/python tests/recovery/switched_biases.py --workers $(WORKERS)

switches: .venv/.ready-test  ## each bias of the invented cohort alone, naive answer beside right; writes docs/recovery/switches.md
	$(BIN)/python tests/recovery/switched_biases.py --workers $(WORKERS)

bench: .venv/.ready-bench  ## what cohorts and estimators cost, beside their peers; writes docs/benchmarks (half an hour)
	$(BIN)/python benchmarks/cohort.py --people 1e4 1e5 1e6
	$(BIN)/python benchmarks/survival.py

clean:  ## remove the environment and the report
	rm -rf .venv report
