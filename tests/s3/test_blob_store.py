"""Contract of every blob store, on a real server of S3."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.backends.loading import load_backends
from filebot.model import Digest
from filebot.ports import BlobStore
from filebot.storage.s3.address import ACCESS_KEY, SECRET_KEY
from filebot.storage.s3.bucket import PART_BYTES, Bucket
from filebot.storage.s3.store import S3Blobs, key_of
from filebot.testing.contracts.blob_partials import stored, whole
from filebot.testing.contracts.blob_store import BlobStoreContract
from tests.support.s3 import KEYS, S3Server, address_of

pytestmark = pytest.mark.thorough


class TestS3(BlobStoreContract):
    @pytest.fixture
    def prefix(self) -> str:
        return f"a/{uuid.uuid4().hex}"

    @pytest.fixture
    async def store(
        self, server: S3Server, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[BlobStore]:
        monkeypatch.setenv(ACCESS_KEY, KEYS.access)
        monkeypatch.setenv(SECRET_KEY, KEYS.secret)
        backend = load_backends(server.url(prefix)).store
        async with backend.opened(tmp_path / "deep" / "root", 5.0) as store:
            yield store
        assert not server.uploads
        assert list((tmp_path / "deep" / "root" / "incoming").iterdir()) == []

    @pytest.fixture
    def bucket(self, server: S3Server, prefix: str) -> Bucket:
        return Bucket(address_of(server.endpoint, prefix), 5.0)

    async def damage(self, store: BlobStore, digest: Digest, instead: bytes) -> None:
        assert isinstance(store, S3Blobs)
        await store._bucket.replace(key_of(digest), instead)

    async def test_a_large_blob_goes_in_parts(self, store: BlobStore) -> None:
        data = bytes(range(256)) * (3 * PART_BYTES // 256) + b"end"
        ref = await stored(store, data)
        assert ref.digest == hashlib.sha256(data).hexdigest()
        assert await whole(store, ref.digest) == data
        assert await whole(store, ref.digest, len(data) - 3) == b"end"
        async with store.local_file(ref.digest) as file:
            assert file.read_bytes() == data

    async def test_a_large_blob_that_is_damaged_is_mended(self, store: BlobStore) -> None:
        data = b"large" * (PART_BYTES // 4)
        ref = await stored(store, data)
        await self.damage(store, ref.digest, data[:-1])
        assert await stored(store, data) == ref
        assert await whole(store, ref.digest) == data

    async def test_what_is_whole_is_never_written_again(self, store: BlobStore, bucket: Bucket) -> None:
        for data in (b"small", b"large" * (PART_BYTES // 4)):
            key = key_of((await stored(store, data)).digest)
            first = (server_side := await bucket.head(key)), await bucket.modified(key)
            await stored(store, data)
            assert (await bucket.head(key), await bucket.modified(key)) == first
            assert server_side is not None

    async def test_blobs_survive_a_restart_of_the_server(self, store: BlobStore, server: S3Server) -> None:
        ref = await stored(store, b"abc")
        server.kill()
        server.start()
        assert await whole(store, ref.digest) == b"abc"

    async def test_only_blobs_are_listed(self, store: BlobStore, bucket: Bucket) -> None:
        ref = await stored(store, b"abc")
        for strange in ("notes.txt", f"{'0' * 64}", f"blobs/ff/{ref.digest}", f"blobs/{'0' * 64}"):
            await bucket.replace(strange, b"?")
        assert {digest async for digest in store.digests()} == {ref.digest}
