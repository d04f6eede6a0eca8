"""Catalogs that keep the contract: the database and the fake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.ports import Catalog
from filebot.testing.catalog import MemoryCatalog
from tests.support.old_catalogs import make_catalog


@pytest.fixture(params=["database", "memory"])
async def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalog]:
    if request.param == "memory":
        yield MemoryCatalog()
        return
    path = tmp_path / "catalog.db"
    make_catalog(path)
    async with open_catalog(path) as opened:
        yield opened
