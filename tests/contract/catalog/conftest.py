"""Catalogs that keep the contract: the database and the fake."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.ports import Catalog
from filebot.testing.catalog import MemoryCatalog


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database made once: to copy it is quicker than to make it anew for every test."""
    path = tmp_path_factory.mktemp("catalog") / "empty.db"

    async def make() -> None:
        async with open_catalog(path):
            pass

    asyncio.run(make())
    return path


@pytest.fixture(params=["database", "memory"])
async def catalog(
    request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path
) -> AsyncIterator[Catalog]:
    if request.param == "memory":
        yield MemoryCatalog()
        return
    path = tmp_path / "catalog.db"
    path.write_bytes(empty_database.read_bytes())
    async with open_catalog(path) as opened:
        yield opened
