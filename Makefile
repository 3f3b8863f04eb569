# make         install into .venv and run everything that is out of date
# make public  fetch what may be fetched first
# make test    the test suite
# make bench   speed and memory against other packages; half an hour
# make coverage  how often intervals cover, by Monte Carlo; half an hour
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: all public test slow bench coverage lint verify clean

all: $(STAMP)
	@replication run

public: $(STAMP)
	@replication data fetch || true
	@replication run

test: $(STAMP)
	python -m pytest -n auto -m "not slow"

slow: $(STAMP)
	python -m pytest -m slow

bench: $(STAMP)
	python -m benchmarks.race

coverage: $(STAMP)
	python -m benchmarks.coverage
	python -m benchmarks.few_treated

lint: $(STAMP)
	ruff check .
	ruff format --check .
	mypy
	snakefmt --check Snakefile
	snakemake --lint

verify: $(STAMP)
	replication verify

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12, for example")'
	@echo "Installing into .venv (once; two minutes or so)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

clean:
	rm -rf data_clean/*/ figures/*/ tables report logs .snakemake
