"""Stored bytes: the blob store and its writer."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from filebot.model import BlobRef, Digest

Data = bytes | bytearray | memoryview


class BlobWriter(Protocol):
    """Writer of one blob, made by :meth:`BlobStore.create` and used by one task."""

    @property
    def size(self) -> int:
        """Number of bytes written so far."""

    async def write(self, data: Data) -> None:
        """Append ``data``, which must not change afterwards. Waits while too many bytes are in flight.

        Raises StorageFull, now or at a later call, when the disk has no room.
        """

    async def seal(self) -> Mapping[str, bytes]:
        """Wait until all bytes are on disk and return their digests by XEP-0300 name.

        ``sha-256`` is always among them, and every algorithm asked for at creation. Nothing can be
        written afterwards. The blob is not visible yet.
        """

    def local_file(self) -> AbstractAsyncContextManager[Path]:
        """Give a read-only file with the bytes, once they are sealed, for as long as the context is open.

        The file has this name until the bytes are committed, or their writer is left.
        """

    def keep(self) -> None:
        """Keep the bytes for a later writer of the same ``partial`` name, unless they are committed.

        Does nothing for a writer without such a name.
        """

    async def commit(self) -> BlobRef:
        """Make the sealed blob visible under its digest.

        After the return it survives a power cut, and the ``partial`` name is free. A blob of the same
        digest is replaced by these bytes.
        """


class BlobStore(Protocol):
    """Content-addressed store. A blob never changes and is visible only whole."""

    def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AbstractAsyncContextManager[BlobWriter]:
        """Open a writer. A context that is left without ``commit`` or ``keep`` leaves nothing behind.

        ``algorithms`` are further XEP-0300 hash names to compute beside sha-256; each must be one of
        ``filebot.protocol.hashes.KNOWN``. Bytes written under a ``partial`` name (letters and digits) can
        be kept, and survive a crash. The next writer of that name begins with the bytes that were kept, up
        to ``resume_at_most`` of them; its ``size`` says where to go on, and the rest is discarded. While a
        writer of that name is open, another one begins empty and keeps nothing.
        """

    def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from ``offset`` on in large pieces, of which a few at most are in memory.

        The bytes are not verified. Raises BlobCorrupt if there is no such blob. A caller that stops early
        closes the generator.
        """

    def local_file(self, digest: Digest) -> AbstractAsyncContextManager[Path]:
        """Give a read-only file with the blob's bytes for as long as the context is open.

        Raises as :meth:`verify`.
        """

    async def verify(self, digest: Digest) -> None:
        """Raise BlobCorrupt unless there is such a blob and it has its digest.

        Reads all its bytes, unless that was done lately and the file shows no sign of a change since.
        """

    async def delete(self, digest: Digest) -> None:
        """Delete a blob, even one that is set aside. One that is not there is not an error."""

    def digests(self, prefix: str = "") -> AsyncIterator[Digest]:
        """Yield all blobs whose digests have this prefix, in no order.

        A blob that is added or deleted meanwhile may be among them or not.
        """

    async def set_aside(self, digest: Digest) -> None:
        """Set a blob aside, durably: out of use, but kept. One that is not there is not an error."""

    async def bring_back(self, digest: Digest) -> bool:
        """Take a blob that was set aside into use again, durably; return whether it was set aside."""

    async def aside(self) -> Sequence[Digest]:
        """Return all blobs that are set aside, in no order."""

    async def expired(self, older_than_s: float) -> Sequence[Digest]:
        """Return the blobs that were set aside longer ago than this, as far as the clock can be trusted.

        To be called every hour or so: after a long pause, all ages begin anew.
        """

    async def forget_aside(self, digest: Digest) -> None:
        """Remove a blob that is set aside. One that is not there is not an error."""

    async def forget_partials(self, older_than_s: float) -> None:
        """Remove partial blobs that were last written longer ago than this."""

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        """Remove the oldest partial blobs with this name prefix until ``most_bytes`` are left.

        One that is being written stays.
        """

    async def free_bytes(self) -> int:
        """Return the free bytes of the file system that holds the blobs."""
