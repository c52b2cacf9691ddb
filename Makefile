# Two commands matter: `make demo` and `make test`.  Each works alone on a fresh clone.
PYTHON ?= python3
# Where a machine forbids it, every process that a test starts compiles our modules anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test bench soak deliveries fuzz check lint format types contracts drift clean lock

help:
	@echo "make demo [ONCE=1]  play thirteen stories on live workflows (ONCE=1: end by itself, verified)"
	@echo "make test           every test, on servers it starts itself"
	@echo "make bench          speed, against floors in the same run (ARGS=--quick: in two minutes)"
	@echo "make soak           20 minutes of kills at random times, then verified (MINUTES=2 SEED=17)"
	@echo "make deliveries     1,000 webhooks, three times each, the gateway killed, Temporal stopped (ARGS=--while-stopped)"
	@echo "make fuzz           whatever may be sent to the HTTP door, for 10 minutes (MINUTES=1 SEED=17)"
	@echo "make check          format, lint, types, import contracts, drift, tests"
	@echo "make clean          remove what the above made"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rapport needs Python 3.11 or later; set PYTHON=/path/to/it")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	@exec $(BIN)/rapport demo $(if $(ONCE),--once --json) $(if $(DATA),--data $(DATA))

test: $(READY)
	@exec $(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

bench: $(READY)
	@exec $(BIN)/python -m benchmarks $(ARGS)

soak: $(READY)
	@exec $(BIN)/python -m tests.crash.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

deliveries: $(READY)
	@exec $(BIN)/python -m tests.crash.deliveries $(if $(SEED),--seed $(SEED)) $(ARGS)

fuzz: $(READY)
	@exec $(BIN)/python -m tests.gateway.http.fuzz_long $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

check: lint types contracts drift test

lint: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "some files are not formatted; run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .

format: $(READY)
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

types: $(READY)
	@$(BIN)/mypy

contracts: $(READY)
	@$(BIN)/lint-imports --no-cache

drift: $(READY)
	@$(BIN)/python -m events.reference --check
	@$(BIN)/python -m events.policy_schema --check
	@$(BIN)/python -m events.integrations.mapping_schema --check
	@$(BIN)/python -m gateway.access.roles_table --check
	@$(BIN)/python -m workers.settings_table --check
	@$(BIN)/python -m gateway.http.openapi --check

# Hashes for every platform, and no index lines: the lock names no registry.
lock:
	uv pip compile pyproject.toml --extra embedded --extra dev --generate-hashes --universal \
		--python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header -q -o requirements.lock

clean:
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
