"""The one door for bytes: from an open source to a durable blob and a catalog row.

The order is what makes "stored" true: limits, bytes to disk while hashing, everything announced checked,
blob durable, row durable. Whatever fails on the way leaves no blob, no row and no temporary file.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from filebot.errors import (
    DigestMismatch,
    EmptyFile,
    PeerGone,
    PeerProtocolError,
    SizeMismatch,
    TransferError,
    TransferTimeout,
)
from filebot.filenames import plain_text, safe_name
from filebot.model import BareJid, BlobRef, Digest, Entry, NewEntry, Offer, Scope
from filebot.ports import BlobStore, BlobWriter, Catalog, Download, HttpTransfer, Inspector, StreamOffer
from filebot.service.locks import Keyed
from filebot.service.quota import Quota, Reservation
from filebot.service.transfers import Transfer

CAPTION_LIMIT = 1000
"""Characters kept of what somebody wrote beside a file."""

SOURCES_TRIED = 3
"""Of the places where a peer says that its file can be had."""


@dataclass(frozen=True, slots=True)
class Received:
    """The outcome of one drop."""

    entry: Entry
    already_known: bool
    """The owner had these bytes here before; ``entry`` is the old row."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Whose the file becomes, and where it is seen."""

    owner: BareJid
    room: BareJid | None = None
    caption: str = ""

    @property
    def scope(self) -> Scope:
        """The scope that the entry will be in."""
        return Scope(room=self.room) if self.room else Scope(owner=self.owner)


class Intake:
    """Takes files in."""

    def __init__(
        self,
        *,
        store: BlobStore,
        catalog: Catalog,
        http: HttpTransfer,
        inspector: Inspector,
        quota: Quota,
        locks: Keyed[asyncio.Lock],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._http = http
        self._inspector = inspector
        self._quota = quota
        self._locks = locks
        self._clock = clock

    async def fetch(
        self, offer: Offer, destination: Destination, watch: Transfer | None = None
    ) -> Received:
        """Take the file that an offer points to, from the first of its sources that can be used.

        ``watch`` is told how far it is. Raises UserError, TransferError or StorageError; then nothing is
        left of it.
        """
        failure: TransferError = PeerProtocolError("an offer without a source")
        for url in offer.urls[:SOURCES_TRIED]:
            try:
                return await self._take(WebSource(self._http, url), offer, destination, watch)
            except TransferError as error:
                failure = error
        raise failure

    async def receive(
        self, stream: StreamOffer, destination: Destination, watch: Transfer | None = None
    ) -> Received:
        """Take a file that a peer sends by a stream, if it may come in at all.

        If it is refused before the stream was accepted, declining it is up to the caller. What came in
        before a break is kept for a while, where the peer can go on from there and gave a hash by which
        the whole is proved to be one file. Raises as :meth:`fetch`.
        """
        return await self._take(stream, stream.offer, destination, watch)

    async def _take(
        self, source: "Source", offer: Offer, destination: Destination, watch: Transfer | None
    ) -> Received:
        if offer.size == 0:
            raise EmptyFile
        partial = _partial_name(offer, destination) if source.resumable else None
        async with (
            self._quota.reserve(destination.owner, offer.size) as reservation,
            self._store.create(tuple(offer.hashes), partial) as writer,
        ):
            reservation.grow_to(writer.size)
            async with source.accept(writer.size) as download:
                if download.size == 0:
                    raise EmptyFile
                reservation.promise(download.size)
                if watch is not None and watch.total_bytes is None:
                    watch.total_bytes = download.size
                with _kept_if_broken(writer):
                    await _receive(download, offer, writer, reservation, watch)
            digest = await _sealed(writer, offer)
            name = safe_name(offer.name or download.name)
            claimed = offer.media_type or download.media_type
            return await self._keep(
                writer, reservation, destination, digest=digest, name=name, claimed=claimed
            )

    async def _keep(
        self,
        writer: BlobWriter,
        reservation: Reservation,
        destination: Destination,
        *,
        digest: Digest,
        name: str,
        claimed: str | None,
    ) -> Received:
        # Nobody removes the last row of these bytes, or adds another, while this one is made.
        async with self._locks(digest):
            known = await self._catalog.same(destination.scope, destination.owner, digest)
            if known is not None:
                return Received(known, already_known=True)
            await self._quota.recheck(reservation)
            blob = await writer.commit()
            try:
                entry = await self._catalog.add(await self._described(blob, destination, name, claimed))
            except Exception:
                # Not on cancellation: the row may be on its way to the disk just then. If it is not, the
                # next sweep finds the blob.
                await forget_unused(self._store, self._catalog, digest)
                raise
            return Received(entry, already_known=False)

    async def _described(
        self, blob: BlobRef, destination: Destination, name: str, claimed: str | None
    ) -> NewEntry:
        async with self._store.local_file(blob.digest) as file:
            kind = await self._inspector.inspect(file, name, claimed)
        return NewEntry(
            name=name,
            owner=destination.owner,
            room=destination.room,
            caption=plain_text(destination.caption)[:CAPTION_LIMIT],
            blob=blob,
            media_type=kind.media_type,
            created_at=self._clock(),
            width=kind.width,
            height=kind.height,
        )


class Source(Protocol):
    """Where one file can be had, once."""

    @property
    def resumable(self) -> bool:
        """Whether ``accept`` can begin at an offset."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        """Open it."""


@dataclass(frozen=True, slots=True)
class WebSource:
    """A file behind a URL."""

    http: HttpTransfer
    url: str
    resumable: bool = False
    """The client itself goes on after a break; what it cannot go on with is given up."""

    def accept(self, offset: int = 0) -> AbstractAsyncContextManager[Download]:
        return self.http.get(self.url)


async def _receive(
    download: Download,
    offer: Offer,
    writer: BlobWriter,
    reservation: Reservation,
    watch: Transfer | None,
) -> None:
    async with aclosing(download.chunks()) as chunks:
        async for chunk in chunks:
            size = writer.size + len(chunk)
            reservation.grow_to(size)
            _check_not_over(offer.size, size)
            await writer.write(chunk)
            if watch is not None:
                watch.moved(size)


@contextmanager
def _kept_if_broken(writer: BlobWriter) -> Iterator[None]:
    """Keep the bytes for the next attempt if the way broke, not if they are wrong."""
    try:
        yield
    except (PeerGone, TransferTimeout, asyncio.CancelledError):
        writer.keep()
        raise


def _partial_name(offer: Offer, destination: Destination) -> str | None:
    """The same for the same file of the same person; None if nothing would prove it to be the same."""
    if not offer.size or not offer.hashes:
        return None
    known = [destination.owner, destination.room or "", offer.name or "", str(offer.size)]
    known += [f"{name} {digest.hex()}" for name, digest in sorted(offer.hashes.items())]
    return hashlib.sha256("\0".join(known).encode()).hexdigest()


async def forget_unused(store: BlobStore, catalog: Catalog, digest: Digest) -> None:
    """Delete a blob that no row refers to, and forget where it was uploaded.

    The caller holds the lock of the digest.
    """
    if digest not in await catalog.in_use([digest]):
        await store.delete(digest)
        await catalog.forget_links(digest)


async def _sealed(writer: BlobWriter, offer: Offer) -> Digest:
    """Finish the bytes and check them against all that was announced."""
    if writer.size == 0:
        raise EmptyFile
    if offer.size is not None and writer.size != offer.size:
        raise SizeMismatch(announced_bytes=offer.size, received_bytes=writer.size)
    digests = await writer.seal()
    for algorithm, announced in offer.hashes.items():
        if digests[algorithm] != announced:
            raise DigestMismatch(algorithm=algorithm)
    return digests["sha-256"].hex()


def _check_not_over(announced_bytes: int | None, received_bytes: int) -> None:
    if announced_bytes is not None and received_bytes > announced_bytes:
        raise SizeMismatch(announced_bytes=announced_bytes, received_bytes=received_bytes)
