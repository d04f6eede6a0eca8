"""Contract of ``Entries``: sums, oldest entries and digests in use."""

from dataclasses import replace

from filebot.model import Weight
from filebot.ports import Catalog
from tests.contract.catalog.samples import ALICE, BOB, ROOM, a_file, digest, names, put


async def test_used_bytes_count_the_same_bytes_once(catalog: Catalog) -> None:
    assert await catalog.used_by("alice@example.org") == (0, 0)
    assert await catalog.used_in_all() == (0, 0)
    await catalog.add(a_file("a", blob=1, size=10))
    second = await catalog.add(a_file("b", blob=1, size=10))
    await catalog.add(replace(a_file("c", scope=ROOM, blob=2, size=5), owner="alice@example.org"))
    await catalog.add(a_file("d", scope=BOB, blob=1, size=10))
    last = await catalog.add(a_file("e", scope=BOB, blob=3, size=2**40))
    assert await catalog.used_by("alice@example.org") == (3, 15)
    assert await catalog.used_by("bob@example.org") == (2, 2**40 + 10)
    assert await catalog.used_by("nobody@example.org") == (0, 0)
    assert await catalog.used_in_all() == (5, 2**40 + 15)
    await catalog.remove(second.id)
    await catalog.remove(last.id)
    assert await catalog.used_by("alice@example.org") == (2, 15)
    assert await catalog.used_by("bob@example.org") == (1, 10)
    assert await catalog.used_in_all() == (3, 15)


async def test_used_bytes_of_a_room_count_the_same_bytes_once(catalog: Catalog) -> None:
    room = ROOM.room or ""
    assert await catalog.used_in(room) == (0, 0)
    await catalog.add(a_file("private", blob=3, size=99))
    await catalog.add(a_file("a", scope=ROOM, blob=1, size=10))
    await catalog.add(replace(a_file("b", scope=ROOM, blob=1, size=10), owner="bob@example.org"))
    await catalog.add(a_file("c", scope=ROOM, blob=2, size=5))
    assert await catalog.used_in(room) == (3, 15)


async def test_oldest_lists_the_oldest_entry_first(catalog: Catalog) -> None:
    await put(catalog, "private")
    await put(catalog, "a", "b", "c", scope=ROOM)
    assert names(await catalog.oldest(ROOM, 2)) == ["a", "b"]
    assert names(await catalog.oldest(ROOM, 9)) == ["a", "b", "c"]


async def test_digests_in_use_are_those_that_some_entry_refers_to(catalog: Catalog) -> None:
    first = await catalog.add(a_file("a", blob=1))
    await catalog.add(a_file("b", scope=ROOM, blob=2))
    asked = [digest(number) for number in range(500)]
    assert await catalog.referenced_digests(asked) == {digest(1), digest(2)}
    assert await catalog.referenced_digests([]) == set()
    await catalog.remove(first.id)
    assert await catalog.referenced_digests(asked) == {digest(2)}


async def test_bytes_are_used_until_the_last_entry_of_any_scope_is_gone(catalog: Catalog) -> None:
    added = [await catalog.add(a_file("a", scope=scope, blob=1)) for scope in (ALICE, BOB, ROOM, ROOM)]
    await catalog.add(a_file("b", scope=BOB, blob=2))
    for entry in added:
        assert await catalog.is_used(digest(1))
        await catalog.remove(entry.id)
    assert not await catalog.is_used(digest(1))


async def test_digests_are_listed_by_their_beginning_each_once(catalog: Catalog) -> None:
    for number, scope in ((1, ALICE), (1, BOB), (0xAB << 248, ROOM), ((0xAB << 248) + 1, ROOM), (2, ROOM)):
        await catalog.add(a_file("a", scope=scope, blob=number))
    assert await catalog.digests("00") == {digest(1), digest(2)}
    assert await catalog.digests("ab") == {digest(0xAB << 248), digest((0xAB << 248) + 1)}
    assert await catalog.digests("ac") == set()


async def test_an_intact_catalog_has_no_damage(catalog: Catalog) -> None:
    await catalog.add(a_file("a"))
    assert await catalog.damage() is None


async def test_so_much_of_an_entry_counts_as_its_weight_says(catalog: Catalog) -> None:
    mine = await catalog.add(a_file("a", scope=ROOM, blob=1, size=1001))
    owner, room = mine.owner, ROOM.room or ""
    assert await catalog.weight(mine.id) == Weight(100, 1001)
    await catalog.set_weight(mine.id, 50)
    assert await catalog.weight(mine.id) == Weight(50, 1001)
    assert await catalog.used_by(owner) == await catalog.used_in(room) == (1, 500)
    assert await catalog.used_in_all() == (1, 1001)
    await catalog.hand_over(owner, "dave@example.org", 9)
    assert await catalog.used_by(owner) == (0, 0)
    assert await catalog.used_by("dave@example.org") == (1, 500)
    await catalog.remove(mine.id)
    assert await catalog.used_in(room) == (0, 0)
    assert await catalog.weight(mine.id) is None
    await catalog.set_weight(mine.id, 50)  # not an error


async def test_of_the_same_bytes_the_largest_weight_counts(catalog: Catalog) -> None:
    one, other = [await catalog.add(a_file(name, blob=1, size=200)) for name in "ab"]
    await catalog.set_weight(one.id, 25)
    assert await catalog.used_by(one.owner) == (2, 200)
    await catalog.set_weight(other.id, 50)
    assert await catalog.used_by(one.owner) == (2, 100)
    await catalog.remove(other.id)
    assert await catalog.used_by(one.owner) == (1, 50)
    await catalog.add(a_file("c", blob=1, size=200))
    assert await catalog.used_by(one.owner) == (2, 200)
