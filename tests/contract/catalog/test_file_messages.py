"""Contract of ``FileMessages``."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from filebot import ports
from filebot.catalog import file_messages as sql
from filebot.model import FileMessage, Scope
from filebot.ports import Catalog
from filebot.testing import file_messages as memory
from tests.contract.catalog.samples import put

LATER = datetime(2027, 1, 1, tzinfo=UTC)


async def test_messages_are_kept_in_order_once_each_and_forgotten(catalog: Catalog) -> None:
    first, second = await put(catalog, "a.png", "b.png")
    one, two = FileMessage("p", "k1", first.id, "k1", "anna"), FileMessage("p", "k1", second.id, "k1")
    three = FileMessage("q", "k2", first.id, "k1", "anna")
    await catalog.file_messages.add([one, two])
    await catalog.file_messages.add([three, FileMessage("q", "k3", 99, "k3")])
    assert list(await catalog.file_messages.all()) == [one, two, three]
    changed = FileMessage("p", "k1", second.id, "k1", "bob")
    await catalog.file_messages.add([changed])
    assert set(await catalog.file_messages.all()) == {one, changed, three}
    await catalog.file_messages.forget([one, FileMessage("p", "none", first.id, "none")])
    assert set(await catalog.file_messages.all()) == {changed, three}


async def test_messages_of_an_entry_go_with_it(catalog: Catalog) -> None:
    first, second = await put(catalog, "a.png", "b.png")
    kept = FileMessage("p", "k2", second.id, "k2")
    await catalog.file_messages.add([FileMessage("p", "k1", first.id, "k1"), kept])
    await catalog.remove(first.id)
    assert list(await catalog.file_messages.all()) == [kept]


async def test_only_the_latest_are_kept(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sql, memory):
        monkeypatch.setattr(module, "MOST_FILE_MESSAGES", 4)
        monkeypatch.setattr(module, "MOST_FILE_MESSAGES_OF_PLACE", 3)
    assert ports.MOST_FILE_MESSAGES_OF_PLACE < ports.MOST_FILE_MESSAGES
    [entry] = await put(catalog, "a.png")
    for number in range(5):
        await catalog.file_messages.add([FileMessage("p", f"p{number}", entry.id, "m")])
    assert [each.key for each in await catalog.file_messages.all()] == ["p2", "p3", "p4"]
    for number in range(2):
        await catalog.file_messages.add([FileMessage("q", f"q{number}", entry.id, "m")])
    assert [each.key for each in await catalog.file_messages.all()] == ["p3", "p4", "q0", "q1"]


async def test_a_caption_can_be_changed_and_is_found(catalog: Catalog) -> None:
    [entry] = await put(catalog, "a.png")
    changed = await catalog.set_caption(entry.id, "Grüner Tee", LATER)
    assert changed == replace(entry, caption="Grüner Tee", modified_at=LATER)
    assert await catalog.entry(entry.id) == changed
    scope = Scope(room=entry.room) if entry.room else Scope(owner=entry.owner)
    assert await catalog.search(scope, ["grüner"], limit=9) == [changed]
    assert await catalog.set_caption(99, "tea", LATER) is None
