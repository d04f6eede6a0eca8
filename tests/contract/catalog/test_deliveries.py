"""Contract of ``DeliveryStore``."""

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

from filebot.model import Entry, Method, QueuedDelivery
from filebot.ports import Catalog
from tests.contract.catalog.samples import NOW, put


def a_delivery(number: int, entry: Entry, **other: Any) -> QueuedDelivery:
    delivery = QueuedDelivery(number, entry.id, "alice@example.org", "bob@example.org", None, None, NOW)
    return replace(delivery, **other)


async def test_deliveries_are_returned_as_kept_by_number(catalog: Catalog) -> None:
    first, second = await put(catalog, "a", "b")
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    plain = a_delivery(7, second, created_at=berlin)
    full = a_delivery(3, first, language="zh-CN", method=Method.SOCKS5, tries=2)
    assert await catalog.deliveries() == []
    assert all(await asyncio.gather(catalog.add_delivery(plain), catalog.add_delivery(full)))
    assert await catalog.deliveries() == [full, replace(plain, created_at=NOW)]
    assert [each.created_at.utcoffset() for each in await catalog.deliveries()] == [timedelta(0)] * 2


async def test_tries_are_counted_for_known_deliveries_only(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "a")
    await catalog.add_delivery(a_delivery(1, entry))
    await catalog.count_tries(1, 4)
    await catalog.count_tries(2, 4)
    assert await catalog.deliveries() == [a_delivery(1, entry, tries=4)]


async def test_a_delivery_is_removed_once(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "a")
    for number in (1, 2):
        await catalog.add_delivery(a_delivery(number, entry))
    assert await catalog.remove_delivery(1)
    assert not await catalog.remove_delivery(1)
    assert not await catalog.remove_delivery(10**12)
    assert await catalog.deliveries() == [a_delivery(2, entry)]


async def test_a_removed_entry_has_no_deliveries_and_gets_none(catalog: Catalog) -> None:
    entry, other = await put(catalog, "a", "b")
    for number, of in enumerate((entry, other, entry)):
        assert await catalog.add_delivery(a_delivery(number, of))
    await catalog.remove(entry.id)
    assert await catalog.deliveries() == [a_delivery(1, other)]
    assert not await catalog.add_delivery(a_delivery(4, entry))
    await catalog.count_tries(0, 1)
    assert await catalog.deliveries() == [a_delivery(1, other)]
