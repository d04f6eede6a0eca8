"""The two programs, built when the first test needs them, and what came of the cells of the matrix."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.matrix import PROPERTY, WRITING, Cell, Outcome, committed
from tests.interop.peers import GLOOX, PURPLE, build

Reports = Callable[[Cell, Outcome], None]


@pytest.fixture(scope="session")
def binaries(request: pytest.FixtureRequest) -> dict[str, Path]:
    """By name. They are kept in pytest's cache; a missing compiler or header is an error, not a skip."""
    folder = request.config.cache.mkdir("interop")
    return {program.name: build(program, folder) for program in (PURPLE, GLOOX)}


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Reports:
    """Tell what came of a cell; it must be what docs/interop.md says."""

    def tell(cell: Cell, outcome: Outcome) -> None:
        record_property(PROPERTY, f"{cell}: {outcome}")  # plain text: it travels between processes
        if WRITING not in os.environ:
            assert committed().get(cell) == outcome

    return tell
