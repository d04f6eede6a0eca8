# Every target brings what it needs: python3, git and make are enough to begin with.

BIN := .venv/bin

.PHONY: demo test test-ejabberd check bench clean

# ONCE=1: go through it once and leave, without waiting for a person.
demo:
	@scripts/bootstrap demo
	@$(BIN)/filebot demo $(if $(ONCE),--once)

test:
	@scripts/bootstrap test
	$(BIN)/pytest -n 3 --dist worksteal

# The tests of behaviour again, against another server. What it lacks, and what is not run for that, is said.
test-ejabberd:
	@scripts/bootstrap test
	$(BIN)/pytest -n 3 --dist worksteal --server ejabberd tests/servers tests/e2e tests/interop

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
