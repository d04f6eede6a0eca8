"""Contract of ``Entries``: adding, finding, paging, changing and removing."""

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta, timezone

import pytest

from filebot.model import Entry, Scope
from filebot.ports import Catalog
from tests.contract.catalog.samples import ALICE, BOB, NOW, ROOM, a_file, digest, names, put


async def test_an_added_entry_is_found_by_its_id_as_it_was_returned(catalog: Catalog) -> None:
    new = replace(a_file("a.png", scope=ROOM, caption="Tea"), width=640, height=480)
    entry = await catalog.add(new)
    assert asdict(entry) == asdict(new) | {"id": entry.id, "modified_at": NOW}
    assert await catalog.entry(entry.id) == entry


async def test_times_are_returned_in_utc(catalog: Catalog) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    entry = await catalog.add(replace(a_file("a"), created_at=berlin))
    for seen in (entry, await catalog.entry(entry.id)):
        assert seen is not None
        assert seen.created_at == seen.modified_at == NOW
        assert seen.created_at.utcoffset() == seen.modified_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("entry_id", [0, -1, 77, 2**63 - 1, 2**63, 10**40, -(10**40)])
async def test_an_unknown_id_of_any_size_is_no_entry(catalog: Catalog, entry_id: int) -> None:
    await put(catalog, "a")
    assert await catalog.entry(entry_id) is None
    assert await catalog.rename(entry_id, "b", NOW) is None
    assert await catalog.remove(entry_id) is None


async def test_an_id_is_never_used_twice(catalog: Catalog) -> None:
    first, second = await put(catalog, "a", "b")
    await catalog.remove(second.id)
    await catalog.remove(first.id)
    (third,) = await put(catalog, "c")
    assert third.id > second.id > first.id


async def test_a_removed_entry_is_returned_once_and_found_nowhere(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "report.pdf")
    assert await catalog.remove(entry.id) == entry
    assert await catalog.remove(entry.id) is None
    assert await catalog.entry(entry.id) is None
    assert await catalog.page(ALICE, limit=5) == []
    assert await catalog.find_by_name(ALICE, "report.pdf") is None
    assert await catalog.search(ALICE, ["report"], limit=5) == []
    assert await catalog.nearest(ALICE, "report.pdf", 5) == []


async def test_a_renamed_entry_is_found_under_its_new_name_only(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "draft.pdf")
    later = NOW + timedelta(days=1)
    renamed = await catalog.rename(entry.id, "Final.pdf", later)
    assert renamed == replace(entry, name="Final.pdf", modified_at=later)
    assert await catalog.entry(entry.id) == renamed
    assert await catalog.find_by_name(ALICE, "final.pdf") == renamed
    assert await catalog.find_by_name(ALICE, "draft.pdf") is None
    assert await catalog.search(ALICE, ["final"], limit=5) == [renamed]
    assert await catalog.search(ALICE, ["draft"], limit=5) == []
    assert await catalog.find_by_prefix(ALICE, "dr", 5) == []
    assert await catalog.find_by_glob(ALICE, "dr*", 5) == []


async def test_the_same_bytes_are_found_for_their_owner_in_the_scope(catalog: Catalog) -> None:
    in_room = a_file("a", scope=ROOM, blob=7)
    mine = await catalog.add(in_room)
    others = await catalog.add(replace(in_room, owner="dave@example.org"))
    newest = await catalog.add(replace(in_room, name="b"))
    assert await catalog.find_by_digest(ROOM, mine.owner, digest(7)) == newest
    assert await catalog.find_by_digest(ROOM, others.owner, digest(7)) == others
    assert await catalog.find_by_digest(ROOM, mine.owner, digest(8)) is None
    assert await catalog.find_by_digest(Scope(owner=mine.owner), mine.owner, digest(7)) is None


async def test_a_private_scope_has_no_files_of_rooms_and_a_room_has_all_owners(catalog: Catalog) -> None:
    (private,) = await put(catalog, "report-a.pdf")
    mine = await catalog.add(replace(a_file("report-b.pdf", scope=ROOM), owner="alice@example.org"))
    other = await catalog.add(replace(a_file("report-c.pdf", scope=ROOM), owner="bob@example.org"))
    for scope, expected in ((ALICE, [private]), (ROOM, [other, mine]), (BOB, [])):
        assert await catalog.page(scope, limit=9) == expected
        assert await catalog.count(scope) == len(expected)
        assert await catalog.search(scope, ["report"], limit=9) == expected
        assert await catalog.search(scope, ["re"], limit=9) == expected
        assert await catalog.find_by_prefix(scope, "rep", 9) == expected
        assert await catalog.find_by_glob(scope, "*port*.pdf", 9) == expected
        assert await catalog.find_by_glob(scope, "r*", 9) == expected
        assert set(await catalog.nearest(scope, "report.pdf", 9)) == set(names(expected))
    assert await catalog.find_by_name(BOB, "report-c.pdf") is None


async def test_a_room_and_a_person_of_one_address_are_two_scopes(catalog: Catalog) -> None:
    (private,) = await put(catalog, "report", scope=Scope(owner="x@example.org"))
    (shared,) = await put(catalog, "report", scope=Scope(room="x@example.org"))
    assert await catalog.page(Scope(owner="x@example.org"), limit=9) == [private]
    assert await catalog.search(Scope(room="x@example.org"), ["report"], limit=9) == [shared]


@pytest.mark.parametrize("words", [None, ["file"], ["fi"]])
async def test_pages_have_no_gaps_and_no_repeats(catalog: Catalog, words: list[str] | None) -> None:
    numbered = [f"file {number}" for number in range(23)]
    added, _ = await asyncio.gather(put(catalog, *numbered), put(catalog, *numbered, scope=BOB))

    async def page(before: int | None) -> list[Entry]:
        if words is None:
            return await catalog.page(ALICE, limit=5, before=before)
        return await catalog.search(ALICE, words, limit=5, before=before)

    seen: list[Entry] = []
    while rows := await page(seen[-1].id if seen else None):
        assert len(rows) <= 5
        seen += rows
        await put(catalog, "file that comes between two pages")
    assert seen == added[::-1]


async def test_a_page_may_begin_below_any_id(catalog: Catalog) -> None:
    (entry,) = await put(catalog, "file")
    for before, expected in ((10**40, [entry]), (0, []), (-(10**40), []), (entry.id, [])):
        assert await catalog.page(ALICE, limit=5, before=before) == expected
        assert await catalog.search(ALICE, ["file"], limit=5, before=before) == expected
        assert await catalog.search(ALICE, ["fi"], limit=5, before=before) == expected


async def test_every_list_is_newest_first_and_no_longer_than_its_limit(catalog: Catalog) -> None:
    newest_first = (await put(catalog, *(f"file {number}.txt" for number in (3, 1, 2))))[::-1]
    for limit in (0, 1, 2, 9):
        expected = newest_first[:limit]
        assert await catalog.page(ALICE, limit=limit) == expected
        assert await catalog.find_by_prefix(ALICE, "file", limit) == expected
        assert await catalog.find_by_glob(ALICE, "*.txt", limit) == expected
        assert await catalog.search(ALICE, ["file"], limit=limit) == expected
        assert await catalog.search(ALICE, ["fi"], limit=limit) == expected
        assert len(await catalog.nearest(ALICE, "file", limit)) == min(limit, 3)


async def test_fifty_tasks_add_at_once_and_each_gets_its_own_entry(catalog: Catalog) -> None:
    added = await asyncio.gather(*(catalog.add(a_file(f"{number}")) for number in range(50)))
    assert names(added) == [f"{number}" for number in range(50)]
    assert len({entry.id for entry in added}) == 50
    for entry in added:
        assert await catalog.entry(entry.id) == entry
    assert await catalog.count(ALICE) == 50


async def test_hand_over_gives_all_entries_to_another_owner(catalog: Catalog) -> None:
    hidden = f"{ROOM.room}/1d"
    await catalog.add(replace(a_file("a", scope=ROOM, blob=1, size=10), owner=hidden))
    await catalog.add(replace(a_file("b", scope=ROOM, blob=2, size=10), owner=f"{hidden}2"))
    mine = await catalog.add(a_file("c", blob=1, size=10))
    (handed,) = await catalog.hand_over(hidden, mine.owner, 9)
    assert await catalog.used_by(hidden) == (0, 0)
    assert await catalog.used_by(f"{hidden}2") == (1, 10)
    assert await catalog.used_by(mine.owner) == (2, 10)
    assert await catalog.find_by_name(ROOM, "a") == handed
    assert (handed.owner, handed.room) == (mine.owner, ROOM.room)
    assert await catalog.hand_over("nobody@example.org", mine.owner, 9) == []


async def test_private_entries_that_are_handed_over_are_in_the_list_of_their_new_owner(
    catalog: Catalog,
) -> None:
    bobs = Scope(owner="bob@example.org")
    private = await catalog.add(a_file("a rare name", blob=1, size=10))
    await catalog.add(replace(a_file("a rarer name", scope=ROOM, blob=1, size=10), owner=private.owner))
    assert len(await catalog.hand_over(private.owner, bobs.owner or "", 9)) == 2
    assert await catalog.page(ALICE, limit=9) == await catalog.search(ALICE, ["rare"], limit=9) == []
    assert await catalog.count(ALICE) == 0
    assert names(await catalog.page(bobs, limit=9)) == ["a rare name"]
    assert names(await catalog.search(bobs, ["rare"], limit=9)) == ["a rare name"]
    assert names(await catalog.page(ROOM, limit=9)) == ["a rarer name"]
    assert await catalog.count(bobs) == 1


async def test_the_oldest_entries_of_an_owner_are_handed_over_first(catalog: Catalog) -> None:
    hidden = f"{ROOM.room}/1d"
    for name in "abcde":
        await catalog.add(replace(a_file(name, scope=ROOM), owner=hidden))
    batches = [await catalog.hand_over(hidden, "alice@example.org", 2) for _ in range(4)]
    assert [[each.name for each in batch] for batch in batches] == [["a", "b"], ["c", "d"], ["e"], []]


async def test_the_entries_of_a_room_that_is_no_more_are_their_owners(catalog: Catalog) -> None:
    assert ROOM.room is not None
    mine = await catalog.add(a_file("both.txt", blob=1, size=10))
    for shared in (a_file("both.txt", scope=ROOM, blob=1, size=10), a_file("only.txt", scope=ROOM, blob=2)):
        await catalog.add(replace(shared, owner=mine.owner, auto_archived=True))
    await catalog.add(replace(a_file("theirs.txt", scope=ROOM, blob=1), owner="bob@example.org"))
    await catalog.add(a_file("elsewhere.txt", scope=Scope(room="other@muc.example.org"), blob=3))
    here = await catalog.oldest(ROOM, 9)
    released = await catalog.release(ROOM.room, 9)
    assert [before for before, _ in released] == here
    assert [after for _, after in released] == [await catalog.entry(each.id) for each in here]
    assert [after and (after.room, after.auto_archived) for _, after in released] == [
        None,
        (None, False),
        (None, False),
    ]
    assert await catalog.count(ROOM) == 0
    private = Scope(owner=mine.owner)
    assert names(await catalog.page(private, limit=9)) == ["only.txt", "both.txt"]
    assert [each.id for each in await catalog.search(private, ["both"], limit=9)] == [mine.id]
    assert len(await catalog.search(private, ["only"], limit=9)) == 1
    assert names(await catalog.page(Scope(owner="bob@example.org"), limit=9)) == ["theirs.txt"]
    assert await catalog.search(ROOM, ["only"], limit=9) == []
    assert await catalog.count(Scope(room="other@muc.example.org")) == 1
    assert await catalog.release(ROOM.room, 9) == []


async def test_a_room_is_released_some_entries_at_a_time(catalog: Catalog) -> None:
    room, owner = ROOM.room or "", "alice@example.org"
    mine = await catalog.add(replace(a_file("c", blob=9), owner=owner))
    for name in "abcde":
        blob = 9 if name == "c" else 1
        await catalog.add(replace(a_file(name, scope=ROOM, blob=blob), owner=owner))
    batches = [await catalog.release(room, 2) for _ in range(4)]
    gone = [[(before.name, after is None) for before, after in batch] for batch in batches]
    assert gone == [[("a", False), ("b", False)], [("c", True), ("d", False)], [("e", False)], []]
    assert await catalog.find_by_name(Scope(owner=owner), "c") == mine


async def test_auto_archived_entries_are_listed_until_adopted(catalog: Catalog) -> None:
    await catalog.add(replace(a_file("asked", scope=ROOM), owner="alice@example.org"))
    first, second, _, _ = [
        await catalog.add(replace(a_file(name, scope=scope), owner=owner, auto_archived=True))
        for name, scope, owner in (
            ("first", ROOM, "alice@example.org"),
            ("second", ROOM, "alice@example.org"),
            ("bobs", ROOM, "bob@example.org"),
            ("elsewhere", Scope(room="other@muc.example.org"), "alice@example.org"),
        )
    ]
    assert first.auto_archived
    room = ROOM.room or ""
    assert await catalog.archived(room, "alice@example.org", 9) == [second, first]
    assert await catalog.archived(room, "alice@example.org", 1) == [second]
    await catalog.adopt(second.id)
    await catalog.adopt(999)
    assert await catalog.archived(room, "alice@example.org", 9) == [first]


async def test_an_entry_is_found_by_its_source_message(catalog: Catalog) -> None:
    tea, own, nobody = "tea@rooms.example.org", Scope(owner=a_file("a.txt").owner), "nobody@example.org"
    made = await catalog.add(replace(a_file("a.txt"), source_message="7/0"))
    await catalog.add(a_file("b.txt"))
    assert made.source_message == "7/0"
    assert await catalog.find_by_source_message(own, made.owner, "7/0") == made
    assert await catalog.find_by_source_message(own, made.owner, "7/1") is None
    assert await catalog.find_by_source_message(Scope(owner=nobody), nobody, "7/0") is None
    assert await catalog.find_by_source_message(Scope(room=tea), made.owner, "7/0") is None
    await catalog.remove(made.id)
    assert await catalog.find_by_source_message(own, made.owner, "7/0") is None
    made = await catalog.add(replace(a_file("a.txt"), room=tea, source_message="7/0"))
    assert await catalog.find_by_source_message(Scope(room=tea), made.owner, "7/0") == made
    assert await catalog.find_by_source_message(Scope(room=tea), nobody, "7/0") is None


async def test_private_entries_of_occupants_are_listed_by_owner_and_age(catalog: Catalog) -> None:
    tea = "tea@rooms.example.org"
    for owner, room in (
        (f"{tea}/b", None),
        (f"{tea}/a", None),
        (f"{tea}/b", None),
        (f"{tea}/a", tea),
        (tea, None),
        (f"{tea}0", None),
        (f"green{tea}/a", None),
    ):
        await catalog.add(replace(a_file("a.txt"), owner=owner, room=room))
    assert [each.id for each in await catalog.of_occupants(tea, 9)] == [2, 1, 3]
    assert [each.id for each in await catalog.of_occupants(tea, 2)] == [2, 1]
    assert await catalog.of_occupants("green@rooms.example.org", 9) == []
