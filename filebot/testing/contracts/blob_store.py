"""Contract of every blob store, for the tests of those who write one.

class TestMyStore(BlobStoreContract):
    @pytest.fixture
    async def store(self) -> AsyncIterator[BlobStore]:
        ...

    async def damage(self, store: BlobStore, digest: Digest, instead: bytes) -> None:
        ...
"""

import asyncio
import hashlib
from contextlib import aclosing
from typing import Final

import pytest

from filebot.errors import BlobCorrupt, LocalProtocolError
from filebot.model import BlobRef, Digest
from filebot.ports import BlobStore
from filebot.testing.contracts.blob_partials import PartialsContract, all_of, stored, whole

LARGE: Final = bytes(range(256)) * 12345  # several pieces, and no multiple of any


class BlobStoreContract(PartialsContract):
    """Tests of a store. A subclass has a fixture ``store``, which is empty, and :meth:`damage`."""

    async def damage(self, store: BlobStore, digest: Digest, instead: bytes) -> None:
        """Put other bytes where a blob is."""
        raise NotImplementedError

    async def test_what_was_written_is_read_back(self, store: BlobStore) -> None:
        ref = await stored(store, LARGE)
        assert ref == BlobRef(hashlib.sha256(LARGE).hexdigest(), len(LARGE))
        assert await whole(store, ref.digest) == LARGE

    async def test_sealed_bytes_can_be_read_before_they_are_visible(self, store: BlobStore) -> None:
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
    async def test_reading_begins_at_the_offset(self, store: BlobStore, offset: int) -> None:
        ref = await stored(store, LARGE)
        assert await whole(store, ref.digest, offset) == LARGE[offset:]

    async def test_pieces_of_every_kind_are_joined_in_order(self, store: BlobStore) -> None:
        async with store.create() as writer:
            for piece in (b"a", bytearray(b"bc"), memoryview(b"xdefx")[1:4], b"", b"g" * 100_000):
                await writer.write(piece)
            assert writer.size == 6 + 100_000
            await writer.seal()
            ref = await writer.commit()
        assert await whole(store, ref.digest) == b"abcdef" + b"g" * 100_000

    async def test_a_blob_of_no_bytes_is_a_blob(self, store: BlobStore) -> None:
        ref = await stored(store, b"")
        assert ref == BlobRef(hashlib.sha256().hexdigest(), 0)
        assert await whole(store, ref.digest) == b""

    async def test_seal_gives_every_digest_asked_for(self, store: BlobStore) -> None:
        async with store.create(["sha-1", "sha3-256"]) as writer:
            await writer.write(b"abc")
            digests = await writer.seal()
        assert digests == {
            "sha-256": hashlib.sha256(b"abc").digest(),
            "sha-1": hashlib.sha1(b"abc").digest(),
            "sha3-256": hashlib.sha3_256(b"abc").digest(),
        }

    async def test_a_sealed_blob_is_not_visible_before_commit(self, store: BlobStore) -> None:
        digest = hashlib.sha256(b"abc").hexdigest()
        async with store.create() as writer:
            await writer.write(b"abc")
            await writer.seal()
            assert await all_of(store) == set()
            with pytest.raises(BlobCorrupt):
                await whole(store, digest)
            await writer.commit()
            assert await all_of(store) == {digest}

    async def test_leaving_without_commit_leaves_nothing(self, store: BlobStore) -> None:
        async with store.create() as writer:
            await writer.write(LARGE)
            await writer.seal()
        async with store.create() as writer:
            await writer.write(LARGE)
        assert await all_of(store) == set()

    async def test_the_same_bytes_twice_are_one_blob(self, store: BlobStore) -> None:
        first = await stored(store, b"abc")
        assert await stored(store, b"abc") == first
        assert await all_of(store) == {first.digest}
        assert await whole(store, first.digest) == b"abc"

    async def test_many_writers_at_once_do_not_mix(self, store: BlobStore) -> None:
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

    async def test_a_writer_used_out_of_order_is_a_bug(self, store: BlobStore) -> None:
        async with store.create() as writer:
            with pytest.raises(LocalProtocolError):
                await writer.commit()
            await writer.seal()
            with pytest.raises(LocalProtocolError):
                await writer.write(b"late")
            with pytest.raises(LocalProtocolError):
                await writer.seal()

    @pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "", "A" * 64])
    async def test_what_is_not_there_cannot_be_read(self, store: BlobStore, digest: str) -> None:
        with pytest.raises(BlobCorrupt):
            await whole(store, digest)
        with pytest.raises(BlobCorrupt):
            async with store.local_file(digest):
                pass
        await store.delete(digest)  # not an error

    async def test_a_deleted_blob_is_gone_but_those_who_have_it_open_keep_it(
        self, store: BlobStore
    ) -> None:
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
    async def test_a_damaged_blob_is_no_local_file(self, store: BlobStore, instead: bytes) -> None:
        ref = await stored(store, LARGE)
        await store.verify(ref.digest)
        await self.damage(store, ref.digest, instead)
        with pytest.raises(BlobCorrupt):
            await store.verify(ref.digest)
        with pytest.raises(BlobCorrupt):
            async with store.local_file(ref.digest):
                pass

    async def test_a_lost_blob_is_not_whole(self, store: BlobStore) -> None:
        ref = await stored(store, LARGE)
        await store.delete(ref.digest)
        for digest in (ref.digest, "0" * 64, "../../etc/passwd", ""):
            with pytest.raises(BlobCorrupt):
                await store.verify(digest)

    async def test_the_same_bytes_mend_a_damaged_blob(self, store: BlobStore) -> None:
        ref = await stored(store, LARGE)
        await self.damage(store, ref.digest, b"bad")
        with pytest.raises(BlobCorrupt):
            await store.verify(ref.digest)
        assert await stored(store, LARGE) == ref
        await store.verify(ref.digest)
        async with store.local_file(ref.digest) as file:
            assert file.read_bytes() == LARGE

    async def test_reading_may_stop_early(self, store: BlobStore) -> None:
        ref = await stored(store, LARGE)
        async with aclosing(store.read(ref.digest)) as reader:
            assert LARGE.startswith(await anext(reader))
        assert await whole(store, ref.digest) == LARGE

    async def test_free_bytes_is_positive(self, store: BlobStore) -> None:
        assert await store.free_bytes() > 1_000_000

    async def test_blobs_are_listed_by_the_beginning_of_their_digests(self, store: BlobStore) -> None:
        digests = {(await stored(store, bytes([number]))).digest for number in range(40)}
        for prefix in ("", *{digest[:2] for digest in digests}, *{digest[:5] for digest in digests}, "zz"):
            listed = {digest async for digest in store.digests(prefix)}
            assert listed == {digest for digest in digests if digest.startswith(prefix)}

    async def test_a_blob_that_is_set_aside_is_out_of_sight_until_it_is_brought_back(
        self, store: BlobStore
    ) -> None:
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

    async def test_only_what_is_forgotten_of_the_blobs_set_aside_is_gone(self, store: BlobStore) -> None:
        digest = (await stored(store, b"abc")).digest
        await store.set_aside(digest)
        assert list(await store.expired(3600)) == []
        assert list(await store.expired(0)) == [digest]
        assert await store.aside() == [digest]
        await store.forget_aside(digest)
        await store.forget_aside(digest)  # not an error
        assert await store.aside() == []
        assert not await store.bring_back(digest)

    async def test_what_is_deleted_is_not_set_aside_either(self, store: BlobStore) -> None:
        digest = (await stored(store, b"abc")).digest
        await store.set_aside(digest)
        await stored(store, b"abc")
        await store.delete(digest)
        assert await store.aside() == []
        assert not await store.bring_back(digest)
