# Everything a machine needs, from a clean clone: `make run`, then `make test`.
PYTHON ?= python3
BIN := .venv/bin
TORCH_VERSION := 2.13.0
# Where pip looks for torch besides its own index; name PyTorch's CPU wheel index here on a machine whose
# default index serves the CUDA build (README, "Set-up").
TORCH_INDEX ?=
PORT ?= 8000

.DEFAULT_GOAL := help
.PHONY: help setup run test test-tools lint bench clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

.venv/torch-$(TORCH_VERSION):
	$(PYTHON) -m venv .venv
	PIP_EXTRA_INDEX_URL="$(TORCH_INDEX)" $(BIN)/pip install torch==$(TORCH_VERSION)
	@touch $@

.venv/runtime: .venv/torch-$(TORCH_VERSION) requirements/runtime.lock pyproject.toml
	$(BIN)/pip install --require-hashes -r requirements/runtime.lock
	$(BIN)/pip install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/runtime requirements/dev.lock
	$(BIN)/pip install --require-hashes -r requirements/dev.lock
	@touch $@

.venv/train: .venv/dev requirements/train.lock
	$(BIN)/pip install --require-hashes -r requirements/train.lock
	@touch $@

setup: .venv/runtime ## Create .venv from the hash lock and prepare the models
	$(BIN)/tamga models prepare

run: setup ## Set up, load the sample index into an empty home, serve on port 8000
	$(BIN)/tamga serve --samples --port $(PORT)

test: setup .venv/dev test-tools lint ## Install what tests need, lint, run every test
	$(BIN)/python -m pytest

# A C compiler for the crash tests, PostgreSQL for the stores, Chromium for the pages: from Debian where missing.
test-tools:
	@command -v cc >/dev/null || (apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev)
	@sh tests/postgres/install
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
		(apt-get update && apt-get install --yes --no-install-recommends chromium)

lint: .venv/dev ## ruff, mypy --strict, import-linter, hadolint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

bench: setup .venv/train ## Run the benches that need a corpus: make bench DATA=folder
	@test -n "$(DATA)" || { echo "make bench needs DATA=<folder of the corpora>" >&2; exit 2; }
	$(BIN)/python -m bench.retrieval --data $(DATA)
	$(BIN)/python -m bench.language --data $(DATA)
	$(BIN)/python -m bench.encoder --data $(DATA)

clean: ## Remove the environment and caches, never the data folder
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
