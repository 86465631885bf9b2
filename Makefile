# Needs only GNU make and Python 3.11 or newer; everything else goes into .venv, programs whose logs are read in tests into
# .venv-writers, and what looks for vulnerabilities into .venv-audit.

PYTHON ?= python3
VENV := .venv
WRITERS := .venv-writers
TRAINERS := .venv-writers-torch
AUDIT := .venv-audit
RUN := $(VENV)/bin/python -m
PORT ?= 8501
ADDRESS ?= localhost
BENCHES ?= page data load growth start decision
PROCESSES ?=
BASE ?=
export RUNS PORT ADDRESS PROCESSES BASE PYTHON LOGS WRITERS

.DEFAULT_GOAL := help
.PHONY: help run serve check test real-logs writers writers-torch audit lint format demo supabase bench pictures clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

# RUNS, where it is given, as the environment variable that the app reads.
define READ_RUNS
case "$$RUNS" in \
		'') ;; \
		/*) export RUNOFF_RUNS="$$RUNS" ;; \
		'~/'*) export RUNOFF_RUNS="$$HOME/$${RUNS#*/}" ;; \
		*) export RUNOFF_RUNS="$$PWD/$$RUNS" ;; \
	esac
endef

run: $(VENV)/installed ## Start the app; RUNS=folder reads training outputs; PORT=, ADDRESS= and BASE=path say where it is
	@$(READ_RUNS); \
	exec $(RUN) lib.serve.alone --port="$$PORT" --address="$$ADDRESS" $${BASE:+--base="$$BASE"}

serve: $(VENV)/installed-serve ## Start the app for a team, in a process for each core; PROCESSES= says how many, the rest as for run
	@$(READ_RUNS); \
	exec $(RUN) lib.serve --port="$$PORT" --address="$$ADDRESS" \
		$${BASE:+--base="$$BASE"} $${PROCESSES:+--processes="$$PROCESSES"}

check: lint ## The fast loop: lint, types, and the tests of lib/core and lib/table with fewer examples of each law
	$(RUN) pytest -n 2 -q --hypothesis-profile=quick tests/core tests/table tests/test_layers.py tests/test_core_alone.py $(ARGS)

test: $(VENV)/installed-dev ## Run every test, in a real browser too; ARGS= goes to pytest
	@$(RUN) tests.browser.chromium
	@$(RUN) tests.browser.nginx
	$(RUN) pytest -n 2 --dist loadgroup $(ARGS)

real-logs: $(VENV)/installed-dev ## Run the tests that need logs of real trainings, which are not here: LOGS=folder
	@$(RUN) tests.browser.chromium
	RUNOFF_REAL_LOGS="$$LOGS" $(RUN) pytest tests/real_logs $(ARGS)

writers: $(VENV)/installed-dev $(WRITERS)/installed ## Run the tests that let real programs log, and read that back
	RUNOFF_WRITERS="$$PWD/$(WRITERS)/bin/python" RUNOFF_NO_SKIP=1 $(RUN) pytest tests/writers $(ARGS)

writers-torch: $(VENV)/installed-dev $(TRAINERS)/installed ## The same of real trainers, with PyTorch: gigabytes, but where pip finds a build for the CPU
	RUNOFF_WRITERS="$$PWD/$(TRAINERS)/bin/python" RUNOFF_WRITERS_TORCH=1 RUNOFF_NO_SKIP=1 \
		$(RUN) pytest tests/writers/test_trainers.py $(ARGS)

audit: $(VENV)/installed-serve $(AUDIT)/installed ## Look what is installed up in a database of known vulnerabilities; it asks the network
	$(RUN) tests.deploy.audit $(AUDIT)/bin/pip-audit $(ARGS)

lint: $(VENV)/installed-dev ## Check style, formatting and types, and the charts' script
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(VENV)/bin/oxlint --deny-warnings static
	$(RUN) mypy

format: $(VENV)/installed-dev ## Format, and mend what can be mended
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

demo: $(VENV)/installed ## Make the demo runs anew
	$(RUN) tests.demo.generate

supabase: $(VENV)/installed-dev ## Serve a Supabase project to try the app with, on this machine; ARGS=--live lets a run grow
	$(RUN) tests.supabase.serve $(ARGS)

bench: $(VENV)/installed-dev ## Run the benches, one after the other; BENCHES= names some, ARGS= goes to each of them
	@$(RUN) tests.browser.chromium
	@set -e; for bench in $(BENCHES); do echo "== $$bench"; $(RUN) bench.$$bench $(ARGS); done

pictures: $(VENV)/installed-dev ## Take the README's pictures anew
	@$(RUN) tests.browser.chromium
	$(RUN) docs.pictures

clean: ## Remove what was installed or cached here
	rm -rf $(VENV) $(WRITERS) $(TRAINERS) $(AUDIT) .pytest_cache .ruff_cache .mypy_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are as new as the last installation: a change of the requirements installs again.
$(VENV)/installed: requirements.txt | $(VENV)/bin/pip
	$(RUN) pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-serve: requirements-serve.txt requirements.txt | $(VENV)/bin/pip
	$(RUN) pip install --quiet --disable-pip-version-check -r requirements-serve.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements-serve.txt requirements.txt | $(VENV)/bin/pip
	$(RUN) pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# Not compiled: of what is installed there little is imported.
$(WRITERS)/installed: requirements-writers.txt | $(WRITERS)/bin/pip
	$(WRITERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile -r requirements-writers.txt
	@touch $@

$(WRITERS)/bin/pip: | $(VENV)/bin/pip
	"$$PYTHON" -m venv $(WRITERS)

$(TRAINERS)/installed: requirements-writers-torch.txt | $(TRAINERS)/bin/pip
	$(TRAINERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-writers-torch.txt
	@touch $@

$(TRAINERS)/bin/pip: | $(VENV)/bin/pip
	"$$PYTHON" -m venv $(TRAINERS)

$(AUDIT)/installed: requirements-audit.txt | $(AUDIT)/bin/pip
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-audit.txt
	@touch $@

$(AUDIT)/bin/pip: | $(VENV)/bin/pip
	"$$PYTHON" -m venv $(AUDIT)

$(VENV)/bin/pip:
	@command -v "$$PYTHON" >/dev/null || \
		{ echo "Runoff needs Python 3.11 or newer, and there is no $$PYTHON: install it, or say PYTHON=path." >&2; exit 1; }
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Runoff needs Python 3.11 or newer, this is $$("$$PYTHON" --version 2>&1): say PYTHON=path of a newer one." >&2; exit 1; }
	@"$$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments: install its venv module (Debian, Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	"$$PYTHON" -m venv $(VENV)
