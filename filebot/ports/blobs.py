"""Stored bytes: the blob store and its writer."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from filebot.model import BlobRef, Digest

Data = bytes | bytearray | memoryview


class BlobWriter(Protocol):
    """Takes the bytes of one blob in order. Made by :meth:`BlobStore.create`, used by one task."""

    @property
    def size(self) -> int:
        """Bytes taken so far."""

    async def write(self, data: Data) -> None:
        """Take some bytes; ``data`` must not change afterwards. Waits while too much is in flight.

        Raises StorageFull, now or at a later call, when the disk has no room.
        """

    async def seal(self) -> Mapping[str, bytes]:
        """Wait until all bytes are on disk and return their digests by XEP-0300 name.

        ``sha-256`` is always among them, and every algorithm asked for at creation. Nothing can be
        written afterwards. The blob is not visible yet.
        """

    def keep(self) -> None:
        """Leave the bytes so far for a later writer of the same ``partial`` name, unless committed.

        Without such a name it does nothing.
        """

    async def commit(self) -> BlobRef:
        """Make the sealed blob visible under its digest, durably: after the return it survives a power
        cut. If it is there already, these bytes take its place. The ``partial`` name is free then.
        """


class BlobStore(Protocol):
    """Bytes by what they are. A blob never changes and is visible only whole."""

    def create(
        self, algorithms: Sequence[str] = (), partial: str | None = None, resume_at_most: int = 0
    ) -> AbstractAsyncContextManager[BlobWriter]:
        """Open a writer; leaving the context without ``commit`` or ``keep`` leaves nothing behind.

        ``algorithms`` are further XEP-0300 hash names to compute beside sha-256; each must be one of
        ``filebot.protocol.hashes.KNOWN``. With a ``partial`` name (letters and digits) what is written can
        be kept under it, and a crash keeps it, too. The writer then begins with the first
        ``resume_at_most`` bytes, or fewer, of what is there from before: its ``size`` is where to go on;
        what goes beyond is thrown away. While one of that name is open, another begins empty and keeps
        nothing.
        """

    def read(self, digest: Digest, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from ``offset`` on, in large pieces, never more than a few in memory.

        They are given as they are, whole or not. Raises BlobCorrupt if there is no such blob. Whoever stops
        early closes it.
        """

    def local_file(self, digest: Digest) -> AbstractAsyncContextManager[Path]:
        """A file with the blob's bytes, to read only, for as long as the context is open.

        Raises as :meth:`verify`.
        """

    async def verify(self, digest: Digest) -> None:
        """Raise BlobCorrupt unless there is such a blob and it has its digest.

        Its bytes are read for that, which takes its time, unless that was done lately and nothing speaks
        for a change since.
        """

    async def delete(self, digest: Digest) -> None:
        """Forget the bytes, also where they are set aside. A blob that is not there is not an error."""

    def digests(self, prefix: str = "") -> AsyncIterator[Digest]:
        """All blobs whose digests begin so, in no order.

        Those added or deleted meanwhile may be missing or present.
        """

    async def set_aside(self, digest: Digest) -> None:
        """Take a blob out of use, durably, but keep its bytes. One that is not there is not an error."""

    async def bring_back(self, digest: Digest) -> bool:
        """Take a blob into use again, durably, that was set aside. Return whether it was."""

    async def aside(self) -> Sequence[Digest]:
        """Return all blobs that are set aside, in no order."""

    async def expired(self, older_than_s: float) -> Sequence[Digest]:
        """Return the blobs that were set aside longer ago than this, as far as the clock can be trusted.

        To be asked every hour or so; after a long time without, ages count from then.
        """

    async def forget_aside(self, digest: Digest) -> None:
        """Remove a blob that is set aside. One that is not there is not an error."""

    async def forget_partials(self, older_than_s: float) -> None:
        """Remove the bytes that were kept, or last written, longer ago than this."""

    async def trim_partials(self, prefix: str, most_bytes: int) -> None:
        """Leave at most so many bytes under names that begin so: the oldest go first.

        What is being written stays.
        """

    async def free_bytes(self) -> int:
        """Room left where the blobs are."""
