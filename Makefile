# Verbs of the project; `make` alone lists them. Everything runs in .venv, which `setup` makes and keeps current.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := $(VENV)/bin/python
STAMP := $(VENV)/.tramontane-setup
export VENV PYTHON

.PHONY: help
help: ## List the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Make .venv with engines, router and tools (4 GB, some minutes; again: at once)

$(STAMP): pyproject.toml deploy/constraints/cpu.txt $(addprefix deploy/locks/,build.txt cpu.txt dev.txt) deploy/setup.sh deploy/torchvision_shim.py | system-deps
	@deploy/setup.sh
	@touch $@

.PHONY: setup-router
setup-router: system-deps ## Make .venv with the router and the command line alone (150 MB)
	@deploy/setup.sh router

.PHONY: system-deps
system-deps: ## Install the Debian packages that are missing (as root; else says which)
	@deploy/system-deps.sh

.PHONY: demo
demo: setup ## Start everything, ask four questions, check the answers, stop everything
	@$(PY) -m deploy.cli demo $(if $(REPLICAS),--replicas $(REPLICAS))

.PHONY: up
up: setup ## Start everything and stay up until Ctrl-C (REPLICAS=2 for two engines)
	@$(PY) -m deploy.cli up $(if $(REPLICAS),--replicas $(REPLICAS))

.PHONY: lint
lint: setup ## Style, types and import contracts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

CHECKOV_STAMP := .venv-checkov/.stamp
$(CHECKOV_STAMP): deploy/locks/checkov.txt | setup
	@rm -rf .venv-checkov && $(PY) -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
		--requirement $<
	@touch $@

.PHONY: test
test: lint $(CHECKOV_STAMP) ## All that CI runs: lint, audit, unit tests with the coverage gate, end-to-end on a real engine
	@$(PY) -m deploy.audit $(sort $(wildcard deploy/locks/*.txt))
	@REHEARSE=1 $(PY) -m pytest tests/e2e/chart
	@$(PY) -m pytest --cov $(PYTEST_ARGS)

.PHONY: test-fast
test-fast: lint ## As test, without starting an engine
	@$(PY) -m pytest --cov --ignore=tests/e2e $(PYTEST_ARGS)

.PHONY: test-chart
test-chart: setup $(CHECKOV_STAMP) ## The chart: lint, every shape, strict schemas, refusals, checkov
	@$(PY) -m pytest tests/helm tests/deploy/chart $(PYTEST_ARGS)

.PHONY: drain-rehearsal
drain-rehearsal: setup ## Run what the chart renders, hang its probes, roll routers and engines under load (9 minutes)
	@REHEARSE=1 $(PY) -m pytest tests/e2e/chart -s $(PYTEST_ARGS)

.PHONY: chart-docs
chart-docs: setup ## Write what the chart has from elsewhere: README, schema, presets, rules, dashboards
	@for made in presets copies schema readme; do $(PY) -m deploy.chart.$$made || exit; done

.PHONY: crds
crds: setup ## Fetch the schemas of custom objects to .tramontane/crds, to check what the chart renders
	@$(PY) -m deploy.chart.crds fetch

.PHONY: chart-package
chart-package: setup ## dist/tramontane-VERSION.tgz
	@mkdir -p dist && $(VENV)/bin/helm package helm/tramontane --destination dist

.PHONY: fuzz
fuzz: setup ## Fuzz all that reads strangers' bytes (FUZZ_SECONDS=60 for each reader)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} FUZZ_SEED=$${FUZZ_SEED:-$$RANDOM} $(PY) -m pytest tests/fuzz -q

.PHONY: soak
soak: setup ## The router under faults for half an hour: memory, files, everything given back (SOAK_MINUTES)
	@SOAK_MINUTES=$(or $(SOAK_MINUTES),30) $(PY) -m pytest tests/chaos/test_soak.py -s $(PYTEST_ARGS)

.PHONY: lock
lock: setup ## Write deploy/locks: exact versions and hashes for every extra
	@deploy/lock.sh

.PHONY: audit
audit: setup ## Known vulnerabilities in what the locks name (AUDIT_ARGS=--required: fail when nobody answers)
	@$(PY) -m deploy.audit $(AUDIT_ARGS) $(sort $(wildcard deploy/locks/*.txt))

.PHONY: sbom
sbom: setup ## Bills of materials of the locks in dist/sbom
	@deploy/sbom.sh

.PHONY: bench
bench: setup ## Measure the router against the engine asked directly
	@$(PY) -m bench $(BENCH_ARGS)

.PHONY: bench-routing
bench-routing: setup ## Goodput of every routing policy on traces, in virtual time
	@$(PY) -m bench.routing $(BENCH_ARGS)

.PHONY: bench-live
bench-live: setup ## The same with live processes: simulated engines behind the real router
	@$(PY) -m bench.live_routing $(BENCH_ARGS)

.PHONY: bench-decision
bench-decision: setup ## What one routing decision costs, and the index's memory
	@$(PY) -m bench.decision $(BENCH_ARGS)

.PHONY: accuracy
accuracy: setup ## Measure through the router how often the pocket model is right
	@$(PY) -m bench.accuracy $(ACCURACY_ARGS)

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
DOCKER ?= docker
IMAGES := router engine-cpu engine-cuda
.PHONY: images $(addprefix image-,$(IMAGES))
images: $(addprefix image-,$(IMAGES)) ## Build the images (DOCKER=podman, REGISTRY=host/, BUILD_ARGS)
$(addprefix image-,$(IMAGES)): image-%: ## Build one of them
	@$(DOCKER) build -f deploy/docker/$*.Dockerfile -t $(REGISTRY)tramontane/$*:$(VERSION) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) $(BUILD_ARGS) .

.PHONY: clean
clean: ## Remove caches, run folders and build products (not .venv)
	@rm -rf .tramontane build dist *.egg-info .coverage coverage.xml .mypy_cache .pytest_cache .ruff_cache \
		.hypothesis .import_linter_cache
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
