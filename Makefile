# Everything needs only Python 3.11 or newer, make and a package registry; each target sets up what it uses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run setup test check bench eval clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: $(VENV)/.core ## start the gateway on http://127.0.0.1:8000 with the demo company
	@$(BIN)/wayside serve

setup: $(VENV)/.dev ## prepare .venv with everything that developing and testing need

test: $(VENV)/.dev ## run the whole test suite, on two cores: each file's tests stay together
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: $(VENV)/.dev ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.bench ## measure against references in the same run: make bench ARGS="gateway search"
	@$(BIN)/python -m evals.bench $(ARGS)

eval: $(VENV)/.dev ## run the evaluation suites on the project's own data
	@$(BIN)/wayside eval retrieval --html reports/retrieval.html
	@$(BIN)/wayside eval answering --html reports/answering.html
	@$(BIN)/wayside eval tools --html reports/tools.html

clean: ## remove the environment and every cache in the tree
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info

$(VENV)/.core: pyproject.toml constraints.txt
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing Wayside's packages (about a minute the first time)"
	@$(PIP) -e '.[voice,vision]'
	@$(BIN)/wayside models pull
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "installing the development packages"
	@$(PIP) --no-compile -e '.[dev,train,edge,mlflow,postgres,redis,stream,tabular,voice,vision]'
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@echo "installing the references that benchmarks compare with"
	@$(PIP) -e '.[bench]'
	@touch $@
