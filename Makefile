# The commands of this project. `make` alone lists them. Each can be repeated at any time.

SHELL := /bin/sh
VENV  := .venv
# Another Python, in an environment of its own: make bench PYTHON=python3.13
ifeq ($(origin PYTHON),command line)
VENV  := build/venv-$(notdir $(PYTHON))
WHERE := $(VENV) $(PYTHON)
endif
HOST  ?= 127.0.0.1
PORT  ?= 8080
# The port of the gateway, for calls by softphone.
SIP_PORT ?= 5070
# `make serve SPEECH=local`: Whisper and a better voice, on this machine.
SPEECH ?=
# Number of processes that run the tests: more than cores, since many tests wait, for a call's time or another process.
JOBS  ?= 4
# How often `make search` runs the tests that generate their examples, and `make chaos` lets everything fail.
ROUNDS ?= 5
# The first round of `make chaos`, and how many calls it keeps up.
SEED  ?= 1
CALLS ?= 200
# Schedules of servers that share a database, a hundred times those of `make test`, and the seed of the first one.
SCHEDULES ?= 600000
FIRST ?= 0
# The tests that take every branch of the engine and of the flow reader. They alone are measured, since measuring makes
# tests three times slower; the largest files, which take no other branch, are in tests/large_flows.
COVERING := tests/engine tests/flowfile tests/expressions tests/spoken_answers
# The flows for any line; the others need one that transfers calls or speaks German.
PLAIN := flight-desk pin-check support survey voicemail callback
# Options of the measurements: make bench ARGS="--quick --json", or ARGS=--help for all
ARGS  ?=

# Tests start hundreds of processes: where Python may not keep what it compiled, each compiles the server again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve test search chaos simulate lint check-flows docs bench bench-many bench-speech bench-phone bench-gateway clean

help:  ## List these commands
	@echo 'A self-hosted voice IVR server. Commands:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

serve:  ## Install what is needed and start the server and a gateway for development, with the flows in flows/ (SPEECH=local)
	@case '$(SPEECH)' in ''|local) ;; *) echo "SPEECH can be 'local', or is left out; it is '$(SPEECH)'." >&2; exit 2;; esac
	@tools/prepare $(or $(SPEECH),run) $(WHERE)
	@echo '==> Starting the server on http://$(HOST):$(PORT) (development: no tokens, this machine only; Ctrl-C ends it)'
	@exec $(VENV)/bin/python tools/serve.py --host $(HOST) --port $(PORT) --sip-port $(SIP_PORT) --speech '$(SPEECH)' flows/

test: lint  ## Install what is needed and run all checks: style, types, contracts, flows, tests, coverage
	@echo '==> Tests of the engine and of the flow reader, in $(JOBS) processes: every branch is taken'
	@$(VENV)/bin/pytest -n $(JOBS) --dist worksteal $(COVERING) --cov=ivr/engine --cov=ivr/flowfile --cov-report=
	@$(VENV)/bin/coverage report --fail-under=100
	@echo '==> All other tests, in $(JOBS) processes'
	@$(VENV)/bin/pytest -n $(JOBS) --dist worksteal -m 'not real_time' $(COVERING:%=--ignore=%)
	@echo '==> Tests of many calls in real time, one after the other'
	@$(VENV)/bin/pytest -m real_time tests/sip_peers tests/chaos
	@echo '==> All checks passed.'

search:  ## Run the tests that generate their examples, with other ones each time, until one fails (ROUNDS=5)
	@tools/prepare dev $(WHERE)
	@for round in $$(seq $(ROUNDS)); do \
		echo "==> Round $$round of $(ROUNDS), in $(JOBS) processes"; \
		HYPOTHESIS_PROFILE=search $(VENV)/bin/pytest -n $(JOBS) --dist worksteal -m hypothesis || exit 1; \
	done

chaos:  ## Let servers and databases of 200 calls at once fail in all ways, again and again (ROUNDS=5 SEED=1 CALLS=200)
	@tools/prepare dev $(WHERE)
	@$(VENV)/bin/python -m tests.chaos --rounds $(ROUNDS) --seed $(SEED) --calls $(CALLS)

simulate:  ## Play schedules of servers that share a database, of all that can befall them (SCHEDULES=600000 FIRST=0)
	@tools/prepare dev $(WHERE)
	@$(VENV)/bin/python -m tests.simulation.simulate --schedules $(SCHEDULES) --first $(FIRST)

lint:  ## Check style, types, import contracts and the shipped flows, without the tests
	@tools/prepare dev $(WHERE)
	@echo '==> Style'
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@echo '==> Types'
	@$(VENV)/bin/mypy
	@echo '==> Import contracts'
	@$(VENV)/bin/lint-imports --no-logo 2>&1 || $(VENV)/bin/lint-imports --verbose
	@$(MAKE) --no-print-directory check-flows

check-flows:  ## Check every shipped flow
	@tools/prepare run $(WHERE)
	@echo '==> Shipped flows'
	@$(VENV)/bin/ivr check --strict --channel sip --stt pocketsphinx flows/
	@$(VENV)/bin/ivr check --strict --channel skype --stt pocketsphinx $(PLAIN:%=flows/%.yaml)

docs:  ## Write the parts of docs/ and flows/ that are generated from the code
	@tools/prepare run $(WHERE)
	@$(VENV)/bin/python tools/write_docs.py

bench:  ## Measure the server beside a bot on Node and an echo, replay, and a full store; takes minutes (ARGS="--quick --profile")
	@tools/prepare bench $(WHERE)
	@$(VENV)/bin/python -m bench $(ARGS)

bench-many:  ## Measure one server on SQLite, and one and two on PostgreSQL, beside a bot on Node (ARGS="--quick --json")
	@tools/prepare bench $(WHERE)
	@$(VENV)/bin/python -m bench.many $(ARGS)

bench-speech:  ## Measure the speech engines and voices that run here: words, time, memory; takes long (ARGS="--quick")
	@tools/prepare local $(WHERE) || tools/prepare run $(WHERE)  # what could not be had is left out, and named
	@$(VENV)/bin/python -m bench.speech $(ARGS)

bench-phone:  ## Measure the delay to the next prompt, and the sound of 200 calls at once (ARGS="--quick --json")
	@tools/prepare run $(WHERE)
	@$(VENV)/bin/python -m bench.phone $(ARGS)

bench-gateway:  ## Measure how many telephone calls one core carries, and the delay after a key (ARGS="--quick --json")
	@tools/prepare run $(WHERE)
	@$(VENV)/bin/python -m bench.gateway $(ARGS)

clean:  ## Remove the virtual environment and all caches; recordings and traces stay
	rm -rf .venv build dist ivr.egg-info htmlcov .coverage .coverage.*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
