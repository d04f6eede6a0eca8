# Every target brings what it needs: python3, git and make are enough to begin with.

BIN := .venv/bin

# What failed is tried once more, one test at a time: foreign servers and clients are slow on a busy machine.
# Both runs are printed whole.
run = $(BIN)/pytest -n 3 --dist worksteal $(1) || $(BIN)/pytest --last-failed --last-failed-no-failures none $(1)

# Folders of tests that run in more than one combination of server and mode of the bot.
SERVERS := tests/servers/test_private_server.py tests/servers/test_component_docs.py
BEHAVIOUR := $(SERVERS) tests/e2e tests/interop

.PHONY: demo test test-all test-ejabberd plan unit check fix lock bench clean

# ONCE=1: go through it once and leave, without waiting for a person. PLUGINS=folder: with plugins to try.
demo:
	@scripts/bootstrap demo
	@$(BIN)/filebot demo $(if $(ONCE),--once) $(if $(PLUGINS),--plugins $(PLUGINS))

# All that needs no server, and of the rest what matters most, against Prosody: with an account, then as a component.
test:
	@scripts/bootstrap test
	$(call run,--part smoke)
	$(call run,--part smoke --mode component $(BEHAVIOUR))

# Everything at least once. Each run ends with the names of the tests that it left to another one.
test-all: test plan
	$(call run,--part rest)
	$(call run,--part rest --mode component $(BEHAVIOUR))
	@$(MAKE) --no-print-directory test-ejabberd

# What a server lacks, and what is not run for that, is said.
test-ejabberd:
	@scripts/bootstrap test
	$(call run,--part rest --server ejabberd $(BEHAVIOUR))
	$(call run,--part rest --server ejabberd --mode component $(BEHAVIOUR))

# The number of tests of each file in each run of test-all, see tests/servers/combinations.py.
plan:
	@scripts/bootstrap test
	@$(BIN)/pytest -q --part plan $(BEHAVIOUR)

# All tests that need no server, and how much of the code they execute: less than the floor in pyproject.toml fails.
unit:
	@scripts/bootstrap
	$(BIN)/pytest -n 3 --dist worksteal --cov tests/unit tests/contract tests/plugins tests/api1 examples

check:
	@scripts/bootstrap
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/commands.py --check
	$(BIN)/python scripts/manual.py --check

# Mend what ruff can mend.
fix:
	@scripts/bootstrap
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Write requirements.lock anew, with the newest versions that pyproject.toml allows.
lock:
	@scripts/bootstrap
	$(BIN)/python -m pip --disable-pip-version-check install --quiet 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group lock
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-annotate --custom-compile-command 'make lock' --quiet --output-file requirements.lock

bench:
	@scripts/bootstrap bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
