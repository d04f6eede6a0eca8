"""The one door for bytes: from an open source to a durable blob and a catalog row.

The order is what makes "stored" true: limits, bytes to disk while hashing, everything announced checked,
blob durable, row durable. Whatever fails on the way leaves no blob, no row and no temporary file.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from filebot.errors import DigestMismatch, EmptyFile, PeerProtocolError, SizeMismatch, TransferError
from filebot.filenames import plain_text, safe_name
from filebot.model import BareJid, BlobRef, Digest, Entry, NewEntry, Offer, Scope
from filebot.ports import BlobStore, BlobWriter, Catalog, Download, HttpTransfer, Inspector
from filebot.service.locks import Keyed
from filebot.service.quota import Quota, Reservation

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

    async def fetch(self, offer: Offer, destination: Destination) -> Received:
        """Take the file that an offer points to, from the first of its sources that can be used.

        Raises UserError, TransferError or StorageError; then nothing is left of it.
        """
        failure: TransferError = PeerProtocolError("an offer without a source")
        for url in offer.urls[:SOURCES_TRIED]:
            try:
                async with self._http.get(url) as download:
                    return await self._take(download, offer, destination)
            except TransferError as error:
                failure = error
        raise failure

    async def _take(self, download: Download, offer: Offer, destination: Destination) -> Received:
        if 0 in (offer.size, download.size):
            raise EmptyFile(offer.name or download.name or "")
        announced = offer.size if offer.size is not None else download.size
        async with (
            self._quota.reserve(destination.owner, announced) as reservation,
            self._store.create(tuple(offer.hashes)) as writer,
            aclosing(download.chunks()) as chunks,
        ):
            async for chunk in chunks:
                reservation.grow_to(writer.size + len(chunk))
                _check_not_over(offer.size, writer.size + len(chunk))
                await writer.write(chunk)
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


async def forget_unused(store: BlobStore, catalog: Catalog, digest: Digest) -> None:
    """Delete a blob that no row refers to. The caller holds the lock of the digest."""
    if digest not in await catalog.in_use([digest]):
        await store.delete(digest)


async def _sealed(writer: BlobWriter, offer: Offer) -> Digest:
    """Finish the bytes and check them against all that was announced."""
    if writer.size == 0:
        raise EmptyFile(offer.name or "")
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
