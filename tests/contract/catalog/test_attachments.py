"""Contract of ``Attachments``."""

import pytest

from filebot.errors import NoSuchEntry, PluginStoreFull
from filebot.model import Attachment, BlobRef, Digest, Scope
from filebot.ports import MOST_ATTACHED_BYTES, MOST_ATTACHMENTS, Catalog
from tests.contract.catalog.samples import ALICE, ROOM, a_file, digest, put


def of(entry_id: int, name: str = "thumbnail", *, blob: int = 7, size: int = 5) -> Attachment:
    return Attachment(entry_id, "thumbs", name, BlobRef(digest(blob), size), "image/png")


async def freed(catalog: Catalog) -> set[Digest]:
    return set(await catalog.attachments.freed(99))


async def test_an_attachment_is_kept_for_each_entry_plugin_and_name(catalog: Catalog) -> None:
    first, second = await put(catalog, "a.png", "b.png")
    kept = [of(first.id), of(first.id, "text", blob=8), of(second.id)]
    for each in kept:
        await catalog.attachments.attach(each)
    for each in kept:
        assert await catalog.attachments.attachment(each.entry_id, "thumbs", each.name) == each
    assert await catalog.attachments.attachment(first.id, "other", "thumbnail") is None
    assert await catalog.attachments.attachment(second.id, "thumbs", "text") is None
    with pytest.raises(NoSuchEntry):
        await catalog.attachments.attach(of(99))
    with pytest.raises(NoSuchEntry):
        await catalog.attachments.attach(of(2**70))


async def test_bytes_of_attachments_are_in_use(catalog: Catalog) -> None:
    [entry] = await put(catalog, "a.png")
    await catalog.attachments.attach(of(entry.id, blob=0xAB << 248))
    used = digest(0xAB << 248)
    assert await catalog.referenced_digests([used, digest(1), digest(2)]) == {used, digest(1)}
    assert await catalog.is_used(used)
    assert await catalog.digests("ab") == {used}
    await catalog.attachments.detach(entry.id, "thumbs", "thumbnail")
    await catalog.attachments.detach(entry.id, "thumbs", "thumbnail")
    assert not await catalog.is_used(used)
    assert await catalog.digests("ab") == set()


async def test_bytes_that_an_entry_and_an_attachment_share_are_in_use_until_both_are_gone(
    catalog: Catalog,
) -> None:
    first, second = await put(catalog, "a.png", "b.png")
    third = await catalog.add(a_file("c.png", blob=2))
    await catalog.attachments.attach(of(third.id, blob=1))
    for entry in (first, second):
        await catalog.remove(entry.id)
        assert await catalog.is_used(digest(1))
    await catalog.remove(third.id)
    assert not await catalog.is_used(digest(1))


async def test_attachments_go_with_their_entry_and_their_bytes_are_told(catalog: Catalog) -> None:
    first, second = await put(catalog, "a.png", "b.png")
    for each in (of(first.id), of(first.id, "text", blob=8), of(second.id, blob=9)):
        await catalog.attachments.attach(each)
    assert await freed(catalog) == set()
    await catalog.remove(first.id)
    assert await catalog.attachments.attachment(first.id, "thumbs", "thumbnail") is None
    assert await freed(catalog) == {digest(7), digest(8)}
    assert len(await catalog.attachments.freed(1)) == 1
    await catalog.attachments.settle([digest(7), digest(99)])
    assert await freed(catalog) == {digest(8)}
    await catalog.attachments.attach(of(second.id, blob=10))
    assert await freed(catalog) == {digest(8), digest(9)}
    await catalog.attachments.detach(second.id, "thumbs", "thumbnail")
    assert await freed(catalog) == {digest(8), digest(9), digest(10)}


async def test_an_entry_that_a_destroyed_room_removes_takes_its_attachments_along(
    catalog: Catalog,
) -> None:
    for scope in (Scope(owner="carol@example.org"), ROOM):
        [entry] = await put(catalog, "a.png", scope=scope)
    await catalog.attachments.attach(of(entry.id))
    [kept] = await put(catalog, "b.png", scope=ROOM)
    await catalog.attachments.attach(of(kept.id, blob=8))
    await catalog.release(ROOM.room or "", 9)
    assert await freed(catalog) == {digest(7)}
    assert await catalog.attachments.attachment(kept.id, "thumbs", "thumbnail") == of(kept.id, blob=8)
    assert await catalog.used_in(ROOM.room or "") == (0, 0)
    assert await catalog.used_by("carol@example.org") == (2, 10 + 5)


async def test_bytes_of_attachments_count_for_owner_room_and_all(catalog: Catalog) -> None:
    [mine] = await put(catalog, "a.png")
    [shared] = await put(catalog, "b.png", scope=ROOM)
    await catalog.attachments.attach(of(mine.id, size=3))
    await catalog.attachments.attach(of(mine.id, "text", blob=8, size=100))
    await catalog.attachments.attach(of(mine.id, size=5))
    await catalog.attachments.attach(of(shared.id, size=5))
    assert await catalog.used_by(ALICE.owner or "") == (1, 10 + 105)
    assert await catalog.used_by("carol@example.org") == (1, 10 + 5)
    assert await catalog.used_in(ROOM.room or "") == (1, 10 + 5)
    assert await catalog.used_in_all() == (2, 10 + 105 + 5)
    await catalog.hand_over("carol@example.org", ALICE.owner or "", 9)
    assert await catalog.used_by(ALICE.owner or "") == (2, 10 + 105 + 5)
    assert await catalog.used_by("carol@example.org") == (0, 0)
    await catalog.remove(mine.id)
    assert await catalog.used_by(ALICE.owner or "") == (1, 10 + 5)
    assert await catalog.used_in_all() == (1, 10 + 5)


async def test_attachments_of_one_entry_and_plugin_are_bounded(catalog: Catalog) -> None:
    first, second = await put(catalog, "a.png", "b.png")
    for number in range(MOST_ATTACHMENTS):
        await catalog.attachments.attach(of(first.id, f"page {number}"))
    with pytest.raises(PluginStoreFull):
        await catalog.attachments.attach(of(first.id, "one more"))
    await catalog.attachments.attach(of(first.id, "page 3", blob=8))
    await catalog.attachments.attach(of(second.id, size=MOST_ATTACHED_BYTES - 5))
    await catalog.attachments.attach(of(second.id, "text"))
    with pytest.raises(PluginStoreFull):
        await catalog.attachments.attach(of(second.id, "text", size=6))
    assert await catalog.attachments.attachment(second.id, "thumbs", "text") == of(second.id, "text")
