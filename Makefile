# Two commands do everything, set-up included: `make demo` and `make test`.
# Where make is missing, the README gives the `uv run …` lines called here.

PYTHON ?= python3
# A uv that is already installed is used; otherwise one is put into .uv, inside this folder.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --

.PHONY: setup demo test check soak bench cassettes docs clean

setup: $(UV)
	@$(UV) sync --frozen --quiet

.uv/bin/uv:
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

demo: setup
	@$(RUN) civitscrape demo

test: setup
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) pytest -n auto --dist worksteal

check: test

# What takes minutes: kills, disks that fill and databases that are locked, over and over.
soak: setup
	$(RUN) pytest -m soak

bench: setup
	@$(RUN) python -m tests.bench

# Records the cassettes again: `make cassettes BASE_URL=http://…` for another server than the sandbox.
cassettes: setup
	$(RUN) python -m tests.cassettes $(if $(BASE_URL),--base-url $(BASE_URL))

# Writes docs/reference from the declarations in the code.
docs: setup
	$(RUN) python -m docs.generate

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis
