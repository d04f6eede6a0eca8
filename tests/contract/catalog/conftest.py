"""Catalogs that keep the contract: the databases and the fake."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.catalog import open_catalog
from filebot.catalog.postgresql.database import open_postgresql
from filebot.ports import Catalog
from filebot.testing.catalog import MemoryCatalog
from tests.support.old_catalogs import make_catalog
from tests.support.postgres_cluster import cluster, postgres_url

__all__ = ["cluster", "postgres_url"]

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.thorough)


@pytest.fixture(params=["sqlite", "memory", POSTGRESQL])
async def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalog]:
    match request.param:
        case "memory":
            yield MemoryCatalog()
        case "postgresql":
            async with open_postgresql(request.getfixturevalue("postgres_url")) as opened:
                yield opened
        case _:
            path = tmp_path / "catalog.db"
            make_catalog(path)
            async with open_catalog(path) as opened:
                yield opened
