"""Opening of a catalog in PostgreSQL, and what becomes of it when the server goes away."""

import asyncio

import pytest
import sqlalchemy as sa

from filebot.catalog.postgresql.database import open_postgresql
from filebot.errors import CatalogUnavailable
from filebot.model import Scope
from tests.support.postgres_cluster import PostgresCluster, running_cluster
from tests.support.waiting import until_answered
from tests.unit.catalog.test_database import NEW

pytestmark = pytest.mark.thorough


async def test_two_that_open_an_empty_database_at_once_make_the_tables_once(postgres_url: sa.URL) -> None:
    async with open_postgresql(postgres_url) as first, open_postgresql(postgres_url) as second:
        entry = await first.add(NEW)
        assert await second.entry(entry.id) == entry
    outcomes = await asyncio.gather(*(opened(postgres_url) for _ in range(3)))
    assert outcomes == [1, 1, 1]


async def opened(url: sa.URL) -> int:
    async with open_postgresql(url) as catalog:
        return await catalog.count(Scope(owner=NEW.owner))


async def test_a_database_that_cannot_hold_all_texts_is_refused(cluster: PostgresCluster) -> None:
    cluster.execute(
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )
    with pytest.raises(CatalogUnavailable, match="encoding SQL_ASCII; make one with: CREATE DATABASE"):
        async with open_postgresql(sa.make_url(cluster.url("ascii"))):
            pass


async def test_a_database_that_is_not_there_is_told(cluster: PostgresCluster) -> None:
    with pytest.raises(CatalogUnavailable, match='database "nowhere" does not exist'):
        async with open_postgresql(sa.make_url(cluster.url("nowhere"))):
            pass


async def test_tables_of_a_newer_filebot_are_left_alone(
    cluster: PostgresCluster, postgres_url: sa.URL
) -> None:
    async with open_postgresql(postgres_url):
        pass
    cluster.execute("UPDATE alembic_version SET version_num = '9999'", postgres_url.database or "")
    with pytest.raises(CatalogUnavailable, match="of a newer filebot"):
        async with open_postgresql(postgres_url):
            pass


async def test_what_was_said_to_be_stored_outlives_kills_of_the_server() -> None:
    with running_cluster(durable=True) as cluster:
        cluster.create("files")
        async with open_postgresql(sa.make_url(cluster.url("files"))) as catalog:
            stored = list[int]()

            async def store() -> bool:
                try:
                    stored.append((await catalog.add(NEW)).id)
                except CatalogUnavailable:
                    return False
                return True

            for _ in range(5):
                await until_answered(store)
                under_way = [asyncio.create_task(store()) for _ in range(20)]
                await asyncio.to_thread(cluster.stop)
                await asyncio.gather(*under_way)
                assert not await store()
                await asyncio.to_thread(cluster.start)
            await until_answered(store)
            page = await catalog.page(Scope(owner=NEW.owner), limit=1000)
            assert set(stored) <= {each.id for each in page}
            assert len(set(stored)) == len(stored) >= 6
            assert await catalog.count(Scope(owner=NEW.owner)) == len(page)


async def test_a_server_without_a_free_connection_is_told(cluster: PostgresCluster) -> None:
    name = "crowded"
    cluster.create(name)
    cluster.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    # A superuser is not counted.
    cluster.execute("CREATE ROLE somebody LOGIN")
    cluster.execute(
        f"GRANT ALL ON SCHEMA public TO somebody; GRANT CREATE ON DATABASE {name} TO somebody", name
    )
    url = sa.make_url(cluster.url(name)).set(username="somebody")
    async with open_postgresql(url) as catalog:
        with pytest.raises(CatalogUnavailable, match="too many connections"):
            await catalog.count(Scope(owner=NEW.owner))
