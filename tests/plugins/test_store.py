"""Values that plugins keep by key, from the plugin's side."""

import math

import pytest

from filebot.model import JsonValue, Scope
from filebot.plugin import NotAllowed, PluginStore
from filebot.plugin.store import MOST_VALUE_BYTES
from filebot.testing import ALICE, BOB, ROOM, FakeBot, in_room
from filebot.testing.catalog import MemoryCatalog
from tests.support.manual import example


@pytest.fixture
def catalog() -> MemoryCatalog:
    return MemoryCatalog()


@pytest.fixture
def store(catalog: MemoryCatalog) -> PluginStore:
    return PluginStore(catalog.plugin_data, "tags")


async def test_the_example_of_a_store_works() -> None:
    async with FakeBot(example("tally").plugin) as bot:
        assert await bot.say("tally", ALICE) == ["You have dropped 0 files."]
        for name in ("a.txt", "b.txt"):
            await bot.drop(name, name.encode(), ALICE)
        await bot.drop("c.txt", b"c", BOB)
        assert await bot.say("tally", ALICE) == ["You have dropped 2 files."]
        assert await bot.say("tally", BOB) == ["You have dropped 1 files."]
    async with FakeBot(example("tally").plugin, catalog=bot.catalog) as later:
        assert await later.say("tally", ALICE) == ["You have dropped 2 files."]


async def test_values_are_json_of_every_kind(store: PluginStore) -> None:
    values: tuple[JsonValue, ...] = (
        None,
        True,
        2**80,
        1.5,
        "Größe \U0001f600",
        ["a", None],
        {"a": {"b": [1]}},
    )
    for value in values:
        await store.set("key", value)
        assert await store.get("key", "default") == value
    await store.delete("key")
    assert await store.get("key", "default") == "default"
    assert await store.change("count", lambda count: count + 1, 4) == 5
    assert await store.items("c") == [("count", 5)]


@pytest.mark.parametrize("value", [{1, 2}, math.nan, "x" * MOST_VALUE_BYTES, b"bytes"])
async def test_what_cannot_be_kept_is_a_mistake_and_changes_nothing(
    store: PluginStore, value: object
) -> None:
    await store.set("key", 1)
    with pytest.raises(ValueError, match=r"value|JSON"):
        await store.set("key", value)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"value|JSON"):
        await store.change("key", lambda _: value)  # type: ignore[arg-type,return-value]
    for key in ("", "x" * 201):
        with pytest.raises(ValueError, match="1 to 200 characters"):
            await store.set(key, 1)
    assert await store.items() == [("key", 1)]


async def test_values_go_with_their_file_and_their_room(bot: FakeBot) -> None:
    store = PluginStore(bot.catalog.plugin_data, "tags")
    await bot.drop("a.txt", b"a", ALICE)
    await bot.say(f"send a.txt to {ROOM}", in_room(ALICE))
    [entry] = await bot.catalog.page(Scope(owner=ALICE), limit=9)
    await store.entry(entry).set("tag", "invoice")
    await store.room(ROOM).set("tag", "ours")
    await store.person(ALICE).set("tag", "mine")
    for nobody in (None, ""):
        with pytest.raises(NotAllowed):
            store.person(nobody)
    [(number, value)] = await store.entries_with("tag")
    assert (number, value) == (str(entry.id), "invoice")
    assert await store.entry(int(number)).get("tag") == "invoice"
    assert await store.rooms_with("tag") == [(ROOM, "ours")]
    await bot.say("rm a.txt", ALICE)
    await bot.destroy(ROOM)
    assert await store.entries_with("tag") == []
    assert await store.rooms_with("tag") == []
    assert await store.people_with("tag") == [(ALICE, "mine")]


async def test_people_whom_nothing_tells_apart_share_nothing() -> None:
    ghost = in_room(None, "ghost")
    async with FakeBot(example("seal").plugin) as bot:
        await bot.drop("secret.txt", b"1", ALICE)
        await bot.say(f"send secret.txt to {ROOM}", ALICE)
        await bot.say("unseal", ALICE)
        await bot.say(f"send secret.txt to {ROOM}", ALICE)
        assert [each.to.jid for each in bot.sent] == [ROOM]
        for command in ("unseal", "get secret.txt"):
            assert "hides your address" in (await bot.say(command, ghost))[0]
        assert len(bot.sent) == 1
