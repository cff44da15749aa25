# Everything happens inside .venv, which each target sets up by itself, once.

BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo studio docs test test-all test-browser lint bench clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

$(READY): pyproject.toml constraints.txt scripts/setup
	@scripts/setup .venv
	@touch $@

demo: $(READY) ## Make the gallery of the README in demo/
	$(BIN)/belamy demo -o demo
	@echo "by hand and eye, in the browser: make studio"

studio: $(READY) ## Open the studio in the browser
	$(BIN)/belamy studio

docs: $(READY) ## The guide and the references as pages in site/, to be read without a network
	@$(BIN)/python -c 'import furo, myst_parser, sphinx' 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[docs]'
	@$(BIN)/python scripts/site site/.source
	@$(BIN)/python -m sphinx -q -W --keep-going -d site/.doctrees -b html site/.source site
	@echo "open site/index.html"

# One thread a process: the tests' pictures are small, and two threads wait for each other longer than
# they work. A process for each core instead, each with whole files, whose tests share what is slow.
SPREAD := -n logical --maxprocesses 8 --dist loadfile

test: $(READY) ## The tests, but for the slow ones
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(SPREAD)

test-all: $(READY) ## All tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(SPREAD) -m "not gpu and not browser"

test-browser: $(READY) ## The studio in a real browser; SHOTS=docs/studio takes its pictures anew
	@scripts/chromium
	OMP_NUM_THREADS=1 BELAMY_SHOTS=$(SHOTS) $(BIN)/python -m pytest tests/browser $(SPREAD) -m browser

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## Every benchmark, quickly; fails if one misses its bar
	@status=0; \
	for file in benchmarks/*.py; do \
		[ -e "$$file" ] || continue; \
		echo "== $$file"; \
		$(BIN)/python "$$file" --quick || status=1; \
	done; \
	exit $$status

clean: ## Remove .venv, caches and builds; keep runs/ and demo/
	rm -rf .venv dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
