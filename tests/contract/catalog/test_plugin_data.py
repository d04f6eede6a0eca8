"""Contract of ``PluginData``."""

import asyncio
from dataclasses import replace

import pytest

from filebot.errors import NoSuchEntry, PluginStoreFull
from filebot.model import DataKey, DataOwner, EntryFilter, OwnerKind, Scope
from filebot.ports import VALUE_OVERHEAD_BYTES, Catalog
from tests.contract.catalog.samples import ROOM, put

OWN = DataOwner()
ALICE = DataOwner(OwnerKind.PERSON, "alice@example.org")
DEN = DataOwner(OwnerKind.ROOM, "den@muc.example.org")


async def keep(catalog: Catalog, owner: DataOwner, key: str, value: str, plugin: str = "tags") -> None:
    assert await catalog.plugin_data.change_value(DataKey(plugin, owner, key), lambda _: value) == value


async def kept(catalog: Catalog, owner: DataOwner, key: str, plugin: str = "tags") -> str | None:
    return await catalog.plugin_data.value(DataKey(plugin, owner, key))


async def test_values_are_kept_for_each_plugin_owner_and_key(catalog: Catalog) -> None:
    await keep(catalog, OWN, "a", "1")
    await keep(catalog, OWN, "a", "2")
    await keep(catalog, OWN, "b", "3")
    await keep(catalog, ALICE, "a", "4")
    await keep(catalog, OWN, "a", "5", plugin="notes")
    assert [await kept(catalog, owner, "a") for owner in (OWN, ALICE, DEN)] == ["2", "4", None]
    assert await kept(catalog, OWN, "a", "notes") == "5"
    assert await catalog.plugin_data.change_value(DataKey("tags", OWN, "a"), lambda _: None) is None
    assert await catalog.plugin_data.change_value(DataKey("tags", OWN, "none"), lambda _: None) is None
    assert [await kept(catalog, OWN, key) for key in "ab"] == [None, "3"]


async def test_values_are_listed_by_key_page_by_page(catalog: Catalog) -> None:
    for key in ("x.2", "x.10", "x%", "y", "X.3", "😀"):
        await keep(catalog, OWN, key, f"value of {key}")
    await keep(catalog, ALICE, "x.1", "hers")
    data = catalog.plugin_data
    assert await data.values("tags", OWN, "x.", 9) == [("x.10", "value of x.10"), ("x.2", "value of x.2")]
    assert [key for key, _ in await data.values("tags", OWN, "", 3)] == ["X.3", "x%", "x.10"]
    assert [key for key, _ in await data.values("tags", OWN, "", 9, "x.10")] == ["x.2", "y", "😀"]
    assert await data.values("tags", OWN, "z", 9) == []


async def test_owners_of_a_key_are_listed(catalog: Catalog) -> None:
    for name in ("carol", "alice", "bob"):
        await keep(catalog, replace(ALICE, id=f"{name}@example.org"), "mark", name)
    await keep(catalog, ALICE, "other", "1")
    await keep(catalog, DEN, "mark", "den")
    data = catalog.plugin_data
    first = await data.owners("tags", OwnerKind.PERSON, "mark", 2)
    assert first == [("alice@example.org", "alice"), ("bob@example.org", "bob")]
    rest = await data.owners("tags", OwnerKind.PERSON, "mark", 2, first[-1][0])
    assert rest == [("carol@example.org", "carol")]
    assert await data.owners("tags", OwnerKind.ENTRY, "mark", 2) == []


async def test_changes_at_once_are_made_one_after_the_other(catalog: Catalog) -> None:
    key = DataKey("tags", OWN, "count")

    def one_more(before: str | None) -> str:
        return str(int(before or 0) + 1)

    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(catalog.plugin_data.change_value(key, one_more))
    assert await catalog.plugin_data.value(key) == "30"


async def test_a_change_that_fails_changes_nothing_and_concerns_nobody_else(catalog: Catalog) -> None:
    def fail(_: str | None) -> str:
        raise ZeroDivisionError

    await keep(catalog, OWN, "a", "1")
    failing = catalog.plugin_data.change_value(DataKey("tags", OWN, "a"), fail)
    outcomes = await asyncio.gather(
        keep(catalog, OWN, "b", "2"), failing, keep(catalog, OWN, "c", "3"), return_exceptions=True
    )
    assert [type(each) for each in outcomes] == [type(None), ZeroDivisionError, type(None)]
    assert [await kept(catalog, OWN, key) for key in "abc"] == ["1", "2", "3"]


async def test_values_of_an_entry_go_with_it(catalog: Catalog) -> None:
    first, second = await put(catalog, "a.txt", "b.txt")
    for entry in (first, second):
        await keep(catalog, DataOwner(OwnerKind.ENTRY, str(entry.id)), "tag", entry.name)
    await catalog.remove(first.id)
    assert await catalog.plugin_data.owners("tags", OwnerKind.ENTRY, "tag", 9) == [
        (str(second.id), second.name)
    ]
    with pytest.raises(NoSuchEntry):
        await keep(catalog, DataOwner(OwnerKind.ENTRY, str(first.id)), "tag", "late")
    with pytest.raises(NoSuchEntry):
        await keep(catalog, DataOwner(OwnerKind.ENTRY, str(2**70)), "tag", "far")
    assert await catalog.plugin_data.used_bytes("tags") == VALUE_OVERHEAD_BYTES + len(second.name)


async def test_values_of_a_room_go_when_it_is_cleared(catalog: Catalog) -> None:
    [entry] = await put(catalog, "kept.txt", scope=ROOM)
    room = entry.room or ""
    of_entry = DataOwner(OwnerKind.ENTRY, str(entry.id))
    stay = [
        of_entry,
        DataOwner(OwnerKind.PERSON, "alice@example.org"),
        DEN,
        DataOwner(OwnerKind.PERSON, room),
    ]
    go = [DataOwner(OwnerKind.ROOM, room), DataOwner(OwnerKind.PERSON, f"{room}/1d")]
    for owner in (*stay, *go):
        await keep(catalog, owner, "a", "1")
    await catalog.clear_room(room)
    assert [await kept(catalog, owner, "a") for owner in stay] == ["1"] * 4
    assert [await kept(catalog, owner, "a") for owner in go] == [None] * 2


async def test_what_is_kept_of_a_person_can_be_forgotten(catalog: Catalog) -> None:
    for plugin in ("tags", "notes"):
        await keep(catalog, ALICE, "a", "1", plugin)
        await keep(catalog, replace(ALICE, id="bob@example.org"), "a", "1", plugin)
    await catalog.plugin_data.forget_person(ALICE.id)
    for plugin in ("tags", "notes"):
        found = await catalog.plugin_data.owners(plugin, OwnerKind.PERSON, "a", 9)
        assert found == [("bob@example.org", "1")]


async def test_the_bytes_of_each_plugin_are_bounded(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("filebot.catalog.plugin_data", "filebot.testing.plugin_data"):
        monkeypatch.setattr(f"{module}.MOST_PLUGIN_BYTES", 2 * VALUE_OVERHEAD_BYTES + 10)
    await keep(catalog, OWN, "a", "x" * 5)
    await keep(catalog, ALICE, "b", "é" * 2)
    assert await catalog.plugin_data.used_bytes("tags") == 2 * VALUE_OVERHEAD_BYTES + 9
    with pytest.raises(PluginStoreFull) as full:
        await keep(catalog, OWN, "c", "")
    assert full.value.plugin == "tags"
    with pytest.raises(PluginStoreFull):
        await keep(catalog, OWN, "a", "x" * 7)
    await keep(catalog, OWN, "a", "x" * 6)
    await keep(catalog, OWN, "a", "x" * 5, plugin="notes")
    assert [await kept(catalog, OWN, key) for key in "ac"] == ["x" * 6, None]


async def test_values_of_one_owner_are_listed_for_all_plugins(catalog: Catalog) -> None:
    for plugin, key in (("tags", "b"), ("notes", "b"), ("tags", "a"), ("notes", "c")):
        await keep(catalog, ALICE, key, f'"{plugin} {key}"', plugin)
    await keep(catalog, replace(ALICE, id="bob@example.org"), "b", "1")
    data = catalog.plugin_data
    rows = [("notes", "b"), ("notes", "c"), ("tags", "a"), ("tags", "b")]
    assert await data.of_owner(ALICE, 9) == [(plugin, key, f'"{plugin} {key}"') for plugin, key in rows]
    assert [each[:2] for each in await data.of_owner(ALICE, 2, after=rows[0])] == rows[1:3]
    assert [each[:2] for each in await data.of_owner(ALICE, 9, key="b")] == [rows[0], rows[3]]
    assert await data.of_owner(DEN, 9) == []


@pytest.mark.parametrize("few", [0, 10_000])
async def test_a_search_keeps_to_conditions_on_what_plugins_keep(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("filebot.catalog.filters.FEW", few)
    mine = await put(catalog, *(f"report {number}.pdf" for number in range(6)))
    [theirs] = await put(catalog, "report.pdf", scope=ROOM)
    for entry in (*mine[1:5], theirs):
        await keep(catalog, DataOwner(OwnerKind.ENTRY, str(entry.id)), "tag", f'"{entry.id % 2}"')
    await keep(catalog, DataOwner(OwnerKind.ENTRY, str(mine[2].id)), "tag", '"x"', plugin="notes")
    await keep(catalog, DataOwner(OwnerKind.PERSON, str(mine[0].id)), "tag", '"x"')
    tagged, odd, noted = (
        EntryFilter("tags", "tag"),
        EntryFilter("tags", "tag", f'"{mine[1].id % 2}"'),
        EntryFilter("notes", "tag"),
    )
    scope = Scope(owner="alice@example.org")

    async def found(
        *filters: EntryFilter, words: str = "", limit: int = 9, before: int | None = None
    ) -> str:
        some = await catalog.search(scope, words.split(), limit=limit, before=before, filters=filters)
        return "".join(each.name[7] for each in some)

    assert await found(tagged) == "4321"
    assert await found(tagged, limit=2) == "43"
    assert await found(tagged, limit=2, before=mine[3].id) == "21"
    assert await found(odd) == "31"
    assert await found(tagged, noted) == "2"
    assert await found(odd, noted) == ""
    assert await found(tagged, words="REPORT pdf") == "4321"
    assert await found(tagged, words="4") == "4"
    assert await found(odd, words="report 3") == "3"
    assert await found(EntryFilter("tags", "none")) == ""
    await catalog.remove(mine[3].id)
    assert await found(odd) == "1"
