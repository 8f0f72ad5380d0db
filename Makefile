# `make run` and `make test` set everything up by themselves: Python ≥ 3.11 and make are enough.
PYTHON ?= python3

.PHONY: run study recommend serve prune test slow own-data operations machines faults faults-table bench coverage lint audit lock

# --no-deps: the lock is complete, and pip before 24 stumbles over extras when hashes are required. headstart.pth: the
# project is found also where Python is told not to look into the current folder (PYTHONSAFEPATH).
.venv/installed: requirements.lock
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements.lock
	pwd > "$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/headstart.pth"
	touch $@

run: .venv/installed
	.venv/bin/python -m flows.transfer_learning $(ARGS)

study: .venv/installed
	.venv/bin/python -m flows.study $(ARGS)

# ARGS="--question.dataset photos --question.source-models backbone.keras": what to do with few labels.
recommend: .venv/installed
	.venv/bin/python -m flows.recommend $(ARGS)

test: .venv/installed
	.venv/bin/python -m pytest

# What `make test` leaves out of faults, flows and README's walk-through.
slow: .venv/installed
	.venv/bin/python -m pytest -m "slow or own_data" tests/faults tests/flows

# Flow and study on your own data and models, and README's walk-through as it is written.
own-data: .venv/installed
	.venv/bin/python -m pytest -m own_data tests/flows

# Real servers, workers, kills and a browser (Debian's or Ubuntu's package chromium).
operations: .venv/installed
	.venv/bin/python -m pytest -m operations tests/operations

# Dask workers with nothing in common but an S3 endpoint and PostgreSQL (Debian's or Ubuntu's package).
machines: .venv/installed
	.venv/bin/python -m pytest -m machines tests/operations

# ARGS="--help" tells what can be changed.
bench: .venv/installed
	.venv/bin/python -m tests.benchmarks $(ARGS)

# How often intervals cover and claims err, by simulation, in minutes: the tables of DECISIONS.md, "Claims".
coverage: .venv/installed
	.venv/bin/python -m tests.benchmarks.coverage $(ARGS)

# Break it on purpose: one line per fault. tests/faults/FAULTS.md is the table of them.
faults: .venv/installed
	.venv/bin/python -m pytest -m fault $(ARGS)

faults-table: .venv/installed
	.venv/bin/python -m pytest --collect-only --quiet --quiet -m fault --write-fault-table

# A Prefect server, its worker and the nightly schedule, until Ctrl-C.
serve: .venv/installed
	.venv/bin/python -m flows.serve

# ARGS="--keep 20 --dry-run" shows what would go.
prune: .venv/installed
	.venv/bin/python -m flows.prune $(ARGS)

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# Known vulnerabilities of what is locked.
audit: .venv/installed
	.venv/bin/pip-audit --require-hashes --disable-pip --requirement requirements.lock

# After a change of dependencies (needs uv).
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements.lock
