# Every target brings what it needs: python3, git and make are enough to begin with.

BIN := .venv/bin

.PHONY: demo test test-ejabberd check bench clean

# ONCE=1: go through it once and leave, without waiting for a person.
demo:
	@scripts/bootstrap demo
	@$(BIN)/filebot demo $(if $(ONCE),--once)

# The tests against a real server once more with the bot as a component of it.
test:
	@scripts/bootstrap test
	$(BIN)/pytest -n 3 --dist worksteal
	$(BIN)/pytest -n 3 --dist worksteal --mode component tests/e2e

# The tests of behaviour again, against another server. What it lacks, and what is not run for that, is said.
test-ejabberd:
	@scripts/bootstrap test
	$(BIN)/pytest -n 3 --dist worksteal --server ejabberd tests/servers tests/e2e tests/interop
	$(BIN)/pytest -n 3 --dist worksteal --server ejabberd --mode component tests/e2e

check:
	@scripts/bootstrap
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench:
	@scripts/bootstrap bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
