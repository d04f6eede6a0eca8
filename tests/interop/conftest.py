"""The two programs, built when the first test needs them."""

from pathlib import Path

import pytest

from tests.interop.peers import GLOOX, PURPLE, build


@pytest.fixture(scope="session")
def binaries(request: pytest.FixtureRequest) -> dict[str, Path]:
    """By name. They are kept in pytest's cache; a missing compiler or header is an error, not a skip."""
    folder = request.config.cache.mkdir("interop")
    return {program.name: build(program, folder) for program in (PURPLE, GLOOX)}
