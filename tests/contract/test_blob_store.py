"""Contract of every blob store (filebot.ports.BlobStore), checked on each implementation."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from filebot.backends.loading import load_backends
from filebot.model import Digest
from filebot.ports import BlobStore
from filebot.storage.disk import DiskStore
from filebot.testing.blobs import MemoryBlobs
from filebot.testing.contracts.blob_store import BlobStoreContract


class TestDisk(BlobStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[BlobStore]:
        async with load_backends("disk:").store.opened(tmp_path / "deep" / "root", 5.0) as store:
            yield store

    async def damage(self, store: BlobStore, digest: Digest, instead: bytes) -> None:
        assert isinstance(store, DiskStore)
        store.place(digest).write_bytes(instead)


class TestMemory(BlobStoreContract):
    @pytest.fixture
    async def store(self) -> BlobStore:
        return MemoryBlobs()

    async def damage(self, store: BlobStore, digest: Digest, instead: bytes) -> None:
        assert isinstance(store, MemoryBlobs)
        store.blobs[digest] = instead
