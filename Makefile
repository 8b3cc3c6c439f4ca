# Two commands on a fresh machine: `make study` and `make test`. Both set up everything they need, once.
PYTHON ?= python3.11
VENV := .venv
STUDY := $(VENV)/bin/study
READY := $(VENV)/.ready
SPEC ?= lab
ARGS ?=
BENCH ?= build/bench.json
ROUNDS ?= 20

.PHONY: study test chaos cluster-demo bench lint audit ui clean setup

study: $(READY)
	$(STUDY) run $(SPEC) $(if $(SMOKE),--smoke) $(ARGS)

test: $(READY)
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# Kills small studies at random moments and compares what comes out: of tiny units a hundred times, of real ones ROUNDS.
chaos: $(READY)
	$(VENV)/bin/python -m tests.chaos.short_rounds --rounds 100
	$(VENV)/bin/python -m tests.chaos.rounds --rounds $(ROUNDS)

# A study on an autoscaling cluster of fake nodes: from none, through the loss of two, back to none.
cluster-demo: $(READY)
	$(VENV)/bin/python -m clusters.demo

# Some minutes on an otherwise idle machine; prints a table of ratios (left as JSON) and planned beside measured memory.
bench: $(READY)
	for name in training scoring snapshot; do $(VENV)/bin/python -m tests.benchmarks.$$name --out $(BENCH) || exit 1; done
	$(VENV)/bin/python -m tests.benchmarks.table $(BENCH)
	$(VENV)/bin/python -m tests.benchmarks.memory_plan

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m tests.audit

# Known holes in the pinned versions, by PyPI's database; without it one line says "not audited".
audit: $(READY)
	$(VENV)/bin/python -m tests.audit

ui: $(READY)
	$(STUDY) ui $(SPEC)

setup: $(READY)

# Runs again only when what is to be installed has changed.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# Removes what `make` made: the environment, caches and studies.
clean:
	rm -rf $(VENV) runs build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
