"""Intake of every file that is kept: from an offer to a durable blob and a catalog row.

The order is what makes "stored" true: limits, bytes to disk while hashing, everything announced checked,
blob durable, row durable, event. Whatever fails on the way leaves no blob, no row and no temporary file;
after a break, the bytes to go on with are kept (see :mod:`filebot.files.resume`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from filebot.concurrency.keyed_locks import KeyedLocks
from filebot.errors import EmptyFile, PeerProtocolError, TransferError, Unresumable
from filebot.events.bus import EventBus
from filebot.events.facts import Actor, Event, FileAutoArchived, FileStored
from filebot.filenames import UNNAMED, name_from_url, plain_text, safe_name
from filebot.files.damage import is_whole
from filebot.files.quota import Quota, Reservation
from filebot.files.receiving import check_hashes, receive, sealed
from filebot.files.resume import Attempt, partials_of
from filebot.files.sources import WebSource
from filebot.files.transfers import Transfer
from filebot.files.unused_blobs import UnusedBlobs
from filebot.model import BareJid, BlobRef, Digest, Entry, Identity, NewEntry, Offer, Scope
from filebot.ports import BlobStore, BlobWriter, Download, Entries, HttpTransfer, Inspector, StreamOffer

log = logging.getLogger(__name__)

CAPTION_LIMIT = 1000
"""Characters kept of what somebody wrote beside a file."""

SOURCES_TRIED = 3
"""Sources that are tried, of those where a peer says that its file can be had."""

Place = AbstractAsyncContextManager[Transfer | None]
"""Context that waits for a slot, held until the file is stored; gives what shows how far it is, if any."""

ANY_PLACE: Final[Place] = nullcontext()


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """Outcome of one intake."""

    entry: Entry
    already_known: bool
    """The owner had these bytes here before; ``entry`` is the old row."""
    name: str
    """Name of the file this time."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Owner of a file to be kept, and the place where it is seen."""

    owner: Identity
    by: Actor
    """On whose behalf it is kept."""
    room: BareJid | None = None
    caption: str = ""
    auto_archived: bool = False
    """It is kept unasked, because the room keeps what is posted there."""
    source_message: str | None = None
    """The entry's (see ``NewEntry``)."""
    recheck: Callable[[], object] = lambda: None
    """Called when all bytes are there, and again right before the row is made: the disk takes its time in
    between. Raises UserError if the owner may put no file there any more."""

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
        entries: Entries,
        unused: UnusedBlobs,
        http: HttpTransfer,
        inspector: Inspector,
        quota: Quota,
        locks: KeyedLocks[asyncio.Lock],
        clock: Callable[[], datetime],
        events: EventBus,
    ) -> None:
        self._store = store
        self._entries = entries
        self._unused = unused
        self._http = http
        self._inspector = inspector
        self._quota = quota
        self._locks = locks
        self._clock = clock
        self._events = events

    async def fetch(self, offer: Offer, destination: Destination, place: Place = ANY_PLACE) -> IntakeResult:
        """Take the file that an offer points to, from the first of its sources that can be used.

        FileStored or FileAutoArchived tells of it. Raises UserError, TransferError or StorageError; then
        nothing is left of it but, after a break, the bytes to go on with.

        What was stored just before a crash, from the same message, is not fetched again.
        """
        return await self._taken(destination, place, lambda watch: self._fetch(offer, destination, watch))

    async def receive(
        self, stream: StreamOffer, destination: Destination, place: Place = ANY_PLACE
    ) -> IntakeResult:
        """Take a file that a peer sends by a stream, if it may come in at all.

        If it is refused before the stream was accepted, declining it is up to the caller. Tells and raises
        as :meth:`fetch`.
        """
        attempt = Attempt(stream, stream.offer, destination.owner, destination.room, stream.offer.name)
        return await self._taken(destination, place, lambda watch: self._take(attempt, destination, watch))

    async def _taken(
        self,
        destination: Destination,
        place: Place,
        take: Callable[[Transfer | None], Awaitable[IntakeResult]],
    ) -> IntakeResult:
        async with place as watch:
            result = await take(watch)
        if not (destination.auto_archived and result.already_known):
            # The row of a new entry was made together with the record of its event, perhaps before a crash.
            await self._events.tell(_told(destination, result), recorded=not result.already_known)
        return result

    async def _fetch(self, offer: Offer, destination: Destination, watch: Transfer | None) -> IntakeResult:
        made = await self._made_before(destination)
        if made is not None:
            return IntakeResult(made, already_known=False, name=made.name)
        failure: TransferError = PeerProtocolError("an offer without a source")
        for url in offer.urls[:SOURCES_TRIED]:
            try:
                return await self._fetch_from(url, offer, destination, watch)
            except TransferError as error:
                failure = error
        raise failure

    async def _made_before(self, destination: Destination) -> Entry | None:
        """Return the entry that the same message made just before a crash."""
        if destination.source_message is None:
            return None
        made = await self._entries.find_by_source_message(
            destination.scope, destination.owner, destination.source_message
        )
        return made if made is not None and await is_whole(self._store, made.blob.digest) else None

    async def _fetch_from(
        self, url: str, offer: Offer, destination: Destination, watch: Transfer | None
    ) -> IntakeResult:
        source = WebSource(self._http, url, hashed=bool(offer.hashes))
        name = offer.name or name_from_url(url)
        attempt = Attempt(source, offer, destination.owner, destination.room, name)
        try:
            return await self._take(attempt, destination, watch)
        except (PeerProtocolError, Unresumable) as error:
            if not isinstance(error, Unresumable) and (not attempt.resumed_at or attempt.kept):
                raise
            log.info("%s of %s does not go on as it began: %s", attempt.name, destination.owner, error)
        # Nothing of what was there before is used, and all of it comes from here.
        return await self._take(attempt, destination, watch)

    async def _take(
        self, attempt: Attempt, destination: Destination, watch: Transfer | None
    ) -> IntakeResult:
        offer = attempt.offer
        if offer.size == 0:
            raise EmptyFile
        async with (
            self._quota.reserve(destination.owner, offer.size, destination.room) as reservation,
            self._opened(attempt, reservation) as (writer, download),
        ):
            if download.size == 0:
                raise EmptyFile
            reservation.promise(download.size)
            if watch is not None:
                watch.starts_at(writer.size, download.size)
            with attempt.keeping(writer):
                await receive(download, offer, writer, reservation, watch)
            digests = await sealed(writer, offer)
            check_hashes(digests, offer.hashes, download.late_hashes, resumed=attempt.resumed_at > 0)
            name = safe_name(offer.name or download.name)
            claimed = offer.media_type or download.media_type
            # Before the source is left: a sender that hears that the file has arrived may delete it.
            return await self._keep(
                writer,
                reservation,
                destination,
                digest=digests["sha-256"].hex(),
                name=name,
                claimed=claimed,
            )

    @asynccontextmanager
    async def _opened(
        self, attempt: Attempt, reservation: Reservation
    ) -> AsyncIterator[tuple[BlobWriter, Download]]:
        """Open the source, and a writer that begins where the source does."""
        source, offer = attempt.source, attempt.offer
        # COMPAT(Conversations): announces a SHA-1 and a SHA-256, both after the data.
        algorithms = (*offer.hashes, *(("sha-1",) if offer.hash_follows else ()))
        # The partials of an owner with many broken transfers must not fill the disk.
        await self._store.trim_partials(partials_of(attempt.owner), reservation.left_bytes)
        async with AsyncExitStack() as stack:
            if offer.size is None:
                # Only the source can tell the size, and by it what the bytes are to be kept as.
                download = await stack.enter_async_context(source.accept())
                partial = attempt.partial_name(download.name, download.size)
                writer = await stack.enter_async_context(self._store.create(algorithms, partial))
                await self._quota.begins(reservation, writer.size)
            else:
                partial = attempt.partial_name(attempt.name, offer.size)
                writer = await stack.enter_async_context(
                    self._store.create(algorithms, partial, attempt.resume_at_most())
                )
                attempt.resumed_at = writer.size
                with attempt.keeping(writer):
                    await self._quota.begins(reservation, writer.size)
                    download = await stack.enter_async_context(source.accept(writer.size))
            yield writer, download

    async def _keep(
        self,
        writer: BlobWriter,
        reservation: Reservation,
        destination: Destination,
        *,
        digest: Digest,
        name: str,
        claimed: str | None,
    ) -> IntakeResult:
        # Nobody removes the last row of these bytes, or adds another, while this one is made.
        async with self._locks(digest):
            destination.recheck()
            known = await self._entries.find_by_digest(destination.scope, destination.owner, digest)
            if known is not None:
                await writer.commit()  # in place of what is there: if that is lost or damaged, it is mended
                if known.auto_archived and not destination.auto_archived:
                    await self._entries.adopt(known.id)
                # A file that came without a name is called by the name that it is stored under.
                return IntakeResult(known, already_known=True, name=known.name if name == UNNAMED else name)
            await self._quota.recheck(reservation)

            def told(added: Entry) -> Event:
                return _told(destination, IntakeResult(added, already_known=False, name=name))

            described: NewEntry | None = None
            try:
                described = await self._described(await writer.commit(), destination, name, claimed)
                # Nothing is awaited from here on until the row is on its way: what empties the room comes
                # behind it.
                destination.recheck()
                with reservation.settling():
                    entry = await self._entries.add(described, outbox=self._events.outbox(told))
            except (Exception, asyncio.CancelledError) as error:
                # A cancelled row may get to the disk all the same. If not, the next sweep finds the blob.
                if isinstance(error, Exception) or described is None:
                    await self._unused.forget(digest)
                raise
            return IntakeResult(entry, already_known=False, name=name)

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
            auto_archived=destination.auto_archived,
            source_message=destination.source_message,
        )


def _told(destination: Destination, result: IntakeResult) -> Event:
    by = destination.by
    if destination.auto_archived:
        return FileAutoArchived(by.sender, by.language, result.entry)
    return FileStored(by.sender, by.language, result.entry, result.already_known, result.name)
