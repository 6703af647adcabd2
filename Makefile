# Every target only wraps uv, so `uv run ...` works as well. A machine without uv gets it into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .venv/bin/uv)
# What `install` has just set up is not checked again by each step.
RUN := $(UV) run --no-sync

.PHONY: help install dev sandbox test check fix schema docs explorer build versions bench bench-scaling bench-latency

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(filter .venv/bin/uv,$(UV)) ## set up .venv with everything that development needs
	$(UV) sync --locked
	@test -f gateway/explorer/index.html \
		|| echo 'GraphiQL was not built, a plain form takes its place; `make explorer` says why.'

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'contact-gateway needs Python 3.11 or newer, and $(PYTHON) is' \
			"$$($(PYTHON) --version 2>&1). Name another one: make PYTHON=python3.12 ..." >&2; \
		exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13'

dev: install ## run the gateway with three simulated backends on http://127.0.0.1:8000
	$(RUN) gateway dev

sandbox: install ## run the simulated backends alone on http://127.0.0.1:8100
	$(RUN) gateway sandbox

test: check ## the same as check

check: install ## everything that CI runs
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) pytest -n 2 --cov

fix: install ## format the code and fix what ruff can fix
	$(RUN) ruff check --fix
	$(RUN) ruff format

schema: install ## print schema.graphql from the code
	$(RUN) gateway schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

docs: install ## print the tables in docs/ from the code
	$(RUN) python -m gateway.docs

explorer: $(filter .venv/bin/uv,$(UV)) ## build GraphiQL, or say why it cannot be built
	CONTACT_GATEWAY_RELEASE=1 $(UV) sync --locked --reinstall-package contact-gateway

build: $(filter .venv/bin/uv,$(UV)) ## build sdist and wheel into dist/, or fail if GraphiQL cannot be built
	CONTACT_GATEWAY_RELEASE=1 $(UV) build

versions: install ## run the tests on each supported Python on the PATH
	$(UV) tool run --with tox-uv tox run

bench: install ## measure beside other gateways and write docs/performance.md; BENCH=--quick for a first look
	cd benchmarks/peers && npm ci --no-audit --no-fund
	$(RUN) python -m benchmarks.run --write $(BENCH)

bench-scaling: install ## draw how cost grows, in docs/performance.md; BENCH=--quick for a first look
	$(UV) run --group bench python -m benchmarks.scaling --write $(BENCH)

bench-latency: install ## measure latency, memory and start for docs/performance.md; BENCH=--quick for a first look
	$(RUN) python -m benchmarks.latency --write $(BENCH)
