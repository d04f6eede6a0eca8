"""Contract of ``Cursors`` and ``Subscriptions``."""

from datetime import timedelta, timezone

from filebot.model import ArchivePosition
from filebot.ports import Catalog
from tests.contract.catalog.samples import NOW


async def test_a_position_replaces_the_one_before(catalog: Catalog) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    later = ArchivePosition("bot@example.org", "7", NOW + timedelta(hours=1), frozenset({"9", "'; --"}))
    assert await catalog.position("bot@example.org") is None
    await catalog.save_position(ArchivePosition("bot@example.org", "", berlin))
    assert await catalog.position("bot@example.org") == ArchivePosition("bot@example.org", "", NOW)
    await catalog.save_position(ArchivePosition("tea@rooms.example.org", "x", NOW))
    await catalog.save_position(later)
    assert await catalog.position("bot@example.org") == later
    assert await catalog.position("tea@rooms.example.org") == ArchivePosition(
        "tea@rooms.example.org", "x", NOW
    )
    await catalog.forget_position("tea@rooms.example.org")
    await catalog.forget_position("nobody@rooms.example.org")
    assert await catalog.position("tea@rooms.example.org") is None
    assert await catalog.position("bot@example.org") == later


async def test_subscriptions_are_listed_in_order_of_arrival(catalog: Catalog) -> None:
    pairs = [("bob@example.org", "files.example.org"), ("anna@example.org", "files.example.org")]
    pairs.append(("bob@example.org", "drop@files.example.org"))
    assert list(await catalog.subscriptions()) == []
    for pair in [*pairs, pairs[0]]:
        await catalog.keep_subscription(*pair)
    assert list(await catalog.subscriptions()) == pairs
    await catalog.forget_subscription(*pairs[1])
    await catalog.forget_subscription("nobody@example.org", "files.example.org")
    assert list(await catalog.subscriptions()) == [pairs[0], pairs[2]]
