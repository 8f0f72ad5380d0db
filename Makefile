# `make run` and `make test` set everything up by themselves: Python ≥ 3.11 and make are enough.
PYTHON ?= python3

.PHONY: run study recommend serve prune compare test slow own-data operations machines faults faults-table bench coverage lint audit screenshots help lock trackers peers

# --no-deps: the lock is complete, and pip before 24 stumbles over extras when hashes are required. headstart.pth: the
# project is found also where Python is told not to look into the current folder (PYTHONSAFEPATH).
.venv/installed: requirements.lock
	@echo "Installing into .venv, which takes a minute or two …"
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements.lock
	pwd > "$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/headstart.pth"
	touch $@

.venv/trackers: requirements-trackers.lock .venv/installed
	.venv/bin/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements-trackers.lock
	touch $@

.venv/peers: requirements-peers.lock .venv/installed
	.venv/bin/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements-peers.lock
	touch $@

# The experiment. ARGS="--help" tells what can be set.
run: .venv/installed
	.venv/bin/python -m flows.transfer_learning $(ARGS)

# What helps, and from how few labels on, in an hour or more. ARGS="--quick" gives a first impression.
study: .venv/installed
	.venv/bin/python -m flows.study $(ARGS)

# What to do with few labels: ARGS="--question.dataset photos --question.source-models backbone.keras"
recommend: .venv/installed
	.venv/bin/python -m flows.recommend $(ARGS)

# The quick tests, in two processes for two cores; `.venv/bin/python -m pytest` alone takes one.
test: .venv/installed
	.venv/bin/python -m pytest --numprocesses 2

# What `make test` leaves out of the experiment, faults, flows, storage and README's walk-through.
slow: .venv/installed
	.venv/bin/python -m pytest --numprocesses 2 -m "slow or own_data" tests/experiment tests/faults tests/flows tests/orchestration tests/storage

# Flow and study on your own data and models, and README's walk-through as it is written.
own-data: .venv/installed
	.venv/bin/python -m pytest -m own_data tests/flows

# Real servers, workers, kills, a browser (Debian's or Ubuntu's package chromium), and MLflow after `make trackers`.
operations: .venv/installed
	.venv/bin/python -m pytest --numprocesses 2 -m operations tests/operations

# Dask workers with nothing in common but an S3 endpoint and PostgreSQL (Debian's or Ubuntu's package).
machines: .venv/installed
	.venv/bin/python -m pytest -m machines tests/operations

# How fast it is, against Keras, the notebook and peers. ARGS="--quick": the same ratios, rougher, in six minutes.
bench: .venv/installed
	.venv/bin/python -m tests.benchmarks $(ARGS)

# How often intervals cover and claims err, by simulation, in minutes: the tables of DECISIONS.md, "Claims".
coverage: .venv/installed
	.venv/bin/python -m tests.benchmarks.coverage $(ARGS)

# Break it on purpose: one line per fault. tests/faults/FAULTS.md is the table of them.
faults: .venv/installed
	.venv/bin/python -m pytest -m fault $(ARGS)

# Writes tests/faults/FAULTS.md.
faults-table: .venv/installed
	.venv/bin/python -m pytest --collect-only --quiet --quiet -m fault --write-fault-table

# A Prefect server, its worker and the nightly schedule, until Ctrl-C.
serve: .venv/installed
	.venv/bin/python -m flows.serve

# What differs between runs, and how their answers do: ARGS="latest~1 latest".
compare: .venv/installed
	.venv/bin/python -m flows.compare $(ARGS)

# Deletes old runs and what only they need. ARGS="--keep 20 --dry-run" shows what would go.
prune: .venv/installed
	.venv/bin/python -m flows.prune $(ARGS)

# The clients of MLflow and TensorBoard, for HEADSTART_TRACKERS: docs/trackers.md.
trackers: .venv/trackers

# JAX and PyTorch for the CPU, with which `make bench` then compares: docs/speed.md.
peers: .venv/peers
	@.venv/bin/pip install --disable-pip-version-check --quiet --no-deps --require-hashes -r requirements-torch.lock || \
		echo "PyTorch for the CPU is in no index that pip knows here: the bench leaves it out (docs/speed.md)."

# Style, types, and who imports whom.
lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# What there is to make.
help:
	@awk -F: '/^# /{said = said substr($$0, 2); next} /^[a-z-]+:/{printf "%-14s%s\n", $$1, said} {said = ""}' Makefile

# Known vulnerabilities of what is locked.
audit: .venv/installed
	.venv/bin/pip-audit --require-hashes --disable-pip --requirement requirements.lock
	.venv/bin/pip-audit --require-hashes --disable-pip --requirement requirements-trackers.lock
	.venv/bin/pip-audit --require-hashes --disable-pip --requirement requirements-peers.lock
	.venv/bin/pip-audit --require-hashes --disable-pip --requirement requirements-torch.lock

# The docs' pictures of Prefect's UI (needs Debian's or Ubuntu's package chromium).
screenshots: .venv/installed
	.venv/bin/python -m tests.walkthrough.screenshots

# After a change of dependencies (needs uv; UV_TORCH_BACKEND=cpu tells it where PyTorch's builds for the CPU are).
lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --constraint requirements.lock \
		--group trackers -o requirements-trackers.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --constraint requirements.lock \
		--group peers -o requirements-peers.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --constraint requirements.lock \
		--group torch -o requirements-torch.lock
