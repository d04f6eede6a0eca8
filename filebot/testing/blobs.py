"""Blobs in memory: a fake of :class:`filebot.ports.BlobStore` for tests."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from filebot.errors import BlobCorrupt, LocalProtocolError, StorageFull
from filebot.model import BlobRef, Digest
from filebot.protocol.hashes import KNOWN

PIECE_BYTES: Final = 64 * 1024
"""Small, so that tests with small blobs see several pieces."""


class MemoryWriter:
    """Implements :class:`filebot.ports.BlobWriter`."""

    def __init__(
        self, store: "MemoryBlobs", algorithms: Sequence[str], partial: str | None, resume_at_most: int = 0
    ) -> None:
        self._store = store
        self._partial = partial
        self._hashers = {name: KNOWN[name]() for name in ("sha-256", *algorithms)}
        self._data = bytearray(store.partials.pop(partial, b"") if partial else b"")
        del self._data[resume_at_most:]
        self._digest: Digest | None = None
        self.is_stored = False
        """The bytes are counted elsewhere."""

    @property
    def size(self) -> int:
        return len(self._data)

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._digest is not None:
            raise LocalProtocolError("write after seal")
        if len(data) > await self._store.free_bytes():
            raise StorageFull("no room in memory")
        self._data += data

    @asynccontextmanager
    async def local_file(self) -> AsyncIterator[Path]:
        if self._digest is None:
            raise LocalProtocolError("not sealed yet")
        with tempfile.NamedTemporaryFile(prefix="filebot-") as file:
            file.write(self._data)
            file.flush()
            yield Path(file.name)

    def keep(self) -> None:
        if self._partial is not None:
            self._store.partials[self._partial] = self._data
            self.is_stored = True

    async def seal(self) -> Mapping[str, bytes]:
        if self._digest is not None:
            raise LocalProtocolError("sealed twice")
        for hasher in self._hashers.values():
            hasher.update(self._data)
        digests = {name: hasher.digest() for name, hasher in self._hashers.items()}
        self._digest = digests["sha-256"].hex()
        return digests

    async def commit(self) -> BlobRef:
        if self._digest is None:
            raise LocalProtocolError("commit before seal")
        self._store.blobs[self._digest] = bytes(self._data)
        self.is_stored = True
        if self._partial is not None:
            self._store.partials.pop(self._partial, None)
            self._store.release(self._partial, self)
            self._partial = None
        return BlobRef(self._digest, self.size)


class MemoryBlobs:
    """Implements :class:`filebot.ports.BlobStore`. ``blobs`` may be looked at, and changed, by a test."""

    def __init__(self, capacity_bytes: int = 1 << 30) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.partials: dict[str, bytearray] = {}
        """Partials by name."""
        self.unreferenced: dict[Digest, bytes] = {}
        """Blobs that are set aside."""
        self._open: dict[str, MemoryWriter] = {}
        self._writers: list[MemoryWriter] = []
        self.capacity_bytes = capacity_bytes

    @asynccontextmanager
    async def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AsyncIterator[MemoryWriter]:
        if partial in self._open:
            partial = None
        writer = MemoryWriter(self, algorithms, partial, resume_at_most)
        self._writers.append(writer)
        if partial is not None:
            self._open[partial] = writer
        try:
            yield writer
        finally:
            self._writers.remove(writer)
            if partial is not None:
                self.release(partial, writer)

    def release(self, partial: str, writer: MemoryWriter) -> None:
        """Release the name, if the writer still holds it."""
        if self._open.get(partial) is writer:
            del self._open[partial]

    async def forget_partials(self, older_than_s: float) -> None:
        if older_than_s <= 0:  # a memory keeps no times
            self.partials.clear()

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        for name in [each for each in reversed(self.partials) if each.startswith(prefix)]:
            most_bytes -= len(self.partials[name])
            if most_bytes < 0:
                del self.partials[name]

    async def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        data = self._bytes_of(digest)
        for start in range(offset, len(data), PIECE_BYTES):
            await asyncio.sleep(0)  # a real store lets others run, too
            yield data[start : start + PIECE_BYTES]

    @asynccontextmanager
    async def local_file(self, digest: Digest) -> AsyncIterator[Path]:
        with tempfile.NamedTemporaryFile(prefix="filebot-") as file:
            await self.verify(digest)
            file.write(self._bytes_of(digest))
            file.flush()
            yield Path(file.name)

    async def verify(self, digest: Digest) -> None:
        if hashlib.sha256(self._bytes_of(digest)).hexdigest() != digest:
            raise BlobCorrupt(f"blob {digest} has another digest")

    async def delete(self, digest: Digest) -> None:
        self.blobs.pop(digest, None)
        self.unreferenced.pop(digest, None)

    async def digests(self, prefix: str = "") -> AsyncGenerator[Digest, None]:
        for digest in list(self.blobs):
            if digest.startswith(prefix):
                yield digest

    async def set_aside(self, digest: Digest) -> None:
        if digest in self.blobs:
            self.unreferenced[digest] = self.blobs.pop(digest)

    async def bring_back(self, digest: Digest) -> bool:
        if digest not in self.unreferenced:
            return False
        self.blobs[digest] = self.unreferenced.pop(digest)
        return True

    async def aside(self) -> list[Digest]:
        return list(self.unreferenced)

    async def expired(self, older_than_s: float) -> list[Digest]:
        return list(self.unreferenced) if older_than_s <= 0 else []  # a memory keeps no times

    async def forget_aside(self, digest: Digest) -> None:
        self.unreferenced.pop(digest, None)

    async def free_bytes(self) -> int:
        at_work = sum(writer.size for writer in self._writers if not writer.is_stored)
        kept = sum(map(len, self.partials.values()))
        return self.capacity_bytes - sum(map(len, self.blobs.values())) - kept - at_work

    def _bytes_of(self, digest: Digest) -> bytes:
        try:
            return self.blobs[digest]
        except KeyError as error:
            raise BlobCorrupt(f"no blob {digest}") from error
