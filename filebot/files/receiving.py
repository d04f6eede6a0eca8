"""Receiving of one file from one source: bytes checked against all that was announced, and resumed.

The bytes before a break are kept for a while, by the owner, name and size of the file: when the same file
is offered next, by whatever method, it goes on from there. A file made of two attempts is only stored if a
hash over the whole proves it to be one file. Within one download by HTTP the server's validators are
enough; where it gives none, the file is fetched once more from its beginning.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from dataclasses import dataclass
from typing import Protocol

from filebot.errors import DigestMismatch, EmptyFile, PeerProtocolError, SizeMismatch, TransferError
from filebot.filenames import safe_name
from filebot.files.quota import Reservation
from filebot.files.transfers import Transfer
from filebot.model import BareJid, Identity, Offer
from filebot.ports import BlobWriter, Data, Download, UrlSource

GRACE_PERIOD_S = 3600.0
"""Time for which a file may come at any speed, by whatever method."""
SLOWEST_BYTES = 1000
"""Bytes a second that have to come after that."""


class Source(Protocol):
    """One place of one file, to be opened once for each attempt."""

    @property
    def resumable(self) -> bool:
        """Whether ``accept`` can begin at an offset."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class WebSource:
    """A file behind a URL."""

    sources: UrlSource
    url: str
    hashed: bool
    """Whether a hash over the whole is going to be checked."""
    resumable: bool = True

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        return self.sources.get(self.url, offset, hashed=self.hashed)


@dataclass(slots=True)
class Attempt:
    """One attempt at one source, and its outcome."""

    source: Source
    offer: Offer
    owner: Identity
    room: BareJid | None
    """Where the file is to be seen; None for a private one."""
    name: str | None
    """Name of the file before it is opened."""
    resumed_at: int = 0
    """Bytes that were there from before."""
    kept: bool = False
    """Whether there is something to go on with next time."""
    is_wanted: Callable[[], bool] = lambda: True
    """Whether there may be a next time."""

    def partial_name(self, name: str | None, size: int | None) -> str | None:
        """Return the name under which bytes are kept, the same by whatever method; None if nothing is kept.

        Hashes have no part in it: they differ from method to method, and many clients send none. Nothing is
        kept without a size, and of those whom only a room tells apart: what is kept counts against its
        owner alone, and a room's service makes up as many of them as it likes.
        """
        if not size or "/" in self.owner:
            return None
        known = "\0".join((self.room or "", safe_name(name), str(size)))
        return partials_of(self.owner) + hashlib.sha256(known.encode()).hexdigest()

    def resume_at_most(self) -> int:
        """Return how many of the bytes there may be used: none if no hash will prove that they belong here.

        Never all of it: not every peer understands that it is asked for nothing.
        """
        provable = bool(self.offer.hashes) or self.offer.hash_follows
        return (self.offer.size or 1) - 1 if provable and self.source.resumable else 0

    @contextmanager
    def keeping(self, writer: BlobWriter) -> Iterator[None]:
        """Keep the bytes for the next attempt if the way fails, not if they are wrong."""
        self.kept = False
        try:
            yield
        except (TransferError, asyncio.CancelledError) as error:
            if (
                writer.size
                and self.is_wanted()
                and (not isinstance(error, PeerProtocolError) or _is_short(error))
            ):
                self.kept = True
                writer.keep()
            raise


def partials_of(owner: Identity) -> str:
    """Return the beginning of the names of all partials of somebody."""
    return hashlib.sha256(owner.encode()).hexdigest()


async def receive(
    download: Download,
    offer: Offer,
    writer: BlobWriter,
    reservation: Reservation,
    watch: Transfer | None,
) -> None:
    """Write the bytes of a download as they come.

    Raises TransferError, FileTooLarge, QuotaExceeded, RoomQuotaExceeded or StorageError.
    """
    until_s = asyncio.get_running_loop().time() + GRACE_PERIOD_S - writer.size / SLOWEST_BYTES
    async with aclosing(download.chunks()) as chunks:
        while (chunk := await _next(chunks, until_s + writer.size / SLOWEST_BYTES)) is not None:
            size = writer.size + len(chunk)
            reservation.grow_to(size)
            _check_not_over(offer.size, size)
            await writer.write(chunk)
            reservation.wrote(size)
            if watch is not None:
                watch.moved(size)


async def sealed(writer: BlobWriter, offer: Offer) -> Mapping[str, bytes]:
    """Finish the bytes, check how many there are, and return their digests."""
    if writer.size == 0:
        raise EmptyFile
    if offer.size is not None and writer.size != offer.size:
        raise SizeMismatch(announced_bytes=offer.size, received_bytes=writer.size)
    return await writer.seal()


def check_hashes(
    digests: Mapping[str, bytes],
    announced: Mapping[str, bytes],
    late: Mapping[str, bytes],
    *,
    resumed: bool,
) -> None:
    """Check everything that was announced and can be checked. Raises DigestMismatch.

    A hash that was promised and did not come is missed only where bytes of two attempts were joined.
    """
    checked = False
    for hashes in (announced, late):
        for algorithm in hashes.keys() & digests.keys():
            if digests[algorithm] != hashes[algorithm]:
                raise DigestMismatch(algorithm=algorithm, resumed=resumed)
            checked = True
    if resumed and not checked:
        raise DigestMismatch(resumed=True)


async def _next(chunks: AsyncGenerator[Data, None], until_s: float) -> Data | None:
    """Return the next piece, or None at the end.

    Raises TransferError if neither has come by then: whoever sends a byte now and then, or what is no byte
    of the file at all, would hold one of the places of those who receive for ever.
    """
    try:
        async with asyncio.timeout_at(until_s) as limit:
            return await anext(chunks, None)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TransferError(f"less than {SLOWEST_BYTES} bytes a second") from error


def _check_not_over(announced_bytes: int | None, received_bytes: int) -> None:
    if announced_bytes is not None and received_bytes > announced_bytes:
        raise SizeMismatch(announced_bytes=announced_bytes, received_bytes=received_bytes)


def _is_short(error: PeerProtocolError) -> bool:
    """Whether a stream simply ended too early, as it does when the peer's process is killed."""
    return isinstance(error, SizeMismatch) and error.received_bytes < error.announced_bytes
