# make         install what a run needs into .venv, and run everything that is out of date
# make public  fetch what may be fetched first
# make test    install what developers need as well, and run the test suite
# make verify  hold every output
# make bench   speed and memory against other packages, and seconds of runs; three quarters of an hour
# make coverage  how often intervals cover, by Monte Carlo; half an hour
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
TOOLS := .venv/.developed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: all public test slow bench coverage lint verify clean

all: $(STAMP)
	@replication run

public: $(STAMP)
	@replication data fetch || true
	@replication run

test: $(TOOLS)
	python -m pytest -n auto -m "not slow"

slow: $(TOOLS)
	python -m pytest -m slow

bench: $(TOOLS)
	python -m benchmarks.race
	python -m benchmarks.whole_process
	python -m benchmarks.runs

coverage: $(TOOLS)
	python -m benchmarks.coverage
	python -m benchmarks.few_treated

lint: $(TOOLS)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile
	snakemake --lint

verify: $(STAMP)
	replication verify

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12, for example")'
	@echo "Installing into .venv (once; a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(STAMP)

$(TOOLS): $(STAMP) requirements-dev.lock
	@echo "Installing what developers need (once; a minute)"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $(TOOLS)

clean:
	rm -rf data_clean/*/ figures/*/ tables report logs .snakemake
