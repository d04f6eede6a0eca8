"""Contract of blob stores: writers that are broken off, and go on where they were."""

import asyncio
import hashlib
from contextlib import AsyncExitStack

from filebot.model import BlobRef, Digest
from filebot.ports import BlobStore


async def stored(store: BlobStore, data: bytes) -> BlobRef:
    """Store a blob."""
    async with store.create() as writer:
        await writer.write(data)
        await writer.seal()
        return await writer.commit()


async def whole(store: BlobStore, digest: Digest, offset: int = 0) -> bytes:
    """Return the bytes of a blob."""
    return b"".join([piece async for piece in store.read(digest, offset)])


async def all_of(store: BlobStore) -> set[Digest]:
    """Return all digests."""
    return {digest async for digest in store.digests()}


class PartialsContract:
    """Tests of what is kept of a broken file. A subclass has a fixture ``store``."""

    async def test_kept_bytes_are_resumed(self, store: BlobStore) -> None:
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

    async def test_at_most_the_bytes_asked_for_are_resumed(self, store: BlobStore) -> None:
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

    async def test_who_asks_for_nothing_begins_anew_and_can_be_gone_on_with(self, store: BlobStore) -> None:
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

    async def test_without_keep_nothing_is_left_for_the_next(self, store: BlobStore) -> None:
        async with store.create([], "half") as writer:
            await writer.write(b"some")
        async with store.create([], "half", 10) as writer:
            assert writer.size == 0

    async def test_two_writers_of_one_partial_do_not_share_it(self, store: BlobStore) -> None:
        async with store.create([], "half") as first, store.create([], "half") as second:
            await first.write(b"first")
            await second.write(b"second")
            second.keep()
            first.keep()
        async with store.create([], "half", 10) as writer:
            assert writer.size == 5

    async def test_who_has_committed_has_no_hold_on_the_name_any_more(self, store: BlobStore) -> None:
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

    async def test_nobody_can_put_other_bytes_under_a_digest(self, store: BlobStore) -> None:
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

    async def test_old_partials_are_forgotten(self, store: BlobStore) -> None:
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

    async def test_the_oldest_of_too_many_partials_go_and_nobody_elses(self, store: BlobStore) -> None:
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

    async def test_no_partial_may_be_left_at_all(self, store: BlobStore) -> None:
        async with store.create([], "anna1") as writer:
            await writer.write(b"some")
            writer.keep()
        await store.trim_partials("anna", 0)
        async with store.create([], "anna1", 10) as writer:
            assert writer.size == 0
