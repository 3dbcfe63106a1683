# Two commands: `make reference` builds the reference, `make test` proves it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    ?= build/reference
BUILD  ?=
READY  := $(VENV)/.ready

.PHONY: reference test lint bench validate lock clean

reference: $(READY)            ## build the reference into build/reference
	$(BIN)/trabecula build --out $(OUT) $(BUILD)

test: $(READY)                 ## run every test, in a real browser too
	scripts/install-chromium
	$(BIN)/pytest -n auto

lint: $(READY)                 ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)                ## measure speed and memory, beside other libraries
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/synthesis.py

validate: $(READY)             ## simulate the statistical behaviour (minutes)
	$(BIN)/python validation/coverage.py
	$(BIN)/python validation/calibration.py

lock:                          ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade \
	  --output-file requirements.lock
	uv pip compile pyproject.toml --extra bench --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade \
	  --constraints requirements.lock --output-file benchmarks/requirements.lock

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:                         ## remove everything that can be made again
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
