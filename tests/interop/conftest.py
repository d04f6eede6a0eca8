"""Fixtures: the two client programs, built on first use, and the report of the matrix's results."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.matrix import PROPERTY, WRITING, Cell, Outcome, committed
from tests.interop.peers import GLOOX, PURPLE, build

Reports = Callable[[Cell, Outcome], None]


@pytest.fixture(scope="session")
def binaries(request: pytest.FixtureRequest) -> dict[str, Path]:
    """Return the programs by name, built in pytest's cache; a missing compiler or header is an error."""
    folder = request.config.cache.mkdir("interop")
    return {program.name: build(program, folder) for program in (PURPLE, GLOOX)}


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Reports:
    """Return a function that records the result of a cell and compares it with docs/interop.md."""

    def tell(cell: Cell, outcome: Outcome) -> None:
        record_property(PROPERTY, f"{cell}: {outcome}")  # plain text: it travels between processes
        if WRITING not in os.environ:
            assert committed().get(cell) == outcome

    return tell
