# On a fresh machine with Python 3.11 and git, `make run` and `make test` are all.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
MLFLOW_PORT ?= 5000
PREFECT_PORT ?= 4200
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test lint format bench lock venv clean up down

run: venv  ## sample data, then the whole chain for `sentiment`, ending with a champion and a table
	@seqline sample sentiment
	@seqline run sentiment

up: venv  ## MLflow's and Prefect's servers and a worker on loopback, with the schedules of prefect.yaml
	@seqline sample sentiment
	@seqline up --mlflow-port $(MLFLOW_PORT) --prefect-port $(PREFECT_PORT)

down: venv  ## end what `make up` started
	@seqline down

test: venv  ## all tests, offline, on two cores
	@OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 pytest -n 2 --dist loadfile $(ARGS)

lint: venv  ## style, types, security
	@ruff check . && ruff format --check . && mypy && bandit -q -c pyproject.toml -r src flows

format: venv  ## put the code into the house's form
	@ruff format . && ruff check --fix .

bench: venv  ## speed, side by side in one run
	@python -m bench

lock: venv  ## rewrite requirements.lock from what is installed
	@pip freeze --all --exclude-editable --exclude pip | sed -E 's/^(torch==[0-9.]+)\+.*/\1/' > requirements.lock

# Installs once, and again only when requirements.lock changes: the stamp holds the lock's digest.
venv:
	@test -d .venv || $(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else f"seqline needs Python 3.11, found {v[0]}.{v[1]}; try: make run PYTHON=/path/to/python3.11")'
	@sha256sum --check --status $(BIN)/../lock.sha256 2>/dev/null || { \
	  echo "installing what requirements.lock names into .venv (once; a few minutes)" && \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/pip install --quiet --no-deps --requirement requirements.lock && \
	  $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable . && \
	  $(BIN)/pip check && \
	  sha256sum requirements.lock > .venv/lock.sha256; }

clean:  ## remove what runs left behind; data, recipes and the registry stay
	rm -rf artifacts .seqline/checkpoints .seqline/events .seqline/staging build dist
