"""Contract of every blob store (filebot.ports.BlobStore), checked on each implementation."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest

from filebot.errors import BlobCorrupt, LocalProtocolError
from filebot.model import BlobRef, Digest
from filebot.ports import BlobStore
from filebot.storage.disk import DiskStore
from filebot.testing.blobs import MemoryBlobs

LARGE = bytes(range(256)) * 12345  # several pieces, and no multiple of any


@pytest.fixture(params=["disk", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    if request.param == "memory":
        yield MemoryBlobs()
        return
    disk = await DiskStore.open(tmp_path / "deep" / "root")
    yield disk
    await disk.close()


async def stored(store: BlobStore, data: bytes) -> BlobRef:
    async with store.create() as writer:
        await writer.write(data)
        await writer.seal()
        return await writer.commit()


async def whole(store: BlobStore, digest: Digest, offset: int = 0) -> bytes:
    return b"".join([piece async for piece in store.read(digest, offset)])


def damage(store: BlobStore, digest: Digest, instead: bytes) -> None:
    """Put other bytes where a blob is."""
    if isinstance(store, MemoryBlobs):
        store.blobs[digest] = instead
    else:
        assert isinstance(store, DiskStore)
        store.place(digest).write_bytes(instead)


async def all_of(store: BlobStore) -> set[Digest]:
    return {digest async for digest in store.digests()}


async def test_what_was_written_is_read_back(store: BlobStore) -> None:
    ref = await stored(store, LARGE)
    assert ref == BlobRef(hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    assert await whole(store, ref.digest) == LARGE


async def test_sealed_bytes_can_be_read_before_they_are_visible(store: BlobStore) -> None:
    async with store.create() as writer:
        await writer.write(LARGE)
        with pytest.raises(LocalProtocolError):
            async with writer.local_file():
                pass
        await writer.seal()
        async with writer.local_file() as path:
            assert path.read_bytes() == LARGE
            assert await all_of(store) == set()
        ref = await writer.commit()
    assert await whole(store, ref.digest) == LARGE


@pytest.mark.parametrize("offset", [1, 65536, len(LARGE) - 1, len(LARGE), len(LARGE) + 1])
async def test_reading_begins_at_the_offset(store: BlobStore, offset: int) -> None:
    ref = await stored(store, LARGE)
    assert await whole(store, ref.digest, offset) == LARGE[offset:]


async def test_pieces_of_every_kind_are_joined_in_order(store: BlobStore) -> None:
    async with store.create() as writer:
        for piece in (b"a", bytearray(b"bc"), memoryview(b"xdefx")[1:4], b"", b"g" * 100_000):
            await writer.write(piece)
        assert writer.size == 6 + 100_000
        await writer.seal()
        ref = await writer.commit()
    assert await whole(store, ref.digest) == b"abcdef" + b"g" * 100_000


async def test_a_blob_of_no_bytes_is_a_blob(store: BlobStore) -> None:
    ref = await stored(store, b"")
    assert ref == BlobRef(hashlib.sha256().hexdigest(), 0)
    assert await whole(store, ref.digest) == b""


@pytest.mark.conformance(99)
async def test_seal_gives_every_digest_asked_for(store: BlobStore) -> None:
    async with store.create(["sha-1", "sha3-256"]) as writer:
        await writer.write(b"abc")
        digests = await writer.seal()
    assert digests == {
        "sha-256": hashlib.sha256(b"abc").digest(),
        "sha-1": hashlib.sha1(b"abc").digest(),
        "sha3-256": hashlib.sha3_256(b"abc").digest(),
    }


@pytest.mark.conformance(99)
async def test_a_sealed_blob_is_not_visible_before_commit(store: BlobStore) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    async with store.create() as writer:
        await writer.write(b"abc")
        await writer.seal()
        assert await all_of(store) == set()
        with pytest.raises(BlobCorrupt):
            await whole(store, digest)
        await writer.commit()
        assert await all_of(store) == {digest}


async def test_leaving_without_commit_leaves_nothing(store: BlobStore) -> None:
    async with store.create() as writer:
        await writer.write(LARGE)
        await writer.seal()
    async with store.create() as writer:
        await writer.write(LARGE)
    assert await all_of(store) == set()


async def test_the_same_bytes_twice_are_one_blob(store: BlobStore) -> None:
    first = await stored(store, b"abc")
    assert await stored(store, b"abc") == first
    assert await all_of(store) == {first.digest}
    assert await whole(store, first.digest) == b"abc"


async def test_many_writers_at_once_do_not_mix(store: BlobStore) -> None:
    async def write_slowly(number: int) -> None:
        data = bytes([number]) * 300_000
        async with store.create() as writer:
            for start in range(0, len(data), 50_000):
                await writer.write(data[start : start + 50_000])
                await asyncio.sleep(0)
            await writer.seal()
            ref = await writer.commit()
        assert await whole(store, ref.digest) == data

    await asyncio.gather(*(write_slowly(number % 9) for number in range(18)))
    assert len(await all_of(store)) == 9


async def test_a_writer_used_out_of_order_is_a_bug(store: BlobStore) -> None:
    async with store.create() as writer:
        with pytest.raises(LocalProtocolError):
            await writer.commit()
        await writer.seal()
        with pytest.raises(LocalProtocolError):
            await writer.write(b"late")
        with pytest.raises(LocalProtocolError):
            await writer.seal()


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "", "A" * 64])
async def test_what_is_not_there_cannot_be_read(store: BlobStore, digest: str) -> None:
    with pytest.raises(BlobCorrupt):
        await whole(store, digest)
    with pytest.raises(BlobCorrupt):
        async with store.local_file(digest):
            pass
    await store.delete(digest)  # not an error


async def test_a_deleted_blob_is_gone_but_those_who_have_it_open_keep_it(store: BlobStore) -> None:
    ref = await stored(store, LARGE)
    async with aclosing(store.read(ref.digest)) as reader, store.local_file(ref.digest) as file:
        data = await anext(reader)
        await store.delete(ref.digest)
        assert await all_of(store) == set()
        assert file.read_bytes() == LARGE
        async for piece in reader:
            data += piece
        assert data == LARGE
    assert not file.exists()


@pytest.mark.parametrize("instead", [b"", LARGE[:-1], LARGE + b"x", b"x" + LARGE[1:]])
async def test_a_damaged_blob_is_no_local_file(store: BlobStore, instead: bytes) -> None:
    ref = await stored(store, LARGE)
    await store.verify(ref.digest)
    damage(store, ref.digest, instead)
    with pytest.raises(BlobCorrupt):
        await store.verify(ref.digest)
    with pytest.raises(BlobCorrupt):
        async with store.local_file(ref.digest):
            pass


async def test_a_lost_blob_is_not_whole(store: BlobStore) -> None:
    ref = await stored(store, LARGE)
    await store.delete(ref.digest)
    for digest in (ref.digest, "0" * 64, "../../etc/passwd", ""):
        with pytest.raises(BlobCorrupt):
            await store.verify(digest)


async def test_the_same_bytes_mend_a_damaged_blob(store: BlobStore) -> None:
    ref = await stored(store, LARGE)
    damage(store, ref.digest, b"bad")
    with pytest.raises(BlobCorrupt):
        await store.verify(ref.digest)
    assert await stored(store, LARGE) == ref
    await store.verify(ref.digest)
    async with store.local_file(ref.digest) as file:
        assert file.read_bytes() == LARGE


async def test_reading_may_stop_early(store: BlobStore) -> None:
    ref = await stored(store, LARGE)
    async with aclosing(store.read(ref.digest)) as reader:
        assert LARGE.startswith(await anext(reader))
    assert await whole(store, ref.digest) == LARGE


async def test_free_bytes_is_positive(store: BlobStore) -> None:
    assert await store.free_bytes() > 1_000_000


async def test_kept_bytes_are_resumed(store: BlobStore) -> None:
    async with store.create(["md5"], "half") as writer:
        await writer.write(b"some ")
        writer.keep()
    assert await all_of(store) == set()
    async with store.create(["md5"], "half", 10) as writer:
        assert writer.size == 5
        await writer.write(b"bytes")
        digests = await writer.seal()
        ref = await writer.commit()
    assert digests["md5"] == hashlib.md5(b"some bytes").digest()
    assert await whole(store, ref.digest) == b"some bytes"
    async with store.create([], "half", 10) as writer:
        assert writer.size == 0


async def test_at_most_the_bytes_asked_for_are_resumed(store: BlobStore) -> None:
    async with store.create([], "half") as writer:
        await writer.write(b"some bites")
        writer.keep()
    async with store.create([], "half", 6) as writer:
        assert writer.size == 6
        await writer.write(b"ytes")
        digests = await writer.seal()
        ref = await writer.commit()
    assert digests["sha-256"] == hashlib.sha256(b"some bytes").digest()
    assert await whole(store, ref.digest) == b"some bytes"


async def test_who_asks_for_nothing_begins_anew_and_can_be_gone_on_with(store: BlobStore) -> None:
    async with store.create([], "half") as writer:
        await writer.write(b"long ago")
        writer.keep()
    async with store.create([], "half") as writer:
        assert writer.size == 0
        await writer.write(b"new")
        writer.keep()
    async with store.create(["md5"], "half", 10) as writer:
        assert writer.size == 3
        assert (await writer.seal())["md5"] == hashlib.md5(b"new").digest()


async def test_without_keep_nothing_is_left_for_the_next(store: BlobStore) -> None:
    async with store.create([], "half") as writer:
        await writer.write(b"some")
    async with store.create([], "half", 10) as writer:
        assert writer.size == 0


async def test_two_writers_of_one_partial_do_not_share_it(store: BlobStore) -> None:
    async with store.create([], "half") as first, store.create([], "half") as second:
        await first.write(b"first")
        await second.write(b"second")
        second.keep()
        first.keep()
    async with store.create([], "half", 10) as writer:
        assert writer.size == 5


async def test_who_has_committed_has_no_hold_on_the_name_any_more(store: BlobStore) -> None:
    async with AsyncExitStack() as later:
        async with store.create([], "half") as first:
            await first.write(b"first")
            await first.seal()
            await first.commit()
            second = await later.enter_async_context(store.create([], "half", 10))
            assert second.size == 0
            await second.write(b"second")
        async with store.create([], "half", 10) as third:
            assert third.size == 0
        second.keep()
    async with store.create([], "half", 10) as fourth:
        assert fourth.size == 6


async def test_nobody_can_put_other_bytes_under_a_digest(store: BlobStore) -> None:
    """Three of one name: the first leaves late, and the last still writes when the second ends."""
    async with AsyncExitStack() as second_ends, AsyncExitStack() as third_ends:
        async with store.create([], "half") as first:
            await first.write(b"first")
            await first.seal()
            await first.commit()
            second = await second_ends.enter_async_context(store.create([], "half"))
            await second.write(b"secon")
        third = await third_ends.enter_async_context(store.create([], "half"))
        await third.write(b"evils")
        await second.write(b"d")
        await second.seal()
        ref = await second.commit()
        await third.write(b"!")
        await third.seal()
    assert ref.digest == hashlib.sha256(b"second").hexdigest()
    assert await whole(store, ref.digest) == b"second"


async def test_old_partials_are_forgotten(store: BlobStore) -> None:
    async with store.create([], "half") as writer:
        await writer.write(b"some")
        writer.keep()
    await store.forget_partials(3600)
    async with store.create([], "half", 10) as writer:
        assert writer.size == 4
        writer.keep()
    await store.forget_partials(-1)
    async with store.create([], "half", 10) as writer:
        assert writer.size == 0


async def test_the_oldest_of_too_many_partials_go_and_nobody_elses(store: BlobStore) -> None:
    for name in ("anna1", "anna2", "anna3", "bob1"):
        async with store.create([], name) as writer:
            await writer.write(b"some")
            writer.keep()
        await asyncio.sleep(0.02)  # their times differ
    async with store.create([], "anna0") as at_work:
        await at_work.write(b"some")
        await store.trim_partials("anna", 9)
        await at_work.write(b"more")
        at_work.keep()
    sizes = []
    for name in ("anna0", "anna1", "anna2", "anna3", "bob1"):
        async with store.create([], name, 10) as writer:
            sizes.append(writer.size)
    assert sizes[0] == 8
    assert sizes[1] == 0
    assert sizes[3:] == [4, 4]


async def test_no_partial_may_be_left_at_all(store: BlobStore) -> None:
    async with store.create([], "anna1") as writer:
        await writer.write(b"some")
        writer.keep()
    await store.trim_partials("anna", 0)
    async with store.create([], "anna1", 10) as writer:
        assert writer.size == 0


async def test_blobs_are_listed_by_the_beginning_of_their_digests(store: BlobStore) -> None:
    digests = {(await stored(store, bytes([number]))).digest for number in range(40)}
    for prefix in ("", *{digest[:2] for digest in digests}, *{digest[:5] for digest in digests}, "zz"):
        listed = {digest async for digest in store.digests(prefix)}
        assert listed == {digest for digest in digests if digest.startswith(prefix)}


async def test_a_blob_that_is_set_aside_is_out_of_sight_until_it_is_brought_back(store: BlobStore) -> None:
    digest = (await stored(store, b"abc")).digest
    await store.set_aside(digest)
    assert await all_of(store) == set()
    assert await store.aside() == [digest]
    with pytest.raises(BlobCorrupt):
        await whole(store, digest)
    assert await store.bring_back(digest)
    assert await store.aside() == []
    assert await whole(store, digest) == b"abc"
    assert not await store.bring_back(digest)
    await store.set_aside("0" * 64)  # not an error
    assert await store.aside() == []


async def test_only_what_is_forgotten_of_the_blobs_set_aside_is_gone(store: BlobStore) -> None:
    digest = (await stored(store, b"abc")).digest
    await store.set_aside(digest)
    assert list(await store.expired(3600)) == []
    assert list(await store.expired(0)) == [digest]
    assert await store.aside() == [digest]
    await store.forget_aside(digest)
    await store.forget_aside(digest)  # not an error
    assert await store.aside() == []
    assert not await store.bring_back(digest)


async def test_what_is_deleted_is_not_set_aside_either(store: BlobStore) -> None:
    digest = (await stored(store, b"abc")).digest
    await store.set_aside(digest)
    await stored(store, b"abc")
    await store.delete(digest)
    assert await store.aside() == []
    assert not await store.bring_back(digest)
