"""Copies of one store in another: whole, resumable, and true about what is damaged."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from filebot.errors import StorageFull
from filebot.model import Digest
from filebot.storage.disk import DiskStore
from filebot.store_copy.copying import StoreCopy
from filebot.testing.contracts.blob_partials import stored, whole

DATA = [f"file {number}".encode() * (number + 1) for number in range(20)]


class Stores:
    def __init__(self, source: DiskStore, target: DiskStore) -> None:
        self.source = source
        self.target = target
        self.told = 0

    def copy(self) -> StoreCopy:
        return StoreCopy(self.source, self.target, self._note)

    def _note(self, number: int) -> None:
        self.told += number

    async def fill(self) -> list[Digest]:
        return [(await stored(self.source, each)).digest for each in DATA]


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    async with AsyncExitStack() as stack:
        opened = []
        for name in ("source", "target"):
            opened.append(await DiskStore.open(tmp_path / name))
            stack.push_async_callback(opened[-1].close)
        yield Stores(*opened)


async def test_all_is_copied_and_a_second_copy_has_nothing_to_do(stores: Stores) -> None:
    digests = await stores.fill()
    copied = await stores.copy().run()
    assert (copied.blobs, copied.new, copied.bytes) == (20, 20, sum(map(len, DATA)))
    assert [await whole(stores.target, each) for each in digests] == DATA
    assert stores.told == await stores.copy().count() == 20
    again = await stores.copy().run(verify=True)
    assert (again.blobs, again.new, again.damaged) == (20, 0, [])
    late = (await stored(stores.source, b"late")).digest
    assert (await stores.copy().run()).new == 1
    assert await whole(stores.target, late) == b"late"


async def test_a_damaged_blob_is_told_and_the_others_are_copied(stores: Stores) -> None:
    digests = await stores.fill()
    place = stores.source.place(digests[3])
    place.chmod(0o600)
    place.write_bytes(b"something else")
    copied = await stores.copy().run()
    assert (copied.blobs, copied.damaged) == (19, [digests[3]])
    assert {each async for each in stores.target.digests()} == set(digests) - {digests[3]}


async def test_damage_in_the_target_is_found_when_it_is_verified(stores: Stores) -> None:
    digests = await stores.fill()
    await stores.copy().run()
    place = stores.target.place(digests[5])
    place.chmod(0o600)
    place.write_bytes(b"changed behind our back")
    assert (await stores.copy().run()).damaged == []
    assert (await stores.copy().run(verify=True)).damaged == [digests[5]]


async def test_what_is_removed_meanwhile_is_no_damage(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = await stores.fill()
    read = stores.source.read

    def removing(digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        if digest == digests[0]:
            stores.source.place(digest).unlink()
        return read(digest, offset)

    monkeypatch.setattr(stores.source, "read", removing)
    copied = await stores.copy().run()
    assert (copied.blobs, copied.damaged) == (19, [])


async def test_a_copy_that_was_broken_off_goes_on(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = await stores.fill()
    create, left = stores.target.create, 7

    def full(*args: object, **kwargs: object) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            raise StorageFull("no space")
        return create(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(stores.target, "create", full)
        with pytest.raises(StorageFull):
            await stores.copy().run()
    there = [each async for each in stores.target.digests()]
    assert 0 < len(there) <= 7
    assert (await stores.copy().run()).new == 20 - len(there)
    assert [await whole(stores.target, each) for each in digests] == DATA
