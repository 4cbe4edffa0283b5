# The words to know: demo, up, test, test-guests, parity, fuzz, soak, check, bench, lock, clean, help.

# Debian 13's Python where this machine has it (asked by running it: a version
# switcher's stub may exist and refuse), else whatever python3 is.
PYTHON ?= $(shell python3.13 -c pass 2>/dev/null && echo python3.13 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv --quiet --system-certs
LOCK := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: demo up test test-guests parity fuzz soak check bench lock clean help
.DELETE_ON_ERROR:

demo: $(VENV)/deploy ## Build, provision in an embedded AWS, ask both runtimes, take all down
	$(BIN)/twofold demo

up: $(VENV)/deploy ## The same, left running until Ctrl-C
	$(BIN)/twofold up

test: $(VENV)/tests ## Run the tests
	$(BIN)/python -m pytest -n 4 --dist worksteal

test-guests: $(VENV)/tests ## Run the tests that boot real Debian guests (Linux, root)
	$(BIN)/python -m pytest --guests tests/guests -n 2 --dist loadfile

parity: $(VENV)/tests ## Compare both runtimes on generated requests: CASES=100000 SEED=1
	$(BIN)/python -m pytest tests/parity -n 4 --dist worksteal

fuzz: $(VENV)/tests ## Look for input that breaks the adapter or an expression: SECONDS=600 each
	$(BIN)/python -m tests.fuzz adapter --seconds $(or $(SECONDS),60)
	$(BIN)/python -m tests.fuzz expression --seconds $(or $(SECONDS),60)

soak: $(VENV)/tests ## Release ten times under load in a guest; says what was lost (Linux, root)
	$(BIN)/python -m tests.guests.soak $(SOAK)

check: $(VENV)/tests ## Format, lint, types, shell: says what is wrong, changes nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/shellcheck $$(git ls-files '*.sh' .ci/run deploy/local/guests/image/aws)

bench: $(VENV)/tests ## Measure against the alternatives; prints ratios
	$(BIN)/python -m tests.benchmarks

lock: $(VENV)/deploy ## Pin all dependencies anew from pyproject.toml, with hashes
	$(LOCK) pyproject.toml -o service.lock
	$(LOCK) --group bootstrap -o bootstrap.lock
	$(LOCK) --group deploy pyproject.toml -c service.lock -c bootstrap.lock -o deploy.lock
	$(LOCK) --group tests pyproject.toml -c deploy.lock -o tests.lock

clean: ## Remove what make and twofold made here
	rm -rf $(VENV) .twofold .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
	find service deploy tests -name __pycache__ -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/uv: bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "Twofold needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
		"Pass another: make PYTHON=python3.13" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) -V) ..." >&2
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "Could not make $(VENV); on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes -r bootstrap.lock
	@touch $@

# Two stamps: the demo does not wait for the test tools.
$(VENV)/deploy $(VENV)/tests: $(VENV)/%: %.lock pyproject.toml $(VENV)/uv
	@echo "Installing $*.lock ..." >&2
	@$(UV) pip install --python $(BIN)/python --compile-bytecode --require-hashes -r $*.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
